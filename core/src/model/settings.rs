//! What an administrator can set while the application runs, and the defaults.

use crate::model::{claims::Claim, ids::GroupId, named::named};

pub(crate) const DAY: i64 = 24 * 3_600;

/// What an administrator can set while the application runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Settings {
    /// The name by which people know the application.
    pub app_name: String,
    /// Who may sign up.
    pub signup_mode: SignupMode,
    /// Whether an administrator has to approve people who sign up, unless a token says otherwise.
    pub signup_approval: bool,
    /// The groups of everybody who signs up, in addition to those of their token.
    pub default_group_ids: Vec<GroupId>,
    /// How many accounts one address may open in an hour while sign-up is open to everybody.
    pub open_signups_per_hour: i64,
    /// How many accounts all addresses together may open in an hour while sign-up is open.
    pub open_signups_per_hour_in_all: i64,
    /// The domains whose addresses may sign up without a token. Since nobody has proved that the address is theirs, they
    /// always wait for approval. If it is empty, every domain may.
    pub signup_email_domains: Vec<String>,
    /// Whether users may change their own username.
    pub username_change: bool,
    /// After how many seconds without use a session ends.
    pub session_idle_seconds: i64,
    /// After how many seconds a session ends in any case.
    pub session_lifetime_seconds: i64,
    /// For how many seconds a sign-in counts as fresh, which sensitive actions require.
    pub step_up_seconds: i64,
    /// What to do when the signature counter of a passkey goes back.
    pub counter_policy: CounterPolicy,
    /// Where people reach the application, as the host told by `remember_origin`; nobody else changes it.
    pub origin: Option<String>,
    /// For how many seconds `purge_expired` keeps rows of the audit log.
    pub audit_retention_seconds: i64,
    /// What to do when a passkey begins or ceases to be something that may be backed up.
    pub backup_eligibility_policy: BackupEligibilityPolicy,
    /// Whether every new account needs an e-mail address, and nobody's is taken away.
    pub require_email: bool,
    /// Whether users may change their own names, locale and e-mail address. Administrators always may.
    pub own_profile: bool,
    /// The claims of everybody who signs up, in addition to those of their token. A token's claim of the same name holds.
    pub default_claims: Vec<Claim>,
    /// Whether an address that an administrator or the host gives counts as verified without their saying so.
    pub emails_verified: bool,
}

/// What to do when the signature counter of a passkey goes back, which may mean that there is a copy of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum CounterPolicy {
    /// Record it on the passkey and in the audit log, and sign the user in.
    #[default]
    Record,
    /// Record it and refuse the sign-in.
    Deny,
}

named!(CounterPolicy {
    Record = "record",
    Deny = "deny",
});

/// What to do when a passkey begins or ceases to be something that may be backed up. Password managers do that to passkeys
/// that move into them or are edited there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum BackupEligibilityPolicy {
    /// Note it on the passkey and in the audit log, and sign the user in.
    #[default]
    Record,
    /// Note it and refuse.
    Deny,
}

named!(BackupEligibilityPolicy {
    Record = "record",
    Deny = "deny",
});

/// Who may sign up. The mode decides before anything else is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum SignupMode {
    /// Nobody. Administrators create the users.
    #[default]
    Disabled,
    /// People who have a sign-up token.
    WithToken,
    /// Everybody.
    Open,
}

named!(SignupMode {
    Disabled = "disabled",
    WithToken = "with_token",
    Open = "open",
});

/// The settings that everybody may see.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PublicSettings {
    /// The name by which people know the application.
    pub app_name: String,
    /// Who may sign up.
    pub signup_mode: SignupMode,
    /// Whether users may change their own username.
    pub username_change: bool,
    /// Whether every new account needs an e-mail address.
    pub require_email: bool,
    /// Whether users may change their own names, locale and e-mail address.
    pub own_profile: bool,
}

/// Changes to the settings. What is left out stays the same. Groups, claims and domains have methods of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SettingsChanges {
    /// The name by which people know the application: 1 to 100 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub app_name: Option<String>,
    /// Who may sign up.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub signup_mode: Option<SignupMode>,
    /// Whether an administrator has to approve people who sign up.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub signup_approval: Option<bool>,
    /// How many accounts one address may open in an hour while sign-up is open to everybody: 1 to 1000.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub open_signups_per_hour: Option<i64>,
    /// 1 to 100000.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub open_signups_per_hour_in_all: Option<i64>,
    /// Whether users may change their own username.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub username_change: Option<bool>,
    /// After how many seconds without use a session ends: 60 seconds to 366 days.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub session_idle_seconds: Option<i64>,
    /// After how many seconds a session ends in any case: 60 seconds to 366 days.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub session_lifetime_seconds: Option<i64>,
    /// For how many seconds a sign-in counts as fresh: 60 seconds to one day.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub step_up_seconds: Option<i64>,
    /// What to do when the signature counter of a passkey goes back.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub counter_policy: Option<CounterPolicy>,
    /// 30 days to 100 years.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub audit_retention_seconds: Option<i64>,
    /// What to do when a passkey begins or ceases to be something that may be backed up.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub backup_eligibility_policy: Option<BackupEligibilityPolicy>,
    /// Whether every new account needs an e-mail address, and nobody's is taken away.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub require_email: Option<bool>,
    /// Whether users may change their own names, locale and e-mail address.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub own_profile: Option<bool>,
    /// Whether an address that an administrator or the host gives counts as verified without their saying so.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub emails_verified: Option<bool>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            app_name: "Keyplate".to_owned(),
            signup_mode: SignupMode::default(),
            signup_approval: false,
            default_group_ids: Vec::new(),
            open_signups_per_hour: 10,
            open_signups_per_hour_in_all: 200,
            signup_email_domains: Vec::new(),
            username_change: false,
            session_idle_seconds: 7 * DAY,
            session_lifetime_seconds: 30 * DAY,
            step_up_seconds: 3_600,
            counter_policy: CounterPolicy::default(),
            origin: None,
            audit_retention_seconds: 400 * DAY,
            backup_eligibility_policy: BackupEligibilityPolicy::default(),
            require_email: false,
            own_profile: true,
            default_claims: Vec::new(),
            emails_verified: false,
        }
    }
}
