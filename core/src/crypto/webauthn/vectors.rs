//! The test vectors of WebAuthn Level 3, section 16, through our verifier: as they stand under our policy, and under one
//! that admits what we refuse on principle (a missing user verification, frames of another origin), so that what is
//! behind those checks is seen too.

use serde::Deserialize;
use serde_json::json;
use url::Url;
use webauthn_rs_core::proto::{AuthenticationState, RegistrationState, UserVerificationPolicy};

use super::{CredentialUser, KnownCredential, NewCredential, Policy, Verifier, attested};
use crate::{crypto::base64url::base64url, error::PasskeyFailure as Failure};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    rp_id: String,
    origin: Url,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    anchor: String,
    registration: Registration,
    authentication: Authentication,
}

#[derive(Deserialize)]
struct Registration {
    challenge: Hex,
    credential_id: Hex,
    #[serde(rename = "clientDataJSON")]
    client_data: Hex,
    #[serde(rename = "attestationObject")]
    attestation_object: Hex,
}

#[derive(Deserialize)]
struct Authentication {
    challenge: Hex,
    #[serde(rename = "authenticatorData")]
    authenticator_data: Hex,
    #[serde(rename = "clientDataJSON")]
    client_data: Hex,
    signature: Hex,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Hex(Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        (0..text.len())
            .step_by(2)
            .map(|at| {
                let digits = text.get(at..at + 2).ok_or("half a byte")?;
                u8::from_str_radix(digits, 16).map_err(|_| "no hexadecimal digits".to_owned())
            })
            .collect::<Result<_, String>>()
            .map(Self)
    }
}

type Outcome = Result<(), Failure>;

/// What must come of a vector: of its registration and its authentication under our policy, and under the other.
#[derive(Debug, PartialEq)]
struct Outcomes {
    ours: [Outcome; 2],
    lenient: [Outcome; 2],
}

/// Every vector by its anchor in the specification, with why what is refused is refused.
fn expected(anchor: &str) -> Option<Outcomes> {
    const OK: Outcome = Ok(());
    const UV: Outcome = Err(Failure::UserNotVerified); // the vector's flag UV is 0
    const FRAME: Outcome = Err(Failure::CrossOrigin);
    const ALGORITHM: Outcome = Err(Failure::UnsupportedAlgorithm);
    const ATTESTATION: Outcome = Err(Failure::BadAttestation);
    let outcomes = |ours, lenient| Some(Outcomes { ours, lenient });
    match anchor.strip_prefix("sctn-test-vectors-")? {
        "none-es256" => outcomes([UV, UV], [OK, OK]),
        "packed-self-es256" => outcomes([OK, UV], [OK, OK]),
        "none-es256-crossOrigin" | "none-es256-topOrigin" => outcomes([FRAME, FRAME], [OK, OK]),
        "none-es256-long-credential-id" => outcomes([UV, OK], [OK, OK]),
        "packed-es256" => outcomes([OK, OK], [OK, OK]),
        "packed-es384" => outcomes([UV, OK], [OK, OK]),
        // ES512 is not offered; webauthn-rs verifies no signature of P-521.
        "packed-es512" => outcomes([ALGORITHM, UV], [ALGORITHM, Err(Failure::BadSignature)]),
        // RS256 is offered, but of 2048 bits; the vector has 3480.
        "packed-rs256" => outcomes([ALGORITHM, ALGORITHM], [ALGORITHM, ALGORITHM]),
        // Neither is offered, and webauthn-rs verifies neither.
        "packed-eddsa" | "packed-ed448" => outcomes([UV, ALGORITHM], [ALGORITHM, ALGORITHM]),
        // webauthn-rs does not take the public area of this TPM's key.
        "tpm-es256" => outcomes([ALGORITHM, OK], [ALGORITHM, OK]),
        // Its certificate is not as webauthn-rs wants it.
        "android-key-es256" => outcomes([ATTESTATION, UV], [ATTESTATION, OK]),
        "apple-es256" | "fido-u2f-es256" => outcomes([UV, UV], [OK, OK]),
        _ => None,
    }
}

impl Vector {
    fn register(&self, verifier: &Verifier, client_data: &[u8]) -> Result<NewCredential, Failure> {
        let user = CredentialUser {
            handle: &[1; 32],
            name: "vector",
            display_name: "vector",
        };
        let (_, state) = verifier
            .begin_registration("vectors", &user, Vec::new())
            .unwrap();
        let mut state = serde_json::to_value(state).unwrap();
        state["challenge"] = json!(base64url(&self.registration.challenge.0));
        let state: RegistrationState = serde_json::from_value(state).unwrap();
        let id = base64url(&self.registration.credential_id.0);
        let response = json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "response": {
                "clientDataJSON": base64url(client_data),
                "attestationObject": base64url(&self.registration.attestation_object.0),
                "transports": [],
            },
            "clientExtensionResults": {},
        });
        verifier.register(&state, &response.to_string())
    }

    fn authenticate(&self, verifier: &Verifier) -> Outcome {
        let credential = attested(&self.registration.attestation_object.0)?;
        let (_, state) = verifier.begin_authentication(&[]).unwrap();
        let mut state = serde_json::to_value(state).unwrap();
        state["challenge"] = json!(base64url(&self.authentication.challenge.0));
        let state: AuthenticationState = serde_json::from_value(state).unwrap();
        let id = base64url(&self.registration.credential_id.0);
        let response = json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "response": {
                "clientDataJSON": base64url(&self.authentication.client_data.0),
                "authenticatorData": base64url(&self.authentication.authenticator_data.0),
                "signature": base64url(&self.authentication.signature.0),
            },
            "clientExtensionResults": {},
        });
        let response = Verifier::parse_assertion(&response.to_string())?;
        // Flag BE, which must stay as it was.
        let backup_eligible = self.authentication.authenticator_data.0[32] & 1 << 3 != 0;
        let known = KnownCredential {
            credential_id: credential.credential_id,
            public_key: credential.public_key,
            backup_eligible,
            backup_state: false,
        };
        verifier.authenticate(&state, &response, &known).map(drop)
    }

    /// The client data without its members on frames: webauthn-rs refuses those in registrations and has no switch. With
    /// attestation `none` nothing signs them.
    fn outside_of_frames(&self) -> Vec<u8> {
        let client_data = &self.registration.client_data.0;
        let mut members: serde_json::Value = serde_json::from_slice(client_data).unwrap();
        if members["crossOrigin"] != json!(true) {
            return client_data.clone();
        }
        let members = members.as_object_mut().unwrap();
        members.remove("crossOrigin");
        members.remove("topOrigin");
        serde_json::to_vec(&members).unwrap()
    }
}

/// Reads the vectors, which are not part of this project.
fn load() -> Option<Vectors> {
    let path = std::env::var("KEYPLATE_VECTORS").unwrap_or_else(|_| {
        concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../shared/data/webauthn-l3-vectors.json"
        )
        .to_owned()
    });
    let Ok(text) = std::fs::read_to_string(path) else {
        let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(
            !in_ci,
            "the W3C test vectors are not there: set KEYPLATE_VECTORS"
        );
        eprintln!("skipped: the W3C test vectors are not there; set KEYPLATE_VECTORS");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
fn the_vectors_of_the_w3c() {
    let Some(vectors) = load() else { return };
    let lenient = Policy {
        user_verification: UserVerificationPolicy::Discouraged_DO_NOT_USE,
        cross_origin: true,
    };
    let origins = || vec![vectors.origin.clone()];
    let ours = Verifier::new(&vectors.rp_id, origins());
    let lenient = Verifier::with_policy(&vectors.rp_id, origins(), lenient);
    assert_eq!(vectors.vectors.len(), 15);
    for vector in &vectors.vectors {
        let register = |verifier, client_data| vector.register(verifier, client_data).map(drop);
        let seen = Outcomes {
            ours: [
                register(&ours, &vector.registration.client_data.0),
                vector.authenticate(&ours),
            ],
            lenient: [
                register(&lenient, &vector.outside_of_frames()),
                vector.authenticate(&lenient),
            ],
        };
        assert_eq!(Some(seen), expected(&vector.anchor), "{}", vector.name);
    }
}
