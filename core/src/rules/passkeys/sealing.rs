//! The state of a sign-in that travels through the browser (P2): sealed with AES-256-GCM under a key in the database,
//! so that every process can open it and nothing is written when somebody only begins.

use std::time::Duration;

use super::ceremonies::LOGIN_HEAD;
use crate::{
    crypto::{
        base64url::{base64url, from_base64url},
        encryption::{self, Cipher},
        webauthn::LIFETIME_SECONDS,
    },
    db::{self, Reader},
    error::{PasskeyFailure, Result},
    gate::handle::Keyplate,
    model::passkeys::SealingKey,
};

/// A key seals for a day, and opens for as long as what it sealed last is good.
const SEALS_FOR: Duration = Duration::from_secs(24 * 3_600);
const OPENS_FOR: Duration = Duration::from_secs(24 * 3_600 + 4 * LIFETIME_SECONDS.unsigned_abs());

impl Keyplate {
    /// Seals `state`; the name of the ceremony.
    pub(super) fn seal(&self, state: &str) -> Result<String> {
        let key = match self.shared.db.read(fresh_key)? {
            Some(key) => key,
            None => self.make_sealing_key()?,
        };
        let sealed = Cipher::new(&key.bytes)?.seal(LOGIN_HEAD.as_bytes(), state.as_bytes())?;
        let sealed = base64url(&sealed);
        Ok(format!("{LOGIN_HEAD}{}.{sealed}", key.id))
    }

    /// The first one in a day makes the next key; it is not worth waiting for the disk.
    fn make_sealing_key(&self) -> Result<SealingKey> {
        self.shared.db.write_unsynced(|writer| {
            if let Some(key) = fresh_key(writer)? {
                return Ok(key); // another was quicker
            }
            let bytes = encryption::random()?;
            db::ceremonies::forget_sealing_keys(writer, writer.now() - OPENS_FOR)?;
            db::ceremonies::insert_sealing_key(writer, &bytes, writer.now())
        })
    }
}

fn fresh_key(reader: &Reader<'_>) -> Result<Option<SealingKey>> {
    let key = db::ceremonies::newest_sealing_key(reader)?;
    Ok(key.filter(|key| reader.now() < key.created_at + SEALS_FOR))
}

/// What was sealed, by whichever process; none when it was not sealed here.
pub(super) fn open(reader: &Reader<'_>, ceremony: &str) -> Result<Option<String>> {
    let Some((id, sealed)) = parse(ceremony) else {
        return Ok(None);
    };
    let Some(key) = db::ceremonies::sealing_key(reader, id)? else {
        return Ok(None);
    };
    let opened = Cipher::new(&key.bytes)?.open(LOGIN_HEAD.as_bytes(), &sealed);
    Ok(opened.and_then(|plain| String::from_utf8(plain.to_vec()).ok()))
}

fn parse(ceremony: &str) -> Option<(i64, Vec<u8>)> {
    // Our own are far shorter.
    if ceremony.len() > 4_096 {
        return None;
    }
    let (id, sealed) = ceremony.strip_prefix(LOGIN_HEAD)?.split_once('.')?;
    Some((id.parse().ok()?, from_base64url(sealed)?))
}

/// What is told of a ceremony that was not begun here.
pub(super) fn unknown() -> crate::error::KeyplateError {
    PasskeyFailure::UnknownCeremony.into()
}
