//! Refusals in the audit log (A1): one row per event, address and minute. The first is written at once, the others of
//! that minute with the next write: who guesses does not make the disk work.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    clock,
    db::{self, Engine, Writer},
    error::Result,
    model::audit::AuditEvent,
};

/// Attackers may come from many addresses: beyond this every refusal is written at once again.
const MOST_KEYS: usize = 1_000;

#[derive(Debug, Default)]
pub(crate) struct Refusals {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    rows: HashMap<String, Pending>,
    /// Whose they are: a forked child must not add its parent's once more.
    process: u32,
}

#[derive(Clone, Debug)]
struct Pending {
    event: AuditEvent,
    count: u64,
}

impl Refusals {
    /// True when this refusal is the first of its row and must be written; else it has been counted.
    pub(crate) fn is_first(&self, key: &str, event: &AuditEvent) -> bool {
        // D4: nobody forks with a hook while this lock is held.
        let _still = db::hold_still();
        match self.lock().rows.get_mut(key) {
            Some(pending) => {
                pending.event.at = event.at;
                pending.count += 1;
                false
            }
            None => true,
        }
    }

    /// Remembers that the row of this key has been written.
    pub(crate) fn note_written(&self, key: String, event: AuditEvent) {
        let _still = db::hold_still();
        let mut seen = self.lock();
        // What is of another minute and has been written is of no more use.
        let minute = |event: &AuditEvent| clock::to_millis(event.at) / 60_000;
        seen.rows
            .retain(|_, pending| pending.count > 0 || minute(&pending.event) == minute(&event));
        if seen.rows.len() < MOST_KEYS {
            seen.rows.insert(key, Pending { event, count: 0 });
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        let _still = db::hold_still();
        self.lock().rows.values().all(|pending| pending.count == 0)
    }

    /// Puts what was counted into a transaction that is under way; to be forgotten once it is committed.
    pub(crate) fn take_along(&self, writer: &Writer<'_>) -> Result<Vec<(String, u64)>> {
        let pending: Vec<(String, Pending)> = {
            let seen = self.lock();
            let counted = seen.rows.iter().filter(|(_, pending)| pending.count > 0);
            counted
                .map(|(key, pending)| (key.clone(), pending.clone()))
                .collect()
        };
        for (key, Pending { event, count }) in &pending {
            db::audit::insert_or_count(writer, event, key, *count)?;
        }
        Ok(pending
            .into_iter()
            .map(|(key, pending)| (key, pending.count))
            .collect())
    }

    pub(crate) fn forget(&self, stored: &[(String, u64)]) {
        let _still = db::hold_still();
        let mut seen = self.lock();
        for (key, count) in stored {
            if let Some(pending) = seen.rows.get_mut(key) {
                pending.count = pending.count.saturating_sub(*count);
            }
        }
    }

    /// Writes everything, unless somebody else is writing.
    pub(crate) fn write_all(&self, db: &Engine) -> Result<()> {
        let stored = db.write_if_free(|writer| self.take_along(writer))?;
        self.forget(&stored);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        if seen.process != process {
            seen.rows.clear();
            seen.process = process;
        }
        seen
    }
}
