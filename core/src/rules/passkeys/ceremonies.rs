//! Ceremonies between their beginning and their end (P2). Each is used once: it is spent, for all processes to see,
//! before its answer is verified.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    clock,
    crypto::{
        base64url::base64url,
        encryption,
        webauthn::{LIFETIME_SECONDS, to_json},
    },
    db,
    error::{PasskeyFailure, Result},
    gate::{change::Change, handle::Keyplate},
    model::{
        ids::{SessionId, UserId},
        passkeys::{CeremonyKind, PasskeyCeremony, StoredCeremony},
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
    options: String,
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
        ceremony,
        options,
        expires_at,
    })
}

impl Keyplate {
    /// Takes a ceremony away, which nobody can use after that, and gives its state.
    pub(super) fn spend_ceremony<T: DeserializeOwned>(
        &self,
        kind: CeremonyKind,
        owner: Option<(UserId, SessionId)>,
        ceremony: &str,
    ) -> Result<T> {
        if !ceremony.starts_with(head(kind)) {
            return Err(not_this_kind(ceremony).into());
        }
        let hash = tokens::hash(ceremony);
        let stored = self.shared.db.write_unsynced(|writer| {
            let Some(stored) = db::ceremonies::find(writer, &hash)? else {
                return Err(PasskeyFailure::UnknownCeremony.into());
            };
            // It is not spent by somebody else's trying.
            if !is_owner(kind, &stored.owner, &owner) {
                return Err(PasskeyFailure::WrongUser.into());
            }
            db::ceremonies::delete(writer, &hash)?;
            Ok((stored.expires_at > writer.now()).then_some(stored))
        })?;
        let stored = stored.ok_or(PasskeyFailure::ExpiredCeremony)?;
        serde_json::from_str(&stored.state).map_err(|_| PasskeyFailure::UnknownCeremony.into())
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
