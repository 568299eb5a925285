//! Lists of keys, and a key's name in the audit log.

use keyplate::{
    ApiKeyQuery, ApiKeySort, ErrorCode, EventKind, KeyRotation, NewApiKey, SessionQuery,
};

use crate::common::*;

#[test]
fn keys_are_listed_for_those_whom_they_concern() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let name = |name: &str, owner| NewApiKey {
        name: name.to_owned(),
        ..new_key(Some(owner), &["*"])
    };
    for (n, owner) in [("tv", &bob), ("Backup", &ann), ("phone", &bob)] {
        f.clock.advance(1);
        f.keyplate.create_api_key(name(n, owner)).unwrap();
    }
    let query = ApiKeyQuery::default;
    let all = f.keyplate.list_api_keys(query()).unwrap();
    assert_eq!(names(&all.items), ["phone", "Backup", "tv"]);
    let by_name = ApiKeyQuery {
        sort: Some(ApiKeySort::Name),
        ascending: true,
        ..query()
    };
    assert_eq!(
        names(&f.keyplate.list_api_keys(by_name).unwrap().items),
        ["Backup", "phone", "tv"]
    );
    let his = f.acting(f.session(&bob).secret.as_str());
    assert_eq!(
        names(&his.list_api_keys(query()).unwrap().items),
        ["phone", "tv"]
    );
    let hers = ApiKeyQuery {
        owner_id: Some(ann.id),
        ..query()
    };
    assert_eq!(code(his.list_api_keys(hers)), ErrorCode::PermissionDenied);
    assert_eq!(code(his.get_api_key(&all.items[1].id)), ErrorCode::NotFound);
    assert_eq!(
        code(his.revoke_api_key(&all.items[1].id)),
        ErrorCode::NotFound
    );
    assert_eq!(
        code(his.rotate_api_key(&all.items[1].id, KeyRotation::default())),
        ErrorCode::NotFound
    );
    assert_eq!(
        code(his.create_api_key(new_key(Some(&ann), &["a:b"]))),
        ErrorCode::NotFound
    );
    his.revoke_api_key(&all.items[0].id).unwrap();
    assert_eq!(his.list_api_keys(query()).unwrap().total, 1);
    assert_eq!(
        his.list_api_keys(ApiKeyQuery {
            include_revoked: true,
            ..query()
        })
        .unwrap()
        .total,
        2
    );
    assert_eq!(
        f.keyplate
            .list_api_keys(ApiKeyQuery {
                search: Some("BACK".to_owned()),
                ..query()
            })
            .unwrap()
            .total,
        1
    );
    assert!(his.list_sessions(SessionQuery::default()).is_ok());
}

#[test]
fn what_expires_soon_is_listed() {
    let f = Fixture::new();
    let ann = f.user("ann");
    for (name, seconds) in [("later", 900), ("soon", 100), ("sooner", 50)] {
        let key = NewApiKey {
            name: name.to_owned(),
            expires_at: Some(f.in_seconds(seconds)),
            ..new_key(Some(&ann), &["*"])
        };
        f.keyplate.create_api_key(key).unwrap();
    }
    f.key(&ann, &["*"]);
    let revoked = NewApiKey {
        expires_at: Some(f.in_seconds(70)),
        ..new_key(Some(&ann), &["*"])
    };
    let revoked = f.keyplate.create_api_key(revoked).unwrap().api_key;
    f.keyplate.revoke_api_key(&revoked.id).unwrap();
    assert_eq!(
        names(&f.keyplate.list_expiring_api_keys(100).unwrap()),
        ["sooner", "soon"]
    );
    f.clock.advance(50);
    assert_eq!(
        names(&f.keyplate.list_expiring_api_keys(u32::MAX).unwrap()),
        ["soon", "later"]
    );
}

/// A1: the log tells who did it, and by which credential.
#[test]
fn a_change_is_logged_with_its_credential() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let key = f.key(&ann, &["users:write"]);
    let bob = f
        .acting(key.secret.as_str())
        .create_user(new_user("bob"))
        .unwrap();
    let about_bob = keyplate::AuditQuery {
        user_id: Some(bob.id),
        ..Default::default()
    };
    let row = f
        .keyplate
        .list_audit_events(about_bob)
        .unwrap()
        .items
        .remove(0);
    assert_eq!(row.actor_id.as_deref(), Some(ann.id.as_str()));
    assert_eq!(row.address.as_deref(), Some("192.0.2.7"));
    let by = |detail: &keyplate::Detail| {
        detail.name == "by_api_key" && detail.value == key.api_key.id.as_str()
    };
    assert!(row.details.iter().any(by), "{:?}", row.details);
    let done_by_ann = |since| keyplate::AuditQuery {
        user_id: Some(ann.id),
        kind: Some(EventKind::UserCreated),
        since: Some(since),
        ..Default::default()
    };
    let total = |since| {
        let page = f.keyplate.list_audit_events(done_by_ann(since));
        let page = page.unwrap();
        (page.total, page.items.len())
    };
    assert_eq!(total(f.now()), (2, 2), "she was made, and made him");
    assert_eq!(total(f.in_seconds(1)), (0, 0));
}
