//! A user's names and address, changed by others and by the user.

use keyplate::{ErrorCode, Expiry, NewUser, Role, UserChanges, UserQuery};

use crate::common::*;

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

/// U6.
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
    assert_eq!(own.find_user_by_username("bob").unwrap(), None);
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
    let bob = f.user("bob");
    let weak = f.acting(f.key(&ann, &["users:write"]).secret.as_str());
    let own = f.acting(f.session(&bob).secret.as_str());
    let rename = |name: &str| UserChanges {
        username: Some(name.to_owned()),
        ..UserChanges::default()
    };
    own.update_user(&bob.id, rename("bobby")).unwrap();
    assert_eq!(
        code(own.update_user(&ann.id, rename("mallory"))),
        ErrorCode::NotFound
    );
    // K2: nor does a weak key of theirs rename its own owner.
    for user in [&ann, &carol] {
        assert_eq!(
            code(weak.update_user(&user.id, rename("mallory"))),
            ErrorCode::PermissionDenied
        );
    }
}

/// U1: whoever gave no name that others see is seen by their first and last name.
#[test]
fn a_display_name_that_nobody_gave_is_the_first_and_last_name() {
    let f = Fixture::new();
    let text = |text: &str| Some(text.to_owned());
    let make = |username: &str, first: &str, last: &str| {
        let user = NewUser {
            first_name: text(first),
            last_name: text(last),
            ..new_user(username)
        };
        f.keyplate.create_user(user).unwrap()
    };
    let ann = make("ann", " Ann ", "Bell");
    assert_eq!(ann.display_name, text("Ann Bell"));
    assert_eq!(make("cher", "Cher", "").display_name, text("Cher"));
    assert_eq!(make("bell", "", "Bell").display_name, text("Bell"));
    assert_eq!(make("none", "", "").display_name, None);
    let (long, longer) = ("x".repeat(50), "y".repeat(50));
    let both = make("long", &long, &longer).display_name;
    assert_eq!(both, Some(format!("{long} {longer}")));

    let change = |changes: UserChanges| {
        let changed = f.keyplate.update_user(&ann.id, changes).unwrap();
        assert_eq!(f.keyplate.get_user(&ann.id).unwrap(), changed);
        changed.display_name
    };
    let none = UserChanges::default;
    let married = UserChanges {
        last_name: text("Carter"),
        ..none()
    };
    assert_eq!(
        change(married),
        text("Ann Carter"),
        "it goes along with them"
    );
    let given = UserChanges {
        display_name: text("Annie"),
        ..none()
    };
    assert_eq!(change(given), text("Annie"));
    let divorced = UserChanges {
        last_name: text("Bell"),
        ..none()
    };
    assert_eq!(change(divorced), text("Annie"), "what somebody gave stays");
    let removed = UserChanges {
        display_name: text(""),
        ..none()
    };
    assert_eq!(change(removed), text("Ann Bell"));
    let nameless = UserChanges {
        first_name: text(""),
        last_name: text(""),
        ..none()
    };
    assert_eq!(change(nameless), None);

    let search = UserQuery {
        search: text("cher"),
        ..UserQuery::default()
    };
    assert_eq!(f.keyplate.list_users(search).unwrap().total, 1);
}
