//! The state of a sign-in that travels through the browser (P2): sealed with AES-256-GCM under a key in the database,
//! so that every process can open it and nothing is written when somebody only begins.

use std::time::{Duration, SystemTime};

use super::ceremonies::{LOGIN_HEAD, not_this_kind};
use crate::{
    clock,
    crypto::{
        base64url::{base64url, from_base64url},
        encryption::{self, Cipher},
        webauthn::Challenge,
    },
    db::{self, Reader, Writer},
    error::{KeyplateError, PasskeyFailure, Result},
    gate::handle::Keyplate,
    model::passkeys::SealingKey,
};

/// A key seals until a later one does, which is made after a day.
const SEALS_FOR: Duration = Duration::from_secs(24 * 3_600);
/// A sealed state has 91 characters.
const MAX_NAME: usize = 256;

/// What travels.
pub(super) struct Login {
    pub(super) challenge: Challenge,
    pub(super) expires_at: SystemTime,
}

impl Keyplate {
    /// Makes the first key, or the next one, before somebody waits for it.
    pub(in crate::rules) fn settle_sealing_key(&self) -> Result<()> {
        let party = &self.shared.relying_party;
        if party.is_maintenance || party.problem.is_some() {
            return Ok(());
        }
        match self.sealing_key() {
            Err(error) if !error.only_stops_writing() => Err(error),
            _ => Ok(()),
        }
    }

    /// The key that seals now. An old one serves while the next cannot be written.
    fn sealing_key(&self) -> Result<SealingKey> {
        let db = &self.shared.db;
        let newest = db.read(|reader| {
            let newest = db::ceremonies::newest_sealing_key(reader)?;
            Ok(newest.map(|key| (is_fresh(reader, &key), key)))
        })?;
        match newest {
            Some((true, key)) => Ok(key),
            Some((false, key)) => match db.write_if_free(next_sealing_key) {
                Err(error) if error.only_stops_writing() => Ok(key),
                next => next,
            },
            None => db.write(next_sealing_key),
        }
    }

    /// The name of a ceremony with this state.
    pub(super) fn seal(&self, login: &Login) -> Result<String> {
        let key = self.sealing_key()?;
        let mut plain = clock::to_millis(login.expires_at).to_be_bytes().to_vec();
        plain.extend(login.challenge.bytes());
        let sealed = Cipher::new(&key.bytes)?.seal(&self.context(), &plain)?;
        let sealed = base64url(&sealed);
        Ok(format!("{LOGIN_HEAD}{}.{sealed}", key.id))
    }

    /// What was sealed, by whichever process.
    pub(super) fn unseal(&self, reader: &Reader<'_>, ceremony: &str) -> Result<Login> {
        if !ceremony.starts_with(LOGIN_HEAD) {
            return Err(not_this_kind(ceremony).into());
        }
        let unknown = || KeyplateError::from(PasskeyFailure::UnknownCeremony);
        let (id, sealed) = parse(ceremony).ok_or_else(unknown)?;
        let key = db::ceremonies::sealing_key(reader, id)?.ok_or_else(unknown)?;
        let plain = Cipher::new(&key.bytes)?.open(&self.context(), &sealed);
        let plain = plain.ok_or_else(unknown)?;
        let (expires_at, challenge) = plain.split_first_chunk().ok_or_else(unknown)?;
        let expires_at = clock::from_stored(i64::from_be_bytes(*expires_at));
        Ok(Login {
            challenge: Challenge::new(challenge),
            expires_at: expires_at.ok_or_else(unknown)?,
        })
    }

    /// It opens for the same RP id only.
    fn context(&self) -> Vec<u8> {
        [LOGIN_HEAD, &self.shared.relying_party.id]
            .concat()
            .into_bytes()
    }
}

/// The next key, unless another was quicker to make it.
pub(in crate::rules) fn next_sealing_key(writer: &Writer<'_>) -> Result<SealingKey> {
    let newest = db::ceremonies::newest_sealing_key(writer)?;
    if let Some(key) = newest.filter(|key| is_fresh(writer, key)) {
        return Ok(key);
    }
    // The one that sealed until now opens for another day: a ceremony lives for minutes.
    db::ceremonies::forget_older_sealing_keys(writer)?;
    let bytes = encryption::random()?;
    db::ceremonies::insert_sealing_key(writer, &bytes, writer.now())
}

fn is_fresh(reader: &Reader<'_>, key: &SealingKey) -> bool {
    reader.now() < key.created_at + SEALS_FOR
}

fn parse(ceremony: &str) -> Option<(i64, Vec<u8>)> {
    if ceremony.len() > MAX_NAME {
        return None;
    }
    let (id, sealed) = ceremony.strip_prefix(LOGIN_HEAD)?.split_once('.')?;
    Some((id.parse().ok()?, from_base64url(sealed)?))
}
