//! What a sign-up is refused for, how many there may be, and what nobody may give by a token.

use std::time::Duration;

use keyplate::{
    Claim, ClientInfo, ErrorCode, Limit, NewSignup, NewSignupToken, Settings, SettingsChanges,
    SignupMode, SignupTokenChanges,
};

use crate::{
    common::{signups::*, *},
    groups::group,
};

/// S4; U1 for the name of somebody who was deleted.
#[test]
fn a_sign_up_that_is_refused_uses_nothing_and_names_cannot_be_listed_without_a_token() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::WithToken);
    f.user("ann");
    let gone = f.user("gone");
    f.keyplate.delete_user(&gone.id).unwrap();
    let made = token(&f, with_uses(1));
    let secret = Some(made.secret.as_str());
    for (field, bad) in [
        ("username", signup("ANN", secret)),
        ("username", signup("gone", secret)), // a deleted user's name
        ("username", signup("a b", secret)),
        (
            "email",
            NewSignup {
                email: Some("x".to_owned()),
                ..signup("bob", secret)
            },
        ),
        (
            "locale",
            NewSignup {
                locale: Some("!".to_owned()),
                ..signup("bob", secret)
            },
        ),
    ] {
        assert_eq!(refusal(f.stranger().sign_up(bad)).1.as_deref(), Some(field));
    }
    assert_eq!(
        f.keyplate
            .get_signup_token(&made.signup_token.id)
            .unwrap()
            .uses,
        0
    );
    // The same answer for a name that is taken and one that is free.
    for name in ["ann", "nobody"] {
        assert_eq!(
            code(f.stranger().sign_up(signup(name, Some("kp_inv_wrong")))),
            ErrorCode::InvalidCredential
        );
    }
    f.stranger().sign_up(signup("bob", secret)).unwrap();
}

/// S2, K2.
#[test]
fn nobody_gives_by_a_token_what_he_may_not_give_himself() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let family = group(&f, "family");
    let with_group = || NewSignupToken {
        group_ids: vec![family.id],
        ..Default::default()
    };
    let weak = f.acting(f.key(&ann, &["signup_tokens:write"]).secret.as_str());
    assert_eq!(
        code(weak.create_signup_token(with_group())),
        ErrorCode::PermissionDenied
    );
    let plain = weak
        .create_signup_token(NewSignupToken::default())
        .unwrap()
        .signup_token;
    let claim = || {
        vec![Claim {
            key: "quota".to_owned(),
            value: "1".to_owned(),
        }]
    };
    assert_eq!(
        code(weak.set_signup_token_grants(&plain.id, &[family.id], vec![])),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(weak.set_signup_token_grants(&plain.id, &[], claim())),
        ErrorCode::PermissionDenied
    );
    // Stretching somebody else's token hands out its groups as well.
    let strong = token(&f, with_group()).signup_token;
    let stretch = SignupTokenChanges {
        uses: Some(Limit::Unlimited),
        ..Default::default()
    };
    assert_eq!(
        code(weak.update_signup_token(&strong.id, stretch.clone())),
        ErrorCode::PermissionDenied
    );
    assert_eq!(
        code(weak.set_signup_token_grants(&strong.id, &[], vec![])),
        ErrorCode::PermissionDenied
    );
    let both = f.acting(
        f.key(
            &ann,
            &["signup_tokens:write", "groups:write", "users:write"],
        )
        .secret
        .as_str(),
    );
    both.update_signup_token(&strong.id, stretch).unwrap();
    both.set_signup_token_grants(&strong.id, &[], claim())
        .unwrap();
    let settings = f.acting(f.key(&ann, &["settings:write"]).secret.as_str());
    let longer = SettingsChanges {
        session_lifetime_seconds: Some(366 * 24 * 3_600),
        ..Default::default()
    };
    assert_eq!(
        code(settings.update_settings(longer)),
        ErrorCode::PermissionDenied,
        "everybody's sessions would be stronger"
    );
    assert_eq!(
        refusal(
            f.keyplate
                .set_user_claims(&ann.id, [claim(), claim()].concat())
        ),
        (ErrorCode::InvalidInput, Some("claims".to_owned()))
    );
    assert_eq!(
        code(settings.set_default_groups(&[family.id])),
        ErrorCode::PermissionDenied
    );
    let users = f.acting(f.key(&ann, &["users:write"]).secret.as_str());
    let in_family = keyplate::NewUser {
        group_ids: vec![family.id],
        ..new_user("bob")
    };
    assert_eq!(
        code(users.create_user(in_family)),
        ErrorCode::PermissionDenied
    );
    let unknown = keyplate::GroupId::parse("00000000-0000-7000-8000-000000000000").unwrap();
    let bad = NewSignupToken {
        group_ids: vec![unknown],
        ..Default::default()
    };
    assert_eq!(
        code(f.keyplate.create_signup_token(bad)),
        ErrorCode::NotFound
    );
    let bad = keyplate::NewUser {
        group_ids: vec![unknown],
        ..new_user("bob")
    };
    assert_eq!(code(f.keyplate.create_user(bad)), ErrorCode::NotFound);
    assert_eq!(
        code(f.keyplate.set_user_groups(&ann.id, &[unknown])),
        ErrorCode::NotFound
    );
    assert_eq!(
        code(f.keyplate.set_default_groups(&[unknown])),
        ErrorCode::NotFound
    );
    let nobody = keyplate::UserId::parse(unknown.as_str()).unwrap();
    assert_eq!(
        code(f.keyplate.set_group_members(&family.id, &[nobody])),
        ErrorCode::NotFound
    );
}

/// S1.
#[test]
fn open_sign_up_is_limited_by_address_and_settings_reach_other_processes() {
    let f = Fixture::new();
    assert_eq!(f.keyplate.get_settings().unwrap(), Settings::default());
    set_mode(&f, SignupMode::Open);
    let from = |address: &str| {
        f.open_again()
            .anonymous(ClientInfo {
                address: Some(address.to_owned()),
                ..Default::default()
            })
            .unwrap()
    };
    for _ in 0..10 {
        let _ = from("2001:db8::1").redeem_one_time_token("0000-0000"); // is counted by itself
    }
    for n in 0..10 {
        f.clock.advance(60);
        from("2001:db8::1")
            .sign_up(signup(&format!("a{n}"), None))
            .unwrap();
    }
    let error = from("2001:db8::2").sign_up(signup("b", None)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::RateLimited);
    assert_eq!(
        error.retry_after(),
        Some(Duration::from_secs(3_600 - 9 * 60))
    );
    from("2001:db8:0:1::1")
        .sign_up(signup("b", None))
        .expect("another network");
    // A token is not limited, and given all the same it must be good and is used.
    let made = token(&f, with_uses(1));
    from("2001:db8::1")
        .sign_up(signup("c", Some(made.secret.as_str())))
        .unwrap();
    assert_eq!(
        code(from("2001:db8::1").sign_up(signup("d", Some(made.secret.as_str())))),
        ErrorCode::InvalidCredential
    );
    f.clock.advance(3_600 - 9 * 60);
    from("2001:db8::1")
        .sign_up(signup("d", None))
        .expect("an hour after the first");
}

/// S1: addresses are cheap, so there is a limit for all of them together, with or without an address.
#[test]
fn open_sign_up_is_limited_over_all_addresses_too() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::Open);
    let sign_up = |n: u64, address: Option<String>| {
        let client = ClientInfo {
            address,
            ..Default::default()
        };
        let stranger = f.keyplate.anonymous(client).unwrap();
        stranger.sign_up(signup(&format!("a{n}"), None))
    };
    for n in 0..200 {
        f.clock.advance(1);
        let address = (n % 4 > 0).then(|| format!("10.0.0.{n}"));
        sign_up(n, address).unwrap();
    }
    let error = sign_up(200, Some("10.0.1.1".to_owned())).unwrap_err();
    assert_eq!(error.code(), ErrorCode::RateLimited);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600 - 199)));
    assert_eq!(code(sign_up(200, None)), ErrorCode::RateLimited);
    let more = SettingsChanges {
        open_signups_per_hour_in_all: Some(201),
        ..Default::default()
    };
    f.keyplate.update_settings(more).unwrap();
    sign_up(200, Some("10.0.1.1".to_owned())).unwrap();
    assert_eq!(code(sign_up(201, None)), ErrorCode::RateLimited);
    f.clock.advance(3_600 - 199);
    sign_up(201, None).expect("an hour after the first");
}
