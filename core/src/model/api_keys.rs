//! API keys.

use std::{sync::Arc, time::SystemTime};

use crate::{
    model::{
        ids::{ApiKeyId, UserId},
        users::{Expiry, Role, UserStatus},
    },
    secret::Secret,
    values::{scopes::Ceiling, tokens},
};

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ApiKey {
    /// The id. It stays the same when the key is rotated.
    pub id: ApiKeyId,
    /// The owner. The key can do no more than they can.
    pub owner_id: UserId,
    /// A short name that says what it is for.
    pub name: String,
    /// A longer description.
    pub note: Option<String>,
    /// What it allows.
    pub scopes: Vec<String>,
    /// The secret's kind and last 4 characters.
    pub masked_secret: String,
    /// When it was created.
    pub created_at: SystemTime,
    /// When it was last used. This can be up to a minute out of date.
    pub last_used_at: Option<SystemTime>,
    /// When it ends.
    pub expires_at: Option<SystemTime>,
    /// When it was revoked. Revoked keys are kept for the audit log.
    pub revoked_at: Option<SystemTime>,
}

/// An API key that has just been given a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CreatedApiKey {
    /// The key.
    pub api_key: ApiKey,
    /// The secret, which is shown only this once.
    pub secret: Arc<Secret>,
}

/// An API key to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NewApiKey {
    /// A short name that says what it is for, of 1 to 100 characters.
    pub name: String,
    /// The scopes that it allows, within those of whoever creates it: `*`, `roles:write`, `<area>:read`, `<area>:write`,
    /// or one of the host's own, such as `library:stream`.
    pub scopes: Vec<String>,
    /// The owner. The default is the caller; the host must name one.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub owner_id: Option<UserId>,
    /// A longer description, of at most 500 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub note: Option<String>,
    /// When it ends. By default it never does.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub expires_at: Option<SystemTime>,
}

/// How to rotate a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct KeyRotation {
    /// For how many seconds the old secret keeps working: 0 to 31 days, one day by default.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub overlap_seconds: Option<i64>,
    /// A new end. By default the end stays the same.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub expiry: Option<Expiry>,
}

/// Which API keys to list. The newest come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ApiKeyQuery {
    /// Only this user's. Users who are not administrators always see only their own.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub owner_id: Option<UserId>,
    /// A part of the name, without regard to case and accents.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub search: Option<String>,
    /// Whether to include revoked keys.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub include_revoked: bool,
    /// The order. The default is the order of creation.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sort: Option<ApiKeySort>,
    /// Whether the smallest come first.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub ascending: bool,
    /// Which page to return, counted from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<i64>,
    /// How many items to put on a page: 1 to 1000, 20 by default.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<i64>,
}

/// An order of API keys. Equal ones are ordered by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum ApiKeySort {
    /// By time of creation.
    #[default]
    CreatedAt,
    /// By name.
    Name,
    /// By the time at which they end.
    ExpiresAt,
    /// By the time of last use.
    LastUsedAt,
}

/// A page of API keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ApiKeyPage {
    /// The keys.
    pub items: Vec<ApiKey>,
    /// How many there are on all pages.
    pub total: i64,
    /// Which page this is. Past the last page, `items` is empty.
    pub page: i64,
}

/// An API key as it is looked up at each request, with what its owner may.
pub(crate) struct FoundApiKey {
    pub(crate) now: SystemTime,
    pub(crate) id: ApiKeyId,
    pub(crate) owner_id: UserId,
    pub(crate) ceiling: Ceiling,
    pub(crate) expires_at: Option<SystemTime>,
    pub(crate) revoked: bool,
    pub(crate) username: String,
    pub(crate) role: Role,
    pub(crate) status: UserStatus,
    pub(crate) user_expires_at: Option<SystemTime>,
    /// The hash of the newest secret, when it was found by an older one.
    pub(crate) secret_hash: Option<tokens::SecretHash>,
}

/// A key with what of it is not shown.
pub(crate) struct StoredApiKey {
    pub(crate) api_key: ApiKey,
    pub(crate) ceiling: Ceiling,
}
