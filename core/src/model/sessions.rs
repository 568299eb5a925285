//! Sessions.

use std::{sync::Arc, time::SystemTime};

use crate::{
    model::{
        ids::{SessionId, UserId},
        named::named,
        users::{Role, User, UserStatus},
    },
    secret::Secret,
    values::scopes::Ceiling,
};

/// A signed-in browser or application, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// The user whose it is.
    pub user_id: UserId,
    /// How they signed in.
    pub method: SignInMethod,
    /// When they signed in.
    pub signed_in_at: SystemTime,
    /// When they last used a passkey.
    pub stepped_up_at: Option<SystemTime>,
    /// When it was last used. This can be up to a minute out of date.
    pub last_seen_at: SystemTime,
    /// The latest time at which it ends.
    pub expires_at: SystemTime,
    /// The token's kind and last 4 characters.
    pub masked_secret: String,
    /// The IP address at sign-in.
    pub address: Option<String>,
    /// The user agent at sign-in.
    pub user_agent: Option<String>,
    /// The name of the device, if it gave one.
    pub device_name: Option<String>,
}

/// How somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum SignInMethod {
    /// By claiming the setup of a fresh instance.
    Setup,
    /// By signing up.
    SignUp,
    /// With a one-time token or code.
    OneTimeToken,
    /// With a recovery token.
    Recovery,
    /// With a passkey.
    Passkey,
    /// The host checked them by its own means.
    Host,
    /// It is a device that somebody has approved. It counts as no sign-in: nothing that outlives it is made with it.
    Device,
    /// It is another device of the user's own, which may register one passkey.
    DeviceLink,
}

impl SignInMethod {
    /// What the column `method` may hold, and beside it what it cannot name: its CHECK stays as it was.
    pub(crate) fn stored(self) -> (Self, Option<Self>) {
        match self {
            Self::Device | Self::DeviceLink => (Self::Host, Some(self)),
            method => (method, None),
        }
    }

    /// S7: whoever signed up and waits for approval is known by that session, and may look at themselves.
    pub(crate) fn enrols(self, status: UserStatus) -> bool {
        self == Self::SignUp && status == UserStatus::Pending
    }
}

named!(SignInMethod {
    Setup = "setup",
    SignUp = "sign_up",
    OneTimeToken = "one_time_token",
    Recovery = "recovery",
    Passkey = "passkey",
    Host = "host",
    Device = "device",
    DeviceLink = "device_link",
});

/// Somebody who has just signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SignedIn {
    /// The user.
    pub user: User,
    /// Their new session.
    pub session: Session,
    /// The session's token, which is shown only this once. Put it into a cookie, or let the application keep it.
    pub secret: Arc<Secret>,
}

/// Which sessions to list. The newest come first, and ended ones are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SessionQuery {
    /// Only this user's. Users who are not administrators always see only their own.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub user_id: Option<UserId>,
    /// Which page to return, counted from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<i64>,
    /// How many items to put on a page: 1 to 1000, 20 by default.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<i64>,
}

/// A page of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SessionPage {
    /// The sessions.
    pub items: Vec<Session>,
    /// How many there are on all pages.
    pub total: i64,
    /// Which page this is. Past the last page, `items` is empty.
    pub page: i64,
}

/// A session as it is looked up at each request, with what its user may.
pub(crate) struct FoundSession {
    pub(crate) now: SystemTime,
    pub(crate) id: SessionId,
    pub(crate) user_id: UserId,
    pub(crate) method: SignInMethod,
    pub(crate) ceiling: Ceiling,
    pub(crate) last_seen_at: SystemTime,
    pub(crate) idle_seconds: i64,
    pub(crate) expires_at: SystemTime,
    pub(crate) ended_at: Option<SystemTime>,
    pub(crate) username: String,
    pub(crate) role: Role,
    pub(crate) status: UserStatus,
    pub(crate) user_expires_at: Option<SystemTime>,
}
