//! Each spoil changes what it says and nothing else, and is signed over; with what the relying party says to it.

use std::collections::BTreeSet;

use keyplate_testkit::{Algorithm, Authenticator, CeremonyError, SPOILS, Spoil};
use webauthn_rs_core::error::WebauthnError;

use crate::{
    facts::{self, changed},
    relying_party::{ORIGIN, RelyingParty, es256},
};

/// A spoil, the facts it changes, and the relying party's verdict.
type Case = (&'static str, &'static [&'static str], &'static str);

/// What a spoil that this relying party does not look at comes to. Keyplate may look.
const ACCEPTED: &str = "accepted";

const OF_REGISTRATION: &[Case] = &[
    (
        "origin=https://evil.example",
        &["clientData.origin"],
        "InvalidRPOrigin",
    ),
    (
        "challenge",
        &["clientData.challenge"],
        "MismatchedChallenge",
    ),
    (
        "type=webauthn.get",
        &["clientData.type"],
        "InvalidClientDataType",
    ),
    (
        "cross-origin",
        &["clientData.crossOrigin"],
        "CredentialCrossOrigin",
    ),
    (
        "top-origin=https://evil.example",
        &["clientData.crossOrigin", "clientData.topOrigin"],
        "CredentialCrossOrigin",
    ),
    (
        "client-data=e30",
        &[
            "clientData.challenge",
            "clientData.crossOrigin",
            "clientData.origin",
            "clientData.type",
        ],
        "ParseJSONFailure",
    ),
    ("rp-id=evil.example", &["rpIdHash"], "InvalidRPIDHash"),
    ("no-user-presence", &["UP"], "UserNotPresent"),
    ("no-user-verification", &["UV"], "UserNotVerified"),
    ("backup-eligible=true", &["BE"], ACCEPTED),
    (
        "backup-state=true",
        &["BS"],
        "CredentialMayNotBeHardwareBound",
    ),
    ("flags=197", &["ED"], "ParseNOMFailure"),
    ("counter=7", &["counter"], ACCEPTED),
    ("trailing-bytes", &["authenticatorData.rest"], ACCEPTED),
    (
        "truncated",
        &["key.-1", "key.1", "key.3", "key.x", "key.y"],
        "ParseNOMFailure",
    ),
    (
        "truncated=1000",
        &[
            "rpIdHash",
            "UP",
            "UV",
            "AT",
            "counter",
            "aaguid",
            "attested id",
            "key.-1",
            "key.1",
            "key.3",
            "key.x",
            "key.y",
        ],
        "ParseNOMFailure",
    ),
    ("credential-id", &["attested id", "id", "rawId"], ACCEPTED),
    ("raw-id", &["rawId"], ACCEPTED),
    ("credential-type", &["type"], ACCEPTED),
    (
        "unoffered-algorithm",
        &["key.3", "key.-1", "publicKeyAlgorithm"],
        "CredentialAlteredAlgFromRequest",
    ),
    (
        "algorithm",
        &["key.3", "publicKey", "publicKeyAlgorithm"],
        "COSEKeyInvalidType",
    ),
    (
        "algorithm=-257",
        &["key.3", "publicKey", "publicKeyAlgorithm"],
        "COSEKeyInvalidType",
    ),
    ("public-key", &["key.y"], "EcdsaPointInvalid"),
    (
        "public-key=incomplete",
        &["key.y"],
        "COSEKeyInvalidCBORValue",
    ),
    (
        "public-key=not-cbor",
        &["key.1", "key.3", "key.-1", "key.x", "key.y"],
        "ParseNOMFailure",
    ),
    (
        "public-key=rsa-3072",
        &["key.1", "key.3", "key.-1", "key.n", "key.x", "key.y"],
        "COSEKeyRSANEInvalid",
    ),
    (
        "no-attested-credential-data",
        &[
            "AT",
            "aaguid",
            "attested id",
            "key.1",
            "key.3",
            "key.-1",
            "key.x",
            "key.y",
        ],
        "MissingAttestationCredentialData",
    ),
    (
        "attestation=self-signed",
        &["fmt", "attStmt", "attStmt.sig"],
        ACCEPTED,
    ),
    (
        "attestation=badly-signed",
        &["fmt", "attStmt", "attStmt.sig"],
        "AttestationStatementSigInvalid",
    ),
    (
        "attestation=unknown-format",
        &["fmt", "attStmt", "attStmt.sig"],
        "AttestationNotSupported",
    ),
    (
        "attestation=none-with-statement",
        &["attStmt", "attStmt.sig"],
        ACCEPTED,
    ),
    (
        "attestation=certified",
        &["fmt", "attStmt", "attStmt.sig"],
        "X509DerInvalid",
    ),
    (
        "attestation=tpm",
        &["fmt", "attStmt", "attStmt.sig"],
        "ParseNOMFailure",
    ),
    (
        "attestation=safety-net",
        &["fmt", "attStmt"],
        "AttestationNotSupported",
    ),
    (
        "attestation=android-key",
        &["fmt", "attStmt", "attStmt.sig"],
        "X509DerInvalid",
    ),
    ("attestation=apple", &["fmt", "attStmt"], "X509DerInvalid"),
    (
        "attestation=fido-u2f",
        &["fmt", "attStmt", "attStmt.sig"],
        "X509DerInvalid",
    ),
    (
        "attestation=compound",
        &["fmt", "attStmt"],
        "AttestationNotSupported",
    ),
    (
        "attestation-trailing-bytes",
        &["attestationObject.rest"],
        "ParseCBORFailure",
    ),
];

const OF_AUTHENTICATION: &[Case] = &[
    (
        "origin=https://evil.example",
        &["clientData.origin"],
        "InvalidRPOrigin",
    ),
    (
        "challenge",
        &["clientData.challenge"],
        "MismatchedChallenge",
    ),
    (
        "type=webauthn.create",
        &["clientData.type"],
        "InvalidClientDataType",
    ),
    ("cross-origin", &["clientData.crossOrigin"], ACCEPTED),
    (
        "top-origin=https://evil.example",
        &["clientData.crossOrigin", "clientData.topOrigin"],
        ACCEPTED,
    ),
    (
        "client-data=e30",
        &[
            "clientData.challenge",
            "clientData.crossOrigin",
            "clientData.origin",
            "clientData.type",
        ],
        "ParseJSONFailure",
    ),
    ("rp-id=evil.example", &["rpIdHash"], "InvalidRPIDHash"),
    ("no-user-presence", &["UP"], "UserNotPresent"),
    ("no-user-verification", &["UV"], "UserNotVerified"),
    (
        "backup-eligible=true",
        &["BE"],
        "CredentialBackupEligibilityInconsistent",
    ),
    (
        "backup-state=true",
        &["BS"],
        "CredentialMayNotBeHardwareBound",
    ),
    ("flags=133", &["ED"], "ParseNOMFailure"),
    ("counter=7", &["counter"], ACCEPTED),
    ("trailing-bytes", &["authenticatorData.rest"], ACCEPTED),
    (
        "truncated",
        &["counter", "authenticatorData.rest"],
        "ParseNOMFailure",
    ),
    (
        "truncated=1000",
        &["rpIdHash", "UP", "UV", "counter"],
        "ParseNOMFailure",
    ),
    ("credential-id", &["id", "rawId"], "CredentialNotFound"),
    ("raw-id", &["rawId"], "CredentialNotFound"),
    ("credential-type", &["type"], ACCEPTED),
    (
        "unlisted-credential",
        &["id", "rawId", "userHandle", "signature"],
        "CredentialNotFound",
    ),
    ("user-handle", &["userHandle"], ACCEPTED),
    ("no-user-handle", &["userHandle"], ACCEPTED),
    ("signature", &["signature"], "AuthenticationFailure"),
    (
        "signature=other-key",
        &["signature"],
        "AuthenticationFailure",
    ),
    (
        "signature=empty",
        &["signature", "signature.empty"],
        "SignatureInvalid",
    ),
];

fn verdict<T>(result: Result<T, WebauthnError>) -> String {
    match result {
        Ok(_) => ACCEPTED.to_owned(),
        Err(error) => {
            let text = format!("{error:?}");
            text.split('(').next().unwrap().to_owned()
        }
    }
}

fn check(case: &Case, changes: BTreeSet<&str>, verdict: &str) -> Option<String> {
    let (spoil, expected, expected_verdict) = case;
    let expected: BTreeSet<&str> = expected.iter().copied().collect();
    let right = changes == expected && verdict == *expected_verdict;
    (!right).then(|| format!("{spoil} changed {changes:?}: {verdict}"))
}

#[test]
fn each_changes_a_registration_as_it_says() {
    let rp = RelyingParty::new();
    let mut wrong = Vec::new();
    for case in OF_REGISTRATION {
        let (options, state) = rp.begin_registration("tim", es256(), &[]);
        let register = |spoil: &Spoil| {
            let mut authenticator = Authenticator::new();
            if spoil.unoffered_algorithm {
                authenticator.algorithm = Algorithm::Es384;
            }
            let response = authenticator.register(ORIGIN, &options, spoil).unwrap();
            (
                facts::of(&response, &authenticator.credentials[0]),
                response,
            )
        };
        let (before, unspoilt) = register(&Spoil::default());
        let (after, spoilt) = register(&case.0.parse().unwrap());
        assert_eq!(verdict(rp.finish_registration(&unspoilt, &state)), ACCEPTED);
        let verdict = verdict(rp.finish_registration(&spoilt, &state));
        wrong.extend(check(case, changed(&before, &after), &verdict));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The authenticator holds two credentials, and the older is asked for.
#[test]
fn each_changes_an_authentication_as_it_says() {
    let rp = RelyingParty::new();
    let mut authenticator = Authenticator::new();
    let mut register = |user| {
        let (options, state) = rp.begin_registration(user, es256(), &[]);
        let response = authenticator
            .register(ORIGIN, &options, &Spoil::default())
            .unwrap();
        rp.finish_registration(&response, &state).unwrap()
    };
    let tims = register("tim");
    register("eva");
    let mut wrong = Vec::new();
    for case in OF_AUTHENTICATION {
        let (options, state) = rp.begin_authentication(&[&tims]);
        let authenticate = |spoil: &Spoil| {
            let mut clone = authenticator.clone();
            let response = clone.authenticate(ORIGIN, &options, spoil).unwrap();
            (
                facts::of(&response, &authenticator.credentials[0]),
                response,
            )
        };
        let (before, unspoilt) = authenticate(&Spoil::default());
        let (after, spoilt) = authenticate(&case.0.parse().unwrap());
        assert_eq!(before["signature"], "true");
        assert_eq!(
            verdict(rp.finish_authentication(&unspoilt, &state)),
            ACCEPTED
        );
        let verdict = verdict(rp.finish_authentication(&spoilt, &state));
        wrong.extend(check(case, changed(&before, &after), &verdict));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An Ed25519 key has one coordinate, so it is spoiled otherwise.
#[test]
fn an_ed25519_key_is_malformed_too() {
    let options = concat!(
        r#"{ "rp": { "name": "Example" }, "user": { "id": "dGlt", "name": "tim", "displayName": "Tim" }, "#,
        r#""challenge": "AAECAwQFBgcICQoLDA0ODw", "pubKeyCredParams": [{ "type": "public-key", "alg": -8 }] }"#,
    );
    let key = |spoil: &str| {
        let mut authenticator = Authenticator {
            algorithm: Algorithm::Ed25519,
            ..Authenticator::new()
        };
        let spoil = spoil.parse().unwrap();
        let response = authenticator.register(ORIGIN, options, &spoil).unwrap();
        let facts = facts::of(&response, &authenticator.credentials[0]);
        facts.get("key.x").map(String::len)
    };
    assert_eq!(key("counter=0"), Some("own".len()));
    assert_eq!(key("public-key=off-curve"), Some(42), "31 bytes");
    assert_eq!(key("public-key=incomplete"), None);
}

/// Otherwise a test would pass that spoils nothing.
#[test]
fn one_that_is_of_the_other_ceremony_is_refused() {
    let rp = RelyingParty::new();
    let only_in = |cases: &[Case], others: &[Case]| -> Vec<Spoil> {
        let is_shared = |name| {
            others
                .iter()
                .any(|other: &Case| other.0.split('=').next() == name)
        };
        let own = cases
            .iter()
            .filter(|case| !is_shared(case.0.split('=').next()));
        own.map(|case| case.0.parse().unwrap()).collect()
    };
    let mut authenticator = Authenticator::new();
    let (creation, state) = rp.begin_registration("tim", es256(), &[]);
    let response = authenticator
        .register(ORIGIN, &creation, &Spoil::default())
        .unwrap();
    let credential = rp.finish_registration(&response, &state).unwrap();
    let (request, _) = rp.begin_authentication(&[&credential]);

    for spoil in only_in(OF_AUTHENTICATION, OF_REGISTRATION) {
        let result = authenticator.register(ORIGIN, &creation, &spoil);
        assert!(matches!(result, Err(CeremonyError::Spoil(_))), "{spoil:?}");
    }
    for spoil in only_in(OF_REGISTRATION, OF_AUTHENTICATION) {
        let result = authenticator.authenticate(ORIGIN, &request, &spoil);
        assert!(matches!(result, Err(CeremonyError::Spoil(_))), "{spoil:?}");
    }
    let offered = "unoffered-algorithm".parse().unwrap();
    let result = authenticator.register(ORIGIN, &creation, &offered);
    assert!(matches!(result, Err(CeremonyError::Spoil(_))));
    assert_eq!(authenticator.credentials.len(), 1);
    assert_eq!(authenticator.credentials[0].counter, 0);
}

#[test]
fn every_name_is_tried_in_each_ceremony_it_is_for() {
    let has = |cases: &[Case], name: &str| {
        cases
            .iter()
            .any(|case| case.0.split('=').next() == Some(name))
    };
    for spoil in SPOILS {
        let name = spoil.usage.split(['=', '[']).next().unwrap();
        let is_of = |ceremony: &str| !spoil.help.contains(": ") || spoil.help.starts_with(ceremony);
        assert_eq!(has(OF_REGISTRATION, name), is_of("register"), "{name}");
        assert_eq!(
            has(OF_AUTHENTICATION, name),
            is_of("authenticate"),
            "{name}"
        );
    }
}
