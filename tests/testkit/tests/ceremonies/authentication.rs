use keyplate_testkit::{Algorithm, Authenticator, Backup, CeremonyError, Spoil};
use serde_json::json;
use webauthn_rs_core::{error::WebauthnError, proto::Credential};

use crate::{
    facts,
    relying_party::{ORIGIN, RP_ID, RelyingParty, discoverable, es256},
};

fn register(rp: &RelyingParty, authenticator: &mut Authenticator, user: &str) -> Credential {
    let (options, state) = rp.begin_registration(user, es256(), &[]);
    let response = authenticator
        .register(ORIGIN, &options, &Spoil::default())
        .unwrap();
    rp.finish_registration(&response, &state).unwrap()
}

fn authenticate(
    rp: &RelyingParty,
    authenticator: &mut Authenticator,
    credential: &Credential,
) -> Result<u32, WebauthnError> {
    let (options, state) = rp.begin_authentication(&[credential]);
    let response = authenticator
        .authenticate(ORIGIN, &options, &Spoil::default())
        .unwrap();
    rp.finish_authentication(&response, &state)
        .map(|result| result.counter())
}

/// The id of the credential that signs in.
fn chosen(authenticator: &Authenticator, options: &str) -> Result<Vec<u8>, CeremonyError> {
    let response = authenticator
        .clone()
        .authenticate(ORIGIN, options, &Spoil::default())?;
    let response: serde_json::Value = serde_json::from_str(&response).unwrap();
    Ok(facts::bytes(&response["rawId"]))
}

#[test]
fn an_independent_relying_party_accepts_it() {
    let rp = RelyingParty::new();
    let mut authenticator = Authenticator::new();
    let mut credential = register(&rp, &mut authenticator, "tim");
    for expected in 1..=3 {
        let counter = authenticate(&rp, &mut authenticator, &credential).unwrap();
        assert_eq!(counter, expected);
        credential.counter = counter;
    }
}

/// `webauthn-rs-core` does not verify EdDSA, so `ring` does.
#[test]
fn the_response_has_every_member() {
    for algorithm in [
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Ed25519,
        Algorithm::Rs256,
    ] {
        let mut authenticator = Authenticator {
            algorithm,
            ..Authenticator::new()
        };
        let creation = json!({
            "rp": { "id": RP_ID, "name": "Example" },
            "user": { "id": "dGlt", "name": "tim", "displayName": "Tim" },
            "challenge": "AAECAwQFBgcICQoLDA0ODw",
            "pubKeyCredParams": [{ "type": "public-key", "alg": algorithm.cose() }],
            "authenticatorSelection": { "residentKey": "required" },
        });
        authenticator
            .register(ORIGIN, &creation.to_string(), &Spoil::default())
            .unwrap();
        let request = json!({ "challenge": "AQIDBAUGBwgJCgsMDQ4PEA", "rpId": RP_ID }).to_string();
        let response = authenticator
            .authenticate(ORIGIN, &request, &Spoil::default())
            .unwrap();
        let facts = facts::of(&response, &authenticator.credentials[0]);
        let expected = [
            ("1", "0"),
            ("5", "0"),
            ("AT", "0"),
            ("BE", "0"),
            ("BS", "0"),
            ("ED", "0"),
            ("UP", "1"),
            ("UV", "1"),
            ("attachment", "\"platform\""),
            ("authenticatorData.rest", "0"),
            ("clientData.challenge", "\"AQIDBAUGBwgJCgsMDQ4PEA\""),
            ("clientData.crossOrigin", "false"),
            ("clientData.origin", "\"https://login.example.org\""),
            ("clientData.type", "\"webauthn.get\""),
            ("counter", "1"),
            ("extensions", "{}"),
            ("id", "own"),
            (
                "members",
                "authenticatorAttachment clientExtensionResults id rawId response type",
            ),
            ("rawId", "own"),
            ("rpIdHash", "own"),
            ("signature", "true"),
            ("signature.empty", "false"),
            ("type", "\"public-key\""),
            ("userHandle", "own"),
        ];
        let found: Vec<(&str, &str)> = facts
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_clones_counter_falls_behind() {
    let rp = RelyingParty::new();
    let mut authenticator = Authenticator::new();
    let mut credential = register(&rp, &mut authenticator, "tim");
    let mut clone = authenticator.clone();
    credential.counter = authenticate(&rp, &mut authenticator, &credential).unwrap();
    let result = authenticate(&rp, &mut clone, &credential);
    assert_eq!(result, Err(WebauthnError::CredentialPossibleCompromise));
    assert_eq!(authenticate(&rp, &mut clone, &credential), Ok(2));
}

#[test]
fn an_authenticator_that_does_not_count_says_0() {
    let rp = RelyingParty::new();
    let mut authenticator = Authenticator {
        counts: false,
        backup: Backup::BackedUp,
        ..Authenticator::new()
    };
    let credential = register(&rp, &mut authenticator, "tim");
    assert!(credential.backup_eligible && credential.backup_state);
    for _ in 0..2 {
        assert_eq!(authenticate(&rp, &mut authenticator, &credential), Ok(0));
    }
}

#[test]
fn the_newest_that_fits_is_taken_or_the_one_that_is_named() {
    let rp = RelyingParty::new();
    let mut authenticator = Authenticator::new();
    let tims = register(&rp, &mut authenticator, "tim");
    let evas = register(&rp, &mut authenticator, "eva");
    let (for_tim, _) = rp.begin_authentication(&[&tims]);
    let (for_both, state) = rp.begin_authentication(&[&evas, &tims]);
    let for_all = discoverable(&for_both);
    assert_eq!(
        chosen(&authenticator, &for_tim).unwrap(),
        tims.cred_id.as_slice()
    );
    assert_eq!(
        chosen(&authenticator, &for_both).unwrap(),
        evas.cred_id.as_slice()
    );
    assert_eq!(
        chosen(&authenticator, &for_all).unwrap(),
        evas.cred_id.as_slice()
    );

    let named = authenticator
        .authenticate_as("tim", ORIGIN, &for_all, &Spoil::default())
        .unwrap();
    let result = rp.finish_authentication(&named, &state).unwrap();
    assert_eq!(result.cred_id(), &tims.cred_id);
    let nobody = authenticator.authenticate_as("ann", ORIGIN, &for_all, &Spoil::default());
    assert!(matches!(nobody, Err(CeremonyError::NotAllowed(_))));
}

/// The signature of a credential that was not asked for is good: only the list says that it is not wanted.
#[test]
fn an_unlisted_credential_signs_well() {
    let rp = RelyingParty::new();
    let mut authenticator = Authenticator::new();
    let tims = register(&rp, &mut authenticator, "tim");
    register(&rp, &mut authenticator, "eva");
    let (options, _) = rp.begin_authentication(&[&tims]);
    let spoil = "unlisted-credential".parse().unwrap();
    let response = authenticator
        .authenticate(ORIGIN, &options, &spoil)
        .unwrap();
    let facts = facts::of(&response, &authenticator.credentials[1]);
    for (name, value) in [("id", "own"), ("userHandle", "own"), ("signature", "true")] {
        assert_eq!(facts[name], value);
    }
}

#[test]
fn one_that_is_not_discoverable_must_be_listed_and_sends_no_user_handle() {
    let rp = RelyingParty::new();
    let mut authenticator = Authenticator::new();
    let credential = register(&rp, &mut authenticator, "tim");
    authenticator.credentials[0].discoverable = false;
    let (options, _) = rp.begin_authentication(&[&credential]);
    let response = authenticator
        .authenticate(ORIGIN, &options, &Spoil::default())
        .unwrap();
    assert!(!facts::of(&response, &authenticator.credentials[0]).contains_key("userHandle"));
    let result = chosen(&authenticator, &discoverable(&options));
    assert!(matches!(result, Err(CeremonyError::NotAllowed(_))));
}

#[test]
fn an_authenticator_that_cannot_verify_the_user_refuses_when_it_must() {
    let rp = RelyingParty::new();
    let mut authenticator = Authenticator::new();
    let credential = register(&rp, &mut authenticator, "tim");
    authenticator.verifies_user = false;
    let (required, _) = rp.begin_authentication(&[&credential]);
    assert!(matches!(
        chosen(&authenticator, &required),
        Err(CeremonyError::NotAllowed(_))
    ));
    let preferred = required.replace("\"required\"", "\"preferred\"");
    assert!(chosen(&authenticator, &preferred).is_ok());
}

#[test]
fn one_of_another_relying_party_is_not_taken() {
    let rp = RelyingParty::new();
    let mut authenticator = Authenticator::new();
    let credential = register(&rp, &mut authenticator, "tim");
    let (options, _) = rp.begin_authentication(&[&credential]);
    authenticator.credentials[0].rp_id = "example.net".to_owned();
    assert!(matches!(
        chosen(&authenticator, &options),
        Err(CeremonyError::NotAllowed(_))
    ));
    assert!(matches!(
        chosen(&authenticator, &discoverable(&options)),
        Err(CeremonyError::NotAllowed(_))
    ));
}

#[test]
fn it_goes_through_json_and_debug_shows_no_key() {
    let rp = RelyingParty::new();
    let mut authenticator = Authenticator::new();
    let mut credential = register(&rp, &mut authenticator, "tim");
    credential.counter = authenticate(&rp, &mut authenticator, &credential).unwrap();
    let json = serde_json::to_string(&authenticator).unwrap();
    let mut restored: Authenticator = serde_json::from_str(&json).unwrap();
    assert_eq!(authenticate(&rp, &mut restored, &credential), Ok(2));

    assert!(format!("{authenticator:?}").contains("PrivateKey { algorithm: Es256, .. }"));
}
