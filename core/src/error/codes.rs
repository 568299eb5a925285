//! The one table of error codes, and the HTTP status of each.

/// The one table of error codes, for all faces. A number is never used again.
///
/// 1–99 the input; 100–199 who is asking; 200–299 setup and sign-up; 500–599 storage and the machine; 900–999 the library.
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
    /// A fresh sign-in is needed first.
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
    /// The clock is behind the time of the last change.
    ClockBehind = 530,
    /// A defect.
    Internal = 990,
}

impl ErrorCode {
    /// The status by which HTTP says the same (RFC 9110, section 15; RFC 6585, section 4).
    pub fn http_status(self) -> i64 {
        match self {
            Self::Ok => 200,
            Self::InvalidInput | Self::PasskeyCeremonyFailed => 400,
            Self::InvalidCredential => 401,
            Self::PermissionDenied
            | Self::StepUpRequired
            | Self::AccountPending
            | Self::AccountDisabled
            | Self::AccountExpired
            | Self::SignupRefused => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::SetupAlreadyClaimed | Self::SetupAlreadyComplete => 409,
            Self::RateLimited => 429,
            Self::Busy
            | Self::StorageFull
            | Self::StorageReadOnly
            | Self::StorageFailed
            | Self::StorageLost
            | Self::CorruptDatabase
            | Self::ForeignDatabase
            | Self::SchemaTooNew
            | Self::ForkedHandle
            | Self::ClockBehind => 503,
            Self::Configuration | Self::Internal => 500,
        }
    }
}
