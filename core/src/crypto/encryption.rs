//! Encryption of what the database keeps sealed: AES-256-GCM, and the keys that come of the configured one.

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf,
    rand::{SecureRandom, SystemRandom},
};
use zeroize::Zeroizing;

use crate::{
    error::{Result, internal},
    secret::Secret,
};

/// The length of every key here.
pub(crate) const KEY_LEN: usize = 32;

/// A key of its own for each purpose, so that none is ever used for two (RFC 5869).
pub(crate) fn derive(encryption_key: &Secret, purpose: &[u8]) -> Result<Zeroizing<[u8; KEY_LEN]>> {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"keyplate");
    let mut key = Zeroizing::new([0; KEY_LEN]);
    salt.extract(encryption_key.as_str().as_bytes())
        .expand(&[purpose], hkdf::HKDF_SHA256)
        .and_then(|derived| derived.fill(&mut *key))
        .map_err(|_| internal("the encryption key cannot be used"))?;
    Ok(key)
}

/// Seals and opens; what is sealed begins with its nonce.
pub(crate) struct Cipher(LessSafeKey);

impl Cipher {
    pub(crate) fn new(key: &[u8; KEY_LEN]) -> Result<Self> {
        UnboundKey::new(&AES_256_GCM, key)
            .map(|key| Self(LessSafeKey::new(key)))
            .map_err(|_| internal("an encryption key cannot be used"))
    }

    /// Seals `plain`; it opens only for the same `context`.
    pub(crate) fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
        let mut sealed = random::<NONCE_LEN>()?.to_vec();
        // At random: fewer than 2^32 are sealed under one key (NIST SP 800-38D, section 8.3).
        let nonce = Nonce::try_assume_unique_for_key(&sealed)
            .map_err(|_| internal("a nonce has another length"))?;
        let mut body = plain.to_vec();
        self.0
            .seal_in_place_append_tag(nonce, Aad::from(context), &mut body)
            .map_err(|_| internal("nothing can be sealed"))?;
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// What was sealed; none when it was not under this key and for this context.
    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = Zeroizing::new(body.to_vec());
        let opened = self.0.open_in_place(nonce, Aad::from(context), &mut body);
        let len = opened.ok()?.len();
        body.truncate(len);
        Some(body)
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| internal("the system gives no random bytes"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_whole_under_its_key_and_for_its_context() {
        let cipher = |key: &str| {
            let key = Secret::new(key.to_owned());
            Cipher::new(&derive(&key, b"test").unwrap()).unwrap()
        };
        let sealed = cipher("a").seal(b"here", b"plain").unwrap();
        assert_eq!(*cipher("a").open(b"here", &sealed).unwrap(), b"plain");
        assert!(cipher("b").open(b"here", &sealed).is_none());
        assert!(cipher("a").open(b"there", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(cipher("a").open(b"here", &changed).is_none(), "{at}");
            assert!(cipher("a").open(b"here", &sealed[..at]).is_none(), "{at}");
        }
    }

    #[test]
    fn each_purpose_has_its_own_key() {
        let secret = Secret::new("one".to_owned());
        assert_ne!(
            derive(&secret, b"a").unwrap(),
            derive(&secret, b"b").unwrap()
        );
    }
}
