//! Users: U1–U4, U6.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use std::time::{Duration, UNIX_EPOCH};

use common::*;
use keyplate::{
    ErrorCode, EventKind, Expiry, NewUser, Role, UserChanges, UserId, UserQuery, UserSort,
    UserStatus,
};

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
    for key in [id.as_str(), "ann.b", "ANN.B", "ann@mail.EXAMPLE", "ldap:7"] {
        assert_eq!(
            f.keyplate.find_user(key).unwrap().as_ref(),
            Some(&made),
            "{key}"
        );
    }
    assert_eq!(
        f.keyplate.find_user("LDAP:7").unwrap(),
        None,
        "the host's keys are taken as they are"
    );
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

#[test]
fn changes_keep_what_they_leave_out() {
    let f = Fixture::new();
    let ann = f
        .keyplate
        .create_user(NewUser {
            email: Some("ann@x.example".to_owned()),
            email_verified: true,
            display_name: Some("Ann".to_owned()),
            ..new_user("ann")
        })
        .unwrap();
    f.clock.advance(5);
    let until = f.in_seconds(50);
    let changes = UserChanges {
        display_name: Some(String::new()),
        expiry: Some(Expiry::At { time: until }),
        ..UserChanges::default()
    };
    let changed = f.keyplate.update_user(&ann.id, changes).unwrap();
    assert_eq!(
        (changed.display_name, changed.expires_at),
        (None, Some(until))
    );
    assert_eq!(
        (changed.email, changed.email_verified),
        (ann.email.clone(), true)
    );
    assert_eq!(changed.updated_at, f.now());
    let back = UserChanges {
        expiry: Some(Expiry::Never),
        ..UserChanges::default()
    };
    assert_eq!(
        f.keyplate.update_user(&ann.id, back).unwrap().expires_at,
        None
    );
    let address = UserChanges {
        email: Some("new@x.example".to_owned()),
        ..UserChanges::default()
    };
    assert!(
        !f.keyplate
            .update_user(&ann.id, address)
            .unwrap()
            .email_verified,
        "a new address is unverified"
    );
    let heard = f.heard.kinds().len();
    f.keyplate
        .update_user(&ann.id, UserChanges::default())
        .unwrap();
    assert_eq!(
        f.heard.kinds().len(),
        heard,
        "a change of nothing is no event"
    );
}

#[test]
fn a_user_changes_his_own_names_and_address_and_nothing_else() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let bob = f.user("bob");
    let own = f.acting(f.session(&ann).secret.as_str());
    let good = UserChanges {
        email: Some("ann@x.example".to_owned()),
        display_name: Some("A".to_owned()),
        first_name: Some("B".to_owned()),
        last_name: Some("C".to_owned()),
        locale: Some("en".to_owned()),
        username: Some("ann".to_owned()), // a full replacement may repeat it
        ..UserChanges::default()
    };
    let changed = own.update_user(&ann.id, good).unwrap();
    assert!(!changed.email_verified);
    let none = UserChanges::default;
    for bad in [
        UserChanges {
            username: Some("anna".to_owned()),
            ..none()
        },
        UserChanges {
            email_verified: Some(true),
            ..none()
        },
        UserChanges {
            disabled: Some(true),
            ..none()
        },
        UserChanges {
            external_id: Some("1".to_owned()),
            ..none()
        },
        UserChanges {
            expiry: Some(Expiry::At {
                time: f.in_seconds(9),
            }),
            ..none()
        },
    ] {
        assert_eq!(
            code(own.update_user(&ann.id, bad)),
            ErrorCode::PermissionDenied
        );
    }
    assert_eq!(code(own.update_user(&bob.id, none())), ErrorCode::NotFound);
    assert_eq!(code(own.get_user(&bob.id)), ErrorCode::NotFound);
    assert_eq!(own.find_user("bob").unwrap(), None);
    assert_eq!(own.get_user(&ann.id).unwrap().id, ann.id);
    assert_eq!(
        code(own.set_user_role(&ann.id, Role::Administrator)),
        ErrorCode::PermissionDenied
    );
    assert_eq!(code(own.disable_user(&ann.id)), ErrorCode::PermissionDenied);
    assert_eq!(code(own.delete_user(&ann.id)), ErrorCode::PermissionDenied);
    assert_eq!(
        code(own.list_users(UserQuery::default())),
        ErrorCode::PermissionDenied
    );
}

#[test]
fn whoever_changes_his_own_address_has_an_unverified_one() {
    let f = Fixture::new();
    let ann = f
        .keyplate
        .create_user(NewUser {
            email: Some("ann@x.example".to_owned()),
            email_verified: true,
            ..new_user("ann")
        })
        .unwrap();
    let own = f.acting(f.session(&ann).secret.as_str());
    let address = UserChanges {
        email: Some("new@x.example".to_owned()),
        ..UserChanges::default()
    };
    let declared = UserChanges {
        email_verified: Some(true),
        ..address.clone()
    };
    assert_eq!(
        code(own.update_user(&ann.id, declared)),
        ErrorCode::PermissionDenied
    );
    assert!(!own.update_user(&ann.id, address).unwrap().email_verified);
    let without = NewUser {
        email_verified: true,
        ..new_user("bob")
    };
    assert!(!f.keyplate.create_user(without).unwrap().email_verified);
}

#[test]
fn where_users_may_rename_themselves_they_rename_nobody_else() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let carol = f.administrator("carol");
    let changes = keyplate::SettingsChanges {
        username_change: Some(true),
        ..Default::default()
    };
    f.keyplate.update_settings(changes).unwrap();
    let weak = f.acting(f.key(&ann, &["users:write"]).secret.as_str());
    let rename = |name: &str| UserChanges {
        username: Some(name.to_owned()),
        ..UserChanges::default()
    };
    weak.update_user(&ann.id, rename("anna")).unwrap();
    assert_eq!(
        code(weak.update_user(&carol.id, rename("mallory"))),
        ErrorCode::PermissionDenied
    );
}

#[test]
fn the_last_lasting_administrator_stays() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let last = (ErrorCode::Conflict, Some("last administrator".to_owned()));
    let expiry = UserChanges {
        expiry: Some(Expiry::At {
            time: f.in_seconds(1_000),
        }),
        ..UserChanges::default()
    };
    assert_eq!(refusal(f.keyplate.delete_user(&ann.id)), last);
    assert_eq!(refusal(f.keyplate.disable_user(&ann.id)), last);
    assert_eq!(refusal(f.keyplate.set_user_role(&ann.id, Role::User)), last);
    assert_eq!(
        refusal(f.keyplate.update_user(&ann.id, expiry.clone())),
        last
    );

    // One whose account ends does not count, nor does a disabled one.
    let bob = f
        .keyplate
        .create_user(NewUser {
            role: Some(Role::Administrator),
            expires_at: Some(f.in_seconds(9)),
            ..new_user("bob")
        })
        .unwrap();
    let carol = f.administrator("carol");
    f.keyplate.disable_user(&carol.id).unwrap();
    assert_eq!(refusal(f.keyplate.delete_user(&ann.id)), last);
    f.keyplate.delete_user(&bob.id).unwrap();
    f.keyplate.enable_user(&carol.id).unwrap();
    f.keyplate.update_user(&ann.id, expiry).unwrap();
    assert_eq!(refusal(f.keyplate.delete_user(&carol.id)), last);
}

#[test]
fn status_and_expiry_take_effect_in_other_handles_at_once() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let key = f.key(&ann, &["a:b"]);
    let other = f.open_again();
    assert!(other.verify_api_key(key.secret.as_str()).is_ok());
    f.keyplate.disable_user(&ann.id).unwrap();
    assert_eq!(
        code(other.verify_api_key(key.secret.as_str())),
        ErrorCode::AccountDisabled
    );
    f.keyplate.enable_user(&ann.id).unwrap();
    let soon = UserChanges {
        expiry: Some(Expiry::At {
            time: f.in_seconds(60),
        }),
        ..UserChanges::default()
    };
    f.keyplate.update_user(&ann.id, soon).unwrap();
    assert!(other.verify_api_key(key.secret.as_str()).is_ok());
    f.clock.advance(60);
    assert_eq!(
        code(other.verify_api_key(key.secret.as_str())),
        ErrorCode::AccountExpired
    );
    let same = UserChanges {
        expiry: Some(Expiry::At { time: f.now() }),
        display_name: Some("Ann".to_owned()),
        ..UserChanges::default()
    };
    f.keyplate
        .update_user(&ann.id, same)
        .expect("a lapsed account's own end may be sent back");
    let never = UserChanges {
        expiry: Some(Expiry::Never),
        ..UserChanges::default()
    };
    f.keyplate.update_user(&ann.id, never).unwrap();
    assert!(
        other.verify_api_key(key.secret.as_str()).is_ok(),
        "extended, nothing was deleted"
    );
}

#[test]
fn lists_are_paged_searched_and_sorted() {
    let f = Fixture::new();
    for name in ["dora", "ann", "carol", "bob", "a_b", "axb"] {
        f.user(name);
        f.clock.advance(1);
    }
    let list = |query: UserQuery| {
        let page = f.keyplate.list_users(query).unwrap();
        let names: Vec<String> = page.items.into_iter().map(|user| user.username).collect();
        (names.join(" "), page.total, page.page)
    };
    let query = UserQuery::default;
    assert_eq!(list(query()).0, "dora ann carol bob a_b axb");
    let by_name = || UserQuery {
        sort: Some(UserSort::Username),
        ..query()
    };
    assert_eq!(list(by_name()).0, "a_b ann axb bob carol dora");
    assert_eq!(
        list(UserQuery {
            descending: true,
            ..by_name()
        })
        .0,
        "dora carol bob axb ann a_b"
    );
    assert_eq!(
        list(UserQuery {
            limit: Some(4),
            page: Some(2),
            ..by_name()
        }),
        ("carol dora".to_owned(), 6, 2)
    );
    assert_eq!(
        list(UserQuery {
            limit: Some(4),
            page: Some(99),
            ..by_name()
        }),
        ("carol dora".to_owned(), 6, 2)
    );
    assert_eq!(
        list(UserQuery {
            search: Some("A_b".to_owned()),
            ..query()
        })
        .0,
        "a_b",
        "_ is literal"
    );
    assert_eq!(
        list(UserQuery {
            search: Some("%".to_owned()),
            ..query()
        })
        .1,
        0
    );
    for (field, bad) in [
        (
            "page",
            UserQuery {
                page: Some(0),
                ..query()
            },
        ),
        (
            "limit",
            UserQuery {
                limit: Some(0),
                ..query()
            },
        ),
        (
            "limit",
            UserQuery {
                limit: Some(1_001),
                ..query()
            },
        ),
        (
            "search",
            UserQuery {
                search: Some("x".repeat(201)),
                ..query()
            },
        ),
    ] {
        assert_eq!(
            refusal(f.keyplate.list_users(bad)).1.as_deref(),
            Some(field)
        );
    }
}

#[test]
fn search_knows_all_letters() {
    let f = Fixture::new();
    let user = NewUser {
        display_name: Some("ÄRGER Šimon".to_owned()),
        ..new_user("a")
    };
    f.keyplate.create_user(user).unwrap();
    for text in ["ÄRGER", "ärger", "šIMON"] {
        let query = UserQuery {
            search: Some(text.to_owned()),
            ..UserQuery::default()
        };
        assert_eq!(f.keyplate.list_users(query).unwrap().total, 1, "{text}");
    }
}

#[test]
fn role_and_status_change_together_with_the_rest_or_not_at_all() {
    let f = Fixture::new();
    f.administrator("ann");
    let bob = f.user("bob");
    let bad = UserChanges {
        role: Some(Role::Administrator),
        disabled: Some(true),
        email: Some("no address".to_owned()),
        ..UserChanges::default()
    };
    assert_eq!(
        refusal(f.keyplate.update_user(&bob.id, bad)).1.as_deref(),
        Some("email")
    );
    assert_eq!(f.keyplate.get_user(&bob.id).unwrap(), bob);
    let good = UserChanges {
        role: Some(Role::Administrator),
        disabled: Some(true),
        ..UserChanges::default()
    };
    let changed = f.keyplate.update_user(&bob.id, good).unwrap();
    assert_eq!(
        (changed.role, changed.status),
        (Role::Administrator, UserStatus::Disabled)
    );
    let back = UserChanges {
        disabled: Some(false),
        ..UserChanges::default()
    };
    assert_eq!(
        f.keyplate.update_user(&bob.id, back).unwrap().status,
        UserStatus::Active
    );
}

#[test]
fn the_audit_log_tells_role_and_status_apart_from_the_rest() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let rows = |changes: UserChanges| {
        let before = f.heard.kinds().len();
        f.keyplate.update_user(&bob.id, changes).unwrap();
        f.heard.kinds().split_off(before)
    };
    let disabled = |disabled| UserChanges {
        disabled: Some(disabled),
        display_name: Some("Bob".to_owned()),
        ..UserChanges::default()
    };
    let role = |role| UserChanges {
        role: Some(role),
        ..UserChanges::default()
    };
    use EventKind::{UserDisabled, UserEnabled, UserRoleChanged, UserUpdated};
    assert_eq!(rows(disabled(false)), [UserUpdated], "the name alone");
    assert_eq!(rows(disabled(true)), [UserUpdated, UserDisabled]);
    assert_eq!(rows(disabled(true)), [], "nothing has changed");
    assert_eq!(rows(disabled(false)), [UserUpdated, UserEnabled]);
    let promoted = rows(role(Role::Administrator));
    assert_eq!(promoted, [UserUpdated, UserRoleChanged]);
}
