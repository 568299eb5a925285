//! Setup opened again.

use keyplate::{ErrorCode, EventKind, NewAdmin, Role, SetupStage};

use crate::common::*;

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
