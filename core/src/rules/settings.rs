//! Settings, read in the transaction that needs them.

use crate::{
    db::{
        self,
        settings::{ORIGIN, load, stored},
    },
    error::{DenialReason, InputReason, KeyplateError, Result, SignupRefusal, denied, invalid},
    gate::{
        change::{Change, Subject},
        handle::Keyplate,
        methods::Method,
    },
    model::{
        audit::EventKind,
        claims::Claim,
        ids::GroupId,
        settings::{DAY, PublicSettings, Settings, SettingsChanges, SignupMode},
    },
    rules::{claims, groups},
    values::{numbers::within, text},
};

const MAX_APP_NAME: usize = 100;
const MAX_DOMAINS: usize = 50;
const MAX_DOMAIN: usize = 253;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Returns all settings.
    ///
    /// # Errors
    /// `PermissionDenied`.
    pub fn get_settings(&self) -> Result<Settings> {
        self.read(Method::GetSettings, |reader, _| load(reader))
    }

    /// Returns the settings that everybody may see.
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
                require_email: settings.require_email,
                own_profile: settings.own_profile,
            })
        })
    }

    /// Changes settings, for all processes at their next call. How long sessions and step-ups last, and how
    /// long the audit log is kept, is only changed by credentials with `*` and `roles:write`.
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

    /// Stores the origin of `Config` among the settings, for commands and other processes that make links and were not told
    /// it. A server calls this when it starts. What is stored already leaves no trace.
    ///
    /// # Errors
    /// `PermissionDenied` on any but the host's handle.
    pub fn remember_origin(&self) -> Result<Settings> {
        let origin = &self.shared.relying_party.origin;
        let known = self.read(Method::RememberOrigin, |reader, _| load(reader))?;
        if known.origin.as_ref() == Some(origin) {
            return Ok(known);
        }
        self.write(Method::RememberOrigin, |change| {
            db::settings::set(change, ORIGIN, origin)?;
            let details = [(ORIGIN, origin.as_str())];
            change.record(EventKind::SettingsChanged, Subject::default(), &details)?;
            load(change)
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
            if !groups::hold_the_same(&db::groups::defaults(change)?, group_ids) {
                store_default_groups(change, group_ids)?;
            }
            load(change)
        })
    }

    /// Gives exactly these claims to everybody who signs up, beside those of their token. The caller must have the right to
    /// give users claims.
    ///
    /// # Errors
    /// `InvalidInput`, `PermissionDenied`.
    pub fn set_default_claims(&self, claims: Vec<Claim>) -> Result<Settings> {
        let claims = claims::checked(claims)?;
        self.write(Method::SetDefaultClaims, |change| {
            change.caller.may_give_claims()?;
            let before = load(change)?;
            if before.default_claims != claims {
                store_default_claims(change, &claims)?;
            }
            Ok(Settings {
                default_claims: claims.clone(),
                ..before
            })
        })
    }

    /// Lets only addresses of these domains sign up without a token, and only with approval. With none, any address may.
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
pub(in crate::rules) fn store(
    change: &Change<'_>,
    before: &Settings,
    after: Settings,
) -> Result<Settings> {
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
pub(in crate::rules) fn store_default_groups(
    change: &Change<'_>,
    group_ids: &[GroupId],
) -> Result<()> {
    db::groups::replace_defaults(change, group_ids)?;
    change.record(
        EventKind::SettingsChanged,
        Subject::default(),
        &[("names", "default_group_ids")],
    )
}

/// Gives exactly these claims, which are well-formed, to everybody who signs up.
pub(in crate::rules) fn store_default_claims(change: &Change<'_>, claims: &[Claim]) -> Result<()> {
    db::settings::set_default_claims(change, claims)?;
    change.record(
        EventKind::SettingsChanged,
        Subject::default(),
        &[("names", "default_claims")],
    )
}

impl SettingsChanges {
    pub(in crate::rules) fn applied(&self, before: &Settings) -> Result<Settings> {
        let within = |field: &str, value: Option<i64>, old, least, most| {
            value.map_or(Ok(old), |value| within(field, value, least, most))
        };
        let year = 366 * DAY;
        Ok(Settings {
            app_name: match &self.app_name {
                Some(name) if *name != before.app_name => {
                    text::required("app_name", name, MAX_APP_NAME)?
                }
                _ => before.app_name.clone(),
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
            open_signups_per_hour_in_all: within(
                "open_signups_per_hour_in_all",
                self.open_signups_per_hour_in_all,
                before.open_signups_per_hour_in_all,
                1,
                100_000,
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
            audit_retention_seconds: within(
                "audit_retention_seconds",
                self.audit_retention_seconds,
                before.audit_retention_seconds,
                30 * DAY,
                100 * year,
            )?,
            backup_eligibility_policy: self
                .backup_eligibility_policy
                .unwrap_or(before.backup_eligibility_policy),
            require_email: self.require_email.unwrap_or(before.require_email),
            own_profile: self.own_profile.unwrap_or(before.own_profile),
            emails_verified: self.emails_verified.unwrap_or(before.emails_verified),
            ..before.clone()
        })
    }
}

/// K2: longer sessions and step-ups make everybody's credentials stronger; a shorter audit log hides what they did.
fn check_allowed(change: &Change<'_>, before: &Settings, after: &Settings) -> Result<()> {
    let limits = |settings: &Settings| {
        (
            settings.session_idle_seconds,
            settings.session_lifetime_seconds,
            settings.step_up_seconds,
            settings.audit_retention_seconds,
        )
    };
    if limits(before) == limits(after) {
        return Ok(());
    }
    if !change.caller.has_everything() {
        return Err(denied(DenialReason::FullRightsNeeded));
    }
    if after.step_up_seconds > before.step_up_seconds {
        change.caller.step_up(change)?; // P5: an old session does not make itself fresh
    }
    Ok(())
}

pub(in crate::rules) fn checked_domains(domains: &[String]) -> Result<Vec<String>> {
    let field = "domains";
    if domains.len() > MAX_DOMAINS {
        return Err(invalid(
            field,
            InputReason::TooMany {
                most: MAX_DOMAINS as i64,
            },
        ));
    }
    let mut checked = Vec::with_capacity(domains.len());
    for domain in domains {
        let domain = text::required(field, domain, MAX_DOMAIN)?.to_ascii_lowercase();
        if !text::is_domain(&domain) {
            return Err(invalid(field, InputReason::NotDomain));
        }
        let domain = text::domain_shown(&domain).into_owned();
        if !checked.contains(&domain) {
            checked.push(domain);
        }
    }
    Ok(checked)
}

pub(in crate::rules) fn check_mode(settings: &Settings, has_token: bool) -> Result<()> {
    let refused = |reason| Err(KeyplateError::SignupRefused { reason });
    match settings.signup_mode {
        SignupMode::Disabled => refused(SignupRefusal::Disabled),
        SignupMode::WithToken if !has_token => refused(SignupRefusal::TokenNeeded),
        SignupMode::WithToken | SignupMode::Open => Ok(()),
    }
}
