//! Refusals in the audit log (A1): one row per event, address and minute. The first is written at once, the others of
//! that minute with the next write: who guesses does not make the disk work.

use std::{
    cell::OnceCell,
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
    count: i64,
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

    /// Takes what was counted out, for one transaction that is under way to write: of several at once each refusal is
    /// taken by one.
    pub(crate) fn take(&self) -> Taken<'_> {
        let mut seen = self.lock();
        let counted = seen.rows.iter_mut().filter(|(_, row)| row.count > 0);
        let rows = counted.map(|(key, row)| {
            let taken = row.clone();
            row.count = 0;
            (key.clone(), taken)
        });
        Taken {
            from: self,
            rows: rows.collect(),
        }
    }

    /// Writes everything, unless somebody else is writing.
    pub(crate) fn write_all(&self, db: &Engine) -> Result<()> {
        let taken = OnceCell::new();
        db.write_if_free(|writer| taken.get_or_init(|| self.take()).store(writer))?;
        committed(taken);
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

/// Refusals on their way into the database. What is dropped before the commit is counted again.
pub(crate) struct Taken<'r> {
    from: &'r Refusals,
    rows: Vec<(String, Pending)>,
}

impl Taken<'_> {
    /// Puts them into a transaction; a further attempt at it does the same (D6).
    pub(crate) fn store(&self, writer: &Writer<'_>) -> Result<()> {
        for (key, Pending { event, count }) in &self.rows {
            // C5: it was noted by a time that may have been set back since.
            let event = AuditEvent {
                at: event.at.min(writer.now()),
                ..event.clone()
            };
            db::audit::insert_or_count(writer, &event, key, *count)?;
        }
        Ok(())
    }
}

/// What the first attempt at a transaction took is in the database now.
pub(crate) fn committed(taken: OnceCell<Taken<'_>>) {
    if let Some(mut taken) = taken.into_inner() {
        taken.rows.clear();
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.rows.is_empty() {
            return;
        }
        let _still = db::hold_still();
        let mut seen = self.from.lock();
        for (key, taken) in self.rows.drain(..) {
            let fresh = Pending {
                count: 0,
                ..taken.clone()
            };
            seen.rows.entry(key).or_insert(fresh).count += taken.count;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::model::audit::{ActorKind, EventKind};

    fn refused() -> AuditEvent {
        AuditEvent {
            id: 0,
            at: SystemTime::UNIX_EPOCH,
            kind: EventKind::SignInRefused,
            actor_kind: ActorKind::Anonymous,
            actor_id: None,
            actor_name: None,
            user_id: None,
            username: None,
            subject_id: None,
            subject_name: None,
            address: None,
            user_agent: None,
            details: Vec::new(),
            count: 1,
        }
    }

    fn counts(taken: &Taken<'_>) -> Vec<i64> {
        taken.rows.iter().map(|(_, row)| row.count).collect()
    }

    #[test]
    fn of_two_transactions_at_once_one_takes_a_refusal_along() {
        let refusals = Refusals::default();
        refusals.note_written("key".to_owned(), refused());
        assert!(!refusals.is_first("key", &refused()));
        let (first, second) = (refusals.take(), refusals.take());
        assert_eq!((counts(&first), counts(&second)), (vec![1], vec![]));
        committed(OnceCell::from(first));
        assert!(refusals.is_empty());
    }

    #[test]
    fn what_was_not_committed_is_taken_by_the_next() {
        let refusals = Refusals::default();
        refusals.note_written("key".to_owned(), refused());
        assert!(!refusals.is_first("key", &refused()));
        let taken = refusals.take();
        assert!(!refusals.is_first("key", &refused()));
        drop(taken);
        assert_eq!(counts(&refusals.take()), [2]);
    }
}
