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
    /// The id. It never changes and is never given to anybody else.
    pub id: UserId,
    /// The username, unique regardless of case.
    pub username: String,
    /// E-mail address; compared without regard to case and to the spelling of its domain: `xn--…` is shown in letters.
    pub email: Option<String>,
    /// Whether the address is known to be theirs.
    pub email_verified: bool,
    /// Is the address theirs and nobody else's, without regard to case? It is when it was proved, or given by an administrator
    /// or the host. One that they only typed finds nobody, and goes when somebody else comes to hold it.
    pub email_held: bool,
    /// The name that others see: where none was given, the first and the last name.
    pub display_name: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Language tag, for example `de-CH`.
    pub locale: Option<String>,
    /// The host's own key for them.
    pub external_id: Option<String>,
    /// The groups that they are in, ordered by name.
    pub group_ids: Vec<GroupId>,
    /// The user's own claims, without those of their groups.
    pub claims: Vec<Claim>,
    /// The role.
    pub role: Role,
    /// The status: whether they may sign in.
    pub status: UserStatus,
    /// When the account lapses. A lapsed account is not deleted.
    pub expires_at: Option<SystemTime>,
    /// When they were created.
    pub created_at: SystemTime,
    /// When their data last changed.
    pub updated_at: SystemTime,
}

/// The role of a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum Role {
    /// An ordinary user, who looks after what is their own.
    #[default]
    User,
    /// An administrator, who looks after everybody.
    Administrator,
}

named!(Role {
    User = "user",
    Administrator = "administrator",
});

/// Whether a user may sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum UserStatus {
    /// Not yet: they wait for approval.
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
    /// The id, a UUID that was never used before. The default is a new one.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub id: Option<UserId>,
    /// E-mail address, which nobody else holds. Whoever had only typed it has none from now on.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email: Option<String>,
    /// Whether the address is known to be theirs. The setting `emails_verified` says so of every one.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email_verified: bool,
    /// The name that others see, of at most 100 characters. The default is the first and the last name.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub display_name: Option<String>,
    /// First name, of at most 50 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub first_name: Option<String>,
    /// Last name, of at most 50 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub last_name: Option<String>,
    /// Language tag, for example `de-CH`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub locale: Option<String>,
    /// The host's own key for them: unique, of at most 255 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub external_id: Option<String>,
    /// The groups that they are in. The caller must have the right to change groups.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub group_ids: Vec<GroupId>,
    /// The role. The default is `User`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub role: Option<Role>,
    /// The status. The default is `Active`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub status: Option<UserStatus>,
    /// When the account lapses. By default it never does.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub expires_at: Option<SystemTime>,
}

/// When something ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Expiry {
    /// Never.
    Never,
    /// At this time.
    At {
        /// A time in the future.
        time: SystemTime,
    },
}

/// Changes to a user. What is left out stays the same, and an empty text removes a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct UserChanges {
    /// As in `NewUser`, and not a name that somebody else had before. Users may change their own only if the settings allow
    /// it, and not to one with `@`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub username: Option<String>,
    /// E-mail address, which nobody else holds; nor had before, when an administrator gives it. A new one is unverified.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email: Option<String>,
    /// Whether the address is known to be theirs. The default is the setting `emails_verified` for a new address that an
    /// administrator or the host gives. `true` needs the proved address in `email`, and fails if another one
    /// stands there by now. Users cannot change this themselves.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email_verified: Option<bool>,
    /// The name that others see. Where it is removed, and where none was given before, it is the first and the last name.
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
    /// The host's own key. Users cannot change this themselves.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub external_id: Option<String>,
    /// When the account lapses. Users cannot change this themselves.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub expiry: Option<Expiry>,
    /// The same as `set_user_role`, together with the other changes.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub role: Option<Role>,
    /// The same as `disable_user` or `enable_user`, together with the other changes.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub disabled: Option<bool>,
}

/// Which users to list, and in which order.
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
    /// Only those who are disabled, or who are not.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub disabled: Option<bool>,
    /// Only those whose address is verified, or who have none that is.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub email_verified: Option<bool>,
    /// Only those whose account lapses within this many seconds.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub expiring_within_seconds: Option<i64>,
    /// The order. The default is the order of creation.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sort: Option<UserSort>,
    /// Whether to reverse the order.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub descending: bool,
    /// Which page to return, counted from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<i64>,
    /// How many items to put on a page: 1 to 1000, 20 by default.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<i64>,
}

/// An order of users. Equal ones are ordered by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum UserSort {
    /// By time of creation.
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
    /// By the time at which the account lapses.
    ExpiresAt,
    /// By whether the address is verified: those whose is come last.
    EmailVerified,
    /// By whether they are disabled: those who are come last.
    Disabled,
}

/// A page of users.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct UserPage {
    /// The users.
    pub items: Vec<User>,
    /// How many there are on all pages.
    pub total: i64,
    /// Which page this is. Past the last page, `items` is empty.
    pub page: i64,
}

/// The name that others see of somebody who gave none.
pub(crate) fn full_name(first: Option<&str>, last: Option<&str>) -> Option<String> {
    match (first, last) {
        (Some(first), Some(last)) => Some(format!("{first} {last}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

impl User {
    /// The first and the last name.
    pub(crate) fn full_name(&self) -> Option<String> {
        full_name(self.first_name.as_deref(), self.last_name.as_deref())
    }

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
    /// The time as it was given, which may lie outside of what can be stored.
    pub(crate) fn time(self) -> Option<SystemTime> {
        match self {
            Self::Never => None,
            Self::At { time } => Some(time),
        }
    }

    /// Is it what is stored already?
    pub(crate) fn is_stored(self, stored: Option<SystemTime>) -> bool {
        match self {
            Self::Never => stored.is_none(),
            Self::At { time } => clock::is_stored(time, stored),
        }
    }

    pub(crate) fn checked(self, field: &str, now: SystemTime) -> Result<Option<SystemTime>> {
        match self {
            Self::Never => Ok(None),
            Self::At { time } => clock::future(field, time, now).map(Some),
        }
    }
}
