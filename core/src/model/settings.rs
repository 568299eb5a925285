//! What an administrator may set while the application runs, and the defaults.

use crate::model::{ids::GroupId, named::named};

pub(crate) const DAY: i64 = 24 * 3_600;

/// What an administrator may set while the application runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Settings {
    /// What people know the application by.
    pub app_name: String,
    /// Who may sign up.
    pub signup_mode: SignupMode,
    /// Does an administrator approve who signs up, unless a token says otherwise?
    pub signup_approval: bool,
    /// Groups of everybody who signs up, besides those of his token.
    pub default_group_ids: Vec<GroupId>,
    /// How many accounts one address may open in an hour while sign-up is open.
    pub open_signups_per_hour: i64,
    /// Only addresses of these domains sign up without a token; as nobody has proved that the address is his, they
    /// always wait for approval. Empty: any.
    pub signup_email_domains: Vec<String>,
    /// May a user change his own username?
    pub username_change: bool,
    /// For how many seconds a session lives unused.
    pub session_idle_seconds: i64,
    /// For how many seconds it lives at most.
    pub session_lifetime_seconds: i64,
    /// For how many seconds a sign-in counts as fresh, for acts of weight.
    pub step_up_seconds: i64,
    /// What to do when the signature counter of a passkey goes back.
    pub counter_policy: CounterPolicy,
    /// What to do when a passkey begins or ceases to be something that may be backed up.
    pub backup_eligibility_policy: BackupEligibilityPolicy,
}

/// What to do when the signature counter of a passkey goes back, which may mean that there is a copy of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum CounterPolicy {
    /// Note it on the passkey and in the audit log, and sign the user in.
    #[default]
    Record,
    /// Note it and refuse.
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

/// Who may sign up. The mode decides before anything else does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum SignupMode {
    /// Nobody; administrators make users.
    #[default]
    Disabled,
    /// Who has a sign-up token.
    WithToken,
    /// Everybody.
    Open,
}

named!(SignupMode {
    Disabled = "disabled",
    WithToken = "with_token",
    Open = "open",
});

/// The settings that everybody may know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PublicSettings {
    /// What people know the application by.
    pub app_name: String,
    /// Who may sign up.
    pub signup_mode: SignupMode,
    /// May a user change his own username?
    pub username_change: bool,
}

/// Changes to the settings: what is left out stays. Groups and domains have methods of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SettingsChanges {
    /// 1 to 100 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub app_name: Option<String>,
    /// Who may sign up.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub signup_mode: Option<SignupMode>,
    /// Does an administrator approve who signs up?
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub signup_approval: Option<bool>,
    /// 1 to 1000.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub open_signups_per_hour: Option<i64>,
    /// May a user change his own username?
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub username_change: Option<bool>,
    /// 60 seconds to 366 days.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub session_idle_seconds: Option<i64>,
    /// 60 seconds to 366 days.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub session_lifetime_seconds: Option<i64>,
    /// 60 seconds to one day.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub step_up_seconds: Option<i64>,
    /// What to do when the signature counter of a passkey goes back.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub counter_policy: Option<CounterPolicy>,
    /// What to do when a passkey begins or ceases to be something that may be backed up.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub backup_eligibility_policy: Option<BackupEligibilityPolicy>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            app_name: "Keyplate".to_owned(),
            signup_mode: SignupMode::default(),
            signup_approval: false,
            default_group_ids: Vec::new(),
            open_signups_per_hour: 10,
            signup_email_domains: Vec::new(),
            username_change: false,
            session_idle_seconds: 7 * DAY,
            session_lifetime_seconds: 30 * DAY,
            step_up_seconds: 3_600,
            counter_policy: CounterPolicy::default(),
            backup_eligibility_policy: BackupEligibilityPolicy::default(),
        }
    }
}
