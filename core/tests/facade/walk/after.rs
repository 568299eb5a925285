//! What everybody has, before and after.

use std::collections::BTreeMap;

use keyplate::{Result, Role};

use super::world::World;
use crate::common::raw;

/// A credential: owner, scopes, administrator, expires_at, the secret's hash.
type Held = (String, String, bool, Option<i64>, Vec<u8>);

/// All that gives strength, as it is stored.
#[derive(Debug, Default)]
pub(super) struct Strength {
    /// id → (role, status, expires_at)
    users: BTreeMap<String, (String, String, Option<i64>)>,
    credentials: BTreeMap<String, Held>,
    setup: String,
    /// Who is in which group, and which group is given by what.
    memberships: Vec<String>,
    /// User, key, value.
    claims: Vec<String>,
    limits: Vec<String>,
    passkeys: Vec<String>,
    /// To whom services are open.
    services: Vec<String>,
    /// Without those that were made meanwhile.
    signup_tokens: Vec<String>,
}

pub(super) fn strength(w: &World) -> Strength {
    let connection = raw(&w.f.path());
    let mut found = Strength::default();
    let mut users = connection
        .prepare("SELECT id, role, status, expires_at FROM users")
        .unwrap();
    let mut rows = users.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        found.users.insert(
            row.get(0).unwrap(),
            (
                row.get(1).unwrap(),
                row.get(2).unwrap(),
                row.get(3).unwrap(),
            ),
        );
    }
    for sql in [
        "SELECT id, owner_id, scopes, ceiling_administrator, expires_at, secret_hash FROM api_keys WHERE revoked_at IS NULL",
        // One without a scope is good for whatever it is for: only a maker with `*` has that.
        "SELECT id, owner_id, CASE scopes WHEN '' THEN '*' ELSE scopes END, ceiling_administrator, expires_at, secret_hash
         FROM app_passwords",
        "SELECT id, user_id, ceiling_scopes, ceiling_administrator, expires_at, secret_hash FROM sessions WHERE ended_at IS NULL",
    ] {
        let mut credentials = connection.prepare(sql).unwrap();
        let mut rows = credentials.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let credential = (
                row.get(1).unwrap(),
                row.get(2).unwrap(),
                row.get(3).unwrap(),
                row.get(4).unwrap(),
                row.get(5).unwrap(),
            );
            found.credentials.insert(row.get(0).unwrap(), credential);
        }
    }
    let list = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    };
    found.memberships = list(
        "SELECT 'member ' || group_id || user_id FROM group_members
         UNION ALL SELECT 'default ' || group_id FROM default_groups
         UNION ALL SELECT 'token ' || group_id || token_id FROM signup_token_groups ORDER BY 1",
    );
    found.claims = list(
        "SELECT 'user ' || user_id || key || value FROM user_claims
         UNION ALL SELECT 'group ' || group_id || key || value FROM group_claims
         UNION ALL SELECT 'token ' || token_id || key || value FROM signup_token_claims ORDER BY 1",
    );
    found.limits = list(
        "SELECT name || value FROM settings WHERE name LIKE 'session%' OR name LIKE 'step_up%' ORDER BY 1",
    );
    found.services = list(
        "SELECT id || for_everyone FROM services
         UNION ALL SELECT service_id || group_id FROM service_groups ORDER BY 1",
    );
    found.passkeys = list(
        "SELECT id || user_id FROM passkeys UNION ALL SELECT rp_id FROM relying_party
         UNION ALL SELECT id || state FROM device_logins WHERE state = 'approved'
         UNION ALL SELECT id || user_id FROM device_links
         UNION ALL SELECT hex(secret_hash) FROM service_tickets
         UNION ALL SELECT hex(secret_hash) FROM service_sessions ORDER BY 1",
    );
    found.signup_tokens = list(
        "SELECT id || ifnull(expires_at, '-') || ifnull(max_uses, '-') || enabled FROM signup_tokens
         WHERE revoked_at IS NULL ORDER BY 1",
    );
    found.setup = connection
        .query_row(
            "SELECT stage || generation || claimed_without_token
                 || ifnull((SELECT group_concat(hex(secret_hash)) FROM setup_tokens), '')
             FROM setup",
            [],
            |row| row.get(0),
        )
        .unwrap();
    found
}

/// Does a key with this one scope give all of those?
fn covers(scope: &str, scopes: &str) -> bool {
    scopes.split(' ').all(|wanted| match scope {
        "*" => wanted != "roles:write",
        scope => {
            wanted == scope
                || wanted
                    .strip_suffix(":read")
                    .is_some_and(|area| scope == format!("{area}:write"))
        }
    })
}

pub(super) fn assert_no_stronger(
    w: &World,
    scope: &str,
    before: &Strength,
    after: &Strength,
    told: &str,
) {
    let own_end = before.credentials[w.weak_key.api_key.id.as_str()]
        .3
        .unwrap();
    assert_eq!(before.setup, after.setup, "{told}: setup");
    for (id, (role, status, expires_at)) in &after.users {
        let Some((old_role, old_status, old_end)) = before.users.get(id) else {
            assert_eq!(role, "user", "{told}: a new administrator");
            continue;
        };
        assert!(
            role == old_role || role == "user",
            "{told}: {id} was promoted"
        );
        assert!(
            old_role == "user" || (status, expires_at) == (old_status, old_end),
            "{told}: {id}'s account"
        );
    }
    assert_grants(w, scope, before, after, told);
    for (id, new) in &after.credentials {
        let within = covers(scope, &new.1) && new.3.is_some_and(|end| end <= own_end);
        match before.credentials.get(id) {
            None => {
                assert!(within, "{told}: made {new:?}");
                assert!(
                    !new.2 || w.owner.role == Role::Administrator,
                    "{told}: an administrator's {new:?}"
                );
            }
            // A new secret was handed out, or the end was moved: nothing beyond what the key has itself.
            Some(old) if old != new => {
                assert_eq!(
                    (&old.0, &old.1, old.2),
                    (&new.0, &new.1, new.2),
                    "{told}: {id} was widened"
                );
                assert!(
                    within && id != w.weak_key.api_key.id.as_str(),
                    "{told}: {id} was taken over or lengthened"
                );
            }
            Some(_) => {}
        }
    }
}

/// Groups and claims are given by who may give them; sign-up tokens and limits are stretched by nobody weaker.
fn assert_grants(w: &World, scope: &str, before: &Strength, after: &Strength, told: &str) {
    let administrator = w.owner.role == Role::Administrator;
    let more = |before: &[String], after: &[String]| after.iter().any(|new| !before.contains(new));
    // Signing up by a token that exists gives what the token gives.
    if !told.ends_with(" sign_up") {
        let may_give_groups = administrator && covers(scope, "groups:write");
        assert!(
            may_give_groups || !more(&before.memberships, &after.memberships),
            "{told}: gave a group"
        );
    }
    let may_give_claims =
        administrator && (covers(scope, "users:write") || covers(scope, "groups:write"));
    assert!(
        may_give_claims || !more(&before.claims, &after.claims),
        "{told}: gave a claim"
    );
    let may_invite = administrator && covers(scope, "signup_tokens:write");
    assert!(
        may_invite || !more(&before.signup_tokens, &after.signup_tokens),
        "{told}: stretched an invitation"
    );
    let may_open = administrator && covers(scope, "services:write");
    assert!(
        may_open || !more(&before.services, &after.services),
        "{told}: opened a service"
    );
    assert!(
        !more(&before.passkeys, &after.passkeys),
        "{told}: made a passkey, approved a device, or made a link for one"
    );
    assert_eq!(before.limits, after.limits, "{told}: longer sessions");
}
