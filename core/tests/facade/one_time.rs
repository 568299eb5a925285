//! One-time tokens and codes: O1, O2, C3, C4, K2.

use std::{
    sync::{Arc, Barrier},
    thread,
    time::Duration,
};

use keyplate::{
    ClientInfo, Config, ErrorCode, EventKind, Keyplate, NewApiKey, Secret, SignInMethod,
    SignupMode, UserQuery,
};

use crate::common::*;

fn from(f: &Fixture, address: &str) -> Keyplate {
    f.keyplate
        .anonymous(ClientInfo {
            address: Some(address.to_owned()),
            ..Default::default()
        })
        .unwrap()
}

/// O1, C3: with sign-up disabled an administrator still makes users and hands out codes.
#[test]
fn a_code_signs_in_once_however_it_is_typed() {
    let f = Fixture::new();
    assert_eq!(
        f.keyplate.get_settings().unwrap().signup_mode,
        SignupMode::Disabled
    );
    let bob = f.user("bob");
    type Typed = fn(&str) -> String;
    let ways: [Typed; 5] = [
        |code| code.to_owned(),
        |code| code.to_lowercase(),
        |code| code.replace('-', ""),
        |code| code.replace('0', "O").replace('1', "I"),
        |code| {
            format!(
                " {} ",
                code.replace('0', "o").replace('1', "l").replace('-', " ")
            )
        },
    ];
    for way in ways {
        let made = f.keyplate.create_one_time_token(&bob.id, None).unwrap();
        let code = made.secret.reveal();
        assert!(made.one_time_token.is_code && code.len() == 9 && code.as_bytes()[4] == b'-');
        assert!(!format!("{made:?}").contains(&code));
        let signed_in = f.stranger().redeem_one_time_token(&way(&code)).unwrap();
        assert_eq!(
            (signed_in.user.id, signed_in.session.method),
            (bob.id, SignInMethod::OneTimeToken)
        );
        assert_eq!(
            signed_in.session.stepped_up_at, None,
            "it does not satisfy step-up"
        );
        assert_eq!(
            code_of(f.stranger().redeem_one_time_token(&code)),
            ErrorCode::InvalidCredential
        );
    }
}

fn code_of<T: std::fmt::Debug>(result: keyplate::Result<T>) -> ErrorCode {
    code(result)
}

#[test]
fn of_twenty_parallel_tries_one_signs_in() {
    let f = Fixture::new();
    let bob = f.user("bob");
    for lifetime in [60, 10_000] {
        let made = f
            .keyplate
            .create_one_time_token(&bob.id, Some(lifetime))
            .unwrap();
        let barrier = Barrier::new(20);
        let won = thread::scope(|scope| {
            let threads: Vec<_> = (0..20)
                .map(|n| {
                    let (f, made, barrier) = (&f, &made, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        from(f, &format!("192.0.2.{n}"))
                            .redeem_one_time_token(made.secret.as_str())
                            .is_ok()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .filter(|won| *won)
                .count()
        });
        assert_eq!(won, 1);
    }
}

/// C3.
#[test]
fn the_eleventh_wrong_code_is_limited_by_address_and_long_tokens_are_not() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let good = f
        .keyplate
        .create_one_time_token(&bob.id, Some(900))
        .unwrap();
    let long = f
        .keyplate
        .create_one_time_token(&bob.id, Some(901))
        .unwrap();
    let guesser = from(&f, "2001:db8::1");
    for n in 0..10 {
        f.clock.advance(1);
        assert_eq!(
            code(guesser.redeem_one_time_token(&format!("0000-000{n}"))),
            ErrorCode::InvalidCredential
        );
    }
    let error = from(&f, "2001:db8::2")
        .redeem_one_time_token(good.secret.as_str())
        .unwrap_err();
    assert_eq!(
        (error.code(), error.retry_after()),
        (ErrorCode::RateLimited, Some(Duration::from_secs(591)))
    );
    // What cannot be a code is not one; a long token is not limited, and wrong ones are not counted.
    assert_eq!(
        code(guesser.redeem_one_time_token("no code")),
        ErrorCode::InvalidCredential
    );
    from(&f, "2001:db8::1")
        .redeem_one_time_token(long.secret.as_str())
        .unwrap();
    for _ in 0..20 {
        assert_eq!(
            code(from(&f, "192.0.2.1").redeem_one_time_token(long.secret.as_str())),
            ErrorCode::InvalidCredential
        );
    }
    from(&f, "192.0.2.1")
        .redeem_one_time_token(good.secret.as_str())
        .expect("from another address it works");
    f.clock.advance(591);
    assert_eq!(
        code(guesser.redeem_one_time_token("0000-0000")),
        ErrorCode::InvalidCredential,
        "the first has left the window"
    );
    assert_eq!(
        code(guesser.redeem_one_time_token("0000-0000")),
        ErrorCode::RateLimited
    );
}

/// C3: the same client is the same source in whatever form it is told, and so are all of whom no address is known.
#[test]
fn no_way_of_writing_an_address_gets_out_of_a_limit() {
    let v4 = |n: u32| match n % 5 {
        0 => "203.0.113.9".to_owned(),
        1 => format!("203.0.113.9:{}", 50_000 + n),
        2 => format!("[::ffff:203.0.113.9]:{}", 50_000 + n),
        3 => "::ffff:203.0.113.9".to_owned(),
        _ => "\"203.0.113.9\",".to_owned(),
    };
    let v6 = |n: u32| format!("[2001:db8::{n:x}%eth{n}]:{}", 50_000 + n);
    let none = |n: u32| format!("_hidden{n}");
    let ways: [&dyn Fn(u32) -> String; 3] = [&v4, &v6, &none];
    for write in ways {
        let f = Fixture::new();
        for n in 0..10 {
            assert_eq!(
                code(from(&f, &write(n)).redeem_one_time_token("0000-0000")),
                ErrorCode::InvalidCredential,
                "{}",
                write(n)
            );
        }
        for n in 10..15 {
            assert_eq!(
                code(from(&f, &write(n)).redeem_one_time_token("0000-0000")),
                ErrorCode::RateLimited,
                "{}",
                write(n)
            );
        }
        assert_eq!(
            code(from(&f, "198.51.100.1").redeem_one_time_token("0000-0000")),
            ErrorCode::InvalidCredential
        );
    }
}

/// C3: however many guess from elsewhere, whoever has the right code and has not guessed comes in at once.
#[test]
fn wrong_codes_of_many_addresses_do_not_lock_out_the_right_one() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let make = || f.keyplate.create_one_time_token(&bob.id, None).unwrap();
    let (first, second) = (make(), make());
    let guess = |n: u32| {
        let address = format!("10.9.{}.{}", n >> 8, n & 255);
        code(from(&f, &address).redeem_one_time_token("0000-0000"))
    };
    let codes: Vec<ErrorCode> = (0..5_000).map(guess).collect();
    let wrong = codes
        .iter()
        .filter(|code| **code == ErrorCode::InvalidCredential);
    assert_eq!(wrong.count(), 200, "within one second");
    from(&f, "198.51.100.1")
        .redeem_one_time_token(first.secret.as_str())
        .unwrap();
    // Who is one of those who guessed is not let in above the limit, with the right code either.
    let guesser = from(&f, "10.9.0.7");
    assert_eq!(
        code(guesser.redeem_one_time_token(second.secret.as_str())),
        ErrorCode::RateLimited
    );
    f.clock.advance(2);
    guesser
        .redeem_one_time_token(second.secret.as_str())
        .unwrap();
}

#[test]
fn many_wrong_codes_from_everywhere_are_slowed_and_told() {
    let f = Fixture::new();
    let mut limited = 0;
    for n in 0..1_010_u32 {
        let address = format!("10.{}.{}.{}", n >> 16, (n >> 8) & 255, n & 255);
        loop {
            match from(&f, &address)
                .redeem_one_time_token("0000-0000")
                .unwrap_err()
                .code()
            {
                ErrorCode::RateLimited => {
                    limited += 1;
                    f.clock.advance(1);
                }
                code => break assert_eq!(code, ErrorCode::InvalidCredential),
            }
        }
    }
    assert_eq!(limited, 5, "above 200 a second");
    let told = f
        .heard
        .kinds()
        .iter()
        .filter(|kind| **kind == EventKind::CodeGuessing)
        .count();
    assert_eq!(told, 1);
}

#[test]
fn who_may_not_sign_in_does_not_use_it_up() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let made = f.keyplate.create_one_time_token(&bob.id, None).unwrap();
    f.keyplate.disable_user(&bob.id).unwrap();
    assert_eq!(
        code(f.stranger().redeem_one_time_token(made.secret.as_str())),
        ErrorCode::AccountDisabled
    );
    assert_eq!(
        code(f.keyplate.create_one_time_token(&bob.id, None)),
        ErrorCode::AccountDisabled
    );
    f.keyplate.enable_user(&bob.id).unwrap();
    // Nor does another code.
    f.keyplate.create_one_time_token(&bob.id, None).unwrap();
    f.stranger()
        .redeem_one_time_token(made.secret.as_str())
        .unwrap();
    for bad in [0, -1, 31 * 24 * 3_600 + 1, i64::MAX, i64::MIN] {
        assert_eq!(
            refusal(f.keyplate.create_one_time_token(&bob.id, Some(bad)))
                .1
                .as_deref(),
            Some("lifetime_seconds")
        );
    }
}

/// K2.
#[test]
fn its_session_can_do_no_more_than_its_maker() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let carol = f.administrator("carol");
    let end = f.in_seconds(1_000);
    let maker = f
        .keyplate
        .create_api_key(NewApiKey {
            expires_at: Some(end),
            ..new_key(Some(&ann), &["one_time_tokens:write"])
        })
        .unwrap();
    let weak = f.acting(maker.secret.as_str());
    assert_eq!(
        code(weak.create_one_time_token(&carol.id, None)),
        ErrorCode::PermissionDenied
    );
    let hers = f.keyplate.create_one_time_token(&carol.id, None).unwrap();
    assert_eq!(
        code(weak.revoke_one_time_token(&hers.one_time_token.id)),
        ErrorCode::PermissionDenied
    );
    for user in [&ann, &bob] {
        let made = weak.create_one_time_token(&user.id, None).unwrap();
        let signed_in = f
            .stranger()
            .redeem_one_time_token(made.secret.as_str())
            .unwrap();
        assert_eq!(signed_in.session.expires_at, end, "nor does it outlive it");
        let found = f
            .keyplate
            .verify_session(signed_in.secret.as_str())
            .unwrap();
        assert_eq!(found.scopes, ["one_time_tokens:write"]);
        assert_eq!(
            code(
                f.acting(signed_in.secret.as_str())
                    .list_users(UserQuery::default())
            ),
            ErrorCode::PermissionDenied
        );
    }
    let lasting = NewApiKey {
        expires_at: Some(f.in_seconds(400 * 24 * 3_600)),
        ..new_key(Some(&ann), &["one_time_tokens:write"])
    };
    let lasting = f.keyplate.create_api_key(lasting).unwrap();
    let made = f
        .acting(lasting.secret.as_str())
        .create_one_time_token(&bob.id, None)
        .unwrap();
    let signed_in = f.stranger().redeem_one_time_token(made.secret.as_str());
    assert_eq!(
        signed_in.unwrap().session.expires_at,
        f.in_seconds(30 * 24 * 3_600),
        "as the settings say"
    );
    // Through such a session nothing lives longer either.
    let made = weak.create_one_time_token(&ann.id, None).unwrap();
    let chained = f.acting(
        f.stranger()
            .redeem_one_time_token(made.secret.as_str())
            .unwrap()
            .secret
            .as_str(),
    );
    let made = chained
        .create_one_time_token(&ann.id, Some(100_000))
        .unwrap();
    assert_eq!(
        f.stranger()
            .redeem_one_time_token(made.secret.as_str())
            .unwrap()
            .session
            .expires_at,
        end
    );
    let made = chained
        .create_one_time_token(&ann.id, Some(100_000))
        .unwrap();
    f.clock.advance(1_000);
    assert_eq!(
        code(f.stranger().redeem_one_time_token(made.secret.as_str())),
        ErrorCode::InvalidCredential
    );
}

#[test]
fn with_an_encryption_key_the_file_alone_does_not_tell_codes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    let open = |key: Option<&str>| {
        let encryption_key = key.map(|key| Arc::new(Secret::new(key.to_owned())));
        Keyplate::open(Config {
            encryption_key,
            ..config(&path)
        })
    };
    assert_eq!(
        refusal(open(Some("short"))),
        (ErrorCode::Configuration, Some("encryption_key".to_owned()))
    );
    let (right, wrong) = ("k".repeat(32), "x".repeat(32));
    let keyplate = open(Some(&right)).unwrap();
    let bob = keyplate.create_user(new_user("bob")).unwrap();
    let made = keyplate.create_one_time_token(&bob.id, None).unwrap();
    assert_eq!(
        code(
            open(Some(&wrong))
                .unwrap()
                .redeem_one_time_token(made.secret.as_str())
        ),
        ErrorCode::InvalidCredential
    );
    assert_eq!(
        code(
            open(None)
                .unwrap()
                .redeem_one_time_token(made.secret.as_str())
        ),
        ErrorCode::InvalidCredential
    );
    open(Some(&right))
        .unwrap()
        .redeem_one_time_token(made.secret.as_str())
        .unwrap();
}

#[test]
fn an_old_session_does_not_become_fresh_by_a_code_for_itself() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let bob = f.user("bob");
    let old = f.acting(f.session(&ann).secret.as_str());
    old.create_one_time_token(&ann.id, None).unwrap();
    f.clock.advance(3_600);
    assert_eq!(
        code(old.create_one_time_token(&ann.id, None)),
        ErrorCode::StepUpRequired
    );
    old.create_one_time_token(&bob.id, None)
        .expect("for others it is an administrator's work");
}
