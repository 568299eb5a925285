//! Encryption and randomness, and what other libraries verify for us: passkeys and signed tokens.

pub(crate) mod authenticators;
pub(crate) mod base64url;
pub(crate) mod encryption;
pub(crate) mod jwt;
pub(crate) mod key_cipher;
pub(crate) mod password_cipher;
pub(crate) mod webauthn;
