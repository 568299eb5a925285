//! What a step-up gives, and for how long.

use keyplate::{ErrorCode, EventKind, PasskeyFailure, SettingsChanges, SignInMethod};
use keyplate_testkit::Spoil;

use super::{HOUR, make_key};
use crate::common::{
    passkeys::{Person, reason},
    *,
};

#[test]
fn a_step_up_gives_a_new_token_and_the_old_one_is_dead() {
    let f = Fixture::new();
    let (mut ann, _, first) = f.person(&f.administrator("ann"));
    f.clock.advance(HOUR);
    let acting = f.acting(first.secret.as_str());
    let other = f.session(&first.user);
    let second = ann.step_up(&acting).unwrap();

    assert_eq!(second.session.id, first.session.id);
    assert_eq!(second.session.signed_in_at, first.session.signed_in_at);
    assert_eq!(second.session.expires_at, first.session.expires_at);
    assert_eq!(second.session.stepped_up_at, Some(f.now()));
    assert_ne!(second.session.masked_secret, first.session.masked_secret);
    for keyplate in [&f.keyplate, &f.open_again()] {
        let dead = keyplate.verify_session(first.secret.as_str());
        assert_eq!(code(dead), ErrorCode::InvalidCredential);
        keyplate.verify_session(second.secret.as_str()).unwrap();
        keyplate.verify_session(other.secret.as_str()).unwrap();
    }
    let stepped_up = || {
        let kinds = f.heard.kinds();
        let stepped_up = kinds.iter().filter(|kind| **kind == EventKind::SteppedUp);
        stepped_up.count()
    };
    assert_eq!(stepped_up(), 1);

    // A session by other means is stepped up in the same way, and is still of its method.
    let third = ann.step_up(&f.acting(other.secret.as_str())).unwrap();
    assert_eq!(third.session.method, SignInMethod::Host);
    make_key(&f.acting(third.secret.as_str()), "*").unwrap();
    assert_eq!(stepped_up(), 2);
}

#[test]
fn a_step_up_wants_ones_own_passkey_and_session() {
    let f = Fixture::new();
    let (mut ann, _, first) = f.person(&f.administrator("ann"));
    let (mut bob, _, bobs) = f.person(&f.user("bob"));
    let acting = f.acting(first.secret.as_str());
    let by_bob = f.acting(bobs.secret.as_str());

    // Another's passkey, though his answer is to his own ceremony's challenge.
    let ceremony = acting.begin_step_up().unwrap();
    let bobs_ceremony = f.stranger().begin_passkey_login().unwrap();
    let response = bob.get(&bobs_ceremony, &Spoil::default());
    let refused = acting.finish_step_up(&ceremony.ceremony, &response);
    assert_eq!(reason(refused), PasskeyFailure::UnknownCredential);

    // Another's ceremony, or that of another session; neither spends it.
    let ceremony = acting.begin_step_up().unwrap();
    let response = ann.get(&ceremony, &Spoil::default());
    let second = f.acting(f.session(&first.user).secret.as_str());
    for stranger in [&by_bob, &second] {
        let refused = stranger.finish_step_up(&ceremony.ceremony, &response);
        assert_eq!(reason(refused), PasskeyFailure::WrongUser);
    }
    acting
        .finish_step_up(&ceremony.ceremony, &response)
        .unwrap();

    let key = f.acting(f.key(&first.user, &["*", "roles:write"]).secret.as_str());
    assert_eq!(code(key.begin_step_up()), ErrorCode::PermissionDenied);
    assert_eq!(
        code(f.keyplate.begin_step_up()),
        ErrorCode::PermissionDenied
    );
    let eve = f.acting(f.session(&f.user("eve")).secret.as_str());
    assert_eq!(code(eve.begin_step_up()), ErrorCode::NotFound);
}

#[test]
fn a_session_that_ended_steps_up_no_more() {
    let f = Fixture::new();
    let (mut ann, _, first) = f.person(&f.user("ann"));
    let acting = f.acting(first.secret.as_str());
    let ceremony = acting.begin_step_up().unwrap();
    let response = ann.get(&ceremony, &Spoil::default());
    f.keyplate.revoke_session(&first.session.id).unwrap();
    let refused = acting.finish_step_up(&ceremony.ceremony, &response);
    assert_eq!(code(refused), ErrorCode::InvalidCredential);
}

#[test]
fn the_setting_says_how_long_it_lasts() {
    let f = Fixture::new();
    let set = |seconds: u32| {
        f.keyplate.update_settings(SettingsChanges {
            step_up_seconds: Some(seconds),
            ..SettingsChanges::default()
        })
    };
    let (mut ann, _, first) = f.person(&f.administrator("ann"));
    let acting = f.acting(first.secret.as_str());
    f.clock.advance(59);
    set(60).unwrap();
    make_key(&acting, "*").unwrap();
    make_key(&acting, "library:stream").unwrap();
    f.clock.advance(1);
    for scope in ["*", "library:stream"] {
        assert_eq!(code(make_key(&acting, scope)), ErrorCode::StepUpRequired);
    }
    let stepped_up = ann.step_up(&acting).unwrap();
    let acting = f.acting(stepped_up.secret.as_str());
    make_key(&acting, "*").unwrap();
    f.clock.advance(60);
    assert_eq!(code(make_key(&acting, "*")), ErrorCode::StepUpRequired);
    set(24 * 3_600).unwrap();
    f.clock.advance(24 * HOUR - 61);
    make_key(&acting, "*").unwrap();
    f.clock.advance(1);
    assert_eq!(code(make_key(&acting, "*")), ErrorCode::StepUpRequired);
    assert_eq!(code(set(59)), ErrorCode::InvalidInput);
    assert_eq!(code(set(24 * 3_600 + 1)), ErrorCode::InvalidInput);
}

#[test]
fn an_old_session_does_not_make_itself_fresh_by_the_setting() {
    let f = Fixture::new();
    let (mut ann, _, first) = f.person(&f.administrator("ann"));
    let longer = SettingsChanges {
        step_up_seconds: Some(24 * 3_600),
        ..SettingsChanges::default()
    };
    f.clock.advance(HOUR);
    let acting = f.acting(first.secret.as_str());
    let refused = acting.update_settings(longer.clone());
    assert_eq!(code(refused), ErrorCode::StepUpRequired);
    assert_eq!(code(make_key(&acting, "*")), ErrorCode::StepUpRequired);
    let stepped_up = ann.step_up(&acting).unwrap();
    let acting = f.acting(stepped_up.secret.as_str());
    acting.update_settings(longer).unwrap();
}

#[test]
fn freshness_is_asked_for_again_at_the_end() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let (_, _, first) = f.person(&ann);
    let acting = f.acting(first.secret.as_str());
    f.clock.advance(HOUR - 1);
    let mut second = Person::new();
    let ceremony = acting.begin_passkey_registration().unwrap();
    let response = second.create(&ceremony, &Spoil::default());
    f.clock.advance(1);
    let late = acting.finish_passkey_registration(&ceremony.ceremony, &response, None);
    assert_eq!(code(late), ErrorCode::StepUpRequired);

    // Two sessions begin with what would be the first passkey of each: only one of them is.
    let bob = f.user("bob");
    let sessions = [f.session(&bob), f.session(&bob)];
    let begun = sessions.map(|session| {
        let acting = f.acting(session.secret.as_str());
        let ceremony = acting.begin_passkey_registration().unwrap();
        let response = Person::new().create(&ceremony, &Spoil::default());
        (acting, ceremony, response)
    });
    let outcomes = begun.map(|(acting, ceremony, response)| {
        let finished = acting.finish_passkey_registration(&ceremony.ceremony, &response, None);
        finished.err().map(|error| error.code())
    });
    assert_eq!(outcomes, [None, Some(ErrorCode::StepUpRequired)]);
}

#[test]
fn a_clock_that_goes_back_makes_nothing_fresh() {
    let f = Fixture::new();
    let (_, _, first) = f.person(&f.administrator("ann"));
    f.clock.advance(HOUR);
    let acting = f.acting(first.secret.as_str());
    f.user("bob"); // commits the time (C5)
    f.clock.back(HOUR);
    assert_eq!(code(make_key(&acting, "*")), ErrorCode::StepUpRequired);
}
