//! Signing in a device that has no browser: it shows a code, and somebody approves it elsewhere.

use std::{sync::Arc, time::SystemTime};

use crate::{
    model::{
        app_passwords::CreatedAppPassword,
        credentials::Bound,
        ids::{DeviceLoginId, ServiceId, SessionId, UserId},
        named::named,
        sessions::SignedIn,
        users::User,
    },
    secret::Secret,
    values::scopes::{Ceiling, Scopes},
};

/// What a device wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum DeviceWish {
    /// A session of its own.
    #[default]
    Session,
    /// An app password for one service.
    AppPassword,
}

named!(DeviceWish {
    Session = "session",
    AppPassword = "app_password",
});

/// How a device asks to be signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NewDeviceLogin {
    /// What the device calls itself, of at most 100 characters. It is shown to whoever approves it. By default the client's
    /// device name.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub device_name: Option<String>,
    /// What it wants. A session by default; with a service, an app password.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub wish: Option<DeviceWish>,
    /// The service for which it wants an app password, by id or slug.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub service: Option<String>,
    /// The scopes that it wants. By default what a person's own things need, and never an administrator's rights.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub scopes: Vec<String>,
    /// Whether the code to be typed is six digits rather than eight characters, for devices that show no others. When
    /// two hundred of them are under way, it is eight characters all the same.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub six_digits: bool,
}

/// What a device that wants to be signed in shows and keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct StartedDeviceLogin {
    /// What the device keeps to itself, and polls with.
    pub device_code: Arc<Secret>,
    /// What it shows, and somebody types elsewhere: `XXXX-XXXX`, or six digits.
    pub user_code: Arc<Secret>,
    /// When both end.
    pub expires_at: SystemTime,
    /// In how many seconds that is.
    pub expires_in_seconds: i64,
    /// How many seconds to wait between two polls.
    pub interval_seconds: i64,
}

/// What a device asks for, as whoever approves it sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct DeviceLogin {
    /// The id.
    pub id: DeviceLoginId,
    /// What the device calls itself, if it does.
    pub device_name: Option<String>,
    /// Its IP address.
    pub address: Option<String>,
    /// Its user agent.
    pub user_agent: Option<String>,
    /// When it asked.
    pub created_at: SystemTime,
    /// When that ends.
    pub expires_at: SystemTime,
    /// What it wants.
    pub wish: DeviceWish,
    /// The service for which it wants an app password.
    pub service_id: Option<ServiceId>,
    /// That service's name.
    pub service_name: Option<String>,
    /// The scopes that it gets. For an app password none is whatever its service needs.
    pub scopes: Vec<String>,
    /// Whether it gets the rights of an administrator within these scopes, because it named them.
    pub administrator: bool,
}

/// What came of a device's request so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum DeviceLoginState {
    /// Nobody has decided yet. Ask again after the interval.
    Pending,
    /// The device asks too often. Wait five seconds longer between two polls from now on.
    SlowDown,
    /// Somebody denied it, or may no longer approve it.
    Denied,
    /// Nobody approved it in time.
    Expired,
    /// It is approved, and this answer has what it gets. There is no second one.
    Granted,
}

/// The answer to a device that polls.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct DeviceLoginAnswer {
    /// What came of it.
    pub state: DeviceLoginState,
    /// Who approved it, once it is granted.
    pub user: Option<User>,
    /// The session, if that is what it wanted.
    pub signed_in: Option<SignedIn>,
    /// The app password, if that is what it wanted. Its name for `verify_app_password` is the user's.
    pub app_password: Option<CreatedAppPassword>,
}

/// How far a request is, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceStage {
    Open,
    Claimed,
    Approved,
    Denied,
}

named!(DeviceStage {
    Open = "open",
    Claimed = "claimed",
    Approved = "approved",
    Denied = "denied",
});

/// A request as it is stored.
pub(crate) struct StoredDeviceLogin {
    pub(crate) id: DeviceLoginId,
    pub(crate) stage: DeviceStage,
    pub(crate) wish: DeviceWish,
    pub(crate) service_id: Option<ServiceId>,
    /// As asked.
    pub(crate) scopes: Scopes,
    pub(crate) is_six_digits: bool,
    pub(crate) device_name: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) created_at: SystemTime,
    pub(crate) expires_at: SystemTime,
    pub(crate) polled_at: Option<SystemTime>,
    pub(crate) claimed_by: Option<UserId>,
    pub(crate) approval: Option<Approval>,
}

/// By which session, and for what.
#[derive(Clone, Debug)]
pub(crate) struct Approval {
    pub(crate) session_id: SessionId,
    pub(crate) ceiling: Ceiling,
    pub(crate) bound: Bound,
}
