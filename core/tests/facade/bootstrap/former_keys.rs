//! What has ended of a plan's keys does not come back by the plan.

use keyplate::{KeyRotation, NewApiKey};

use super::keys::{FIRST, SECOND, apply, keys, nothing, plan, reason, with_secret, works};
use crate::common::*;

#[test]
fn a_secret_that_was_rotated_away_does_not_come_back() {
    let f = Fixture::new();
    apply(&f, &with_secret(FIRST));
    let rotation = KeyRotation {
        overlap_seconds: Some(0),
        expiry: None,
    };
    let rotated = f
        .keyplate
        .rotate_api_key(&keys(&f)[0].id, rotation)
        .unwrap();
    nothing(&f, &with_secret(FIRST));
    assert!(!works(&f.keyplate, FIRST) && works(&f.keyplate, rotated.secret.as_str()));
    // Nor under another name.
    let other = with_secret(FIRST).replace("\"op\"", "\"other\"");
    assert_eq!(reason(&f, &other).0, "api_keys[0].secret");
}

#[test]
fn a_revoked_key_does_not_come_back() {
    let f = Fixture::new();
    apply(&f, &with_secret(FIRST));
    let id = keys(&f)[0].id;
    f.keyplate.revoke_api_key(&id).unwrap();
    nothing(&f, &with_secret(FIRST));
    // Nothing of it is changed either.
    nothing(&f, &with_secret(FIRST).replace("[\"*\"]", "[\"a:b\"]"));
    // Purging forgets it not, a hundred days later.
    f.clock.advance(100 * 24 * 3_600);
    assert_eq!(f.keyplate.purge_expired().unwrap().api_keys, 0);
    nothing(&f, &with_secret(FIRST));
    // Another secret is another key.
    assert_eq!(apply(&f, &with_secret(SECOND)), ["+ anna/op"]);
    let found = keys(&f);
    assert_eq!((found.len(), found[0].id), (2, id));
    assert!(found[0].revoked_at.is_some() && works(&f.keyplate, SECOND));
    nothing(&f, &with_secret(SECOND));
    assert_eq!(reason(&f, &with_secret(FIRST)).0, "api_keys[0].secret");
    assert!(!works(&f.keyplate, FIRST) && works(&f.keyplate, SECOND));
}

#[test]
fn a_revoked_key_does_not_come_back_beside_one_that_was_made_by_hand() {
    let f = Fixture::new();
    apply(&f, &with_secret(FIRST));
    f.keyplate.revoke_api_key(&keys(&f)[0].id).unwrap();
    let anna = f.keyplate.find_user_by_username("anna").unwrap().unwrap();
    let by_hand = NewApiKey {
        name: "op".into(),
        ..new_key(Some(&anna), &["a:b"])
    };
    let by_hand = f.keyplate.create_api_key(by_hand).unwrap();
    nothing(&f, &with_secret(FIRST));
    assert!(works(&f.keyplate, by_hand.secret.as_str()));
}

#[test]
fn an_end_that_has_passed_is_no_change() {
    let f = Fixture::new();
    let ends = plan(&format!(
        r#""secret": "{FIRST}", "expires_at": "2026-11-02T00:00:00Z""#
    ));
    let lives = plan(&format!(r#""secret": "{FIRST}", "lifetime_seconds": 100"#));
    apply(&f, &ends);
    assert_eq!(keys(&f)[0].expires_at, Some(f.in_seconds(24 * 3_600)));
    f.clock.advance(50 * 24 * 3_600);
    nothing(&f, &ends);
    nothing(&f, &lives);
    assert!(!works(&f.keyplate, FIRST));
    assert_eq!(f.keyplate.purge_expired().unwrap().api_keys, 0);
    // Unless the plan says another one.
    let later = ends.replace("2026-11-02", "2027-11-02");
    assert_eq!(apply(&f, &later), ["~ anna/op"]);
    assert!(works(&f.keyplate, FIRST));
    let never = ends.replace("2026-11-02T00:00:00Z", "never");
    assert_eq!(apply(&f, &never), ["~ anna/op"]);
    assert_eq!(keys(&f)[0].expires_at, None);
}

#[test]
fn purging_still_removes_what_no_plan_gave() {
    let f = Fixture::new();
    apply(&f, &with_secret(FIRST));
    let anna = f.keyplate.find_user_by_username("anna").unwrap().unwrap();
    let key = f.key(&anna, &["a:b"]);
    f.keyplate.revoke_api_key(&key.api_key.id).unwrap();
    f.keyplate.revoke_api_key(&keys(&f)[0].id).unwrap();
    f.clock.advance(31 * 24 * 3_600);
    assert_eq!(f.keyplate.purge_expired().unwrap().api_keys, 1);
    assert_eq!(names(&keys(&f)), ["op"]);
}

/// What a plan gave once and took back, or somebody revoked, is known for ever.
#[test]
fn no_plan_brings_a_former_secret_back() {
    let f = Fixture::new();
    apply(&f, &with_secret(FIRST));
    apply(&f, &with_secret(SECOND));
    let former = |name: &str| {
        let plan = with_secret(FIRST).replace("\"op\"", &format!("\"{name}\""));
        assert_eq!(reason(&f, &plan).0, "api_keys[0].secret");
        assert!(!works(&f.keyplate, FIRST));
    };
    former("op");
    former("other");
    f.keyplate.revoke_api_key(&keys(&f)[0].id).unwrap();
    former("op");
    // Nor with a new owner of the same name.
    let anna = f.keyplate.find_user_by_username("anna").unwrap().unwrap();
    f.administrator("root");
    f.keyplate.delete_user(&anna.id).unwrap();
    former("op");
    assert_eq!(reason(&f, &with_secret(SECOND)).0, "api_keys[0].secret");
    assert!(!works(&f.keyplate, SECOND));
}
