use super::{
    groups,
    place::{Place, each},
    plan::UserEntry,
    run::{Run, updated},
};
use crate::{
    db::{self, Reader},
    error::{ConflictReason, InputReason, Result, Thing, conflict, invalid},
    gate::change::Change,
    model::{
        bootstrap::{BootstrapAction, BootstrapKind},
        ids::UserId,
        users::{Expiry, NewUser, Role, User, UserChanges, UserStatus},
    },
    rules::{
        claims, groups as group_rules,
        users::{self, checks::LastAdministrator},
    },
    values::text::{self, UsernamePolicy},
};

pub(super) fn apply(run: &mut Run<'_>, entries: &[UserEntry]) -> Result<()> {
    let last = LastAdministrator::before(run.change)?;
    let policy = run.keyplate.shared.username_policy;
    // U3 is asked of the whole plan: it may take one administrator away and bring another.
    let mut taken_away = None;
    each("users", entries, |index, entry| {
        let Ensured {
            action,
            user,
            was_administrator,
        } = ensure(run.change, policy, entry)?;
        // They are counted when one may have gone, or come in the place of one: not for every user of a long plan.
        let may_have_gone = was_administrator && action.is_some();
        if may_have_gone || taken_away.is_some() && user.role == Role::Administrator {
            taken_away = match last.is_gone(run.change)? {
                true => taken_away.or(Some(index)),
                false => None,
            };
        }
        let is_administrator =
            user.role == Role::Administrator && user.check_may_sign_in(run.change.now()).is_ok();
        if action.is_some() && is_administrator {
            run.administrator = Some(user);
        }
        run.note(action, BootstrapKind::User, &entry.username);
        Ok(())
    })?;
    match taken_away {
        Some(index) => {
            Err(Place::entry("users", index).blame(conflict(ConflictReason::LastAdministrator)))
        }
        None => Ok(()),
    }
}

/// A user as the plan has them, and what that took.
struct Ensured {
    action: Option<BootstrapAction>,
    user: User,
    was_administrator: bool,
}

fn ensure(change: &Change<'_>, policy: UsernamePolicy, entry: &UserEntry) -> Result<Ensured> {
    if entry.email.is_none() && entry.email_verified == Some(true) {
        // They may have given themselves another address since (U6).
        return Err(invalid(
            "email_verified",
            InputReason::Needs {
                field: "email".to_owned(),
            },
        ));
    }
    let id = entry.id.as_deref().map(UserId::parse).transpose()?;
    let present = find_declared(change, entry, id)?;
    let before = present.as_ref();
    let was_administrator = before.is_some_and(|user| user.role == Role::Administrator);
    let (action, user) = match present {
        None => {
            let user = entry.to_make(id).checked(policy, change.now())?;
            let group_ids = groups::ids(change, "groups", &entry.groups)?;
            let user = users::create(change, &user, &group_ids)?;
            db::plans::know_user(change, &text::name_key(&entry.username), &user.id)?;
            (Some(BootstrapAction::Created), user)
        }
        Some(before) => {
            let changes = entry.changes();
            let mut after = changes.applied(&before, policy, change.now(), true)?;
            if changes.email_verified.is_none() {
                after = users::checks::new_address_by_settings(change, &before, after)?;
            }
            let changed = after != before;
            let after = users::update(change, before, after)?;
            (updated(changed), after)
        }
    };
    let added = add_groups(change, &user, entry)?;
    let added = add_claims(change, &user, entry)? || added;
    Ok(Ensured {
        action: action.or(updated(added)),
        user,
        was_administrator,
    })
}

/// A plan only adds groups and claims: others come from elsewhere.
fn add_groups(change: &Change<'_>, user: &User, entry: &UserEntry) -> Result<bool> {
    let mut ids = user.group_ids.clone();
    let named = groups::ids(change, "groups", &entry.groups)?;
    ids.extend(named.into_iter().filter(|id| !user.group_ids.contains(id)));
    let changed = ids.len() != user.group_ids.len();
    if changed {
        group_rules::set_of_user(change, &user.id, &ids)?;
    }
    Ok(changed)
}

fn add_claims(change: &Change<'_>, user: &User, entry: &UserEntry) -> Result<bool> {
    let claims = claims::with_added(&user.claims, entry.claims())?;
    let changed = claims != user.claims;
    if changed {
        group_rules::set_claims_of_user(change, &user.id, &claims)?;
    }
    Ok(changed)
}

/// The user whom plans know by this name, whatever it is now. One whom no plan made is known if their id is named too:
/// anybody may have taken the name, and would get what the plan gives.
fn find_declared(
    change: &Change<'_>,
    entry: &UserEntry,
    id: Option<UserId>,
) -> Result<Option<User>> {
    let key = text::name_key(&entry.username);
    if let Some(known) = known(change, &key)? {
        return match id {
            Some(id) if id != known.id => Err(invalid("id", InputReason::OtherUser)),
            _ => Ok(Some(known)),
        };
    }
    match (db::users::find_by_username(change, &key)?, id) {
        (None, _) => Ok(None),
        (Some(user), Some(id)) if user.id == id => {
            db::plans::know_user(change, &key, &id)?;
            Ok(Some(user))
        }
        (Some(_), Some(_)) => Err(invalid("id", InputReason::OtherUser)),
        (Some(_), None) => Err(invalid(
            "username",
            InputReason::NotOfPlan { what: Thing::User },
        )),
    }
}

fn known(reader: &Reader<'_>, key: &str) -> Result<Option<User>> {
    match db::plans::find_user(reader, key)? {
        Some(id) => db::users::find(reader, &id),
        None => Ok(None),
    }
}

/// By the name in a plan, or else by their current one.
pub(super) fn find(reader: &Reader<'_>, username: &str) -> Result<Option<User>> {
    let key = text::name_key(username);
    match known(reader, &key)? {
        Some(user) => Ok(Some(user)),
        None => db::users::find_by_username(reader, &key),
    }
}

impl UserEntry {
    fn to_make(&self, id: Option<UserId>) -> NewUser {
        NewUser {
            username: self.username.clone(),
            id,
            email: self.email.clone(),
            email_verified: self.email_verified.unwrap_or_default(),
            display_name: self.display_name.clone(),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            locale: self.locale.clone(),
            external_id: self.external_id.clone(),
            group_ids: Vec::new(),
            role: self.role,
            status: self.disabled.map(|disabled| match disabled {
                true => UserStatus::Disabled,
                false => UserStatus::Active,
            }),
            expires_at: self.expires_at.and_then(Expiry::time),
        }
    }

    /// Their name is not changed, because it is what they were found by.
    fn changes(&self) -> UserChanges {
        UserChanges {
            username: None,
            email: self.email.clone(),
            email_verified: self.email_verified,
            display_name: self.display_name.clone(),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            locale: self.locale.clone(),
            external_id: self.external_id.clone(),
            expiry: self.expires_at,
            role: self.role,
            disabled: self.disabled,
        }
    }
}
