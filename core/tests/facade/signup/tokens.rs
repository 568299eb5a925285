//! Sign-up tokens: what is seen of them, whom they let in, and for how long.

use keyplate::{
    ApprovalRule, ErrorCode, EventKind, Expiry, Limit, NewSignup, NewSignupToken, SignupMode,
    SignupRedemptionQuery, SignupTokenChanges, SignupTokenQuery, SignupTokenState, UserQuery,
};

use super::token_of_kind;
use crate::{
    common::{signups::*, *},
    groups::group,
};

/// S3, and S6 for who looks.
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
            (error.code(), error.reason_json()),
            (ErrorCode::InvalidCredential, None),
            "{kind}"
        );
        if kind == "exhausted" {
            let first = f.keyplate.find_user_by_username("first").unwrap().unwrap();
            f.keyplate.delete_user(&first.id).unwrap();
        }
    }
}

/// S2, S6: to another address it is as if unknown.
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

/// S2: what may be changed later.
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

/// U2, with the lifetime of S2.
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
