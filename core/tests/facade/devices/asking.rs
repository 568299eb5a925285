//! The device's side: what it asks for, and what it is told (V1, V4).

use keyplate::{
    DeviceLoginState, DeviceWish, ErrorCode, EventKind, InputReason, KeyplateError, NewDeviceLogin,
    SignInMethod,
};

use super::{approve, at, begin, poll, signed_in, state, television};
use crate::{
    app_passwords::{open_service, verify},
    common::*,
};

#[test]
fn a_television_is_signed_in_once() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let bobs = signed_in(&f, &bob);
    let started = begin(&f, television());
    assert!(started.device_code.as_str().starts_with("kp_dev_"));
    let code = started.user_code.reveal();
    assert!(code.len() == 9 && code.as_bytes()[4] == b'-', "{code}");
    assert_eq!(started.expires_at, f.in_seconds(600));
    assert_eq!(
        (started.expires_in_seconds, started.interval_seconds),
        (600, 5)
    );
    assert_eq!(state(&f, &started), DeviceLoginState::Pending);

    let seen = bobs
        .inspect_device_login(&code.to_lowercase().replace('-', " "))
        .unwrap();
    assert_eq!(seen.device_name.as_deref(), Some("Television"));
    assert_eq!(seen.address.as_deref(), Some("198.51.100.9"));
    assert_eq!(seen.user_agent.as_deref(), Some("TV/1"));
    assert_eq!((seen.created_at, seen.wish), (f.now(), DeviceWish::Session));
    assert!(!seen.administrator);
    f.clock.advance(5);
    assert_eq!(state(&f, &started), DeviceLoginState::Pending);
    bobs.approve_device_login(&code).unwrap();
    let granted = poll(&f, &started).unwrap();
    assert_eq!(granted.state, DeviceLoginState::Granted);
    assert_eq!(granted.user.unwrap().id, bob.id);
    let session = granted.signed_in.unwrap();
    assert_eq!(session.session.method, SignInMethod::Device);
    assert_eq!(session.session.device_name.as_deref(), Some("Television"));
    let found = f.keyplate.authenticate(session.secret.as_str()).unwrap();
    assert_eq!(
        (found.user_id, found.scopes),
        (bob.id, vec!["*".to_owned()])
    );
    assert_eq!(
        crate::common::code(poll(&f, &started)),
        ErrorCode::InvalidCredential
    );
    let kinds = f.heard.kinds();
    for kind in [
        EventKind::DeviceLoginClaimed,
        EventKind::DeviceLoginApproved,
        EventKind::DeviceSignedIn,
    ] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}

#[test]
fn who_polls_too_often_is_slowed_down_and_who_is_late_has_expired() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let started = begin(&f, television());
    assert_eq!(state(&f, &started), DeviceLoginState::Pending);
    f.clock.advance(4);
    assert_eq!(state(&f, &started), DeviceLoginState::SlowDown);
    f.clock.advance(1);
    assert_eq!(state(&f, &started), DeviceLoginState::Pending);
    f.clock.advance(595);
    assert_eq!(state(&f, &started), DeviceLoginState::Expired);
    let bobs = signed_in(&f, &bob);
    let late = bobs.inspect_device_login(started.user_code.as_str());
    assert_eq!(code(late), ErrorCode::InvalidCredential);
    // What was approved and is not fetched in time is not given either.
    let started = begin(&f, television());
    approve(&bobs, &started).unwrap();
    f.clock.advance(600);
    assert_eq!(state(&f, &started), DeviceLoginState::Expired);
    // Later there is no such request any more.
    f.clock.advance(4_000);
    begin(&f, television());
    assert_eq!(code(poll(&f, &started)), ErrorCode::InvalidCredential);
}

#[test]
fn it_is_denied_also_after_it_was_approved() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let bobs = signed_in(&f, &bob);
    for first_approved in [false, true] {
        let started = begin(&f, television());
        let code = started.user_code.as_str();
        bobs.inspect_device_login(code).unwrap();
        if first_approved {
            bobs.approve_device_login(code).unwrap();
        }
        bobs.deny_device_login(code).unwrap();
        assert_eq!(state(&f, &started), DeviceLoginState::Denied);
        let again = bobs.approve_device_login(code);
        assert_eq!(crate::common::code(again), ErrorCode::Conflict);
    }
    assert_eq!(
        f.keyplate.list_sessions(Default::default()).unwrap().total,
        1
    );
}

/// V1: an app password for a service that is named at the beginning.
#[test]
fn a_reader_gets_an_app_password() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let books = open_service(&f, "books");
    let bobs = signed_in(&f, &bob);
    let started = begin(
        &f,
        NewDeviceLogin {
            service: Some("books".to_owned()),
            ..television()
        },
    );
    let seen = bobs
        .inspect_device_login(started.user_code.as_str())
        .unwrap();
    assert_eq!(seen.wish, DeviceWish::AppPassword);
    assert_eq!(seen.service_id, Some(books.id));
    assert_eq!(seen.service_name, Some(books.name));
    approve(&bobs, &started).unwrap();
    let granted = poll(&f, &started).unwrap();
    let made = granted.app_password.unwrap();
    assert!(granted.signed_in.is_none());
    assert_eq!(made.app_password.name, "Television");
    let secret = made.secret.as_str();
    assert!(verify(&f.keyplate, "bob", secret, Some("books")).is_ok());
    let elsewhere = verify(&f.keyplate, "bob", secret, None);
    assert_eq!(code(elsewhere), ErrorCode::InvalidCredential);
}

#[test]
fn bad_input_is_named() {
    let f = Fixture::new();
    open_service(&f, "books");
    let stranger = at(&f, "198.51.100.9");
    let refused = |login| stranger.begin_device_login(login).map(drop);
    let invalid = |field: &str, reason| {
        Err(KeyplateError::InvalidInput {
            field: field.to_owned(),
            reason,
        })
    };
    let field = "service".to_owned();
    let books = Some("books".to_owned());
    let long = NewDeviceLogin {
        device_name: Some("x".repeat(101)),
        ..Default::default()
    };
    assert_eq!(
        refused(long),
        invalid("device_name", InputReason::TooLong { most: 100 })
    );
    let wish = |wish, service: &Option<String>| NewDeviceLogin {
        wish: Some(wish),
        service: service.clone(),
        ..Default::default()
    };
    let needs = refused(wish(DeviceWish::AppPassword, &None));
    assert_eq!(
        needs,
        invalid(
            "wish",
            InputReason::Needs {
                field: field.clone()
            }
        )
    );
    let excluded = refused(wish(DeviceWish::Session, &books));
    assert_eq!(excluded, invalid("wish", InputReason::Excludes { field }));
    let nowhere = refused(wish(DeviceWish::AppPassword, &Some("nowhere".to_owned())));
    assert_eq!(code(nowhere), ErrorCode::NotFound);
    let scopes = NewDeviceLogin {
        scopes: vec!["films".to_owned()],
        ..Default::default()
    };
    assert_eq!(refused(scopes), invalid("scopes", InputReason::NotScope));
    for bad in ["", "x", "kp_dev_", "0123-abcd"] {
        let polled = stranger.poll_device_login(bad);
        assert_eq!(code(polled), ErrorCode::InvalidCredential, "{bad}");
    }
}

/// V1: so many at once.
#[test]
fn an_address_has_twenty_open_and_of_six_digits_there_are_two_hundred() {
    let f = Fixture::new();
    let here = at(&f, "198.51.100.9");
    for _ in 0..20 {
        here.begin_device_login(television()).unwrap();
    }
    let beyond = here.begin_device_login(television());
    assert_eq!(code(beyond), ErrorCode::RateLimited);
    assert!(
        at(&f, "198.51.100.10")
            .begin_device_login(television())
            .is_ok()
    );
    f.clock.advance(600);
    assert!(here.begin_device_login(television()).is_ok());
    let digits = |n: usize| {
        let login = NewDeviceLogin {
            six_digits: true,
            ..television()
        };
        let started = at(&f, &format!("203.0.113.{n}")).begin_device_login(login);
        started.unwrap().user_code.reveal()
    };
    for n in 0..200 {
        let code = digits(n / 10);
        assert!(
            code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()),
            "{code}"
        );
    }
    assert_eq!(digits(30).len(), 9, "eight characters beyond");
}

/// V4, D4: another process goes on with it, and nothing of it is in memory.
#[test]
fn every_step_may_be_another_process() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let session = f.session(&bob);
    let started = f.open_again().anonymous(client()).unwrap();
    let started = started.begin_device_login(television()).unwrap();
    let code = started.user_code.as_str();
    let acting = || {
        let other = f.open_again();
        let found = other.authenticate(session.secret.as_str()).unwrap();
        other.acting_as(&found.principal, client()).unwrap()
    };
    acting().inspect_device_login(code).unwrap();
    acting().approve_device_login(code).unwrap();
    let stranger = f.open_again().anonymous(client()).unwrap();
    let granted = stranger.poll_device_login(started.device_code.as_str());
    let session = granted.unwrap().signed_in.unwrap();
    assert!(f.keyplate.verify_session(session.secret.as_str()).is_ok());
}
