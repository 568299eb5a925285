//! Passkeys (P1–P7): the credentials themselves here, a ceremony a file beneath.

mod assertions;
mod ceremonies;
mod login;
mod registration;
mod sealing;
mod signup;
mod step_up;

use serde_json::json;

use crate::{
    crypto::{
        authenticators,
        base64url::{base64url, from_base64url},
        encryption,
        webauthn::NewCredential,
    },
    db::{self, Reader, Writer},
    error::{ConflictReason, Found, InputReason, PasskeyFailure, Result, Thing, conflict},
    gate::{
        change::{Change, Subject},
        handle::Keyplate,
        list,
        methods::Method,
        relying_party,
    },
    model::{
        audit::EventKind,
        ids::{PasskeyId, UserId},
        passkeys::{Passkey, PasskeySignals},
        sessions::SignInMethod,
        users::User,
    },
    rules::users::checks as users,
    values::text,
};

pub(in crate::rules) use sealing::next_sealing_key;

const MAX_NAME: usize = 100;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Lists the passkeys of one user or of all. The oldest come first.
    ///
    /// # Errors
    /// `PermissionDenied`.
    pub fn list_passkeys(&self, user_id: Option<UserId>) -> Result<Vec<Passkey>> {
        self.read(Method::ListPasskeys, |reader, caller| {
            let user_id = list::visible_owner(caller, user_id)?;
            db::passkeys::list(reader, user_id.as_ref())
        })
    }

    /// Renames a passkey: 1 to 100 characters.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `PermissionDenied`, `StepUpRequired`.
    pub fn rename_passkey(&self, id: &PasskeyId, name: &str) -> Result<Passkey> {
        let name = text::required("name", name, MAX_NAME)?;
        self.write(Method::RenamePasskey, |change| {
            let (passkey, user) = reach(change, id)?;
            if passkey.name == name {
                return Ok(passkey);
            }
            change.caller.step_up(change)?;
            db::passkeys::rename(change, id, &name)?;
            let details = [("former_name", passkey.name.as_str())];
            let subject = Subject::of(&user, passkey.id.as_str(), &name);
            change.record(EventKind::PasskeyRenamed, subject, &details)?;
            get(change, id)
        })
    }

    /// Deletes a passkey. Only administrators and the host can delete the last one of a user that works, and nobody can
    /// delete the last one of the last administrator who has one.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` for the last one; `PermissionDenied`, `StepUpRequired`.
    pub fn delete_passkey(&self, id: &PasskeyId) -> Result<()> {
        self.write(Method::DeletePasskey, |change| {
            let (passkey, user) = reach(change, id)?;
            // O3: whoever recovers may remove what they have lost.
            let recovers = matches!(change.caller.session(), Some((_, SignInMethod::Recovery)));
            if !recovers {
                change.caller.step_up(change)?;
            }
            let himself = change.caller.user_id() == Some(user.id);
            if himself && passkey.usable && db::passkeys::count_usable(change, &user.id)? == 1 {
                return Err(conflict(ConflictReason::LastPasskey)); // P4
            }
            users::keep_an_administrator(change, || db::passkeys::delete(change, id))?;
            change.record(
                EventKind::PasskeyDeleted,
                Subject::of(&user, passkey.id.as_str(), &passkey.name),
                &[],
            )
        })
    }

    /// Returns what to tell the browser: about a credential that somebody tried and that is unknown here, and about the
    /// caller's own passkeys and names.
    ///
    /// # Errors
    /// `InvalidInput` for a credential id that is not base64url.
    pub fn get_passkey_signals(&self, credential_id: Option<String>) -> Result<PasskeySignals> {
        let asked = credential_id
            .map(|id| {
                let bytes = from_base64url(&id).filter(|bytes| !bytes.is_empty());
                bytes.ok_or_else(|| {
                    crate::error::invalid("credential_id", InputReason::NotBase64Url)
                })
            })
            .transpose()?;
        self.read(Method::GetPasskeySignals, |reader, caller| {
            let rp_id = &self.shared.relying_party.id;
            let unknown = match &asked {
                Some(id) if !db::passkeys::is_registered(reader, id)? => {
                    Some(json!({ "rpId": rp_id, "credentialId": base64url(id) }).to_string())
                }
                _ => None,
            };
            let mut signals = PasskeySignals {
                unknown_credential: unknown,
                all_accepted_credentials: None,
                current_user_details: None,
            };
            let Some(user) = caller.acting().map(|acting| &acting.user) else {
                return Ok(signals);
            };
            if let Some(handle) = db::passkeys::user_handle(reader, &user.id)? {
                let credentials = db::passkeys::usable_credentials(reader, &user.id)?;
                let ids: Vec<String> = credentials.iter().map(|(id, _)| base64url(id)).collect();
                let user_id = base64url(&handle);
                signals.all_accepted_credentials = Some(
                    json!({ "rpId": rp_id, "userId": user_id, "allAcceptedCredentialIds": ids })
                        .to_string(),
                );
                signals.current_user_details = Some(
                    json!({
                        "rpId": rp_id,
                        "userId": user_id,
                        "name": user.username,
                        "displayName": shown_name(user),
                    })
                    .to_string(),
                );
            }
            Ok(signals)
        })
    }
}

impl Keyplate {
    /// P6: the RP id is fixed by the first passkey.
    pub(in crate::rules) fn settle_rp_id(&self, accept_change: bool) -> Result<()> {
        let party = &self.shared.relying_party;
        let other = |reader: &Reader<'_>| {
            let stored = db::passkeys::rp_id(reader)?;
            Ok(stored.filter(|stored| *stored != party.id))
        };
        if party.is_maintenance || party.problem.is_some() {
            return Ok(());
        }
        let Some(stored) = self.shared.db.read(other)? else {
            return Ok(());
        };
        if !accept_change && self.shared.db.read(db::passkeys::exist)? {
            return Err(relying_party::other_rp_id(&party.id, &stored));
        }
        self.write_for_host(|change| {
            let Some(former) = other(change)? else {
                return Ok(()); // another process was quicker
            };
            db::passkeys::set_rp_id(change, &party.id)?;
            let details = [("former", former.as_str()), ("rp_id", party.id.as_str())];
            change.record(EventKind::RpIdChanged, Subject::default(), &details)
        })
    }

    /// What browsers show as the asker.
    fn rp_name(&self, reader: &Reader<'_>) -> Result<String> {
        match &self.shared.relying_party.name {
            Some(name) => Ok(name.clone()),
            None => Ok(db::settings::load(reader)?.app_name),
        }
    }

    /// Stores a credential that was verified as a user's passkey.
    fn insert_passkey(
        &self,
        change: &Change<'_>,
        user: &User,
        credential: &NewCredential,
        name: Option<&str>,
    ) -> Result<Passkey> {
        if db::passkeys::is_registered(change, &credential.credential_id)? {
            return Err(PasskeyFailure::CredentialTaken.into());
        }
        let party = &self.shared.relying_party;
        if db::passkeys::rp_id(change)?.is_none() {
            db::passkeys::set_rp_id(change, &party.id)?;
        }
        party.check_available(change)?;
        let passkey = Passkey {
            id: PasskeyId::generate(change.now())?,
            user_id: user.id,
            credential_id: base64url(&credential.credential_id),
            rp_id: party.id.clone(),
            name: match name {
                Some(name) => name.to_owned(),
                None => default_name(change, user, credential)?,
            },
            aaguid: credential.aaguid.map(|aaguid| aaguid.to_string()),
            transports: credential.transports.clone(),
            backup_eligible: credential.backup_eligible,
            backup_state: credential.backup_state,
            counter_went_back_at: None,
            created_at: change.now(),
            last_used_at: None,
            backup_eligibility_changed_at: None,
            usable: true,
        };
        db::passkeys::insert(change, &passkey, credential)?;
        let subject = Subject::of(user, passkey.id.as_str(), &passkey.name);
        change.record(EventKind::PasskeyRegistered, subject, &[])?;
        Ok(passkey)
    }
}

/// The passkey that the caller may change, with its owner (P4, K2).
fn reach(change: &Change<'_>, id: &PasskeyId) -> Result<(Passkey, User)> {
    let passkey = get(change, id)?;
    change.caller.reach(&passkey.user_id, Thing::Passkey)?;
    let user = users::get(change, &passkey.user_id)?;
    change.caller.outrank(&user)?;
    Ok((passkey, user))
}

fn get(reader: &Reader<'_>, id: &PasskeyId) -> Result<Passkey> {
    db::passkeys::find(reader, id)?.or_missing(Thing::Passkey)
}

/// The user's handle, made when it is first wanted (P3).
fn user_handle(writer: &Writer<'_>, user_id: &UserId) -> Result<Vec<u8>> {
    if let Some(handle) = db::passkeys::user_handle(writer, user_id)? {
        return Ok(handle);
    }
    let handle = new_handle()?;
    db::passkeys::set_user_handle(writer, user_id, &handle)?;
    Ok(handle)
}

fn new_handle() -> Result<Vec<u8>> {
    Ok(encryption::random::<32>()?.to_vec())
}

/// P4: the authenticator's name, and a number if they have a passkey of that name.
fn default_name(reader: &Reader<'_>, user: &User, credential: &NewCredential) -> Result<String> {
    let model = credential
        .aaguid
        .and_then(authenticators::name)
        .unwrap_or("Passkey");
    let taken: Vec<String> = db::passkeys::list(reader, Some(&user.id))?
        .into_iter()
        .map(|passkey| passkey.name)
        .collect();
    let mut names = std::iter::once(model.to_owned())
        .chain((2..).map(|number: i64| format!("{model} {number}")));
    let free = names.find(|name| !taken.contains(name));
    Ok(free.unwrap_or_else(|| model.to_owned()))
}

/// What others see of a user.
fn shown_name(user: &User) -> &str {
    user.display_name.as_deref().unwrap_or(&user.username)
}
