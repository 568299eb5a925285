//! A user registers a passkey (P1–P5), perhaps their first (S7, B4), perhaps because they have lost another (O3).

use serde::{Deserialize, Serialize};
use webauthn_rs_core::proto::RegistrationState;

use super::{ceremonies, shown_name, user_handle};
use crate::{
    crypto::webauthn::{CredentialUser, NewCredential},
    db::{self, Reader},
    error::{DenialReason, Result, denied},
    gate::{caller::Caller, change::Change, handle::Keyplate, methods::Method},
    model::{
        audit::EventKind,
        ids::SessionId,
        passkeys::{CeremonyKind, PasskeyCeremony, PasskeyRegistration},
        sessions::{SignInMethod, SignedIn},
        users::{User, UserStatus},
    },
    rules::{sessions::Opening, setup},
    values::text,
};

#[derive(Serialize, Deserialize)]
struct State {
    registration: RegistrationState,
}

/// Who registers, and by which session.
struct Registrant<'c> {
    user: &'c User,
    session: SessionId,
    method: SignInMethod,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Begins to register a passkey for the caller, who must act by a session. A first passkey needs nothing more, and
    /// further ones need a step-up.
    ///
    /// # Errors
    /// `StepUpRequired`; `PermissionDenied` for API keys, the host, and sessions that may do less than their user;
    /// `PasskeyCeremonyFailed` where passkeys cannot work.
    pub fn begin_passkey_registration(&self) -> Result<PasskeyCeremony> {
        let result = self.write(Method::BeginPasskeyRegistration, |change| {
            let party = &self.shared.relying_party;
            party.check_available(change)?;
            let registrant = registrant(change, change.caller)?;
            let user = registrant.user;
            let handle = user_handle(change, &user.id)?;
            let exclude = db::passkeys::usable_credentials(change, &user.id)?;
            let (begun, registration) = party.verifier.begin_registration(
                &self.rp_name(change)?,
                &CredentialUser {
                    handle: &handle,
                    name: &user.username,
                    display_name: shown_name(user),
                },
                &exclude,
            )?;
            ceremonies::begin(
                change,
                CeremonyKind::Registration,
                Some((user.id, registrant.session)),
                None,
                begun,
                &State { registration },
            )
        });
        self.note_refusal(EventKind::PasskeyRegistrationRefused, &result);
        result
    }

    /// Registers a passkey with the browser's answer, a RegistrationResponseJSON. Without a name, it gets that of its
    /// authenticator. A session that was not opened with a passkey is replaced by one that is, and a recovery session also
    /// ends all others. The passkey of the administrator who claimed setup completes setup. Only an answer that is
    /// verified uses the ceremony up.
    ///
    /// # Errors
    /// `PasskeyCeremonyFailed` with the reason; `InvalidInput` for the name; `StepUpRequired`, `PermissionDenied`.
    pub fn finish_passkey_registration(
        &self,
        ceremony: &str,
        response: &str,
        name: Option<String>,
    ) -> Result<PasskeyRegistration> {
        let name = text::maybe("name", name.as_deref(), super::MAX_NAME)?;
        const REFUSED: EventKind = EventKind::PasskeyRegistrationRefused;
        let verified = self.verify_registration(ceremony, response);
        let credential = self.counted(REFUSED, verified)?;
        let registered = self.write(Method::FinishPasskeyRegistration, |change| {
            let registrant = registrant(change, change.caller)?;
            ceremonies::spend(change, ceremony)?;
            change.grant(|| {
                let user = registrant.user;
                let passkey = self.insert_passkey(change, user, &credential, name.as_deref())?;
                if registrant.method == SignInMethod::DeviceLink {
                    db::device_links::set_passkey(change, &registrant.session, &passkey.id)?;
                }
                let setup = setup::complete_by_passkey(change, user)?;
                let signed_in = self.replace_session(change, &registrant)?;
                Ok(PasskeyRegistration {
                    passkey,
                    signed_in,
                    setup,
                })
            })
        });
        self.concluded(REFUSED, registered)
    }
}

impl Keyplate {
    fn verify_registration(&self, ceremony: &str, response: &str) -> Result<NewCredential> {
        let state: State =
            self.read_before_writing(Method::FinishPasskeyRegistration, |reader, caller| {
                let registrant = registrant(reader, caller)?;
                let owner = (registrant.user.id, registrant.session);
                ceremonies::state(reader, CeremonyKind::Registration, Some(owner), ceremony)
            })?;
        let verifier = &self.shared.relying_party.verifier;
        Ok(verifier.register(&state.registration, response)?)
    }

    /// B4, O3: whoever has used a passkey has a passkey's session from now on, but not while they wait for approval (S7).
    fn replace_session(
        &self,
        change: &Change<'_>,
        registrant: &Registrant<'_>,
    ) -> Result<Option<SignedIn>> {
        let user = registrant.user;
        if registrant.method == SignInMethod::Passkey || user.status == UserStatus::Pending {
            return Ok(None);
        }
        if registrant.method == SignInMethod::Recovery {
            db::sessions::end_all(change, &user.id, None, change.now())?;
        } else {
            db::sessions::end(change, &registrant.session, change.now())?;
        }
        let opening = Opening {
            bound: change.caller.bound(),
            ..Opening::of(user, SignInMethod::Passkey)
        };
        self.open_session(change, user.clone(), change.client, opening)
            .map(Some)
    }
}

/// P4, P5, S7, O3: may the caller register a passkey now?
fn registrant<'c>(reader: &Reader<'_>, caller: &'c Caller) -> Result<Registrant<'c>> {
    let (Some(acting), Some((session, method))) = (caller.acting(), caller.session()) else {
        return Err(denied(DenialReason::OwnPasskeysOnly));
    };
    let user = &acting.user;
    caller.may_give_for_good(reader, user)?;
    let is_first = db::passkeys::count_usable(reader, &user.id)? == 0;
    match method {
        SignInMethod::SignUp if user.status == UserStatus::Pending => {
            if !is_first {
                return Err(denied(DenialReason::OnePasskeyUntilApproval));
            }
        }
        // V5: its user stepped up to make the link; the session is replaced by the passkey's, so it registers one.
        SignInMethod::Recovery | SignInMethod::DeviceLink => {}
        method => {
            caller.covers_sign_in_of(user)?;
            if !is_first && method != SignInMethod::Setup {
                caller.step_up(reader)?;
            }
        }
    }
    Ok(Registrant {
        user,
        session,
        method,
    })
}
