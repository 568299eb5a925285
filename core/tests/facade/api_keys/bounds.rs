//! K1: what a key makes by any detour ends with it, and no detour leads back to the key itself.

use keyplate::{CreatedApiKey, ErrorCode, Expiry, KeyRotation, NewApiKey, Role, SignedIn, User};

use crate::common::{passkeys::Person, *};

const YEAR: u64 = 365 * 24 * 3_600;

fn key_until(f: &Fixture, owner: &User, scopes: &[&str], seconds: u64) -> CreatedApiKey {
    let key = NewApiKey {
        expires_at: Some(f.in_seconds(seconds)),
        ..new_key(Some(owner), scopes)
    };
    f.keyplate.create_api_key(key).unwrap()
}

/// The session of a code that this credential makes.
fn session_by_code(f: &Fixture, credential: &str, user: &User) -> SignedIn {
    let made = f.acting(credential).create_one_time_token(&user.id, None);
    f.stranger()
        .redeem_one_time_token(made.unwrap().secret.as_str())
        .unwrap()
}

fn new_key_until(f: &Fixture, scopes: &[&str], seconds: u64) -> NewApiKey {
    NewApiKey {
        expires_at: Some(f.in_seconds(seconds)),
        ..new_key(None, scopes)
    }
}

const FULL: [&str; 2] = ["*", "roles:write"];

#[test]
fn a_short_key_outlives_itself_by_no_code() {
    for scopes in [&["*"][..], &FULL, &["one_time_tokens:write", "keys:write"]] {
        let f = Fixture::new();
        let ann = f.administrator("ann");
        let key = key_until(&f, &ann, scopes, 45);
        let session = session_by_code(&f, key.secret.as_str(), &ann);
        assert_eq!(session.session.expires_at, f.in_seconds(45));
        let acting = f.acting(session.secret.as_str());
        for key in [
            new_key(None, &["keys:write"]),
            new_key_until(&f, &["keys:write"], 46),
        ] {
            assert_eq!(
                code(acting.create_api_key(key)),
                ErrorCode::PermissionDenied
            );
        }
        let short = f
            .acting(key.secret.as_str())
            .create_api_key(new_key_until(&f, &["one_time_tokens:write"], 45))
            .unwrap();
        // And by a code of that key, and so on.
        let again = session_by_code(&f, short.secret.as_str(), &ann);
        assert_eq!(again.session.expires_at, f.in_seconds(45));
        f.clock.advance(45);
        for secret in [&session.secret, &short.secret, &again.secret] {
            assert_eq!(
                code(f.keyplate.authenticate(secret.as_str())),
                ErrorCode::InvalidCredential
            );
        }
    }
}

/// The session has its own end, which binds nobody else.
#[test]
fn only_the_keys_own_end_binds() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let key = key_until(&f, &ann, &["*"], 73 * YEAR);
    let session = session_by_code(&f, key.secret.as_str(), &ann);
    assert!(session.session.expires_at < f.in_seconds(31 * 24 * 3_600));
    let acting = f.acting(session.secret.as_str());
    let made = acting.create_api_key(new_key_until(&f, &["library:stream"], YEAR));
    assert_eq!(made.unwrap().api_key.expires_at, Some(f.in_seconds(YEAR)));
    let never = acting.create_api_key(new_key(None, &["library:stream"]));
    assert_eq!(code(never), ErrorCode::PermissionDenied);

    // Of a key without an end nothing is bound.
    let key = f.key(&ann, &["*"]);
    let session = session_by_code(&f, key.secret.as_str(), &ann);
    let acting = f.acting(session.secret.as_str());
    assert!(
        acting
            .create_api_key(new_key(None, &["library:stream"]))
            .is_ok()
    );
}

#[test]
fn no_detour_leads_a_key_back_to_itself() {
    for end in [Some(1_000), None] {
        let f = Fixture::new();
        let ann = f.administrator("ann");
        let key = match end {
            Some(seconds) => key_until(&f, &ann, &FULL, seconds),
            None => f.key(&ann, &FULL),
        };
        let own = f.acting(key.secret.as_str());
        let within = end.map_or(Expiry::Never, |seconds| Expiry::At {
            time: f.in_seconds(seconds),
        });
        let child = NewApiKey {
            expires_at: end.map(|seconds| f.in_seconds(seconds)),
            ..new_key(None, &FULL)
        };
        let child = own.create_api_key(child).unwrap();
        let session = session_by_code(&f, key.secret.as_str(), &ann);
        let of_child = session_by_code(&f, child.secret.as_str(), &ann);
        // One that it took over by a rotation.
        let other = match end {
            Some(seconds) => key_until(&f, &ann, &FULL, seconds),
            None => f.key(&ann, &FULL),
        };
        let taken = own
            .rotate_api_key(&other.api_key.id, KeyRotation::default())
            .unwrap();
        for secret in [&key, &child, &taken]
            .map(|key| key.secret.as_str())
            .into_iter()
            .chain([session.secret.as_str(), of_child.secret.as_str()])
        {
            let acting = f.acting(secret);
            assert_eq!(
                code(acting.rotate_api_key(&key.api_key.id, KeyRotation::default())),
                ErrorCode::PermissionDenied
            );
            assert_eq!(
                code(acting.renew_api_key(&key.api_key.id, within)),
                ErrorCode::PermissionDenied
            );
        }
        // The owner's own session may, and whoever's key this was may be rotated again.
        let (_, _, hers) = f.person(&ann);
        let hers = f.acting(hers.secret.as_str());
        hers.renew_api_key(&key.api_key.id, Expiry::Never).unwrap();
        hers.rotate_api_key(&other.api_key.id, KeyRotation::default())
            .unwrap();
    }
}

#[test]
fn a_bound_session_registers_no_passkey_for_the_owner_or_an_administrator() {
    for scopes in [&FULL[..], &["*"]] {
        let f = Fixture::new();
        let ann = f.administrator("ann");
        let carol = f.administrator("carol");
        let bob = f.user("bob");
        let key = key_until(&f, &ann, scopes, 1_000);
        let child = f
            .acting(key.secret.as_str())
            .create_api_key(new_key_until(&f, scopes, 1_000))
            .unwrap();
        for maker in [&key, &child] {
            let session = session_by_code(&f, maker.secret.as_str(), &ann);
            let acting = f.acting(session.secret.as_str());
            assert_eq!(
                code(Person::new().register(&acting)),
                ErrorCode::PermissionDenied
            );
            let made = f.acting(maker.secret.as_str());
            if made.create_one_time_token(&carol.id, None).is_ok() {
                let session = session_by_code(&f, maker.secret.as_str(), &carol);
                let acting = f.acting(session.secret.as_str());
                assert_eq!(
                    code(Person::new().register(&acting)),
                    ErrorCode::PermissionDenied
                );
            }
            for user in [&ann, &carol] {
                assert_eq!(
                    code(made.create_recovery_token(&user.id, None)),
                    ErrorCode::PermissionDenied
                );
            }
        }
        // Somebody else comes in by it for good, as an invitation is for; that session stays bound.
        let session = session_by_code(&f, key.secret.as_str(), &bob);
        let mut person = Person::new();
        let registered = person
            .register(&f.acting(session.secret.as_str()))
            .unwrap()
            .signed_in
            .unwrap();
        assert_eq!(registered.session.expires_at, f.in_seconds(1_000));
        let his = f.acting(registered.secret.as_str());
        assert_eq!(
            code(his.create_api_key(new_key(None, &["library:stream"]))),
            ErrorCode::PermissionDenied
        );
        let own = person.log_in(&f.stranger()).unwrap();
        assert!(own.session.expires_at > f.in_seconds(1_000));
        let his = f.acting(own.secret.as_str());
        assert!(
            his.create_api_key(new_key(None, &["library:stream"]))
                .is_ok()
        );
    }
}

/// The owner may have lost the role that made the code possible.
#[test]
fn a_former_administrators_key_gives_them_no_passkey() {
    let f = Fixture::new();
    f.administrator("root");
    let ann = f.administrator("ann");
    let key = key_until(&f, &ann, &FULL, 1_000);
    let session = session_by_code(&f, key.secret.as_str(), &ann);
    f.keyplate.set_user_role(&ann.id, Role::User).unwrap();
    let acting = f.acting(session.secret.as_str());
    assert_eq!(
        code(Person::new().register(&acting)),
        ErrorCode::PermissionDenied
    );
}

/// A step-up by a passkey gives a bound session a new token, and no new end.
#[test]
fn a_step_up_does_not_loosen_a_bound() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let (mut person, _, _) = f.person(&ann);
    let key = key_until(&f, &ann, &FULL, 1_000);
    let session = session_by_code(&f, key.secret.as_str(), &ann);
    let stepped_up = person.step_up(&f.acting(session.secret.as_str())).unwrap();
    let acting = f.acting(stepped_up.secret.as_str());
    assert_eq!(
        code(acting.create_api_key(new_key(None, &["*"]))),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(Person::new().register(&acting)),
        ErrorCode::PermissionDenied
    );
}

#[test]
fn an_overlap_lengthens_nothing_that_had_an_end() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let works = |secret: &keyplate::Secret| f.keyplate.verify_api_key(secret.as_str()).is_ok();
    let later = |seconds| Expiry::At {
        time: f.in_seconds(seconds),
    };
    let rotate = |id: &keyplate::ApiKeyId, expiry| {
        let rotation = KeyRotation {
            overlap_seconds: Some(86_400),
            expiry,
        };
        f.keyplate.rotate_api_key(id, rotation).unwrap()
    };
    // Rotated with a new end: the old secret keeps its own.
    let old = key_until(&f, &ann, &["a:b"], 100);
    let new = rotate(&old.api_key.id, Some(Expiry::Never));
    f.clock.advance(99);
    assert!(works(&old.secret) && works(&new.secret));
    f.clock.advance(1);
    assert!(!works(&old.secret) && works(&new.secret));

    // Rotated, renewed in time, or after its end.
    for ended in [false, true] {
        let old = key_until(&f, &ann, &["a:b"], 100);
        let new = rotate(&old.api_key.id, None);
        f.clock.advance(if ended { 150 } else { 50 });
        let longer = later(10_000);
        f.keyplate.renew_api_key(&old.api_key.id, longer).unwrap();
        assert!(works(&new.secret), "renewed at any time");
        assert_eq!(works(&old.secret), !ended);
        f.clock.advance(100);
        assert!(!works(&old.secret) && works(&new.secret));
    }

    // An end that came after the rotation.
    let old = f.key(&ann, &["a:b"]);
    let id = &old.api_key.id;
    let new = rotate(id, None);
    f.keyplate.renew_api_key(id, later(100)).unwrap();
    f.clock.advance(100);
    assert!(!works(&old.secret) && !works(&new.secret));
    f.keyplate.renew_api_key(id, Expiry::Never).unwrap();
    assert!(!works(&old.secret) && works(&new.secret));
}

#[test]
fn a_rotation_does_not_revive_the_secret_of_a_key_that_had_ended() {
    let f = Fixture::new();
    let old = key_until(&f, &f.user("ann"), &["a:b"], 100);
    f.clock.advance(100);
    let rotation = KeyRotation {
        overlap_seconds: None,
        expiry: Some(Expiry::Never),
    };
    let new = f
        .keyplate
        .rotate_api_key(&old.api_key.id, rotation)
        .unwrap();
    let works = |secret: &keyplate::Secret| f.keyplate.verify_api_key(secret.as_str()).is_ok();
    assert!(!works(&old.secret) && works(&new.secret));
}

/// K2: a key from before a promotion does not take over one from after it.
#[test]
fn an_older_key_rotates_no_administrators_key() {
    let f = Fixture::new();
    f.administrator("root");
    let bob = f.user("bob");
    let older = f.key(&bob, &["keys:write"]);
    f.keyplate
        .set_user_role(&bob.id, Role::Administrator)
        .unwrap();
    let newer = f.key(&bob, &["keys:write"]);
    let acting = f.acting(older.secret.as_str());
    assert_eq!(
        code(acting.rotate_api_key(&newer.api_key.id, KeyRotation::default())),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(acting.renew_api_key(&newer.api_key.id, Expiry::Never)),
        ErrorCode::PermissionDenied
    );
}
