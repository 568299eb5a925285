//! `reset_clock`: what ends, what is withdrawn, and what stays.

use keyplate::{
    ApiKeyQuery, ClockResetReport, ErrorCode, EventKind, KeyRotation, NewApiKey, NewSignupToken,
    Result, SignupMode,
};
use keyplate_testkit::Spoil;

use super::*;
use crate::common::{passkeys::Person, signups::set_mode};

/// Does something while the clock is 20 hours ahead.
fn meanwhile<T>(f: &Fixture, act: impl FnOnce() -> T) -> T {
    f.clock.ahead(20 * HOUR);
    let done = act();
    f.clock.back(20 * HOUR);
    done
}

fn verify(f: &Fixture, session: &str) -> Result<()> {
    f.keyplate.verify_session(session).map(drop)
}

fn ended<T: std::fmt::Debug>(result: Result<T>) -> bool {
    code(result) == ErrorCode::InvalidCredential
}

#[test]
fn sessions_of_that_time_end_and_others_live_as_long_as_they_should() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let open = |seconds| {
        let session = f.keyplate.create_session(&ann.id, client(), Some(seconds));
        session.unwrap().secret.reveal()
    };
    let (hour, month) = (open(3_600), open(30 * DAY as i64));
    let then = meanwhile(&f, || {
        assert!(ended(verify(&f, &hour)), "by the wrong time");
        verify(&f, &month).unwrap();
        f.user("bob"); // stores when it was used
        let again = f.open_again();
        let then = again.create_session(&ann.id, client(), None).unwrap();
        verify(&f, &month).unwrap(); // and this is noted only
        then.secret.reveal()
    });
    verify(&f, &then).unwrap();
    let report = f.keyplate.reset_clock().unwrap();
    assert_eq!((report.sessions, report.step_ups), (1, 0));
    assert_eq!(report.behind_seconds, 20 * HOUR as i64);
    assert!(ended(verify(&f, &then)));
    f.clock.advance(20 * HOUR + 1);
    assert!(ended(verify(&f, &then)), "when its time comes, too");

    // What was noted by the wrong time puts no idle time off.
    f.user("carol");
    f.clock.advance(7 * DAY - 20 * HOUR - 1);
    assert!(ended(verify(&f, &month)), "idle for a week");
    let idle = f.session(&ann).secret.reveal();
    meanwhile(&f, || {
        verify(&f, &idle).unwrap();
        f.user("dora");
        verify(&f, &idle).unwrap();
    });
    f.keyplate.reset_clock().unwrap();
    f.user("eve");
    f.clock.advance(7 * DAY - 1);
    let again = f.open_again();
    assert!(again.verify_session(&idle).is_ok());
    f.clock.advance(1);
    assert!(ended(verify(&f, &idle)));
}

/// P5.
#[test]
fn step_ups_of_that_time_are_withdrawn() {
    let f = Fixture::new();
    let (mut person, _, session) = f.person(&f.administrator("ann"));
    let secret = meanwhile(&f, || {
        let acting = f.acting(session.secret.as_str());
        person.step_up(&acting).unwrap().secret.reveal()
    });
    let report = f.keyplate.reset_clock().unwrap();
    assert_eq!((report.sessions, report.step_ups), (0, 1));
    for _ in 0..2 {
        let made = f.acting(&secret).create_api_key(new_key(None, &["*"]));
        assert_eq!(code(made), ErrorCode::StepUpRequired);
        f.clock.advance(20 * HOUR + 10); // when its time has come
    }
}

#[test]
fn tokens_of_that_time_end() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let make = || {
        let one = |seconds| {
            let made = f.keyplate.create_one_time_token(&ann.id, Some(seconds));
            made.unwrap().secret.reveal()
        };
        let recovery = f.keyplate.create_recovery_token(&ann.id, Some(900));
        [
            one(900),
            one(2 * DAY as i64),
            recovery.unwrap().secret.reveal(),
        ]
    };
    let [_, long, _] = make();
    let then = meanwhile(&f, make);
    let report = f.keyplate.reset_clock().unwrap();
    assert_eq!(report.one_time_tokens, 3);
    for secret in then {
        assert!(ended(f.stranger().redeem_one_time_token(&secret)));
    }
    assert!(f.stranger().redeem_one_time_token(&long).is_ok());
}

/// B2.
#[test]
fn a_setup_token_of_that_time_ends() {
    let claim = |f: &Fixture, token: &str| {
        let claimed = f
            .stranger()
            .claim_setup(Some(token.to_owned()), admin("ann"));
        claimed.map(drop)
    };
    let f = Fixture::new();
    let token = || f.keyplate.create_setup_token().unwrap().secret.reveal();
    let then = meanwhile(&f, token);
    assert_eq!(f.keyplate.reset_clock().unwrap().setup_tokens, 1);
    assert!(ended(claim(&f, &then)));
    let f = Fixture::new();
    let before = f.keyplate.create_setup_token().unwrap().secret.reveal();
    ran_ahead(&f, 20 * HOUR);
    assert_eq!(f.keyplate.reset_clock().unwrap().setup_tokens, 0);
    assert_eq!(claim(&f, &before), Ok(()));

    let f = Fixture::new();
    meanwhile(&f, || f.claim());
    f.keyplate.reset_clock().unwrap();
    let state = f.keyplate.get_setup_state().unwrap();
    assert_eq!(state.claimed_at, Some(f.now()));
}

/// P2: what is stored, what travels sealed, and what was spent.
#[test]
fn ceremonies_end() {
    let f = Fixture::new();
    let (mut person, ..) = f.person(&f.user("ann"));
    let session = f.session(&f.user("bob")).secret.reveal();
    let (registration, login) = meanwhile(&f, || {
        let registration = f.acting(&session).begin_passkey_registration().unwrap();
        person.log_in(&f.stranger()).unwrap();
        (registration, f.stranger().begin_passkey_login().unwrap())
    });
    let report = f.keyplate.reset_clock().unwrap();
    assert_eq!(report.ceremonies, 1);
    let answer = Person::new().create(&registration, &Spoil::default());
    let finished =
        f.acting(&session)
            .finish_passkey_registration(&registration.ceremony, &answer, None);
    assert_eq!(code(finished), ErrorCode::PasskeyCeremonyFailed);
    let answer = person.get(&login, &Spoil::default());
    let finished = f.stranger().finish_passkey_login(&login.ceremony, &answer);
    assert_eq!(code(finished), ErrorCode::PasskeyCeremonyFailed);
    // The next one works, and its last use is not in the future.
    person.log_in(&f.stranger()).unwrap();
    let sql = "SELECT count(*) FROM spent_challenges";
    let spent: i64 = raw(&f.path()).query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(spent, 1);
}

/// C3, S1.
#[test]
fn nobody_waits_for_a_time_that_has_not_come() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::Open);
    meanwhile(&f, || {
        guess_until_limited(&f);
        for number in 0..10 {
            let signup = signups::signup(&format!("user{number}"), None);
            f.stranger().sign_up(signup).unwrap();
        }
    });
    let late = || f.stranger().sign_up(signups::signup("late", None));
    assert_eq!(code(late()), ErrorCode::RateLimited);
    assert_eq!(f.keyplate.reset_clock().unwrap().attempts, 20);
    assert!(late().is_ok());
    assert_eq!(guess_until_limited(&f), 600);
}

/// J1.
#[test]
fn keys_that_sign_are_replaced_without_an_overlap() {
    let f = Fixture::new();
    let before = f.keyplate.get_jwks().unwrap();
    f.keyplate.rotate_signing_key(None).unwrap();
    assert_eq!(f.keyplate.get_jwks().unwrap().keys.len(), 2);
    ran_ahead(&f, 20 * HOUR);
    assert_eq!(f.keyplate.reset_clock().unwrap().signing_keys, 2);
    let after = f.keyplate.get_jwks().unwrap();
    assert_eq!(after.keys.len(), 1);
    assert!(!before.json.contains(&after.keys[0].key_id));
}

/// K1: keys and sign-up tokens have dates, which are right whatever the clock said.
#[test]
fn keys_stay_but_for_their_former_secrets() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let rotate = |key: &keyplate::CreatedApiKey| {
        let rotation = KeyRotation {
            overlap_seconds: Some(DAY as i64),
            ..KeyRotation::default()
        };
        let rotated = f.keyplate.rotate_api_key(&key.api_key.id, rotation);
        rotated.unwrap().secret.reveal()
    };
    let keys = [f.key(&ann, &["a:b"]), f.key(&ann, &["a:b"])];
    let [first, second] = &keys;
    let first_now = rotate(first);
    let (second_now, third) = meanwhile(&f, || {
        let new = NewApiKey {
            expires_at: Some(f.in_seconds(DAY)),
            ..new_key(Some(&ann), &["a:b"])
        };
        let third = f.keyplate.create_api_key(new).unwrap().secret.reveal();
        f.keyplate.verify_api_key(&third).unwrap();
        f.user("bob");
        f.keyplate
            .create_signup_token(NewSignupToken::default())
            .unwrap();
        (rotate(second), third)
    });
    let report = f.keyplate.reset_clock().unwrap();
    assert_eq!((report.api_key_overlaps, report.api_keys_kept), (1, 1));
    assert_eq!(report.signup_tokens_kept, 1);
    let works = |secret: &str| f.keyplate.verify_api_key(secret).is_ok();
    assert!(works(&first_now) && works(&second_now) && works(&third));
    assert!(works(first.secret.as_str()), "rotated before");
    assert!(!works(second.secret.as_str()), "rotated meanwhile");
    let found = f.keyplate.list_api_keys(ApiKeyQuery::default()).unwrap();
    let used = found.items.iter().filter_map(|key| key.last_used_at);
    assert!(used.max().unwrap() <= f.now());
}

#[test]
fn it_is_told_at_the_right_time_and_what_there_is_to_know() {
    let f = Fixture::new();
    let ann = f.user("ann");
    meanwhile(&f, || f.session(&ann));
    let report = f.keyplate.reset_clock().unwrap();
    let heard = f.heard.0.lock().unwrap().clone();
    let event = heard
        .iter()
        .find(|event| event.kind == EventKind::ClockReset)
        .unwrap();
    assert_eq!(event.at, f.now());
    let detail = |name: &str| {
        let found = event.details.iter().find(|detail| detail.name == name);
        found.unwrap().value.clone()
    };
    assert_eq!(detail("behind_seconds"), (20 * HOUR).to_string());
    assert_eq!((report.sessions, detail("sessions")), (1, "1".to_owned()));
    assert_eq!(f.keyplate.get_clock_state().unwrap().now, f.now());

    // There is nothing more to do, and nothing is said of it.
    let jwks = f.keyplate.get_jwks().unwrap();
    assert_eq!(
        f.keyplate.reset_clock().unwrap(),
        ClockResetReport::default()
    );
    let resets = |f: &Fixture| {
        let kinds = f.heard.kinds();
        kinds
            .iter()
            .filter(|k| **k == EventKind::ClockReset)
            .count()
    };
    assert_eq!(resets(&f), 1);
    assert_eq!(f.keyplate.get_jwks().unwrap(), jwks);
    // Nor for what is no wrong clock.
    f.clock.advance_millis(999);
    f.user("bob");
    f.clock.set(START);
    f.keyplate.reset_clock().unwrap();
    assert_eq!(resets(&f), 1);
    assert_eq!(f.keyplate.get_jwks().unwrap(), jwks);
}

/// Another handle, as another process has it, goes on by the new time at its next call.
#[test]
fn others_that_have_the_file_open_follow() {
    let f = Fixture::new();
    let other = f.open_again();
    let ann = f.user("ann");
    let session = f.session(&ann).secret.reveal();
    let then = meanwhile(&f, || {
        other.verify_session(&session).unwrap(); // noted there
        f.session(&ann).secret.reveal()
    });
    assert!(other.verify_session(&then).is_ok());
    f.keyplate.reset_clock().unwrap();
    assert!(ended(other.verify_session(&then)));
    assert_eq!(other.get_clock_state().unwrap().now, f.now());
    let made = other.create_user(new_user("bob")).unwrap();
    assert_eq!(made.created_at, f.now());
    let sql = "SELECT max(last_seen_at) FROM sessions WHERE ended_at IS NULL";
    let seen: i64 = raw(&f.path()).query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(seen, START as i64 * 1_000);
    // A verifying call writes once a minute again, although the last time lies ahead.
    f.clock.advance(61);
    other.verify_session(&session).unwrap();
    let seen: i64 = raw(&f.path()).query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(seen, (START + 61) as i64 * 1_000);
}
