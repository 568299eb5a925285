//! The test vectors of WebAuthn Level 3, section 16, made by its own procedure: every random value is HKDF-SHA-256 of
//! "WebAuthn test vectors" under the vector's name, salted with a count, and ECDSA has the nonces of RFC 6979.

use ring::{
    digest::{SHA256, digest},
    hkdf::{HKDF_SHA256, KeyType, Salt},
};
use serde_cbor_2::Value;

use crate::{attestation::cbor, base64url};

/// The relying party of all vectors.
pub const VECTOR_RP_ID: &str = "example.org";

/// The origin of all vectors.
pub const VECTOR_ORIGIN: &str = "https://example.org";

/// A registration and an authentication of one credential.
#[derive(Clone, Debug)]
pub struct Vector {
    /// Its anchor in the specification, without `sctn-test-vectors-`.
    pub anchor: &'static str,
    /// The credential's id.
    pub credential_id: Vec<u8>,
    /// How it is registered.
    pub registration: VectorRegistration,
    /// How it authenticates.
    pub authentication: VectorAuthentication,
}

/// A vector's registration.
#[derive(Clone, Debug)]
pub struct VectorRegistration {
    /// The challenge.
    pub challenge: Vec<u8>,
    /// `clientDataJSON`.
    pub client_data: Vec<u8>,
    /// The authenticator data in the attestation object.
    pub authenticator_data: Vec<u8>,
    /// `attestationObject`. The statements that need certificates are empty here; all else is the specification's.
    pub attestation_object: Vec<u8>,
    /// Whether it is the specification's byte for byte.
    pub is_whole: bool,
}

/// A vector's authentication.
#[derive(Clone, Debug)]
pub struct VectorAuthentication {
    /// The challenge.
    pub challenge: Vec<u8>,
    /// `clientDataJSON`.
    pub client_data: Vec<u8>,
    /// `authenticatorData`.
    pub authenticator_data: Vec<u8>,
    /// `signature`.
    pub signature: Vec<u8>,
}

/// The vectors of ES256 and ES384, in the specification's order.
pub fn vectors() -> Vec<Vector> {
    PLANS.iter().map(Plan::vector).collect()
}

struct Plan {
    anchor: &'static str,
    /// The name under which its values are derived.
    info: &'static str,
    format: &'static str,
    key: fn(&[u8]) -> Box<dyn Key>,
    key_len: usize,
    id_len: usize,
    frame: Frame,
    /// A U2F key has no flags but UP.
    has_flags: bool,
    /// So many values the certificate takes: its serial number and, unless it is the credential's own, its key.
    certificate_values: u8,
}

/// Where the page was.
#[derive(Clone, Copy)]
enum Frame {
    Top,
    CrossOrigin,
    UnderTopOrigin,
}

const PLAN: Plan = Plan {
    anchor: "none-es256",
    info: "none.ES256",
    format: "none",
    key: p256_key,
    key_len: 32,
    id_len: 32,
    frame: Frame::Top,
    has_flags: true,
    certificate_values: 0,
};

const PLANS: [Plan; 11] = [
    PLAN,
    Plan {
        anchor: "packed-self-es256",
        info: "packed-self.ES256",
        format: "packed",
        ..PLAN
    },
    Plan {
        anchor: "none-es256-crossOrigin",
        info: "none.ES256.crossOrigin",
        frame: Frame::CrossOrigin,
        ..PLAN
    },
    Plan {
        anchor: "none-es256-topOrigin",
        info: "none.ES256.topOrigin",
        frame: Frame::UnderTopOrigin,
        ..PLAN
    },
    Plan {
        anchor: "none-es256-long-credential-id",
        info: "none.ES256.long-credential-id",
        id_len: 1023,
        ..PLAN
    },
    Plan {
        anchor: "packed-es256",
        info: "packed.ES256",
        certificate_values: 2,
        format: "packed",
        ..PLAN
    },
    Plan {
        anchor: "packed-es384",
        info: "packed.ES384",
        certificate_values: 2,
        format: "packed",
        key: p384_key,
        key_len: 48,
        ..PLAN
    },
    Plan {
        anchor: "tpm-es256",
        info: "tpm.ES256",
        certificate_values: 2,
        format: "tpm",
        ..PLAN
    },
    Plan {
        anchor: "android-key-es256",
        info: "android-key.ES256",
        certificate_values: 1,
        format: "android-key",
        ..PLAN
    },
    Plan {
        anchor: "apple-es256",
        info: "apple.ES256",
        certificate_values: 1,
        format: "apple",
        ..PLAN
    },
    Plan {
        anchor: "fido-u2f-es256",
        info: "fido-u2f.ES256",
        certificate_values: 2,
        format: "fido-u2f",
        has_flags: false,
        ..PLAN
    },
];

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKUP_STATE: u8 = 0x10;
const ATTESTED: u8 = 0x40;

impl Plan {
    fn vector(&self) -> Vector {
        let mut values = Values {
            info: self.info,
            count: 0,
        };
        let challenge = values.next(32);
        let key = (self.key)(&values.next(self.key_len));
        let client_data = self.client_data("webauthn.create", &challenge, &mut values);
        let aaguid = values.next(16);
        let credential_id = values.next(self.id_len);
        let flags = self.registered_flags(&mut values);
        let mut authenticator_data = data(flags | USER_PRESENT | ATTESTED);
        authenticator_data.extend(&aaguid);
        authenticator_data.extend((credential_id.len() as u16).to_be_bytes());
        authenticator_data.extend(&credential_id);
        authenticator_data.extend(key.cose());
        let object = self.attestation_object(&*key, &authenticator_data, &client_data);
        values.count += self.certificate_values;
        Vector {
            anchor: self.anchor,
            credential_id,
            registration: VectorRegistration {
                challenge,
                client_data,
                authenticator_data,
                attestation_object: object,
                is_whole: self.certificate_values == 0,
            },
            authentication: self.authentication(values, &*key, flags & BACKUP_ELIGIBLE),
        }
    }

    fn registered_flags(&self, values: &mut Values) -> u8 {
        if !self.has_flags {
            return 0;
        }
        let flags = values.next(1)[0] & (USER_VERIFIED | BACKUP_ELIGIBLE | BACKUP_STATE);
        match flags & BACKUP_ELIGIBLE {
            0 => flags & !BACKUP_STATE,
            _ => flags,
        }
    }

    fn attestation_object(&self, key: &dyn Key, data: &[u8], client_data: &[u8]) -> Vec<u8> {
        let is_self = self.format == "packed" && self.certificate_values == 0;
        let statement = match is_self {
            true => vec![
                ("alg", Value::Integer(-7)),
                ("sig", Value::Bytes(key.sign(&signed(data, client_data)))),
            ],
            false => Vec::new(),
        };
        cbor(map([
            ("fmt", Value::Text(self.format.to_owned())),
            ("attStmt", map(statement)),
            ("authData", Value::Bytes(data.to_vec())),
        ]))
    }

    fn authentication(
        &self,
        mut values: Values,
        key: &dyn Key,
        eligible: u8,
    ) -> VectorAuthentication {
        let challenge = values.next(32);
        let client_data = self.client_data("webauthn.get", &challenge, &mut values);
        let mut flags = values.next(1)[0] & (USER_VERIFIED | BACKUP_STATE);
        if eligible == 0 {
            flags &= !BACKUP_STATE;
        }
        let authenticator_data = data(flags | eligible | USER_PRESENT);
        VectorAuthentication {
            signature: key.sign(&signed(&authenticator_data, &client_data)),
            challenge,
            client_data,
            authenticator_data,
        }
    }

    fn client_data(&self, kind: &str, challenge: &[u8], values: &mut Values) -> Vec<u8> {
        let challenge = base64url::encode(challenge);
        let (cross_origin, top_origin) = match self.frame {
            Frame::Top => (false, ""),
            Frame::CrossOrigin => (true, ""),
            Frame::UnderTopOrigin => (true, r#","topOrigin":"https://example.com""#),
        };
        let extra = match values.next(1)[0] & 1 {
            0 => String::new(),
            _ => format!(
                r#","extraData":"clientDataJSON may be extended with additional fields in the future, such as this: {}""#,
                base64url::encode(&values.next(16))
            ),
        };
        format!(
            r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{VECTOR_ORIGIN}","crossOrigin":{cross_origin}{top_origin}{extra}}}"#
        )
        .into_bytes()
    }
}

/// The derived values of one vector, one after the other.
struct Values {
    info: &'static str,
    count: u8,
}

struct Len(usize);

impl KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

impl Values {
    fn next(&mut self, len: usize) -> Vec<u8> {
        let mut value = vec![0; len];
        Salt::new(HKDF_SHA256, &[self.count])
            .extract(b"WebAuthn test vectors")
            .expand(&[self.info.as_bytes()], Len(len))
            .and_then(|derived| derived.fill(&mut value))
            .expect("no value is as long as 255 hashes");
        self.count += 1;
        value
    }
}

fn data(flags: u8) -> Vec<u8> {
    let mut bytes = digest(&SHA256, VECTOR_RP_ID.as_bytes()).as_ref().to_vec();
    bytes.push(flags);
    bytes.extend([0; 4]);
    bytes
}

fn signed(data: &[u8], client_data: &[u8]) -> Vec<u8> {
    [data, digest(&SHA256, client_data).as_ref()].concat()
}

fn map<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let text = |(name, value): (&str, Value)| (Value::Text(name.to_owned()), value);
    Value::Map(members.into_iter().map(text).collect())
}

/// A private key that signs in one way only.
trait Key {
    fn sign(&self, message: &[u8]) -> Vec<u8>;
    /// The COSE key.
    fn cose(&self) -> Vec<u8>;
}

fn p256_key(scalar: &[u8]) -> Box<dyn Key> {
    Box::new(p256::ecdsa::SigningKey::from_slice(scalar).expect("a scalar of the curve"))
}

fn p384_key(scalar: &[u8]) -> Box<dyn Key> {
    Box::new(p384::ecdsa::SigningKey::from_slice(scalar).expect("a scalar of the curve"))
}

impl Key for p256::ecdsa::SigningKey {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: p256::ecdsa::Signature = p256::ecdsa::signature::Signer::sign(self, message);
        signature.to_der().as_bytes().to_vec()
    }

    fn cose(&self) -> Vec<u8> {
        ec_key(-7, 1, self.verifying_key().to_sec1_point(false).as_bytes())
    }
}

impl Key for p384::ecdsa::SigningKey {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: p384::ecdsa::Signature = p384::ecdsa::signature::Signer::sign(self, message);
        signature.to_der().as_bytes().to_vec()
    }

    fn cose(&self) -> Vec<u8> {
        ec_key(-35, 2, self.verifying_key().to_sec1_point(false).as_bytes())
    }
}

/// An EC2 key (RFC 9053, section 7.1) of an uncompressed point.
fn ec_key(algorithm: i128, curve: i128, point: &[u8]) -> Vec<u8> {
    let (x, y) = point[1..].split_at(point.len() / 2);
    let members = [
        (1, Value::Integer(2)),
        (3, Value::Integer(algorithm)),
        (-1, Value::Integer(curve)),
        (-2, Value::Bytes(x.to_vec())),
        (-3, Value::Bytes(y.to_vec())),
    ];
    let label = |(label, value)| (Value::Integer(label), value);
    cbor(Value::Map(members.into_iter().map(label).collect()))
}
