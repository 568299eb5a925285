mod names;

use crate::CeremonyError;

pub use names::{SPOILS, SpoilName};

/// What is wrong with a response. The default is nothing.
///
/// Client data and authenticator data are spoiled before they are signed, and the private key signs what is sent: so a
/// relying party that does not check the spoiled thing finds nothing else to complain of. Fields may be combined. A field
/// that means nothing in a ceremony, such as `user_handle` in a registration, is refused rather than passed over.
///
/// ```
/// use keyplate_testkit::Spoil;
///
/// let spoil = Spoil { origin: Some("https://evil.example".to_owned()), ..Spoil::default() };
/// assert_eq!(spoil, "origin=https://evil.example".parse()?);
/// # Ok::<(), keyplate_testkit::CeremonyError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Spoil {
    /// The origin in the client data. The browser's own checks are made with the true one.
    pub origin: Option<String>,
    /// The challenge in the client data.
    pub challenge: Option<Vec<u8>>,
    /// The type in the client data, such as `webauthn.get` in a registration.
    pub client_data_type: Option<String>,
    /// Whether the client data says that the ceremony ran in a frame of another origin.
    pub cross_origin: bool,
    /// The origin of the page around that frame. WebAuthn has it only with `cross_origin`.
    pub top_origin: Option<String>,
    /// The whole of `clientDataJSON`, in place of everything above.
    pub client_data: Option<Vec<u8>>,

    /// The RP id whose hash is in the authenticator data.
    pub rp_id: Option<String>,
    /// Clears the flag UP.
    pub no_user_presence: bool,
    /// Clears the flag UV.
    pub no_user_verification: bool,
    /// Sets or clears the flag BE.
    pub backup_eligible: Option<bool>,
    /// Sets or clears the flag BS.
    pub backup_state: Option<bool>,
    /// All eight flags at once, in place of the four above.
    pub flags: Option<u8>,
    /// The signature counter that is sent; the authenticator's own stays as it would be.
    pub counter: Option<u32>,
    /// Bytes behind the authenticator data.
    pub trailing_bytes: Vec<u8>,
    /// How many bytes are cut off the end of the authenticator data.
    pub truncated: usize,

    /// The credential id, everywhere it is sent. The authenticator's own stays as it is.
    pub credential_id: Option<Vec<u8>>,
    /// Only `rawId`: `id` and what is signed stay.
    pub raw_id: Option<Vec<u8>>,
    /// `type` of the credential, in place of `public-key`.
    pub credential_type: Option<String>,

    /// Registration: a key of the authenticator's algorithm though the options do not offer it. Refused when they do.
    pub unoffered_algorithm: bool,
    /// Registration: another public key.
    pub public_key: Option<PublicKeySpoil>,
    /// Registration: authenticator data without a credential.
    pub no_attested_credential_data: bool,
    /// Registration: another attestation than `none`.
    pub attestation: Option<AttestationSpoil>,
    /// Registration: bytes behind the attestation object.
    pub attestation_trailing_bytes: Vec<u8>,

    /// Authentication: the newest credential for the RP id that `allowCredentials` does not list or, when that is empty,
    /// that is not discoverable.
    pub unlisted_credential: bool,
    /// Authentication: another user handle.
    pub user_handle: Option<UserHandleSpoil>,
    /// Authentication: another signature.
    pub signature: Option<SignatureSpoil>,
}

/// What is wrong with the public key of a registration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PublicKeySpoil {
    /// `alg` is this number; the rest of the key stays.
    Algorithm(i64),
    /// The point is not on the curve; for Ed25519, the key is a byte short; for RSA, the exponent is.
    OffCurve,
    /// The last coordinate is missing.
    Incomplete,
    /// In its place are bytes that are no CBOR.
    NotCbor,
    /// In its place is an RSA key of 3,072 bits, called RS256.
    Rsa3072,
}

/// How a registration is attested, other than by `none`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AttestationSpoil {
    /// `packed` self attestation, with a good signature.
    SelfSigned,
    /// `packed` self attestation, with the signature of another key.
    BadlySigned,
    /// A format that nobody knows.
    UnknownFormat,
    /// `none`, with a statement, which it may not have.
    NoneWithStatement,
    /// `packed` in the shape of a security key's: with a certificate, which no parser would take for one. In the shapes
    /// below there is nothing either that could be verified.
    Certified,
    /// `tpm`, as Windows Hello sends it.
    Tpm,
    /// `android-safetynet`, as older telephones send it.
    SafetyNet,
    /// `android-key`.
    AndroidKey,
    /// `apple`.
    Apple,
    /// `fido-u2f`, as older security keys send it.
    FidoU2f,
    /// `compound`, whose statement is a list.
    Compound,
}

/// What is wrong with the user handle of an authentication.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum UserHandleSpoil {
    /// It is left out.
    Removed,
    /// It is another.
    Replaced(Vec<u8>),
}

/// What is wrong with the signature of an authentication.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignatureSpoil {
    /// One bit is flipped.
    Corrupted,
    /// It is another key's.
    OtherKey,
    /// It is empty.
    Empty,
}

impl Spoil {
    /// Refuses what means nothing in a registration.
    pub(crate) fn check_registration(&self) -> Result<(), CeremonyError> {
        refuse([
            ("unlisted-credential", self.unlisted_credential),
            ("user-handle", self.user_handle.is_some()),
            ("signature", self.signature.is_some()),
        ])
    }

    /// Refuses what means nothing in an authentication.
    pub(crate) fn check_authentication(&self) -> Result<(), CeremonyError> {
        refuse([
            ("unoffered-algorithm", self.unoffered_algorithm),
            ("public-key", self.public_key.is_some()),
            (
                "no-attested-credential-data",
                self.no_attested_credential_data,
            ),
            ("attestation", self.attestation.is_some()),
            (
                "attestation-trailing-bytes",
                !self.attestation_trailing_bytes.is_empty(),
            ),
        ])
    }
}

fn refuse<const N: usize>(fields: [(&str, bool); N]) -> Result<(), CeremonyError> {
    match fields.into_iter().find(|(_, set)| *set) {
        Some((name, _)) => {
            let text = format!("{name} means nothing in this ceremony");
            Err(CeremonyError::Spoil(text))
        }
        None => Ok(()),
    }
}
