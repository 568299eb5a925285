//! Role, status and expiry; and the last administrator, who stays.

use keyplate::{ErrorCode, EventKind, Expiry, NewUser, Role, UserChanges, UserStatus};

use crate::common::*;

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
