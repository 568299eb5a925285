//! App passwords: for clients that know only name and password.

use std::{sync::Arc, time::SystemTime};

use crate::{
    model::{
        ids::{AppPasswordId, ServiceId, UserId},
        users::{Role, UserStatus},
    },
    secret::Secret,
    values::scopes::Ceiling,
};

/// An app password, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AppPassword {
    /// The id.
    pub id: AppPasswordId,
    /// Whose it is.
    pub owner_id: UserId,
    /// What it is for, in its owner's words.
    pub name: String,
    /// The only service that it is for. Without one it is for all that its owner may use.
    pub service_id: Option<ServiceId>,
    /// The scopes that the host is told. Without one it is good for whatever it is for, and for nothing built in.
    pub scopes: Vec<String>,
    /// Whether its secret can be read again with the encryption key, for `verify_subsonic_token`.
    pub is_recoverable: bool,
    /// When it was made.
    pub created_at: SystemTime,
    /// When it was last used. This can be up to a minute out of date.
    pub last_used_at: Option<SystemTime>,
    /// When it ends.
    pub expires_at: Option<SystemTime>,
}

/// An app password that has just been made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CreatedAppPassword {
    /// The app password.
    pub app_password: AppPassword,
    /// The secret, which is shown only this once. It looks like `xxxx-xxxx-xxxx-xxxx`.
    pub secret: Arc<Secret>,
}

/// An app password to make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NewAppPassword {
    /// What it is for, of 1 to 100 characters: the client, or the device that it is on.
    pub name: String,
    /// The only service that it is for, by id or slug. By default it is for all that its owner may use.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub service: Option<String>,
    /// Scopes that the host is told, within those of whoever makes it. By default nothing built in.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub scopes: Vec<String>,
    /// When it ends. By default it never does.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub expires_at: Option<SystemTime>,
    /// Whether its secret is kept sealed as well, for `verify_subsonic_token`. It needs a service, and a database that is
    /// opened with an encryption key.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub recoverable: bool,
    /// Whose it is. The default is the caller, who makes none for others; the host must name one.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub owner_id: Option<UserId>,
}

/// Which app passwords to list. The newest come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AppPasswordQuery {
    /// Only this user's. Users who are not administrators always see only their own.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub owner_id: Option<UserId>,
    /// A part of the name, without regard to case and accents.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub search: Option<String>,
    /// Which page to return, counted from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<i64>,
    /// How many items to put on a page: 1 to 1000, 20 by default.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<i64>,
}

/// A page of app passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AppPasswordPage {
    /// The app passwords.
    pub items: Vec<AppPassword>,
    /// How many there are on all pages.
    pub total: i64,
    /// Which page this is. Past the last page, `items` is empty.
    pub page: i64,
}

/// Whose app password it is, and what it is good for. It is no credential of this library: it has no principal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct VerifiedAppPassword {
    /// The app password.
    pub app_password_id: AppPasswordId,
    /// The user.
    pub user_id: UserId,
    /// Their username, also where they gave their address.
    pub username: String,
    /// `Administrator` only for an administrator's whose scopes name something built in or are `*`.
    pub role: Role,
    /// The only service that it is for.
    pub service_id: Option<ServiceId>,
    /// Its scopes. A host looks here for its own.
    pub scopes: Vec<String>,
    /// When it ends.
    pub expires_at: Option<SystemTime>,
}

/// An app password as it is looked up at each request, with its owner.
pub(crate) struct FoundAppPassword {
    pub(crate) now: SystemTime,
    pub(crate) id: AppPasswordId,
    pub(crate) owner_id: UserId,
    pub(crate) service_id: Option<ServiceId>,
    pub(crate) ceiling: Ceiling,
    pub(crate) expires_at: Option<SystemTime>,
    pub(crate) username: String,
    pub(crate) role: Role,
    pub(crate) status: UserStatus,
    pub(crate) user_expires_at: Option<SystemTime>,
    /// By which its owner is found: username, and the addresses that they hold.
    pub(crate) names: [Option<String>; 3],
}

/// An app password as it is stored.
pub(crate) struct StoredAppPassword {
    pub(crate) app_password: AppPassword,
    pub(crate) administrator: bool,
}
