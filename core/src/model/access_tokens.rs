//! Access tokens, and the keys that sign them.

use std::{sync::Arc, time::SystemTime};

use crate::{
    model::{
        claims::Claim,
        ids::{ApiKeyId, ServiceId, SessionId, UserId},
    },
    secret::Secret,
};

pub(crate) const MAX_LIFETIME_SECONDS: i64 = 3_600;

/// A new access token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AccessToken {
    /// The JWT.
    pub secret: Arc<Secret>,
    /// The service that it is for. Its audience is the service's slug.
    pub service_id: ServiceId,
    /// When it ends.
    pub expires_at: SystemTime,
}

/// The user behind a verified access token, as things are now. It gives no right to call any method here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AccessTokenClaims {
    /// The user.
    pub user_id: UserId,
    /// The user's username.
    pub username: String,
    /// The service.
    pub service_id: ServiceId,
    /// The session that asked for the token.
    pub session_id: Option<SessionId>,
    /// The API key, if one asked for the token instead.
    pub api_key_id: Option<ApiKeyId>,
    /// The scopes of that session or key that concern the service: `*` and the service's own.
    pub scopes: Vec<String>,
    /// The names of the user's groups.
    pub groups: Vec<String>,
    /// The user's claims, together with those of their groups.
    pub claims: Vec<Claim>,
    /// When the token was issued.
    pub issued_at: SystemTime,
    /// When it ends.
    pub expires_at: SystemTime,
}

/// A key that signs access tokens, without its private half.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SigningKey {
    /// Its `kid` in `get_jwks` and in the tokens' headers.
    pub key_id: String,
    /// When it was created.
    pub created_at: SystemTime,
}

/// The public keys that access tokens are verified with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Jwks {
    /// The JSON Web Key Set (RFC 7517, RFC 8037), ready to be served.
    pub json: String,
    /// The keys in the set. The one that signs now comes first.
    pub keys: Vec<SigningKey>,
}

/// A key as it is stored.
pub(crate) struct StoredKey {
    pub(crate) id: String,
    pub(crate) public_key: Vec<u8>,
    /// PKCS #8, perhaps sealed; none once another key signs.
    pub(crate) private_key: Option<Vec<u8>>,
    pub(crate) is_sealed: bool,
    pub(crate) created_at: SystemTime,
}

impl From<StoredKey> for SigningKey {
    fn from(key: StoredKey) -> Self {
        Self {
            key_id: key.id,
            created_at: key.created_at,
        }
    }
}
