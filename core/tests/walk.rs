//! The walk by weak keys (K2): a key with one scope calls every method, as greedily as it can; afterwards neither it nor
//! anybody else is stronger than before. A method without an entry here fails the test.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use std::{collections::BTreeMap, thread};

use common::{passkeys::Person, *};
use keyplate::{
    Authenticated, Claim, ClientInfo, CreatedOneTimeToken, CreatedSignupToken, ErrorCode, Expiry,
    Group, KeyRotation, Keyplate, Limit, NewAdmin, NewApiKey, NewGroup, NewService, NewSignup,
    NewSignupToken, NewUser, Passkey, Result, Role, Service, SessionQuery, SettingsChanges,
    SignedIn, SignupTokenChanges, User, UserChanges,
};
use rusqlite::Connection;

const SCOPES: [&str; 23] = [
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
    "audit:read",
    "audit:write",
    "roles:write",
    "*",
    "library:stream",
];

/// Who is there: the weak key's owner, a full administrator, an ordinary user and a disabled administrator.
struct World {
    f: Fixture,
    owner: User,
    carol: User,
    bob: User,
    disabled: User,
    carols_key: keyplate::CreatedApiKey,
    bobs_key: keyplate::CreatedApiKey,
    carols_session: SignedIn,
    bobs_session: SignedIn,
    weak_key: keyplate::CreatedApiKey,
    found: Authenticated,
    weak: Keyplate,
    group: Group,
    token: CreatedSignupToken,
    carols_token: CreatedOneTimeToken,
    service: Service,
    /// Carol's and Bob's.
    passkeys: Vec<Passkey>,
}

impl World {
    fn new(owner_role: Role, scope: &str, method: &str) -> Self {
        let f = Fixture::new();
        let carol = f.administrator("carol");
        let owner = match owner_role {
            Role::Administrator => f.administrator("owner"),
            _ => f.user("owner"),
        };
        let bob = f.user("bob");
        let disabled = f.administrator("dora");
        f.keyplate.disable_user(&disabled.id).unwrap();
        let key = NewApiKey {
            expires_at: Some(f.in_seconds(10_000)),
            ..new_key(Some(&owner), &[scope])
        };
        let weak_key = f.keyplate.create_api_key(key).unwrap();
        let found = f.keyplate.verify_api_key(weak_key.secret.as_str()).unwrap();
        let weak = f.keyplate.acting_as(&found.principal, client()).unwrap();
        let group = f
            .keyplate
            .create_group(NewGroup {
                name: "family".to_owned(),
                friendly_name: None,
            })
            .unwrap();
        let service = NewService {
            slug: "films".to_owned(),
            ..Default::default()
        };
        let service = f.keyplate.create_service(service).unwrap();
        let token = NewSignupToken {
            group_ids: vec![group.id],
            ..Default::default()
        };
        let mut passkeys = Vec::new();
        if method.contains("passkey") {
            passkeys = [&carol, &bob].map(|user| f.person(user).1).to_vec();
        }
        Self {
            service,
            passkeys,
            carols_key: f.key(&carol, &["*", "roles:write"]),
            bobs_key: f.key(&bob, &["*"]),
            carols_session: f.session(&carol),
            bobs_session: f.session(&bob),
            token: f.keyplate.create_signup_token(token).unwrap(),
            carols_token: f.keyplate.create_one_time_token(&carol.id, None).unwrap(),
            group,
            weak_key,
            found,
            weak,
            owner,
            carol,
            bob,
            disabled,
            f,
        }
    }

    fn everybody(&self) -> [&User; 4] {
        [&self.owner, &self.carol, &self.bob, &self.disabled]
    }

    fn keys(&self) -> [&keyplate::ApiKeyId; 3] {
        [
            &self.weak_key.api_key.id,
            &self.carols_key.api_key.id,
            &self.bobs_key.api_key.id,
        ]
    }

    fn later(&self) -> Expiry {
        Expiry::At {
            time: self.f.in_seconds(900_000),
        }
    }
}

/// Calls a method with everything that could make somebody stronger.
fn call(method: &str, w: &World) -> Vec<ErrorCode> {
    let mut refusals = Vec::new();
    match method {
        "acting_as" => note(
            &mut refusals,
            w.weak.acting_as(&w.found.principal, client()),
        ),
        "anonymous" => note(&mut refusals, w.weak.anonymous(ClientInfo::default())),
        "with_client" => note(&mut refusals, w.weak.with_client(ClientInfo::default())),
        "authenticate" => drop(w.weak.authenticate(w.weak_key.secret.as_str())),
        "verify_session" => drop(w.weak.verify_session(w.bobs_session.secret.as_str())),
        "verify_api_key" => drop(w.weak.verify_api_key(w.weak_key.secret.as_str())),
        "create_user" => {
            note(
                &mut refusals,
                w.weak.create_user(NewUser {
                    role: Some(Role::Administrator),
                    ..new_user("eve")
                }),
            );
            note(&mut refusals, w.weak.create_user(new_user("adam")));
        }
        "get_user" | "find_user" => {
            for user in w.everybody() {
                note(&mut refusals, w.weak.get_user(&user.id));
                note(&mut refusals, w.weak.find_user(&user.username));
            }
        }
        "list_users" => note(&mut refusals, w.weak.list_users(Default::default())),
        "update_user" => {
            for (n, user) in w.everybody().into_iter().enumerate() {
                let email = UserChanges {
                    email: Some(format!("e{n}@evil.example")),
                    email_verified: Some(true),
                    ..Default::default()
                };
                note(&mut refusals, w.weak.update_user(&user.id, email));
                let expiry = UserChanges {
                    expiry: Some(Expiry::Never),
                    external_id: Some(n.to_string()),
                    ..Default::default()
                };
                note(&mut refusals, w.weak.update_user(&user.id, expiry));
            }
        }
        "delete_user" => each(w, &mut refusals, |user| w.weak.delete_user(&user.id)),
        "set_user_role" => each(w, &mut refusals, |user| {
            w.weak.set_user_role(&user.id, Role::Administrator)
        }),
        "enable_user" => each(w, &mut refusals, |user| w.weak.enable_user(&user.id)),
        "disable_user" => each(w, &mut refusals, |user| w.weak.disable_user(&user.id)),
        "get_setup_state" => note(&mut refusals, w.weak.get_setup_state()),
        "create_setup_token" => note(&mut refusals, w.weak.create_setup_token()),
        "claim_setup" => {
            note(&mut refusals, w.weak.claim_setup(None, admin("eve")));
            note(
                &mut refusals,
                w.weak.claim_setup(
                    None,
                    NewAdmin {
                        existing_user_id: Some(w.owner.id),
                        ..Default::default()
                    },
                ),
            );
        }
        "resume_setup" => note(&mut refusals, w.weak.resume_setup(None)),
        "complete_setup" => note(&mut refusals, w.weak.complete_setup()),
        "reset_setup" => note(&mut refusals, w.weak.reset_setup(1)),
        "bootstrap" => {
            let plan = r#"{
                "users": [{"username": "eve", "role": "administrator"}, {"username": "owner", "role": "administrator"}],
                "api_keys": [{"owner": "eve", "name": "eve", "scopes": ["*", "roles:write"], "generate": true}]
            }"#;
            note(&mut refusals, w.weak.bootstrap(plan));
        }
        "create_session" => each(w, &mut refusals, |user| {
            w.weak.create_session(&user.id, client(), None)
        }),
        "list_sessions" => note(
            &mut refusals,
            w.weak.list_sessions(SessionQuery {
                user_id: Some(w.carol.id),
                ..Default::default()
            }),
        ),
        "revoke_session" => {
            for session in [&w.carols_session, &w.bobs_session] {
                note(&mut refusals, w.weak.revoke_session(&session.session.id));
            }
        }
        "revoke_user_sessions" => each(w, &mut refusals, |user| {
            w.weak.revoke_user_sessions(&user.id, None)
        }),
        "create_api_key" => {
            let own = w.weak_key.api_key.scopes[0].as_str();
            for scopes in [
                &["*"][..],
                &["*", "roles:write"],
                &["roles:write"],
                &["users:write"],
                &[own],
            ] {
                each(w, &mut refusals, |user| {
                    w.weak.create_api_key(new_key(Some(user), scopes))
                });
                let ends = w.weak_key.api_key.expires_at;
                each(w, &mut refusals, |user| {
                    w.weak.create_api_key(NewApiKey {
                        expires_at: ends,
                        ..new_key(Some(user), scopes)
                    })
                });
            }
        }
        "get_api_key" => w
            .keys()
            .into_iter()
            .for_each(|id| note(&mut refusals, w.weak.get_api_key(id))),
        "list_api_keys" => note(&mut refusals, w.weak.list_api_keys(Default::default())),
        "list_expiring_api_keys" => note(&mut refusals, w.weak.list_expiring_api_keys(u32::MAX)),
        "rotate_api_key" => {
            for id in w.keys() {
                note(
                    &mut refusals,
                    w.weak.rotate_api_key(id, KeyRotation::default()),
                );
                note(
                    &mut refusals,
                    w.weak.rotate_api_key(
                        id,
                        KeyRotation {
                            expiry: Some(w.later()),
                            overlap_seconds: None,
                        },
                    ),
                );
                let within = w
                    .weak_key
                    .api_key
                    .expires_at
                    .map(|time| Expiry::At { time });
                note(
                    &mut refusals,
                    w.weak.rotate_api_key(
                        id,
                        KeyRotation {
                            expiry: within,
                            overlap_seconds: None,
                        },
                    ),
                );
            }
        }
        "renew_api_key" => {
            for id in w.keys() {
                note(&mut refusals, w.weak.renew_api_key(id, Expiry::Never));
                note(&mut refusals, w.weak.renew_api_key(id, w.later()));
            }
        }
        "revoke_api_key" => w
            .keys()
            .into_iter()
            .for_each(|id| note(&mut refusals, w.weak.revoke_api_key(id))),
        "list_audit_events" => note(&mut refusals, w.weak.list_audit_events(Default::default())),
        "purge_expired" => note(&mut refusals, w.weak.purge_expired()),
        "back_up_to" => {
            let copy = w.f.folder.path().join("copy.db");
            note(&mut refusals, w.weak.back_up_to(copy.to_str().unwrap()));
            assert!(!copy.exists());
        }
        "get_statistics" => note(&mut refusals, w.weak.get_statistics()),
        "check_integrity" => note(&mut refusals, w.weak.check_integrity()),
        "reset_clock" => note(&mut refusals, w.weak.reset_clock()),
        "approve_user" => each(w, &mut refusals, |user| w.weak.approve_user(&user.id)),
        "reject_user" => each(w, &mut refusals, |user| w.weak.reject_user(&user.id)),
        "set_user_groups" => each(w, &mut refusals, |user| {
            w.weak.set_user_groups(&user.id, &[w.group.id])
        }),
        "set_user_claims" => each(w, &mut refusals, |user| {
            w.weak.set_user_claims(&user.id, vec![claim()])
        }),
        "get_effective_claims" => each(w, &mut refusals, |user| {
            w.weak.get_effective_claims(&user.id)
        }),
        "list_claim_keys" => note(&mut refusals, w.weak.list_claim_keys()),
        "create_group" => note(
            &mut refusals,
            w.weak.create_group(NewGroup {
                name: "more".to_owned(),
                friendly_name: None,
            }),
        ),
        "get_group" => note(&mut refusals, w.weak.get_group(&w.group.id)),
        "list_groups" => note(&mut refusals, w.weak.list_groups(Default::default())),
        "update_group" => note(
            &mut refusals,
            w.weak.update_group(&w.group.id, Default::default()),
        ),
        "delete_group" => note(&mut refusals, w.weak.delete_group(&w.group.id)),
        "set_group_members" => note(
            &mut refusals,
            w.weak
                .set_group_members(&w.group.id, &w.everybody().map(|user| user.id)),
        ),
        "set_group_claims" => note(
            &mut refusals,
            w.weak.set_group_claims(&w.group.id, vec![claim()]),
        ),
        "create_service" => note(
            &mut refusals,
            w.weak.create_service(NewService {
                slug: "more".to_owned(),
                ..Default::default()
            }),
        ),
        "get_service" => note(&mut refusals, w.weak.get_service(&w.service.id)),
        "list_services" => note(&mut refusals, w.weak.list_services(Default::default())),
        "update_service" => note(
            &mut refusals,
            w.weak.update_service(&w.service.id, Default::default()),
        ),
        "set_service_origins" => note(
            &mut refusals,
            w.weak.set_service_origins(&w.service.id, &[]),
        ),
        "set_service_access" => note(
            &mut refusals,
            w.weak.set_service_access(&w.service.id, true, &[]),
        ),
        "delete_service" => note(&mut refusals, w.weak.delete_service(&w.service.id)),
        "authorize" => note(
            &mut refusals,
            w.weak.authorize(&w.found.principal, w.service.id.as_str()),
        ),
        "issue_access_token" => note(
            &mut refusals,
            w.weak
                .issue_access_token(&w.found.principal, w.service.id.as_str(), None),
        ),
        "verify_access_token" => note(
            &mut refusals,
            w.weak.verify_access_token("a.b.c", w.service.id.as_str()),
        ),
        "get_jwks" => note(&mut refusals, w.weak.get_jwks()),
        "rotate_signing_key" => note(&mut refusals, w.weak.rotate_signing_key(None)),
        "get_settings" => note(&mut refusals, w.weak.get_settings()),
        "get_public_settings" => note(&mut refusals, w.weak.get_public_settings()),
        "update_settings" => {
            let long = SettingsChanges {
                step_up_seconds: Some(86_400),
                ..Default::default()
            };
            note(&mut refusals, w.weak.update_settings(long));
            let long = SettingsChanges {
                session_lifetime_seconds: Some(31_000_000),
                ..Default::default()
            };
            note(&mut refusals, w.weak.update_settings(long));
        }
        "set_default_groups" => note(&mut refusals, w.weak.set_default_groups(&[w.group.id])),
        "set_signup_email_domains" => note(&mut refusals, w.weak.set_signup_email_domains(&[])),
        "create_signup_token" => {
            note(
                &mut refusals,
                w.weak.create_signup_token(NewSignupToken {
                    group_ids: vec![w.group.id],
                    ..Default::default()
                }),
            );
            note(
                &mut refusals,
                w.weak.create_signup_token(NewSignupToken::default()),
            );
        }
        "get_signup_token" => note(
            &mut refusals,
            w.weak.get_signup_token(&w.token.signup_token.id),
        ),
        "list_signup_tokens" => note(&mut refusals, w.weak.list_signup_tokens(Default::default())),
        "update_signup_token" => {
            let more = SignupTokenChanges {
                expiry: Some(Expiry::Never),
                uses: Some(Limit::Unlimited),
                ..Default::default()
            };
            note(
                &mut refusals,
                w.weak.update_signup_token(&w.token.signup_token.id, more),
            );
        }
        "set_signup_token_grants" => {
            note(
                &mut refusals,
                w.weak.set_signup_token_grants(
                    &w.token.signup_token.id,
                    &[w.group.id],
                    vec![claim()],
                ),
            );
        }
        "revoke_signup_token" => note(
            &mut refusals,
            w.weak.revoke_signup_token(&w.token.signup_token.id),
        ),
        "inspect_signup_token" => drop(w.weak.inspect_signup_token(w.token.secret.as_str())),
        "sign_up" => drop(w.weak.sign_up(NewSignup {
            token: Some(w.token.secret.reveal()),
            username: "eve".to_owned(),
            ..Default::default()
        })),
        "list_signup_redemptions" => note(
            &mut refusals,
            w.weak.list_signup_redemptions(Default::default()),
        ),
        "create_one_time_token" => {
            for seconds in [60, 1_000_000] {
                each(w, &mut refusals, |user| {
                    let made = w.weak.create_one_time_token(&user.id, Some(seconds))?;
                    let session = w.f.stranger().redeem_one_time_token(made.secret.as_str())?;
                    try_to_register(w, &session);
                    Ok(())
                });
            }
        }
        "create_recovery_token" => each(w, &mut refusals, |user| {
            let made = w.weak.create_recovery_token(&user.id, None)?;
            let session = w.f.stranger().redeem_one_time_token(made.secret.as_str())?;
            try_to_register(w, &session);
            Ok(())
        }),
        "begin_passkey_signup" => drop(w.weak.begin_passkey_signup(NewSignup {
            token: Some(w.token.secret.reveal()),
            username: "eve".to_owned(),
            ..Default::default()
        })),
        "finish_passkey_signup" => {
            note(
                &mut refusals,
                w.weak.finish_passkey_signup("signup.x", "{}"),
            );
        }
        "begin_passkey_registration" | "finish_passkey_registration" => {
            note(&mut refusals, w.weak.begin_passkey_registration());
            note(
                &mut refusals,
                w.weak
                    .finish_passkey_registration("registration.x", "{}", None),
            );
        }
        "begin_passkey_login" => note(&mut refusals, w.weak.begin_passkey_login()),
        "finish_passkey_login" => {
            note(&mut refusals, w.weak.finish_passkey_login("login.x", "{}"));
        }
        "begin_step_up" | "finish_step_up" => {
            note(&mut refusals, w.weak.begin_step_up());
            note(&mut refusals, w.weak.finish_step_up("stepup.x", "{}"));
        }
        "list_passkeys" => note(&mut refusals, w.weak.list_passkeys(Some(w.carol.id))),
        "rename_passkey" => {
            for passkey in &w.passkeys {
                note(&mut refusals, w.weak.rename_passkey(&passkey.id, "mine"));
            }
        }
        "delete_passkey" => {
            for passkey in &w.passkeys {
                note(&mut refusals, w.weak.delete_passkey(&passkey.id));
            }
        }
        "get_passkey_signals" => note(&mut refusals, w.weak.get_passkey_signals(None)),
        "list_one_time_tokens" => {
            note(&mut refusals, w.weak.list_one_time_tokens(Some(w.carol.id)))
        }
        "revoke_one_time_token" => note(
            &mut refusals,
            w.weak
                .revoke_one_time_token(&w.carols_token.one_time_token.id),
        ),
        "redeem_one_time_token" => note(&mut refusals, w.weak.redeem_one_time_token("0000-0000")),
        other => panic!("`{other}` has no entry in the walk by weak keys"),
    }
    refusals
}

/// A passkey is for ever: no session that a weak key has made may register one. One with `*` gives an ordinary user
/// all that he has anyway.
fn try_to_register(w: &World, session: &SignedIn) {
    if w.weak_key.api_key.scopes != ["*"] {
        let acting = w.f.acting(session.secret.as_str());
        drop(Person::new().register(&acting));
    }
}

fn note<T>(refusals: &mut Vec<ErrorCode>, result: Result<T>) {
    refusals.extend(result.err().map(|error| error.code()));
}

fn each<T>(w: &World, refusals: &mut Vec<ErrorCode>, f: impl Fn(&User) -> Result<T>) {
    w.everybody()
        .into_iter()
        .for_each(|user| note(refusals, f(user)));
}

/// A credential: owner, scopes, administrator, expires_at, the secret's hash.
type Held = (String, String, bool, Option<i64>, Vec<u8>);

/// All that gives strength, as it is stored.
#[derive(Debug, Default)]
struct Strength {
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

fn strength(w: &World) -> Strength {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test looks beside the library"
    )]
    let connection = Connection::open(w.f.path()).unwrap();
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
        "SELECT id || user_id FROM passkeys UNION ALL SELECT rp_id FROM relying_party ORDER BY 1",
    );
    found.signup_tokens = list(
        "SELECT id || ifnull(expires_at, '-') || ifnull(max_uses, '-') || enabled FROM signup_tokens
         WHERE revoked_at IS NULL ORDER BY 1",
    );
    found.setup = connection
        .query_row(
            "SELECT stage || generation || ifnull(hex(token_hash), '') FROM setup",
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

fn assert_no_stronger(w: &World, scope: &str, before: &Strength, after: &Strength, told: &str) {
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
        "{told}: made a passkey"
    );
    assert_eq!(before.limits, after.limits, "{told}: longer sessions");
}

fn claim() -> Claim {
    Claim {
        key: "quota".to_owned(),
        value: "all".to_owned(),
    }
}

/// Every method of the facade with its authority, as `core/api.txt` lists them.
fn methods() -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("../api.txt").lines();
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
