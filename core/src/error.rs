//! The one error of the library, the one table of its numbers, and how both are made.

mod codes;
mod passkeys;
mod reasons;
mod words;

use std::time::Duration;

use serde::Serialize;

pub use codes::ErrorCode;
pub use passkeys::PasskeyFailure;
pub use reasons::{
    ConfigurationReason, ConflictReason, DenialReason, InputReason, SignupRefusal, Thing,
};

/// What went wrong, told apart by what the caller can do about it.
///
/// The message (`Display`) is for logs and developers: lower case, without personal data and without
/// secrets. `code` is the same number on every face.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Error), uniffi::export(Display))]
#[non_exhaustive]
pub enum KeyplateError {
    /// A value breaks a rule; nothing was changed.
    InvalidInput {
        /// The field, as it is named in the input record or the method.
        field: String,
        /// The rule that it breaks.
        reason: InputReason,
    },
    /// There is no such thing, or it is not for the caller to know of.
    NotFound {
        /// The kind of thing.
        what: Thing,
    },
    /// The call contradicts what is stored: a name is taken, or the last administrator would be gone.
    Conflict {
        /// What stands in the way.
        what: ConflictReason,
        /// The field whose value it is about, if it is about one.
        field: Option<String>,
    },
    /// The configuration given to `open` cannot work.
    Configuration {
        /// The field of `Config`.
        option: String,
        /// What is wrong with it.
        reason: ConfigurationReason,
    },
    /// The credential is unknown, expired, revoked or malformed.
    InvalidCredential,
    /// The caller is known, but may not do this.
    PermissionDenied {
        /// What is missing.
        reason: DenialReason,
    },
    /// A fresh sign-in is needed first.
    StepUpRequired,
    /// A passkey ceremony failed. Its challenge is spent: begin again.
    PasskeyCeremonyFailed {
        /// Why.
        reason: PasskeyFailure,
    },
    /// The account waits for approval.
    AccountPending,
    /// The account is disabled.
    AccountDisabled,
    /// The account has lapsed.
    AccountExpired,
    /// Somebody has claimed this instance already.
    SetupAlreadyClaimed,
    /// Setup is over.
    SetupAlreadyComplete,
    /// Sign-up is not open to this person.
    SignupRefused {
        /// Why.
        reason: SignupRefusal,
    },
    /// Too many wrong tries, or too many accounts, from one place.
    RateLimited {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Another writer held the database for longer than the busy time-out. Try again.
    Busy,
    /// The disk is full. Nothing was changed; it works again when there is room.
    StorageFull {
        /// What could not be written: the database, or what the call was to write.
        path: String,
    },
    /// The database file or its folder cannot be written.
    StorageReadOnly {
        /// What could not be written.
        path: String,
    },
    /// The operating system refused to read or write.
    StorageFailed {
        /// What could not be read or written: the database, a file beside it, or its folder.
        path: String,
        /// What happened, in words.
        reason: String,
    },
    /// The database file, or a file that belongs to it, was removed or replaced while it was open. Open it again.
    StorageLost {
        /// What is no longer there.
        path: String,
    },
    /// The file is damaged. It is left as it is; restore a back-up.
    CorruptDatabase {
        /// What was found.
        reason: String,
    },
    /// The file belongs to another application, or is no database.
    ForeignDatabase {
        /// What was found.
        reason: String,
    },
    /// A newer version of the library has upgraded this file.
    SchemaTooNew {
        /// The file's schema.
        found: i64,
        /// The newest schema that this library knows.
        known: i64,
    },
    /// The clock is more than five minutes behind the time of the last change, so that no access token can be issued or
    /// verified: other programs would read its times otherwise. Set the clock right; if it is, call `reset_clock`.
    ClockBehind {
        /// How far.
        seconds: i64,
    },
    /// The process was forked while this handle was in use and without `before_fork`. Open again.
    ForkedHandle,
    /// A defect of this library or of a callback. The call changed nothing.
    Internal {
        /// For a bug report.
        reason: String,
    },
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
    /// Returns the stable number, which is the same on every face.
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
            Self::StorageFull { .. } => ErrorCode::StorageFull,
            Self::StorageReadOnly { .. } => ErrorCode::StorageReadOnly,
            Self::StorageFailed { .. } => ErrorCode::StorageFailed,
            Self::StorageLost { .. } => ErrorCode::StorageLost,
            Self::CorruptDatabase { .. } => ErrorCode::CorruptDatabase,
            Self::ForeignDatabase { .. } => ErrorCode::ForeignDatabase,
            Self::SchemaTooNew { .. } => ErrorCode::SchemaTooNew,
            Self::ClockBehind { .. } => ErrorCode::ClockBehind,
            Self::ForkedHandle => ErrorCode::ForkedHandle,
            Self::Internal { .. } => ErrorCode::Internal,
        }
    }

    /// Returns the HTTP status that says the same, for example 404 for `NotFound`.
    pub fn http_status(&self) -> i64 {
        self.code().http_status()
    }

    /// Returns the code of the reason, if the error has one: `too_long`, `last_administrator`, `missing_scope`. It never
    /// changes.
    pub fn reason_code(&self) -> Option<String> {
        let reason = self.reason_value()?;
        reason["code"].as_str().map(str::to_owned)
    }

    /// Returns the reason as JSON, if the error has one: its `code` and its numbers and names, such as
    /// `{"code":"too_long","most":50}`. From it, a page can say what is wrong in any language.
    pub fn reason_json(&self) -> Option<String> {
        Some(self.reason_value()?.to_string())
    }

    /// Returns the field of the input that is at fault, if one is.
    pub fn field(&self) -> Option<String> {
        match self {
            Self::InvalidInput { field, .. } => Some(field.clone()),
            Self::Configuration { option, .. } => Some(option.clone()),
            Self::Conflict { field, .. } => field.clone(),
            _ => None,
        }
    }

    /// Returns how long to wait before trying again, if waiting helps.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy => Some(Duration::from_secs(1)),
            Self::RateLimited { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// Returns why a passkey ceremony failed, if one did.
    pub fn passkey_failure(&self) -> Option<PasskeyFailure> {
        match self {
            Self::PasskeyCeremonyFailed { reason } => Some(*reason),
            _ => None,
        }
    }
}

impl KeyplateError {
    /// The file can be read all the same, and later perhaps be written.
    pub(crate) fn only_stops_writing(&self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::StorageFull { .. }
                | Self::StorageReadOnly { .. }
                | Self::StorageFailed { .. }
        )
    }

    fn reason_value(&self) -> Option<serde_json::Value> {
        fn value(reason: &impl Serialize) -> Option<serde_json::Value> {
            serde_json::to_value(reason).ok()
        }
        match self {
            Self::InvalidInput { reason, .. } => value(reason),
            Self::NotFound { what } => value(what),
            Self::Conflict { what, .. } => value(what),
            Self::Configuration { reason, .. } => value(reason),
            Self::PermissionDenied { reason } => value(reason),
            Self::PasskeyCeremonyFailed { reason } => value(reason),
            Self::SignupRefused { reason } => value(reason),
            _ => None,
        }
    }
}

impl std::error::Error for KeyplateError {}

pub(crate) fn invalid(field: &str, reason: InputReason) -> KeyplateError {
    KeyplateError::InvalidInput {
        field: field.to_owned(),
        reason,
    }
}

pub(crate) fn not_found(what: Thing) -> KeyplateError {
    KeyplateError::NotFound { what }
}

pub(crate) fn conflict(what: ConflictReason) -> KeyplateError {
    KeyplateError::Conflict { what, field: None }
}

/// The setup's generation, which the caller names, is another.
pub(crate) fn other_generation() -> KeyplateError {
    KeyplateError::Conflict {
        what: ConflictReason::OtherGeneration,
        field: Some("generation".to_owned()),
    }
}

/// U1: the address that was proved is not the one that stands there.
pub(crate) fn other_email() -> KeyplateError {
    KeyplateError::Conflict {
        what: ConflictReason::OtherEmail,
        field: Some("email".to_owned()),
    }
}

/// U1: somebody else had this name before.
pub(crate) fn former(field: &str) -> KeyplateError {
    KeyplateError::Conflict {
        what: ConflictReason::Former,
        field: Some(field.to_owned()),
    }
}

/// Another has this value.
pub(crate) fn taken(field: &str) -> KeyplateError {
    KeyplateError::Conflict {
        what: ConflictReason::Taken,
        field: Some(field.to_owned()),
    }
}

pub(crate) fn denied(reason: DenialReason) -> KeyplateError {
    KeyplateError::PermissionDenied { reason }
}

/// The credential lacks this scope.
pub(crate) fn lacks_scope(scope: impl Into<String>) -> KeyplateError {
    denied(DenialReason::MissingScope {
        scope: scope.into(),
    })
}

pub(crate) fn configuration(option: &str, reason: ConfigurationReason) -> KeyplateError {
    KeyplateError::Configuration {
        option: option.to_owned(),
        reason,
    }
}

pub(crate) fn internal(reason: impl Into<String>) -> KeyplateError {
    KeyplateError::Internal {
        reason: reason.into(),
    }
}

/// What must be there, or else is not found.
pub(crate) trait Found<T> {
    fn or_missing(self, what: Thing) -> Result<T>;
}

impl<T> Found<T> for Option<T> {
    fn or_missing(self, what: Thing) -> Result<T> {
        self.ok_or_else(|| not_found(what))
    }
}
