//! Who waits for approval.

use keyplate::{
    ApprovalRule, ClientInfo, ErrorCode, EventKind, NewSignupToken, SettingsChanges, SignupMode,
    UserStatus,
};

use crate::common::{signups::*, *};

/// S7.
#[test]
fn a_pending_user_reads_his_own_status_and_nothing_else() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::WithToken);
    let made = token(
        &f,
        NewSignupToken {
            approval: Some(ApprovalRule::Needed),
            ..with_uses(2)
        },
    );
    let carol = f
        .stranger()
        .sign_up(signup("carol", Some(made.secret.as_str())))
        .unwrap();
    assert_eq!(carol.user.status, UserStatus::Pending);
    assert_eq!(
        f.keyplate
            .authenticate_pending(carol.secret.as_str())
            .unwrap()
            .scopes,
        ["enrol"]
    );
    let hers = f.enrolling(carol.secret.as_str());
    assert_eq!(
        hers.get_user(&carol.user.id).unwrap().status,
        UserStatus::Pending
    );
    for (method, result) in [
        (
            "list_sessions",
            hers.list_sessions(Default::default()).err(),
        ),
        (
            "update_user",
            hers.update_user(&carol.user.id, Default::default()).err(),
        ),
        (
            "create_api_key",
            hers.create_api_key(new_key(None, &["a:b"])).err(),
        ),
        ("list_groups", hers.list_groups(Default::default()).err()),
        (
            "list_audit_events",
            hers.list_audit_events(Default::default()).err(),
        ),
        ("list_users", hers.list_users(Default::default()).err()),
        ("approve_user", hers.approve_user(&carol.user.id).err()),
    ] {
        assert_eq!(
            result.map(|error| error.code()),
            Some(ErrorCode::PermissionDenied),
            "{method}"
        );
    }
    assert_eq!(
        code(
            f.keyplate
                .create_session(&carol.user.id, ClientInfo::default(), None)
        ),
        ErrorCode::AccountPending
    );
    assert_eq!(
        code(f.keyplate.create_one_time_token(&carol.user.id, None)),
        ErrorCode::AccountPending
    );
    assert_eq!(
        code(f.keyplate.enable_user(&carol.user.id)),
        ErrorCode::Conflict
    );
    let smuggled = keyplate::UserChanges {
        disabled: Some(true),
        ..Default::default()
    };
    assert_eq!(
        code(f.keyplate.update_user(&carol.user.id, smuggled)),
        ErrorCode::Conflict
    );

    let dora = f
        .stranger()
        .sign_up(signup("dora", Some(made.secret.as_str())))
        .unwrap();
    assert_eq!(
        f.keyplate
            .authenticate_pending(carol.secret.as_str())
            .unwrap()
            .status,
        UserStatus::Pending
    );
    f.keyplate.approve_user(&carol.user.id).unwrap();
    assert!(
        hers.list_sessions(Default::default()).is_ok(),
        "approved, she is in"
    );
    f.enrolling(dora.secret.as_str())
        .revoke_session(&dora.session.id)
        .expect("signing out");
    f.keyplate.reject_user(&dora.user.id).unwrap();
    assert_eq!(
        code(f.keyplate.verify_session(dora.secret.as_str())),
        ErrorCode::InvalidCredential
    );
    assert_eq!(
        code(f.keyplate.reject_user(&carol.user.id)),
        ErrorCode::Conflict
    );
    let heard = f.heard.0.lock().unwrap();
    let about = |kind: EventKind| {
        heard
            .iter()
            .filter(|event| event.kind == kind)
            .map(|event| event.username.clone().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(about(EventKind::UserSignedUp), ["carol", "dora"]);
    assert_eq!(
        (
            about(EventKind::UserApproved),
            about(EventKind::UserRejected)
        ),
        (vec!["carol".to_owned()], vec!["dora".to_owned()])
    );
}

/// S2: the token's word on approval goes before the setting's.
#[test]
fn a_token_may_say_that_nobody_need_approve() {
    let f = Fixture::new();
    let changes = SettingsChanges {
        signup_mode: Some(SignupMode::WithToken),
        signup_approval: Some(true),
        ..Default::default()
    };
    f.keyplate.update_settings(changes).unwrap();
    let made = token(
        &f,
        NewSignupToken {
            approval: Some(ApprovalRule::NotNeeded),
            ..with_uses(1)
        },
    );
    let bob = f
        .stranger()
        .sign_up(signup("bob", Some(made.secret.as_str())))
        .unwrap();
    assert_eq!(bob.user.status, UserStatus::Active);
}

/// S7; U1 for the id.
#[test]
fn a_rejected_name_is_free_again() {
    let f = Fixture::new();
    let changes = SettingsChanges {
        signup_mode: Some(SignupMode::Open),
        signup_approval: Some(true),
        ..Default::default()
    };
    f.keyplate.update_settings(changes).unwrap();
    for _ in 0..2 {
        let made = f.stranger().sign_up(signup("bob", None)).unwrap();
        f.keyplate.reject_user(&made.user.id).unwrap();
        let same_id = keyplate::NewUser {
            id: Some(made.user.id),
            ..new_user("carol")
        };
        assert_eq!(
            code(f.keyplate.create_user(same_id)),
            ErrorCode::Conflict,
            "his id is not"
        );
    }
}
