//! C6: from 1970 to the last millisecond of the year 9999, wherever a time comes in.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keyplate::{
    AuditQuery, Config, ErrorCode, Expiry, InputReason, KeyRotation, Keyplate, KeyplateError,
    NewApiKey, NewSignupToken, NewUser, Result, SignupTokenChanges, TimeSource, UserChanges,
};

use crate::common::*;

/// 9999-12-31T23:59:59.999Z
const LAST_MILLIS: u64 = 253_402_300_799_999;

fn last() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(LAST_MILLIS)
}

/// A way in for a time: its name, its field, and a call that gives the time as it is stored.
struct Way<'a> {
    name: &'static str,
    field: &'static str,
    call: Box<dyn Fn(SystemTime) -> Result<Option<SystemTime>> + 'a>,
}

/// Every end that a caller may set. What is changed has been made before, with the last end that there is.
fn ends(f: &Fixture) -> Vec<Way<'_>> {
    let host = &f.keyplate;
    let ann = f.administrator("ann");
    let at = |time| Expiry::At { time };
    let id = host
        .update_user(
            &f.user("bob").id,
            UserChanges {
                expiry: Some(at(last())),
                ..UserChanges::default()
            },
        )
        .unwrap()
        .id;
    let new_key = move |expires_at| NewApiKey {
        expires_at,
        ..new_key(Some(&ann), &["a:b"])
    };
    let key = host
        .create_api_key(new_key(Some(last())))
        .unwrap()
        .api_key
        .id;
    let token = NewSignupToken {
        expiry: Some(at(last())),
        ..NewSignupToken::default()
    };
    let token = host.create_signup_token(token).unwrap().signup_token.id;
    let numbered = std::cell::Cell::new(0);
    vec![
        Way {
            name: "create_user",
            field: "expires_at",
            call: Box::new(move |time| {
                numbered.set(numbered.get() + 1);
                let user = NewUser {
                    expires_at: Some(time),
                    ..new_user(&format!("user{}", numbered.get()))
                };
                Ok(host.create_user(user)?.expires_at)
            }),
        },
        Way {
            name: "update_user",
            field: "expiry",
            call: Box::new(move |time| {
                let changes = UserChanges {
                    expiry: Some(at(time)),
                    ..UserChanges::default()
                };
                Ok(host.update_user(&id, changes)?.expires_at)
            }),
        },
        Way {
            name: "create_api_key",
            field: "expires_at",
            call: Box::new(move |time| {
                Ok(host.create_api_key(new_key(Some(time)))?.api_key.expires_at)
            }),
        },
        Way {
            name: "renew_api_key",
            field: "expiry",
            call: Box::new(move |time| Ok(host.renew_api_key(&key, at(time))?.expires_at)),
        },
        Way {
            name: "rotate_api_key",
            field: "expiry",
            call: Box::new(move |time| {
                let rotation = KeyRotation {
                    expiry: Some(at(time)),
                    ..KeyRotation::default()
                };
                Ok(host.rotate_api_key(&key, rotation)?.api_key.expires_at)
            }),
        },
        Way {
            name: "create_signup_token",
            field: "expiry",
            call: Box::new(move |time| {
                let token = NewSignupToken {
                    expiry: Some(at(time)),
                    ..NewSignupToken::default()
                };
                Ok(host.create_signup_token(token)?.signup_token.expires_at)
            }),
        },
        Way {
            name: "update_signup_token",
            field: "expiry",
            call: Box::new(move |time| {
                let changes = SignupTokenChanges {
                    expiry: Some(at(time)),
                    ..SignupTokenChanges::default()
                };
                Ok(host.update_signup_token(&token, changes)?.expires_at)
            }),
        },
    ]
}

fn refused(field: &str, reason: InputReason) -> KeyplateError {
    KeyplateError::InvalidInput {
        field: field.to_owned(),
        reason,
    }
}

/// Times that lie beyond the last one, however far.
fn beyond() -> [SystemTime; 3] {
    [
        last() + Duration::from_millis(1),
        last() + Duration::from_secs(12 * 3_600),
        UNIX_EPOCH + Duration::from_secs(i64::MAX as u64),
    ]
}

/// Times before the first one, however far.
fn before_1970() -> [SystemTime; 2] {
    [
        UNIX_EPOCH - Duration::from_millis(1),
        UNIX_EPOCH - Duration::from_secs(i64::MAX as u64),
    ]
}

#[test]
fn every_end_lies_within_the_range() {
    let f = Fixture::new();
    for Way { name, field, call } in ends(&f) {
        for (nanos, stored) in [
            (0, UNIX_EPOCH + Duration::from_secs(LAST_MILLIS / 1_000)),
            (999_000_000, last()),
            (999_999_999, last()),
        ] {
            let time = UNIX_EPOCH + Duration::new(LAST_MILLIS / 1_000, nanos);
            assert_eq!(call(time), Ok(Some(stored)), "{name}");
        }
        for time in beyond() {
            assert_eq!(
                call(time),
                Err(refused(field, InputReason::TooLate)),
                "{name}"
            );
        }
        for time in before_1970() {
            let reason = InputReason::InThePast;
            assert_eq!(call(time), Err(refused(field, reason)), "{name}");
        }
    }
}

/// The start of a look-up may lie in the past, but not outside of what can be written.
#[test]
fn a_list_begins_within_the_range() {
    let f = Fixture::new();
    f.user("ann");
    let since = |time| {
        let query = AuditQuery {
            since: Some(time),
            ..AuditQuery::default()
        };
        f.keyplate.list_audit_events(query).map(|page| page.total)
    };
    assert_eq!(since(UNIX_EPOCH), Ok(1));
    assert_eq!(since(last()), Ok(0));
    for time in beyond() {
        assert_eq!(since(time), Err(refused("since", InputReason::TooLate)));
    }
    for time in before_1970() {
        assert_eq!(since(time), Err(refused("since", InputReason::TooEarly)));
    }
}

/// A plan with this end.
type PlanWith = fn(&str) -> String;

/// In a plan a time is a text; with an offset the year 9999 reaches into the year 10000.
#[test]
fn the_ends_of_a_plan_lie_within_the_range() {
    let f = Fixture::new();
    f.administrator("ann");
    let user =
        |time: &str| format!(r#"{{"users": [{{"username": "bob", "expires_at": "{time}"}}]}}"#);
    let token = |time: &str| {
        format!(r#"{{"signup_tokens": [{{"note": "friends", "expires_at": "{time}"}}]}}"#)
    };
    let key = |time: &str| {
        format!(
            r#"{{"api_keys": [{{"owner": "ann", "name": "k", "scopes": ["a:b"], "generate": true, "expires_at": "{time}"}}]}}"#
        )
    };
    let ways: [(&str, PlanWith); 3] = [
        ("users[0].expires_at", user),
        ("signup_tokens[0].expires_at", token),
        ("api_keys[0].expires_at", key),
    ];
    let outside = [
        ("9999-12-31T23:59:59-00:01", InputReason::TooLate),
        ("9999-12-31T23:59:59.999-23:59", InputReason::TooLate),
        ("1969-12-31T23:59:59Z", InputReason::InThePast),
        ("0000-01-01T00:00:00+23:59", InputReason::InThePast),
    ];
    for (field, plan) in ways {
        // Before something is made, and again when it is there with the last end that there is.
        for _ in 0..2 {
            for (time, reason) in &outside {
                let result = f.keyplate.bootstrap(&plan(time));
                assert_eq!(result.err(), Some(refused(field, reason.clone())), "{time}");
            }
            f.keyplate
                .bootstrap(&plan("9999-12-31T23:59:59.999Z"))
                .unwrap();
        }
        let again = f.keyplate.bootstrap(&plan("9999-12-31T22:59:59.999-01:00"));
        assert_eq!(again.unwrap().changes, [], "{field}: the same end");
    }
    let bob = f.keyplate.find_user_by_username("bob").unwrap().unwrap();
    assert_eq!(bob.expires_at, Some(last()));
}

/// Any other time would let what has expired go on working.
#[test]
fn a_time_source_outside_of_the_range_is_an_error() {
    struct Wrong(SystemTime);
    impl TimeSource for Wrong {
        fn now(&self) -> SystemTime {
            self.0
        }
    }
    let f = Fixture::new();
    let ann = f.user("ann");
    for time in beyond().into_iter().chain(before_1970()) {
        let config = Config {
            time_source: Some(std::sync::Arc::new(Wrong(time))),
            ..config(&f.path())
        };
        let result = Keyplate::open(config).and_then(|keyplate| keyplate.get_user(&ann.id));
        assert_eq!(code(result), ErrorCode::Internal);
    }
}

/// Nobody hands out a time that no face could write: the file is damaged.
#[test]
fn a_stored_time_outside_of_the_range_is_damage() {
    let f = Fixture::new();
    let ann = f.user("ann");
    let store = |millis: i64| {
        let connection = raw(&f.path());
        let sql = "UPDATE users SET expires_at = ?1 WHERE username = 'ann'";
        assert_eq!(connection.execute(sql, [millis]).unwrap(), 1);
        drop(connection);
        f.keyplate.get_user(&ann.id).map(|user| user.expires_at)
    };
    assert_eq!(store(LAST_MILLIS as i64), Ok(Some(last())));
    for millis in [LAST_MILLIS as i64 + 1, i64::MAX, -1, i64::MIN] {
        assert_eq!(code(store(millis)), ErrorCode::CorruptDatabase, "{millis}");
    }
}
