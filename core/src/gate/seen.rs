//! When credentials were last used (T1): collected in memory, so that verifying never needs the write lock.
//!
//! # States
//!
//! A credential's last use is in one of three places, and moves from left to right:
//!
//! NOTED (in `pending`, this process only) → TAKEN (written by a transaction that is not committed yet; still in
//! `pending`) → STORED (committed; taken out of `pending`).
//!
//! # What always holds
//!
//! 1. A time leaves `pending` only after the commit that stored it, and only if it is still the same: a use meanwhile is
//!    newer and stays. So a rolled-back transaction loses nothing.
//! 2. Stored times never go back: the statements store a time only where it is later than what is there. Nor is one stored
//!    that lies ahead, which a clock that is reset leaves behind here and in other processes (C5).
//! 3. Verifying never waits: a use is noted under a lock that is held for an insertion, or for [`LATEST`] of them, and the
//!    writing that follows at most once a minute is given up at once when somebody else writes.
//! 4. A transaction that is under way takes along at most [`TAKEN_ALONG`] of each kind, so that a change of one row does
//!    not wait for thousands.
//! 5. A kill loses what is NOTED, which is at most a minute of a busy process (T1 allows it). Closing writes it.
//! 6. No lock is held while the database is called, nor while a hooked `fork` happens (D4).
//!
//! # Who calls
//!
//! `verify_session`, `verify_api_key` and `verify_app_password` note; `gate::handle` takes along with every write and writes the rest at close.

use std::{
    collections::HashMap,
    hash::BuildHasherDefault,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use crate::{
    db::{self, Engine, Writer},
    error::Result,
    values::tokens::{ByHash, SecretHash},
};

/// A call that verifies writes at most so often.
const WRITE_EVERY: Duration = Duration::from_secs(60);
/// Another call's transaction takes along at most so many.
const TAKEN_ALONG: usize = 200;
/// So many uses are noted in their order before they are sorted in. A table of a hundred thousand credentials is not in the
/// processor's cache: one entry of it costs as much as a tenth of a look-up, a batch of them a third of that each.
const LATEST: usize = 256;

#[derive(Debug, Default)]
pub(crate) struct Seen {
    pending: Mutex<Pending>,
}

/// Hash of the secret → when it was last used.
type Times = HashMap<SecretHash, SystemTime, BuildHasherDefault<ByHash>>;

/// The uses of one kind of credential.
#[derive(Debug, Default)]
struct Uses {
    latest: Vec<(SecretHash, SystemTime)>,
    earlier: Times,
}

impl Uses {
    fn note(&mut self, hash: SecretHash, now: SystemTime) {
        if self.latest.len() >= LATEST {
            self.times();
        }
        self.latest.push((hash, now));
    }

    /// All of them.
    fn times(&mut self) -> &mut Times {
        self.earlier.extend(self.latest.drain(..));
        &mut self.earlier
    }

    fn set_back(&mut self, now: SystemTime) {
        let times = self.times().values_mut();
        times.for_each(|time| *time = now.min(*time));
    }

    fn some(&mut self, most: usize) -> Vec<(SecretHash, SystemTime)> {
        let times = self.times().iter().take(most);
        times.map(|(hash, time)| (*hash, *time)).collect()
    }

    /// What was stored, unless it was used again meanwhile.
    fn forget(&mut self, stored: &[(SecretHash, SystemTime)]) {
        let times = self.times();
        for (hash, time) in stored {
            if times.get(hash) == Some(time) {
                times.remove(hash);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.latest.is_empty() && self.earlier.is_empty()
    }
}

#[derive(Debug, Default)]
struct Pending {
    sessions: Uses,
    api_keys: Uses,
    app_passwords: Uses,
    /// When a call that verifies last wrote, or might first have.
    written: Option<SystemTime>,
    /// The time of the last use.
    noted: Option<SystemTime>,
}

impl Pending {
    /// C5: the clock was reset. Nothing was used after that time.
    fn set_back(&mut self, now: SystemTime) {
        for uses in self.kinds() {
            uses.set_back(now);
        }
    }

    fn kinds(&mut self) -> [&mut Uses; 3] {
        [
            &mut self.sessions,
            &mut self.api_keys,
            &mut self.app_passwords,
        ]
    }
}

impl Seen {
    /// True once a minute: what else waits in memory may be written now.
    pub(crate) fn session(&self, db: &Engine, hash: SecretHash, now: SystemTime) -> bool {
        self.note(db, now, |pending| pending.sessions.note(hash, now))
    }

    /// As `session`.
    pub(crate) fn api_key(&self, db: &Engine, hash: SecretHash, now: SystemTime) -> bool {
        self.note(db, now, |pending| pending.api_keys.note(hash, now))
    }

    pub(crate) fn app_password(&self, db: &Engine, hash: SecretHash, now: SystemTime) {
        self.note(db, now, |pending| pending.app_passwords.note(hash, now));
    }

    fn note(&self, db: &Engine, now: SystemTime, note: impl FnOnce(&mut Pending)) -> bool {
        let due = {
            // D4: nobody forks with a hook while this lock is held.
            let _still = db::hold_still();
            let mut pending = self.lock();
            if pending.noted.replace(now).is_some_and(|noted| noted > now) {
                pending.set_back(now);
            }
            note(&mut pending);
            let written = *pending.written.get_or_insert(now);
            // A time ahead is from before the clock was reset.
            let due = now
                .duration_since(written)
                .map_or(true, |since| since >= WRITE_EVERY);
            if due {
                pending.written = Some(now);
            }
            due
        };
        if due {
            // Somebody else is writing, or the disk is full: it stays for the next time.
            let _ = self.write_all(db);
        }
        due
    }

    /// This process has reset the clock; others see it at the next use (C5).
    pub(crate) fn set_back(&self, now: SystemTime) {
        let _still = db::hold_still();
        self.lock().set_back(now);
    }

    /// Writes everything, unless somebody else is writing.
    pub(crate) fn write_all(&self, db: &Engine) -> Result<()> {
        let stored = db.write_if_free(|writer| self.store(writer, usize::MAX))?;
        self.forget(&stored);
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        let _still = db::hold_still();
        let pending = self.lock();
        pending.sessions.is_empty()
            && pending.api_keys.is_empty()
            && pending.app_passwords.is_empty()
    }

    /// Puts some into a transaction that is under way. They are to be forgotten once it is committed.
    pub(crate) fn take_along(&self, writer: &Writer<'_>) -> Result<Stored> {
        self.store(writer, TAKEN_ALONG)
    }

    fn store(&self, writer: &Writer<'_>, most: usize) -> Result<Stored> {
        let stored = {
            let mut pending = self.lock();
            Stored {
                sessions: pending.sessions.some(most),
                api_keys: pending.api_keys.some(most),
                app_passwords: pending.app_passwords.some(most),
            }
        };
        let now = writer.now();
        for (hash, time) in &stored.sessions {
            db::sessions::set_last_seen(writer, hash, now.min(*time))?;
        }
        for (hash, time) in &stored.api_keys {
            db::api_keys::set_last_used(writer, hash, now.min(*time))?;
        }
        for (hash, time) in &stored.app_passwords {
            db::app_passwords::set_last_used(writer, hash, now.min(*time))?;
        }
        Ok(stored)
    }

    /// What was committed, unless it was used again meanwhile.
    pub(crate) fn forget(&self, stored: &Stored) {
        let _still = db::hold_still();
        let mut pending = self.lock();
        pending.sessions.forget(&stored.sessions);
        pending.api_keys.forget(&stored.api_keys);
        pending.app_passwords.forget(&stored.app_passwords);
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has been put into a transaction.
#[derive(Debug)]
pub(crate) struct Stored {
    sessions: Vec<(SecretHash, SystemTime)>,
    api_keys: Vec<(SecretHash, SystemTime)>,
    app_passwords: Vec<(SecretHash, SystemTime)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: usize) -> SecretHash {
        let mut hash = SecretHash::default();
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash
    }

    fn after(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn what_was_used_again_meanwhile_is_not_forgotten() {
        let (then, later) = (after(0), after(1));
        let stored = |time| Stored {
            sessions: vec![(hash(0), time)],
            api_keys: vec![(hash(0), time)],
            app_passwords: vec![(hash(0), time)],
        };
        let seen = Seen::default();
        for uses in seen.lock().kinds() {
            uses.note(hash(0), then);
            uses.note(hash(0), later);
        }
        seen.forget(&stored(then));
        for uses in seen.lock().kinds() {
            assert_eq!(uses.some(9), [(hash(0), later)]);
        }
        seen.forget(&stored(later));
        assert!(seen.is_empty());
    }

    #[test]
    fn the_latest_use_counts_however_many_there_were() {
        let mut uses = Uses::default();
        for turn in 0..3 {
            for number in 0..LATEST + 7 {
                uses.note(hash(number), after(turn));
                assert!(uses.latest.len() <= LATEST);
            }
        }
        uses.note(hash(0), after(9));
        uses.set_back(after(5));
        let mut all = uses.some(usize::MAX);
        all.sort();
        let first = [(hash(0), after(5)), (hash(1), after(2))];
        assert_eq!((all.len(), &all[..2]), (LATEST + 7, &first[..]));
        uses.forget(&all);
        assert!(uses.is_empty());
    }
}
