use std::{sync::Arc, time::SystemTime};

use crate::{
    model::{
        claims::Claim,
        ids::{ApiKeyId, ServiceId, SessionId, UserId},
    },
    secret::Secret,
};

pub(crate) const MAX_LIFETIME_SECONDS: u32 = 3_600;

/// A new access token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AccessToken {
    /// The JWT.
    pub secret: Arc<Secret>,
    /// The service for which it is good: its audience is the service's slug.
    pub service_id: ServiceId,
    /// When it ends.
    pub expires_at: SystemTime,
}

/// Who has shown a good access token, with what is so at this moment. It gives no right to any method here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct AccessTokenClaims {
    /// The user.
    pub user_id: UserId,
    /// His name.
    pub username: String,
    /// The service.
    pub service_id: ServiceId,
    /// The session that asked for the token.
    pub session_id: Option<SessionId>,
    /// Or the API key.
    pub api_key_id: Option<ApiKeyId>,
    /// Of the scopes of that session or key, `*` and those of the service.
    pub scopes: Vec<String>,
    /// The names of his groups.
    pub groups: Vec<String>,
    /// His claims, with those of his groups.
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
    /// When it was made.
    pub created_at: SystemTime,
}

/// The public keys by which access tokens are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Jwks {
    /// The JSON Web Key Set (RFC 7517, RFC 8037), as it is served.
    pub json: String,
    /// What is in it; the key that signs comes first.
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
