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
    /// Names it; the same after a rotation.
    pub id: ApiKeyId,
    /// Whose it is: it can do no more than he can.
    pub owner_id: UserId,
    /// What it is for, in a word.
    pub name: String,
    /// What it is for, in more words.
    pub note: Option<String>,
    /// What it allows.
    pub scopes: Vec<String>,
    /// The secret's kind and last 4 characters.
    pub masked_secret: String,
    /// When it was made.
    pub created_at: SystemTime,
    /// When it was last used; may be a minute old.
    pub last_used_at: Option<SystemTime>,
    /// When it ends.
    pub expires_at: Option<SystemTime>,
    /// When it was revoked. Revoked keys are kept for the audit.
    pub revoked_at: Option<SystemTime>,
}

/// An API key that has just got a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CreatedApiKey {
    /// The key.
    pub api_key: ApiKey,
    /// The secret, shown this once.
    pub secret: Arc<Secret>,
}

/// An API key to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct NewApiKey {
    /// What it is for, in a word: 1 to 100 characters.
    pub name: String,
    /// What it allows, within what its maker may: `*`, `roles:write`, `<area>:read`, `<area>:write`, or the host's own
    /// such as `library:stream`.
    pub scopes: Vec<String>,
    /// Whose it is; by default the caller's own. The host must say.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub owner_id: Option<UserId>,
    /// What it is for, in at most 500 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub note: Option<String>,
    /// When it ends; by default never.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub expires_at: Option<SystemTime>,
}

/// How to rotate a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct KeyRotation {
    /// For how many seconds the old secret goes on working: 0 to 31 days, by default one day.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub overlap_seconds: Option<i64>,
    /// A new end; by default it stays.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub expiry: Option<Expiry>,
}

/// Which API keys, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ApiKeyQuery {
    /// Only this user's. A user who is no administrator sees his own in any case.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub owner_id: Option<UserId>,
    /// A part of the name, without regard to case and accents.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub search: Option<String>,
    /// Revoked ones too.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub include_revoked: bool,
    /// The order; by default that of creation.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub sort: Option<ApiKeySort>,
    /// The smallest first.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub ascending: bool,
    /// Which page, from 1.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub page: Option<i64>,
    /// How many on a page: 1 to 1000, by default 20.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub limit: Option<i64>,
}

/// An order of API keys; the id decides between equals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum ApiKeySort {
    /// By the time when they were made.
    #[default]
    CreatedAt,
    /// By name.
    Name,
    /// By the time when they end.
    ExpiresAt,
    /// By the time when they were last used.
    LastUsedAt,
}

/// A page of API keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ApiKeyPage {
    /// The keys.
    pub items: Vec<ApiKey>,
    /// How many there are in all.
    pub total: i64,
    /// Which page this is; the last one when a later one was asked for.
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
