use serde::{Deserialize, Serialize};

use crate::{PrivateKey, base64url};

/// A public key credential source: what the authenticator keeps for each registration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Credential {
    /// The relying party it is for.
    pub rp_id: String,
    /// The credential id.
    #[serde(with = "base64url")]
    pub id: Vec<u8>,
    /// The user handle, `user.id` of the options.
    #[serde(with = "base64url")]
    pub user_handle: Vec<u8>,
    /// `user.name` of the options.
    pub user_name: String,
    /// `user.displayName` of the options.
    pub user_display_name: String,
    /// Whether it is found without being listed: `residentKey` was required or preferred.
    pub discoverable: bool,
    /// The signature counter, as it was sent last.
    pub counter: u32,
    /// Whether it may be and is backed up.
    pub backup: Backup,
    /// The key it signs with.
    pub private_key: PrivateKey,
}

/// The backup eligibility and backup state of a credential.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Backup {
    /// A device-bound key: neither flag.
    #[default]
    NotEligible,
    /// It may be backed up and is not: only the flag BE.
    Eligible,
    /// A synced passkey: BE and BS.
    BackedUp,
}
