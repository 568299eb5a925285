#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

mod attestation;
mod authentication;
mod authenticator;
mod authenticator_data;
mod base64url;
mod client;
mod credential;
mod error;
mod key;
mod models;
mod options;
mod registration;
mod spoil;
mod vectors;

pub use authenticator::{Attachment, Authenticator};
pub use credential::{Backup, Credential};
pub use error::CeremonyError;
pub use key::{Algorithm, PrivateKey};
pub use models::{Model, models};
pub use spoil::{
    AttestationSpoil, PublicKeySpoil, SPOILS, SignatureSpoil, Spoil, SpoilName, UserHandleSpoil,
};
pub use vectors::{
    VECTOR_ORIGIN, VECTOR_RP_ID, Vector, VectorAuthentication, VectorRegistration, vectors,
};
