//! One-time codes and tokens.

use std::{sync::Arc, time::SystemTime};

use crate::{
    model::{
        credentials::Bound,
        ids::{OneTimeTokenId, UserId},
    },
    secret::Secret,
    values::scopes::Ceiling,
};

/// A token or code that signs a user in once, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct OneTimeToken {
    /// The id.
    pub id: OneTimeTokenId,
    /// The user whom it signs in.
    pub user_id: UserId,
    /// Whether it is a code to be typed, rather than a token for a link.
    pub is_code: bool,
    /// Whether it is for a user who has lost their passkey.
    pub is_recovery: bool,
    /// When it was created.
    pub created_at: SystemTime,
    /// When it ends.
    pub expires_at: SystemTime,
    /// Who made it; none for the host, and none for a user who is no administrator and looks at their own.
    pub created_by: Option<String>,
    /// The kind and the last 4 characters of a token. It is absent for a code.
    pub masked_secret: String,
}

/// A one-time token that has just been created.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct CreatedOneTimeToken {
    /// The token.
    pub one_time_token: OneTimeToken,
    /// The secret, which is shown only this once. A code looks like `XXXX-XXXX`.
    pub secret: Arc<Secret>,
}

/// A one-time token as it is stored.
pub(crate) struct StoredOneTimeToken {
    pub(crate) one_time_token: OneTimeToken,
    pub(crate) ceiling: Ceiling,
    pub(crate) bound: Bound,
}
