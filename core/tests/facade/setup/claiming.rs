//! Who may claim setup, and who may go on with it.

use keyplate::{ClientInfo, ErrorCode, EventKind, NewAdmin, NewUser, Role, SetupStage};

use crate::common::*;

#[test]
fn a_stranger_needs_the_current_token() {
    let f = Fixture::new();
    let stranger = f.stranger();
    assert_eq!(
        code(stranger.claim_setup(None, admin("eve"))),
        ErrorCode::InvalidCredential
    );
    let old = f.keyplate.create_setup_token().unwrap().secret.reveal();
    let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
    assert_eq!(
        code(stranger.claim_setup(Some(old), admin("eve"))),
        ErrorCode::InvalidCredential
    );
    assert_eq!(
        code(stranger.claim_setup(Some("kp_set_x".to_owned()), admin("eve"))),
        ErrorCode::InvalidCredential
    );
    assert_eq!(
        code(stranger.claim_setup(Some(String::new()), admin("eve"))),
        ErrorCode::InvalidCredential
    );
    f.clock.advance(24 * 3_600 - 1);
    // A failed claim leaves setup open and the token good (B3).
    let bad = NewAdmin {
        email: Some("no address".to_owned()),
        ..admin("ann")
    };
    assert_eq!(
        refusal(stranger.claim_setup(Some(token.clone()), bad)),
        (ErrorCode::InvalidInput, Some("email".to_owned()))
    );
    assert_eq!(
        f.keyplate.get_setup_state().unwrap().stage,
        SetupStage::Uninitialised
    );
    stranger
        .claim_setup(Some(token.clone()), admin("ann"))
        .unwrap();
    assert_eq!(
        code(stranger.claim_setup(Some(token), admin("eve"))),
        ErrorCode::SetupAlreadyClaimed
    );

    let f = Fixture::new();
    let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
    f.clock.advance(24 * 3_600);
    assert_eq!(
        code(f.stranger().claim_setup(Some(token), admin("eve"))),
        ErrorCode::InvalidCredential,
        "it lives for a day"
    );
    f.keyplate
        .claim_setup(None, admin("ann"))
        .expect("the host needs none");
}

#[test]
fn resuming_ends_the_earlier_setup_sessions() {
    let f = Fixture::new();
    assert_eq!(code(f.keyplate.resume_setup(None)), ErrorCode::NotFound);
    let first = f.claim();
    let key = f
        .acting(first.secret.as_str())
        .create_api_key(new_key(None, &["*"]))
        .unwrap();
    f.clock.advance(7_200);
    assert_eq!(
        code(f.keyplate.verify_session(first.secret.as_str())),
        ErrorCode::InvalidCredential
    );
    assert_eq!(
        code(f.stranger().resume_setup(None)),
        ErrorCode::InvalidCredential
    );
    let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
    let second = f.stranger().resume_setup(Some(token.clone())).unwrap();
    assert_eq!(second.user.id, first.user.id);
    let third = f.stranger().resume_setup(Some(token)).unwrap();
    assert_eq!(
        code(f.keyplate.verify_session(second.secret.as_str())),
        ErrorCode::InvalidCredential
    );
    assert!(f.keyplate.verify_session(third.secret.as_str()).is_ok());
    assert!(
        f.keyplate.verify_api_key(key.secret.as_str()).is_ok(),
        "keys made before stay"
    );
}

#[test]
fn only_an_administrator_who_may_sign_in_resumes() {
    let f = Fixture::new();
    let ann = f.claim();
    let key = f.key(&ann.user, &["*", "roles:write"]);
    let eve = NewUser {
        role: Some(Role::Administrator),
        ..new_user("eve")
    };
    f.acting(key.secret.as_str()).create_user(eve).unwrap();
    f.keyplate.disable_user(&ann.user.id).unwrap();
    assert_eq!(
        code(f.keyplate.resume_setup(None)),
        ErrorCode::AccountDisabled
    );
    f.keyplate.enable_user(&ann.user.id).unwrap();
    f.keyplate.set_user_role(&ann.user.id, Role::User).unwrap();
    assert_eq!(
        code(f.keyplate.resume_setup(None)),
        ErrorCode::PermissionDenied
    );
}

#[test]
fn a_first_claim_cannot_take_over_a_user() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let claim = NewAdmin {
        existing_user_id: Some(bob.id),
        ..NewAdmin::default()
    };
    assert_eq!(
        code(f.keyplate.claim_setup(None, claim)),
        ErrorCode::PermissionDenied
    );
    assert_eq!(f.keyplate.get_user(&bob.id).unwrap().role, Role::User);
}

#[test]
fn refusals_are_counted_in_one_row_a_minute() {
    let f = Fixture::new();
    f.clock.set(START + 60);
    for _ in 0..5 {
        let _ = f
            .stranger()
            .claim_setup(Some("guess".to_owned()), admin("eve"));
    }
    let slip = NewAdmin {
        email: Some("no address".to_owned()),
        ..admin("ann")
    };
    let _ = f
        .keyplate
        .with_client(client())
        .unwrap()
        .claim_setup(None, slip); // is none
    let _ = f.stranger().redeem_one_time_token("0000-0000"); // is another
    let other = ClientInfo {
        address: Some("2001:db8::1".to_owned()),
        ..ClientInfo::default()
    };
    let _ = f
        .keyplate
        .anonymous(other)
        .unwrap()
        .claim_setup(None, admin("eve"));
    f.clock.advance(60);
    let _ = f.stranger().claim_setup(None, admin("eve"));
    let rows = f
        .keyplate
        .list_audit_events(keyplate::AuditQuery {
            kind: Some(EventKind::SetupRefused),
            ..Default::default()
        })
        .unwrap()
        .items;
    let counts: Vec<(u64, Option<&str>)> = rows
        .iter()
        .map(|row| (row.count, row.address.as_deref()))
        .collect();
    assert_eq!(
        counts,
        [
            (1, Some("192.0.2.7")),
            (1, Some("2001:db8::1")),
            (5, Some("192.0.2.7"))
        ]
    );
    let total = f.keyplate.list_audit_events(Default::default());
    assert_eq!(total.unwrap().total, 4);
}

#[test]
fn a_claim_does_not_bring_a_deleted_users_name_back() {
    let f = Fixture::new();
    let gone = f.user("gone");
    f.keyplate.delete_user(&gone.id).unwrap();
    assert_eq!(
        refusal(f.keyplate.claim_setup(None, admin("gone"))),
        (ErrorCode::Conflict, Some("username".to_owned()))
    );
}

#[test]
fn the_host_may_say_for_which_client_it_acts() {
    let f = Fixture::new();
    let claimed = f
        .keyplate
        .with_client(client())
        .unwrap()
        .claim_setup(None, admin("ann"))
        .unwrap();
    assert_eq!(claimed.session.address.as_deref(), Some("192.0.2.7"));
    assert_eq!(
        code(f.acting(claimed.secret.as_str()).with_client(client())),
        ErrorCode::PermissionDenied
    );
}
