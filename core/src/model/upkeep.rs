//! The results of maintaining a database.

use std::time::SystemTime;

/// A back-up that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct BackupReport {
    /// When it was made. Everything that was committed before the call is in it.
    pub made_at: SystemTime,
    /// Its size in bytes.
    pub bytes: i64,
}

/// What `check_integrity` found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct IntegrityReport {
    /// Whether the file is sound.
    pub ok: bool,
    /// What is wrong, in SQLite's words, in at most 100 lines.
    pub problems: Vec<String>,
}

/// What `purge_expired` removed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PurgeReport {
    /// Sessions.
    pub sessions: i64,
    /// API keys.
    pub api_keys: i64,
    /// One-time tokens.
    pub one_time_tokens: i64,
}

/// How much there is of everything, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Statistics {
    /// Users who may sign in.
    pub active_users: i64,
    /// Users who signed up and wait for approval.
    pub pending_users: i64,
    /// Users who are disabled.
    pub disabled_users: i64,
    /// Users whose account has lapsed, and who are not disabled as well.
    pub lapsed_users: i64,
    /// Administrators who may sign in.
    pub administrators: i64,
    /// Groups.
    pub groups: i64,
    /// Services.
    pub services: i64,
    /// Passkeys, including those of a former RP id.
    pub passkeys: i64,
    /// Sessions that have neither ended nor expired.
    pub sessions: i64,
    /// API keys that are neither revoked nor expired.
    pub api_keys: i64,
    /// Sign-up tokens that work.
    pub signup_tokens: i64,
    /// One-time tokens and codes that work.
    pub one_time_tokens: i64,
    /// Rows of the audit log.
    pub audit_events: i64,
    /// The size of the file in bytes, including what is still in its `-wal` file.
    pub bytes: i64,
    /// The number of the file's schema.
    pub schema: i64,
    /// When the database was created.
    pub created_at: SystemTime,
}
