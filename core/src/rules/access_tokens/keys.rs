//! The keys that sign access tokens: made when one is first wanted, sealed when there is an encryption key, rotated with
//! an overlap.

use std::time::SystemTime;

use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    clock,
    crypto::base64url,
    db::{self, Reader},
    error::{Result, internal},
    gate::{
        change::{Change, Subject},
        handle::Keyplate,
        methods::Method,
    },
    model::{
        access_tokens::{Jwks, MAX_LIFETIME_SECONDS, SigningKey, StoredKey},
        audit::EventKind,
        ids,
    },
    values::numbers::within,
};

/// The longest overlap.
const MAX_OVERLAP_SECONDS: i64 = 7 * 24 * 3_600;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Returns the public keys with which other processes verify access tokens, for `/.well-known/jwks.json`. The keys that
    /// were rotated away stay in it until their last token has ended.
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

    /// Lets another key sign access tokens from now on. Tokens of the former key stay valid for `overlap_seconds` more: by
    /// default the longest life of a token, and at most 7 days. If the key got into other hands, 0 ends them at once. If
    /// the encryption key was lost, this works under a new one.
    ///
    /// # Errors
    /// `InvalidInput`; `Configuration` without an encryption key when the present key is sealed; `PermissionDenied` on any
    /// but the host's handle.
    pub fn rotate_signing_key(&self, overlap_seconds: Option<i64>) -> Result<SigningKey> {
        let overlap = overlap_seconds.unwrap_or(MAX_LIFETIME_SECONDS);
        let overlap = within("overlap_seconds", overlap, 0, MAX_OVERLAP_SECONDS)?;
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
        // One from before there was an encryption key is not worth sealing: its file may have been copied.
        let seals = self.shared.key_cipher.seals();
        Ok(key.filter(|key| key.is_sealed || !seals))
    }

    /// The private half of the key that signs.
    pub(super) fn private_key(&self, key: &StoredKey) -> Result<Zeroizing<Vec<u8>>> {
        let stored = key.private_key.as_deref().unwrap_or_default();
        if key.is_sealed {
            self.shared.key_cipher.open(&key.id, stored)
        } else {
            Ok(Zeroizing::new(stored.to_vec()))
        }
    }

    fn replace_signing_key(&self, change: &Change<'_>, overlap_seconds: i64) -> Result<StoredKey> {
        let now = change.now();
        let before = db::signing_keys::current(change)?;
        let is_sealed = before.as_ref().is_some_and(|key| key.is_sealed);
        self.shared.key_cipher.check_may_replace(is_sealed)?;
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
        "x": base64url::base64url(&key.public_key),
    })
}
