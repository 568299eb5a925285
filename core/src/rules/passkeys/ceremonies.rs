//! Ceremonies between their beginning and their end (P2). An answer is verified on what a snapshot shows, without any
//! lock. If it is genuine, one commit spends the ceremony and grants what comes of it; any other answer writes nothing.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    clock,
    crypto::{
        base64url::base64url,
        encryption,
        webauthn::{Begun, Challenge, LIFETIME_SECONDS, to_json},
    },
    db::{self, Reader},
    error::{PasskeyFailure, Result},
    gate::{
        change::{Change, Outcome},
        handle::Keyplate,
    },
    model::{
        audit::EventKind,
        ids::{SessionId, UserId},
        passkeys::{CeremonyKind, PasskeyAnswer, PasskeyCeremony, StoredCeremony},
    },
    values::tokens,
};

/// The first part of a ceremony's name, so that one of another kind is told as such.
fn head(kind: CeremonyKind) -> &'static str {
    match kind {
        CeremonyKind::Registration => "registration.",
        CeremonyKind::SignUp => "signup.",
        CeremonyKind::StepUp => "stepup.",
    }
}

pub(super) const LOGIN_HEAD: &str = "login.";

/// Of another kind, or of none?
pub(super) fn not_this_kind(ceremony: &str) -> PasskeyFailure {
    let heads = [
        head(CeremonyKind::Registration),
        head(CeremonyKind::SignUp),
        head(CeremonyKind::StepUp),
        LOGIN_HEAD,
    ];
    if heads.iter().any(|head| ceremony.starts_with(head)) {
        PasskeyFailure::WrongKind
    } else {
        PasskeyFailure::UnknownCeremony
    }
}

/// Stores a ceremony; gives what names it.
pub(super) fn begin(
    change: &Change<'_>,
    kind: CeremonyKind,
    owner: Option<(UserId, SessionId)>,
    source: Option<String>,
    begun: Begun,
    state: &impl Serialize,
) -> Result<PasskeyCeremony> {
    let random = encryption::random::<32>()?;
    let ceremony = format!("{}{}", head(kind), base64url(&random));
    let expires_at = clock::after(change.now(), LIFETIME_SECONDS);
    let stored = StoredCeremony {
        kind,
        owner,
        source,
        state: to_json(state)?,
        expires_at,
    };
    // Kept for as long again, so that who comes too late is told so.
    let long_expired = change.now() - clock::seconds(LIFETIME_SECONDS);
    db::ceremonies::forget_expired(change, long_expired)?;
    db::ceremonies::insert(change, &tokens::hash(&ceremony), &stored)?;
    Ok(PasskeyCeremony {
        id: begun.challenge.id(),
        ceremony,
        options: begun.options,
        expires_at,
    })
}

/// The state of a ceremony that was begun for this caller and has time left.
pub(super) fn state<T: DeserializeOwned>(
    reader: &Reader<'_>,
    kind: CeremonyKind,
    owner: Option<(UserId, SessionId)>,
    ceremony: &str,
) -> Result<T> {
    if !ceremony.starts_with(head(kind)) {
        return Err(not_this_kind(ceremony).into());
    }
    let stored = db::ceremonies::find(reader, &tokens::hash(ceremony))?
        .ok_or(PasskeyFailure::UnknownCeremony)?;
    if !is_owner(kind, &stored.owner, &owner) {
        return Err(PasskeyFailure::WrongUser.into());
    }
    if stored.expires_at <= reader.now() {
        return Err(PasskeyFailure::ExpiredCeremony.into());
    }
    serde_json::from_str(&stored.state).map_err(|_| PasskeyFailure::UnknownCeremony.into())
}

/// Takes a ceremony away for a genuine answer, which nobody can answer again.
pub(super) fn spend(change: &Change<'_>, ceremony: &str) -> Result<()> {
    match db::ceremonies::delete(change, &tokens::hash(ceremony))? {
        true => Ok(()),
        false => Err(PasskeyFailure::UnknownCeremony.into()), // another was quicker
    }
}

/// A step-up belongs to one session. A registration may be finished in another session of the same user.
fn is_owner(
    kind: CeremonyKind,
    stored: &Option<(UserId, SessionId)>,
    caller: &Option<(UserId, SessionId)>,
) -> bool {
    let user = |owner: &Option<(UserId, SessionId)>| owner.as_ref().map(|owner| owner.0);
    stored == caller || (kind == CeremonyKind::Registration && user(stored) == user(caller))
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Reads in a browser's answer of any kind which ceremony it belongs to. Somebody may have begun several, in as many
    /// tabs: a host keeps each under the `id` that `begin_…` gave, looks here for the one that is answered, and finishes
    /// that. Nothing is verified by this.
    ///
    /// # Errors
    /// `PasskeyCeremonyFailed` for what is no answer of a browser.
    pub fn inspect_passkey_answer(&self, response: &str) -> Result<PasskeyAnswer> {
        let (challenge, credential_id) = Challenge::of_answer(response)?;
        Ok(PasskeyAnswer {
            ceremony_id: challenge.id(),
            credential_id,
        })
    }
}

impl Keyplate {
    /// What was verified. An answer that is refused is counted, and changes nothing.
    pub(super) fn counted<T>(&self, kind: EventKind, result: Result<T>) -> Result<T> {
        self.count_refusal(kind, &result);
        result
    }

    /// What a genuine answer has come to. Only a refusal that spent its ceremony has changed anything, and is written as
    /// that.
    pub(super) fn concluded<T>(&self, kind: EventKind, result: Result<Outcome<T>>) -> Result<T> {
        match result {
            Ok(Outcome::Granted(granted)) => Ok(granted),
            Ok(Outcome::Refused(refusal)) => {
                let refused = Err(refusal);
                self.note_refusal(kind, &refused);
                refused
            }
            Err(error) => self.counted(kind, Err(error)),
        }
    }
}
