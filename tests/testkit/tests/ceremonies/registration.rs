use keyplate_testkit::{Algorithm, Attachment, Authenticator, Backup, CeremonyError, Spoil};
use serde_json::{Value, json};
use webauthn_rs_core::proto::COSEAlgorithm;

use crate::{
    facts,
    relying_party::{ORIGIN, RP_ID, RelyingParty, es256},
};

fn register(authenticator: &mut Authenticator, options: &Value) -> Result<Value, CeremonyError> {
    let json = authenticator.register(ORIGIN, &options.to_string(), &Spoil::default())?;
    Ok(serde_json::from_str(&json).unwrap())
}

/// Options as WebAuthn has them at the least, without `publicKey` around them.
fn options() -> Value {
    json!({
        "rp": { "id": RP_ID, "name": "Example" },
        "user": { "id": "dGlt", "name": "tim", "displayName": "Tim" },
        "challenge": "AAECAwQFBgcICQoLDA0ODw",
        "pubKeyCredParams": [{ "type": "public-key", "alg": -7 }],
    })
}

#[test]
fn an_independent_relying_party_accepts_it() {
    let rp = RelyingParty::new();
    for (algorithm, offered) in [
        (Algorithm::Es256, COSEAlgorithm::ES256),
        (Algorithm::Es384, COSEAlgorithm::ES384),
        (Algorithm::Rs256, COSEAlgorithm::RS256),
    ] {
        let (options, state) = rp.begin_registration("tim", vec![offered], &[]);
        let mut authenticator = Authenticator {
            algorithm,
            ..Authenticator::new()
        };
        let response = authenticator
            .register(ORIGIN, &options, &Spoil::default())
            .unwrap();
        let credential = rp.finish_registration(&response, &state).unwrap();
        let own = &authenticator.credentials[0];
        assert_eq!(credential.cred_id.as_slice(), own.id);
        assert_eq!((credential.counter, credential.user_verified), (0, true));
        assert_eq!((own.rp_id.as_str(), own.user_name.as_str()), (RP_ID, "tim"));
        assert_eq!(own.user_handle, b"tim");
    }
}

#[test]
fn the_response_has_every_member() {
    let mut authenticator = Authenticator {
        aaguid: [7; 16],
        ..Authenticator::new()
    };
    let mut options = options();
    options["extensions"] = json!({ "credProps": true });
    options["authenticatorSelection"] = json!({ "residentKey": "preferred" });
    let response = register(&mut authenticator, &options).unwrap();
    let facts = facts::of(&response.to_string(), &authenticator.credentials[0]);
    let expected = [
        ("1", "0"),
        ("5", "0"),
        ("AT", "1"),
        ("BE", "0"),
        ("BS", "0"),
        ("ED", "0"),
        ("UP", "1"),
        ("UV", "1"),
        ("aaguid", "BwcHBwcHBwcHBwcHBwcHBw"),
        ("attStmt", "[]"),
        ("attachment", "\"platform\""),
        ("attestationObject.rest", "0"),
        ("attested id", "own"),
        ("authenticatorData.rest", "0"),
        ("clientData.challenge", "\"AAECAwQFBgcICQoLDA0ODw\""),
        ("clientData.crossOrigin", "false"),
        ("clientData.origin", "\"https://login.example.org\""),
        ("clientData.type", "\"webauthn.create\""),
        ("counter", "0"),
        ("extensions", "{\"credProps\":{\"rk\":true}}"),
        ("fmt", "Text(\"none\")"),
        ("id", "own"),
        ("key.-1", "1"),
        ("key.1", "2"),
        ("key.3", "-7"),
        ("key.x", "own"),
        ("key.y", "own"),
        (
            "members",
            "authenticatorAttachment clientExtensionResults id rawId response type",
        ),
        ("publicKey", "own"),
        ("publicKeyAlgorithm", "-7"),
        ("rawId", "own"),
        ("rpIdHash", "own"),
        ("transports", "[\"internal\"]"),
        ("type", "\"public-key\""),
    ];
    let found: Vec<(&str, &str)> = facts
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    assert_eq!(found, expected);
}

/// Section 5.8.1.1: a relying party may compare the text instead of parsing it.
#[test]
fn client_data_has_its_members_in_the_order_of_the_specification() {
    let response = register(&mut Authenticator::new(), &options()).unwrap();
    let json = facts::bytes(&response["response"]["clientDataJSON"]);
    let expected = concat!(
        r#"{"type":"webauthn.create","challenge":"AAECAwQFBgcICQoLDA0ODw","#,
        r#""origin":"https://login.example.org","crossOrigin":false}"#,
    );
    assert_eq!(String::from_utf8(json).unwrap(), expected);
}

#[test]
fn the_authenticator_is_what_it_is_set_to() {
    let mut authenticator = Authenticator {
        backup: Backup::BackedUp,
        verifies_user: false,
        algorithm: Algorithm::Ed25519,
        attachment: Attachment::CrossPlatform,
        transports: vec!["usb".to_owned(), "nfc".to_owned()],
        ..Authenticator::new()
    };
    let mut options = options();
    options["pubKeyCredParams"] =
        json!([{ "type": "public-key", "alg": -7 }, { "type": "public-key", "alg": -8 }]);
    let response = register(&mut authenticator, &options).unwrap();
    let facts = facts::of(&response.to_string(), &authenticator.credentials[0]);
    let expected = [
        ("BE", "1"),
        ("BS", "1"),
        ("UV", "0"),
        ("key.1", "1"),
        ("key.3", "-8"),
        ("key.-1", "6"),
        ("key.x", "own"),
        ("publicKey", "own"),
        ("attachment", "\"cross-platform\""),
        ("transports", "[\"usb\",\"nfc\"]"),
    ];
    for (name, value) in expected {
        assert_eq!(facts[name], value, "{name}");
    }

    authenticator.backup = Backup::Eligible;
    let response = register(&mut authenticator, &options).unwrap();
    let facts = facts::of(&response.to_string(), &authenticator.credentials[1]);
    assert_eq!((&*facts["BE"], &*facts["BS"]), ("1", "0"));
}

/// As `getPublicKey()` gives it, by the well-known beginnings of such keys (RFC 5480, RFC 8410, RFC 3279).
#[test]
fn the_public_key_is_sent_as_a_subject_public_key_info_too() {
    let cases = [
        (Algorithm::Es256, "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE", 91),
        (Algorithm::Es384, "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE", 120),
        (Algorithm::Ed25519, "MCowBQYDK2VwAyEA", 44),
        (
            Algorithm::Rs256,
            "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA",
            294,
        ),
    ];
    for (algorithm, beginning, length) in cases {
        let mut authenticator = Authenticator {
            algorithm,
            ..Authenticator::new()
        };
        let mut options = options();
        options["pubKeyCredParams"] = json!([{ "type": "public-key", "alg": algorithm.cose() }]);
        let response = register(&mut authenticator, &options).unwrap();
        let spki = &response["response"]["publicKey"];
        assert!(spki.as_str().unwrap().starts_with(beginning), "{spki}");
        assert_eq!(facts::bytes(spki).len(), length);
    }
}

#[test]
fn an_excluded_credential_refuses() {
    let rp = RelyingParty::new();
    let mut authenticator = Authenticator::new();
    let (options, state) = rp.begin_registration("tim", es256(), &[]);
    let response = authenticator
        .register(ORIGIN, &options, &Spoil::default())
        .unwrap();
    let credential = rp.finish_registration(&response, &state).unwrap();

    let (options, _) = rp.begin_registration("tim", es256(), &[&credential]);
    let again = authenticator.register(ORIGIN, &options, &Spoil::default());
    assert_eq!(again, Err(CeremonyError::InvalidState));
    assert_eq!(authenticator.credentials.len(), 1);
    assert!(
        Authenticator::new()
            .register(ORIGIN, &options, &Spoil::default())
            .is_ok()
    );

    let unknown = options.replace(r#""type":"public-key","id""#, r#""type":"other","id""#);
    assert_ne!(unknown, options);
    let mut clone = authenticator.clone();
    assert!(clone.register(ORIGIN, &unknown, &Spoil::default()).is_ok());
    authenticator.credentials[0].rp_id = "example.net".to_owned();
    assert!(
        authenticator
            .register(ORIGIN, &options, &Spoil::default())
            .is_ok()
    );
}

#[test]
fn a_discoverable_credential_takes_the_place_of_the_users_former_one() {
    let mut authenticator = Authenticator::new();
    let mut options = options();
    options["authenticatorSelection"] = json!({ "requireResidentKey": true });
    register(&mut authenticator, &options).unwrap();
    let first = authenticator.credentials[0].id.clone();
    register(&mut authenticator, &options).unwrap();
    assert_eq!(authenticator.credentials.len(), 1);
    assert_ne!(authenticator.credentials[0].id, first);

    options["user"]["id"] = json!("ZXZh");
    register(&mut authenticator, &options).unwrap();
    assert_eq!(authenticator.credentials.len(), 2, "another user's stays");
    authenticator.credentials[1].rp_id = "example.net".to_owned();
    register(&mut authenticator, &options).unwrap();
    assert_eq!(
        authenticator.credentials.len(),
        3,
        "another relying party's stays"
    );
    authenticator.credentials[2].discoverable = false;
    register(&mut authenticator, &options).unwrap();
    assert_eq!(
        authenticator.credentials.len(),
        4,
        "one that is not discoverable stays"
    );
    options["authenticatorSelection"] = json!({});
    register(&mut authenticator, &options).unwrap();
    assert_eq!(
        authenticator.credentials.len(),
        5,
        "nor does such a one take a place"
    );
}

#[test]
fn only_what_asks_for_it_is_discoverable() {
    let cases = [
        (json!({ "residentKey": "required" }), true),
        (json!({ "residentKey": "preferred" }), true),
        (
            json!({ "residentKey": "discouraged", "requireResidentKey": true }),
            false,
        ),
        (json!({ "requireResidentKey": true }), true),
        (json!({ "residentKey": "a word of the future" }), false),
        (json!({}), false),
        (Value::Null, false),
    ];
    for (selection, expected) in cases {
        let mut options = options();
        options["authenticatorSelection"] = selection.clone();
        options["extensions"] = json!({ "credProps": true });
        let mut authenticator = Authenticator::new();
        let response = register(&mut authenticator, &options).unwrap();
        assert_eq!(
            authenticator.credentials[0].discoverable, expected,
            "{selection}"
        );
        assert_eq!(
            response["clientExtensionResults"]["credProps"]["rk"],
            expected
        );
    }
}

#[test]
fn what_a_browser_refuses_is_refused() {
    let none = json!({});
    let cases = [
        (
            "/pubKeyCredParams",
            json!([{ "type": "public-key", "alg": -257 }]),
            "NotSupportedError",
        ),
        (
            "/pubKeyCredParams",
            json!([{ "type": "other", "alg": -7 }]),
            "NotSupportedError",
        ),
        ("/rp/id", json!("example.net"), "SecurityError"),
        ("/user/id", json!(""), "TypeError"),
        ("/user/id", json!("A".repeat(87)), "TypeError"),
        ("/user/id", json!("dGl0YQ=="), "TypeError"),
        ("/challenge", json!("+/+/"), "TypeError"),
        ("/excludeCredentials", Value::Null, "TypeError"),
        ("/rp", none.clone(), "TypeError"),
        (
            "/authenticatorSelection",
            json!({ "authenticatorAttachment": "cross-platform" }),
            "NotAllowedError",
        ),
    ];
    for (path, value, expected) in cases {
        let mut options = options();
        options["excludeCredentials"] = json!([]);
        options["authenticatorSelection"] = none.clone();
        *options.pointer_mut(path).unwrap() = value.clone();
        let mut authenticator = Authenticator::new();
        let error = register(&mut authenticator, &options).unwrap_err();
        assert_eq!(error.name(), expected, "{path} {value}: {error}");
        assert!(authenticator.credentials.is_empty());
    }
}

#[test]
fn cred_props_are_given_only_when_asked_for() {
    for extensions in [json!({}), json!({ "credProps": false }), Value::Null] {
        let mut options = options();
        options["extensions"] = extensions;
        let response = register(&mut Authenticator::new(), &options).unwrap();
        assert_eq!(response["clientExtensionResults"], json!({}));
    }
}

#[test]
fn a_user_handle_of_64_bytes_is_accepted() {
    let mut options = options();
    options["user"]["id"] = json!("A".repeat(86));
    assert!(register(&mut Authenticator::new(), &options).is_ok());
}

#[test]
fn an_authenticator_that_cannot_verify_the_user_refuses_when_it_must() {
    let mut authenticator = Authenticator {
        verifies_user: false,
        ..Authenticator::new()
    };
    let mut options = options();
    options["authenticatorSelection"] = json!({ "userVerification": "preferred" });
    assert!(register(&mut authenticator, &options).is_ok());
    options["authenticatorSelection"] = json!({ "userVerification": "required" });
    let error = register(&mut authenticator, &options).unwrap_err();
    assert_eq!(error.name(), "NotAllowedError");
}

#[test]
fn an_empty_list_of_algorithms_stands_for_the_defaults() {
    let mut options = options();
    options["pubKeyCredParams"] = json!([]);
    assert!(register(&mut Authenticator::new(), &options).is_ok());
    let mut other = Authenticator {
        algorithm: Algorithm::Ed25519,
        ..Authenticator::new()
    };
    assert_eq!(
        register(&mut other, &options),
        Err(CeremonyError::NotSupported)
    );
}
