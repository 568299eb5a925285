//! What completes setup, and that it stays so.

use keyplate::{ErrorCode, EventKind, NewUser, Role, SetupStage, SignInMethod, UserQuery};

use crate::common::*;

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
