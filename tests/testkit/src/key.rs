use std::{collections::BTreeMap, fmt};

use ring::{
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use serde::{Deserialize, Serialize};
use serde_cbor_2::Value;

use crate::base64url;

/// The one RSA key of everybody, of 2,048 bits: ring makes none.
const RSA_KEY: &[u8] = include_bytes!("rs256.pk8");

/// What a key signs with.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256, -7.
    #[default]
    #[serde(rename = "ES256")]
    Es256,
    /// ECDSA on P-384 with SHA-384, -35.
    #[serde(rename = "ES384")]
    Es384,
    /// Ed25519, which WebAuthn asks for as EdDSA, -8.
    #[serde(rename = "EdDSA")]
    Ed25519,
    /// RSASSA-PKCS1-v1_5 with SHA-256, -257. All such credentials have the same key.
    #[serde(rename = "RS256")]
    Rs256,
}

impl Algorithm {
    /// The number in the IANA registry of COSE algorithms.
    pub fn cose(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::Es384 => -35,
            Self::Ed25519 => -8,
            Self::Rs256 => -257,
        }
    }

    /// The algorithm of `EcdsaKeyPair`, and the curve's number in COSE; `None` for others.
    fn ecdsa(self) -> Option<(&'static EcdsaSigningAlgorithm, i128)> {
        match self {
            Self::Es256 => Some((&ECDSA_P256_SHA256_ASN1_SIGNING, 1)),
            Self::Es384 => Some((&ECDSA_P384_SHA384_ASN1_SIGNING, 2)),
            Self::Ed25519 | Self::Rs256 => None,
        }
    }

    /// What precedes the public key in its SubjectPublicKeyInfo (RFC 5480, RFC 8410, RFC 3279).
    fn spki_prefix(self) -> &'static [u8] {
        match self {
            Self::Es256 => {
                b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00"
            }
            Self::Es384 => {
                b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00"
            }
            Self::Ed25519 => b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
            Self::Rs256 => {
                b"\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03\x82\x01\x0f\x00"
            }
        }
    }
}

/// A credential's private key. `Debug` does not print it; the JSON holds it as PKCS #8.
#[derive(Clone, Deserialize, Serialize)]
pub struct PrivateKey {
    algorithm: Algorithm,
    #[serde(with = "base64url")]
    pkcs8: Vec<u8>,
}

impl PrivateKey {
    /// Makes a key, except of `Algorithm::Rs256`.
    pub fn generate(algorithm: Algorithm) -> Self {
        let random = SystemRandom::new();
        let pkcs8 = match algorithm {
            Algorithm::Rs256 => RSA_KEY.to_vec(),
            Algorithm::Ed25519 => Ed25519KeyPair::generate_pkcs8(&random)
                .expect("the system has random bytes")
                .as_ref()
                .to_vec(),
            Algorithm::Es256 | Algorithm::Es384 => {
                let (signing, _) = algorithm.ecdsa().expect("one of ECDSA");
                EcdsaKeyPair::generate_pkcs8(signing, &random)
                    .expect("the system has random bytes")
                    .as_ref()
                    .to_vec()
            }
        };
        Self { algorithm, pkcs8 }
    }

    /// Another key, whose signatures have the form of this algorithm's.
    pub(crate) fn other_than(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Rs256 => Self::generate(Algorithm::Es256),
            algorithm => Self::generate(algorithm),
        }
    }

    /// What the key signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Signs as WebAuthn wants it: ECDSA in DER, Ed25519 as 64 bytes, RSA as long as its key.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match (self.algorithm, self.algorithm.ecdsa()) {
            (_, Some((signing, _))) => {
                let signature = self.ecdsa_pair(signing).sign(&random, message);
                signature
                    .expect("the system has random bytes")
                    .as_ref()
                    .to_vec()
            }
            (Algorithm::Rs256, None) => {
                let pair = self.rsa_pair();
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .expect("the signature has the length of the key");
                signature
            }
            (_, None) => self.ed25519_pair().sign(message).as_ref().to_vec(),
        }
    }

    /// The public key: an uncompressed point (SEC 1), the 32 bytes of Ed25519, or an RSAPublicKey (RFC 8017).
    pub fn public_key(&self) -> Vec<u8> {
        match (self.algorithm, self.algorithm.ecdsa()) {
            (_, Some((signing, _))) => self.ecdsa_pair(signing).public_key().as_ref().to_vec(),
            (Algorithm::Rs256, None) => self.rsa_pair().public().as_ref().to_vec(),
            (_, None) => self.ed25519_pair().public_key().as_ref().to_vec(),
        }
    }

    /// The public key as a SubjectPublicKeyInfo in DER.
    pub fn spki(&self) -> Vec<u8> {
        [self.algorithm.spki_prefix(), &self.public_key()].concat()
    }

    /// The public key as the members of a COSE key (RFC 9053, section 7; RFC 8230).
    pub(crate) fn cose_key(&self) -> BTreeMap<i128, Value> {
        let public = self.public_key();
        let mut key = BTreeMap::from([(3, Value::Integer(self.algorithm.cose().into()))]);
        if let Some((_, curve)) = self.algorithm.ecdsa() {
            let (x, y) = public[1..].split_at((public.len() - 1) / 2);
            key.insert(1, Value::Integer(2)); // EC2
            key.insert(-1, Value::Integer(curve));
            key.insert(-2, Value::Bytes(x.to_vec()));
            key.insert(-3, Value::Bytes(y.to_vec()));
        } else if self.algorithm == Algorithm::Rs256 {
            let public: PublicKeyComponents<Vec<u8>> = self.rsa_pair().public().into();
            key.insert(1, Value::Integer(3)); // RSA
            key.insert(-1, Value::Bytes(public.n));
            key.insert(-2, Value::Bytes(public.e));
        } else {
            key.insert(1, Value::Integer(1)); // OKP
            key.insert(-1, Value::Integer(6)); // Ed25519
            key.insert(-2, Value::Bytes(public));
        }
        key
    }

    fn rsa_pair(&self) -> RsaKeyPair {
        RsaKeyPair::from_pkcs8(&self.pkcs8).expect("the key that is here")
    }

    fn ecdsa_pair(&self, signing: &'static EcdsaSigningAlgorithm) -> EcdsaKeyPair {
        EcdsaKeyPair::from_pkcs8(signing, &self.pkcs8, &SystemRandom::new())
            .expect("a key that was generated here")
    }

    fn ed25519_pair(&self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_pkcs8(&self.pkcs8).expect("a key that was generated here")
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PrivateKey")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
