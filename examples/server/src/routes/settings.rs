//! The application configuration: the library's settings under the names and in the form that clients know, each a
//! key, a type and its value as text.

mod elsewhere;
mod values;

use axum::extract::State;
use keyplate::{
    BackupEligibilityPolicy, Claim, CounterPolicy, GroupId, Keyplate, PublicSettings, Settings,
    SettingsChanges, SignupMode, Thing,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::http::openapi as doc;
use crate::http::openapi::Operation;
use crate::{
    http::{
        answer::{self, Answer},
        app::App,
        body::JsonOrPairs,
        caller::Administrator,
        error::Failure,
    },
    json::claims::{self, ClaimJson},
    routes::settings::values::{flag, minutes, one_of, texts, whole},
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
const CLAIMS: &str = "signupDefaultCustomClaims";

/// A setting as JSON.
#[derive(Debug, JsonSchema, Serialize)]
#[schemars(rename = "Setting")]
#[serde(rename_all = "camelCase")]
struct SettingJson {
    key: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    value: String,
    /// Only where everything is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_public: Option<bool>,
}

/// What a body gives, as it is or as text.
#[derive(Debug, Default, Deserialize, JsonSchema)]
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
    require_user_email: Option<Value>,
    allow_own_account_edit: Option<Value>,
    signup_default_custom_claims: Option<Value>,
    emails_verified: Option<Value>,
    /// What is not ours.
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// What is to be set.
struct Wanted {
    changes: SettingsChanges,
    group_ids: Option<Vec<GroupId>>,
    domains: Option<Vec<String>>,
    claims: Option<Vec<Claim>>,
}

impl ConfigurationBody {
    fn into_wanted(self) -> Result<Wanted, Failure> {
        elsewhere::check(&self.others)?;
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
                require_email: flag("requireUserEmail", self.require_user_email)?,
                own_profile: flag("allowOwnAccountEdit", self.allow_own_account_edit)?,
                emails_verified: flag("emailsVerified", self.emails_verified)?,
            },
            group_ids: ids.transpose()?,
            domains: texts(DOMAINS, self.signup_email_domains)?,
            claims: values::claims(CLAIMS, self.signup_default_custom_claims)?,
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

/// Sets what the body names, and gives everything. What cannot hold here is refused, by its name, and then nothing is set.
pub(super) async fn replace(
    Administrator(caller): Administrator,
    JsonOrPairs(body): JsonOrPairs<ConfigurationBody>,
) -> Answer {
    let wanted = body.into_wanted()?;
    let settings = caller
        .call(move |keyplate| apply(keyplate, wanted))
        .await
        .map_err(renamed)?;
    answer::ok(&listed(&settings))
}

/// Up to four calls, each a transaction of its own; what is already as wanted is not asked for, so that clients may send
/// everything back. Groups and claims come first, because giving them wants a right of its own, and the mode last, so
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
    if let Some(claims) = wanted
        .claims
        .filter(|claims| *claims != before.default_claims)
    {
        keyplate.set_default_claims(claims)?;
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
        boolean("requireUserEmail", settings.require_email),
        boolean("allowOwnAccountEdit", settings.own_profile),
    ]
}

/// The settings of `listed_public`.
const PUBLIC: [&str; 5] = [
    "appName",
    "allowUserSignups",
    "allowUsernameChange",
    "requireUserEmail",
    "allowOwnAccountEdit",
];

fn listed(settings: &Settings) -> Vec<SettingJson> {
    let ids: Vec<String> = settings
        .default_group_ids
        .iter()
        .map(GroupId::to_string)
        .collect();
    let claims = settings.default_claims.iter().map(ClaimJson::from);
    let claims: Vec<ClaimJson> = claims.collect();
    let mut all = vec![
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
        boolean("requireUserEmail", settings.require_email),
        boolean("allowOwnAccountEdit", settings.own_profile),
        text(CLAIMS, &json!(claims).to_string()),
        boolean("emailsVerified", settings.emails_verified),
    ];
    for setting in &mut all {
        setting.is_public = Some(PUBLIC.contains(&setting.key));
    }
    all
}

fn text(key: &'static str, value: &str) -> SettingJson {
    SettingJson {
        key,
        kind: "string",
        value: value.to_owned(),
        is_public: None,
    }
}

fn boolean(key: &'static str, value: bool) -> SettingJson {
    SettingJson {
        key,
        kind: "bool",
        value: value.to_string(),
        is_public: None,
    }
}

fn number(key: &'static str, value: String) -> SettingJson {
    SettingJson {
        key,
        kind: "number",
        value,
        is_public: None,
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

/// What the library calls otherwise, or counts in seconds.
fn renamed(failure: Failure) -> Failure {
    let failure = claims::told_apart(failure)
        .missing_is(Thing::Group, GROUPS)
        .renamed("domains", DOMAINS)
        .renamed("claims", CLAIMS);
    [
        ("sessionLifetimeSeconds", "sessionDuration"),
        ("sessionIdleSeconds", "sessionIdleDuration"),
        ("stepUpSeconds", "stepUpDuration"),
        ("auditRetentionSeconds", "auditRetentionDuration"),
    ]
    .into_iter()
    .fold(failure, |failure, (from, to)| {
        failure.in_minutes(from).renamed(from, to)
    })
}

/// For the OpenAPI document.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        doc::public(
            "get",
            "/api/application-configuration",
            "Gives the public settings",
        )
        .gives::<Vec<SettingJson>>(200),
        doc::administrator(
            "get",
            "/api/application-configuration/all",
            "Gives all settings",
        )
        .gives::<Vec<SettingJson>>(200),
        doc::administrator("put", "/api/application-configuration", "Changes settings")
            .takes::<ConfigurationBody>()
            .gives::<Vec<SettingJson>>(200),
    ]
}
