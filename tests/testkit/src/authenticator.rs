use serde::{Deserialize, Serialize};

use crate::{Algorithm, Backup, Credential};

/// An authenticator and the browser in front of it.
///
/// The fields may be set at any time; they rule what is registered from then on, save `counts`, `verifies_user` and
/// `attachment`, which rule authentications too. With serde it goes to JSON and back. A clone is a cloned
/// authenticator: it has the same keys, and counters as they stand.
///
/// ```
/// use keyplate_testkit::{Authenticator, Backup};
///
/// let phone = Authenticator {
///     backup: Backup::BackedUp,
///     counts: false,
///     ..Authenticator::new()
/// };
/// assert!(phone.credentials.is_empty());
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Authenticator {
    /// The model. It is sent unchanged, as passkey providers do with attestation `none` too.
    pub aaguid: [u8; 16],
    /// The algorithm it supports.
    pub algorithm: Algorithm,
    /// Whether it is part of the device.
    pub attachment: Attachment,
    /// What `getTransports()` gives, such as `internal` and `hybrid`.
    pub transports: Vec<String>,
    /// Whether it can verify the user by biometrics or a PIN. Then it always does.
    pub verifies_user: bool,
    /// Whether new credentials may be and are backed up.
    pub backup: Backup,
    /// Whether counters rise with every authentication. Otherwise they stay, at 0 unless they are set.
    pub counts: bool,
    /// Origins beyond an RP id's own domain that the browser takes for it, as if its `/.well-known/webauthn` listed them.
    pub related_origins: Vec<String>,
    /// What it holds, the oldest first.
    pub credentials: Vec<Credential>,
}

/// How an authenticator is connected.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attachment {
    /// Part of the device, or a password manager on it.
    #[default]
    Platform,
    /// A security key or a phone.
    CrossPlatform,
}

impl Attachment {
    /// The value of WebAuthn's enumeration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::CrossPlatform => "cross-platform",
        }
    }
}

impl Authenticator {
    /// A device-bound platform authenticator that counts, verifies the user, supports ES256 and holds nothing.
    pub fn new() -> Self {
        Self {
            aaguid: [0; 16],
            algorithm: Algorithm::default(),
            attachment: Attachment::default(),
            transports: vec!["internal".to_owned()],
            verifies_user: true,
            backup: Backup::default(),
            counts: true,
            related_origins: Vec::new(),
            credentials: Vec::new(),
        }
    }
}

impl Default for Authenticator {
    fn default() -> Self {
        Self::new()
    }
}
