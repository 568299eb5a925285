//! An app password is nothing but that (W3): no method takes it for anything else, and nothing tells it (C2).

use std::{collections::BTreeSet, fs};

use keyplate::{Config, ErrorCode, Keyplate, NewAppPassword, Result};

use super::{for_service, named, open_service, verify};
use crate::common::{signups::set_mode, *};

/// Every method that takes a secret, as the list of the facade has them.
fn that_take_a_secret() -> BTreeSet<&'static str> {
    let names = ["credential", "secret", "token", "device_code", "user_code"];
    let lines = include_str!("../../../api.txt").lines();
    let methods = lines.filter_map(|line| line.strip_prefix("method "));
    let takes = |line: &str| {
        let (_, rest) = line.split_once('(').unwrap();
        let params = rest.split_once(')').unwrap().0;
        params.split(", ").any(|param| {
            let name = param.split_once(':').unwrap_or(("", "")).0;
            names.contains(&name)
        })
    };
    methods
        .filter(|line| takes(line))
        .map(|line| line.split_once('(').unwrap().0)
        .collect()
}

fn hand_in(method: &str, host: &Keyplate, acting: &Keyplate, secret: &str) -> Option<Result<()>> {
    let stranger = host.anonymous(client()).unwrap();
    Some(match method {
        "authenticate" => host.authenticate(secret).map(drop),
        "authenticate_pending" => host.authenticate_pending(secret).map(drop),
        "verify_session" => host.verify_session(secret).map(drop),
        "verify_api_key" => host.verify_api_key(secret).map(drop),
        "verify_access_token" => host.verify_access_token(secret, "films").map(drop),
        "redeem_one_time_token" => stranger.redeem_one_time_token(secret).map(drop),
        "inspect_signup_token" => stranger.inspect_signup_token(secret).map(drop),
        "claim_setup" => stranger
            .claim_setup(Some(secret.to_owned()), admin("eve"))
            .map(drop),
        "resume_setup" => stranger.resume_setup(Some(secret.to_owned())).map(drop),
        "poll_device_login" => stranger.poll_device_login(secret).map(drop),
        "inspect_device_login" => acting.inspect_device_login(secret).map(drop),
        "approve_device_login" => acting.approve_device_login(secret),
        "deny_device_login" => acting.deny_device_login(secret),
        "verify_subsonic_token" => host
            .verify_subsonic_token("bob", secret, "", None, client())
            .map(drop),
        "create_signup_token" | "update_signup_token" | "set_signup_token_grants" => return None,
        "verify_app_password" => return None,
        other => panic!("`{other}` takes a secret and has no entry here"),
    })
}

#[test]
fn no_method_takes_it_for_anything_else() {
    let f = Fixture::new();
    set_mode(&f, keyplate::SignupMode::WithToken);
    let bob = f.user("bob");
    open_service(&f, "films");
    let acting = f.acting(f.session(&bob).secret.as_str());
    let made = acting
        .create_app_password(NewAppPassword {
            scopes: vec!["*".to_owned()],
            ..named("a client")
        })
        .unwrap();
    let secret = made.secret.reveal();
    let spellings = [
        secret.clone(),
        secret.replace('-', ""),
        secret.to_uppercase(),
    ];
    let mut tried = 0;
    for method in that_take_a_secret() {
        for spelling in &spellings {
            let Some(result) = hand_in(method, &f.keyplate, &acting, spelling) else {
                continue;
            };
            let expected = [
                ErrorCode::InvalidCredential,
                ErrorCode::SetupAlreadyComplete,
                ErrorCode::RateLimited,
                ErrorCode::NotFound,
            ];
            let code = code(result);
            assert!(expected.contains(&code), "{method} took it: {code:?}");
            tried += 1;
        }
    }
    assert!(tried >= 30, "{tried}");
    assert!(verify(&f.keyplate, "bob", &secret, None).is_ok());
}

/// C2, W4: neither in the file, nor in the log, nor in what is printed; sealed, and only then, it can be read again.
#[test]
fn it_is_told_by_nothing() {
    let folder = folder();
    let path = folder.path().join("id.db");
    let with_key = |key: &str| Config {
        encryption_key: Some(secret(key)),
        ..config(&path)
    };
    let right = "an encryption key of the test's, 0123456789";
    let keyplate = Keyplate::open(with_key(right)).unwrap();
    let bob = keyplate.create_user(new_user("bob")).unwrap();
    let films = keyplate::NewService {
        slug: "films".to_owned(),
        access: Some(keyplate::ServiceAccess::Everyone),
        ..Default::default()
    };
    keyplate.create_service(films).unwrap();
    let session = keyplate.create_session(&bob.id, client(), None).unwrap();
    let found = keyplate.authenticate(session.secret.as_str()).unwrap();
    let acting = keyplate.acting_as(&found.principal, client()).unwrap();
    let mut secrets = Vec::new();
    let mut printed = String::new();
    for recoverable in [false, true] {
        let new = NewAppPassword {
            recoverable,
            ..for_service("films")
        };
        let made = acting.create_app_password(new).unwrap();
        let text = made.secret.reveal();
        assert!(verify(&keyplate, "bob", &text, Some("films")).is_ok());
        // Whoever types it into the wrong field is not told of either.
        verify(&keyplate, &text, &text, Some("films")).unwrap_err();
        printed += &format!("{made:?}");
        secrets.push(text);
    }
    let events = keyplate.list_audit_events(Default::default()).unwrap();
    printed += &format!("{events:?}");
    printed += &format!("{:?}", keyplate.list_app_passwords(Default::default()));
    drop((keyplate, acting));
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        bytes.extend(fs::read(entry.unwrap().path()).unwrap());
    }
    let file = String::from_utf8_lossy(&bytes).to_lowercase();
    let printed = printed.to_lowercase();
    for secret in &secrets {
        for spelling in [secret.clone(), secret.replace('-', "")] {
            assert!(!file.contains(&spelling) && !printed.contains(&spelling));
        }
    }
    assert!(printed.contains("recoverable"), "it is marked");
    // Under another key none of them is right, nor can be read; the file opens all the same.
    for key in [Some("another encryption key, 0123456789abcdef"), None] {
        let config = match key {
            Some(key) => with_key(key),
            None => config(&path),
        };
        let other = Keyplate::open(config).unwrap();
        for secret in &secrets {
            let refused = verify(&other, "bob", secret, Some("films"));
            assert_eq!(code(refused), ErrorCode::InvalidCredential);
            let token = super::subsonic::md5sum(&format!("{secret}salt"));
            let refused = other.verify_subsonic_token("bob", &token, "salt", None, client());
            assert_eq!(code(refused), ErrorCode::InvalidCredential);
        }
    }
}
