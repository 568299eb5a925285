//! Who stands behind a credential.

use crate::{
    error::{KeyplateError, Result},
    gate::handle::Keyplate,
    model::credentials::Authenticated,
    rules::sessions::Admits,
    values::tokens::{self, TokenKind},
};

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Tells who stands behind a session token or an API key. A host's middleware needs only this: it lets in active users
    /// and nobody else. What a user needs who waits for approval asks `authenticate_pending`.
    ///
    /// # Errors
    /// `InvalidCredential` when it is unknown, malformed, expired or revoked; `AccountPending`, `AccountDisabled`,
    /// `AccountExpired`; the storage errors.
    pub fn authenticate(&self, credential: &str) -> Result<Authenticated> {
        self.authenticated(credential, Admits::Active)
    }

    /// Tells what `authenticate` tells, and also who has the session of a sign-up that waits for approval: its `status` is
    /// `Pending` and its only scope `enrol`. For the few pages that such a user needs, to register a first passkey, to see
    /// whether they have been approved, and to sign out; for everything else a host asks `authenticate`.
    ///
    /// # Errors
    /// As `authenticate`; `AccountPending` for every other credential of a user who waits for approval.
    pub fn authenticate_pending(&self, credential: &str) -> Result<Authenticated> {
        self.authenticated(credential, Admits::Pending)
    }
}

impl Keyplate {
    fn authenticated(&self, credential: &str, admits: Admits) -> Result<Authenticated> {
        let prefix = &self.shared.token_prefix;
        match tokens::recognise(prefix, credential) {
            Some(TokenKind::Session) => self.verified_session(tokens::hash(credential), admits),
            Some(TokenKind::ApiKey) => self.verified_api_key(tokens::hash(credential), false),
            // Without our prefix it may be an API key of the operator's own choice (C1).
            None => self.verified_api_key(tokens::expect_supplied(prefix, credential)?, true),
            Some(TokenKind::Setup | TokenKind::SignUp | TokenKind::OneTime | TokenKind::Device) => {
                Err(KeyplateError::InvalidCredential)
            }
        }
    }
}
