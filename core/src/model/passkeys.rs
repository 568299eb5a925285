//! Passkeys, and what a ceremony is between its two calls.

use std::time::SystemTime;

use crate::{
    crypto::{encryption::KEY_LEN, webauthn::KnownCredential},
    model::{
        ids::{PasskeyId, SessionId, UserId},
        named::named,
        sessions::SignedIn,
        setup::SetupCompletion,
    },
};

/// A passkey of a user. The private key never leaves their authenticator.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Passkey {
    /// The id.
    pub id: PasskeyId,
    /// The user whose it is.
    pub user_id: UserId,
    /// The credential id by which its authenticator knows it, as base64url.
    pub credential_id: String,
    /// The RP id that it is bound to.
    pub rp_id: String,
    /// The name that its user gave it.
    pub name: String,
    /// The model of the authenticator (AAGUID). It is absent if the authenticator did not tell.
    pub aaguid: Option<String>,
    /// The transports by which the authenticator is reached, for example `internal`, `hybrid` or `usb`.
    pub transports: Vec<String>,
    /// Whether it can be backed up, so that it survives the loss of the device.
    pub backup_eligible: bool,
    /// Whether it is backed up, as far as its authenticator last said. Such a passkey is on all devices of its user.
    pub backup_state: bool,
    /// When its signature counter last went back, which may mean that somebody has a copy of it.
    pub counter_went_back_at: Option<SystemTime>,
    /// When it was registered.
    pub created_at: SystemTime,
    /// When it was last used.
    pub last_used_at: Option<SystemTime>,
    /// When it last began or ceased to be something that may be backed up, as when it moves into a password manager.
    pub backup_eligibility_changed_at: Option<SystemTime>,
    /// Whether it works under the current RP id.
    pub usable: bool,
}

/// What to tell the browser so that its list of passkeys agrees with ours: payloads of the Signal API of WebAuthn
/// Level 3, as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PasskeySignals {
    /// For `signalUnknownCredential`, if the credential that was asked about is not registered.
    pub unknown_credential: Option<String>,
    /// For `signalAllAcceptedCredentials`, if the caller is a user who has had a passkey.
    pub all_accepted_credentials: Option<String>,
    /// For `signalCurrentUserDetails`, in the same case.
    pub current_user_details: Option<String>,
}

/// A passkey as it is stored, for verifying an assertion.
pub(crate) struct StoredPasskey {
    pub(crate) passkey: Passkey,
    pub(crate) known: KnownCredential,
    pub(crate) user_handle: Vec<u8>,
}

/// A ceremony that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PasskeyCeremony {
    /// A short name that tells it from any other one, which `inspect_passkey_answer` reads in its answer: 16 letters,
    /// digits, `-` and `_`. Somebody may have begun several, in as many tabs. Keep each under its `id`, for example as the
    /// end of a cookie's name.
    pub id: String,
    /// The ceremony itself, which is given back with the answer. Keep it with the browser, for example in a cookie.
    pub ceremony: String,
    /// For the browser: the options of WebAuthn Level 3 as JSON, for `parseCreationOptionsFromJSON` or
    /// `parseRequestOptionsFromJSON`, or for what a page does by itself in browsers without these.
    pub options: String,
    /// When the ceremony expires.
    pub expires_at: SystemTime,
}

/// What a browser's answer says of itself, before anything is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PasskeyAnswer {
    /// The `id` of the ceremony that it belongs to.
    pub ceremony_id: String,
    /// The credential id, as base64url.
    pub credential_id: String,
}

/// What is stored of a ceremony that is a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CeremonyKind {
    Registration,
    SignUp,
    StepUp,
}

named!(CeremonyKind {
    Registration = "registration",
    SignUp = "sign_up",
    StepUp = "step_up",
});

/// A ceremony as it is stored.
pub(crate) struct StoredCeremony {
    pub(crate) kind: CeremonyKind,
    /// None for a sign-up: there is nobody yet.
    pub(crate) owner: Option<(UserId, SessionId)>,
    /// Of a sign-up: from where.
    pub(crate) source: Option<String>,
    pub(crate) state: String,
    pub(crate) expires_at: SystemTime,
}

/// A passkey that has just been registered, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PasskeyRegistration {
    /// The passkey.
    pub passkey: Passkey,
    /// The session that replaces the caller's, if that was not opened with a passkey. The former one has ended.
    pub signed_in: Option<SignedIn>,
    /// The API keys that were created before, if this completed setup.
    pub setup: Option<SetupCompletion>,
}

/// A key as it is stored.
pub(crate) struct SealingKey {
    pub(crate) id: i64,
    pub(crate) bytes: [u8; KEY_LEN],
    pub(crate) created_at: SystemTime,
}
