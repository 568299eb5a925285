//! Step-up (P5): a user uses their passkey again, and their session counts as fresh.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    assertions::{self, Verified},
    ceremonies,
};
use crate::{
    crypto::webauthn::{AssertionAnswer, Challenge},
    db,
    error::{DenialReason, Found, Result, Thing, denied, not_found},
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
        users::User,
    },
    values::tokens::{self, TokenKind},
};

#[derive(Serialize, Deserialize)]
struct State {
    challenge: Challenge,
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
            let begun = party.verifier.begin_authentication(&allowed)?;
            let state = State {
                challenge: begun.challenge.clone(),
            };
            ceremonies::begin(
                change,
                CeremonyKind::StepUp,
                Some(owner),
                None,
                begun,
                &state,
            )
        });
        self.note_refusal(EventKind::StepUpRefused, &result);
        result
    }

    /// Finishes a step-up with the browser's answer, an AuthenticationResponseJSON. The session gets a new token, and the
    /// former one no longer works. Only an answer with a genuine signature uses the ceremony up.
    ///
    /// # Errors
    /// `PasskeyCeremonyFailed` with the reason; `PermissionDenied` without a session.
    pub fn finish_step_up(&self, ceremony: &str, response: &str) -> Result<SignedIn> {
        const REFUSED: EventKind = EventKind::StepUpRefused;
        let verified = self.counted(REFUSED, self.verify_step_up(ceremony, response))?;
        let stepped_up = self.write(Method::FinishStepUp, |change| {
            let (_, session) = own_session(change.caller)?;
            ceremonies::spend(change, ceremony)?;
            self.settle_assertion(
                change,
                &verified,
                |_| Ok(()), // the gate has looked at the account in this transaction
                |user, passkey| self.step_up(change, session, user, passkey),
            )
        });
        self.concluded(REFUSED, stepped_up)
    }
}

impl Keyplate {
    fn verify_step_up(&self, ceremony: &str, response: &str) -> Result<Verified> {
        let party = &self.shared.relying_party;
        let answer = AssertionAnswer::parse(response);
        let (state, known) = self.read_before_writing(Method::FinishStepUp, |reader, caller| {
            party.check_available(reader)?;
            let owner = own_session(caller)?;
            let state: State =
                ceremonies::state(reader, CeremonyKind::StepUp, Some(owner), ceremony)?;
            let answer = answer.as_ref().map_err(|failure| *failure)?;
            Ok((state, assertions::known(reader, answer, Some(owner.0))?))
        })?;
        self.verify_assertion(&state.challenge, &answer?, known)
    }

    fn step_up(
        &self,
        change: &Change<'_>,
        session: SessionId,
        user: &User,
        passkey: &Passkey,
    ) -> Result<SignedIn> {
        let token = tokens::mint(&self.shared.token_prefix, TokenKind::Session)?;
        db::sessions::step_up(change, &session, &token.hash, &token.masked, change.now())?;
        let details = [("session", session.as_str())];
        let subject = Subject::of(user, passkey.id.as_str(), &passkey.name);
        change.record(EventKind::SteppedUp, subject, &details)?;
        Ok(SignedIn {
            user: user.clone(),
            session: db::sessions::find(change, &session)?.or_missing(Thing::Session)?,
            secret: Arc::new(token.secret),
        })
    }
}

fn own_session(caller: &Caller) -> Result<(UserId, SessionId)> {
    match (caller.user_id(), caller.session()) {
        (Some(user), Some((session, _))) => Ok((user, session)),
        _ => Err(denied(DenialReason::SessionNeeded)),
    }
}
