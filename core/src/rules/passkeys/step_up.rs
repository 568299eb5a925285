//! Step-up (P5): a user uses their passkey again, and their session counts as fresh.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use webauthn_rs_core::proto::AuthenticationState;

use super::ceremonies;
use crate::{
    crypto::webauthn::Assertion,
    db,
    error::{DenialReason, Found, PasskeyFailure, Result, Thing, denied, not_found},
    gate::{
        caller::Caller,
        change::{Change, Subject},
        handle::Keyplate,
        methods::Method,
    },
    model::{
        audit::EventKind,
        ids::{SessionId, UserId},
        passkeys::{CeremonyKind, Passkey, PasskeyCeremony},
        sessions::SignedIn,
    },
    values::tokens::{self, TokenKind},
};

#[derive(Serialize, Deserialize)]
struct State {
    authentication: AuthenticationState,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Begins a step-up of the session by which the caller acts.
    ///
    /// # Errors
    /// `NotFound` when they have no passkey that works; `PermissionDenied` without a session; `PasskeyCeremonyFailed` where
    /// passkeys cannot work.
    pub fn begin_step_up(&self) -> Result<PasskeyCeremony> {
        let result = self.write(Method::BeginStepUp, |change| {
            let party = &self.shared.relying_party;
            party.check_available(change)?;
            let owner = own_session(change.caller)?;
            let allowed = db::passkeys::usable_credentials(change, &owner.0)?;
            if allowed.is_empty() {
                return Err(not_found(Thing::Passkey));
            }
            let (options, authentication) = party.verifier.begin_authentication(&allowed)?;
            ceremonies::begin(
                change,
                CeremonyKind::StepUp,
                Some(owner),
                None,
                options,
                &State { authentication },
            )
        });
        self.note_refusal(EventKind::StepUpRefused, &result);
        result
    }

    /// Finishes a step-up with the browser's answer, an AuthenticationResponseJSON. The session gets a new token, and the
    /// former one no longer works.
    ///
    /// # Errors
    /// `PasskeyCeremonyFailed` with the reason; `PermissionDenied` without a session.
    pub fn finish_step_up(&self, ceremony: &str, response: &str) -> Result<SignedIn> {
        let result = self.finish_step_up_unnoted(ceremony, response);
        self.note_refusal(EventKind::StepUpRefused, &result);
        result
    }
}

impl Keyplate {
    fn finish_step_up_unnoted(&self, ceremony: &str, response: &str) -> Result<SignedIn> {
        let party = &self.shared.relying_party;
        let owner = self.read(Method::FinishStepUp, |reader, caller| {
            party.check_available(reader)?;
            own_session(caller)
        })?;
        let state: State = self.spend_ceremony(CeremonyKind::StepUp, Some(owner), ceremony)?;
        let (passkey, assertion) =
            self.verify_assertion(&state.authentication, response, Some(owner.0))?;
        self.write(Method::FinishStepUp, |change| {
            self.step_up(change, owner.1, &passkey, assertion)
        })?
        .map_err(Into::into)
    }

    fn step_up(
        &self,
        change: &Change<'_>,
        session: SessionId,
        passkey: &Passkey,
        assertion: Assertion,
    ) -> Result<Result<SignedIn, PasskeyFailure>> {
        let (Some(acting), Ok(_)) = (change.caller.acting(), own_session(change.caller)) else {
            return Err(denied(DenialReason::SessionNeeded));
        };
        let user = acting.user.clone();
        // It may have been deleted while its signature was verified.
        let passkey = db::passkeys::find(change, &passkey.id)?
            .filter(|passkey| passkey.usable && passkey.user_id == user.id)
            .ok_or(PasskeyFailure::UnknownCredential)?;
        if let Some(refusal) = self.settle_assertion(change, &user, &passkey, assertion)? {
            return Ok(Err(refusal));
        }
        let token = tokens::mint(&self.shared.token_prefix, TokenKind::Session)?;
        db::sessions::step_up(change, &session, &token.hash, &token.masked, change.now())?;
        let details = [("session", session.as_str())];
        let subject = Subject::of(&user, passkey.id.as_str(), &passkey.name);
        change.record(EventKind::SteppedUp, subject, &details)?;
        Ok(Ok(SignedIn {
            user,
            session: db::sessions::find(change, &session)?.or_missing(Thing::Session)?,
            secret: Arc::new(token.secret),
        }))
    }
}

fn own_session(caller: &Caller) -> Result<(UserId, SessionId)> {
    match (caller.user_id(), caller.session()) {
        (Some(user), Some((session, _))) => Ok((user, session)),
        _ => Err(denied(DenialReason::SessionNeeded)),
    }
}
