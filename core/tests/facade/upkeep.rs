//! Upkeep: what statistics count.

use std::fs;

use keyplate::ErrorCode;

use crate::common::{passkeys::Person, *};

#[test]
fn statistics_count_what_works() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let (bob, cid) = (f.user("bob"), f.user("cid"));
    f.user("dan");
    f.keyplate.disable_user(&cid.id).unwrap();
    let lapses = keyplate::UserChanges {
        expiry: Some(keyplate::Expiry::At {
            time: f.in_seconds(60),
        }),
        ..Default::default()
    };
    f.keyplate.update_user(&bob.id, lapses).unwrap();
    let revoked = f.key(&ann, &["a:b"]);
    f.keyplate.revoke_api_key(&revoked.api_key.id).unwrap();
    let reading = f.key(&ann, &["settings:read"]);
    let (ended, _working) = (f.session(&ann), f.session(&ann));
    f.keyplate.revoke_session(&ended.session.id).unwrap();
    let mut person = Person::new();
    person
        .register(&f.acting(f.session(&ann).secret.as_str()))
        .unwrap();
    f.keyplate.create_one_time_token(&ann.id, None).unwrap();
    f.clock.advance(60);
    let found = f.keyplate.get_statistics().unwrap();
    assert_eq!(
        (
            found.active_users,
            found.pending_users,
            found.disabled_users,
            found.lapsed_users,
            found.administrators
        ),
        (2, 0, 1, 1, 1)
    );
    assert_eq!(
        (found.sessions, found.api_keys, found.passkeys),
        (2, 1, 1),
        "{found:?}"
    );
    assert_eq!((found.one_time_tokens, found.signup_tokens), (1, 0));
    assert_eq!((found.groups, found.services), (0, 0));
    let on_disk = fs::metadata(f.path()).unwrap().len() as i64;
    assert!(found.bytes >= on_disk && found.audit_events > 10);
    assert_eq!(found.schema, 9);
    let by_key = f.acting(reading.secret.as_str()).get_statistics().unwrap();
    assert_eq!(by_key.active_users, 2);
    let weak = f.key(&ann, &["users:write"]);
    let refused = f.acting(weak.secret.as_str()).get_statistics();
    assert_eq!(code(refused), ErrorCode::PermissionDenied);
}
