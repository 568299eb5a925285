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
    /// What is wrong, in SQLite's words; at most 100 lines. Of a file that is sound, one line for each name that collides with
    /// an older one.
    pub problems: Vec<String>,
    /// How many names collide. The file is not damaged by them: change one name of each two.
    pub name_collisions: i64,
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
    /// App passwords.
    pub app_passwords: i64,
    /// Rows of the audit log.
    pub audit_events: i64,
}

/// The clock, and the time by which credentials expire.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ClockState {
    /// The time by which credentials expire. It never runs back, and goes on while the clock is behind.
    pub now: SystemTime,
    /// The time that the clock shows, or the host's time source. Never later than `now`.
    pub clock: SystemTime,
    /// How far the clock is behind, in whole seconds. More than 300 stop access tokens.
    pub behind_seconds: i64,
    /// No access token is issued or verified until the clock is right or has been reset.
    pub access_tokens_stopped: bool,
}

/// What `reset_clock` ended, and what it left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ClockResetReport {
    /// How far time was set back, in whole seconds.
    pub behind_seconds: i64,
    /// Sessions that were opened after the new time.
    pub sessions: i64,
    /// Step-ups of other sessions.
    pub step_ups: i64,
    /// One-time tokens, codes and recovery tokens.
    pub one_time_tokens: i64,
    /// Setup tokens.
    pub setup_tokens: i64,
    /// Passkey ceremonies that were under way, but for sign-ins, which are not counted and end too.
    pub ceremonies: i64,
    /// Requests of devices to be signed in, and links by which users add another device.
    pub device_logins: i64,
    /// Counted attempts, such as wrong codes.
    pub attempts: i64,
    /// Former secrets of API keys that were rotated.
    pub api_key_overlaps: i64,
    /// Keys that signed access tokens.
    pub signing_keys: i64,
    /// API keys that were made after the new time and work on.
    pub api_keys_kept: i64,
    /// App passwords that were made after the new time and work on.
    pub app_passwords_kept: i64,
    /// Sign-up tokens that were made after the new time and work on.
    pub signup_tokens_kept: i64,
}

/// What there is, at one moment.
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
    /// App passwords that have not expired.
    pub app_passwords: i64,
    /// Devices that wait to be approved, or to fetch what was.
    pub device_logins: i64,
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
