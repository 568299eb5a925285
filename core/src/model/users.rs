//! Users.

use std::time::SystemTime;

use crate::{
    clock,
    error::{KeyplateError, Result},
    model::{
        claims::Claim,
        ids::{GroupId, UserId},
        named::named,
    },
};

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct User {
    /// Stays for ever and is never given again.
    pub id: UserId,
    /// Unique without regard to case.
    pub username: String,
    /// E-mail address; compared without regard to case and to the spelling of its domain: `xn--…` is shown in letters.
    pub email: Option<String>,
    /// Does the address belong to him for certain?
    pub email_verified: bool,
    /// Is the address theirs and nobody else's, without regard to case? It is when it was proved, or given by an administrator
    /// or the host. One that they only typed finds nobody, and goes when somebody else comes to hold it.
    pub email_held: bool,
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

named!(Role {
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

named!(UserStatus {
    Pending = "pending",
    Active = "active",
    Disabled = "disabled",
});

/// What kind of name somebody had before (U1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameKind {
    Username,
    /// An address that they held, as their e-mail address or as their username.
    Email,
}

named!(NameKind {
    Username = "username",
    Email = "email",
});

/// A user to be made. Empty text is the same as none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NewUser {
    /// 1 to 50 characters: letters, digits and `_ . @ -`, a letter or digit at both ends. One with `@` holds that e-mail
    /// address: it is nobody else's.
    pub username: String,
    /// The id, a UUID that was never used; by default a new one.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub id: Option<UserId>,
    /// E-mail address, which nobody else holds. Whoever had only typed it has none from now on.
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
    /// As in `NewUser`, and no name that somebody else had before. For the user himself only where the settings allow it,
    /// and without `@`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub username: Option<String>,
    /// E-mail address, which nobody else holds; nor had before, when an administrator gives it. A new one is unverified.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email: Option<String>,
    /// Does the address belong to him for certain? Yes wants the proved address in `email`, and fails where another one
    /// stands by now. Not for the user himself.
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
    /// A part of the username, of a name, of first and last name together, of the e-mail address or of the external id,
    /// without regard to case and accents.
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
    pub expiring_within_seconds: Option<i64>,
    /// The order; by default that of creation.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sort: Option<UserSort>,
    /// The other way round.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub descending: bool,
    /// Which page, from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<i64>,
    /// How many on a page: 1 to 1000, by default 20.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<i64>,
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
    pub total: i64,
    /// Which page this is; the last one when a later one was asked for.
    pub page: i64,
}

impl User {
    /// U2: only an active, unexpired user signs in.
    pub(crate) fn check_may_sign_in(&self, now: SystemTime) -> Result<()> {
        check_may_sign_in(self.status, self.expires_at, now)
    }
}

pub(crate) fn check_may_sign_in(
    status: UserStatus,
    expires_at: Option<SystemTime>,
    now: SystemTime,
) -> Result<()> {
    match status {
        UserStatus::Pending => Err(KeyplateError::AccountPending),
        UserStatus::Disabled => Err(KeyplateError::AccountDisabled),
        UserStatus::Active if expires_at.is_some_and(|end| end <= now) => {
            Err(KeyplateError::AccountExpired)
        }
        UserStatus::Active => Ok(()),
    }
}

impl Expiry {
    /// As it would be stored.
    pub(crate) fn time(self) -> Option<SystemTime> {
        match self {
            Self::Never => None,
            Self::At { time } => Some(clock::rounded(time)),
        }
    }

    pub(crate) fn checked(self, field: &str, now: SystemTime) -> Result<Option<SystemTime>> {
        match self {
            Self::Never => Ok(None),
            Self::At { time } => clock::future(field, time, now).map(Some),
        }
    }
}
