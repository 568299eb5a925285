use std::collections::BTreeMap;

use keyplate::{AuditEvent, ErrorCode, EventKind};

use super::{all, from};
use crate::common::*;

fn refuse(f: &Fixture, address: &str) {
    let claimed = from(f, address).claim_setup(Some("kp_set_wrong".to_owned()), admin("eve"));
    assert_eq!(code(claimed), ErrorCode::InvalidCredential);
}

fn refusals(events: &[AuditEvent]) -> Vec<&AuditEvent> {
    let kinds = [EventKind::SetupRefused, EventKind::OtherRefusals];
    let refused = events.iter().filter(|event| kinds.contains(&event.kind));
    refused.collect()
}

/// A1: who has a network of addresses is one source, as for the limits.
#[test]
fn the_addresses_of_one_ipv6_network_are_counted_in_one_row() {
    let f = Fixture::new();
    for n in 0..300 {
        refuse(&f, &format!("2001:db8:1:2::{n:x}"));
    }
    refuse(&f, "2001:db8:1:3::1");
    refuse(&f, "192.0.2.1");
    refuse(&f, "::ffff:192.0.2.1");
    let all = all(&f.keyplate);
    let counts: Vec<i64> = refusals(&all).iter().map(|event| event.count).collect();
    assert_eq!(counts, [2, 1, 300]);
    let kinds = f.heard.kinds();
    assert_eq!(kinds, [EventKind::SetupRefused; 3]);
}

/// A1: a flood makes so many rows a minute, and none of it is lost.
#[test]
fn what_is_beyond_two_hundred_rows_a_minute_is_counted_in_one_row() {
    let f = Fixture::new();
    let address = |n: usize| format!("10.0.{}.{}", n / 250, n % 250);
    for n in 0..700 {
        refuse(&f, &address(n));
    }
    for n in 700..1_000 {
        let redeemed = from(&f, &address(n)).redeem_one_time_token("no code");
        assert_eq!(code(redeemed), ErrorCode::InvalidCredential);
    }
    refuse(&f, &address(3)); // has a row of its own
    let events = all(&f.keyplate);
    let refused = refusals(&events);
    assert_eq!(refused.len(), 201);
    let others = refused
        .iter()
        .find(|event| event.kind == EventKind::OtherRefusals)
        .unwrap();
    assert_eq!((others.count, &others.address), (800, &None));
    assert_eq!((&others.actor_id, &others.user_id), (&None, &None));
    let kinds: BTreeMap<&str, &str> = others
        .details
        .iter()
        .map(|detail| (detail.name.as_str(), detail.value.as_str()))
        .collect();
    let expected = [("one_time_token_refused", "300"), ("setup_refused", "500")];
    assert_eq!(kinds, BTreeMap::from(expected));
    let sum: i64 = refused.iter().map(|event| event.count).sum();
    assert_eq!(sum, 1_001);
    assert_eq!(
        f.heard.kinds().len(),
        201,
        "the host hears of each row once"
    );

    f.clock.advance(60);
    refuse(&f, &address(900));
    assert_eq!(all(&f.keyplate)[0].address, Some(address(900)));
}

/// A1, D4: several processes have two hundred rows a minute together.
#[test]
fn processes_share_the_rows_of_a_minute() {
    let f = Fixture::new();
    let other = Fixture {
        keyplate: f.open_again(),
        clock: f.clock.clone(),
        heard: f.heard.clone(),
        folder: tempfile::tempdir().unwrap(),
    };
    for n in 0..150 {
        refuse(&f, &format!("10.1.0.{n}"));
        refuse(&other, &format!("10.2.0.{n}"));
    }
    // Again: what has no row of its own gets none later.
    for n in 0..150 {
        refuse(&other, &format!("10.2.0.{n}"));
    }
    all(&other.keyplate);
    let events = all(&f.keyplate);
    let refused = refusals(&events);
    assert_eq!(refused.len(), 201);
    let sum: i64 = refused.iter().map(|event| event.count).sum();
    assert_eq!(sum, 450);
}

/// A1: while somebody else writes, a refusal is answered at once, and written with what is written next.
#[test]
fn a_refusal_that_cannot_be_written_now_is_written_later() {
    let f = Fixture::new();
    let other = raw(&f.path());
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for n in 0..5 {
        // Refused for what it is before any writer is waited for.
        let signed_up = from(&f, &format!("10.0.0.{n}")).sign_up(keyplate::NewSignup::default());
        assert_eq!(code(signed_up), ErrorCode::SignupRefused);
    }
    other.execute_batch("ROLLBACK").unwrap();
    assert!(f.heard.kinds().is_empty());
    f.user("bob");
    let refused = |kinds: Vec<EventKind>| {
        let refused = kinds
            .iter()
            .filter(|kind| **kind == EventKind::SignupRefused);
        refused.count()
    };
    let rows = raw(&f.path());
    let sql = "SELECT count(*) FROM audit WHERE kind = 'signup_refused'";
    let count: i64 = rows.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 5);
    assert_eq!(refused(f.heard.kinds()), 5);
}
