//! What seals the private halves of signing keys (J1).

use zeroize::Zeroizing;

use crate::{
    crypto::encryption::{self, Cipher},
    error::{Result, configuration},
    secret::Secret,
};

const OPTION: &str = "encryption_key";

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
    pub(crate) fn check_may_replace(&self, is_sealed: bool) -> Result<()> {
        if self.0.is_none() && is_sealed {
            return Err(configuration(
                OPTION,
                "is wanted, because the signing key is sealed by one",
            ));
        }
        Ok(())
    }

    /// Nothing without an encryption key: the private key is then stored in clear.
    pub(crate) fn seal(&self, id: &str, private_key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.0
            .as_ref()
            .map(|cipher| cipher.seal(id.as_bytes(), private_key))
            .transpose()
    }

    /// The private half of the key that signs, which was sealed under this id.
    pub(crate) fn open(&self, id: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let opened = match &self.0 {
            Some(cipher) => cipher.open(id.as_bytes(), sealed),
            None => None,
        };
        opened.ok_or_else(|| {
            configuration(
                OPTION,
                "is not the one under which the signing key is sealed; rotate_signing_key makes another",
            )
        })
    }

    /// Are new signing keys sealed?
    pub(crate) fn seals(&self) -> bool {
        self.0.is_some()
    }
}
