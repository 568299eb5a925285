//! The walk by weak keys (K2): a key with one scope calls every method, as greedily as it can; afterwards neither it nor
//! anybody else is stronger than before. A method without an entry here fails the test.

mod after;
mod calls;
mod detours;
mod devices;
mod world;

use std::thread;

use self::{
    after::{assert_no_stronger, strength},
    calls::call,
    world::World,
};
use keyplate::{ErrorCode, Role};

const SCOPES: [&str; 26] = [
    "users:read",
    "users:write",
    "groups:read",
    "groups:write",
    "services:read",
    "services:write",
    "settings:read",
    "settings:write",
    "signup_tokens:read",
    "signup_tokens:write",
    "one_time_tokens:read",
    "one_time_tokens:write",
    "passkeys:read",
    "passkeys:write",
    "sessions:read",
    "sessions:write",
    "keys:read",
    "keys:write",
    "app_passwords:read",
    "app_passwords:write",
    "app_passwords:verify",
    "audit:read",
    "audit:write",
    "roles:write",
    "*",
    "library:stream",
];

/// Every method of the facade with its authority, as `core/api.txt` lists them.
fn methods() -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("../../api.txt").lines();
    let methods: Vec<_> = lines
        .filter_map(|line| line.strip_prefix("method "))
        .filter_map(|line| Some((line.split_once('(')?.0, line.rsplit_once("# ")?.1)))
        .collect();
    assert_eq!(methods.len(), keyplate::authority_table().len());
    methods
}

#[test]
fn a_key_with_one_scope_makes_nobody_stronger() {
    let cases: Vec<(Role, &str)> = [Role::Administrator, Role::User]
        .into_iter()
        .flat_map(|role| SCOPES.map(|scope| (role, scope)))
        // W2: no ordinary user's key has it.
        .filter(|case| *case != (Role::User, "app_passwords:verify"))
        .collect();
    let allowed: usize = thread::scope(|scope| {
        let walks: Vec<_> = cases
            .chunks(cases.len().div_ceil(4))
            .map(|cases| {
                scope.spawn(|| {
                    cases
                        .iter()
                        .map(|(role, scope)| walk(*role, scope))
                        .sum::<usize>()
                })
            })
            .collect();
        walks.into_iter().map(|walk| walk.join().unwrap()).sum()
    });
    assert!(allowed > 200, "the walk was refused everywhere: {allowed}");
}

/// Every method with one such key; gives how many were allowed.
fn walk(role: Role, scope: &str) -> usize {
    let mut allowed = 0;
    for (method, authority) in methods() {
        let w = World::new(role, scope, method);
        let before = strength(&w);
        let refusals = call(method, &w);
        let told = format!("{role:?} {scope} {method}");
        assert_no_stronger(&w, scope, &before, &strength(&w), &told);
        if authority == "host" {
            assert!(!refusals.is_empty(), "{method} is the host's");
            assert!(
                refusals
                    .iter()
                    .all(|code| *code == ErrorCode::PermissionDenied),
                "{told}: {refusals:?}"
            );
        }
        allowed += usize::from(refusals.is_empty());
    }
    allowed
}
