//! Rotation, renewal, revocation, and when a key was last used.

use keyplate::{ErrorCode, EventKind, Expiry, KeyRotation};

use crate::common::*;

#[test]
fn rotation_overlaps_renewal_extends_revocation_ends_all() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let first = f.key(&ann, &["a:b"]);
    let id = first.api_key.id;
    let rotation = KeyRotation {
        overlap_seconds: Some(60),
        expiry: None,
    };
    let second = f.keyplate.rotate_api_key(&id, rotation).unwrap();
    assert_eq!(second.api_key.id, id);
    let works = |secret: &str| f.keyplate.verify_api_key(secret).is_ok();
    assert!(works(first.secret.as_str()) && works(second.secret.as_str()));
    f.clock.advance(60);
    assert!(!works(first.secret.as_str()) && works(second.secret.as_str()));

    let at_once = KeyRotation {
        overlap_seconds: Some(0),
        expiry: Some(Expiry::At {
            time: f.in_seconds(100),
        }),
    };
    let third = f.keyplate.rotate_api_key(&id, at_once).unwrap();
    assert!(!works(second.secret.as_str()) && works(third.secret.as_str()));
    f.clock.advance(100);
    assert!(!works(third.secret.as_str()), "the new end");
    assert_eq!(
        code(f.keyplate.rotate_api_key(&id, KeyRotation::default())),
        ErrorCode::NotFound,
        "an expired key wants a new end"
    );
    let renewed = f
        .keyplate
        .renew_api_key(
            &id,
            Expiry::At {
                time: f.in_seconds(50),
            },
        )
        .unwrap();
    assert_eq!(renewed.expires_at, Some(f.in_seconds(50)));
    assert!(works(third.secret.as_str()), "renewed at any time");
    let fourth = f
        .keyplate
        .rotate_api_key(&id, KeyRotation::default())
        .unwrap();
    assert!(works(third.secret.as_str()));
    f.keyplate.revoke_api_key(&id).unwrap();
    f.keyplate.revoke_api_key(&id).expect("again does nothing");
    let kinds = f.heard.kinds();
    let revoked = |kind: &&EventKind| **kind == EventKind::ApiKeyRevoked;
    assert_eq!(kinds.iter().filter(revoked).count(), 1);
    assert!(!works(third.secret.as_str()) && !works(fourth.secret.as_str()));
    assert_eq!(
        code(f.keyplate.rotate_api_key(&id, KeyRotation::default())),
        ErrorCode::NotFound
    );
    assert_eq!(
        code(f.keyplate.renew_api_key(&id, Expiry::Never)),
        ErrorCode::NotFound
    );
    assert!(
        f.keyplate.get_api_key(&id).unwrap().revoked_at.is_some(),
        "kept for the audit"
    );
    let too_long = KeyRotation {
        overlap_seconds: Some(u32::MAX),
        expiry: None,
    };
    assert_eq!(
        refusal(f.keyplate.rotate_api_key(&id, too_long))
            .1
            .as_deref(),
        Some("overlap_seconds")
    );
}

#[test]
fn last_use_is_collected_and_written_with_the_next_write_and_at_close() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let key = f.key(&ann, &["a:b"]);
    f.clock.advance(10);
    let used = f.now();
    f.keyplate.verify_api_key(key.secret.as_str()).unwrap();
    f.user("bob");
    assert_eq!(
        f.keyplate
            .get_api_key(&key.api_key.id)
            .unwrap()
            .last_used_at,
        Some(used)
    );
    // By the secret from before a rotation too.
    f.keyplate
        .rotate_api_key(&key.api_key.id, KeyRotation::default())
        .unwrap();
    let other = f.open_again();
    f.clock.advance(10);
    other.verify_api_key(key.secret.as_str()).unwrap();
    drop(other);
    assert_eq!(
        f.keyplate
            .get_api_key(&key.api_key.id)
            .unwrap()
            .last_used_at,
        Some(f.now())
    );
}

/// T1: a call that verifies writes by itself, once a minute at most.
#[test]
fn last_use_is_written_within_a_minute_when_nothing_else_is() {
    let f = Fixture::new();
    let key = f.key(&f.user("ann"), &["a:b"]);
    let used = || {
        f.open_again()
            .get_api_key(&key.api_key.id)
            .unwrap()
            .last_used_at
    };
    f.keyplate.verify_api_key(key.secret.as_str()).unwrap();
    f.clock.advance(59);
    f.keyplate.verify_api_key(key.secret.as_str()).unwrap();
    assert_eq!(used(), None);
    f.clock.advance(1);
    f.keyplate.verify_api_key(key.secret.as_str()).unwrap();
    assert_eq!(used(), Some(f.now()));
}

#[test]
fn a_rotation_without_overlap_ends_every_older_secret() {
    let f = Fixture::new();
    let first = f.key(&f.user("ann"), &["a:b"]);
    let id = first.api_key.id;
    let rotate = |seconds| {
        f.keyplate
            .rotate_api_key(
                &id,
                KeyRotation {
                    overlap_seconds: Some(seconds),
                    expiry: None,
                },
            )
            .unwrap()
    };
    let second = rotate(1_000);
    let third = rotate(500);
    let works = |secret: &keyplate::Secret| f.keyplate.verify_api_key(secret.as_str()).is_ok();
    assert!(works(&first.secret) && works(&second.secret) && works(&third.secret));
    f.clock.advance(500);
    assert!(
        !works(&first.secret) && !works(&second.secret),
        "no later than the one before"
    );
    rotate(0);
    assert!(!works(&third.secret));
}
