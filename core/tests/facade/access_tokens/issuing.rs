//! What a token says, and who gets one.

use std::time::{Duration, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use keyplate::{Claim, ErrorCode, Expiry, NewApiKey, Principal, UserChanges};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use super::{films, part, service};
use crate::common::{passkeys::Person, *};

#[test]
fn what_a_token_says() {
    let mut films = films();
    let f = &films.f;
    let claims = [("quota", "10"), ("region", "north")].map(|(key, value)| Claim {
        key: key.to_owned(),
        value: value.to_owned(),
    });
    f.keyplate
        .set_user_claims(&films.member.id, claims.to_vec())
        .unwrap();
    let (_, _, signed_in) = f.person(&films.member);
    films.member = signed_in.user.clone();
    let principal = films.principal(signed_in.secret.as_str());
    let token = f
        .keyplate
        .issue_access_token(&principal, "films", None)
        .unwrap();
    let jwt = token.secret.as_str();
    let header = part(jwt, 0);
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("EdDSA"), &json!("at+jwt"))
    );
    let now = f.now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut body = part(jwt, 1);
    assert!(body["jti"].as_str().unwrap().len() == 36);
    body.as_object_mut().unwrap().remove("jti");
    let session = signed_in.session.id.to_string();
    assert_eq!(
        body,
        json!({
            "iss": "https://media.example", "sub": films.member.id.to_string(), "aud": "films",
            "iat": now, "exp": now + 300, "auth_time": now, "client_id": session, "sid": session,
            "amr": ["pop", "mfa"], "scope": "*", "groups": ["Friends"],
            "preferred_username": "member", "quota": "10", "region": "north",
        })
    );
    assert_eq!(
        token.expires_at,
        UNIX_EPOCH + Duration::from_secs(now + 300)
    );

    let seen = films.verify(jwt).unwrap();
    assert_eq!(
        (seen.user_id, seen.username.as_str()),
        (films.member.id, "member")
    );
    assert_eq!(
        (seen.session_id, seen.api_key_id),
        (Some(signed_in.session.id), None)
    );
    assert_eq!(
        (seen.groups, seen.claims),
        (vec!["Friends".to_owned()], claims.to_vec())
    );
    assert_eq!(
        (seen.scopes, seen.expires_at),
        (vec!["*".to_owned()], token.expires_at)
    );
    assert_eq!(seen.service_id, films.service.id);

    // A stranger's process verifies it with what everybody may read.
    let jwks: Value = serde_json::from_str(&f.stranger().get_jwks().unwrap().json).unwrap();
    let key = &jwks["keys"][0];
    assert_eq!(key["kid"], header["kid"]);
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
        (
            &json!("OKP"),
            &json!("Ed25519"),
            &json!("EdDSA"),
            &json!("sig")
        )
    );
    assert_eq!(key.as_object().unwrap().len(), 6, "and no private half");
    let public = BASE64URL.decode(key["x"].as_str().unwrap()).unwrap();
    let (message, signature) = jwt.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&ED25519, public)
        .verify(message.as_bytes(), &BASE64URL.decode(signature).unwrap())
        .unwrap();

    assert_eq!(format!("{:?}", token.secret), "Secret(redacted)");
}

#[test]
fn an_email_address_goes_in_when_it_is_verified() {
    let films = films();
    for verified in [false, true] {
        let changes = UserChanges {
            email: Some("member@x.example".to_owned()),
            email_verified: Some(verified),
            display_name: Some("Mem Ber".to_owned()),
            ..UserChanges::default()
        };
        films
            .f
            .keyplate
            .update_user(&films.member.id, changes)
            .unwrap();
        let body = part(films.issue().secret.as_str(), 1);
        let email = verified.then_some("member@x.example");
        assert_eq!(body["email"].as_str(), email);
        assert_eq!(body["email_verified"].as_bool(), verified.then_some(true));
        assert_eq!(body["name"], "Mem Ber");
    }
}

#[test]
fn a_token_is_no_stronger_than_what_asked_for_it() {
    let films = films();
    let f = &films.f;
    let end = f.in_seconds(60);
    let key = NewApiKey {
        expires_at: Some(end),
        ..new_key(
            Some(&films.member),
            &["films:watch", "users:read", "library:stream"],
        )
    };
    let key = f.keyplate.create_api_key(key).unwrap();
    let principal = films.principal(key.secret.as_str());
    let token = f
        .keyplate
        .issue_access_token(&principal, films.service.id.as_str(), Some(3_600))
        .unwrap();
    assert_eq!(token.expires_at, end);
    let body = part(token.secret.as_str(), 1);
    assert_eq!(body["scope"], "films:watch");
    assert_eq!(body["client_id"], key.api_key.id.to_string());
    assert!(body.get("sid").is_none() && body.get("amr").is_none());
    let seen = films.verify(token.secret.as_str()).unwrap();
    assert_eq!(
        (seen.session_id, seen.api_key_id),
        (None, Some(key.api_key.id))
    );
    assert_eq!(seen.scopes, ["films:watch"]);
}

#[test]
fn a_token_ends_with_the_account_and_has_its_bounds() {
    let films = films();
    let f = &films.f;
    let end = f.in_seconds(60);
    let changes = UserChanges {
        expiry: Some(Expiry::At { time: end }),
        ..UserChanges::default()
    };
    f.keyplate.update_user(&films.member.id, changes).unwrap();
    assert_eq!(films.issue().expires_at, end);
    let claims = (0..70).map(|n| Claim {
        key: format!("claim{n}"),
        value: "x".repeat(1_000),
    });
    f.keyplate
        .set_user_claims(&films.member.id, claims.collect())
        .unwrap();
    let long = f
        .keyplate
        .issue_access_token(&films.session(), "films", None);
    assert_eq!(code(long), ErrorCode::Conflict);
}

#[test]
fn only_whom_the_service_lets_in_gets_one() {
    let films = films();
    let f = &films.f;
    let denied = |principal: &Principal, service: &str| {
        code(f.keyplate.issue_access_token(principal, service, None))
    };
    let stranger = films.principal(f.session(&f.user("stranger")).secret.as_str());
    assert_eq!(denied(&stranger, "films"), ErrorCode::PermissionDenied);
    let key = films.principal(f.key(&films.member, &["users:read"]).secret.as_str());
    assert_eq!(denied(&key, "films"), ErrorCode::PermissionDenied);
    service(&f.keyplate, "closed");
    assert_eq!(
        denied(&films.session(), "closed"),
        ErrorCode::PermissionDenied
    );
    assert_eq!(denied(&films.session(), "none"), ErrorCode::NotFound);
    let ended = films.session();
    f.keyplate
        .revoke_user_sessions(&films.member.id, None)
        .unwrap();
    assert_eq!(denied(&ended, "films"), ErrorCode::InvalidCredential);
    for lifetime in [0, 3_601] {
        let refused = f
            .keyplate
            .issue_access_token(&films.session(), "films", Some(lifetime))
            .unwrap_err();
        assert_eq!(refused.field().as_deref(), Some("lifetime_seconds"));
    }
}

#[test]
fn a_claim_of_an_older_file_does_not_speak_for_us() {
    let films = films();
    let id = films.member.id;
    raw(&films.f.path())
        .execute(
            "INSERT INTO user_claims VALUES (?1, 'client_id', 'forged')",
            [id.as_str()],
        )
        .unwrap();
    let token = films.issue();
    let body = part(token.secret.as_str(), 1);
    assert_eq!(body["client_id"], body["sid"]);
    films.verify(token.secret.as_str()).unwrap();
}

#[test]
fn a_code_and_a_host_say_so() {
    let films = films();
    let f = &films.f;
    let amr = |secret: &str| {
        let principal = films.principal(secret);
        let token = f
            .keyplate
            .issue_access_token(&principal, "films", None)
            .unwrap();
        part(token.secret.as_str(), 1).get("amr").cloned()
    };
    assert_eq!(amr(f.session(&films.member).secret.as_str()), None);
    let code = f
        .keyplate
        .create_one_time_token(&films.member.id, None)
        .unwrap();
    let by_code = f
        .stranger()
        .redeem_one_time_token(code.secret.as_str())
        .unwrap();
    assert_eq!(amr(by_code.secret.as_str()), Some(json!(["otp"])));
    let mut person = Person::new();
    let acting = f.acting(by_code.secret.as_str());
    let registered = person.register(&acting).unwrap();
    let secret = registered
        .signed_in
        .map_or(by_code.secret, |signed_in| signed_in.secret);
    let stepped_up = person.step_up(&f.acting(secret.as_str())).unwrap();
    assert_eq!(amr(stepped_up.secret.as_str()), Some(json!(["pop", "mfa"])));
}
