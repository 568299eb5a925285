//! How far the clock may be behind: what is told, and what stops.

use std::time::UNIX_EPOCH;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use keyplate::{
    AccessToken, AuditQuery, ClockState, ErrorCode, EventKind, KeyplateError, NewService, Result,
};
use serde_json::Value;

use super::*;

/// A session that may use the service `films`.
fn session_for_films(f: &Fixture) -> String {
    let films = NewService {
        slug: "films".to_owned(),
        ..NewService::default()
    };
    let films = f.keyplate.create_service(films).unwrap();
    f.keyplate.set_service_access(&films.id, true, &[]).unwrap();
    f.session(&f.user("ann")).secret.reveal()
}

fn issue(f: &Fixture, session: &str, seconds: i64) -> Result<AccessToken> {
    let principal = f.keyplate.authenticate(session)?.principal;
    f.keyplate
        .issue_access_token(&principal, "films", Some(seconds))
}

fn verify(f: &Fixture, token: &AccessToken) -> Result<()> {
    let verified = f
        .keyplate
        .verify_access_token(token.secret.as_str(), "films");
    verified.map(drop)
}

fn claims(token: &AccessToken) -> Value {
    let body = token.secret.as_str().split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL.decode(body).unwrap()).unwrap()
}

fn seconds(f: &Fixture) -> i64 {
    f.now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

fn told(f: &Fixture) -> usize {
    let kinds = f.heard.kinds();
    kinds
        .iter()
        .filter(|k| **k == EventKind::ClockBehind)
        .count()
}

#[test]
fn five_minutes_apart_is_not_too_far_and_a_millisecond_more_is() {
    let f = Fixture::new();
    let session = session_for_films(&f);
    let token = issue(&f, &session, 3_600).unwrap();
    ran_ahead(&f, 5 * MINUTE);
    f.user("bob");
    assert_eq!((told(&f), verify(&f, &token)), (0, Ok(())));
    assert!(issue(&f, &session, 3_600).is_ok());
    let state = f.keyplate.get_clock_state().unwrap();
    let expected = ClockState {
        now: f.in_seconds(300),
        clock: f.now(),
        behind_seconds: 300,
        access_tokens_stopped: false,
    };
    assert_eq!(state, expected);

    f.clock.advance_millis(1);
    f.user("carol");
    f.clock.set(START); // a millisecond back
    let stopped = KeyplateError::ClockBehind { seconds: 300 };
    assert_eq!(verify(&f, &token), Err(stopped.clone()));
    assert_eq!(issue(&f, &session, 60).map(drop), Err(stopped.clone()));
    assert_eq!((stopped.code() as i32, stopped.http_status()), (530, 503));
    assert!(f.keyplate.get_clock_state().unwrap().access_tokens_stopped);
    assert_eq!(told(&f), 0, "nobody has written yet");
    f.user("dora");
    assert_eq!(told(&f), 1);
    // All else goes on.
    assert!(f.keyplate.verify_session(&session).is_ok());
    assert!(f.keyplate.get_jwks().is_ok());

    // The clock is put right, and nothing is left of it.
    f.clock.ahead(300);
    assert_eq!(verify(&f, &token), Ok(()));
    assert!(issue(&f, &session, 60).is_ok());
}

/// Others verify by the clock, we by our own time, and neither takes a token for longer than it lives.
#[test]
fn while_the_clock_is_a_little_behind_tokens_have_its_times() {
    let f = Fixture::new();
    let session = session_for_films(&f);
    ran_ahead(&f, 4 * MINUTE);
    f.clock.advance(60);
    let token = issue(&f, &session, 300).unwrap();
    let body = claims(&token);
    assert_eq!(body["iat"], seconds(&f));
    assert_eq!(body["exp"], seconds(&f) + 300);
    assert_eq!(token.expires_at, f.in_seconds(300));
    // He signed in 60 seconds and a jump of four minutes ago.
    assert_eq!(body["auth_time"], seconds(&f) - 300);
    // By our time there is a minute left of it.
    assert_eq!(verify(&f, &token), Ok(()));
    f.clock.advance(59);
    assert_eq!(verify(&f, &token), Ok(()));
    f.clock.advance(1);
    assert_eq!(code(verify(&f, &token)), ErrorCode::InvalidCredential);

    // Nor does it outlive the session that asked, by either.
    let ann = f.keyplate.find_user_by_username("ann").unwrap().unwrap();
    let short = f.keyplate.create_session(&ann.id, client(), Some(40));
    let token = issue(&f, short.unwrap().secret.as_str(), 300).unwrap();
    assert_eq!(claims(&token)["exp"], seconds(&f) + 40);
}

#[test]
fn it_is_told_once_in_a_boot_and_counted() {
    let f = Fixture::new();
    ran_ahead(&f, 20 * HOUR);
    for number in 0..3 {
        f.clock.advance(7 * HOUR);
        f.user(&format!("user{number}"));
        f.clock.back(2 * HOUR); // farther still, and no other incident
    }
    assert_eq!(told(&f), 1);
    let query = AuditQuery {
        kind: Some(EventKind::ClockBehind),
        ..AuditQuery::default()
    };
    let rows = f.keyplate.list_audit_events(query.clone()).unwrap().items;
    assert_eq!((rows.len(), rows[0].count), (1, 3));
    let seconds = rows[0].details.iter().find(|d| d.name == "behind_seconds");
    assert_eq!(seconds.unwrap().value, (20 * HOUR).to_string());

    f.clock.reboot();
    let heard = std::sync::Arc::new(Heard::default());
    let config = keyplate::Config {
        time_source: Some(f.clock.clone()),
        events: Some(heard.clone()),
        ..config(&f.path())
    };
    drop(keyplate::Keyplate::open_with_boot_clock(
        config,
        f.clock.clone(),
    ));
    f.user("bob");
    // Whoever opened it was told.
    assert_eq!((heard.kinds(), told(&f)), (vec![EventKind::ClockBehind], 1));
    f.keyplate.reset_clock().unwrap();
    assert!(f.keyplate.get_clock_state().unwrap().behind_seconds == 0);
    ran_ahead(&f, 20 * HOUR - 1);
    f.user("dora");
    assert_eq!(told(&f), 2, "and after a reset it is told anew");
    let rows = f.keyplate.list_audit_events(query).unwrap().items;
    assert_eq!(rows.len(), 3);
}

/// A clock that is wrong now, and will be right again, takes nothing along.
#[test]
fn what_expired_by_a_wrong_time_only_is_not_purged() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let key = keyplate::NewApiKey {
        expires_at: Some(f.in_seconds(DAY)),
        ..new_key(Some(&ann), &["a:b"])
    };
    let key = f.keyplate.create_api_key(key).unwrap();
    f.session(&ann);
    ran_ahead(&f, 400 * DAY);
    let purged = f.keyplate.purge_expired().unwrap();
    assert_eq!((purged.api_keys, purged.sessions), (0, 0));
    f.keyplate.reset_clock().unwrap();
    assert!(f.keyplate.verify_api_key(key.secret.as_str()).is_ok());
    for (days, expected) in [(1 + 29, (0, 0)), (2, (1, 0)), (7, (0, 1))] {
        f.clock.advance(days * DAY);
        let purged = f.keyplate.purge_expired().unwrap();
        assert_eq!((purged.api_keys, purged.sessions), expected, "{days}");
    }
}

#[test]
fn only_administrators_of_settings_and_the_host_ask() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    for (scope, expected) in [
        ("settings:read", None),
        ("users:read", Some(ErrorCode::PermissionDenied)),
    ] {
        let acting = f.acting(f.key(&ann, &[scope]).secret.as_str());
        let asked = acting.get_clock_state().map(drop);
        assert_eq!(asked.err().map(|error| error.code()), expected);
        assert_eq!(code(acting.reset_clock()), ErrorCode::PermissionDenied);
    }
    let asked = f.stranger().get_clock_state();
    assert_eq!(code(asked), ErrorCode::PermissionDenied);
}

/// A1: nobody is blamed for the clock.
#[test]
fn it_is_no_refusal() {
    let f = Fixture::new();
    let session = session_for_films(&f);
    issue(&f, &session, 60).unwrap(); // makes the key
    ran_ahead(&f, HOUR);
    f.user("bob");
    let before = f.keyplate.get_statistics().unwrap().audit_events;
    assert_eq!(code(issue(&f, &session, 60)), ErrorCode::ClockBehind);
    assert_eq!(f.keyplate.get_statistics().unwrap().audit_events, before);
}
