use std::{fmt, sync::Arc, time::SystemTime};

use crate::{
    ApiKeyId, Keyplate, KeyplateError, Result, Role, SessionId, UserId, UserStatus, tokens,
    tokens::TokenKind,
};

/// Somebody who has shown a credential. Only the library makes one; it is handed to `acting_as`.
///
/// It names the credential and holds no rights: these are read anew at every call.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct Principal {
    pub(crate) credential: CredentialId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CredentialId {
    Session(SessionId),
    ApiKey(ApiKeyId),
}

impl Principal {
    pub(crate) fn new(credential: CredentialId) -> Arc<Self> {
        Arc::new(Self { credential })
    }
}

impl CredentialId {
    /// The session, or the API key.
    pub(crate) fn parts(self) -> (Option<SessionId>, Option<ApiKeyId>) {
        match self {
            Self::Session(id) => (Some(id), None),
            Self::ApiKey(id) => (None, Some(id)),
        }
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Principal").field(&self.credential).finish()
    }
}

/// Who stands behind a credential, and what it lets him do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Authenticated {
    /// The user.
    pub user_id: UserId,
    /// His name.
    pub username: String,
    /// The role in which this credential acts: an administrator's credential from before his promotion says `User`.
    pub role: Role,
    /// `Pending` while he waits for approval: then he is known, and let into nothing yet.
    pub status: UserStatus,
    /// What the credential allows; `*` is everything but `roles:write`. A host asks here for its own scopes.
    pub scopes: Vec<String>,
    /// The session, if the credential is one.
    pub session_id: Option<SessionId>,
    /// The API key, if the credential is one.
    pub api_key_id: Option<ApiKeyId>,
    /// When the credential ends at the latest.
    pub expires_at: Option<SystemTime>,
    /// For `acting_as`.
    pub principal: Arc<Principal>,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Tells who stands behind a session token or an API key. A host's middleware needs only this.
    ///
    /// # Errors
    /// `InvalidCredential` when it is unknown, malformed, expired or revoked; `AccountPending`, `AccountDisabled`,
    /// `AccountExpired`; the storage errors.
    pub fn authenticate(&self, credential: &str) -> Result<Authenticated> {
        match tokens::recognise(&self.shared.token_prefix, credential) {
            Some(TokenKind::Session) => self.verify_session(credential),
            // Without our prefix it may be an API key of the operator's own choice (C1).
            Some(TokenKind::ApiKey) | None => self.verify_api_key(credential),
            Some(TokenKind::Setup | TokenKind::SignUp | TokenKind::OneTime) => {
                Err(KeyplateError::InvalidCredential)
            }
        }
    }
}
