//! What refuses a token.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use keyplate::{ErrorCode, Expiry, KeyplateError, UserChanges};
use ring::{hmac, rand::SystemRandom, signature::Ed25519KeyPair};
use serde_json::{Value, json};

use super::{Films, films, part, service, signed};
use crate::common::*;

#[test]
fn what_is_not_our_token_is_refused() {
    let films = films();
    let f = &films.f;
    let token = films.issue();
    let token = token.secret.as_str();
    let (header, body, pair) = (part(token, 0), part(token, 1), films.key_pair());
    let ours = |header: &Value, body: &Value| {
        signed(header, body, |message| pair.sign(message).as_ref().to_vec())
    };
    let with = |value: &Value, name: &str, other: Value| {
        let mut value = value.clone();
        value[name] = other;
        value
    };
    let without = |value: &Value, name: &str| {
        let mut value = value.clone();
        value.as_object_mut().unwrap().remove(name);
        value
    };
    films
        .verify(&ours(&header, &body))
        .expect("so the forgeries below differ in one thing");

    let public =
        BASE64URL.decode(
            serde_json::from_str::<Value>(&f.keyplate.get_jwks().unwrap().json).unwrap()["keys"][0]
                ["x"]
                .as_str()
                .unwrap(),
        );
    let public = public.unwrap();
    let hs256 = with(&header, "alg", json!("HS256"));
    let hmac = |message: &[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &public);
        hmac::sign(&key, message).as_ref().to_vec()
    };
    let other = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let other = Ed25519KeyPair::from_pkcs8(other.as_ref()).unwrap();
    let past = json!(body["iat"].as_u64().unwrap());
    let mut flipped = token.to_owned();
    let at = flipped.len() - 10;
    let swapped = if &token[at..=at] == "A" { "B" } else { "A" };
    flipped.replace_range(at..=at, swapped);
    let refused = [
        (
            "alg none",
            signed(&with(&header, "alg", json!("none")), &body, |_| Vec::new()),
        ),
        ("HS256 by the public key", signed(&hs256, &body, hmac)),
        ("HS256 by the right key", ours(&hs256, &body)),
        (
            "another key",
            signed(&header, &body, |message| {
                other.sign(message).as_ref().to_vec()
            }),
        ),
        (
            "an unknown key id",
            ours(&with(&header, "kid", json!("x")), &body),
        ),
        ("no key id", ours(&without(&header, "kid"), &body)),
        (
            "another type",
            ours(&with(&header, "typ", json!("JWT")), &body),
        ),
        ("no type", ours(&without(&header, "typ"), &body)),
        (
            "another audience",
            ours(&header, &with(&body, "aud", json!("library"))),
        ),
        ("no audience", ours(&header, &without(&body, "aud"))),
        (
            "another issuer",
            ours(&header, &with(&body, "iss", json!("https://x.example"))),
        ),
        ("expired", ours(&header, &with(&body, "exp", past))),
        ("no end", ours(&header, &without(&body, "exp"))),
        (
            "another user",
            ours(
                &header,
                &with(&body, "sub", json!(f.user("bob").id.to_string())),
            ),
        ),
        (
            "another session",
            ours(&header, &with(&body, "sid", json!(body["jti"]))),
        ),
        ("a changed signature", flipped),
        ("no signature", token.rsplit_once('.').unwrap().0.to_owned()),
        ("nothing", String::new()),
        ("dots", "..".to_owned()),
        ("a session token", f.session(&films.member).secret.reveal()),
    ];
    for (what, token) in refused {
        assert_eq!(
            films.verify(&token),
            Err(KeyplateError::InvalidCredential),
            "{what}"
        );
    }
    service(&f.keyplate, "library");
    let elsewhere = f.keyplate.verify_access_token(token, "library");
    assert_eq!(elsewhere, Err(KeyplateError::InvalidCredential));
    assert_eq!(
        code(f.keyplate.verify_access_token(token, "none")),
        ErrorCode::NotFound
    );
}

#[test]
fn it_dies_with_what_it_came_from() {
    let check = |what: &str, expected: ErrorCode, change: &dyn Fn(&Films)| {
        let films = films();
        let token = films.issue();
        films.verify(token.secret.as_str()).unwrap();
        change(&films);
        assert_eq!(
            code(films.verify(token.secret.as_str())),
            expected,
            "{what}"
        );
    };
    check("time", ErrorCode::InvalidCredential, &|films| {
        films.f.clock.advance(300)
    });
    check("the session", ErrorCode::InvalidCredential, &|films| {
        let id = &films.member.id;
        films.f.keyplate.revoke_user_sessions(id, None).unwrap();
    });
    check("a disabled user", ErrorCode::AccountDisabled, &|films| {
        films.f.keyplate.disable_user(&films.member.id).unwrap();
    });
    check("a lapsed user", ErrorCode::AccountExpired, &|films| {
        let changes = UserChanges {
            expiry: Some(Expiry::At {
                time: films.f.in_seconds(10),
            }),
            ..UserChanges::default()
        };
        films
            .f
            .keyplate
            .update_user(&films.member.id, changes)
            .unwrap();
        films.f.clock.advance(11);
    });
    check("a deleted user", ErrorCode::InvalidCredential, &|films| {
        films.f.keyplate.delete_user(&films.member.id).unwrap();
    });
    check("a group left", ErrorCode::PermissionDenied, &|films| {
        films
            .f
            .keyplate
            .set_user_groups(&films.member.id, &[])
            .unwrap();
    });
    check("a group deleted", ErrorCode::PermissionDenied, &|films| {
        films.f.keyplate.delete_group(&films.group).unwrap();
    });
    check(
        "a key that got into other hands",
        ErrorCode::InvalidCredential,
        &|films| {
            films.f.keyplate.rotate_signing_key(Some(0)).unwrap();
        },
    );
}

#[test]
fn it_is_no_credential_here() {
    let films = films();
    let token = films.issue();
    let token = token.secret.as_str();
    let f = &films.f;
    for refused in [
        code(f.keyplate.authenticate(token)),
        code(f.keyplate.verify_session(token)),
        code(f.keyplate.verify_api_key(token)),
    ] {
        assert_eq!(refused, ErrorCode::InvalidCredential);
    }
}
