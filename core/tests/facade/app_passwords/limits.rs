//! The limit on wrong app passwords (W2): per account and address, and never for a right one.

use std::fs;

use keyplate::{AuditQuery, ErrorCode, EventKind, Keyplate, Result, VerifiedAppPassword};

use super::{at, make, named};
use crate::common::*;

const WRONG: &str = "0000-0000-0000-0000";

fn ask(keyplate: &Keyplate, name: &str, secret: &str, from: &str) -> Result<VerifiedAppPassword> {
    keyplate.verify_app_password(name, secret, None, at(from))
}

fn wrong(f: &Fixture, name: &str, from: &str) -> ErrorCode {
    code(ask(&f.keyplate, name, WRONG, from))
}

#[test]
fn twenty_wrong_ones_limit_an_account_at_an_address_and_the_right_one_passes() {
    let f = Fixture::new();
    let bob = f.keyplate.create_user(keyplate::NewUser {
        email: Some("bob@x.example".to_owned()),
        ..new_user("bob")
    });
    let bob = bob.unwrap();
    f.user("eve");
    let made = make(&f, &bob, named("a client"));
    let (here, there) = ("192.0.2.7", "192.0.2.8");
    for n in 0..20 {
        // By either name: it is one account.
        let name = ["bob", "BOB@x.example"][n % 2];
        assert_eq!(wrong(&f, name, here), ErrorCode::InvalidCredential, "{n}");
    }
    for name in ["bob", "bob@x.example"] {
        assert_eq!(wrong(&f, name, here), ErrorCode::RateLimited);
    }
    let error = ask(&f.keyplate, "bob", WRONG, here).unwrap_err();
    assert!(
        error
            .retry_after()
            .is_some_and(|wait| wait.as_secs() <= 600)
    );
    assert_eq!(wrong(&f, "bob", there), ErrorCode::InvalidCredential);
    assert_eq!(wrong(&f, "eve", here), ErrorCode::InvalidCredential);
    for from in [here, there] {
        assert!(ask(&f.keyplate, "bob", made.secret.as_str(), from).is_ok());
    }
    // By every process, and until ten minutes are over.
    let other = f.open_again();
    let elsewhere = code(ask(&other, "bob", WRONG, here));
    assert_eq!(elsewhere, ErrorCode::RateLimited);
    f.clock.advance(599);
    assert_eq!(wrong(&f, "bob", here), ErrorCode::RateLimited);
    f.clock.advance(1);
    assert_eq!(wrong(&f, "bob", here), ErrorCode::InvalidCredential);
}

/// A name that nobody has is limited in the same way, or the limit would tell which names there are.
#[test]
fn names_that_nobody_has_are_limited_alike() {
    let f = Fixture::new();
    for _ in 0..20 {
        assert_eq!(
            wrong(&f, "nobody", "192.0.2.7"),
            ErrorCode::InvalidCredential
        );
    }
    assert_eq!(wrong(&f, "NOBODY ", "192.0.2.7"), ErrorCode::RateLimited);
    // Ever new names from one address are limited too.
    for n in 0..200 {
        wrong(&f, &format!("name{n}"), "192.0.2.9");
    }
    let beyond = wrong(&f, "name-beyond", "192.0.2.9");
    assert_eq!(beyond, ErrorCode::RateLimited);
}

/// Of IPv6 a /64 is one place; who tells no address is one place with all who tell none.
#[test]
fn where_it_came_from() {
    let f = Fixture::new();
    f.user("bob");
    for n in 0..20 {
        wrong(&f, "bob", &format!("2001:db8:1:2::{n:x}"));
    }
    let beyond = wrong(&f, "bob", "2001:db8:1:2:ffff::1");
    assert_eq!(beyond, ErrorCode::RateLimited);
    let next = wrong(&f, "bob", "2001:db8:1:3::1");
    assert_eq!(next, ErrorCode::InvalidCredential);
    for _ in 0..20 {
        f.keyplate
            .verify_app_password("bob", WRONG, None, Default::default())
            .unwrap_err();
    }
    let nowhere = f
        .keyplate
        .verify_app_password("bob", WRONG, None, Default::default());
    assert_eq!(code(nowhere), ErrorCode::RateLimited);
}

/// W2: beyond the limit nothing is written, not even a row of the log.
#[test]
fn beyond_the_limit_nothing_is_written() {
    let f = Fixture::new();
    f.user("bob");
    for _ in 0..20 {
        wrong(&f, "bob", "192.0.2.7");
    }
    let refused = AuditQuery {
        kind: Some(EventKind::AppPasswordRefused),
        ..AuditQuery::default()
    };
    let events = f.keyplate.list_audit_events(refused).unwrap();
    assert_eq!((events.total, events.items[0].count), (1, 20));
    let changes = || -> i64 {
        raw(&f.path())
            .query_row("PRAGMA data_version", [], |row| row.get(0))
            .unwrap()
    };
    let wal = f.path().with_extension("db-wal");
    let before = (changes(), fs::read(&wal).unwrap());
    for _ in 0..100 {
        assert_eq!(wrong(&f, "bob", "192.0.2.7"), ErrorCode::RateLimited);
    }
    assert_eq!((changes(), fs::read(&wal).unwrap()), before);
}
