//! Sign-in by a passkey, without a user name (P1, P2, P3).

use super::{assertions::Verified, sealing::Login};
use crate::{
    clock,
    crypto::webauthn::{AssertionAnswer, Challenge, LIFETIME_SECONDS},
    db::{self, Reader},
    error::{PasskeyFailure, Result},
    gate::{
        change::{Change, Subject},
        handle::Keyplate,
        methods::Method,
    },
    model::{
        audit::EventKind,
        passkeys::{Passkey, PasskeyCeremony},
        sessions::{SignInMethod, SignedIn},
        users::User,
    },
    rules::sessions::Opening,
    values::tokens::{self, SecretHash},
};

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
        let begun = party.verifier.begin_authentication(&[])?;
        let login = Login {
            challenge: begun.challenge,
            expires_at: clock::after(now, LIFETIME_SECONDS),
        };
        Ok(PasskeyCeremony {
            id: login.challenge.id(),
            ceremony: self.seal(&login)?,
            options: begun.options,
            expires_at: login.expires_at,
        })
    }

    /// Signs a user in with the browser's answer, an AuthenticationResponseJSON. An answer with a genuine signature uses
    /// the ceremony up, even if the user may not sign in. Any other leaves it as it is.
    ///
    /// # Errors
    /// `PasskeyCeremonyFailed` with the reason; `AccountPending`, `AccountDisabled`, `AccountExpired`.
    pub fn finish_passkey_login(&self, ceremony: &str, response: &str) -> Result<SignedIn> {
        const REFUSED: EventKind = EventKind::SignInRefused;
        let (challenge, verified) = self.counted(REFUSED, self.verify_login(ceremony, response))?;
        let signed_in = self.write(Method::FinishPasskeyLogin, |change| {
            spend(change, &challenge)?;
            self.settle_assertion(
                change,
                &verified,
                |user| user.check_may_sign_in(change.now()),
                |user, passkey| self.sign_in_by_passkey(change, user, passkey),
            )
        });
        self.concluded(REFUSED, signed_in)
    }
}

impl Keyplate {
    fn verify_login(&self, ceremony: &str, response: &str) -> Result<(SecretHash, Verified)> {
        let party = &self.shared.relying_party;
        let answer = AssertionAnswer::parse(response);
        let (challenge, known) =
            self.read_before_writing(Method::FinishPasskeyLogin, |reader, _| {
                party.check_available(reader)?;
                let login = self.unseal(reader, ceremony)?;
                check_unspent(reader, &login)?;
                let answer = answer.as_ref().map_err(|failure| *failure)?;
                Ok((
                    login.challenge,
                    super::assertions::known(reader, answer, None)?,
                ))
            })?;
        let verified = self.verify_assertion(&challenge, &answer?, known)?;
        Ok((hash(&challenge), verified))
    }

    fn sign_in_by_passkey(
        &self,
        change: &Change<'_>,
        user: &User,
        passkey: &Passkey,
    ) -> Result<SignedIn> {
        let opening = Opening::of(user, SignInMethod::Passkey);
        let signed_in = self.open_session(change, user.clone(), change.client, opening)?;
        change.record(
            EventKind::PasskeySignedIn,
            Subject::of(user, passkey.id.as_str(), &passkey.name),
            &[],
        )?;
        Ok(signed_in)
    }
}

/// What is remembered of a challenge that was spent.
fn hash(challenge: &Challenge) -> SecretHash {
    tokens::hash(&challenge.text())
}

fn check_unspent(reader: &Reader<'_>, login: &Login) -> Result<()> {
    if reader.now() >= login.expires_at {
        return Err(PasskeyFailure::ExpiredCeremony.into());
    }
    if db::ceremonies::is_spent(reader, &hash(&login.challenge))? {
        return Err(PasskeyFailure::SpentChallenge.into());
    }
    Ok(())
}

/// P2: for twice its life nobody can use it again.
fn spend(change: &Change<'_>, challenge: &SecretHash) -> Result<()> {
    let until = clock::after(change.now(), 2 * LIFETIME_SECONDS);
    match db::ceremonies::spend_challenge(change, challenge, change.now(), until)? {
        true => Ok(()),
        false => Err(PasskeyFailure::SpentChallenge.into()),
    }
}
