//! The application configuration: the library's settings under the names and in the form that clients know, each a
//! key, a type and its value as text.

use axum::extract::State;
use keyplate::{
    BackupEligibilityPolicy, CounterPolicy, GroupId, Keyplate, PublicSettings, Settings,
    SettingsChanges, SignupMode, Thing,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::http::{
    answer::{self, Answer},
    app::App,
    body::Json,
    caller::Administrator,
    error::Failure,
};

const MODES: [(&str, SignupMode); 3] = [
    ("disabled", SignupMode::Disabled),
    ("withToken", SignupMode::WithToken),
    ("open", SignupMode::Open),
];

const COUNTER_POLICIES: [(&str, CounterPolicy); 2] = [
    ("record", CounterPolicy::Record),
    ("deny", CounterPolicy::Deny),
];

const BACKUP_ELIGIBILITY_POLICIES: [(&str, BackupEligibilityPolicy); 2] = [
    ("record", BackupEligibilityPolicy::Record),
    ("deny", BackupEligibilityPolicy::Deny),
];

const GROUPS: &str = "signupDefaultUserGroupIDs";
const DOMAINS: &str = "signupEmailDomains";

/// A setting as JSON.
#[derive(Debug, Serialize)]
struct SettingJson {
    key: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    value: String,
}

/// What a body gives, as it is or as text; clients do either. Keys that are not ours are other servers' settings.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConfigurationBody {
    app_name: Option<String>,
    allow_user_signups: Option<String>,
    signup_requires_approval: Option<Value>,
    #[serde(rename = "signupDefaultUserGroupIDs")]
    signup_default_user_group_ids: Option<Value>,
    signup_email_domains: Option<Value>,
    open_signups_per_hour: Option<Value>,
    open_signups_per_hour_in_all: Option<Value>,
    allow_username_change: Option<Value>,
    session_duration: Option<Value>,
    session_idle_duration: Option<Value>,
    step_up_duration: Option<Value>,
    counter_policy: Option<String>,
    audit_retention_duration: Option<Value>,
    backup_eligibility_policy: Option<String>,
}

/// What is to be set.
struct Wanted {
    changes: SettingsChanges,
    group_ids: Option<Vec<GroupId>>,
    domains: Option<Vec<String>>,
}

impl ConfigurationBody {
    fn into_wanted(self) -> Result<Wanted, Failure> {
        let ids = texts(GROUPS, self.signup_default_user_group_ids)?;
        let ids = ids.map(|ids| {
            let ids = ids.iter().map(|id| GroupId::parse(id));
            ids.collect::<keyplate::Result<Vec<_>>>()
                .map_err(|_| Failure::field(GROUPS, "invalid", "has something in it that is no id"))
        });
        Ok(Wanted {
            changes: SettingsChanges {
                app_name: self.app_name,
                signup_mode: one_of("allowUserSignups", &MODES, self.allow_user_signups)?,
                signup_approval: flag("signupRequiresApproval", self.signup_requires_approval)?,
                open_signups_per_hour: whole("openSignupsPerHour", self.open_signups_per_hour)?,
                open_signups_per_hour_in_all: whole(
                    "openSignupsPerHourInAll",
                    self.open_signups_per_hour_in_all,
                )?,
                username_change: flag("allowUsernameChange", self.allow_username_change)?,
                session_idle_seconds: minutes("sessionIdleDuration", self.session_idle_duration)?,
                session_lifetime_seconds: minutes("sessionDuration", self.session_duration)?,
                step_up_seconds: minutes("stepUpDuration", self.step_up_duration)?,
                counter_policy: one_of("counterPolicy", &COUNTER_POLICIES, self.counter_policy)?,
                audit_retention_seconds: minutes(
                    "auditRetentionDuration",
                    self.audit_retention_duration,
                )?,
                backup_eligibility_policy: one_of(
                    "backupEligibilityPolicy",
                    &BACKUP_ELIGIBILITY_POLICIES,
                    self.backup_eligibility_policy,
                )?,
            },
            group_ids: ids.transpose()?,
            domains: texts(DOMAINS, self.signup_email_domains)?,
        })
    }
}

/// What everybody may know.
pub(super) async fn public(State(app): State<App>) -> Answer {
    let host = app.keyplate().clone();
    let settings = app.blocking(move || host.get_public_settings()).await?;
    answer::ok(&listed_public(&settings))
}

pub(super) async fn all(Administrator(caller): Administrator) -> Answer {
    let settings = caller.call(Keyplate::get_settings).await?;
    answer::ok(&listed(&settings))
}

/// Sets what the body names, and gives everything.
pub(super) async fn replace(
    Administrator(caller): Administrator,
    Json(body): Json<ConfigurationBody>,
) -> Answer {
    let wanted = body.into_wanted()?;
    let settings = caller
        .call(move |keyplate| apply(keyplate, wanted))
        .await
        .map_err(renamed)?;
    answer::ok(&listed(&settings))
}

/// Up to three calls, each a transaction of its own; what is already as wanted is not asked for, so that clients may
/// send everything back. The groups come first, because giving them wants a right of its own, and the mode last, so
/// that sign-up is never open without the groups and domains that were sent with it. What was set before a refusal
/// stays set.
fn apply(keyplate: &Keyplate, wanted: Wanted) -> keyplate::Result<Settings> {
    let before = keyplate.get_settings()?;
    if let Some(ids) = wanted
        .group_ids
        .filter(|ids| *ids != before.default_group_ids)
    {
        keyplate.set_default_groups(&ids)?;
    }
    let domains = wanted.domains;
    if let Some(domains) = domains.filter(|domains| *domains != before.signup_email_domains) {
        keyplate.set_signup_email_domains(&domains)?;
    }
    keyplate.update_settings(wanted.changes)
}

fn listed_public(settings: &PublicSettings) -> Vec<SettingJson> {
    vec![
        text("appName", &settings.app_name),
        text("allowUserSignups", name(&MODES, settings.signup_mode)),
        boolean("allowUsernameChange", settings.username_change),
    ]
}

fn listed(settings: &Settings) -> Vec<SettingJson> {
    let ids: Vec<String> = settings
        .default_group_ids
        .iter()
        .map(GroupId::to_string)
        .collect();
    vec![
        text("appName", &settings.app_name),
        text("allowUserSignups", name(&MODES, settings.signup_mode)),
        boolean("signupRequiresApproval", settings.signup_approval),
        text(GROUPS, &json!(ids).to_string()),
        text(DOMAINS, &json!(settings.signup_email_domains).to_string()),
        number(
            "openSignupsPerHour",
            settings.open_signups_per_hour.to_string(),
        ),
        number(
            "openSignupsPerHourInAll",
            settings.open_signups_per_hour_in_all.to_string(),
        ),
        boolean("allowUsernameChange", settings.username_change),
        number(
            "sessionDuration",
            in_minutes(settings.session_lifetime_seconds),
        ),
        number(
            "sessionIdleDuration",
            in_minutes(settings.session_idle_seconds),
        ),
        number("stepUpDuration", in_minutes(settings.step_up_seconds)),
        text(
            "counterPolicy",
            name(&COUNTER_POLICIES, settings.counter_policy),
        ),
        number(
            "auditRetentionDuration",
            in_minutes(settings.audit_retention_seconds),
        ),
        text(
            "backupEligibilityPolicy",
            name(
                &BACKUP_ELIGIBILITY_POLICIES,
                settings.backup_eligibility_policy,
            ),
        ),
    ]
}

fn text(key: &'static str, value: &str) -> SettingJson {
    SettingJson {
        key,
        kind: "string",
        value: value.to_owned(),
    }
}

fn boolean(key: &'static str, value: bool) -> SettingJson {
    SettingJson {
        key,
        kind: "bool",
        value: value.to_string(),
    }
}

fn number(key: &'static str, value: String) -> SettingJson {
    SettingJson {
        key,
        kind: "number",
        value,
    }
}

/// Minutes that are not whole have a fraction, so that sending them back changes nothing.
fn in_minutes(seconds: i64) -> String {
    (seconds as f64 / 60.0).to_string()
}

/// A choice that only a newer library knows is called by the first one's name.
fn name<T: PartialEq>(names: &[(&'static str, T)], value: T) -> &'static str {
    let known = names.iter().find(|(_, known)| *known == value);
    known.or(names.first()).map_or("", |(name, _)| name)
}

fn one_of<T: Copy>(
    field: &str,
    names: &[(&str, T)],
    wanted: Option<String>,
) -> Result<Option<T>, Failure> {
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    match names.iter().find(|(name, _)| *name == wanted) {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
            let reason = format!("must be one of: {}", names.join(", "));
            Err(Failure::field(field, "invalid", &reason))
        }
    }
}

fn flag(field: &str, value: Option<Value>) -> Result<Option<bool>, Failure> {
    match value {
        None => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(value)),
        Some(Value::String(text)) if text == "true" => Ok(Some(true)),
        Some(Value::String(text)) if text == "false" => Ok(Some(false)),
        Some(_) => Err(Failure::field(
            field,
            "invalid_type",
            "must be true or false",
        )),
    }
}

fn amount(field: &str, value: Option<Value>) -> Result<Option<f64>, Failure> {
    let amount = match value {
        None => return Ok(None),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    match amount.filter(|amount| (0.0..=1e9).contains(amount)) {
        Some(amount) => Ok(Some(amount)),
        None => Err(Failure::field(field, "invalid_type", "must be a number")),
    }
}

fn whole(field: &str, value: Option<Value>) -> Result<Option<i64>, Failure> {
    match amount(field, value)? {
        Some(amount) if amount.fract() != 0.0 => Err(Failure::field(
            field,
            "invalid_type",
            "must be a whole number",
        )),
        amount => Ok(amount.map(|amount| amount as i64)),
    }
}

/// In seconds. More than the type holds is its largest, which no rule allows.
fn minutes(field: &str, value: Option<Value>) -> Result<Option<i64>, Failure> {
    let amount = amount(field, value)?;
    Ok(amount.map(|minutes| (minutes * 60.0).round() as i64))
}

/// A list of texts, as JSON or as JSON within text; empty text is an empty list.
fn texts(field: &str, value: Option<Value>) -> Result<Option<Vec<String>>, Failure> {
    let list = match value {
        None => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Some(Vec::new()),
        Some(Value::String(text)) => serde_json::from_str(&text).ok(),
        Some(value) => serde_json::from_value(value).ok(),
    };
    match list {
        Some(list) => Ok(Some(list)),
        None => Err(Failure::field(
            field,
            "invalid_type",
            "must be a list, in JSON",
        )),
    }
}

/// What the library calls otherwise, or counts in seconds.
fn renamed(failure: Failure) -> Failure {
    let failure = failure
        .missing_is(Thing::Group, GROUPS)
        .renamed("domains", DOMAINS);
    [
        ("sessionLifetimeSeconds", "sessionDuration"),
        ("sessionIdleSeconds", "sessionIdleDuration"),
        ("stepUpSeconds", "stepUpDuration"),
        ("auditRetentionSeconds", "auditRetentionDuration"),
    ]
    .into_iter()
    .fold(failure, |failure, (from, to)| {
        failure.counted_in(from, "seconds").renamed(from, to)
    })
}
