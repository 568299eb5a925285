use std::time::Duration;

/// What went wrong, told apart by what the caller can do about it.
///
/// The message (`Display`) is for logs and developers: lower case, without personal data and without
/// secrets. `code` is the same number on every face.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Error), uniffi::export(Display))]
#[non_exhaustive]
pub enum KeyplateError {
    /// A value breaks a rule; nothing was changed.
    #[error("invalid {field}: {reason}")]
    InvalidInput {
        /// The field, as it is named in the input record or the method.
        field: String,
        /// The rule that it breaks.
        reason: String,
    },
    /// There is no such thing, or it is not for the caller to know of.
    #[error("no such {what}")]
    NotFound {
        /// The kind of thing, for example `user`.
        what: String,
    },
    /// The call contradicts what is stored: a name is taken, the last administrator would go.
    #[error("conflict: {what}")]
    Conflict {
        /// The field whose value is taken, or the state that stands in the way.
        what: String,
    },
    /// The configuration given to `open` cannot work.
    #[error("configuration of {option}: {reason}")]
    Configuration {
        /// The field of `Config`.
        option: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The credential is unknown, expired, revoked or malformed.
    #[error("invalid credential")]
    InvalidCredential,
    /// The caller is known and may not do this.
    #[error("permission denied: {reason}")]
    PermissionDenied {
        /// What is missing.
        reason: String,
    },
    /// A fresh sign-in is wanted first (P5).
    #[error("step-up required")]
    StepUpRequired,
    /// A passkey ceremony failed. Its challenge is spent: begin again.
    #[error("passkey ceremony failed: {}", reason.message())]
    PasskeyCeremonyFailed {
        /// Why.
        reason: PasskeyFailure,
    },
    /// The account waits for approval.
    #[error("the account is pending")]
    AccountPending,
    /// The account is disabled.
    #[error("the account is disabled")]
    AccountDisabled,
    /// The account has lapsed.
    #[error("the account has expired")]
    AccountExpired,
    /// Somebody has claimed this instance already.
    #[error("setup already claimed")]
    SetupAlreadyClaimed,
    /// Setup is over.
    #[error("setup already complete")]
    SetupAlreadyComplete,
    /// Sign-up is not open to this person.
    #[error("sign-up refused: {reason}")]
    SignupRefused {
        /// What is wanted.
        reason: String,
    },
    /// Too many wrong tries, or too many accounts, from one place.
    #[error("too many tries")]
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Another writer held the database for longer than the busy time-out. Try again.
    #[error("the database is busy")]
    Busy,
    /// The disk is full. Nothing was changed; it works again when there is room.
    #[error("the disk is full")]
    StorageFull,
    /// The database file or its folder cannot be written.
    #[error("the database is read-only")]
    StorageReadOnly,
    /// The operating system refused to read or write.
    #[error("storage failed: {reason}")]
    StorageFailed {
        /// In words, without paths.
        reason: String,
    },
    /// The database file was removed or replaced while it was open. Open it again.
    #[error("the database file was removed or replaced")]
    StorageLost,
    /// The file is damaged. It is left as it is; restore a back-up.
    #[error("the database is corrupt: {reason}")]
    CorruptDatabase {
        /// What was found.
        reason: String,
    },
    /// The file belongs to another application, or is no database.
    #[error("not a keyplate database: {reason}")]
    ForeignDatabase {
        /// What was found.
        reason: String,
    },
    /// A newer version of the library has upgraded this file.
    #[error("the database has schema {found}, this library knows {known}")]
    SchemaTooNew {
        /// The file's schema.
        found: u32,
        /// The newest one that this library knows.
        known: u32,
    },
    /// The process was forked while this handle was in use and without `before_fork` (D4). Open again.
    #[error("the handle was forked while in use")]
    ForkedHandle,
    /// A defect of this library or of a callback. The call changed nothing.
    #[error("internal error: {reason}")]
    Internal {
        /// For a bug report.
        reason: String,
    },
}

/// Why a passkey ceremony failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// The key is of an algorithm that was not asked for.
    UnsupportedAlgorithm,
    /// The attestation is wrong, or of an unknown format.
    BadAttestation,
    /// The flags of backup contradict each other or what was registered.
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
}

impl PasskeyFailure {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Unavailable => "passkeys cannot work here",
            Self::UnknownCeremony => "no such ceremony",
            Self::ExpiredCeremony => "the ceremony has expired",
            Self::SpentChallenge => "the challenge was used before",
            Self::WrongKind => "the ceremony is of another kind",
            Self::WrongUser => "the ceremony is somebody else's",
            Self::Malformed => "the response is malformed",
            Self::WrongType => "the client data is of another type",
            Self::WrongChallenge => "another challenge",
            Self::WrongOrigin => "another origin",
            Self::CrossOrigin => "in a frame of another origin",
            Self::WrongRpId => "another RP id",
            Self::UserNotPresent => "the user was not present",
            Self::UserNotVerified => "the user was not verified",
            Self::BadSignature => "the signature is wrong",
            Self::UnsupportedAlgorithm => "the algorithm was not asked for",
            Self::BadAttestation => "the attestation is wrong or of an unknown format",
            Self::WrongBackupFlags => "the backup flags are inconsistent",
            Self::NotDiscoverable => "the credential is not discoverable",
            Self::CredentialTaken => "the credential is registered already",
            Self::UnknownCredential => "unknown credential",
            Self::WrongUserHandle => "the user handle does not match",
            Self::CounterWentBack => "the signature counter went back",
        }
    }
}

impl From<PasskeyFailure> for KeyplateError {
    fn from(reason: PasskeyFailure) -> Self {
        Self::PasskeyCeremonyFailed { reason }
    }
}

/// Shorthand.
pub type Result<T, E = KeyplateError> = std::result::Result<T, E>;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl KeyplateError {
    /// The stable number, the same on every face.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidInput { .. } => ErrorCode::InvalidInput,
            Self::NotFound { .. } => ErrorCode::NotFound,
            Self::Conflict { .. } => ErrorCode::Conflict,
            Self::Configuration { .. } => ErrorCode::Configuration,
            Self::InvalidCredential => ErrorCode::InvalidCredential,
            Self::PermissionDenied { .. } => ErrorCode::PermissionDenied,
            Self::StepUpRequired => ErrorCode::StepUpRequired,
            Self::PasskeyCeremonyFailed { .. } => ErrorCode::PasskeyCeremonyFailed,
            Self::AccountPending => ErrorCode::AccountPending,
            Self::AccountDisabled => ErrorCode::AccountDisabled,
            Self::AccountExpired => ErrorCode::AccountExpired,
            Self::SetupAlreadyClaimed => ErrorCode::SetupAlreadyClaimed,
            Self::SetupAlreadyComplete => ErrorCode::SetupAlreadyComplete,
            Self::SignupRefused { .. } => ErrorCode::SignupRefused,
            Self::RateLimited { .. } => ErrorCode::RateLimited,
            Self::Busy => ErrorCode::Busy,
            Self::StorageFull => ErrorCode::StorageFull,
            Self::StorageReadOnly => ErrorCode::StorageReadOnly,
            Self::StorageFailed { .. } => ErrorCode::StorageFailed,
            Self::StorageLost => ErrorCode::StorageLost,
            Self::CorruptDatabase { .. } => ErrorCode::CorruptDatabase,
            Self::ForeignDatabase { .. } => ErrorCode::ForeignDatabase,
            Self::SchemaTooNew { .. } => ErrorCode::SchemaTooNew,
            Self::ForkedHandle => ErrorCode::ForkedHandle,
            Self::Internal { .. } => ErrorCode::Internal,
        }
    }

    /// The field of the input that is at fault, where one is.
    pub fn field(&self) -> Option<String> {
        match self {
            Self::InvalidInput { field, .. } => Some(field.clone()),
            Self::Configuration { option, .. } => Some(option.clone()),
            Self::Conflict { what } => Some(what.clone()),
            _ => None,
        }
    }

    /// How long to wait before trying again, where waiting helps.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy => Some(Duration::from_secs(1)),
            Self::RateLimited { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// Why a passkey ceremony failed, where one did.
    pub fn passkey_failure(&self) -> Option<PasskeyFailure> {
        match self {
            Self::PasskeyCeremonyFailed { reason } => Some(*reason),
            _ => None,
        }
    }
}

/// The one table of error codes, for all faces. A number is never used again.
///
/// 1–99 the input; 100–199 who is asking; 200–299 setup and sign-up; 500–599 storage; 900–999 the library.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum ErrorCode {
    /// No error.
    Ok = 0,
    /// A value breaks a rule.
    InvalidInput = 1,
    /// There is no such thing.
    NotFound = 2,
    /// The call contradicts what is stored.
    Conflict = 3,
    /// The configuration cannot work.
    Configuration = 4,
    /// The credential is unknown, expired, revoked or malformed.
    InvalidCredential = 100,
    /// The caller may not do this.
    PermissionDenied = 101,
    /// A fresh sign-in is wanted first.
    StepUpRequired = 102,
    /// A passkey ceremony failed.
    PasskeyCeremonyFailed = 103,
    /// The account waits for approval.
    AccountPending = 110,
    /// The account is disabled.
    AccountDisabled = 111,
    /// The account has lapsed.
    AccountExpired = 112,
    /// Somebody has claimed this instance already.
    SetupAlreadyClaimed = 200,
    /// Setup is over.
    SetupAlreadyComplete = 201,
    /// Sign-up is not open to this person.
    SignupRefused = 210,
    /// Too many tries.
    RateLimited = 220,
    /// Another writer held the database too long.
    Busy = 500,
    /// The disk is full.
    StorageFull = 501,
    /// The database cannot be written.
    StorageReadOnly = 502,
    /// The operating system refused.
    StorageFailed = 503,
    /// The file was removed or replaced.
    StorageLost = 504,
    /// The file is damaged.
    CorruptDatabase = 510,
    /// The file is not ours.
    ForeignDatabase = 511,
    /// The file is newer than this library.
    SchemaTooNew = 512,
    /// The handle was forked while in use.
    ForkedHandle = 520,
    /// A defect.
    Internal = 990,
}

pub(crate) fn invalid(field: &str, reason: impl Into<String>) -> KeyplateError {
    KeyplateError::InvalidInput {
        field: field.to_owned(),
        reason: reason.into(),
    }
}

pub(crate) fn not_found(what: &str) -> KeyplateError {
    KeyplateError::NotFound {
        what: what.to_owned(),
    }
}

pub(crate) fn conflict(what: &str) -> KeyplateError {
    KeyplateError::Conflict {
        what: what.to_owned(),
    }
}

pub(crate) fn denied(reason: &str) -> KeyplateError {
    KeyplateError::PermissionDenied {
        reason: reason.to_owned(),
    }
}

pub(crate) fn internal(reason: impl Into<String>) -> KeyplateError {
    KeyplateError::Internal {
        reason: reason.into(),
    }
}

pub(crate) fn configuration(option: &str, reason: &str) -> KeyplateError {
    KeyplateError::Configuration {
        option: option.to_owned(),
        reason: reason.to_owned(),
    }
}

/// What must be there, or else is not found.
pub(crate) trait Found<T> {
    fn or_missing(self, what: &str) -> Result<T>;
}

impl<T> Found<T> for Option<T> {
    fn or_missing(self, what: &str) -> Result<T> {
        self.ok_or_else(|| not_found(what))
    }
}
