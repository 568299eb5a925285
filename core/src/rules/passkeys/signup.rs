//! Passkey-first sign-up (S8): nothing that counts is stored at the beginning, everything at the end.

use serde::{Deserialize, Serialize};
use webauthn_rs_core::proto::RegistrationState;

use super::{ceremonies, new_handle};
use crate::{
    crypto::webauthn::{CredentialUser, NewCredential},
    db,
    error::{KeyplateError, PasskeyFailure, Result},
    gate::{handle::Keyplate, limits, methods::Method},
    model::{
        audit::EventKind,
        ids::SignupTokenId,
        passkeys::{CeremonyKind, PasskeyCeremony},
        sessions::{SignInMethod, SignedIn},
        signup::NewSignup,
        users::UserStatus,
    },
    rules::{sessions::Opening, signup::Invitation, users::names},
};

/// So many may be under way from one address.
const MOST_FROM_ADDRESS: i64 = 20;

/// What is kept between the two calls: the profile and the token's id, not its secret (C2).
#[derive(Serialize, Deserialize)]
struct State {
    registration: RegistrationState,
    user_handle: String,
    token_id: Option<String>,
    username: String,
    email: Option<String>,
    display_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    locale: Option<String>,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Begins a sign-up with a passkey. The account is created together with the passkey, so this does not use the token.
    ///
    /// # Errors
    /// As `sign_up`; `PasskeyCeremonyFailed` where passkeys cannot work.
    pub fn begin_passkey_signup(&self, signup: NewSignup) -> Result<PasskeyCeremony> {
        let result = self.begin_signup(&signup);
        self.note_refusal(EventKind::SignupRefused, &result);
        result
    }

    /// Signs somebody up and in with the browser's answer, a RegistrationResponseJSON. The use of the token, the account,
    /// its groups and claims, the passkey and the session are created together or not at all. An answer that is verified
    /// uses the ceremony up, even if the sign-up is then refused; any other leaves it as it is.
    ///
    /// # Errors
    /// `PasskeyCeremonyFailed` with the reason; otherwise as `sign_up`.
    pub fn finish_passkey_signup(&self, ceremony: &str, response: &str) -> Result<SignedIn> {
        const REFUSED: EventKind = EventKind::SignupRefused;
        let verified = self.verify_signup(ceremony, response);
        let (state, credential) = self.counted(REFUSED, verified)?;
        let (signup, invitation, handle) = state.into_parts()?;
        let signed_up = self.write(Method::FinishPasskeySignup, |change| {
            ceremonies::spend(change, ceremony)?;
            change.grant(|| {
                let (admission, user) = self.make_member(change, &signup, &invitation)?;
                db::passkeys::set_user_handle(change, &user.id, &handle)?;
                let method = match user.status {
                    UserStatus::Pending => SignInMethod::SignUp, // S7
                    _ => SignInMethod::Passkey,
                };
                let opening = Opening::of(&user, method);
                let signed_in = self.open_session(change, user, change.client, opening)?;
                admission.record(change, &signed_in.user)?;
                self.insert_passkey(change, &signed_in.user, &credential, None)?;
                Ok(signed_in)
            })
        });
        self.concluded(REFUSED, signed_up)
    }
}

impl Keyplate {
    fn begin_signup(&self, signup: &NewSignup) -> Result<PasskeyCeremony> {
        let party = &self.shared.relying_party;
        // Checked on a snapshot first, so that a refused sign-up never takes the write lock. The transaction checks it again.
        self.read(Method::BeginPasskeySignup, |reader, _| {
            party.check_available(reader)?;
            let invitation = Invitation::shown(signup);
            self.check_invitation(reader, signup, &invitation).map(drop)
        })?;
        self.write(Method::BeginPasskeySignup, |change| {
            let (_, token) = self.check_invitation(change, signup, &Invitation::shown(signup))?;
            let source = limits::source(change.client);
            if let Some(source) = &source
                && db::ceremonies::count_from(change, source, change.now())? >= MOST_FROM_ADDRESS
            {
                let retry_after = std::time::Duration::from_secs(60);
                return Err(KeyplateError::RateLimited { retry_after });
            }
            let user = self.checked_member(change, signup)?;
            names::check_for_signup(change, &user)?;
            let handle = new_handle()?;
            let (begun, registration) = party.verifier.begin_registration(
                &self.rp_name(change)?,
                &CredentialUser {
                    handle: &handle,
                    name: &user.username,
                    display_name: super::shown_name(&user),
                },
                &[],
            )?;
            let state = State {
                registration,
                user_handle: crate::crypto::base64url::base64url(&handle),
                token_id: token.map(|token| token.id.to_string()),
                username: signup.username.clone(),
                email: signup.email.clone(),
                display_name: signup.display_name.clone(),
                first_name: signup.first_name.clone(),
                last_name: signup.last_name.clone(),
                locale: signup.locale.clone(),
            };
            ceremonies::begin(change, CeremonyKind::SignUp, None, source, begun, &state)
        })
    }

    fn verify_signup(&self, ceremony: &str, response: &str) -> Result<(State, NewCredential)> {
        let party = &self.shared.relying_party;
        let state: State = self.read_before_writing(Method::FinishPasskeySignup, |reader, _| {
            party.check_available(reader)?;
            ceremonies::state(reader, CeremonyKind::SignUp, None, ceremony)
        })?;
        let credential = party.verifier.register(&state.registration, response)?;
        Ok((state, credential))
    }
}

impl State {
    fn into_parts(self) -> Result<(NewSignup, Invitation<'static>, Vec<u8>)> {
        let unknown = || KeyplateError::from(PasskeyFailure::UnknownCeremony);
        let invitation = match &self.token_id {
            Some(id) => Invitation::Token(SignupTokenId::parse(id).map_err(|_| unknown())?),
            None => Invitation::None,
        };
        let handle =
            crate::crypto::base64url::from_base64url(&self.user_handle).ok_or_else(unknown)?;
        let signup = NewSignup {
            username: self.username,
            token: None,
            email: self.email,
            display_name: self.display_name,
            first_name: self.first_name,
            last_name: self.last_name,
            locale: self.locale,
        };
        Ok((signup, invitation, handle))
    }
}
