//! Who stands behind a credential.

use crate::{
    db,
    error::{KeyplateError, Result},
    gate::{caller::Acting, handle::Keyplate, methods::Method},
    model::{
        credentials::{Authenticated, Identity, Principal},
        users::Role,
    },
    rules::{claims, services, sessions::Admits},
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

    /// Tells in one call what a host shows of somebody and decides by: the user, their groups, the claims that hold for
    /// them, and the services that they may use, as they are now. Somebody who waits for approval may use none.
    ///
    /// # Errors
    /// `InvalidCredential` when their credential has ended since; `AccountPending`, `AccountDisabled`, `AccountExpired`;
    /// the storage errors.
    pub fn describe(&self, principal: &Principal) -> Result<Identity> {
        self.read(Method::Describe, |reader, _| {
            let acting = Acting::load(reader, principal)?;
            let id = acting.user.id;
            let groups = db::groups::list_of_user(reader, &id)?;
            let claims = claims::effective(reader, &id)?;
            let services = services::open_to_acting(reader, &acting)?;
            Ok(Identity {
                role: match acting.ceiling.administrator {
                    true => Role::Administrator,
                    false => Role::User,
                },
                scopes: acting.ceiling.scopes.into_names(),
                user: acting.user,
                groups,
                claims,
                services,
            })
        })
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
            Some(
                TokenKind::Setup
                | TokenKind::SignUp
                | TokenKind::OneTime
                | TokenKind::Device
                | TokenKind::ServiceTicket
                | TokenKind::ServiceSession,
            ) => Err(KeyplateError::InvalidCredential),
        }
    }
}
