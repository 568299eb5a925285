//! Which name and app password belong together, and for what (W2).

use std::time::Duration;

use keyplate::{
    ClientInfo, DenialReason, ErrorCode, Expiry, KeyplateError, NewUser, UserChanges, UserStatus,
};

use super::{at, for_service, make, named, open_service, verify};
use crate::common::{signups::set_mode, *};

/// What an account can be.
const ACCOUNTS: [&str; 5] = ["active", "pending", "disabled", "lapsed", "deleted"];
/// And an app password.
const PASSWORDS: [&str; 5] = ["good", "expired", "revoked", "of another's", "misspelt"];
/// What it is for.
const FOR: [Option<&str>; 2] = [Some("films"), None];
/// What the host says that it is.
const HOSTS: [Option<&str>; 3] = [Some("films"), Some("music"), None];
const NAMES: [(&str, bool); 6] = [
    ("Bob", true),
    ("bOB ", true),
    ("bob@x.example", true),
    ("BOB@X.EXAMPLE", true),
    ("eve", false),
    ("nobody", false),
];

/// Account × password × what it is for × the host's service × name.
#[test]
fn the_whole_matrix() {
    let mut cases = 0;
    for account in ACCOUNTS {
        for password in PASSWORDS {
            for purpose in FOR {
                let f = Fixture::new();
                let (bob, secret) = world(&f, purpose, password);
                spoil(&f, &bob, account);
                for host in HOSTS {
                    for (at_address, (name, is_his)) in NAMES.iter().enumerate() {
                        let found = f.keyplate.verify_app_password(
                            name,
                            &secret,
                            host.map(str::to_owned),
                            at(&format!("198.51.100.{at_address}")),
                        );
                        let fits = match (purpose, host) {
                            (None, _) => true,
                            (Some(own), Some(host)) => own == host,
                            (Some(_), None) => false,
                        };
                        let right = *is_his && password == "good";
                        let expected = match account {
                            _ if !right => Err(ErrorCode::InvalidCredential),
                            "deleted" => Err(ErrorCode::InvalidCredential),
                            "pending" => Err(ErrorCode::AccountPending),
                            "disabled" => Err(ErrorCode::AccountDisabled),
                            "lapsed" => Err(ErrorCode::AccountExpired),
                            _ if !fits => Err(ErrorCode::InvalidCredential),
                            _ => Ok(bob.id),
                        };
                        let told = format!("{account} {password} {purpose:?} {host:?} {name}");
                        let found = found
                            .map(|found| found.user_id)
                            .map_err(|error| error.code());
                        assert_eq!(found, expected, "{told}");
                        cases += 1;
                    }
                }
            }
        }
    }
    assert_eq!(cases, 900);
}

fn world(f: &Fixture, purpose: Option<&str>, password: &str) -> (keyplate::User, String) {
    for slug in ["films", "music"] {
        open_service(f, slug);
    }
    let bob = NewUser {
        email: Some("Bob@x.example".to_owned()),
        ..new_user("Bob")
    };
    let bob = f.keyplate.create_user(bob).unwrap();
    let eve = f.user("eve");
    f.administrator("ann");
    let mut new = purpose.map_or_else(|| named("a client"), for_service);
    new.expires_at = Some(f.in_seconds(600));
    let owner = match password {
        "of another's" => f.user("zoe"),
        _ => bob.clone(),
    };
    let _ = eve;
    let made = make(f, &owner, new);
    let mut secret = made.secret.reveal();
    match password {
        "expired" => f.clock.advance(600),
        "revoked" => f
            .keyplate
            .revoke_app_password(&made.app_password.id)
            .unwrap(),
        "misspelt" => {
            let last = secret.pop().unwrap();
            secret.push(if last == '0' { '1' } else { '0' });
        }
        _ => {}
    }
    (bob, secret)
}

fn spoil(f: &Fixture, bob: &keyplate::User, account: &str) {
    match account {
        "disabled" => drop(f.keyplate.disable_user(&bob.id).unwrap()),
        "deleted" => f.keyplate.delete_user(&bob.id).unwrap(),
        "lapsed" => {
            let changes = UserChanges {
                expiry: Some(Expiry::At {
                    time: f.now() + Duration::from_millis(1),
                }),
                ..UserChanges::default()
            };
            f.keyplate.update_user(&bob.id, changes).unwrap();
            f.clock.advance_millis(1);
        }
        "pending" => {
            // Nobody waits for approval who was let in before; the file says so.
            let sql = "UPDATE users SET status = 'pending' WHERE id = ?1";
            raw(&f.path()).execute(sql, [bob.id.as_str()]).unwrap();
            let found = f.keyplate.get_user(&bob.id).unwrap();
            assert_eq!(found.status, UserStatus::Pending);
        }
        _ => {}
    }
}

/// W2: a name that somebody only typed finds nobody.
#[test]
fn an_address_that_its_owner_only_typed_is_no_name() {
    let f = Fixture::new();
    set_mode(&f, keyplate::SignupMode::Open);
    let bob = f.user("bob");
    let made = make(&f, &bob, named("a client"));
    let typed = UserChanges {
        email: Some("typed@x.example".to_owned()),
        ..UserChanges::default()
    };
    f.acting(f.session(&bob).secret.as_str())
        .update_user(&bob.id, typed)
        .unwrap();
    let by = |name| verify(&f.keyplate, name, made.secret.as_str(), None);
    assert_eq!(code(by("typed@x.example")), ErrorCode::InvalidCredential);
    assert!(by("bob").is_ok());
}

/// W2: only if `authorize` would let them in, at this moment.
#[test]
fn the_service_must_be_open_to_its_owner() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let films = open_service(&f, "films");
    let all = make(&f, &bob, named("a client"));
    let narrow = make(
        &f,
        &bob,
        keyplate::NewAppPassword {
            scopes: vec!["music:listen".to_owned()],
            ..named("a client")
        },
    );
    let ask = |secret: &str, service: &str| {
        verify(&f.keyplate, "bob", secret, Some(service)).map(|found| found.service_id)
    };
    let denied = |reason| Err(KeyplateError::PermissionDenied { reason });
    let secret = all.secret.as_str();
    assert_eq!(ask(secret, "films"), Ok(None));
    assert_eq!(ask(secret, films.id.as_str()), Ok(None));
    assert_eq!(
        ask(narrow.secret.as_str(), "films"),
        denied(DenialReason::ServiceScope)
    );
    assert_eq!(code(ask(secret, "nowhere")), ErrorCode::NotFound);
    f.keyplate
        .set_service_access(&films.id, false, &[])
        .unwrap();
    assert_eq!(ask(secret, "films"), denied(DenialReason::ServiceClosed));
    let friends = keyplate::NewGroup {
        name: "friends".to_owned(),
        friendly_name: None,
    };
    let friends = f.keyplate.create_group(friends).unwrap();
    f.keyplate
        .set_service_access(&films.id, false, &[friends.id])
        .unwrap();
    assert_eq!(ask(secret, "films"), denied(DenialReason::ServiceNotOpen));
    f.keyplate.set_user_groups(&bob.id, &[friends.id]).unwrap();
    assert_eq!(ask(secret, "films"), Ok(None));
}

/// T1: also in another process, and the last use is listed.
#[test]
fn typed_kindly_and_seen_in_every_process() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let made = make(&f, &bob, named("a client"));
    let other = f.open_again();
    let secret = made.secret.reveal();
    let typed = secret.to_uppercase().replace('-', " ").replace('0', "o");
    f.clock.advance(5);
    for spelling in [&secret, &typed, &secret.replace('-', "")] {
        assert!(verify(&other, "bob", spelling, None).is_ok(), "{spelling}");
    }
    drop(other);
    let listed = f.keyplate.list_app_passwords(Default::default()).unwrap();
    assert_eq!(listed.items[0].last_used_at, Some(f.now()));
    f.keyplate
        .revoke_app_password(&made.app_password.id)
        .unwrap();
    let again = f.open_again();
    assert_eq!(
        code(verify(&again, "bob", &secret, None)),
        ErrorCode::InvalidCredential
    );
}

/// K2: who may ask at all, and that no ordinary user's key is among them.
#[test]
fn only_the_host_and_administrators_keys_may_ask() {
    let f = Fixture::new();
    let (ann, bob) = (f.administrator("ann"), f.user("bob"));
    let made = make(&f, &bob, named("a client"));
    let ask = |keyplate: &keyplate::Keyplate| {
        let found =
            keyplate.verify_app_password("bob", made.secret.as_str(), None, ClientInfo::default());
        found.map(drop)
    };
    let scope = "app_passwords:verify";
    let reason = DenialReason::AdministratorsOnly;
    let refused = Err(KeyplateError::PermissionDenied { reason });
    let of_bob = f.keyplate.create_api_key(new_key(Some(&bob), &[scope]));
    assert_eq!(of_bob.map(drop), refused);
    let his_own = f.acting(f.session(&bob).secret.as_str());
    let his_own = his_own.create_api_key(new_key(None, &["films:watch", scope]));
    assert_eq!(his_own.map(drop), refused);
    let plan = r#"{"api_keys": [{"owner": "bob", "name": "n", "scopes": ["app_passwords:verify"], "generate": true}]}"#;
    assert!(f.keyplate.bootstrap(plan).is_err());
    let bobs_whole = f.key(&bob, &["*"]);
    assert_eq!(ask(&f.acting(bobs_whole.secret.as_str())), refused);
    let key = f.key(&ann, &[scope]);
    assert_eq!(ask(&f.acting(key.secret.as_str())), Ok(()));
    for other in ["app_passwords:write", "app_passwords:read", "users:write"] {
        let key = f.key(&ann, &[other]);
        assert_eq!(
            code(ask(&f.acting(key.secret.as_str()))),
            ErrorCode::PermissionDenied,
            "{other}"
        );
    }
    assert_eq!(code(ask(&f.stranger())), ErrorCode::PermissionDenied);
    f.administrator("cleo");
    f.keyplate
        .set_user_role(&ann.id, keyplate::Role::User)
        .unwrap();
    assert_eq!(ask(&f.acting(key.secret.as_str())), refused);
    assert_eq!(ask(&f.keyplate), Ok(()));
}
