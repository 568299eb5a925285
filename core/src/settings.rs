use crate::{
    EventKind, GroupId, Keyplate, Result,
    audit::{Change, Subject},
    authority::Method,
    db::{self, Reader, text_enum},
    error::{denied, invalid},
    groups, text,
};

const DAY: u32 = 24 * 3_600;
const MAX_APP_NAME: usize = 100;
const MAX_DOMAINS: usize = 50;
const MAX_DOMAIN: usize = 253;

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
    pub open_signups_per_hour: u32,
    /// Only addresses of these domains sign up without a token; as nobody has proved that the address is his, they
    /// always wait for approval. Empty: any.
    pub signup_email_domains: Vec<String>,
    /// May a user change his own username?
    pub username_change: bool,
    /// For how many seconds a session lives unused.
    pub session_idle_seconds: u32,
    /// For how many seconds it lives at most.
    pub session_lifetime_seconds: u32,
    /// For how many seconds a sign-in counts as fresh, for acts of weight.
    pub step_up_seconds: u32,
    /// What to do when the signature counter of a passkey goes back.
    pub counter_policy: CounterPolicy,
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

text_enum!(CounterPolicy {
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

text_enum!(SignupMode {
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
    pub open_signups_per_hour: Option<u32>,
    /// May a user change his own username?
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub username_change: Option<bool>,
    /// 60 seconds to 366 days.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub session_idle_seconds: Option<u32>,
    /// 60 seconds to 366 days.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub session_lifetime_seconds: Option<u32>,
    /// 60 seconds to one day.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub step_up_seconds: Option<u32>,
    /// What to do when the signature counter of a passkey goes back.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub counter_policy: Option<CounterPolicy>,
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
        }
    }
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Gives all settings.
    ///
    /// # Errors
    /// `PermissionDenied`.
    pub fn get_settings(&self) -> Result<Settings> {
        self.read(Method::GetSettings, |reader, _| load(reader))
    }

    /// Gives the settings that everybody may know.
    ///
    /// # Errors
    /// The storage errors.
    pub fn get_public_settings(&self) -> Result<PublicSettings> {
        self.read(Method::GetPublicSettings, |reader, _| {
            let settings = load(reader)?;
            Ok(PublicSettings {
                app_name: settings.app_name,
                signup_mode: settings.signup_mode,
                username_change: settings.username_change,
            })
        })
    }

    /// Changes settings, for all processes at their next call. How long sessions and step-ups last is only changed by
    /// credentials with `*` and `roles:write`.
    ///
    /// # Errors
    /// `InvalidInput`, `PermissionDenied`; `StepUpRequired` for a longer `step_up_seconds`.
    pub fn update_settings(&self, changes: SettingsChanges) -> Result<Settings> {
        self.write(Method::UpdateSettings, |change| {
            let before = load(change)?;
            let after = changes.applied(&before)?;
            check_allowed(change, &before, &after)?;
            store(change, &before, after)
        })
    }

    /// Gives exactly these groups to everybody who signs up. The caller must have the right to change groups.
    ///
    /// # Errors
    /// `NotFound` for a group; `PermissionDenied`.
    pub fn set_default_groups(&self, group_ids: &[GroupId]) -> Result<Settings> {
        self.write(Method::SetDefaultGroups, |change| {
            change.caller.may_give_groups()?;
            groups::check_all_exist(change, group_ids)?;
            store_default_groups(change, group_ids)?;
            load(change)
        })
    }

    /// Lets only addresses of these domains sign up without a token, and only with approval; none: any.
    ///
    /// # Errors
    /// `InvalidInput`, `PermissionDenied`.
    pub fn set_signup_email_domains(&self, domains: &[String]) -> Result<Settings> {
        let domains = checked_domains(domains)?;
        self.write(Method::SetSignupEmailDomains, |change| {
            let before = load(change)?;
            let after = Settings {
                signup_email_domains: domains.clone(),
                ..before.clone()
            };
            store(change, &before, after)
        })
    }
}

/// Stores what is different, and the one row about it.
pub(crate) fn store(change: &Change<'_>, before: &Settings, after: Settings) -> Result<Settings> {
    let changed: Vec<(&str, String)> = stored(&after)
        .into_iter()
        .zip(stored(before))
        .filter(|(after, before)| after.1 != before.1)
        .map(|(after, _)| after)
        .collect();
    if changed.is_empty() {
        return Ok(after);
    }
    for (name, value) in &changed {
        db::settings::set(change, name, value)?;
    }
    let details: Vec<(&str, &str)> = changed
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    change.record(EventKind::SettingsChanged, Subject::default(), &details)?;
    Ok(after)
}

/// Gives exactly these groups, which exist, to everybody who signs up.
pub(crate) fn store_default_groups(change: &Change<'_>, group_ids: &[GroupId]) -> Result<()> {
    db::groups::replace_defaults(change, group_ids)?;
    change.record(
        EventKind::SettingsChanged,
        Subject::default(),
        &[("names", "default_group_ids")],
    )
}

impl SettingsChanges {
    pub(crate) fn applied(&self, before: &Settings) -> Result<Settings> {
        let within = |field: &str, value: Option<u32>, old: u32, least: u32, most: u32| match value
        {
            Some(value) if !(least..=most).contains(&value) => Err(invalid(
                field,
                format!("must be between {least} and {most}"),
            )),
            value => Ok(value.unwrap_or(old)),
        };
        let year = 366 * DAY;
        Ok(Settings {
            app_name: match &self.app_name {
                Some(name) => text::required("app_name", name, MAX_APP_NAME)?,
                None => before.app_name.clone(),
            },
            signup_mode: self.signup_mode.unwrap_or(before.signup_mode),
            signup_approval: self.signup_approval.unwrap_or(before.signup_approval),
            open_signups_per_hour: within(
                "open_signups_per_hour",
                self.open_signups_per_hour,
                before.open_signups_per_hour,
                1,
                1_000,
            )?,
            username_change: self.username_change.unwrap_or(before.username_change),
            session_idle_seconds: within(
                "session_idle_seconds",
                self.session_idle_seconds,
                before.session_idle_seconds,
                60,
                year,
            )?,
            session_lifetime_seconds: within(
                "session_lifetime_seconds",
                self.session_lifetime_seconds,
                before.session_lifetime_seconds,
                60,
                year,
            )?,
            step_up_seconds: within(
                "step_up_seconds",
                self.step_up_seconds,
                before.step_up_seconds,
                60,
                DAY,
            )?,
            counter_policy: self.counter_policy.unwrap_or(before.counter_policy),
            ..before.clone()
        })
    }
}

/// K2: longer sessions and step-ups make everybody's credentials stronger.
fn check_allowed(change: &Change<'_>, before: &Settings, after: &Settings) -> Result<()> {
    let limits = |settings: &Settings| {
        (
            settings.session_idle_seconds,
            settings.session_lifetime_seconds,
            settings.step_up_seconds,
        )
    };
    if limits(before) == limits(after) {
        return Ok(());
    }
    if !change.caller.has_everything() {
        return Err(denied(
            "limits of sessions are only changed by credentials with * and roles:write",
        ));
    }
    if after.step_up_seconds > before.step_up_seconds {
        change.caller.step_up(change)?; // P5: an old session does not make itself fresh
    }
    Ok(())
}

pub(crate) fn checked_domains(domains: &[String]) -> Result<Vec<String>> {
    let field = "domains";
    if domains.len() > MAX_DOMAINS {
        return Err(invalid(field, format!("must be at most {MAX_DOMAINS}")));
    }
    let mut checked = Vec::with_capacity(domains.len());
    for domain in domains {
        let domain = text::folded(&text::required(field, domain, MAX_DOMAIN)?);
        if !text::is_domain(&domain) {
            return Err(invalid(field, "is a list of domains such as `example.org`"));
        }
        if !checked.contains(&domain) {
            checked.push(domain);
        }
    }
    Ok(checked)
}

/// Every setting that has a row, with the name and text under which it is stored.
fn stored(settings: &Settings) -> [(&'static str, String); 10] {
    [
        ("app_name", settings.app_name.clone()),
        ("signup_mode", settings.signup_mode.as_stored().to_owned()),
        ("signup_approval", settings.signup_approval.to_string()),
        (
            "open_signups_per_hour",
            settings.open_signups_per_hour.to_string(),
        ),
        (
            "signup_email_domains",
            settings.signup_email_domains.join(" "),
        ),
        ("username_change", settings.username_change.to_string()),
        (
            "session_idle_seconds",
            settings.session_idle_seconds.to_string(),
        ),
        (
            "session_lifetime_seconds",
            settings.session_lifetime_seconds.to_string(),
        ),
        ("step_up_seconds", settings.step_up_seconds.to_string()),
        (
            "counter_policy",
            settings.counter_policy.as_stored().to_owned(),
        ),
    ]
}

/// The settings as they are at this moment; what has no row, or one that cannot be read, has its default.
pub(crate) fn load(reader: &Reader<'_>) -> Result<Settings> {
    let mut settings = Settings {
        default_group_ids: db::groups::defaults(reader)?,
        ..Settings::default()
    };
    for (name, value) in db::settings::all(reader)? {
        settings.take(&name, value);
    }
    Ok(settings)
}

impl Settings {
    fn take(&mut self, name: &str, value: String) {
        fn set<T: std::str::FromStr>(place: &mut T, value: &str) {
            if let Ok(value) = value.parse() {
                *place = value;
            }
        }
        match name {
            "app_name" => self.app_name = value,
            "signup_mode" => self.signup_mode = db::read_text(&value).unwrap_or_default(),
            "signup_approval" => set(&mut self.signup_approval, &value),
            "open_signups_per_hour" => set(&mut self.open_signups_per_hour, &value),
            "signup_email_domains" => {
                self.signup_email_domains =
                    value.split_ascii_whitespace().map(str::to_owned).collect();
            }
            "username_change" => set(&mut self.username_change, &value),
            "session_idle_seconds" => set(&mut self.session_idle_seconds, &value),
            "session_lifetime_seconds" => set(&mut self.session_lifetime_seconds, &value),
            "step_up_seconds" => set(&mut self.step_up_seconds, &value),
            "counter_policy" => self.counter_policy = db::read_text(&value).unwrap_or_default(),
            _ => {} // a newer library's
        }
    }
}
