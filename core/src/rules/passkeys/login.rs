//! Sign-in by a passkey, without a user name (P1, P2, P3).

use serde::{Deserialize, Serialize};
use webauthn_rs_core::proto::{AuthenticationState, PublicKeyCredential};

use super::{
    ceremonies::{self, LOGIN_HEAD},
    sealing,
};
use crate::{
    clock,
    crypto::webauthn::{Assertion, LIFETIME_SECONDS, Verifier, to_json},
    db::{self, Reader},
    error::{PasskeyFailure, Result},
    gate::{
        change::{Change, Subject},
        handle::{Keyplate, Shared},
        methods::Method,
    },
    model::{
        audit::EventKind,
        ids::UserId,
        passkeys::{Passkey, PasskeyCeremony, StoredPasskey},
        sessions::{SignInMethod, SignedIn},
    },
    rules::{sessions::Opening, users::checks as users},
    values::tokens,
};

/// What travels sealed.
#[derive(Serialize, Deserialize)]
struct State {
    /// Milliseconds since 1970.
    expires_at: i64,
    rp_id: String,
    authentication: AuthenticationState,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Begins a sign-in with a passkey. No user name is needed and nothing is written, so it can begin whenever a page is
    /// shown, for autofill.
    ///
    /// # Errors
    /// `PasskeyCeremonyFailed` where passkeys cannot work.
    pub fn begin_passkey_login(&self) -> Result<PasskeyCeremony> {
        let party = &self.shared.relying_party;
        let now = self.read(Method::BeginPasskeyLogin, |reader, _| {
            party.check_available(reader)?;
            Ok(reader.now())
        })?;
        let (options, authentication) = party.verifier.begin_authentication(&[])?;
        let expires_at = clock::after(now, LIFETIME_SECONDS);
        let state = State {
            expires_at: clock::to_millis(expires_at),
            rp_id: party.id.clone(),
            authentication,
        };
        Ok(PasskeyCeremony {
            ceremony: self.seal(&to_json(&state)?)?,
            options,
            expires_at,
        })
    }

    /// Signs a user in with the browser's answer, an AuthenticationResponseJSON. The ceremony is used up, whatever the
    /// result.
    ///
    /// # Errors
    /// `PasskeyCeremonyFailed` with the reason; `AccountPending`, `AccountDisabled`, `AccountExpired`.
    pub fn finish_passkey_login(&self, ceremony: &str, response: &str) -> Result<SignedIn> {
        let result = self.finish_login(ceremony, response);
        self.note_refusal(EventKind::SignInRefused, &result);
        result
    }
}

impl Keyplate {
    fn finish_login(&self, ceremony: &str, response: &str) -> Result<SignedIn> {
        let party = &self.shared.relying_party;
        let (state, sealed, now) = self.read(Method::FinishPasskeyLogin, |reader, _| {
            party.check_available(reader)?;
            let (state, sealed) = self.open_login(reader, ceremony)?;
            Ok((state, sealed, reader.now()))
        })?;
        if clock::to_millis(now) >= state.expires_at {
            return Err(PasskeyFailure::ExpiredCeremony.into());
        }
        self.spend(&sealed)?;
        let (passkey, assertion) = self.verify_assertion(&state.authentication, response, None)?;
        self.write(Method::FinishPasskeyLogin, |change| {
            self.sign_in_by_passkey(change, &passkey, assertion)
        })?
        .map_err(Into::into)
    }

    /// WebAuthn Level 3, section 7.2: the passkey that answered, which is `owner`'s if one is named. Without one, the
    /// answer must name the user.
    pub(super) fn verify_assertion(
        &self,
        state: &AuthenticationState,
        response: &str,
        owner: Option<UserId>,
    ) -> Result<(Passkey, Assertion)> {
        let response = Verifier::parse_assertion(response)?;
        let Shared {
            db, relying_party, ..
        } = &*self.shared;
        let stored = db
            .read(|reader| db::passkeys::find_usable(reader, &response.raw_id))?
            .filter(|stored| owner.is_none_or(|owner| stored.passkey.user_id == owner))
            .ok_or(PasskeyFailure::UnknownCredential)?;
        check_handle(&response, &stored, owner.is_none())?;
        let assertion = relying_party
            .verifier
            .authenticate(state, &response, &stored.known)?;
        Ok((stored.passkey, assertion))
    }

    /// Before anything is verified, and for all processes to see (P2). What was sealed holds the challenge, and unlike
    /// the ceremony's text it can be written in one way only.
    fn spend(&self, sealed: &str) -> Result<()> {
        let hash = tokens::hash(sealed);
        let is_first = self.shared.db.write_unsynced(|writer| {
            let until = clock::after(writer.now(), 2 * LIFETIME_SECONDS);
            db::ceremonies::spend_challenge(writer, &hash, writer.now(), until)
        })?;
        if is_first {
            Ok(())
        } else {
            Err(PasskeyFailure::SpentChallenge.into())
        }
    }

    /// C4: all of it in the one transaction. A refusal leaves what was noted of it.
    fn sign_in_by_passkey(
        &self,
        change: &Change<'_>,
        passkey: &Passkey,
        assertion: Assertion,
    ) -> Result<Result<SignedIn, PasskeyFailure>> {
        // It may have been deleted while its signature was verified.
        let passkey = db::passkeys::find(change, &passkey.id)?
            .filter(|passkey| passkey.usable)
            .ok_or(PasskeyFailure::UnknownCredential)?;
        let user = users::get(change, &passkey.user_id)?;
        user.check_may_sign_in(change.now())?;
        if let Some(refusal) = self.settle_assertion(change, &user, &passkey, assertion)? {
            return Ok(Err(refusal));
        }
        let opening = Opening::of(&user, SignInMethod::Passkey);
        let signed_in = self.open_session(change, user, change.client, opening)?;
        change.record(
            EventKind::PasskeySignedIn,
            Subject::of(&signed_in.user, passkey.id.as_str(), &passkey.name),
            &[],
        )?;
        Ok(Ok(signed_in))
    }

    fn open_login(&self, reader: &Reader<'_>, ceremony: &str) -> Result<(State, String)> {
        if !ceremony.starts_with(LOGIN_HEAD) {
            return Err(ceremonies::not_this_kind(ceremony).into());
        }
        let opened = sealing::open(reader, ceremony)?.ok_or_else(sealing::unknown)?;
        let state: State = serde_json::from_str(&opened).map_err(|_| sealing::unknown())?;
        if state.rp_id != self.shared.relying_party.id {
            return Err(sealing::unknown());
        }
        Ok((state, opened))
    }
}

/// WebAuthn Level 3, section 7.2 step 6: the handle is the owner's. A sign-in without a user name must have one; where
/// the owner is known, an empty one is none.
fn check_handle(
    response: &PublicKeyCredential,
    stored: &StoredPasskey,
    must_be_there: bool,
) -> Result<()> {
    match &response.response.user_handle {
        Some(handle) if *handle == stored.user_handle => Ok(()),
        None if !must_be_there => Ok(()),
        Some(handle) if handle.is_empty() && !must_be_there => Ok(()),
        _ => Err(PasskeyFailure::WrongUserHandle.into()),
    }
}
