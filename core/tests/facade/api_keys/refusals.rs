//! What a credential may not do, whoever owns it.

use keyplate::{ErrorCode, Role, UserChanges, UserQuery};

use crate::common::*;

/// K2.
#[test]
fn a_promotion_widens_no_older_credential_and_a_demotion_narrows_at_once() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let key = f.key(&bob, &["*", "roles:write"]);
    let session = f.session(&bob);
    f.keyplate
        .set_user_role(&bob.id, Role::Administrator)
        .unwrap();
    for secret in [key.secret.as_str(), session.secret.as_str()] {
        assert_eq!(f.keyplate.authenticate(secret).unwrap().role, Role::User);
        assert_eq!(
            code(f.acting(secret).list_users(UserQuery::default())),
            ErrorCode::PermissionDenied
        );
        assert_eq!(
            code(f.acting(secret).get_user(&ann.id)),
            ErrorCode::NotFound
        );
    }
    let by_older = f
        .acting(session.secret.as_str())
        .create_api_key(new_key(None, &["*"]))
        .unwrap();
    let found = f.keyplate.verify_api_key(by_older.secret.as_str());
    assert_eq!(found.unwrap().role, Role::User, "nor by what it makes");
    let newer = f.key(&bob, &["*"]);
    let acting = f.acting(newer.secret.as_str());
    assert!(acting.list_users(UserQuery::default()).is_ok());
    let later = f.session(&bob);
    f.keyplate.set_user_role(&bob.id, Role::User).unwrap();
    assert_eq!(
        code(acting.list_users(UserQuery::default())),
        ErrorCode::PermissionDenied
    );
    for secret in [newer.secret.as_str(), later.secret.as_str()] {
        assert_eq!(f.keyplate.authenticate(secret).unwrap().role, Role::User);
    }
}

#[test]
fn roles_want_their_own_scope_and_all_others() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    for scopes in [
        &["*"][..],
        &["roles:write"],
        &["users:write", "roles:write"],
    ] {
        let weak = f.acting(f.key(&ann, scopes).secret.as_str());
        assert_eq!(
            code(weak.set_user_role(&bob.id, Role::Administrator)),
            ErrorCode::PermissionDenied,
            "{scopes:?}"
        );
        let changes = UserChanges {
            role: Some(Role::Administrator),
            ..Default::default()
        };
        assert_eq!(
            code(weak.update_user(&bob.id, changes)),
            ErrorCode::PermissionDenied,
            "{scopes:?}"
        );
        let promoted = keyplate::NewUser {
            role: Some(Role::Administrator),
            ..new_user("eve")
        };
        assert_eq!(
            code(weak.create_user(promoted)),
            ErrorCode::PermissionDenied,
            "{scopes:?}"
        );
    }
    let full = f.acting(f.key(&ann, &["*", "roles:write"]).secret.as_str());
    assert_eq!(
        full.set_user_role(&bob.id, Role::Administrator)
            .unwrap()
            .role,
        Role::Administrator
    );
}

#[test]
fn a_weak_administrators_key_does_not_touch_administrators() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let carol = f.administrator("carol");
    let dora = f.user("dora");
    let weak = f.acting(
        f.key(&ann, &["users:write", "sessions:write"])
            .secret
            .as_str(),
    );
    let email = || UserChanges {
        email: Some("evil@x.example".to_owned()),
        ..UserChanges::default()
    };
    let name = || UserChanges {
        display_name: Some("C".to_owned()),
        ..UserChanges::default()
    };
    let session = f.session(&carol);
    assert_eq!(
        code(weak.disable_user(&carol.id)),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(weak.delete_user(&carol.id)),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(weak.update_user(&carol.id, email())),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(weak.revoke_session(&session.session.id)),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(weak.revoke_user_sessions(&carol.id, None)),
        ErrorCode::PermissionDenied
    );
    let eve = keyplate::NewUser {
        role: Some(Role::Administrator),
        status: Some(keyplate::UserStatus::Pending),
        ..new_user("eve")
    };
    let eve = f.keyplate.create_user(eve).unwrap();
    assert_eq!(
        code(weak.approve_user(&eve.id)),
        ErrorCode::PermissionDenied
    );
    assert_eq!(code(weak.reject_user(&eve.id)), ErrorCode::PermissionDenied);
    weak.update_user(&carol.id, name()).unwrap();
    weak.update_user(&dora.id, email()).unwrap();
    weak.disable_user(&dora.id).unwrap();
}

#[test]
fn a_second_promotion_widens_nothing_from_the_first_term() {
    for promote_by_update in [false, true] {
        let f = Fixture::new();
        f.administrator("ann");
        let bob = f.administrator("bob");
        let key = f.key(&bob, &["*", "roles:write"]);
        let session = f.session(&bob);
        let code_for_him = f.keyplate.create_one_time_token(&bob.id, None).unwrap();
        f.keyplate.set_user_role(&bob.id, Role::User).unwrap();
        if promote_by_update {
            let changes = UserChanges {
                role: Some(Role::Administrator),
                ..Default::default()
            };
            f.keyplate.update_user(&bob.id, changes).unwrap();
        } else {
            f.keyplate
                .set_user_role(&bob.id, Role::Administrator)
                .unwrap();
        }
        for secret in [key.secret.as_str(), session.secret.as_str()] {
            assert_eq!(f.keyplate.authenticate(secret).unwrap().role, Role::User);
        }
        let redeemed = f
            .stranger()
            .redeem_one_time_token(code_for_him.secret.as_str())
            .unwrap();
        assert_eq!(
            f.keyplate
                .verify_session(redeemed.secret.as_str())
                .unwrap()
                .role,
            Role::User
        );
    }
}

/// C5.
#[test]
fn a_sign_in_from_the_future_makes_no_key() {
    let f = Fixture::new();
    let bob = f.user("bob");
    f.clock.advance(4 * 24 * 3_600);
    let his = f.acting(f.session(&bob).secret.as_str());
    f.clock.back(4 * 24 * 3_600);
    f.keyplate.reset_clock().unwrap();
    assert_eq!(
        code(his.create_api_key(new_key(None, &["a:b"]))),
        ErrorCode::InvalidCredential
    );
}

#[test]
fn roles_write_alone_reads_nobody_and_users_write_does_not_unverify_administrators() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let carol = f.administrator("carol");
    let verified = UserChanges {
        email: Some("carol@x.example".to_owned()),
        email_verified: Some(true),
        ..Default::default()
    };
    f.keyplate.update_user(&carol.id, verified).unwrap();
    let roles = f.acting(f.key(&ann, &["roles:write"]).secret.as_str());
    assert_eq!(
        code(roles.set_user_role(&carol.id, Role::Administrator)),
        ErrorCode::PermissionDenied
    );
    assert_eq!(code(roles.get_user(&ann.id)), ErrorCode::PermissionDenied);
    let users = f.acting(f.key(&ann, &["users:write"]).secret.as_str());
    let unverify = UserChanges {
        email_verified: Some(false),
        ..Default::default()
    };
    assert_eq!(
        code(users.update_user(&carol.id, unverify)),
        ErrorCode::PermissionDenied
    );
}
