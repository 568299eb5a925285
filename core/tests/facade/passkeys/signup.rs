//! S8: passkey-first sign-up. Nothing that counts at its beginning, everything together at its end.

use std::{fs, time::Duration};

use keyplate::{
    ApiKeyQuery, ApprovalRule, Claim, ClientInfo, ErrorCode, EventKind, Keyplate, NewGroup,
    NewSignup, NewSignupToken, PasskeyFailure, SessionQuery, SettingsChanges, SignInMethod,
    SignupMode, SignupRedemptionQuery, UserChanges, UserStatus,
};
use keyplate_testkit::Spoil;

use crate::common::{
    passkeys::{Person, reason},
    signups::*,
    *,
};

fn from(f: &Fixture, address: &str) -> Keyplate {
    let client = ClientInfo {
        address: Some(address.to_owned()),
        ..ClientInfo::default()
    };
    f.keyplate.anonymous(client).unwrap()
}

/// S8, S4; S5: the default group beside the token's, and its claims.
#[test]
fn all_of_it_is_made_at_the_end() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::WithToken);
    let [family, everybody] = ["family", "everybody"].map(|name| {
        let group = NewGroup {
            name: name.to_owned(),
            friendly_name: None,
        };
        f.keyplate.create_group(group).unwrap().id
    });
    f.keyplate.set_default_groups(&[everybody]).unwrap();
    let made = token(
        &f,
        NewSignupToken {
            group_ids: vec![family],
            account_lifetime_seconds: Some(3_600),
            email: Some("@x.example".to_owned()),
            ..with_uses(2)
        },
    );
    let claims = vec![Claim {
        key: "team".to_owned(),
        value: "blue".to_owned(),
    }];
    f.keyplate
        .set_signup_token_grants(&made.signup_token.id, &[family], claims.clone())
        .unwrap();
    let profile = NewSignup {
        email: Some("bob@x.example".to_owned()),
        display_name: Some("Bob".to_owned()),
        first_name: Some("Robert".to_owned()),
        last_name: Some("Roe".to_owned()),
        locale: Some("de-CH".to_owned()),
        ..signup("bob", Some(made.secret.as_str()))
    };
    let mut bob = Person::new();
    let ceremony = f.stranger().begin_passkey_signup(profile).unwrap();
    let response = bob.create(&ceremony, &Spoil::default());
    assert_untouched(&f, 0);
    f.clock.advance(299);
    let signed_in = f
        .stranger()
        .finish_passkey_signup(&ceremony.ceremony, &response)
        .unwrap();

    let user = f.keyplate.find_user_by_username("bob").unwrap().unwrap();
    assert_eq!(user, signed_in.user);
    let names = [
        &user.email,
        &user.display_name,
        &user.first_name,
        &user.last_name,
    ];
    let names = names.map(|name| name.as_deref().unwrap());
    assert_eq!(names, ["bob@x.example", "Bob", "Robert", "Roe"]);
    assert_eq!(user.locale.as_deref(), Some("de-CH"));
    assert!(!user.email_verified && user.status == UserStatus::Active);
    assert_eq!(user.group_ids, [everybody, family]);
    assert_eq!(user.claims, claims);
    assert_eq!(user.expires_at, Some(f.in_seconds(3_600)));
    assert_eq!(counts(&f.keyplate), (1, 1, 1));
    let redemptions = f
        .keyplate
        .list_signup_redemptions(SignupRedemptionQuery::default())
        .unwrap();
    let redemption = &redemptions.items[0];
    assert_eq!((redemption.user_id, redemption.at), (user.id, f.now()));
    assert_eq!(redemption.address.as_deref(), Some("192.0.2.7"));

    assert_eq!(signed_in.session.method, SignInMethod::Passkey);
    assert_eq!(signed_in.session.stepped_up_at, Some(f.now()));
    let acting = f.acting(signed_in.secret.as_str());
    let passkey = acting.list_passkeys(None).unwrap().remove(0);
    assert_eq!((passkey.user_id, passkey.usable), (user.id, true));
    Person::new().register(&acting).unwrap(); // fresh
    let again = bob.log_in(&f.stranger()).unwrap();
    assert_eq!(again.user.id, user.id);
    let made = [EventKind::UserSignedUp, EventKind::PasskeyRegistered];
    let kinds = f.heard.kinds();
    assert!(kinds.windows(2).any(|pair| pair == made), "{kinds:?}");
}

#[test]
fn while_sign_up_is_open_no_token_is_wanted() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::Open);
    let signed_in = Person::new().sign_up(&f.stranger(), signup("bob", None));
    assert_eq!(signed_in.unwrap().session.method, SignInMethod::Passkey);
    // S1 counts accounts, not beginnings, and this way's as the other's.
    let limit = SettingsChanges {
        open_signups_per_hour: Some(2),
        ..SettingsChanges::default()
    };
    f.keyplate.update_settings(limit).unwrap();
    let late = begun(&f, signup("dan", None));
    f.stranger().sign_up(signup("cid", None)).unwrap();
    let refused = f
        .stranger()
        .finish_passkey_signup(&late.0.ceremony, &late.1);
    assert_eq!(code(refused), ErrorCode::RateLimited);
    assert_eq!(counts(&f.keyplate), (0, 0, 2));
    set_mode(&f, SignupMode::Disabled);
    let refused = f.stranger().begin_passkey_signup(signup("eve", None));
    assert_eq!(code(refused), ErrorCode::SignupRefused);
}

#[test]
fn who_waits_for_approval_has_a_passkey_and_looks_at_himself_only() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::WithToken);
    let made = token(
        &f,
        NewSignupToken {
            approval: Some(ApprovalRule::Needed),
            ..with_uses(1)
        },
    );
    let mut bob = Person::new();
    let signed_in = bob
        .sign_up(&f.stranger(), signup("bob", Some(made.secret.as_str())))
        .unwrap();
    let user = &signed_in.user;
    assert_eq!(user.status, UserStatus::Pending);
    assert_eq!(signed_in.session.method, SignInMethod::SignUp);
    assert_eq!(signed_in.session.stepped_up_at, None);
    assert_eq!(f.keyplate.list_passkeys(Some(user.id)).unwrap().len(), 1);

    let acting = f.enrolling(signed_in.secret.as_str());
    assert_eq!(
        acting.get_user(&user.id).unwrap().status,
        UserStatus::Pending
    );
    let names = UserChanges {
        display_name: Some("Eve".to_owned()),
        ..UserChanges::default()
    };
    for (what, outcome) in [
        (
            "a second passkey",
            acting.begin_passkey_registration().map(drop),
        ),
        ("a step-up", acting.begin_step_up().map(drop)),
        ("his passkeys", acting.list_passkeys(None).map(drop)),
        ("his names", acting.update_user(&user.id, names).map(drop)),
        (
            "a key",
            acting
                .create_api_key(new_key(None, &["library:stream"]))
                .map(drop),
        ),
        (
            "his keys",
            acting.list_api_keys(ApiKeyQuery::default()).map(drop),
        ),
        (
            "his sessions",
            acting.list_sessions(SessionQuery::default()).map(drop),
        ),
        (
            "his claims",
            acting.get_effective_claims(&user.id).map(drop),
        ),
    ] {
        assert_eq!(code(outcome), ErrorCode::PermissionDenied, "{what}");
    }
    let refused = bob.log_in(&f.stranger());
    assert_eq!(code(refused), ErrorCode::AccountPending);
    f.keyplate.approve_user(&user.id).unwrap();
    let by_passkey = bob.log_in(&f.stranger()).unwrap();
    assert_eq!(by_passkey.session.method, SignInMethod::Passkey);
}

/// S7 without S8: the passkey comes after the account.
#[test]
fn who_waits_for_approval_registers_his_first_passkey() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::Open);
    let approval = SettingsChanges {
        signup_approval: Some(true),
        ..SettingsChanges::default()
    };
    f.keyplate.update_settings(approval).unwrap();
    let signed_in = f.stranger().sign_up(signup("bob", None)).unwrap();
    let acting = f.enrolling(signed_in.secret.as_str());
    let mut bob = Person::new();
    let registered = bob.register(&acting).unwrap();
    assert!(registered.signed_in.is_none(), "he is not let in by it");
    let second = Person::new().register(&acting);
    assert_eq!(code(second), ErrorCode::PermissionDenied);
    assert_eq!(code(bob.log_in(&f.stranger())), ErrorCode::AccountPending);
    f.keyplate.approve_user(&signed_in.user.id).unwrap();
    bob.log_in(&f.stranger()).unwrap();
    // A rejected one leaves nothing.
    let mut eve = Person::new();
    let signed_in = eve.sign_up(&f.stranger(), signup("eve", None)).unwrap();
    f.keyplate.reject_user(&signed_in.user.id).unwrap();
    let refused = eve.log_in(&f.stranger());
    assert_eq!(reason(refused), PasskeyFailure::UnknownCredential);
}

#[test]
fn beginning_uses_nothing_and_is_forgotten() {
    let (f, made) = invited(1);
    let secret = Some(made.secret.as_str());
    for number in 0..1_000 {
        let stranger = from(&f, &format!("198.51.{}.{}", number / 250, number % 250));
        let begun = stranger.begin_passkey_signup(signup("bob", secret));
        begun.unwrap();
    }
    assert_untouched(&f, 0);
    let ceremonies = || {
        let connection = raw(&f.path());
        let sql = "SELECT count(*) FROM ceremonies";
        connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(ceremonies(), 1_000);
    f.clock.advance(601);
    let mut bob = Person::new();
    bob.sign_up(&f.stranger(), signup("bob", secret)).unwrap();
    assert_eq!(ceremonies(), 0);
    assert_eq!(counts(&f.keyplate), (1, 1, 1));
}

#[test]
fn from_one_address_twenty_may_be_under_way() {
    let (f, made) = invited(1_000);
    let secret = Some(made.secret.as_str());
    let begin = |address: &str, number: u32| {
        let name = format!("u{number}.{}", address.replace(':', "-"));
        from(&f, address).begin_passkey_signup(signup(&name, secret))
    };
    // Of IPv6, a customer has a /64.
    for (one, another) in [("192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::2:1")] {
        let begun: Vec<_> = (0..20).map(|number| begin(one, number).unwrap()).collect();
        let refused = begin(another, 20).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::RateLimited);
        assert!(refused.retry_after().unwrap() >= Duration::from_secs(1));
        begin("192.0.2.2", 20).unwrap();
        // One that is finished, well or not, makes room.
        let response = Person::new().create(&begun[0], &Spoil::default());
        let other = from(&f, "203.0.113.9");
        let _ = other.finish_passkey_signup(&begun[0].ceremony, &response);
        begin(one, 21).unwrap();
        assert_eq!(code(begin(one, 22)), ErrorCode::RateLimited);
        f.clock.advance(300);
        begin(one, 23).unwrap();
        f.clock.advance(601);
    }
    // A host that tells no address is not limited.
    let nowhere = f.keyplate.anonymous(ClientInfo::default()).unwrap();
    for number in 0..30 {
        let name = format!("n{number}");
        nowhere.begin_passkey_signup(signup(&name, secret)).unwrap();
    }
}

#[test]
fn the_tokens_secret_is_nowhere_in_the_file() {
    let (f, made) = invited(1);
    let secret = made.secret.reveal();
    let (ceremony, _) = begun(&f, signup("bob", Some(&secret)));
    let random = secret.rsplit('_').next().unwrap();
    for name in ["id.db", "id.db-wal"] {
        let bytes = fs::read(f.folder.path().join(name)).unwrap();
        let has = |text: &str| {
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        assert!(!has(random) && !has(&random[..20]), "{name}");
        // Nor what names the ceremony, with which anybody could finish it.
        assert!(!has(&ceremony.ceremony), "{name}");
        assert!(name == "id.db" || has("bob"), "the ceremony is in the file");
    }
}
