//! First-run setup: B1–B5.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use common::*;
use keyplate::{
    ClientInfo, ErrorCode, EventKind, NewAdmin, NewUser, Role, SetupStage, SignInMethod, UserQuery,
};

#[test]
fn from_an_empty_database_to_an_administrators_key() {
    let f = Fixture::new();
    assert_eq!(
        f.keyplate.get_setup_state().unwrap().stage,
        SetupStage::Uninitialised
    );
    let claimed = f.claim();
    assert_eq!(claimed.session.method, SignInMethod::Setup);
    assert_eq!(claimed.user.role, Role::Administrator);
    assert_eq!(claimed.session.expires_at, f.in_seconds(3_600));
    let ann = f.acting(claimed.secret.as_str());
    let other = f.session(&claimed.user);
    let gone = f.key(&claimed.user, &["a:b"]);
    f.keyplate.revoke_api_key(&gone.api_key.id).unwrap();
    let expired = keyplate::NewApiKey {
        expires_at: Some(f.in_seconds(5)),
        ..new_key(Some(&claimed.user), &["a:b"])
    };
    f.keyplate.create_api_key(expired).unwrap();
    f.clock.advance(5);
    let typed = ann.create_one_time_token(&claimed.user.id, None).unwrap();
    let key = ann.create_api_key(new_key(None, &["*"])).unwrap();
    let done = ann.complete_setup().unwrap();
    assert_eq!(done.api_keys, [key.api_key]);
    assert_eq!(done.one_time_tokens, [typed.one_time_token]);
    assert!(f.keyplate.verify_session(other.secret.as_str()).is_ok());

    // The temporary access is dead from this moment, the key is not.
    assert_eq!(
        code(f.keyplate.verify_session(claimed.secret.as_str())),
        ErrorCode::InvalidCredential
    );
    assert_eq!(
        code(ann.list_users(UserQuery::default())),
        ErrorCode::InvalidCredential
    );
    let by_key = f.acting(key.secret.as_str());
    assert_eq!(by_key.list_users(UserQuery::default()).unwrap().total, 1);
    assert_eq!(
        code(f.keyplate.create_setup_token()),
        ErrorCode::SetupAlreadyComplete
    );
    assert_eq!(
        code(f.keyplate.claim_setup(None, admin("eve"))),
        ErrorCode::SetupAlreadyComplete
    );
    assert_eq!(
        code(f.keyplate.resume_setup(None)),
        ErrorCode::SetupAlreadyComplete
    );
    assert_eq!(
        code(f.keyplate.complete_setup()),
        ErrorCode::SetupAlreadyComplete
    );
    assert!(f.heard.kinds().ends_with(&[
        EventKind::ApiKeyCreated,
        EventKind::SetupCompleted,
        EventKind::SetupRefused // told once a minute
    ]));
}

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
fn an_administrator_made_by_the_host_completes_setup() {
    let f = Fixture::new();
    f.user("bob");
    assert_eq!(
        f.keyplate.get_setup_state().unwrap().stage,
        SetupStage::Uninitialised
    );
    let disabled = NewUser {
        role: Some(Role::Administrator),
        status: Some(keyplate::UserStatus::Disabled),
        ..new_user("dora")
    };
    f.keyplate.create_user(disabled).unwrap();
    assert_eq!(
        f.keyplate.get_setup_state().unwrap().stage,
        SetupStage::Uninitialised,
        "he cannot sign in"
    );
    let claimed = f.claim();
    let key = f.key(&claimed.user, &["*", "roles:write"]);
    let eve = NewUser {
        role: Some(Role::Administrator),
        ..new_user("eve")
    };
    f.acting(key.secret.as_str()).create_user(eve).unwrap();
    assert_eq!(
        f.keyplate.get_setup_state().unwrap().stage,
        SetupStage::Claimed,
        "she was not made by the host"
    );
    f.administrator("carol");
    assert_eq!(
        f.keyplate.get_setup_state().unwrap().stage,
        SetupStage::Complete
    );
    assert_eq!(
        code(f.keyplate.verify_session(claimed.secret.as_str())),
        ErrorCode::InvalidCredential
    );
}

#[test]
fn administrators_complete_setup() {
    let f = Fixture::new();
    assert_eq!(code(f.keyplate.complete_setup()), ErrorCode::Conflict);
    let claimed = f.claim();
    let bob = f.user("bob");
    let ann = f.acting(claimed.secret.as_str());
    let weak = ann
        .create_api_key(new_key(None, &["users:write", "keys:write"]))
        .unwrap();
    for credential in [weak.secret.as_str(), f.session(&bob).secret.as_str()] {
        assert_eq!(
            code(f.acting(credential).complete_setup()),
            ErrorCode::PermissionDenied
        );
    }
    assert_eq!(
        code(f.stranger().complete_setup()),
        ErrorCode::PermissionDenied
    );
    let key = ann.create_api_key(new_key(None, &["*"])).unwrap();
    f.acting(key.secret.as_str()).complete_setup().unwrap();
    assert_eq!(
        code(f.keyplate.verify_session(claimed.secret.as_str())),
        ErrorCode::InvalidCredential
    );
}

#[test]
fn the_stage_never_goes_back_by_itself() {
    let f = Fixture::new();
    f.administrator("ann");
    let bob = f.user("bob");
    f.keyplate.delete_user(&bob.id).unwrap();
    let state = f.open_again().get_setup_state().unwrap();
    assert_eq!((state.stage, state.generation), (SetupStage::Complete, 1));
}

#[test]
fn reset_opens_setup_once_and_always_wants_a_token() {
    let f = Fixture::new();
    assert_eq!(
        code(f.keyplate.reset_setup(1)),
        ErrorCode::Conflict,
        "it is open already"
    );
    let ann = f.administrator("ann");
    let key = f.key(&ann, &["*", "roles:write"]);
    let bob = f.administrator("bob"); // he was one once
    let his = f.key(&bob, &["*", "roles:write"]);
    f.keyplate.set_user_role(&bob.id, Role::User).unwrap();
    let lapses = keyplate::UserChanges {
        expiry: Some(keyplate::Expiry::At {
            time: f.in_seconds(9),
        }),
        ..Default::default()
    };
    f.keyplate.update_user(&bob.id, lapses).unwrap();
    for wrong in [0, 2, u32::MAX] {
        assert_eq!(
            refusal(f.keyplate.reset_setup(wrong)),
            (ErrorCode::Conflict, Some("generation".to_owned()))
        );
    }
    assert_eq!(
        code(f.acting(key.secret.as_str()).reset_setup(1)),
        ErrorCode::PermissionDenied
    );
    let state = f.keyplate.reset_setup(1).unwrap();
    assert_eq!(
        (state.stage, state.generation),
        (SetupStage::Uninitialised, 2)
    );
    assert_eq!(
        code(f.keyplate.reset_setup(1)),
        ErrorCode::Conflict,
        "used once"
    );
    assert_eq!(code(f.keyplate.reset_setup(2)), ErrorCode::Conflict);
    assert!(f.heard.kinds().contains(&EventKind::SetupReset));

    // The claim may name an existing user, who keeps his data.
    f.keyplate.disable_user(&bob.id).unwrap();
    let claim = || NewAdmin {
        existing_user_id: Some(bob.id),
        ..NewAdmin::default()
    };
    assert_eq!(
        code(f.keyplate.claim_setup(None, claim())),
        ErrorCode::InvalidCredential,
        "the host too needs a token"
    );
    let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
    let claimed = f.stranger().claim_setup(Some(token), claim()).unwrap();
    assert_eq!(
        (
            claimed.user.id,
            claimed.user.username.as_str(),
            claimed.user.role
        ),
        (bob.id, "bob", Role::Administrator)
    );
    assert_eq!(claimed.user.expires_at, None);
    assert_eq!(
        f.keyplate.verify_api_key(his.secret.as_str()).unwrap().role,
        Role::User,
        "a key from before gains nothing"
    );
    f.acting(claimed.secret.as_str()).complete_setup().unwrap();
    assert!(
        f.keyplate.verify_api_key(key.secret.as_str()).is_ok(),
        "others keep what they have"
    );
}

#[test]
fn reset_ends_the_setup_sessions_and_the_token_of_a_claim() {
    let f = Fixture::new();
    let claimed = f.claim();
    let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
    f.keyplate.reset_setup(1).unwrap();
    assert_eq!(
        code(f.keyplate.verify_session(claimed.secret.as_str())),
        ErrorCode::InvalidCredential
    );
    assert_eq!(
        code(f.stranger().claim_setup(Some(token), admin("eve"))),
        ErrorCode::InvalidCredential
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
