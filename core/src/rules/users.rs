//! Users: making, finding, changing, disabling, approving, deleting them (U1–U6).

pub(in crate::rules) mod checks;
pub(in crate::rules) mod names;

use crate::{
    db::{self, Reader},
    error::{ConflictReason, Result, Thing, conflict},
    gate::{
        change::{Change, Subject},
        handle::Keyplate,
        list,
        methods::Method,
    },
    model::{
        audit::EventKind,
        ids::{GroupId, UserId},
        named::Named,
        users::{NewUser, Role, User, UserChanges, UserPage, UserQuery, UserStatus},
    },
    rules::{
        groups, setup,
        users::checks::{
            check_allowed, get, keep_an_administrator, narrow_credentials, record_update,
        },
    },
    values::{numbers::at_least, text},
};

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Creates a user. The first active administrator that the host creates completes setup.
    ///
    /// # Errors
    /// `InvalidInput`; `Conflict` naming the field that is taken; `PermissionDenied`; `StepUpRequired` for an
    /// administrator.
    pub fn create_user(&self, user: NewUser) -> Result<User> {
        self.write(Method::CreateUser, |change| {
            let group_ids = &user.group_ids;
            let user = user.checked(self.shared.username_policy, change.now())?;
            let user = create(change, &user, group_ids)?;
            if change.caller.is_host()
                && user.role == Role::Administrator
                && user.check_may_sign_in(change.now()).is_ok()
            {
                setup::complete_if_open(change, &user)?;
            }
            Ok(user)
        })
    }

    /// Returns a user. Users may always look at themselves.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn get_user(&self, id: &UserId) -> Result<User> {
        self.read(Method::GetUser, |reader, caller| {
            caller.reach(id, Thing::User)?;
            get(reader, id)
        })
    }

    /// Looks for a user by username, without regard to case. Whoever may sign up chooses one: it says who somebody is here,
    /// and nothing of who they are elsewhere.
    ///
    /// # Errors
    /// `PermissionDenied`.
    pub fn find_user_by_username(&self, username: &str) -> Result<Option<User>> {
        self.find(Method::FindUserByUsername, |reader| {
            db::users::find_by_username(reader, &text::name_key(username.trim()))
        })
    }

    /// Looks for the user who holds an e-mail address, without regard to case: it was proved, or an administrator or the
    /// host gave it, also as a username. Nobody is found by what they only typed.
    ///
    /// # Errors
    /// `PermissionDenied`.
    pub fn find_user_by_email(&self, email: &str) -> Result<Option<User>> {
        self.find(Method::FindUserByEmail, |reader| {
            db::users::find_by_email(reader, &text::name_key(email.trim()))
        })
    }

    /// Looks for a user by the host's own key, which is taken as it is.
    ///
    /// # Errors
    /// `PermissionDenied`.
    pub fn find_user_by_external_id(&self, external_id: &str) -> Result<Option<User>> {
        self.find(Method::FindUserByExternalId, |reader| {
            db::users::find_by_external_id(reader, external_id)
        })
    }

    /// Lists users.
    ///
    /// # Errors
    /// `InvalidInput`, `PermissionDenied`.
    pub fn list_users(&self, query: UserQuery) -> Result<UserPage> {
        let page = list::page_request(query.page, query.limit)?;
        let search = list::search(query.search.as_deref())?;
        if let Some(seconds) = query.expiring_within_seconds {
            at_least("expiring_within_seconds", seconds, 0)?;
        }
        self.read(Method::ListUsers, |reader, _| {
            let total = db::users::count(reader, &query, search.as_deref())?;
            Ok(UserPage {
                items: db::users::list(reader, &query, search.as_deref(), page)?,
                total,
                page: page.page,
            })
        })
    }

    /// Changes a user's data. Users may change their own names, locale and e-mail address and, if the settings allow it,
    /// their username.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput`; `Conflict` naming the field that is taken, or `last administrator`;
    /// `PermissionDenied`; `StepUpRequired` for a role.
    pub fn update_user(&self, id: &UserId, changes: UserChanges) -> Result<User> {
        self.write(Method::UpdateUser, |change| {
            change.caller.reach(id, Thing::User)?;
            let before = get(change, id)?;
            let gives = change.caller.is_administrator();
            if gives {
                changes.check_proof(&before)?; // nobody else may say so
            }
            let policy = self.shared.username_policy;
            let mut after = changes.applied(&before, policy, change.now(), gives)?;
            if gives && changes.email_verified.is_none() {
                after = checks::new_address_by_settings(change, &before, after)?;
            }
            keep_an_administrator(change, || update(change, before, after))
        })
    }

    /// Deletes a user with all that is theirs. Their id is not given again, and their username and the addresses that they
    /// held only by `create_user`; the audit log stays.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`, `Conflict` for the last administrator.
    pub fn delete_user(&self, id: &UserId) -> Result<()> {
        self.write(Method::DeleteUser, |change| {
            let user = get(change, id)?;
            change.caller.govern(&user)?;
            keep_an_administrator(change, || names::delete(change, &user))?;
            change.record(EventKind::UserDeleted, Subject::user(&user), &[])
        })
    }

    /// Makes a user an administrator, or an ordinary user again. Their older sessions and keys gain nothing by it.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`, `StepUpRequired`, `Conflict` for the last administrator.
    pub fn set_user_role(&self, id: &UserId, role: Role) -> Result<User> {
        self.write(Method::SetUserRole, |change| {
            change.caller.may_set_roles(change)?;
            let before = get(change, id)?;
            if before.role == role {
                return Ok(before);
            }
            if role == Role::Administrator {
                narrow_credentials(change, id)?;
            }
            let after = User {
                role,
                updated_at: change.now(),
                ..before
            };
            keep_an_administrator(change, || db::users::update(change, &after))?;
            let details = [("role", role.name())];
            change.record(EventKind::UserRoleChanged, Subject::user(&after), &details)?;
            Ok(after)
        })
    }

    /// Lets a disabled user sign in again.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`; `Conflict` for a user who waits for approval.
    pub fn enable_user(&self, id: &UserId) -> Result<User> {
        self.set_status(
            Method::EnableUser,
            id,
            UserStatus::Active,
            EventKind::UserEnabled,
        )
    }

    /// Keeps a user out at once, in every process. Their sessions and API keys fail until they are enabled again.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`; `Conflict` for the last administrator or a user who waits for approval.
    pub fn disable_user(&self, id: &UserId) -> Result<User> {
        self.set_status(
            Method::DisableUser,
            id,
            UserStatus::Disabled,
            EventKind::UserDisabled,
        )
    }
}

/// Makes a user whose data are well-formed, in these groups.
pub(in crate::rules) fn create(
    change: &Change<'_>,
    user: &User,
    group_ids: &[GroupId],
) -> Result<User> {
    if user.role == Role::Administrator {
        change.caller.may_set_roles(change)?;
    }
    let user = checks::by_settings(change, user.clone(), true)?;
    names::insert_given(change, &user)?;
    if !group_ids.is_empty() {
        change.caller.may_give_groups()?;
        groups::check_all_exist(change, group_ids)?;
        db::groups::replace_of_user(change, &user.id, group_ids)?;
    }
    let user = get(change, &user.id)?;
    change.record(
        EventKind::UserCreated,
        Subject::user(&user),
        &[("role", user.role.name())],
    )?;
    Ok(user)
}

/// Makes of `before` what is well-formed in `after`. The last administrator (U3) is looked after by the caller.
pub(in crate::rules) fn update(change: &Change<'_>, before: User, after: User) -> Result<User> {
    check_allowed(change, &before, &after)?;
    checks::check_keeps_address(change, &before, &after)?;
    if after == before {
        return Ok(before);
    }
    let after = User {
        updated_at: change.now(),
        ..after
    };
    if after.role == Role::Administrator && before.role != after.role {
        narrow_credentials(change, &after.id)?;
    }
    names::update(change, &before, &after)?;
    record_update(change, &before, &after)?;
    Ok(after)
}

impl Keyplate {
    /// Who may not see a user finds nobody.
    fn find(
        &self,
        method: Method,
        look: impl Fn(&Reader<'_>) -> Result<Option<User>>,
    ) -> Result<Option<User>> {
        self.read(method, |reader, caller| {
            let found = look(reader)?;
            Ok(found.filter(|user| caller.reach(&user.id, Thing::User).is_ok()))
        })
    }

    fn set_status(
        &self,
        method: Method,
        id: &UserId,
        status: UserStatus,
        kind: EventKind,
    ) -> Result<User> {
        self.write(method, |change| {
            let before = get(change, id)?;
            change.caller.govern(&before)?;
            if before.status == status {
                return Ok(before);
            }
            if before.status == UserStatus::Pending {
                return Err(conflict(ConflictReason::UserPending));
            }
            let after = User {
                status,
                updated_at: change.now(),
                ..before
            };
            keep_an_administrator(change, || db::users::update(change, &after))?;
            change.record(kind, Subject::user(&after), &[])?;
            Ok(after)
        })
    }
}
