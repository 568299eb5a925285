//! What looking after a database tells.

use std::time::SystemTime;

/// A back-up that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct BackupReport {
    /// When: what was committed before the call is in it.
    pub made_at: SystemTime,
    /// Its size.
    pub bytes: i64,
}

/// What `check_integrity` found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct IntegrityReport {
    /// Nothing is wrong.
    pub ok: bool,
    /// What is wrong, in SQLite's words; at most 100 lines.
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
    /// Rows of the audit log.
    pub audit_events: i64,
}

/// What there is, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Statistics {
    /// Users who may sign in.
    pub active_users: i64,
    /// Users who signed up and wait for approval.
    pub pending_users: i64,
    /// Users who may not sign in.
    pub disabled_users: i64,
    /// Users whose account has lapsed, and who are not disabled besides.
    pub lapsed_users: i64,
    /// Administrators who may sign in.
    pub administrators: i64,
    /// Groups.
    pub groups: i64,
    /// Services.
    pub services: i64,
    /// Passkeys, also those of a former RP id.
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
    /// The size of the file, with what has not been written into it yet.
    pub bytes: i64,
    /// The schema of the file.
    pub schema: i64,
    /// When the database was made.
    pub created_at: SystemTime,
}
