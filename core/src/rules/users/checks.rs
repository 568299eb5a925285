//! The rules of users (U1–U3, U6, K2): what is a good user, and who may make which change.

use std::time::SystemTime;

use crate::{
    clock,
    db::{self, Reader, Writer},
    error::{
        ConflictReason, DenialReason, Found, InputReason, Result, Thing, conflict, denied, invalid,
        other_email,
    },
    gate::change::{Change, Subject},
    model::{
        audit::EventKind,
        ids::UserId,
        named::Named,
        users::{NewUser, User, UserChanges, UserStatus, full_name},
    },
    values::text::{self, UsernamePolicy},
};

const MAX_DISPLAY_NAME: usize = 100;
const MAX_NAME: usize = 50;
const MAX_EXTERNAL_ID: usize = 255;

// The rule of each text of a profile, once for what is made and what is changed.

fn display_name(text: &str) -> Result<Option<String>> {
    text::optional("display_name", text, MAX_DISPLAY_NAME)
}

fn first_name(text: &str) -> Result<Option<String>> {
    text::optional("first_name", text, MAX_NAME)
}

fn last_name(text: &str) -> Result<Option<String>> {
    text::optional("last_name", text, MAX_NAME)
}

fn external_id(text: &str) -> Result<Option<String>> {
    text::opaque("external_id", text, MAX_EXTERNAL_ID)
}

impl NewUser {
    pub(in crate::rules) fn checked(
        &self,
        policy: UsernamePolicy,
        now: SystemTime,
    ) -> Result<User> {
        type Check = fn(&str) -> Result<Option<String>>;
        let given = |text: &Option<String>, check: Check| text.as_deref().map_or(Ok(None), check);
        let first_name = given(&self.first_name, first_name)?;
        let last_name = given(&self.last_name, last_name)?;
        let full_name = full_name(first_name.as_deref(), last_name.as_deref());
        let email = given(&self.email, text::email)?;
        Ok(User {
            id: self.id.map_or_else(|| UserId::generate(now), Ok)?,
            username: text::username(&self.username, policy)?,
            email_verified: self.email_verified && email.is_some(),
            email_held: self.email_verified && email.is_some(),
            email,
            display_name: given(&self.display_name, display_name)?.or(full_name),
            first_name,
            last_name,
            locale: given(&self.locale, text::locale)?,
            external_id: given(&self.external_id, external_id)?,
            group_ids: Vec::new(), // stored separately
            claims: Vec::new(),
            role: self.role.unwrap_or_default(),
            status: self.status.unwrap_or_default(),
            expires_at: self
                .expires_at
                .map(|end| clock::future("expires_at", end, now))
                .transpose()?,
            created_at: now,
            updated_at: now,
        })
    }
}

impl UserChanges {
    /// U1: whoever proves an address names it, and proves no other.
    pub(super) fn check_proof(&self, user: &User) -> Result<()> {
        if self.email_verified != Some(true) {
            return Ok(());
        }
        let Some(proved) = text::email(self.email.as_deref().unwrap_or_default())? else {
            return Err(invalid(
                "email_verified",
                InputReason::Needs {
                    field: "email".to_owned(),
                },
            ));
        };
        match &user.email {
            Some(other) if text::name_key(other) != text::name_key(&proved) => Err(other_email()),
            _ => Ok(()),
        }
    }

    /// What the user is after them. `gives`: does an administrator or the host make them?
    pub(in crate::rules) fn applied(
        &self,
        user: &User,
        policy: UsernamePolicy,
        now: SystemTime,
        gives: bool,
    ) -> Result<User> {
        type Check = fn(&str) -> Result<Option<String>>;
        // What is only repeated is no change, though an older version let it in.
        let text_or = |change: &Option<String>, old: &Option<String>, check: Check| match change {
            Some(text) if Some(text) != old.as_ref() => check(text),
            _ => Ok(old.clone()),
        };
        let email = text_or(&self.email, &user.email, text::email)?;
        let kept = text::same_address(&email, &user.email) && user.email_verified;
        let verified = self.email_verified.unwrap_or(kept) && email.is_some();
        // What is only repeated is not given, and another way to write it is no other address.
        let key = |email: &Option<String>| email.as_deref().map(text::name_key);
        let held = match key(&email) == key(&user.email) {
            true => user.email_held,
            false => gives,
        };
        let first_name = text_or(&self.first_name, &user.first_name, first_name)?;
        let last_name = text_or(&self.last_name, &user.last_name, last_name)?;
        let full_name = full_name(first_name.as_deref(), last_name.as_deref());
        // A name that nobody gave goes along with those that it is made of.
        let shown = match &self.display_name {
            None if user.display_name == user.full_name() => None,
            change => text_or(change, &user.display_name, display_name)?,
        };
        Ok(User {
            username: match &self.username {
                Some(name) if *name != user.username => text::username(name, policy)?,
                _ => user.username.clone(),
            },
            email_verified: verified,
            email_held: verified || held && email.is_some(),
            email,
            display_name: shown.or(full_name),
            first_name,
            last_name,
            locale: text_or(&self.locale, &user.locale, text::locale)?,
            external_id: text_or(&self.external_id, &user.external_id, external_id)?,
            expires_at: match self.expiry {
                // A client that sends back what it was given changes nothing.
                Some(expiry) if expiry.is_stored(user.expires_at) => user.expires_at,
                Some(expiry) => expiry.checked("expiry", now)?,
                None => user.expires_at,
            },
            role: self.role.unwrap_or(user.role),
            status: match self.disabled {
                Some(true) => UserStatus::Disabled,
                Some(false) if user.status == UserStatus::Disabled => UserStatus::Active,
                _ => user.status,
            },
            ..user.clone()
        })
    }
}

/// S5: a new account as the settings want it. `given`: does an administrator or the host give the address?
pub(in crate::rules) fn by_settings(reader: &Reader<'_>, user: User, given: bool) -> Result<User> {
    let settings = db::settings::load(reader)?;
    if settings.require_email && user.email.is_none() {
        return Err(invalid("email", InputReason::Missing));
    }
    let proved = given && settings.emails_verified && user.email.is_some();
    Ok(User {
        email_verified: user.email_verified || proved,
        email_held: user.email_held || proved,
        ..user
    })
}

/// S5: the same for an address that an administrator or the host gives in place of another, and says no more of it.
pub(in crate::rules) fn new_address_by_settings(
    reader: &Reader<'_>,
    before: &User,
    after: User,
) -> Result<User> {
    let is_new = after.email.is_some() && !text::same_address(&before.email, &after.email);
    let proved = is_new && db::settings::load(reader)?.emails_verified;
    Ok(User {
        email_verified: after.email_verified || proved,
        email_held: after.email_held || proved,
        ..after
    })
}

/// S5: where every account needs an address, nobody's is taken away.
pub(super) fn check_keeps_address(reader: &Reader<'_>, before: &User, after: &User) -> Result<()> {
    let loses = before.email.is_some() && after.email.is_none();
    if loses && db::settings::load(reader)?.require_email {
        return Err(invalid("email", InputReason::Missing));
    }
    Ok(())
}

/// U6 and K2: may the caller make these changes? What is only repeated is no change.
pub(super) fn check_allowed(change: &Change<'_>, before: &User, after: &User) -> Result<()> {
    let caller = change.caller;
    if before.role != after.role {
        if !caller.is_administrator() {
            return Err(denied(DenialReason::AdministratorsOnly));
        }
        caller.may_set_roles(change)?;
    }
    if before.status == UserStatus::Pending && before.status != after.status {
        return Err(conflict(ConflictReason::UserPending));
    }
    let himself = caller.user_id() == Some(before.id);
    let address = !text::same_address(&before.email, &after.email);
    // Users who change their own address have an unverified one from then on.
    let verified = before.email_verified != after.email_verified
        && !(himself && address && !after.email_verified)
        || address && after.email_verified;
    let governed = verified
        || before.status != after.status
        || (before.username != after.username && !may_rename(change, before)?)
        || before.external_id != after.external_id
        || before.expires_at != after.expires_at;
    if !caller.is_administrator() && governed {
        return Err(denied(DenialReason::OwnProfileOnly));
    }
    if !caller.is_administrator() && before != after && !db::settings::load(change)?.own_profile {
        return Err(denied(DenialReason::OwnProfileClosed));
    }
    if governed || (address && !himself) {
        return caller.govern(before);
    }
    if address || before.username != after.username {
        return caller.covers_account_of(before);
    }
    Ok(())
}

/// U6: users may rename themselves if the settings allow it.
fn may_rename(change: &Change<'_>, user: &User) -> Result<bool> {
    let himself = change.caller.user_id() == Some(user.id);
    Ok(himself && db::settings::load(change)?.username_change)
}

pub(in crate::rules) fn get(reader: &Reader<'_>, id: &UserId) -> Result<User> {
    db::users::find(reader, id)?.or_missing(Thing::User)
}

/// K2: a promotion widens no older credential, not one from an earlier term either.
pub(in crate::rules) fn narrow_credentials(writer: &Writer<'_>, id: &UserId) -> Result<()> {
    db::sessions::narrow_to_user(writer, id)?;
    db::api_keys::narrow_to_user(writer, id)?;
    db::one_time_tokens::narrow_to_user(writer, id)?;
    db::app_passwords::narrow_to_user(writer, id)?;
    db::device_logins::narrow_to_user(writer, id)
}

/// U3: who counted as administrator before a change.
pub(in crate::rules) struct LastAdministrator {
    /// Once one of them has a passkey, only those count who have: the others might never get in again.
    with_passkey: bool,
    was_there: bool,
}

impl LastAdministrator {
    pub(in crate::rules) fn before(reader: &Reader<'_>) -> Result<Self> {
        let with_passkey = db::users::count_lasting_administrators(reader, true)? > 0;
        Ok(Self {
            with_passkey,
            was_there: db::users::count_lasting_administrators(reader, with_passkey)? > 0,
        })
    }

    /// Has the change taken the last one away?
    pub(in crate::rules) fn is_gone(&self, reader: &Reader<'_>) -> Result<bool> {
        let left = || db::users::count_lasting_administrators(reader, self.with_passkey);
        Ok(self.was_there && left()? == 0)
    }
}

/// U3: makes a change, unless it takes the last administrator away who counts.
pub(in crate::rules) fn keep_an_administrator<T>(
    change: &Change<'_>,
    f: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let last = LastAdministrator::before(change)?;
    let result = f()?;
    if last.is_gone(change)? {
        return Err(conflict(ConflictReason::LastAdministrator));
    }
    Ok(result)
}

/// A1: one row for the change; a new role or status has its own besides, as `set_user_role`, `enable_user` and
/// `disable_user` write it: who looks for those finds all.
pub(super) fn record_update(change: &Change<'_>, before: &User, after: &User) -> Result<()> {
    let subject = || Subject::user(after);
    let fields = changed_fields(before, after);
    change.record(EventKind::UserUpdated, subject(), &[("fields", &fields)])?;
    if before.role != after.role {
        let details = [("role", after.role.name())];
        change.record(EventKind::UserRoleChanged, subject(), &details)?;
    }
    match after.status {
        UserStatus::Active if before.status != after.status => {
            change.record(EventKind::UserEnabled, subject(), &[])
        }
        UserStatus::Disabled if before.status != after.status => {
            change.record(EventKind::UserDisabled, subject(), &[])
        }
        _ => Ok(()),
    }
}

fn changed_fields(before: &User, after: &User) -> String {
    let changed = [
        ("username", before.username != after.username),
        ("email", before.email != after.email),
        (
            "email_verified",
            before.email_verified != after.email_verified,
        ),
        ("display_name", before.display_name != after.display_name),
        ("first_name", before.first_name != after.first_name),
        ("last_name", before.last_name != after.last_name),
        ("locale", before.locale != after.locale),
        ("external_id", before.external_id != after.external_id),
        ("expiry", before.expires_at != after.expires_at),
        ("role", before.role != after.role),
        ("status", before.status != after.status),
    ];
    let names: Vec<&str> = changed
        .iter()
        .filter(|(_, changed)| *changed)
        .map(|(name, _)| *name)
        .collect();
    names.join(" ")
}
