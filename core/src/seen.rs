//! When credentials were last used (T1): collected in memory, so that verifying never needs the write lock.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use crate::{
    Result,
    db::{self, Engine, Writer},
    tokens::SecretHash,
};

/// A call that verifies writes at most so often.
const WRITE_EVERY: Duration = Duration::from_secs(60);
/// Another call's transaction takes along at most so many.
const TAKEN_ALONG: usize = 200;

#[derive(Debug)]
pub(crate) struct Seen {
    pending: Mutex<Pending>,
}

/// Hash of the secret → when it was last used.
type Times = HashMap<SecretHash, SystemTime, BuildHasherDefault<FirstBytes>>;

/// The keys are SHA-256: their first bytes are as random as any hash of them.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    // The array's length comes first, and is always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Debug)]
struct Pending {
    sessions: Times,
    api_keys: Times,
    written: Instant,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            pending: Mutex::new(Pending {
                sessions: Times::default(),
                api_keys: Times::default(),
                written: Instant::now(),
            }),
        }
    }
}

impl Seen {
    pub(crate) fn session(&self, db: &Engine, hash: SecretHash, now: SystemTime) {
        self.note(db, |pending| pending.sessions.insert(hash, now));
    }

    pub(crate) fn api_key(&self, db: &Engine, hash: SecretHash, now: SystemTime) {
        self.note(db, |pending| pending.api_keys.insert(hash, now));
    }

    fn note(&self, db: &Engine, insert: impl FnOnce(&mut Pending) -> Option<SystemTime>) {
        let mut pending = self.lock();
        insert(&mut pending);
        if pending.written.elapsed() < WRITE_EVERY {
            return;
        }
        pending.written = Instant::now();
        drop(pending);
        // Somebody else is writing, or the disk is full: it stays for the next time.
        let _ = db.write_if_free(|writer| self.store_all(writer));
    }

    pub(crate) fn is_empty(&self) -> bool {
        let pending = self.lock();
        pending.sessions.is_empty() && pending.api_keys.is_empty()
    }

    /// Takes some along with a transaction that is under way.
    pub(crate) fn store(&self, writer: &Writer<'_>) -> Result<()> {
        self.store_some(writer, TAKEN_ALONG)
    }

    pub(crate) fn store_all(&self, writer: &Writer<'_>) -> Result<()> {
        self.store_some(writer, usize::MAX)
    }

    fn store_some(&self, writer: &Writer<'_>, most: usize) -> Result<()> {
        let mut pending = self.lock();
        let sessions = take(&mut pending.sessions, most);
        let api_keys = take(&mut pending.api_keys, most);
        drop(pending);
        for (hash, time) in &sessions {
            db::sessions::set_last_seen(writer, hash, *time)?;
        }
        for (hash, time) in &api_keys {
            db::api_keys::set_last_used(writer, hash, *time)?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take(map: &mut Times, most: usize) -> Vec<(SecretHash, SystemTime)> {
    if map.len() <= most {
        return map.drain().collect();
    }
    let some: Vec<_> = map
        .iter()
        .take(most)
        .map(|(hash, time)| (*hash, *time))
        .collect();
    for (hash, _) in &some {
        map.remove(hash);
    }
    some
}
