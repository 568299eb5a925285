//! Why a passkey ceremony failed, as values.

use serde::Serialize;

/// Why a passkey ceremony failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum PasskeyFailure {
    /// Passkeys cannot work at this origin, or with this RP id; `get_setup_state` says why.
    Unavailable,
    /// No such ceremony was begun here, or it is over.
    UnknownCeremony,
    /// It was begun more than 5 minutes ago.
    ExpiredCeremony,
    /// Its challenge was used before.
    SpentChallenge,
    /// The ceremony is of another kind.
    WrongKind,
    /// The ceremony is another user's or another session's.
    WrongUser,
    /// The response is no JSON of WebAuthn, or not whole.
    Malformed,
    /// The client data is of another type.
    WrongType,
    /// The client data has another challenge.
    WrongChallenge,
    /// The client was at another origin.
    WrongOrigin,
    /// The client was in a frame of another origin.
    CrossOrigin,
    /// The authenticator answered for another RP id.
    WrongRpId,
    /// Nobody touched the authenticator.
    UserNotPresent,
    /// The authenticator did not verify its user.
    UserNotVerified,
    /// The signature is wrong.
    BadSignature,
    /// The key is of an algorithm that was not asked for, or not of the type, curve or size that this algorithm has.
    UnsupportedAlgorithm,
    /// The attestation says that there is none, and has a statement. Other statements are not looked at.
    BadAttestation,
    /// The flags of backup contradict each other.
    WrongBackupFlags,
    /// The client made a credential that cannot be found without a user name.
    NotDiscoverable,
    /// This credential is registered already.
    CredentialTaken,
    /// There is no such credential, or it is of another RP id.
    UnknownCredential,
    /// The response has no user handle, or another user's.
    WrongUserHandle,
    /// The signature counter went back, and the settings refuse that.
    CounterWentBack,
    /// The passkey began or ceased to be something that may be backed up, and the settings refuse that.
    BackupEligibilityChanged,
}
