//! What sign-ins and step-ups have in common: an assertion is verified, and what it tells of its passkey is noted (P3).

use crate::{
    crypto::webauthn::{Assertion, AssertionAnswer, Challenge},
    db::{self, Reader},
    error::{PasskeyFailure, Result},
    gate::{
        change::{Change, Outcome, Subject},
        handle::Keyplate,
    },
    model::{
        audit::EventKind,
        ids::{PasskeyId, UserId},
        passkeys::{Passkey, StoredPasskey},
        settings::{BackupEligibilityPolicy, CounterPolicy},
        users::User,
    },
    rules::users::checks as users,
};

/// An assertion that is genuine, and by which passkey.
pub(super) struct Verified {
    passkey: PasskeyId,
    assertion: Assertion,
}

/// WebAuthn Level 3, section 7.2 steps 5 and 6: the passkey that answered, which is `owner`'s if one is named. Without
/// one, the answer must name the user. Where the owner is known, an empty handle is none.
pub(super) fn known(
    reader: &Reader<'_>,
    answer: &AssertionAnswer,
    owner: Option<UserId>,
) -> Result<StoredPasskey> {
    let stored = db::passkeys::find_usable(reader, answer.credential_id())?
        .filter(|stored| owner.is_none_or(|owner| stored.passkey.user_id == owner))
        .ok_or(PasskeyFailure::UnknownCredential)?;
    match answer.user_handle() {
        Some(handle) if *handle == stored.user_handle => Ok(stored),
        Some([]) | None if owner.is_some() => Ok(stored),
        _ => Err(PasskeyFailure::WrongUserHandle.into()),
    }
}

impl Keyplate {
    pub(super) fn verify_assertion(
        &self,
        challenge: &Challenge,
        answer: &AssertionAnswer,
        stored: StoredPasskey,
    ) -> Result<Verified> {
        let verifier = &self.shared.relying_party.verifier;
        Ok(Verified {
            assertion: verifier.authenticate(challenge, answer, &stored.known)?,
            passkey: stored.passkey.id,
        })
    }

    /// Looks again at what may have changed while the signature was verified, and grants what it is for. What is noted of
    /// the passkey stays if `check` refuses it; nothing that `grant` says no to stays.
    pub(super) fn settle_assertion<T>(
        &self,
        change: &Change<'_>,
        verified: &Verified,
        check: impl FnOnce(&User) -> Result<()>,
        grant: impl FnOnce(&User, &Passkey) -> Result<T>,
    ) -> Result<Outcome<T>> {
        let found = db::passkeys::find_with_counter(change, &verified.passkey)?;
        let Some((passkey, counter)) = found.filter(|(passkey, _)| passkey.usable) else {
            return Ok(Outcome::Refused(PasskeyFailure::UnknownCredential.into()));
        };
        let user = users::get(change, &passkey.user_id)?;
        let told = verified.assertion;
        let noted = [
            note_counter(change, &user, &passkey, (counter, told.counter))?,
            note_eligibility(change, &user, &passkey, told.backup_eligible)?,
        ];
        // All that can refuse it comes before the first row of what it grants, so that nothing has to be undone.
        if let Some(refusal) = noted.into_iter().flatten().next() {
            return Ok(Outcome::Refused(refusal.into()));
        }
        if let Err(refusal) = check(&user) {
            return Ok(Outcome::Refused(refusal));
        }
        db::passkeys::set_used(change, &passkey.id, told, change.now())?;
        grant(&user, &passkey).map(Outcome::Granted)
    }
}

/// WebAuthn Level 3, section 7.2 step 22. Gives why the assertion is refused, if the setting says so.
fn note_counter(
    change: &Change<'_>,
    user: &User,
    passkey: &Passkey,
    (before, now): (u32, u32),
) -> Result<Option<PasskeyFailure>> {
    if now > before || (now, before) == (0, 0) {
        return Ok(None);
    }
    db::passkeys::set_counter_went_back(change, &passkey.id, change.now())?;
    let kind = EventKind::PasskeyCounterWentBack;
    record(
        change,
        kind,
        user,
        passkey,
        [before.to_string(), now.to_string()],
    )?;
    let policy = db::settings::load(change)?.counter_policy;
    Ok((policy == CounterPolicy::Deny).then_some(PasskeyFailure::CounterWentBack))
}

/// Step 18 has it that eligibility never changes. Password managers change it when a passkey moves into one.
fn note_eligibility(
    change: &Change<'_>,
    user: &User,
    passkey: &Passkey,
    now: bool,
) -> Result<Option<PasskeyFailure>> {
    let before = passkey.backup_eligible;
    if now == before {
        return Ok(None);
    }
    db::passkeys::set_backup_eligibility_changed(change, &passkey.id, change.now())?;
    let kind = EventKind::PasskeyBackupEligibilityChanged;
    record(
        change,
        kind,
        user,
        passkey,
        [before.to_string(), now.to_string()],
    )?;
    let policy = db::settings::load(change)?.backup_eligibility_policy;
    let is_denied = policy == BackupEligibilityPolicy::Deny;
    Ok(is_denied.then_some(PasskeyFailure::BackupEligibilityChanged))
}

fn record(
    change: &Change<'_>,
    kind: EventKind,
    user: &User,
    passkey: &Passkey,
    [before, now]: [String; 2],
) -> Result<()> {
    let subject = Subject::of(user, passkey.id.as_str(), &passkey.name);
    change.record(kind, subject, &[("before", &before), ("now", &now)])
}
