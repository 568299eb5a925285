//! P2: a genuine answer spends its ceremony, whatever comes of it, in one commit with what it grants. No other answer
//! changes anything.

use keyplate::{
    AuditQuery, CounterPolicy, ErrorCode, EventKind, PasskeyFailure, SettingsChanges, SignupMode,
};
use keyplate_testkit::{SignatureSpoil, Spoil};

use super::kinds::{Kind, begin, finish};
use crate::common::{
    passkeys::{Person, reason},
    signups::*,
    *,
};

/// Why a ceremony of this kind that was spent is refused.
fn spent(kind: Kind) -> PasskeyFailure {
    match kind {
        Kind::Login => PasskeyFailure::SpentChallenge,
        _ => PasskeyFailure::UnknownCeremony,
    }
}

#[test]
fn a_refused_answer_leaves_the_ceremony_and_a_genuine_one_spends_it() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::Open);
    let (mut bob, _, session) = f.person(&f.user("bob"));
    let acting = f.acting(session.secret.as_str());
    for kind in Kind::ALL {
        let begun = begin(&f, &acting, kind, "eve");
        let elsewhere = Spoil {
            origin: Some("https://evil.example".to_owned()),
            ..Spoil::default()
        };
        let mut refused = vec![
            ("{}".to_owned(), PasskeyFailure::Malformed),
            (
                kind.spoilt(&mut bob, &begun, &elsewhere),
                PasskeyFailure::WrongOrigin,
            ),
        ];
        if matches!(kind, Kind::Login | Kind::StepUp) {
            let unsigned = Spoil {
                signature: Some(SignatureSpoil::Corrupted),
                ..Spoil::default()
            };
            let unknown = Spoil {
                credential_id: Some(vec![9; 16]),
                ..Spoil::default()
            };
            refused.extend([
                (
                    kind.spoilt(&mut bob, &begun, &unsigned),
                    PasskeyFailure::BadSignature,
                ),
                (
                    kind.spoilt(&mut bob, &begun, &unknown),
                    PasskeyFailure::UnknownCredential,
                ),
            ]);
        }
        for (answer, expected) in refused {
            let result = finish(&f, &acting, kind, &begun.ceremony, &answer);
            assert_eq!(reason(result), expected, "{kind:?}");
        }
        let answer = kind.answer(&mut bob, &begun);
        finish(&f, &acting, kind, &begun.ceremony, &answer).unwrap();
        let again = finish(&f, &acting, kind, &begun.ceremony, &answer);
        assert_eq!(reason(again), spent(kind), "{kind:?}");
    }
}

/// A signature is genuine, whoever may not sign in by it.
#[test]
fn a_genuine_answer_of_who_may_not_sign_in_is_spent() {
    let f = Fixture::new();
    let user = f.user("bob");
    let (mut bob, passkey, _) = f.person(&user);
    f.keyplate.disable_user(&user.id).unwrap();
    let login = f.stranger().begin_passkey_login().unwrap();
    let answer = bob.get(&login, &Spoil::default());
    let finish = || f.stranger().finish_passkey_login(&login.ceremony, &answer);
    assert_eq!(code(finish()), ErrorCode::AccountDisabled);
    f.keyplate.enable_user(&user.id).unwrap();
    assert_eq!(reason(finish()), PasskeyFailure::SpentChallenge);
    // Nothing else has come of it.
    let now = f.keyplate.list_passkeys(None).unwrap().remove(0);
    assert_eq!(now.last_used_at, passkey.last_used_at);
    let kinds = f.heard.kinds();
    assert!(!kinds.contains(&EventKind::PasskeySignedIn));
    assert!(kinds.contains(&EventKind::SignInRefused));
}

/// P3: what is noted of a passkey stays, although nothing is granted.
#[test]
fn a_counter_that_is_refused_is_noted_and_spent() {
    let f = Fixture::new();
    let (mut bob, _, session) = f.person(&f.user("bob"));
    let acting = f.acting(session.secret.as_str());
    bob.log_in(&f.stranger()).unwrap();
    let changes = SettingsChanges {
        counter_policy: Some(CounterPolicy::Deny),
        ..SettingsChanges::default()
    };
    f.keyplate.update_settings(changes).unwrap();
    let back = Spoil {
        counter: Some(1),
        ..Spoil::default()
    };
    for kind in [Kind::Login, Kind::StepUp] {
        f.clock.advance(10);
        let begun = begin(&f, &acting, kind, "");
        let answer = kind.spoilt(&mut bob, &begun, &back);
        let refused = finish(&f, &acting, kind, &begun.ceremony, &answer);
        assert_eq!(reason(refused), PasskeyFailure::CounterWentBack);
        let again = finish(&f, &acting, kind, &begun.ceremony, &answer);
        assert_eq!(reason(again), spent(kind), "{kind:?}");
        let noted = f.keyplate.list_passkeys(None).unwrap().remove(0);
        assert_eq!(noted.counter_went_back_at, Some(f.now()), "{kind:?}");
    }
}

/// S4: what was begun of the account is undone, and the ceremony is spent.
#[test]
fn a_genuine_sign_up_that_is_refused_is_spent_and_makes_nothing() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::Open);
    let (bob, ..) = f.person(&f.user("bob"));
    let taken = Spoil {
        credential_id: Some(bob.authenticator.credentials[0].id.clone()),
        ..Spoil::default()
    };
    let stranger = f.stranger();
    let by_name = stranger.begin_passkey_signup(signup("eve", None)).unwrap();
    let by_passkey = stranger.begin_passkey_signup(signup("ann", None)).unwrap();
    f.user("eve");
    f.heard.0.lock().unwrap().clear();
    let before = crate::common::plans::everything(&f.path());
    for (begun, spoil, expected) in [
        (by_name, Spoil::default(), ErrorCode::Conflict),
        (by_passkey, taken, ErrorCode::PasskeyCeremonyFailed),
    ] {
        let answer = Person::new().create(&begun, &spoil);
        let refused = stranger.finish_passkey_signup(&begun.ceremony, &answer);
        assert_eq!(code(refused), expected);
        let again = stranger.finish_passkey_signup(&begun.ceremony, &answer);
        assert_eq!(reason(again), PasskeyFailure::UnknownCeremony);
    }
    let mut after = crate::common::plans::everything(&f.path());
    for (table, rows) in before {
        if !["instance", "ceremonies", "audit", "sqlite_sequence"].contains(&table.as_str()) {
            assert_eq!(after.remove(&table), Some(rows), "{table}");
        }
    }
    assert!(!f.heard.kinds().contains(&EventKind::UserSignedUp));
}

/// The file and its log.
fn bytes(f: &Fixture) -> [u64; 2] {
    let wal = f.folder.path().join("id.db-wal");
    [f.path(), wal].map(|path| std::fs::metadata(path).map_or(0, |file| file.len()))
}

#[test]
fn ten_thousand_refused_answers_write_nothing() {
    const ANSWERS: usize = 10_000;
    let f = Fixture::new();
    set_mode(&f, SignupMode::Open);
    let (mut bob, _, session) = f.person(&f.user("bob"));
    let acting = f.acting(session.secret.as_str());
    let unsigned = Spoil {
        signature: Some(SignatureSpoil::OtherKey),
        ..Spoil::default()
    };
    let elsewhere = Spoil {
        origin: Some("https://evil.example".to_owned()),
        ..Spoil::default()
    };
    let spent = f.stranger().begin_passkey_login().unwrap();
    let genuine = bob.get(&spent, &Spoil::default());
    f.stranger()
        .finish_passkey_login(&spent.ceremony, &genuine)
        .unwrap();
    let late = f.stranger().begin_passkey_login().unwrap();
    let too_late = bob.get(&late, &Spoil::default());
    f.clock.advance(300);
    let mut tries = vec![
        (Kind::Login, spent.ceremony.clone(), genuine.clone()),
        (Kind::Login, late.ceremony, too_late),
        (Kind::Login, "login.1.AAAA".to_owned(), genuine.clone()),
    ];
    for kind in Kind::ALL {
        let begun = begin(&f, &acting, kind, "eve").ceremony;
        tries.extend(["", "{}", "\u{0}", &genuine].map(|text| (kind, begun.clone(), text.into())));
        let another = begin(&f, &acting, kind, "eva");
        let answer = kind.spoilt(&mut bob, &another, &elsewhere);
        tries.push((kind, another.ceremony.clone(), answer));
        tries.push((kind, another.ceremony.clone(), "[".repeat(100_000)));
        tries.push((kind, "registration.x".to_owned(), genuine.clone()));
    }
    let cheap = tries.len();
    // These cost a verification.
    for kind in [Kind::Login, Kind::StepUp] {
        let begun = begin(&f, &acting, kind, "");
        let answer = kind.spoilt(&mut bob, &begun, &unsigned);
        tries.push((kind, begun.ceremony, answer));
    }
    // Whatever waited is written now.
    let refused_before = refusals(&f);
    let before = bytes(&f);
    for number in 0..ANSWERS {
        let costly = number.is_multiple_of(100);
        let number = match costly {
            true => cheap + number / 100 % 2,
            false => number % cheap,
        };
        let (kind, ceremony, answer) = &tries[number];
        let result = finish(&f, &acting, *kind, ceremony, answer);
        assert_eq!(code(result), ErrorCode::PasskeyCeremonyFailed);
    }
    assert_eq!(bytes(&f), before);
    // A1: they are counted all the same, and there for who looks.
    assert_eq!(refusals(&f) - refused_before, ANSWERS as i64);
}

fn refusals(f: &Fixture) -> i64 {
    let kinds = [
        EventKind::SignInRefused,
        EventKind::StepUpRefused,
        EventKind::PasskeyRegistrationRefused,
        EventKind::SignupRefused,
    ];
    let count = |kind| {
        let query = AuditQuery {
            kind: Some(kind),
            ..AuditQuery::default()
        };
        let events = f.keyplate.list_audit_events(query).unwrap().items;
        events.iter().map(|event| event.count).sum::<i64>()
    };
    kinds.map(count).iter().sum()
}

/// A1: a refusal that is only counted does not wait for long in a process that is used.
#[test]
fn a_counted_refusal_is_written_when_a_credential_is_used() {
    let f = Fixture::new();
    let session = f.session(&f.user("bob"));
    let use_it = || drop(f.keyplate.verify_session(session.secret.as_str()).unwrap());
    use_it();
    let refused = f.stranger().finish_passkey_login("login.x", "{}");
    assert_eq!(reason(refused), PasskeyFailure::UnknownCeremony);
    use_it();
    assert!(!f.heard.kinds().contains(&EventKind::SignInRefused));
    f.clock.advance(61);
    use_it();
    assert!(f.heard.kinds().contains(&EventKind::SignInRefused));
}
