//! B4, B5 and S7 where passkeys come in: the first administrator's first passkey ends setup.

use keyplate::{
    ErrorCode, EventKind, NewAdmin, PasskeyFailure, Role, SetupStage, SignInMethod, SignedIn,
    SignupMode, User,
};
use keyplate_testkit::Spoil;

use crate::common::{
    passkeys::{Person, reason},
    signups::{set_mode, signup},
    *,
};

fn stage(f: &Fixture) -> SetupStage {
    f.keyplate.get_setup_state().unwrap().stage
}

/// Setup opened again, for a user who is there.
fn claim_again(f: &Fixture, generation: i64, user: &User) -> SignedIn {
    f.keyplate.reset_setup(generation).unwrap();
    let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
    let named = NewAdmin {
        existing_user_id: Some(user.id),
        ..NewAdmin::default()
    };
    f.stranger().claim_setup(Some(token), named).unwrap()
}

#[test]
fn the_first_passkey_completes_setup() {
    let f = Fixture::new();
    let token = f.keyplate.create_setup_token().unwrap().secret.reveal();
    let stranger = f.stranger();
    let first = stranger.claim_setup(Some(token.clone()), admin("ann"));
    let first = first.unwrap();
    // Resumed once: the token is good for that until the passkey is there.
    let claimed = stranger.resume_setup(Some(token.clone())).unwrap();
    let dead = f.keyplate.verify_session(first.secret.as_str());
    assert_eq!(code(dead), ErrorCode::InvalidCredential);
    let acting = f.acting(claimed.secret.as_str());
    let mine = acting.create_api_key(new_key(None, &["*"])).unwrap();
    let revoked = acting.create_api_key(new_key(None, &["*"])).unwrap();
    f.keyplate.revoke_api_key(&revoked.api_key.id).unwrap();
    let bobs = f.key(&f.user("bob"), &["library:stream"]);
    let mut ann = Person::new();
    let begun = acting.begin_passkey_registration().unwrap();
    assert_eq!(stage(&f), SetupStage::Claimed);
    let answer = ann.create(&begun, &Spoil::default());
    let registered = acting
        .finish_passkey_registration(&begun.ceremony, &answer, None)
        .unwrap();

    assert_eq!(stage(&f), SetupStage::Complete);
    let listed = registered.setup.unwrap().api_keys;
    assert_eq!(listed.len(), 2);
    assert!(listed.contains(&mine.api_key) && listed.contains(&bobs.api_key));
    f.keyplate.verify_api_key(mine.secret.as_str()).unwrap();
    let now = registered.signed_in.unwrap();
    assert_eq!(now.session.method, SignInMethod::Passkey);
    assert_eq!(now.session.stepped_up_at, Some(f.now()));
    f.acting(now.secret.as_str())
        .set_user_role(&bobs.api_key.owner_id, Role::Administrator)
        .expect("he is wholly an administrator");

    let dead = f.keyplate.verify_session(claimed.secret.as_str());
    assert_eq!(code(dead), ErrorCode::InvalidCredential);
    assert_eq!(
        code(acting.list_passkeys(None)),
        ErrorCode::InvalidCredential
    );
    let over = ErrorCode::SetupAlreadyComplete;
    let again = stranger.claim_setup(Some(token.clone()), admin("eve"));
    assert_eq!(code(again), over);
    assert_eq!(code(stranger.resume_setup(Some(token))), over);
    assert_eq!(code(f.keyplate.resume_setup(None)), over);
    assert_eq!(code(f.keyplate.create_setup_token()), over);
    let kinds = f.heard.kinds();
    let together = [EventKind::PasskeyRegistered, EventKind::SetupCompleted];
    assert!(kinds.windows(2).any(|pair| pair == together), "{kinds:?}");
    ann.log_in(&stranger).unwrap();
}

#[test]
fn a_spoilt_answer_or_another_users_passkey_completes_nothing() {
    let f = Fixture::new();
    let claimed = f.claim();
    let acting = f.acting(claimed.secret.as_str());
    let spoilt = Spoil {
        no_user_verification: true,
        ..Spoil::default()
    };
    let refused = Person::new().register_spoilt(&acting, &spoilt);
    assert_eq!(reason(refused), PasskeyFailure::UserNotVerified);
    f.keyplate.verify_session(claimed.secret.as_str()).unwrap();
    f.person(&f.user("bob"));
    assert_eq!(stage(&f), SetupStage::Claimed);
    assert!(Person::new().register(&acting).unwrap().setup.is_some());
    let (.., session) = f.person(&f.administrator("cid"));
    assert_eq!(session.session.method, SignInMethod::Passkey);
}

/// Also by a code, when it is that administrator's: what counts is who, not by which session.
#[test]
fn by_another_session_of_his_too() {
    let f = Fixture::new();
    let claimed = f.claim();
    let (_, _, session) = f.person(&claimed.user);
    assert_eq!(stage(&f), SetupStage::Complete);
    let dead = f.keyplate.verify_session(claimed.secret.as_str());
    assert_eq!(code(dead), ErrorCode::InvalidCredential);
    f.keyplate.verify_session(session.secret.as_str()).unwrap();
}

#[test]
fn completed_meanwhile_the_setup_session_registers_nothing() {
    let f = Fixture::new();
    let claimed = f.claim();
    let acting = f.acting(claimed.secret.as_str());
    let begun = acting.begin_passkey_registration().unwrap();
    let answer = Person::new().create(&begun, &Spoil::default());
    f.keyplate.complete_setup().unwrap();
    let late = acting.finish_passkey_registration(&begun.ceremony, &answer, None);
    assert_eq!(code(late), ErrorCode::InvalidCredential);
    assert!(f.keyplate.list_passkeys(None).unwrap().is_empty());
}

#[test]
fn after_a_reset_a_user_with_an_old_passkey_registers_another() {
    let f = Fixture::new();
    f.person(&f.administrator("root"));
    // He was an administrator before, and has a session from then.
    let bob = f.administrator("bob");
    let (mut lost, old, by_old) = f.person(&bob);
    f.keyplate.set_user_role(&bob.id, Role::User).unwrap();
    let key = f.key(&bob, &["library:stream"]);
    f.clock.advance(7_200);
    let claimed = claim_again(&f, 1, &bob);
    assert_eq!(claimed.user.role, Role::Administrator);
    assert_eq!(claimed.session.method, SignInMethod::Setup);
    // It does not become an administrator's again (K2).
    let before = f.keyplate.authenticate(by_old.secret.as_str()).unwrap();
    assert_eq!(before.role, Role::User);

    let acting = f.acting(claimed.secret.as_str());
    let refused = acting.delete_passkey(&old.id);
    assert_eq!(code(refused), ErrorCode::StepUpRequired);
    let mut again = Person::new();
    let registered = again.register(&acting).unwrap();
    assert_eq!(stage(&f), SetupStage::Complete);
    assert_eq!(registered.setup.unwrap().api_keys, [key.api_key]);
    let dead = f.keyplate.verify_session(claimed.secret.as_str());
    assert_eq!(code(dead), ErrorCode::InvalidCredential);
    let now = registered.signed_in.unwrap();
    let acting = f.acting(now.secret.as_str());
    acting.delete_passkey(&old.id).unwrap();
    assert!(lost.log_in(&f.stranger()).is_err());
    let signed_in = again.log_in(&f.stranger()).unwrap();
    assert_eq!(signed_in.user.role, Role::Administrator);
}

#[test]
fn his_old_passkey_completes_nothing_but_still_signs_in() {
    let f = Fixture::new();
    let bob = f.administrator("bob");
    let (mut person, ..) = f.person(&bob);
    let claimed = claim_again(&f, 1, &bob);
    person.log_in(&f.stranger()).unwrap();
    assert_eq!(stage(&f), SetupStage::Claimed);
    f.keyplate.verify_session(claimed.secret.as_str()).unwrap();
    f.keyplate.complete_setup().unwrap();
    // A second time it works in the same way, under the next generation.
    let claimed = claim_again(&f, 2, &bob);
    let acting = f.acting(claimed.secret.as_str());
    assert!(Person::new().register(&acting).unwrap().setup.is_some());
}

#[test]
fn a_pending_users_passkey_completes_no_setup() {
    let f = Fixture::new();
    f.claim();
    set_mode(&f, SignupMode::Open);
    let approval = keyplate::SettingsChanges {
        signup_approval: Some(true),
        ..Default::default()
    };
    f.keyplate.update_settings(approval).unwrap();
    let signed_in = f.stranger().sign_up(signup("bob", None)).unwrap();
    let acting = f.enrolling(signed_in.secret.as_str());
    let registered = Person::new().register(&acting).unwrap();
    assert!(registered.setup.is_none() && registered.signed_in.is_none());
    let signed_in = Person::new().sign_up(&f.stranger(), signup("cid", None));
    assert_eq!(signed_in.unwrap().session.method, SignInMethod::SignUp);
    assert_eq!(stage(&f), SetupStage::Claimed);
}
