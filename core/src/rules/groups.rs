//! Groups, their members and claims (G1).

use crate::{
    db::{self, Reader},
    error::{Found, InputReason, Result, Thing, invalid, not_found, taken},
    gate::{
        caller::Caller,
        change::{Change, Subject},
        handle::Keyplate,
        list,
        methods::Method,
    },
    model::{
        audit::EventKind,
        claims::Claim,
        groups::{Group, GroupChanges, GroupPage, GroupQuery, NewGroup},
        ids::{GroupId, UserId},
        users::User,
    },
    rules::{claims, users::checks as users},
    values::text,
};

const MAX_FRIENDLY_NAME: usize = 50;
const MIN_FRIENDLY_NAME: usize = 2;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Creates a group without members.
    ///
    /// # Errors
    /// `InvalidInput`; `Conflict` for a name that is taken; `PermissionDenied`.
    pub fn create_group(&self, group: NewGroup) -> Result<Group> {
        self.write(Method::CreateGroup, |change| create(change, &group))
    }

    /// Returns a group. Users who are not administrators see those that they are in.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn get_group(&self, id: &GroupId) -> Result<Group> {
        self.read(Method::GetGroup, |reader, caller| {
            let group = get(reader, id)?;
            if !caller.is_administrator() && !is_member(reader, caller, id)? {
                return Err(not_found(Thing::Group));
            }
            Ok(group)
        })
    }

    /// Lists groups.
    ///
    /// # Errors
    /// `InvalidInput`, `PermissionDenied`.
    pub fn list_groups(&self, query: GroupQuery) -> Result<GroupPage> {
        let page = list::page_request(query.page, query.limit)?;
        let search = list::search(query.search.as_deref())?;
        self.read(Method::ListGroups, |reader, caller| {
            let query = GroupQuery {
                user_id: list::visible_owner(caller, query.user_id)?,
                ..query.clone()
            };
            let total = db::groups::count(reader, &query, search.as_deref())?;
            Ok(GroupPage {
                items: db::groups::list(reader, &query, search.as_deref(), page)?,
                total,
                page: page.page,
            })
        })
    }

    /// Changes a group's names.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `Conflict` for a name that is taken, `PermissionDenied`.
    pub fn update_group(&self, id: &GroupId, changes: GroupChanges) -> Result<Group> {
        self.write(Method::UpdateGroup, |change| {
            let before = get(change, id)?;
            let after = changes.applied(before.clone())?;
            if after != before {
                store(change, &before, &after)?;
            }
            Ok(after)
        })
    }

    /// Deletes a group. Nobody is in it any more, and no sign-up token gives it.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn delete_group(&self, id: &GroupId) -> Result<()> {
        self.write(Method::DeleteGroup, |change| {
            let group = get(change, id)?;
            db::groups::delete(change, id)?;
            record(change, EventKind::GroupDeleted, &group)
        })
    }

    /// Makes exactly these users the members of a group.
    ///
    /// # Errors
    /// `NotFound` for the group or a user; `PermissionDenied`.
    pub fn set_group_members(&self, id: &GroupId, user_ids: &[UserId]) -> Result<Group> {
        self.write(Method::SetGroupMembers, |change| {
            let before = get(change, id)?;
            for user_id in user_ids {
                users::get(change, user_id)?;
            }
            if hold_the_same(&db::groups::members(change, id)?, user_ids) {
                return Ok(before);
            }
            db::groups::replace_members(change, id, user_ids)?;
            let group = get(change, id)?;
            record(change, EventKind::GroupMembersChanged, &group)?;
            Ok(group)
        })
    }

    /// Gives a group exactly these claims.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` for reserved, repeated or malformed names; `PermissionDenied`.
    pub fn set_group_claims(&self, id: &GroupId, claims: Vec<Claim>) -> Result<Group> {
        self.write(Method::SetGroupClaims, |change| {
            let before = get(change, id)?;
            if hold_the_same(&before.claims, &claims) {
                return Ok(before);
            }
            set_claims(change, id, &claims::checked(claims.clone())?)
        })
    }

    /// Puts a user into exactly these groups.
    ///
    /// # Errors
    /// `NotFound` for the user or a group; `PermissionDenied`.
    pub fn set_user_groups(&self, id: &UserId, group_ids: &[GroupId]) -> Result<User> {
        self.write(Method::SetUserGroups, |change| {
            let before = users::get(change, id)?;
            check_all_exist(change, group_ids)?;
            if hold_the_same(&before.group_ids, group_ids) {
                return Ok(before);
            }
            set_of_user(change, id, group_ids)
        })
    }

    /// Gives a user exactly these claims of their own.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` for reserved, repeated or malformed names; `PermissionDenied`.
    pub fn set_user_claims(&self, id: &UserId, claims: Vec<Claim>) -> Result<User> {
        self.write(Method::SetUserClaims, |change| {
            let before = users::get(change, id)?;
            if hold_the_same(&before.claims, &claims) {
                return Ok(before);
            }
            set_claims_of_user(change, id, &claims::checked(claims.clone())?)
        })
    }
}

impl GroupChanges {
    pub(in crate::rules) fn applied(&self, before: Group) -> Result<Group> {
        Ok(Group {
            // What is only repeated is no change, though an older version let it in.
            name: match &self.name {
                Some(name) if *name != before.name => text::group_name(name)?,
                _ => before.name,
            },
            friendly_name: match &self.friendly_name {
                Some(name) if *name != before.friendly_name => checked_friendly_name(name)?,
                _ => before.friendly_name,
            },
            ..before
        })
    }
}

pub(in crate::rules) fn create(change: &Change<'_>, group: &NewGroup) -> Result<Group> {
    let name = text::group_name(&group.name)?;
    let group = Group {
        id: GroupId::generate(change.now())?,
        friendly_name: checked_friendly_name(group.friendly_name.as_deref().unwrap_or(&name))?,
        name,
        claims: Vec::new(),
        member_count: 0,
        created_at: change.now(),
    };
    check_free(change, &group, None)?;
    db::groups::insert(change, &group)?;
    record(change, EventKind::GroupCreated, &group)?;
    Ok(group)
}

/// Stores a group's names.
pub(in crate::rules) fn store(change: &Change<'_>, before: &Group, group: &Group) -> Result<()> {
    check_free(change, group, Some(before))?;
    db::groups::update(change, group)?;
    record(change, EventKind::GroupUpdated, group)
}

pub(in crate::rules) fn set_claims(
    change: &Change<'_>,
    id: &GroupId,
    claims: &[Claim],
) -> Result<Group> {
    db::claims::replace_of_group(change, id, claims)?;
    let group = get(change, id)?;
    record(change, EventKind::GroupClaimsChanged, &group)?;
    Ok(group)
}

/// Do both hold the same, in whatever order, and each once? Who only repeats what there is changes nothing.
pub(in crate::rules) fn hold_the_same<T: PartialEq>(some: &[T], others: &[T]) -> bool {
    some.len() == others.len()
        && some.iter().all(|one| others.contains(one))
        && others.iter().all(|one| some.contains(one))
}

/// Puts a user into exactly these groups, which exist.
pub(in crate::rules) fn set_of_user(
    change: &Change<'_>,
    id: &UserId,
    group_ids: &[GroupId],
) -> Result<User> {
    db::groups::replace_of_user(change, id, group_ids)?;
    let user = users::get(change, id)?;
    change.record(EventKind::UserGroupsChanged, Subject::user(&user), &[])?;
    Ok(user)
}

pub(in crate::rules) fn set_claims_of_user(
    change: &Change<'_>,
    id: &UserId,
    claims: &[Claim],
) -> Result<User> {
    db::claims::replace_of_user(change, id, claims)?;
    let user = users::get(change, id)?;
    change.record(EventKind::UserClaimsChanged, Subject::user(&user), &[])?;
    Ok(user)
}

fn get(reader: &Reader<'_>, id: &GroupId) -> Result<Group> {
    db::groups::find(reader, id)?.or_missing(Thing::Group)
}

fn is_member(reader: &Reader<'_>, caller: &Caller, id: &GroupId) -> Result<bool> {
    match caller.user_id() {
        Some(user_id) => Ok(db::groups::of_user(reader, &user_id)?.contains(id)),
        None => Ok(false),
    }
}

pub(in crate::rules) fn check_all_exist(reader: &Reader<'_>, ids: &[GroupId]) -> Result<()> {
    for id in ids {
        if !db::groups::exists(reader, id)? {
            return Err(not_found(Thing::Group));
        }
    }
    Ok(())
}

fn checked_friendly_name(text: &str) -> Result<String> {
    let field = "friendly_name";
    let name = text::required(field, text, MAX_FRIENDLY_NAME)?;
    if name.chars().count() < MIN_FRIENDLY_NAME {
        return Err(invalid(field, InputReason::TooShort { least: 2 }));
    }
    Ok(name)
}

/// G1. A name that stays the same is not asked about: another may have it from before the two were the same.
fn check_free(reader: &Reader<'_>, group: &Group, before: Option<&Group>) -> Result<()> {
    let name = text::folded(&group.name);
    let is_new = before.is_none_or(|before| text::folded(&before.name) != name);
    if is_new && db::groups::other_has_name(reader, &group.id, &name)? {
        return Err(taken("name"));
    }
    Ok(())
}

fn record(change: &Change<'_>, kind: EventKind, group: &Group) -> Result<()> {
    change.record(kind, Subject::thing(group.id.as_str(), &group.name), &[])
}
