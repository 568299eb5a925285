#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod authentication;
mod authenticator;
mod authenticator_data;
mod base64url;
mod client;
mod credential;
mod error;
mod key;
mod options;
mod registration;
mod spoil;

pub use authenticator::{Attachment, Authenticator};
pub use credential::{Backup, Credential};
pub use error::CeremonyError;
pub use key::{Algorithm, PrivateKey};
pub use spoil::{
    AttestationSpoil, PublicKeySpoil, SPOILS, SignatureSpoil, Spoil, SpoilName, UserHandleSpoil,
};
