//! Signing in by a passkey, and its counter.

use keyplate::{CounterPolicy, EventKind, PasskeyFailure, SettingsChanges};
use keyplate_testkit::{SignatureSpoil, Spoil, UserHandleSpoil};

use super::spoils_of_both;
use crate::common::{
    passkeys::{ORIGIN, Person, reason},
    *,
};

#[test]
fn a_spoilt_sign_in_is_refused_with_its_reason() {
    let f = Fixture::new();
    let (mut bob, ..) = f.person(&f.user("bob"));
    let other = Spoil::default;
    let mut spoils = spoils_of_both();
    spoils.extend([
        (
            "a registration's client data",
            Spoil {
                client_data_type: Some("webauthn.create".to_owned()),
                ..other()
            },
            PasskeyFailure::WrongType,
        ),
        (
            "a flipped bit",
            Spoil {
                signature: Some(SignatureSpoil::Corrupted),
                ..other()
            },
            PasskeyFailure::BadSignature,
        ),
        (
            "another key",
            Spoil {
                signature: Some(SignatureSpoil::OtherKey),
                ..other()
            },
            PasskeyFailure::BadSignature,
        ),
        (
            "no signature",
            Spoil {
                signature: Some(SignatureSpoil::Empty),
                ..other()
            },
            PasskeyFailure::BadSignature,
        ),
        (
            "no handle",
            Spoil {
                user_handle: Some(UserHandleSpoil::Removed),
                ..other()
            },
            PasskeyFailure::WrongUserHandle,
        ),
        (
            "another handle",
            Spoil {
                user_handle: Some(UserHandleSpoil::Replaced(vec![1; 32])),
                ..other()
            },
            PasskeyFailure::WrongUserHandle,
        ),
        (
            "an unknown credential",
            Spoil {
                credential_id: Some(vec![9; 16]),
                ..other()
            },
            PasskeyFailure::UnknownCredential,
        ),
    ]);
    for (what, spoil, expected) in spoils {
        let mut clone = Person {
            authenticator: bob.authenticator.clone(),
            origin: ORIGIN.to_owned(),
        };
        let result = clone.log_in_spoilt(&f.stranger(), &spoil);
        assert_eq!(reason(result), expected, "{what}");
        f.clock.advance(60); // each refusal has a row of its own
    }
    assert!(bob.log_in(&f.stranger()).is_ok());
    assert!(f.heard.kinds().contains(&EventKind::SignInRefused));
}

#[test]
fn beginning_to_sign_in_leaves_nothing_behind() {
    let f = Fixture::new();
    let stranger = f.stranger();
    stranger.begin_passkey_login().unwrap(); // the day's key
    let pages = || {
        std::fs::metadata(f.path()).unwrap().len()
            + std::fs::metadata(f.folder.path().join("id.db-wal")).map_or(0, |wal| wal.len())
    };
    let before = pages();
    for _ in 0..1_000 {
        stranger.begin_passkey_login().unwrap();
    }
    assert_eq!(pages(), before);
}

/// P3.
#[test]
fn a_counter_that_goes_back_is_noted_and_refused_on_demand() {
    let f = Fixture::new();
    let (mut bob, passkey, _) = f.person(&f.user("bob"));
    bob.log_in(&f.stranger()).unwrap();
    let mut clone = Person {
        authenticator: bob.authenticator.clone(),
        origin: ORIGIN.to_owned(),
    };
    bob.log_in(&f.stranger()).unwrap();
    let get = || f.keyplate.list_passkeys(None).unwrap().remove(0);
    assert_eq!(get().counter_went_back_at, None);

    f.clock.advance(10);
    clone.log_in(&f.stranger()).unwrap();
    assert_eq!(get().counter_went_back_at, Some(f.now()));
    assert_eq!(get().id, passkey.id);
    let noted = || {
        let kinds = f.heard.kinds();
        kinds
            .iter()
            .filter(|kind| **kind == EventKind::PasskeyCounterWentBack)
            .count()
    };
    assert_eq!(noted(), 1);

    f.keyplate
        .update_settings(SettingsChanges {
            counter_policy: Some(CounterPolicy::Deny),
            ..SettingsChanges::default()
        })
        .unwrap();
    f.clock.advance(10);
    let spoil = Spoil {
        counter: Some(1),
        ..Spoil::default()
    };
    let refused = clone.log_in_spoilt(&f.stranger(), &spoil);
    assert_eq!(reason(refused), PasskeyFailure::CounterWentBack);
    assert_eq!((get().counter_went_back_at, noted()), (Some(f.now()), 2));
    assert_eq!(
        f.keyplate.list_sessions(Default::default()).unwrap().total,
        4
    );
    bob.log_in(&f.stranger()).unwrap();
}

#[test]
fn a_passkey_imported_by_a_manager_that_does_not_count_works_on() {
    let f = Fixture::new();
    let (mut bob, ..) = f.person(&f.user("bob"));
    bob.log_in(&f.stranger()).unwrap();
    bob.authenticator.counts = false;
    bob.authenticator.credentials[0].counter = 0;
    bob.log_in(&f.stranger()).unwrap();
    bob.log_in(&f.stranger()).unwrap();
    let kinds = f.heard.kinds();
    let noted = kinds
        .iter()
        .filter(|kind| **kind == EventKind::PasskeyCounterWentBack);
    assert_eq!(noted.count(), 1, "from then on it is known not to count");
}
