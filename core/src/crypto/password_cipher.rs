//! What seals the secrets of app passwords that can be read again (W4).

use zeroize::Zeroizing;

use crate::{
    crypto::encryption::{self, Cipher},
    error::Result,
    secret::Secret,
};

/// Under a key of its own that comes of the configured one, if there is one.
pub(crate) struct PasswordCipher(Option<Cipher>);

impl PasswordCipher {
    pub(crate) fn new(encryption_key: Option<&Secret>) -> Result<Self> {
        let Some(key) = encryption_key else {
            return Ok(Self(None));
        };
        Cipher::new(&*encryption::derive(key, b"app passwords")?).map(|cipher| Self(Some(cipher)))
    }

    /// Nothing without an encryption key: it is never kept in clear.
    pub(crate) fn seal(&self, id: &str, code: &str) -> Result<Option<Vec<u8>>> {
        let cipher = self.0.as_ref();
        cipher
            .map(|cipher| cipher.seal(id.as_bytes(), code.as_bytes()))
            .transpose()
    }

    /// None when it was sealed under another key, or for another app password.
    pub(crate) fn open(&self, id: &str, sealed: &[u8]) -> Option<Zeroizing<String>> {
        let opened = self.0.as_ref()?.open(id.as_bytes(), sealed)?;
        let text = str::from_utf8(&opened).ok()?;
        Some(Zeroizing::new(text.to_owned()))
    }
}
