//! The keys that sign access tokens: made when one is first wanted, sealed when there is an encryption key, rotated with
//! an overlap.

use std::time::SystemTime;

use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::json;
use zeroize::Zeroizing;

use super::MAX_LIFETIME_SECONDS;
use crate::{
    EventKind, Keyplate, KeyplateError, Result, Secret,
    audit::{Change, Subject},
    authority::Method,
    clock,
    db::{self, Reader},
    encryption::{self, Cipher},
    error::{internal, invalid},
    ids, passkeys,
};

/// The longest overlap.
const MAX_OVERLAP_SECONDS: u32 = 7 * 24 * 3_600;

/// A key that signs access tokens, without its private half.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SigningKey {
    /// Its `kid` in `get_jwks` and in the tokens' headers.
    pub key_id: String,
    /// When it was made.
    pub created_at: SystemTime,
}

/// The public keys by which access tokens are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Jwks {
    /// The JSON Web Key Set (RFC 7517, RFC 8037), as it is served.
    pub json: String,
    /// What is in it; the key that signs comes first.
    pub keys: Vec<SigningKey>,
}

/// A key as it is stored.
pub(crate) struct StoredKey {
    pub(crate) id: String,
    pub(crate) public_key: Vec<u8>,
    /// PKCS #8, perhaps sealed; none once another key signs.
    pub(crate) private_key: Option<Vec<u8>>,
    pub(crate) is_sealed: bool,
    pub(crate) created_at: SystemTime,
}

impl From<StoredKey> for SigningKey {
    fn from(key: StoredKey) -> Self {
        Self {
            key_id: key.id,
            created_at: key.created_at,
        }
    }
}

/// What seals signing keys, if the configuration has a key.
pub(crate) struct KeyCipher(Option<Cipher>);

impl KeyCipher {
    pub(crate) fn new(encryption_key: Option<&Secret>) -> Result<Self> {
        let Some(key) = encryption_key else {
            return Ok(Self(None));
        };
        Cipher::new(&*encryption::derive(key, b"signing keys")?).map(|cipher| Self(Some(cipher)))
    }

    /// What is sealed stays sealed: a key in clear would be in every copy of the file.
    fn check_may_replace(&self, key: Option<&StoredKey>) -> Result<()> {
        if self.0.is_none() && key.is_some_and(|key| key.is_sealed) {
            return Err(wrong("is wanted, because the signing key is sealed by one"));
        }
        Ok(())
    }

    fn seal(&self, id: &str, private_key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.0
            .as_ref()
            .map(|cipher| cipher.seal(id.as_bytes(), private_key))
            .transpose()
    }

    /// The private half of the key that signs.
    pub(super) fn open(&self, key: &StoredKey) -> Result<Zeroizing<Vec<u8>>> {
        let stored = key.private_key.as_deref().unwrap_or_default();
        if !key.is_sealed {
            return Ok(Zeroizing::new(stored.to_vec()));
        }
        let opened = match &self.0 {
            Some(cipher) => cipher.open(key.id.as_bytes(), stored),
            None => None,
        };
        opened.ok_or_else(|| {
            wrong("is not the one under which the signing key is sealed; rotate_signing_key makes another")
        })
    }

    /// A key from before there was an encryption key is not worth sealing: its file may have been copied.
    fn wants_another_than(&self, key: &StoredKey) -> bool {
        self.0.is_some() && !key.is_sealed
    }
}

fn wrong(reason: &str) -> KeyplateError {
    KeyplateError::Configuration {
        option: "encryption_key".to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Gives the public keys by which other processes verify access tokens, for `/.well-known/jwks.json`. Those of keys rotated away stay until their last token has ended.
    ///
    /// # Errors
    /// The storage errors.
    pub fn get_jwks(&self) -> Result<Jwks> {
        self.current_signing_key()?;
        self.read(Method::GetJwks, |reader, _| {
            let keys = db::signing_keys::list_verifying(reader, reader.now())?;
            let set: Vec<_> = keys.iter().map(jwk).collect();
            Ok(Jwks {
                json: json!({ "keys": set }).to_string(),
                keys: keys.into_iter().map(SigningKey::from).collect(),
            })
        })
    }

    /// Lets another key sign access tokens from now on. Tokens of the former key are good for `overlap_seconds` more: by
    /// default the longest life of a token, at most 7 days; 0 ends them at once, for a key that got into other hands.
    /// When the encryption key was lost, it works under a new one.
    ///
    /// # Errors
    /// `InvalidInput`; `Configuration` without an encryption key when the present key is sealed; `PermissionDenied` on any
    /// but the host's handle.
    pub fn rotate_signing_key(&self, overlap_seconds: Option<u32>) -> Result<SigningKey> {
        let overlap = overlap_seconds.unwrap_or(MAX_LIFETIME_SECONDS);
        if overlap > MAX_OVERLAP_SECONDS {
            let reason = format!("must be at most {MAX_OVERLAP_SECONDS}");
            return Err(invalid("overlap_seconds", reason));
        }
        self.write(Method::RotateSigningKey, |change| {
            self.replace_signing_key(change, overlap)
                .map(SigningKey::from)
        })
    }
}

impl Keyplate {
    /// The key that signs; it is made when there is none, or none that is sealed though it should be.
    pub(super) fn current_signing_key(&self) -> Result<StoredKey> {
        if let Some(key) = self.shared.db.read(|reader| self.fit_key(reader))? {
            return Ok(key);
        }
        self.write_for_host(|change| match self.fit_key(change)? {
            Some(key) => Ok(key), // another was quicker
            None => self.replace_signing_key(change, MAX_LIFETIME_SECONDS),
        })
    }

    fn fit_key(&self, reader: &Reader<'_>) -> Result<Option<StoredKey>> {
        let key = db::signing_keys::current(reader)?;
        Ok(key.filter(|key| !self.shared.key_cipher.wants_another_than(key)))
    }

    fn replace_signing_key(&self, change: &Change<'_>, overlap_seconds: u32) -> Result<StoredKey> {
        let now = change.now();
        let before = db::signing_keys::current(change)?;
        self.shared.key_cipher.check_may_replace(before.as_ref())?;
        let end = clock::after(now, overlap_seconds);
        db::signing_keys::retire_current(change, end)?;
        db::signing_keys::end_retired_by(change, end)?;
        db::signing_keys::forget_ended(change, now)?;
        let key = self.new_signing_key(now)?;
        db::signing_keys::insert(change, &key)?;
        let overlap = overlap_seconds.to_string();
        let (kind, details) = match before {
            Some(_) => (
                EventKind::SigningKeyRotated,
                &[("overlap_seconds", overlap.as_str())][..],
            ),
            None => (EventKind::SigningKeyCreated, &[][..]),
        };
        change.record(kind, Subject::thing(&key.id, &key.id), details)?;
        Ok(key)
    }

    fn new_signing_key(&self, now: SystemTime) -> Result<StoredKey> {
        let unusable = |_| internal("no signing key can be made");
        let private_key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map(|document| Zeroizing::new(document.as_ref().to_vec()))
            .map_err(unusable)?;
        let pair = Ed25519KeyPair::from_pkcs8(&private_key)
            .map_err(|_| internal("a new signing key cannot be used"))?;
        let id = ids::generate_text(now)?;
        let sealed = self.shared.key_cipher.seal(&id, &private_key)?;
        Ok(StoredKey {
            public_key: pair.public_key().as_ref().to_vec(),
            is_sealed: sealed.is_some(),
            private_key: Some(sealed.unwrap_or_else(|| private_key.to_vec())),
            created_at: now,
            id,
        })
    }
}

/// RFC 8037, section 2.
fn jwk(key: &StoredKey) -> serde_json::Value {
    json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "use": "sig",
        "kid": key.id,
        "x": passkeys::base64url(&key.public_key),
    })
}
