//! A user is made, and what names may be.

use std::time::{Duration, UNIX_EPOCH};

use keyplate::{ErrorCode, EventKind, NewUser, Role, UserChanges, UserId, UserQuery, UserStatus};

use crate::common::*;

#[test]
fn a_user_is_stored_as_given_and_found_by_each_name() {
    let f = Fixture::new();
    let id = UserId::parse("11111111-2222-4333-8444-555555555555").unwrap();
    let made = f
        .keyplate
        .create_user(NewUser {
            username: "Ann.B".to_owned(),
            id: Some(id),
            email: Some("Ann@Mail.example".to_owned()),
            email_verified: true,
            display_name: Some(" Ann B ".to_owned()),
            first_name: Some("Ann".to_owned()),
            last_name: Some(String::new()),
            locale: Some("de-CH".to_owned()),
            external_id: Some("ldap:7".to_owned()),
            expires_at: Some(f.in_seconds(100) + Duration::from_nanos(123_456_789)),
            ..NewUser::default()
        })
        .unwrap();
    assert_eq!(made.id, id);
    assert_eq!(made.display_name.as_deref(), Some("Ann B"));
    assert_eq!(made.last_name, None);
    assert_eq!(
        made.expires_at,
        Some(f.in_seconds(100) + Duration::from_millis(123))
    );
    assert_eq!(
        (made.role, made.status, made.email_verified),
        (Role::User, UserStatus::Active, true)
    );
    let by_username = |name: &str| f.keyplate.find_user_by_username(name).unwrap();
    let by_email = |address: &str| f.keyplate.find_user_by_email(address).unwrap();
    let by_key = |key: &str| f.keyplate.find_user_by_external_id(key).unwrap();
    for found in [
        by_username("Ann.B"),
        by_username(" ANN.b "),
        by_email("ann@mail.EXAMPLE"),
        by_key("ldap:7"),
    ] {
        assert_eq!(found.as_ref(), Some(&made));
    }
    // Each kind of name has a look-up of its own, and the host's keys are taken as they are.
    for key in [id.as_str(), "ann.b", "Ann@Mail.example", "LDAP:7", ""] {
        assert_eq!(by_username(key).is_some(), key == "ann.b", "{key}");
        assert_eq!(by_email(key).is_some(), key == "Ann@Mail.example", "{key}");
        assert_eq!(by_key(key), None, "{key}");
    }
    assert_eq!(f.open_again().get_user(&id).unwrap(), made);
}

#[test]
fn bad_input_names_its_field_and_changes_nothing() {
    let f = Fixture::new();
    let long = "x".repeat(10_000_000);
    let cases: [(&str, NewUser); 10] = [
        ("username", new_user("")),
        ("username", new_user(&long)),
        (
            "email",
            NewUser {
                email: Some("a\u{7}@b".to_owned()),
                ..new_user("a")
            },
        ),
        (
            "email",
            NewUser {
                email: Some(long.clone()),
                ..new_user("a")
            },
        ),
        (
            "display_name",
            NewUser {
                display_name: Some("x".repeat(101)),
                ..new_user("a")
            },
        ),
        (
            "first_name",
            NewUser {
                first_name: Some("a\nb".to_owned()),
                ..new_user("a")
            },
        ),
        (
            "last_name",
            NewUser {
                last_name: Some("x".repeat(51)),
                ..new_user("a")
            },
        ),
        (
            "locale",
            NewUser {
                locale: Some("de_CH".to_owned()),
                ..new_user("a")
            },
        ),
        (
            "external_id",
            NewUser {
                external_id: Some("x".repeat(256)),
                ..new_user("a")
            },
        ),
        (
            "expires_at",
            NewUser {
                expires_at: Some(f.now()),
                ..new_user("a")
            },
        ),
    ];
    for (field, user) in cases {
        assert_eq!(
            refusal(f.keyplate.create_user(user)),
            (ErrorCode::InvalidInput, Some(field.to_owned()))
        );
    }
    let too_far = UNIX_EPOCH + Duration::from_secs(400_000_000_000);
    let user = NewUser {
        expires_at: Some(too_far),
        ..new_user("a")
    };
    assert_eq!(code(f.keyplate.create_user(user)), ErrorCode::InvalidInput);
    assert_eq!(
        f.keyplate.list_users(UserQuery::default()).unwrap().total,
        0
    );
    assert!(f.heard.kinds().is_empty());
}

/// U1.
#[test]
fn names_are_unique_without_regard_to_case_and_across_kinds() {
    let f = Fixture::new();
    let email = |name: &str, email: &str| NewUser {
        email: Some(email.to_owned()),
        ..new_user(name)
    };
    let first = f
        .keyplate
        .create_user(NewUser {
            external_id: Some("7".to_owned()),
            ..email("ann", "ann@x.example")
        })
        .unwrap();
    for (what, user) in [
        ("username", new_user("ANN")),
        ("username", new_user("Ann@X.example")),
        ("email", email("bob", "ANN@x.example")),
        (
            "external_id",
            NewUser {
                external_id: Some("7".to_owned()),
                ..new_user("bob")
            },
        ),
        (
            "id",
            NewUser {
                id: Some(first.id),
                ..new_user("bob")
            },
        ),
    ] {
        assert_eq!(
            refusal(f.keyplate.create_user(user)),
            (ErrorCode::Conflict, Some(what.to_owned()))
        );
    }
    f.keyplate.create_user(new_user("mail@y.example")).unwrap();
    assert_eq!(
        code(f.keyplate.create_user(email("eve", "MAIL@y.example"))),
        ErrorCode::Conflict
    );
    // His own name as his own address is no conflict.
    f.keyplate
        .create_user(email("own@z.example", "own@z.example"))
        .unwrap();
}

/// U1; U4: what is theirs goes, the audit row stays.
#[test]
fn a_deleted_users_id_and_name_do_not_come_back_by_themselves() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let bob = f.user("bob");
    let key = f.key(&ann, &["library:stream"]);
    let session = f.session(&ann);
    f.keyplate.delete_user(&ann.id).unwrap();
    assert_eq!(code(f.keyplate.get_user(&ann.id)), ErrorCode::NotFound);
    assert_eq!(
        code(f.keyplate.verify_api_key(key.secret.as_str())),
        ErrorCode::InvalidCredential
    );
    assert_eq!(
        code(f.keyplate.verify_session(session.secret.as_str())),
        ErrorCode::InvalidCredential
    );
    assert_eq!(code(f.keyplate.delete_user(&ann.id)), ErrorCode::NotFound);
    let keys = f.keyplate.list_api_keys(Default::default()).unwrap();
    let sessions = f.keyplate.list_sessions(Default::default()).unwrap();
    assert_eq!((keys.total, sessions.total), (0, 0), "they went with him");

    let rename = UserChanges {
        username: Some("Ann".to_owned()),
        ..UserChanges::default()
    };
    assert_eq!(
        refusal(f.keyplate.update_user(&bob.id, rename)),
        (ErrorCode::Conflict, Some("username".to_owned()))
    );
    let same_id = NewUser {
        id: Some(ann.id),
        ..new_user("carol")
    };
    assert_eq!(code(f.keyplate.create_user(same_id)), ErrorCode::Conflict);
    // The host may give the name again.
    assert_ne!(f.user("ann").id, ann.id);
    let log = f
        .keyplate
        .list_audit_events(keyplate::AuditQuery {
            user_id: Some(ann.id),
            ..Default::default()
        })
        .unwrap();
    assert!(log.items.iter().any(|row| row.kind == EventKind::UserDeleted && row.username.as_deref() == Some("ann")));
}
