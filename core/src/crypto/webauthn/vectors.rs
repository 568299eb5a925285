//! The test vectors of WebAuthn Level 3, section 16, through our verifier: as they stand under our policy, and under one
//! that admits what we refuse on principle (a missing user verification, frames of another origin), so that what is
//! behind those checks is seen too. The test kit makes those of our algorithms by the specification's own procedure, and
//! so they run everywhere; the W3C's file, which is not part of this project, has a few more.

use keyplate_testkit::{VECTOR_ORIGIN, VECTOR_RP_ID};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use webauthn_rs_core::proto::{RegistrationState, UserVerificationPolicy};

use super::{
    AssertionAnswer, Challenge, CredentialUser, KnownCredential, NewCredential, Policy, Verifier,
    attested,
};
use crate::{crypto::base64url::base64url, error::PasskeyFailure as Failure};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vectors {
    rp_id: String,
    origin: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
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

#[derive(Debug, Deserialize, PartialEq)]
struct Authentication {
    challenge: Hex,
    #[serde(rename = "authenticatorData")]
    authenticator_data: Hex,
    #[serde(rename = "clientDataJSON")]
    client_data: Hex,
    signature: Hex,
}

#[derive(Debug, Deserialize, PartialEq)]
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
    let outcomes = |ours, lenient| Some(Outcomes { ours, lenient });
    match anchor {
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
        // Their statements are not evaluated.
        "tpm-es256" => outcomes([OK, OK], [OK, OK]),
        "android-key-es256" => outcomes([OK, UV], [OK, OK]),
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
        let (_, state) = verifier.begin_registration("vectors", &user, &[]).unwrap();
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
        let (credential, _) = attested(&self.registration.attestation_object.0)?;
        let challenge = Challenge::new(&self.authentication.challenge.0);
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
        let answer = AssertionAnswer::parse(&response.to_string())?;
        let known = KnownCredential {
            credential_id: credential.credential_id,
            public_key: credential.public_key,
        };
        verifier.authenticate(&challenge, &answer, &known).map(drop)
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

impl From<keyplate_testkit::Vector> for Vector {
    fn from(made: keyplate_testkit::Vector) -> Self {
        Self {
            anchor: made.anchor.to_owned(),
            registration: Registration {
                challenge: Hex(made.registration.challenge),
                credential_id: Hex(made.credential_id),
                client_data: Hex(made.registration.client_data),
                attestation_object: Hex(made.registration.attestation_object),
            },
            authentication: Authentication {
                challenge: Hex(made.authentication.challenge),
                authenticator_data: Hex(made.authentication.authenticator_data),
                client_data: Hex(made.authentication.client_data),
                signature: Hex(made.authentication.signature),
            },
        }
    }
}

fn assert_outcomes(rp_id: &str, origin: &str, vectors: &[Vector]) {
    let lenient = Policy {
        user_verification: UserVerificationPolicy::Discouraged_DO_NOT_USE,
        cross_origin: true,
    };
    let origins = || vec![Url::parse(origin).unwrap()];
    let ours = Verifier::new(rp_id, origins());
    let lenient = Verifier::with_policy(rp_id, origins(), lenient);
    for vector in vectors {
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
        assert_eq!(Some(seen), expected(&vector.anchor), "{}", vector.anchor);
    }
}

#[test]
fn the_vectors_that_are_made_by_the_procedure() {
    let vectors: Vec<Vector> = keyplate_testkit::vectors()
        .into_iter()
        .map(Vector::from)
        .collect();
    assert_eq!(vectors.len(), 11);
    assert_outcomes(VECTOR_RP_ID, VECTOR_ORIGIN, &vectors);
}

/// The W3C's vectors, which are not part of this project, by their anchors without what all have in common.
fn load() -> Vectors {
    let path = std::env::var_os("KEYPLATE_VECTORS").expect("KEYPLATE_VECTORS names their file");
    let text = std::fs::read_to_string(path).expect("the file that KEYPLATE_VECTORS names");
    let mut read: Vectors = serde_json::from_str(&text).unwrap();
    for vector in &mut read.vectors {
        let name = vector.anchor.strip_prefix("sctn-test-vectors-").unwrap();
        vector.anchor = name.to_owned();
    }
    read
}

#[test]
#[ignore = "wants KEYPLATE_VECTORS, the file of the W3C's test vectors"]
fn the_vectors_of_the_w3c() {
    let read = load();
    assert_eq!(read.vectors.len(), 15);
    assert_outcomes(&read.rp_id, &read.origin, &read.vectors);
}

#[test]
#[ignore = "wants KEYPLATE_VECTORS, the file of the W3C's test vectors"]
fn the_procedure_makes_the_vectors_of_the_w3c() {
    let read = load();
    assert_eq!((&*read.rp_id, &*read.origin), (VECTOR_RP_ID, VECTOR_ORIGIN));
    for made in keyplate_testkit::vectors() {
        let mut theirs = read.vectors.iter();
        let theirs = theirs.find(|one| one.anchor == made.anchor).unwrap();
        let name = made.anchor;
        let (is_whole, data) = (
            made.registration.is_whole,
            made.registration.authenticator_data.clone(),
        );
        let ours = Vector::from(made);
        let (of_ours, of_theirs) = (&ours.registration, &theirs.registration);
        assert_eq!(of_ours.challenge, of_theirs.challenge, "{name}");
        assert_eq!(of_ours.credential_id, of_theirs.credential_id, "{name}");
        assert_eq!(of_ours.client_data, of_theirs.client_data, "{name}");
        let objects = [&of_ours.attestation_object, &of_theirs.attestation_object];
        if is_whole {
            assert_eq!(objects[0], objects[1], "{name}");
        }
        // All of it but the statement.
        for object in objects {
            let (_, without_statement) = attested(&object.0).unwrap();
            assert!(
                without_statement
                    .windows(data.len())
                    .any(|part| part == data)
            );
        }
        assert_eq!(
            attested(&objects[0].0).unwrap().1,
            attested(&objects[1].0).unwrap().1
        );
        assert_eq!(ours.authentication, theirs.authentication, "{name}");
    }
}
