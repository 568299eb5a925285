//! J1: access tokens for services, their keys, and what refuses them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use std::{
    sync::Arc,
    thread,
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use common::{passkeys::Person, *};
use keyplate::{
    AccessToken, Claim, Config, ErrorCode, EventKind, Expiry, GroupId, Keyplate, KeyplateError,
    NewApiKey, NewGroup, NewService, Principal, Secret, Service, User, UserChanges,
};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey},
};
use serde_json::{Value, json};

/// A fixture with a service `films`, open to a group, and a member of it.
struct Films {
    f: Fixture,
    group: GroupId,
    service: Service,
    member: User,
}

fn films() -> Films {
    let f = Fixture::new();
    let group = NewGroup {
        name: "Friends".to_owned(),
        friendly_name: None,
    };
    let group = f.keyplate.create_group(group).unwrap().id;
    let service = service(&f.keyplate, "films");
    f.keyplate
        .set_service_access(&service.id, false, &[group])
        .unwrap();
    let member = f.user("member");
    f.keyplate.set_user_groups(&member.id, &[group]).unwrap();
    Films {
        f,
        group,
        service,
        member,
    }
}

fn service(keyplate: &Keyplate, slug: &str) -> Service {
    let service = NewService {
        slug: slug.to_owned(),
        ..NewService::default()
    };
    keyplate.create_service(service).unwrap()
}

impl Films {
    fn principal(&self, secret: &str) -> Arc<Principal> {
        self.f.keyplate.authenticate(secret).unwrap().principal
    }

    fn session(&self) -> Arc<Principal> {
        self.principal(self.f.session(&self.member).secret.as_str())
    }

    fn issue(&self) -> AccessToken {
        self.f
            .keyplate
            .issue_access_token(&self.session(), "films", None)
            .unwrap()
    }

    fn verify(&self, token: &str) -> keyplate::Result<keyplate::AccessTokenClaims> {
        self.f.keyplate.verify_access_token(token, "films")
    }

    /// The key that signs, out of the file, where nothing seals it.
    fn key_pair(&self) -> Ed25519KeyPair {
        let pkcs8: Vec<u8> = raw(&self.f.path())
            .query_row(
                "SELECT private_key FROM signing_keys WHERE ends_at IS NULL",
                [],
                |row| row.get(0),
            )
            .unwrap();
        Ed25519KeyPair::from_pkcs8(&pkcs8).unwrap()
    }
}

fn part(token: &str, place: usize) -> Value {
    let part = token.split('.').nth(place).unwrap();
    serde_json::from_slice(&BASE64URL.decode(part).unwrap()).unwrap()
}

fn encoded(value: &Value) -> String {
    BASE64URL.encode(value.to_string())
}

fn signed(header: &Value, body: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encoded(header), encoded(body));
    let signature = BASE64URL.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

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

#[test]
fn rotation_overlaps() {
    let films = films();
    let f = &films.f;
    let ids = || {
        let jwks: Value = serde_json::from_str(&f.keyplate.get_jwks().unwrap().json).unwrap();
        let keys = jwks["keys"].as_array().unwrap().clone();
        keys.iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let before = films.issue();
    let first = ids();
    let second = f.keyplate.rotate_signing_key(None).unwrap().key_id;
    assert_eq!(ids(), [second.clone(), first[0].clone()]);
    films.verify(before.secret.as_str()).unwrap();
    let after = films.issue();
    assert_eq!(part(after.secret.as_str(), 0)["kid"], second);
    let kept: i64 = raw(&f.path())
        .query_row(
            "SELECT count(*) FROM signing_keys WHERE private_key IS NOT NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(kept, 1, "the former private half is gone");
    f.clock.advance(3_600);
    assert_eq!(ids(), [second]);
    f.keyplate.rotate_signing_key(Some(7 * 24 * 3_600)).unwrap();
    assert_eq!(ids().len(), 2);
    let former = films.issue();
    f.keyplate.rotate_signing_key(Some(10)).unwrap();
    f.clock.advance(9);
    films.verify(former.secret.as_str()).unwrap();
    f.clock.advance(1);
    assert!(films.verify(former.secret.as_str()).is_err());
    // An end at once holds for those before too.
    f.keyplate.rotate_signing_key(Some(0)).unwrap();
    assert_eq!(ids().len(), 1);
    let refused = f
        .keyplate
        .rotate_signing_key(Some(7 * 24 * 3_600 + 1))
        .unwrap_err();
    assert_eq!(refused.field().as_deref(), Some("overlap_seconds"));
    let session = f.session(&films.member);
    assert_eq!(
        code(f.acting(session.secret.as_str()).rotate_signing_key(None)),
        ErrorCode::PermissionDenied
    );
    let made = f.heard.kinds();
    let count = |kind| made.iter().filter(|&&other| other == kind).count();
    assert_eq!(count(EventKind::SigningKeyCreated), 1);
    assert_eq!(count(EventKind::SigningKeyRotated), 4);
}

#[test]
fn the_key_is_sealed_when_there_is_an_encryption_key() {
    let films = films();
    let path = films.f.path();
    let open = |key: Option<&str>| {
        Keyplate::open(Config {
            encryption_key: key.map(|key| Arc::new(Secret::new(key.repeat(32)))),
            time_source: Some(films.f.clock.clone()),
            ..config(&path)
        })
        .unwrap()
    };
    let sealed = || -> (bool, Vec<u8>) {
        raw(&path)
            .query_row(
                "SELECT is_sealed, private_key FROM signing_keys WHERE ends_at IS NULL",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap()
    };
    let issue = |keyplate: &Keyplate| keyplate.issue_access_token(&films.session(), "films", None);

    let plain = films.issue();
    assert!(!sealed().0);
    // A key that lay open is not sealed but replaced.
    let (right, wrong) = (open(Some("a")), open(Some("b")));
    let token = issue(&right).unwrap();
    let (is_sealed, private) = sealed();
    assert!(is_sealed && Ed25519KeyPair::from_pkcs8(&private).is_err());
    right
        .verify_access_token(plain.secret.as_str(), "films")
        .unwrap();

    // With another key, or none, tokens alone stop; and they are still verified.
    for other in [&wrong, &films.f.keyplate] {
        let refused = issue(other).unwrap_err();
        assert!(
            matches!(&refused, KeyplateError::Configuration { option, .. } if option == "encryption_key")
        );
        other
            .verify_access_token(token.secret.as_str(), "films")
            .unwrap();
        other.get_jwks().unwrap();
    }
    assert!(issue(&right).is_ok());
    // What is sealed does not come to lie open by a command that has no key.
    let refused = films.f.keyplate.rotate_signing_key(None).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Configuration);
    wrong.rotate_signing_key(None).unwrap();
    assert!(sealed().0);
    assert!(issue(&wrong).is_ok() && issue(&right).is_err());
}

#[test]
fn of_many_who_ask_first_one_makes_the_key() {
    let films = films();
    let path = films.f.path();
    thread::scope(|scope| {
        for _ in 0..8 {
            let keyplate = films.f.open_again();
            scope.spawn(move || keyplate.get_jwks().unwrap());
        }
    });
    let keys: i64 = raw(&path)
        .query_row("SELECT count(*) FROM signing_keys", [], |row| row.get(0))
        .unwrap();
    assert_eq!(keys, 1);
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
