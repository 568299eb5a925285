//! A ceremony is finished once, in time, and by whom it was begun for.

use keyplate::{ClientInfo, PasskeyFailure};
use keyplate_testkit::Spoil;

use crate::common::{
    passkeys::{Person, reason},
    *,
};

/// P2.
#[test]
fn a_ceremony_is_used_once_and_in_time() {
    let f = Fixture::new();
    let (mut bob, _, session) = f.person(&f.user("bob"));
    let acting = f.acting(session.secret.as_str());
    let stranger = f.stranger();

    let login = stranger.begin_passkey_login().unwrap();
    let response = bob.get(&login, &Spoil::default());
    stranger
        .finish_passkey_login(&login.ceremony, &response)
        .unwrap();
    let again = stranger.finish_passkey_login(&login.ceremony, &response);
    assert_eq!(reason(again), PasskeyFailure::SpentChallenge);

    // The same bytes written otherwise are the same ceremony.
    for ceremony in [
        login.ceremony.clone(),
        login.ceremony.replacen("login.", "login.0", 1),
    ] {
        let late = stranger.finish_passkey_login(&ceremony, &response);
        assert_eq!(reason(late), PasskeyFailure::SpentChallenge);
    }

    let registration = acting.begin_passkey_registration().unwrap();
    let mut phone = Person::new();
    let response = phone.create(&registration, &Spoil::default());
    let finish = || acting.finish_passkey_registration(&registration.ceremony, &response, None);
    finish().unwrap();
    assert_eq!(reason(finish()), PasskeyFailure::UnknownCeremony);

    for begun in ["login", "registration", "step-up"] {
        let ceremony = match begun {
            "login" => stranger.begin_passkey_login(),
            "registration" => acting.begin_passkey_registration(),
            _ => acting.begin_step_up(),
        }
        .unwrap();
        let response = match begun {
            "registration" => Person::new().create(&ceremony, &Spoil::default()),
            _ => bob.get(&ceremony, &Spoil::default()),
        };
        f.clock.advance(300);
        let late = match begun {
            "login" => stranger
                .finish_passkey_login(&ceremony.ceremony, &response)
                .map(drop),
            "registration" => acting
                .finish_passkey_registration(&ceremony.ceremony, &response, None)
                .map(drop),
            _ => acting
                .finish_step_up(&ceremony.ceremony, &response)
                .map(drop),
        };
        assert_eq!(reason(late), PasskeyFailure::ExpiredCeremony, "{begun}");
    }
}

#[test]
fn a_ceremony_is_of_its_kind_user_and_database() {
    let f = Fixture::new();
    let (mut bob, _, session) = f.person(&f.user("bob"));
    let acting = f.acting(session.secret.as_str());
    let (_, _, others) = f.person(&f.user("cid"));
    let other = f.acting(others.secret.as_str());
    let stranger = f.stranger();

    let login = stranger.begin_passkey_login().unwrap();
    let response = bob.get(&login, &Spoil::default());
    for result in [
        acting.finish_step_up(&login.ceremony, &response).map(drop),
        acting
            .finish_passkey_registration(&login.ceremony, &response, None)
            .map(drop),
        stranger
            .finish_passkey_signup(&login.ceremony, &response)
            .map(drop),
    ] {
        assert_eq!(reason(result), PasskeyFailure::WrongKind);
    }
    let step_up = acting.begin_step_up().unwrap();
    let response = bob.get(&step_up, &Spoil::default());
    assert_eq!(
        reason(stranger.finish_passkey_login(&step_up.ceremony, &response)),
        PasskeyFailure::WrongKind
    );
    assert_eq!(
        reason(other.finish_step_up(&step_up.ceremony, &response)),
        PasskeyFailure::WrongUser
    );
    // Another session of the same user.
    let second = bob.log_in(&stranger).unwrap();
    assert_eq!(
        reason(
            f.acting(second.secret.as_str())
                .finish_step_up(&step_up.ceremony, &response)
        ),
        PasskeyFailure::WrongUser
    );
    // Somebody else's trying has not spent it.
    acting.finish_step_up(&step_up.ceremony, &response).unwrap();

    let elsewhere = Fixture::new();
    let (mut eve, ..) = elsewhere.person(&elsewhere.user("bob"));
    let login = elsewhere.stranger().begin_passkey_login().unwrap();
    let response = eve.get(&login, &Spoil::default());
    assert_eq!(
        reason(stranger.finish_passkey_login(&login.ceremony, &response)),
        PasskeyFailure::UnknownCeremony
    );
    for nonsense in [
        "",
        "x",
        "login.",
        "login.1.",
        "login.1.AAAA",
        "registration.AAAA",
    ] {
        let expected = if nonsense.starts_with("registration") {
            PasskeyFailure::WrongKind
        } else {
            PasskeyFailure::UnknownCeremony
        };
        let result = stranger.finish_passkey_login(nonsense, &response);
        assert_eq!(reason(result), expected, "{nonsense:?}");
    }
}

#[test]
fn begun_by_one_handle_and_finished_by_another() {
    let f = Fixture::new();
    let (mut bob, ..) = f.person(&f.user("bob"));
    let second = f.open_again();
    for day in 0..3 {
        let login = f.stranger().begin_passkey_login().unwrap();
        let response = bob.get(&login, &Spoil::default());
        let stranger = second.anonymous(ClientInfo::default()).unwrap();
        stranger
            .finish_passkey_login(&login.ceremony, &response)
            .unwrap();
        // The key of the last minute of its day still opens.
        let late = stranger.begin_passkey_login().unwrap();
        f.clock.advance(299);
        let next = f.stranger().begin_passkey_login().unwrap();
        let response = bob.get(&late, &Spoil::default());
        f.stranger()
            .finish_passkey_login(&late.ceremony, &response)
            .unwrap();
        let response = bob.get(&next, &Spoil::default());
        stranger
            .finish_passkey_login(&next.ceremony, &response)
            .unwrap();
        f.clock.advance(24 * 3_600 - 299 - 299 - day);
    }
}
