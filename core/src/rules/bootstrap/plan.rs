//! The plan as it is written: records that serde reads, and what can be refused without a look into the database.

use std::{
    collections::{BTreeMap, HashSet},
    hash::Hash,
};

use serde::Deserialize;

use super::{
    place::{Place, each},
    reading::{self, end, limit, objects, one_of, secret},
};
use crate::{
    error::{InputReason, Result, invalid},
    model::{
        claims::Claim,
        settings::{BackupEligibilityPolicy, CounterPolicy, SettingsChanges, SignupMode},
        signup_tokens::{ApprovalRule, Limit},
        users::{Expiry, Role},
    },
    secret::Secret,
    values::{
        text,
        tokens::{self, MintedToken},
    },
};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Plan {
    #[serde(deserialize_with = "reading::maybe_object")]
    pub(super) settings: Option<SettingsEntry>,
    #[serde(deserialize_with = "objects")]
    pub(super) groups: Vec<GroupEntry>,
    #[serde(deserialize_with = "objects")]
    pub(super) services: Vec<ServiceEntry>,
    #[serde(deserialize_with = "objects")]
    pub(super) users: Vec<UserEntry>,
    #[serde(deserialize_with = "objects")]
    pub(super) signup_tokens: Vec<SignupTokenEntry>,
    #[serde(deserialize_with = "objects")]
    pub(super) api_keys: Vec<ApiKeyEntry>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SettingsEntry {
    app_name: Option<String>,
    #[serde(deserialize_with = "one_of")]
    signup_mode: Option<SignupMode>,
    signup_approval: Option<bool>,
    open_signups_per_hour: Option<i64>,
    open_signups_per_hour_in_all: Option<i64>,
    username_change: Option<bool>,
    session_idle_seconds: Option<i64>,
    session_lifetime_seconds: Option<i64>,
    step_up_seconds: Option<i64>,
    #[serde(deserialize_with = "one_of")]
    counter_policy: Option<CounterPolicy>,
    audit_retention_seconds: Option<i64>,
    #[serde(deserialize_with = "one_of")]
    backup_eligibility_policy: Option<BackupEligibilityPolicy>,
    require_email: Option<bool>,
    own_profile: Option<bool>,
    emails_verified: Option<bool>,
    pub(super) default_groups: Option<Vec<String>>,
    default_claims: Option<BTreeMap<String, String>>,
    pub(super) signup_email_domains: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupEntry {
    pub(super) name: String,
    pub(super) friendly_name: Option<String>,
    #[serde(default)]
    claims: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceEntry {
    pub(super) slug: String,
    pub(super) name: Option<String>,
    pub(super) origins: Option<Vec<String>>,
    pub(super) for_everyone: Option<bool>,
    pub(super) groups: Option<Vec<String>>,
    pub(super) wants_token: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserEntry {
    pub(super) username: String,
    pub(super) id: Option<String>,
    pub(super) email: Option<String>,
    pub(super) email_verified: Option<bool>,
    pub(super) display_name: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) external_id: Option<String>,
    #[serde(default, deserialize_with = "one_of")]
    pub(super) role: Option<Role>,
    pub(super) disabled: Option<bool>,
    #[serde(default, deserialize_with = "end")]
    pub(super) expires_at: Option<Expiry>,
    #[serde(default)]
    pub(super) groups: Vec<String>,
    #[serde(default)]
    claims: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignupTokenEntry {
    pub(super) note: String,
    #[serde(default, deserialize_with = "limit")]
    pub(super) max_uses: Option<Limit>,
    #[serde(default, deserialize_with = "end")]
    pub(super) expires_at: Option<Expiry>,
    pub(super) lifetime_seconds: Option<i64>,
    pub(super) groups: Option<Vec<String>>,
    claims: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "limit")]
    pub(super) account_lifetime_seconds: Option<Limit>,
    #[serde(default, deserialize_with = "one_of")]
    pub(super) approval: Option<ApprovalRule>,
    pub(super) email: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKeyEntry {
    pub(super) owner: String,
    pub(super) name: String,
    pub(super) note: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
    #[serde(default, deserialize_with = "end")]
    pub(super) expires_at: Option<Expiry>,
    pub(super) lifetime_seconds: Option<i64>,
    #[serde(default, deserialize_with = "secret")]
    secret: Option<Secret>,
    generate: Option<bool>,
    /// The secret with its hash, once it is checked; none if one is to be generated.
    #[serde(skip)]
    pub(super) supplied: Option<MintedToken>,
}

impl Plan {
    /// Reads a plan and checks what needs no database. Nothing that goes wrong repeats a value of the plan: it may be a
    /// secret.
    pub(super) fn read(text: &str, token_prefix: &str) -> Result<Self> {
        let mut plan: Self = reading::object(text)?;
        for (index, key) in plan.api_keys.iter_mut().enumerate() {
            let place = Place::entry("api_keys", index);
            key.supplied = key
                .checked_secret(token_prefix)
                .map_err(|error| place.blame(error))?;
        }
        plan.check_lifetimes()?;
        plan.check_no_entry_twice()?;
        Ok(plan)
    }

    fn check_lifetimes(&self) -> Result<()> {
        let check = |seconds: Option<i64>, expiry: Option<Expiry>| match seconds {
            Some(0) => Err(invalid(
                "lifetime_seconds",
                InputReason::TooSmall { least: 1 },
            )),
            Some(_) if expiry.is_some() => Err(invalid(
                "lifetime_seconds",
                InputReason::Excludes {
                    field: "expires_at".to_owned(),
                },
            )),
            _ => Ok(()),
        };
        each("signup_tokens", &self.signup_tokens, |_, token| {
            check(token.lifetime_seconds, token.expires_at)
        })?;
        each("api_keys", &self.api_keys, |_, key| {
            check(key.lifetime_seconds, key.expires_at)
        })
    }

    fn check_no_entry_twice(&self) -> Result<()> {
        let folded = |name: &String| text::folded(name.trim());
        once("groups", "name", &self.groups, |group| folded(&group.name))?;
        once("services", "slug", &self.services, |service| {
            folded(&service.slug)
        })?;
        once("users", "username", &self.users, |user| {
            text::name_key(user.username.trim())
        })?;
        once("signup_tokens", "note", &self.signup_tokens, |token| {
            folded(&token.note)
        })?;
        once("api_keys", "name", &self.api_keys, |key| {
            (text::name_key(key.owner.trim()), folded(&key.name))
        })?;
        let supplied = self.api_keys.iter().enumerate();
        let mut seen = HashSet::new();
        for (index, key) in supplied {
            if let Some(token) = &key.supplied
                && !seen.insert(token.hash)
            {
                return Err(
                    Place::entry("api_keys", index).refuse("secret", InputReason::SecretTaken)
                );
            }
        }
        Ok(())
    }
}

fn once<T, K: Eq + Hash>(
    section: &'static str,
    field: &str,
    entries: &[T],
    key: impl Fn(&T) -> K,
) -> Result<()> {
    let mut seen = HashSet::new();
    each(section, entries, |_, entry| match seen.insert(key(entry)) {
        true => Ok(()),
        false => Err(invalid(field, InputReason::DuplicateEntry)),
    })
}

impl SettingsEntry {
    pub(super) fn changes(&self) -> SettingsChanges {
        SettingsChanges {
            app_name: self.app_name.clone(),
            signup_mode: self.signup_mode,
            signup_approval: self.signup_approval,
            open_signups_per_hour: self.open_signups_per_hour,
            open_signups_per_hour_in_all: self.open_signups_per_hour_in_all,
            username_change: self.username_change,
            session_idle_seconds: self.session_idle_seconds,
            session_lifetime_seconds: self.session_lifetime_seconds,
            step_up_seconds: self.step_up_seconds,
            counter_policy: self.counter_policy,
            audit_retention_seconds: self.audit_retention_seconds,
            backup_eligibility_policy: self.backup_eligibility_policy,
            require_email: self.require_email,
            own_profile: self.own_profile,
            emails_verified: self.emails_verified,
        }
    }

    pub(super) fn default_claims(&self) -> Option<Vec<Claim>> {
        self.default_claims.as_ref().map(claims)
    }
}

impl GroupEntry {
    pub(super) fn claims(&self) -> Vec<Claim> {
        claims(&self.claims)
    }
}

impl UserEntry {
    pub(super) fn claims(&self) -> Vec<Claim> {
        claims(&self.claims)
    }
}

impl SignupTokenEntry {
    pub(super) fn claims(&self) -> Option<Vec<Claim>> {
        self.claims.as_ref().map(claims)
    }
}

fn claims(named: &BTreeMap<String, String>) -> Vec<Claim> {
    let claim = |(key, value): (&String, &String)| Claim {
        key: key.clone(),
        value: value.clone(),
    };
    named.iter().map(claim).collect()
}

impl ApiKeyEntry {
    fn checked_secret(&self, token_prefix: &str) -> Result<Option<MintedToken>> {
        match (&self.secret, self.generate.unwrap_or_default()) {
            (Some(secret), false) => tokens::supplied(token_prefix, secret).map(Some),
            (None, true) => Ok(None),
            _ => Err(invalid(
                "secret",
                InputReason::EitherOr {
                    field: "generate".to_owned(),
                },
            )),
        }
    }
}
