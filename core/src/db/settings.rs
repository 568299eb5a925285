use super::{Reader, Writer, params};
use crate::{
    db,
    error::{Result, internal},
    model::{claims::Claim, named::Named, settings::Settings},
};

/// Names and values of the settings that have been set.
pub(crate) fn all(reader: &Reader<'_>) -> Result<Vec<(String, String)>> {
    reader.query_all("SELECT name, value FROM settings", &[], |row| {
        Ok((row.get("name")?, row.get("value")?))
    })
}

/// The name of the one setting that only the host writes, by itself: no change of settings has it.
pub(crate) const ORIGIN: &str = "origin";

/// Set by a method of its own; its values, which may be long, are in no audit row.
const DEFAULT_CLAIMS: &str = "default_claims";

/// The claims as a list of pairs, in JSON.
pub(crate) fn set_default_claims(writer: &Writer<'_>, claims: &[Claim]) -> Result<()> {
    let pairs: Vec<(&str, &str)> = claims
        .iter()
        .map(|claim| (claim.key.as_str(), claim.value.as_str()))
        .collect();
    let json = serde_json::to_string(&pairs).map_err(|_| internal("claims cannot be written"))?;
    set(writer, DEFAULT_CLAIMS, &json)
}

fn claims(json: &str) -> Vec<Claim> {
    let pairs: Vec<(String, String)> = serde_json::from_str(json).unwrap_or_default();
    let claims = pairs.into_iter();
    claims.map(|(key, value)| Claim { key, value }).collect()
}

pub(crate) fn set(writer: &Writer<'_>, name: &str, value: &str) -> Result<()> {
    writer.execute(
        "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        params![name, value],
    )?;
    Ok(())
}

/// Every setting that is changed like the others, with the name and text under which it is stored.
pub(crate) fn stored(settings: &Settings) -> [(&'static str, String); 16] {
    [
        ("app_name", settings.app_name.clone()),
        ("signup_mode", settings.signup_mode.name().to_owned()),
        ("signup_approval", settings.signup_approval.to_string()),
        (
            "open_signups_per_hour",
            settings.open_signups_per_hour.to_string(),
        ),
        (
            "open_signups_per_hour_in_all",
            settings.open_signups_per_hour_in_all.to_string(),
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
        ("counter_policy", settings.counter_policy.name().to_owned()),
        (
            "audit_retention_seconds",
            settings.audit_retention_seconds.to_string(),
        ),
        (
            "backup_eligibility_policy",
            settings.backup_eligibility_policy.name().to_owned(),
        ),
        ("require_email", settings.require_email.to_string()),
        ("own_profile", settings.own_profile.to_string()),
        ("emails_verified", settings.emails_verified.to_string()),
    ]
}

/// The settings as they are at this moment; what has no row, or one that cannot be read, has its default.
pub(crate) fn load(reader: &Reader<'_>) -> Result<Settings> {
    let mut settings = Settings {
        default_group_ids: db::groups::defaults(reader)?,
        ..Settings::default()
    };
    for (name, value) in all(reader)? {
        settings.take(&name, value);
    }
    Ok(settings)
}

/// Those of sessions alone, which each sign-in needs; the rest has its defaults.
pub(crate) fn load_of_sessions(reader: &Reader<'_>) -> Result<Settings> {
    let sql = "SELECT name, value FROM settings WHERE name IN ('session_idle_seconds', 'session_lifetime_seconds')";
    let mut settings = Settings::default();
    let found = reader.query_all(sql, &[], |row| Ok((row.at::<String>(0)?, row.at(1)?)))?;
    for (name, value) in found {
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
            "signup_mode" => self.signup_mode = Named::named(&value).unwrap_or_default(),
            "signup_approval" => set(&mut self.signup_approval, &value),
            "open_signups_per_hour" => set(&mut self.open_signups_per_hour, &value),
            "open_signups_per_hour_in_all" => set(&mut self.open_signups_per_hour_in_all, &value),
            "signup_email_domains" => {
                self.signup_email_domains =
                    value.split_ascii_whitespace().map(str::to_owned).collect();
            }
            "username_change" => set(&mut self.username_change, &value),
            "session_idle_seconds" => set(&mut self.session_idle_seconds, &value),
            "session_lifetime_seconds" => set(&mut self.session_lifetime_seconds, &value),
            "step_up_seconds" => set(&mut self.step_up_seconds, &value),
            "counter_policy" => self.counter_policy = Named::named(&value).unwrap_or_default(),
            ORIGIN => self.origin = Some(value),
            "audit_retention_seconds" => set(&mut self.audit_retention_seconds, &value),
            "backup_eligibility_policy" => {
                self.backup_eligibility_policy = Named::named(&value).unwrap_or_default();
            }
            "require_email" => set(&mut self.require_email, &value),
            "own_profile" => set(&mut self.own_profile, &value),
            "emails_verified" => set(&mut self.emails_verified, &value),
            DEFAULT_CLAIMS => self.default_claims = claims(&value),
            _ => {} // a newer library's
        }
    }
}
