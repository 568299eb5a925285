//! Guessing the code that a device shows (V2, C3).

use keyplate::{ClientInfo, ErrorCode, NewDeviceLogin};

use super::{begin, signed_in, television};
use crate::common::*;

#[test]
fn ten_thousand_random_codes_find_nothing_and_are_limited() {
    let f = Fixture::new();
    let eve = f.user("eve");
    let eves = signed_in(&f, &eve);
    let digits = NewDeviceLogin {
        six_digits: true,
        ..television()
    };
    let open = [begin(&f, television()), begin(&f, digits)];
    let real: Vec<_> = open.iter().map(|one| one.user_code.reveal()).collect();
    let mut number: u64 = 88_172_645_463_325_252;
    let mut outcomes = [0, 0];
    for n in 0..10_000 {
        number ^= number << 13;
        number ^= number >> 7;
        number ^= number << 17;
        let guess = match n % 2 {
            0 => format!("{:06}", number % 1_000_000),
            _ => format!("{:08X}", number as u32),
        };
        if real.contains(&guess) {
            continue;
        }
        match code(eves.inspect_device_login(&guess)) {
            ErrorCode::InvalidCredential => outcomes[0] += 1,
            ErrorCode::RateLimited => outcomes[1] += 1,
            other => panic!("{guess}: {other:?}"),
        }
    }
    assert_eq!(outcomes, [10, 9_990]);
    let right = eves.inspect_device_login(&real[0]);
    assert_eq!(
        code(right),
        ErrorCode::RateLimited,
        "a right one is a guess too"
    );
}

/// V2: per address whoever asks, and per user wherever they are; approving and denying guess as well.
#[test]
fn an_address_and_a_user_are_limited_each() {
    let f = Fixture::new();
    let (bob, eve, zoe) = (f.user("bob"), f.user("eve"), f.user("zoe"));
    let from = |user, address: &str| {
        let session = f.session(user);
        let found = f.keyplate.authenticate(session.secret.as_str()).unwrap();
        let client = ClientInfo {
            address: Some(address.to_owned()),
            ..ClientInfo::default()
        };
        f.keyplate.acting_as(&found.principal, client).unwrap()
    };
    let wrong = |keyplate: &keyplate::Keyplate, n: usize| match n % 3 {
        0 => code(keyplate.inspect_device_login("0000-0000")),
        1 => code(keyplate.approve_device_login("000000")),
        _ => code(keyplate.deny_device_login("not a code at all")),
    };
    for n in 0..10 {
        let keyplate = from(&eve, &format!("192.0.2.{n}"));
        assert_eq!(wrong(&keyplate, n), ErrorCode::InvalidCredential);
    }
    assert_eq!(wrong(&from(&eve, "192.0.2.99"), 0), ErrorCode::RateLimited);
    for n in 0..10 {
        let user = [&bob, &zoe][n % 2];
        let keyplate = from(user, "203.0.113.1");
        assert_eq!(wrong(&keyplate, n), ErrorCode::InvalidCredential);
    }
    assert_eq!(wrong(&from(&bob, "203.0.113.1"), 0), ErrorCode::RateLimited);
    let started = begin(&f, television());
    let code = started.user_code.as_str();
    assert!(from(&bob, "203.0.113.2").inspect_device_login(code).is_ok());
    f.clock.advance(600);
    let after = wrong(&from(&eve, "192.0.2.99"), 0);
    assert_eq!(after, ErrorCode::InvalidCredential);
}
