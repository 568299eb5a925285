mod rules;

use std::time::SystemTime;

use crate::{
    Claim, EventKind, GroupId, Keyplate, Result, UserId,
    audit::{Change, Subject},
    authority::Method,
    db::{self, text_enum},
    error::conflict,
    groups, list, setup,
};
use rules::{check_allowed, check_free, find, record_update};

pub(crate) use rules::{
    LastAdministrator, check_may_sign_in, check_name_for_signup, get, insert, insert_signed_up,
    keep_an_administrator, narrow_credentials,
};

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct User {
    /// Stays for ever and is never given again.
    pub id: UserId,
    /// Unique without regard to case.
    pub username: String,
    /// E-mail address, unique without regard to case.
    pub email: Option<String>,
    /// Does the address belong to him for certain?
    pub email_verified: bool,
    /// The name that others see.
    pub display_name: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Language tag, for example `de-CH`.
    pub locale: Option<String>,
    /// The host's own key for him.
    pub external_id: Option<String>,
    /// The groups that he is in, the first by name first.
    pub group_ids: Vec<GroupId>,
    /// Claims of his own.
    pub claims: Vec<Claim>,
    /// What he is here.
    pub role: Role,
    /// May he sign in?
    pub status: UserStatus,
    /// When the account lapses; it is never deleted by itself.
    pub expires_at: Option<SystemTime>,
    /// When he was made.
    pub created_at: SystemTime,
    /// When his data last changed.
    pub updated_at: SystemTime,
}

/// What a user is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum Role {
    /// Looks after what is his own.
    #[default]
    User,
    /// Looks after everybody.
    Administrator,
}

text_enum!(Role {
    User = "user",
    Administrator = "administrator",
});

/// May a user sign in?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum UserStatus {
    /// Not yet: he waits for approval.
    Pending,
    /// Yes.
    #[default]
    Active,
    /// No.
    Disabled,
}

text_enum!(UserStatus {
    Pending = "pending",
    Active = "active",
    Disabled = "disabled",
});

/// A user to be made. Empty text is the same as none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NewUser {
    /// 1 to 50 characters: letters, digits and `_ . @ -`, a letter or digit at both ends; nobody else's e-mail address.
    pub username: String,
    /// The id, a UUID that was never used; by default a new one.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub id: Option<UserId>,
    /// E-mail address.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email: Option<String>,
    /// Does the address belong to him for certain?
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email_verified: bool,
    /// The name that others see, at most 100 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub display_name: Option<String>,
    /// First name, at most 50 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub first_name: Option<String>,
    /// Last name, at most 50 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub last_name: Option<String>,
    /// Language tag, for example `de-CH`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub locale: Option<String>,
    /// The host's own key for him, unique, at most 255 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub external_id: Option<String>,
    /// The groups that he is in. Who makes him must have the right to change groups.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub group_ids: Vec<GroupId>,
    /// By default `User`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub role: Option<Role>,
    /// By default `Active`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub status: Option<UserStatus>,
    /// When the account lapses; by default never.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub expires_at: Option<SystemTime>,
}

/// When something ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Expiry {
    /// It does not end.
    Never,
    /// It ends then.
    At {
        /// A time in the future.
        time: SystemTime,
    },
}

/// Changes to a user: what is left out stays; empty text takes a value away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct UserChanges {
    /// As in `NewUser`. For the user himself only where the settings allow it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub username: Option<String>,
    /// E-mail address. A new one is unverified unless `email_verified` says otherwise.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email: Option<String>,
    /// Does the address belong to him for certain? Not for the user himself.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email_verified: Option<bool>,
    /// The name that others see.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub display_name: Option<String>,
    /// First name.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub first_name: Option<String>,
    /// Last name.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub last_name: Option<String>,
    /// Language tag.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub locale: Option<String>,
    /// The host's own key. Not for the user himself.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub external_id: Option<String>,
    /// When the account lapses. Not for the user himself.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub expiry: Option<Expiry>,
    /// The same as `set_user_role`, together with the other changes.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub role: Option<Role>,
    /// The same as `disable_user` or `enable_user`, together with the other changes.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub disabled: Option<bool>,
}

/// Which users, in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct UserQuery {
    /// A part of the username, a name or the e-mail address, without regard to case.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub search: Option<String>,
    /// Only with this status.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub status: Option<UserStatus>,
    /// Only with this role.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub role: Option<Role>,
    /// Only in this group.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub group_id: Option<GroupId>,
    /// Only those whose account lapses within so many seconds.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub expiring_within_seconds: Option<u32>,
    /// The order; by default that of creation.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sort: Option<UserSort>,
    /// The other way round.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub descending: bool,
    /// Which page, from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<u32>,
    /// How many on a page: 1 to 1000, by default 20.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<u32>,
}

/// An order of users; the id decides between equals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum UserSort {
    /// By the time when they were made.
    #[default]
    CreatedAt,
    /// By username.
    Username,
    /// By the name that others see.
    DisplayName,
    /// By first name.
    FirstName,
    /// By last name.
    LastName,
    /// By e-mail address.
    Email,
    /// By role, administrators first.
    Role,
    /// By the time when the account lapses.
    ExpiresAt,
}

/// A page of users.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct UserPage {
    /// The users.
    pub items: Vec<User>,
    /// How many there are in all.
    pub total: u64,
    /// Which page this is; the last one when a later one was asked for.
    pub page: u32,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Makes a user. The host's first active administrator completes setup (B4).
    ///
    /// # Errors
    /// `InvalidInput`; `Conflict` naming the field that is taken; `PermissionDenied`; `StepUpRequired` for an
    /// administrator.
    pub fn create_user(&self, user: NewUser) -> Result<User> {
        let group_ids = user.group_ids.clone();
        self.write(Method::CreateUser, |change| {
            let user = user.checked(self.shared.username_policy, change.now())?;
            let user = create(change, &user, &group_ids)?;
            if change.caller.is_host()
                && user.role == Role::Administrator
                && user.check_may_sign_in(change.now()).is_ok()
            {
                setup::complete_if_open(change, &user)?;
            }
            Ok(user)
        })
    }

    /// Gives a user. Anybody may look at himself.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`.
    pub fn get_user(&self, id: &UserId) -> Result<User> {
        self.read(Method::GetUser, |reader, caller| {
            caller.reach(id, "user")?;
            get(reader, id)
        })
    }

    /// Looks for a user by id, username, e-mail address or external id, in this order.
    ///
    /// # Errors
    /// `PermissionDenied`.
    pub fn find_user(&self, key: &str) -> Result<Option<User>> {
        self.read(Method::FindUser, |reader, caller| {
            let found = find(reader, key)?;
            Ok(found.filter(|user| caller.reach(&user.id, "user").is_ok()))
        })
    }

    /// Lists users.
    ///
    /// # Errors
    /// `InvalidInput`, `PermissionDenied`.
    pub fn list_users(&self, query: UserQuery) -> Result<UserPage> {
        let page = list::page_request(query.page, query.limit)?;
        let search = list::search(query.search.as_deref())?;
        self.read(Method::ListUsers, |reader, _| {
            let total = db::users::count(reader, &query, search.as_deref())?;
            let page = page.within(total);
            Ok(UserPage {
                items: db::users::list(reader, &query, search.as_deref(), page)?,
                total,
                page: page.page,
            })
        })
    }

    /// Changes a user's data. A user may change his own names, locale and e-mail address, and where the
    /// settings allow it his username (U6).
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput`; `Conflict` naming the field that is taken, or `last administrator`;
    /// `PermissionDenied`; `StepUpRequired` for a role.
    pub fn update_user(&self, id: &UserId, changes: UserChanges) -> Result<User> {
        self.write(Method::UpdateUser, |change| {
            change.caller.reach(id, "user")?;
            let before = get(change, id)?;
            let after = changes.applied(&before, self.shared.username_policy, change.now())?;
            keep_an_administrator(change, || update(change, before, after))
        })
    }

    /// Deletes a user with all that is his. His id and name are not given again (U1); the audit log stays.
    ///
    /// # Errors
    /// `NotFound`, `PermissionDenied`, `Conflict` for the last administrator.
    pub fn delete_user(&self, id: &UserId) -> Result<()> {
        self.write(Method::DeleteUser, |change| {
            let user = get(change, id)?;
            change.caller.govern(&user)?;
            keep_an_administrator(change, || db::users::delete(change, &user, change.now()))?;
            change.record(EventKind::UserDeleted, Subject::user(&user), &[])
        })
    }

    /// Makes a user an administrator, or an ordinary user again. His older sessions and keys gain nothing by it.
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
            let details = [("role", role.as_stored())];
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

    /// Keeps a user out at once, in every process: his sessions and API keys fail until he is enabled again.
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
pub(crate) fn create(change: &Change<'_>, user: &User, group_ids: &[GroupId]) -> Result<User> {
    if user.role == Role::Administrator {
        change.caller.may_set_roles(change)?;
    }
    insert(change, user)?;
    if !group_ids.is_empty() {
        change.caller.may_give_groups()?;
        groups::check_all_exist(change, group_ids)?;
        db::groups::replace_of_user(change, &user.id, group_ids)?;
    }
    let user = get(change, &user.id)?;
    change.record(
        EventKind::UserCreated,
        Subject::user(&user),
        &[("role", user.role.as_stored())],
    )?;
    Ok(user)
}

/// Makes of `before` what is well-formed in `after`. The last administrator (U3) is looked after by the caller.
pub(crate) fn update(change: &Change<'_>, before: User, after: User) -> Result<User> {
    check_allowed(change, &before, &after)?;
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
    check_free(change, &after, Some(&before))?;
    db::users::update(change, &after)?;
    record_update(change, &before, &after)?;
    Ok(after)
}

impl Keyplate {
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
                return Err(conflict("the user waits for approval"));
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
