//! API keys of plans (B6, C1): secrets that the operator chose, what a plan remembers of them, and what it never does.

use keyplate::{
    ApiKey, ApiKeyQuery, BootstrapReport, ErrorCode, InputReason, KeyRotation, Keyplate,
    KeyplateError, NewApiKey,
};

use crate::common::{
    plans::{OPERATORS, WHOLE, everything, told},
    *,
};

pub(super) const FIRST: &str = "the first secret of the operator 1";
pub(super) const SECOND: &str = "the second secret of the operator 2";
const THIRD: &str = "the third secret of the operator 3";

/// A plan of anna with one key; `more` goes into the key's entry.
pub(super) fn plan(more: &str) -> String {
    format!(
        r#"{{"users": [{{"username": "anna", "role": "administrator"}}],
             "api_keys": [{{"owner": "anna", "name": "op", "scopes": ["*"], {more}}}]}}"#
    )
}

pub(super) fn with_secret(secret: &str) -> String {
    plan(&format!(r#""secret": "{secret}""#))
}

pub(super) fn keys(f: &Fixture) -> Vec<ApiKey> {
    let query = ApiKeyQuery {
        include_revoked: true,
        ascending: true,
        ..ApiKeyQuery::default()
    };
    f.keyplate.list_api_keys(query).unwrap().items
}

pub(super) fn works(keyplate: &Keyplate, secret: &str) -> bool {
    match keyplate.verify_api_key(secret) {
        Ok(_) => true,
        Err(KeyplateError::InvalidCredential) => false,
        Err(error) => panic!("{error}"),
    }
}

pub(super) fn apply(f: &Fixture, plan: &str) -> Vec<String> {
    told(&f.keyplate.bootstrap(plan).unwrap())
}

pub(super) fn nothing(f: &Fixture, plan: &str) {
    let before = everything(&f.path());
    assert_eq!(apply(f, plan), [""; 0]);
    assert!(everything(&f.path()) == before);
}

pub(super) fn reason(f: &Fixture, plan: &str) -> (String, InputReason) {
    match f.keyplate.bootstrap(plan) {
        Err(KeyplateError::InvalidInput { field, reason }) => (field, reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_supplied_secret_is_a_credential_like_others() {
    let f = Fixture::new();
    apply(&f, &with_secret(FIRST));
    let found = f.keyplate.authenticate(FIRST).unwrap();
    assert_eq!(found, f.keyplate.verify_api_key(FIRST).unwrap());
    f.acting(FIRST).list_users(Default::default()).unwrap();
    let key = &keys(&f)[0];
    assert_eq!(key.masked_secret, "…or 1");
    // Only the hash is stored.
    let rows = format!("{:?}", everything(&f.path()));
    assert!(!rows.contains(FIRST));
    // Its use is remembered as that of any key.
    drop(f.keyplate.create_group(keyplate::NewGroup {
        name: "any".into(),
        friendly_name: None,
    }));
    assert!(keys(&f)[0].last_used_at.is_some());
    for bad in ["", "the first", &FIRST[..33], SECOND, &"é".repeat(400)] {
        for result in [f.keyplate.verify_api_key(bad), f.keyplate.authenticate(bad)] {
            assert_eq!(code(result), ErrorCode::InvalidCredential, "{bad}");
        }
        assert!(f.keyplate.verify_session(bad).is_err());
    }
    // What was minted under another prefix is no secret of the operator's.
    let other = Keyplate::open(keyplate::Config {
        token_prefix: Some("other".into()),
        time_source: Some(f.clock.clone()),
        ..config(&f.path())
    });
    let other = other.unwrap();
    let anna = f.keyplate.find_user_by_username("anna").unwrap().unwrap();
    let minted = f.key(&anna, &["a:b"]);
    assert!(works(&other, FIRST) && !works(&other, minted.secret.as_str()));
    let rotated = f
        .keyplate
        .rotate_api_key(&minted.api_key.id, KeyRotation::default());
    assert!(works(&f.keyplate, minted.secret.as_str()) && rotated.is_ok());
    assert!(!works(&other, minted.secret.as_str()));
}

#[test]
fn weak_secrets_are_refused() {
    let f = Fixture::new();
    for (secret, expected) in [
        ("", InputReason::TooShort { least: 32 }),
        (
            "0123456789abcdefghijklmnopqrstu",
            InputReason::TooShort { least: 32 },
        ),
        (
            "012345678012345678012345678012345678",
            InputReason::TooUniform { least: 10 },
        ),
        (" 0123456789abcdefghijklmnopqrstuvw", InputReason::BlankEnds),
        (
            "0123456789abcdefghi\\u0007jklmnopqrstuv",
            InputReason::ControlCharacters,
        ),
        (
            &"0123456789".repeat(52),
            InputReason::TooManyBytes { most: 512 },
        ),
        (
            "kp_0123456789abcdefghijklmnopqrstuvw",
            InputReason::BrokenToken,
        ),
        (
            "kp_key_0123456789abcdefghijklmnopqrstuvw",
            InputReason::BrokenToken,
        ),
    ] {
        let (field, reason) = reason(&f, &with_secret(secret));
        assert_eq!((field.as_str(), reason), ("api_keys[0].secret", expected));
    }
    for both in [
        r#""note": "none""#,
        r#""generate": false"#,
        r#""generate": true, "secret": "x""#,
    ] {
        assert_eq!(reason(&f, &plan(both)).0, "api_keys[0].secret", "{both}");
    }
    assert!(keys(&f).is_empty());
    // One that we minted elsewhere is as good as any.
    let elsewhere = Fixture::new();
    let minted = elsewhere.key(&elsewhere.user("bob"), &["a:b"]);
    apply(&f, &with_secret(minted.secret.as_str()));
    assert!(works(&f.keyplate, minted.secret.as_str()));
    assert_eq!(keys(&f)[0].masked_secret, minted.api_key.masked_secret);
}

#[test]
fn no_error_repeats_a_secret() {
    let f = Fixture::new();
    let secret = "sssecret-0123456789-abcdefghijklm";
    let bad = [
        format!(
            r#"{{"api_keys": [{{"owner": "anna", "name": "{secret}{secret}{secret}{secret}"}}]}}"#
        ),
        format!(r#"{{"api_keys": [{{"secret": "{secret}"}}]}}"#),
        format!(r#"{{"api_keys": [{{"owner": "anna", "name": "x", "secret": ["{secret}"]}}]}}"#),
        format!(
            r#"{{"api_keys": [{{"owner": "anna", "name": "x", "secret": {{"{secret}": 1}}}}]}}"#
        ),
        format!(r#"{{"api_keys": [{{"owner": "anna", "name": "x", "generate": "{secret}"}}]}}"#),
        format!(r#"{{"api_keys": [{{"owner": "anna", "name": "x", "scopes": "{secret}"}}]}}"#),
        format!(
            r#"{{"api_keys": [{{"owner": "anna", "name": "x", "lifetime_seconds": "{secret}"}}]}}"#
        ),
        format!(r#"{{"api_keys": [{{"owner": "anna", "name": "x", "expires_at": "{secret}"}}]}}"#),
        format!(r#"{{"api_keys": [{{"owner": "anna", "name": "x", "{secret}": true}}]}}"#),
        format!(r#"{{"api_keys": ["{secret}"]}}"#),
        format!(r#"{{"api_keys": "{secret}"}}"#),
        format!(r#"{{"{secret}": 1}}"#),
        format!(r#""{secret}""#),
        format!(r#"{{"api_keys": [{{"secret": "{secret}"#),
        format!(r#"{{"api_keys": [{{"secret": {secret}}}]}}"#),
        format!(r#"{{"settings": {{"signup_mode": "{secret}"}}}}"#),
        format!(
            r#"{{"users": [{{"username": "anna", "disabled": "{secret}, expected {secret}"}}]}}"#
        ),
        format!(r#"{{"signup_tokens": [{{"note": "x", "max_uses": "{secret}"}}]}}"#),
        with_secret(&format!("{secret}\\u0007")),
        with_secret(&format!("kp_{secret}")),
        with_secret(secret).replace("\"*\"", "\"a\""),
    ];
    for plan in bad {
        let error = f.keyplate.bootstrap(&plan).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("sssecret"), "{text}");
    }
    let report = f.keyplate.bootstrap(&with_secret(secret)).unwrap();
    let rows = everything(&f.path());
    let heard = format!("{:?}", f.heard.0.lock().unwrap());
    for text in [format!("{report:?}"), format!("{rows:?}"), heard] {
        assert!(!text.contains("sssecret"), "{text}");
    }
}

#[test]
fn another_secret_replaces_the_one_before_at_once() {
    let f = Fixture::new();
    assert_eq!(apply(&f, &with_secret(FIRST)), ["+ anna", "+ anna/op"]);
    let id = keys(&f)[0].id;
    assert_eq!(apply(&f, &with_secret(SECOND)), ["~ anna/op"]);
    assert!(works(&f.keyplate, SECOND) && !works(&f.keyplate, FIRST));
    assert_eq!(keys(&f)[0].id, id);
    nothing(&f, &with_secret(SECOND));
    // Also what a rotation left working beside it.
    let rotated = f
        .keyplate
        .rotate_api_key(&id, KeyRotation::default())
        .unwrap();
    assert!(works(&f.keyplate, SECOND));
    assert_eq!(apply(&f, &with_secret(THIRD)), ["~ anna/op"]);
    assert!(works(&f.keyplate, THIRD));
    assert!(!works(&f.keyplate, SECOND) && !works(&f.keyplate, rotated.secret.as_str()));
    f.keyplate
        .rotate_api_key(&id, KeyRotation::default())
        .unwrap();
    assert!(
        works(&f.keyplate, THIRD),
        "the overlap of a supplied secret"
    );
}

#[test]
fn a_generated_secret_is_shown_once_and_kept() {
    let f = Fixture::new();
    let generate = plan(r#""generate": true"#);
    let report: BootstrapReport = f.keyplate.bootstrap(&generate).unwrap();
    let secret = report.api_keys[0].secret.reveal();
    assert!(works(&f.keyplate, &secret));
    nothing(&f, &generate);
    assert!(works(&f.keyplate, &secret));
    // Its other fields are a plan's to say.
    let more =
        plan(r#""generate": true, "note": "for scripts", "expires_at": "2027-01-01T00:00:00Z""#)
            .replace("[\"*\"]", "[\"users:read\", \"a:b\"]");
    assert_eq!(apply(&f, &more), ["~ anna/op"]);
    nothing(
        &f,
        &more.replace("\"users:read\", \"a:b\"", "\"a:b\", \"users:read\""),
    );
    let key = &keys(&f)[0];
    assert_eq!(
        (key.note.as_deref(), key.scopes.len()),
        (Some("for scripts"), 2)
    );
    assert!(works(&f.keyplate, &secret));

    f.keyplate.revoke_api_key(&key.id).unwrap();
    nothing(&f, &more);
    f.clock.advance(100 * 24 * 3_600);
    f.keyplate.purge_expired().unwrap();
    nothing(&f, &more);
    assert_eq!(keys(&f).len(), 1);
}

/// K2: whoever made it has its secret, and perhaps fewer rights than the plan gives.
#[test]
fn a_key_of_that_name_that_was_made_by_hand_is_not_taken_over() {
    let f = Fixture::new();
    apply(
        &f,
        r#"{"users": [{"username": "anna", "role": "administrator"}]}"#,
    );
    let anna = f.keyplate.find_user_by_username("anna").unwrap().unwrap();
    let weak = f.key(&anna, &["keys:write"]);
    let by_hand = NewApiKey {
        name: "op".into(),
        ..new_key(Some(&anna), &["keys:write"])
    };
    let by_hand = f
        .acting(weak.secret.as_str())
        .create_api_key(by_hand)
        .unwrap();
    for plan in [with_secret(FIRST), plan(r#""generate": true"#)] {
        assert_eq!(reason(&f, &plan).0, "api_keys[0].name");
    }
    let key = f.keyplate.get_api_key(&by_hand.api_key.id).unwrap();
    assert_eq!(key.scopes, ["keys:write"]);
    f.keyplate.revoke_api_key(&by_hand.api_key.id).unwrap();
    assert_eq!(apply(&f, &with_secret(FIRST)), ["+ anna/op"]);
    assert!(!works(&f.keyplate, by_hand.secret.as_str()));
}

#[test]
fn one_secret_is_one_keys() {
    let f = Fixture::new();
    let two = WHOLE.replace(
        r#""lifetime_seconds": 3600, "generate": true"#,
        &format!(r#""secret": "{OPERATORS}""#),
    );
    let (field, reason_of_two) = reason(&f, &two);
    assert_eq!(
        (field.as_str(), reason_of_two),
        ("api_keys[1].secret", InputReason::SecretTaken)
    );
    apply(&f, &with_secret(FIRST));
    let anna = f.keyplate.find_user_by_username("anna").unwrap().unwrap();
    let other = f.key(&anna, &["a:b"]);
    f.keyplate
        .rotate_api_key(&other.api_key.id, KeyRotation::default())
        .unwrap();
    for taken in [FIRST, other.secret.as_str()] {
        let plan = with_secret(taken).replace("\"op\"", "\"second\"");
        assert_eq!(reason(&f, &plan).0, "api_keys[0].secret");
    }
    let twice = format!(
        r#"{{"owner": "Anna", "name": "OP", "generate": true}}, {}"#,
        r#"{"owner": "anna", "name": "op", "generate": true}"#
    );
    assert_eq!(
        reason(&f, &format!(r#"{{"api_keys": [{twice}]}}"#)).0,
        "api_keys[1].name"
    );
    let both = with_secret(SECOND).replace(
        r#""scopes""#,
        r#""lifetime_seconds": 9, "expires_at": "never", "scopes""#,
    );
    assert_eq!(reason(&f, &both).0, "api_keys[0].lifetime_seconds");
}
