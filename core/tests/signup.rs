//! Sign-up: S1–S7, G1 and U5 where it gives groups and claims.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use std::time::Duration;

use common::{signups::*, *};
use keyplate::{
    ApprovalRule, Claim, ClientInfo, ErrorCode, EventKind, Expiry, Group, Limit, NewGroup,
    NewSignup, NewSignupToken, Settings, SettingsChanges, SignupMode, SignupRedemptionQuery,
    SignupTokenChanges, SignupTokenQuery, SignupTokenState, UserQuery, UserStatus,
};

fn group(f: &Fixture, name: &str) -> Group {
    f.keyplate
        .create_group(NewGroup {
            name: name.to_owned(),
            friendly_name: None,
        })
        .unwrap()
}

/// Item 1: mode × token × approval.
#[test]
fn the_whole_table() {
    const TOKENS: [&str; 9] = [
        "none",
        "valid",
        "expired",
        "exhausted",
        "paused",
        "revoked",
        "bound to another",
        "malformed",
        "wrong checksum",
    ];
    for mode in [
        SignupMode::Disabled,
        SignupMode::WithToken,
        SignupMode::Open,
    ] {
        for kind in TOKENS {
            for approval in [false, true] {
                let f = Fixture::new();
                let changes = SettingsChanges {
                    signup_mode: Some(mode),
                    signup_approval: Some(approval),
                    ..Default::default()
                };
                f.keyplate.update_settings(changes).unwrap();
                let secret = token_of_kind(&f, kind);
                let before = f.keyplate.list_users(UserQuery::default()).unwrap().total;
                let result = f.stranger().sign_up(NewSignup {
                    email: Some("bob@x.example".to_owned()),
                    ..signup("bob", secret.as_deref())
                });
                let told = format!("{mode:?}, token {kind}, approval {approval}");
                let expected = match (mode, kind) {
                    (SignupMode::Disabled, _) | (SignupMode::WithToken, "none") => {
                        Err(ErrorCode::SignupRefused)
                    }
                    (SignupMode::Open, "none") | (_, "valid") => Ok(if approval {
                        UserStatus::Pending
                    } else {
                        UserStatus::Active
                    }),
                    _ => Err(ErrorCode::InvalidCredential),
                };
                let outcome = result
                    .map(|signed_in| signed_in.user.status)
                    .map_err(|error| error.code());
                assert_eq!(outcome, expected, "{told}");
                let made = f.keyplate.list_users(UserQuery::default()).unwrap().total - before;
                assert_eq!(made, u64::from(expected.is_ok()), "{told}");
                assert_eq!(
                    f.heard.kinds().contains(&EventKind::SignupRefused),
                    expected.is_err(),
                    "{told}"
                );
            }
        }
    }
}

fn token_of_kind(f: &Fixture, kind: &str) -> Option<String> {
    let bound = (kind == "bound to another").then(|| "ann@x.example".to_owned());
    let made = token(
        f,
        NewSignupToken {
            email: bound,
            ..with_uses(1)
        },
    );
    let id = &made.signup_token.id;
    let secret = made.secret.reveal();
    match kind {
        "none" => return None,
        "expired" => f.clock.advance(8 * 24 * 3_600),
        "exhausted" => {
            let mode = f.keyplate.get_settings().unwrap().signup_mode;
            set_mode(f, SignupMode::WithToken);
            f.stranger()
                .sign_up(signup("first", Some(&secret)))
                .unwrap();
            set_mode(f, mode);
        }
        "paused" => {
            let pause = SignupTokenChanges {
                enabled: Some(false),
                ..Default::default()
            };
            f.keyplate.update_signup_token(id, pause).unwrap();
        }
        "revoked" => f.keyplate.revoke_signup_token(id).unwrap(),
        "malformed" => return Some("kp_inv_short".to_owned()),
        "wrong checksum" => {
            let last = if secret.ends_with('0') { "1" } else { "0" };
            return Some(format!("{}{last}", &secret[..secret.len() - 1]));
        }
        _ => {}
    }
    Some(secret)
}

#[test]
fn looking_at_a_token_never_uses_it_and_tells_strangers_nothing() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::WithToken);
    let made = token(
        &f,
        NewSignupToken {
            approval: Some(ApprovalRule::Needed),
            email: Some("@x.example".to_owned()),
            ..with_uses(1)
        },
    );
    for _ in 0..3 {
        let seen = f
            .stranger()
            .inspect_signup_token(made.secret.as_str())
            .unwrap();
        assert_eq!(
            (seen.needs_approval, seen.email.as_deref()),
            (true, Some("@x.example"))
        );
    }
    assert_eq!(
        f.keyplate
            .get_signup_token(&made.signup_token.id)
            .unwrap()
            .uses,
        0
    );
    for kind in [
        "expired",
        "exhausted",
        "paused",
        "revoked",
        "malformed",
        "wrong checksum",
    ] {
        let secret = token_of_kind(&f, kind).unwrap();
        let error = f.stranger().inspect_signup_token(&secret).unwrap_err();
        assert_eq!(
            (error.code(), error.to_string().as_str()),
            (ErrorCode::InvalidCredential, "invalid credential"),
            "{kind}"
        );
        if kind == "exhausted" {
            let first = f.keyplate.find_user("first").unwrap().unwrap();
            f.keyplate.delete_user(&first.id).unwrap();
        }
    }
}

#[test]
fn a_token_may_be_bound_to_an_address_or_a_domain() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::WithToken);
    let made = token(
        &f,
        NewSignupToken {
            email: Some("@X.example".to_owned()),
            ..with_uses(9)
        },
    );
    let with = |name: &str, email: Option<&str>| {
        let signup = NewSignup {
            email: email.map(str::to_owned),
            ..signup(name, Some(made.secret.as_str()))
        };
        f.stranger()
            .sign_up(signup)
            .map(|signed_in| signed_in.user.email_verified)
            .map_err(|error| error.code())
    };
    assert_eq!(with("a", None), Err(ErrorCode::InvalidCredential));
    assert_eq!(
        with("a", Some("a@y.example")),
        Err(ErrorCode::InvalidCredential)
    );
    assert_eq!(
        with("a", Some("a@evil.x.example")),
        Err(ErrorCode::InvalidCredential)
    );
    assert_eq!(
        with("a", Some("a@x.EXAMPLE")),
        Ok(false),
        "the address is his word only"
    );
    let exact = SignupTokenChanges {
        email: Some("Bob@x.example".to_owned()),
        ..Default::default()
    };
    f.keyplate
        .update_signup_token(&made.signup_token.id, exact)
        .unwrap();
    assert_eq!(
        with("c", Some("c@x.example")),
        Err(ErrorCode::InvalidCredential)
    );
    assert_eq!(with("b", Some("bob@X.example")), Ok(false));
    for bad in ["@", "@@x", "no address", "@a b"] {
        let bound = NewSignupToken {
            email: Some(bad.to_owned()),
            ..Default::default()
        };
        assert_eq!(
            refusal(f.keyplate.create_signup_token(bound)).1.as_deref(),
            Some("email"),
            "{bad}"
        );
    }
}

/// Item 4.
#[test]
fn tokens_are_extended_paused_and_limited_with_effect_on_the_next_sign_up() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::WithToken);
    let (family, work) = (group(&f, "family"), group(&f, "work"));
    let made = token(
        &f,
        NewSignupToken {
            group_ids: vec![family.id, work.id],
            ..with_uses(2)
        },
    );
    let id = made.signup_token.id;
    let (mut number, stranger) = (0, f.stranger());
    let mut try_it = || {
        number += 1;
        stranger.sign_up(signup(&format!("u{number}"), Some(made.secret.as_str())))
    };
    let change =
        |changes: SignupTokenChanges| f.keyplate.update_signup_token(&id, changes).unwrap().state;
    let none = SignupTokenChanges::default;
    assert_eq!(
        made.signup_token.expires_at,
        Some(f.in_seconds(7 * 24 * 3_600)),
        "a week, when nothing is said"
    );

    f.clock.advance(7 * 24 * 3_600);
    assert_eq!(code(try_it()), ErrorCode::InvalidCredential);
    assert_eq!(
        f.keyplate.get_signup_token(&id).unwrap().state,
        SignupTokenState::Expired
    );
    assert_eq!(
        change(SignupTokenChanges {
            expiry: Some(Expiry::Never),
            ..none()
        }),
        SignupTokenState::Usable
    );
    assert_eq!(try_it().unwrap().user.group_ids, [family.id, work.id]);

    assert_eq!(
        change(SignupTokenChanges {
            enabled: Some(false),
            ..none()
        }),
        SignupTokenState::Paused
    );
    assert_eq!(code(try_it()), ErrorCode::InvalidCredential);
    assert_eq!(
        change(SignupTokenChanges {
            enabled: Some(true),
            ..none()
        }),
        SignupTokenState::Usable
    );
    try_it().unwrap();
    assert_eq!(
        f.keyplate.get_signup_token(&id).unwrap().state,
        SignupTokenState::Exhausted
    );
    assert_eq!(code(try_it()), ErrorCode::InvalidCredential);
    let lower = SignupTokenChanges {
        uses: Some(Limit::AtMost { most: 1 }),
        ..none()
    };
    assert_eq!(
        refusal(f.keyplate.update_signup_token(&id, lower)),
        (ErrorCode::InvalidInput, Some("uses".to_owned()))
    );
    assert_eq!(
        change(SignupTokenChanges {
            uses: Some(Limit::AtMost { most: 3 }),
            ..none()
        }),
        SignupTokenState::Usable
    );

    f.keyplate.delete_group(&family.id).unwrap();
    assert_eq!(
        try_it().unwrap().user.group_ids,
        [work.id],
        "a deleted group is given no more"
    );
    assert_eq!(
        change(SignupTokenChanges {
            uses: Some(Limit::Unlimited),
            ..none()
        }),
        SignupTokenState::Usable
    );
    try_it().unwrap();
    f.keyplate.revoke_signup_token(&id).unwrap();
    f.keyplate
        .revoke_signup_token(&id)
        .expect("again does nothing");
    let kinds = f.heard.kinds();
    let revoked = |kind: &&EventKind| **kind == EventKind::SignupTokenRevoked;
    assert_eq!(kinds.iter().filter(revoked).count(), 1);
    assert_eq!(
        code(f.keyplate.set_signup_token_grants(&id, &[], vec![])),
        ErrorCode::Conflict
    );
    assert_eq!(code(try_it()), ErrorCode::InvalidCredential);
    assert_eq!(
        f.keyplate
            .list_signup_tokens(SignupTokenQuery::default())
            .unwrap()
            .total,
        0
    );
    let all = SignupTokenQuery {
        include_revoked: true,
        ..Default::default()
    };
    assert_eq!(
        f.keyplate.list_signup_tokens(all).unwrap().items[0].state,
        SignupTokenState::Revoked
    );
    assert_eq!(
        f.keyplate
            .list_signup_redemptions(SignupRedemptionQuery::default())
            .unwrap()
            .total,
        4
    );
}

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

/// Item 6.
#[test]
fn a_pending_user_reads_his_own_status_and_nothing_else() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::WithToken);
    let made = token(
        &f,
        NewSignupToken {
            approval: Some(ApprovalRule::Needed),
            ..with_uses(2)
        },
    );
    let carol = f
        .stranger()
        .sign_up(signup("carol", Some(made.secret.as_str())))
        .unwrap();
    assert_eq!(carol.user.status, UserStatus::Pending);
    assert_eq!(
        f.keyplate
            .verify_session(carol.secret.as_str())
            .unwrap()
            .scopes,
        ["enrol"]
    );
    let hers = f.acting(carol.secret.as_str());
    assert_eq!(
        hers.get_user(&carol.user.id).unwrap().status,
        UserStatus::Pending
    );
    for (method, result) in [
        (
            "list_sessions",
            hers.list_sessions(Default::default()).err(),
        ),
        (
            "update_user",
            hers.update_user(&carol.user.id, Default::default()).err(),
        ),
        (
            "create_api_key",
            hers.create_api_key(new_key(None, &["a:b"])).err(),
        ),
        ("list_groups", hers.list_groups(Default::default()).err()),
        (
            "list_audit_events",
            hers.list_audit_events(Default::default()).err(),
        ),
        ("list_users", hers.list_users(Default::default()).err()),
        ("approve_user", hers.approve_user(&carol.user.id).err()),
    ] {
        assert_eq!(
            result.map(|error| error.code()),
            Some(ErrorCode::PermissionDenied),
            "{method}"
        );
    }
    assert_eq!(
        code(
            f.keyplate
                .create_session(&carol.user.id, ClientInfo::default(), None)
        ),
        ErrorCode::AccountPending
    );
    assert_eq!(
        code(f.keyplate.create_one_time_token(&carol.user.id, None)),
        ErrorCode::AccountPending
    );
    assert_eq!(
        code(f.keyplate.enable_user(&carol.user.id)),
        ErrorCode::Conflict
    );
    let smuggled = keyplate::UserChanges {
        disabled: Some(true),
        ..Default::default()
    };
    assert_eq!(
        code(f.keyplate.update_user(&carol.user.id, smuggled)),
        ErrorCode::Conflict
    );

    let dora = f
        .stranger()
        .sign_up(signup("dora", Some(made.secret.as_str())))
        .unwrap();
    assert_eq!(
        f.keyplate
            .authenticate(carol.secret.as_str())
            .unwrap()
            .status,
        UserStatus::Pending
    );
    f.keyplate.approve_user(&carol.user.id).unwrap();
    assert!(
        hers.list_sessions(Default::default()).is_ok(),
        "approved, she is in"
    );
    f.acting(dora.secret.as_str())
        .revoke_session(&dora.session.id)
        .expect("signing out");
    f.keyplate.reject_user(&dora.user.id).unwrap();
    assert_eq!(
        code(f.keyplate.verify_session(dora.secret.as_str())),
        ErrorCode::InvalidCredential
    );
    assert_eq!(
        code(f.keyplate.reject_user(&carol.user.id)),
        ErrorCode::Conflict
    );
    let heard = f.heard.0.lock().unwrap();
    let about = |kind: EventKind| {
        heard
            .iter()
            .filter(|event| event.kind == kind)
            .map(|event| event.username.clone().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(about(EventKind::UserSignedUp), ["carol", "dora"]);
    assert_eq!(
        (
            about(EventKind::UserApproved),
            about(EventKind::UserRejected)
        ),
        (vec!["carol".to_owned()], vec!["dora".to_owned()])
    );
}

#[test]
fn a_token_may_say_that_nobody_need_approve() {
    let f = Fixture::new();
    let changes = SettingsChanges {
        signup_mode: Some(SignupMode::WithToken),
        signup_approval: Some(true),
        ..Default::default()
    };
    f.keyplate.update_settings(changes).unwrap();
    let made = token(
        &f,
        NewSignupToken {
            approval: Some(ApprovalRule::NotNeeded),
            ..with_uses(1)
        },
    );
    let bob = f
        .stranger()
        .sign_up(signup("bob", Some(made.secret.as_str())))
        .unwrap();
    assert_eq!(bob.user.status, UserStatus::Active);
}

#[test]
fn a_rejected_name_is_free_again() {
    let f = Fixture::new();
    let changes = SettingsChanges {
        signup_mode: Some(SignupMode::Open),
        signup_approval: Some(true),
        ..Default::default()
    };
    f.keyplate.update_settings(changes).unwrap();
    for _ in 0..2 {
        let made = f.stranger().sign_up(signup("bob", None)).unwrap();
        f.keyplate.reject_user(&made.user.id).unwrap();
        let same_id = keyplate::NewUser {
            id: Some(made.user.id),
            ..new_user("carol")
        };
        assert_eq!(
            code(f.keyplate.create_user(same_id)),
            ErrorCode::Conflict,
            "his id is not"
        );
    }
}

/// Item 8.
#[test]
fn an_account_with_a_lifetime_lapses_at_its_second() {
    let f = Fixture::new();
    set_mode(&f, SignupMode::WithToken);
    let made = token(
        &f,
        NewSignupToken {
            account_lifetime_seconds: Some(600),
            ..with_uses(1)
        },
    );
    let bob = f
        .stranger()
        .sign_up(signup("bob", Some(made.secret.as_str())))
        .unwrap();
    let key = f.key(&bob.user, &["a:b"]);
    let lapsing = |seconds| {
        let query = UserQuery {
            expiring_within_seconds: Some(seconds),
            ..Default::default()
        };
        f.keyplate.list_users(query).unwrap().total
    };
    assert_eq!((lapsing(599), lapsing(600)), (0, 1));
    f.clock.advance(599);
    assert!(f.keyplate.verify_api_key(key.secret.as_str()).is_ok());
    f.clock.advance(1);
    for secret in [key.secret.as_str(), bob.secret.as_str()] {
        assert_eq!(
            code(f.keyplate.authenticate(secret)),
            ErrorCode::AccountExpired
        );
    }
    let extend = keyplate::UserChanges {
        expiry: Some(Expiry::At {
            time: f.in_seconds(9),
        }),
        ..Default::default()
    };
    f.keyplate.update_user(&bob.user.id, extend).unwrap();
    for secret in [key.secret.as_str(), bob.secret.as_str()] {
        assert!(
            f.keyplate.authenticate(secret).is_ok(),
            "nothing was deleted"
        );
    }
}

/// Item 7.
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

/// G1.
#[test]
fn a_user_sees_the_groups_that_he_is_in_and_names_keep_their_form() {
    let f = Fixture::new();
    let bob = f.user("bob");
    let (family, work) = (group(&f, "family"), group(&f, "work"));
    f.keyplate.set_user_groups(&bob.id, &[family.id]).unwrap();
    let his = f.acting(f.session(&bob).secret.as_str());
    let listed = his.list_groups(Default::default()).unwrap();
    assert_eq!((listed.total, listed.items[0].id), (1, family.id));
    assert!(his.get_group(&family.id).is_ok());
    assert_eq!(code(his.get_group(&work.id)), ErrorCode::NotFound);
    let ann = f.user("ann");
    assert_eq!(code(his.get_effective_claims(&ann.id)), ErrorCode::NotFound);
    let rename = |name: &str| {
        let changes = keyplate::GroupChanges {
            name: Some(name.to_owned()),
            ..Default::default()
        };
        refusal(f.keyplate.update_group(&work.id, changes))
    };
    let field = Some("name".to_owned());
    assert_eq!(rename("FAMILY"), (ErrorCode::Conflict, field.clone()));
    for bad in [
        "x",
        "",
        "-x",
        "a/b",
        "änn",
        "ann ",
        " ann",
        &"x".repeat(256),
    ] {
        assert_eq!(
            rename(bad),
            (ErrorCode::InvalidInput, field.clone()),
            "{bad}"
        );
    }
    let short = keyplate::GroupChanges {
        friendly_name: Some("x".to_owned()),
        ..Default::default()
    };
    assert_eq!(
        refusal(f.keyplate.update_group(&work.id, short))
            .1
            .as_deref(),
        Some("friendly_name")
    );
}

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
