//! K2: a weak key does not touch what makes its owner's account theirs.

use keyplate::{ErrorCode, SettingsChanges, User, UserChanges};

use crate::common::*;

/// Nobody else's: a name that somebody had before would be refused for that alone.
fn email(user: &User) -> UserChanges {
    UserChanges {
        email: Some(format!("{}@evil.example", user.username)),
        ..UserChanges::default()
    }
}

fn username(user: &User) -> UserChanges {
    UserChanges {
        username: Some(format!("evil-{}", user.username)),
        ..UserChanges::default()
    }
}

fn with_username_change() -> Fixture {
    let f = Fixture::new();
    let changes = SettingsChanges {
        username_change: Some(true),
        ..SettingsChanges::default()
    };
    f.keyplate.update_settings(changes).unwrap();
    f
}

/// The session of a code that a key of root's with these scopes makes for a user: it has no more than the key.
fn narrow_session(f: &Fixture, root: &User, user: &User, scopes: &[&str]) -> keyplate::SignedIn {
    let key = f.key(root, scopes);
    let made = f
        .acting(key.secret.as_str())
        .create_one_time_token(&user.id, None)
        .unwrap();
    f.stranger()
        .redeem_one_time_token(made.secret.as_str())
        .unwrap()
}

#[test]
fn address_and_name_want_all_that_their_owner_may() {
    let f = with_username_change();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    for (user, scopes, allowed) in [
        (&ann, &["users:write"][..], false),
        (&ann, &["*"], false),
        (&ann, &["*", "roles:write"], true),
        (&bob, &["users:write"], false),
        (&bob, &["*"], true),
    ] {
        let acting = f.acting(f.key(user, scopes).secret.as_str());
        for changes in [email(user), username(user)] {
            let changed = acting.update_user(&user.id, changes);
            if allowed {
                changed.unwrap();
            } else {
                let refused = changed.map_err(|error| error.code());
                assert_eq!(
                    refused.err(),
                    Some(ErrorCode::PermissionDenied),
                    "{} {scopes:?}",
                    user.username
                );
            }
        }
        // What nobody is known by stays free, and what is only repeated is no change.
        let free = UserChanges {
            display_name: Some("Somebody".to_owned()),
            username: Some(f.keyplate.get_user(&user.id).unwrap().username),
            ..UserChanges::default()
        };
        acting.update_user(&user.id, free).unwrap();
        let back = UserChanges {
            username: Some(user.username.clone()),
            email: Some(String::new()),
            ..UserChanges::default()
        };
        f.keyplate.update_user(&user.id, back).unwrap();
    }
}

#[test]
fn so_does_the_session_of_a_weak_keys_code_and_not_a_persons_own() {
    let f = with_username_change();
    let root = f.administrator("root");
    let bob = f.user("bob");
    let weak = ["one_time_tokens:write", "users:write"];
    for (user, scopes) in [(&root, &weak[..]), (&root, &["*"]), (&bob, &weak)] {
        let session = narrow_session(&f, &root, user, scopes);
        let acting = f.acting(session.secret.as_str());
        for changes in [email(user), username(user)] {
            assert_eq!(
                code(acting.update_user(&user.id, changes)),
                ErrorCode::PermissionDenied
            );
        }
    }
    let of_old = f.session(&bob);
    f.keyplate
        .set_user_role(&bob.id, keyplate::Role::Administrator)
        .unwrap();
    let his = f.acting(of_old.secret.as_str());
    his.update_user(&bob.id, email(&bob))
        .expect("a person's own session, from before a promotion");
}

/// Ending setup ends its administrator's sessions.
#[test]
fn and_the_end_of_setup() {
    for (scopes, allowed) in [
        (&["settings:write"][..], false),
        (&["settings:write", "roles:write"], false),
        (&["*"], true),
        (&["*", "roles:write"], true),
    ] {
        let f = Fixture::new();
        let claimed = f.claim();
        let key = f.key(&claimed.user, scopes);
        let completed = f.acting(key.secret.as_str()).complete_setup();
        assert_eq!(completed.is_ok(), allowed, "{scopes:?}");
        let alive = f.keyplate.verify_session(claimed.secret.as_str()).is_ok();
        assert_eq!(alive, !allowed, "{scopes:?}");
    }
}
