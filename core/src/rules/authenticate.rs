//! Who stands behind a credential.

use crate::{
    error::{KeyplateError, Result},
    gate::handle::Keyplate,
    model::credentials::Authenticated,
    values::tokens::{self, TokenKind},
};

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Returns the user behind a session token or an API key. A host's middleware needs only this.
    ///
    /// # Errors
    /// `InvalidCredential` when it is unknown, malformed, expired or revoked; `AccountPending`, `AccountDisabled`,
    /// `AccountExpired`; the storage errors.
    pub fn authenticate(&self, credential: &str) -> Result<Authenticated> {
        let prefix = &self.shared.token_prefix;
        match tokens::recognise(prefix, credential) {
            Some(TokenKind::Session) => self.verified_session(tokens::hash(credential)),
            Some(TokenKind::ApiKey) => self.verified_api_key(tokens::hash(credential), false),
            // Without our prefix it may be an API key of the operator's own choice (C1).
            None => self.verified_api_key(tokens::expect_supplied(prefix, credential)?, true),
            Some(TokenKind::Setup | TokenKind::SignUp | TokenKind::OneTime) => {
                Err(KeyplateError::InvalidCredential)
            }
        }
    }
}
