//! Refusals in the audit log (A1): one row per event, source and minute. The first is written at once, the others of
//! that minute with the next write: who guesses does not make the disk work. Who comes from many sources makes at most
//! 200 rows a minute, and one more that counts what is beyond.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use crate::{
    clock,
    db::{self, Engine, Writer},
    error::Result,
    gate::{caller::Actor, limits},
    model::{
        audit::{ActorKind, AuditEvent, EventKind},
        config::ClientInfo,
        named::Named,
    },
};

/// New rows a minute, of all processes together.
const MOST_ROWS: i64 = 200;
/// Rows that are remembered, also those of minutes in which nothing could be written.
const MOST_KEYS: usize = 1_000;

/// Under what a refusal is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    minute: i64,
    /// Event, source and credential; none for what is beyond the rows of that minute.
    row: Option<String>,
}

impl Key {
    pub(crate) fn of(kind: EventKind, actor: &Actor, client: &ClientInfo, at: SystemTime) -> Self {
        let source = limits::source(client);
        let source = source.as_deref().unwrap_or("-");
        Self {
            minute: clock::to_millis(at) / 60_000,
            row: Some(match actor.credential() {
                None => format!("{} {source}", kind.name()),
                Some(credential) => format!("{} {source} {}", kind.name(), credential.told().1),
            }),
        }
    }

    fn others(minute: i64) -> Self {
        Self { minute, row: None }
    }

    /// As it stands in the database. The minute comes first, so that the rows of one are found together.
    fn stored(&self) -> String {
        let row = self.row.as_deref().unwrap_or("others");
        format!("{} {row}", self.minute)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Refusals {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    rows: HashMap<Key, Pending>,
    /// A minute that has all its rows.
    full: Option<i64>,
    /// Whose they are: a forked child must not add its parent's once more.
    process: u32,
}

#[derive(Clone, Debug)]
struct Pending {
    event: AuditEvent,
    count: i64,
    /// What is counted in the row of the others, by the names of their kinds.
    kinds: BTreeMap<String, i64>,
    is_stored: bool,
    /// Somebody was told to write it.
    is_due: bool,
}

impl Pending {
    fn new(event: AuditEvent) -> Self {
        Self {
            event,
            count: 0,
            kinds: BTreeMap::new(),
            is_stored: false,
            is_due: false,
        }
    }

    /// The row of what is beyond: of no address and by nobody.
    fn others(at: SystemTime) -> Self {
        Self::new(AuditEvent {
            id: 0, // given by the database
            at,
            kind: EventKind::OtherRefusals,
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
        })
    }

    fn add(&mut self, at: SystemTime, count: i64, kinds: &BTreeMap<String, i64>) {
        self.event.at = self.event.at.max(at);
        self.count += count;
        for (kind, count) in kinds {
            *self.kinds.entry(kind.clone()).or_default() += count;
        }
    }

    /// Counts as one of the others.
    fn add_other(&mut self, other: &AuditEvent, count: i64) {
        let kinds = BTreeMap::from([(other.kind.name().to_owned(), count)]);
        self.add(other.at, count, &kinds);
    }
}

impl Seen {
    /// Where this one is counted.
    fn row(&mut self, key: Key, event: &AuditEvent) -> (Key, &mut Pending) {
        let minute = key.minute;
        if self.rows.contains_key(&key) {
            let row = self.rows.get_mut(&key).expect("it was seen");
            return (key, row);
        }
        // What is of another minute and has been written is of no more use.
        self.rows
            .retain(|key, row| row.count > 0 || key.minute == minute);
        let of_minute = self.rows.keys().filter(|key| key.minute == minute).count();
        if of_minute as i64 >= MOST_ROWS {
            self.full = Some(minute);
        }
        if self.full != Some(minute) && self.rows.len() < MOST_KEYS {
            let row = self.rows.entry(key.clone());
            return (key, row.or_insert_with(|| Pending::new(event.clone())));
        }
        let mut others = Key::others(minute);
        if self.rows.len() >= MOST_KEYS && !self.rows.contains_key(&others) {
            // For a long time nothing could be written: counted, though with those of another minute.
            let earlier = self.rows.keys().find(|key| key.row.is_none()).cloned();
            others = earlier.unwrap_or(others);
        }
        let row = self.rows.entry(others.clone());
        (others, row.or_insert_with(|| Pending::others(event.at)))
    }
}

impl Refusals {
    /// Counts one. True when it is the first of its row that is to be written now.
    pub(crate) fn note(&self, key: Key, event: &AuditEvent) -> bool {
        self.add(key, event, true)
    }

    /// Counts one that is written when something else is.
    pub(crate) fn count(&self, key: Key, event: &AuditEvent) {
        self.add(key, event, false);
    }

    fn add(&self, key: Key, event: &AuditEvent, is_due: bool) -> bool {
        // D4: nobody forks with a hook while this lock is held.
        let _still = db::hold_still();
        let mut seen = self.lock();
        // Beyond the rows of a minute this is all the work that a refusal makes.
        let is_beyond = seen.full == Some(key.minute) && !seen.rows.contains_key(&key);
        let key = match is_beyond {
            true => Key::others(key.minute),
            false => key,
        };
        let (key, row) = seen.row(key, event);
        match key.row {
            Some(_) => row.add(event.at, 1, &BTreeMap::new()),
            None => row.add_other(event, 1),
        }
        let is_first = is_due && !row.is_due && !row.is_stored;
        row.is_due |= is_due;
        is_first
    }

    pub(crate) fn is_empty(&self) -> bool {
        let _still = db::hold_still();
        self.lock().rows.values().all(|row| row.count == 0)
    }

    /// Takes what was counted out, for one transaction that is under way to write: of several at once each refusal is
    /// taken by one.
    pub(crate) fn take(&self) -> Taken<'_> {
        self.take_those(|_, _| true)
    }

    fn take_those(&self, wanted: impl Fn(&Key, &Pending) -> bool) -> Taken<'_> {
        let mut seen = self.lock();
        let counted = seen
            .rows
            .iter_mut()
            .filter(|(key, row)| row.count > 0 && wanted(key, row));
        let rows = counted.map(|(key, row)| {
            let taken = row.clone();
            row.count = 0;
            row.kinds.clear();
            (key.clone(), taken)
        });
        let mut rows: Vec<_> = rows.collect();
        // Of several that waited, those of an earlier minute stand first in the log.
        rows.sort_by(|(one, _), (other, _)| one.cmp(other));
        Taken { from: self, rows }
    }

    /// Writes the rows that are not in the database yet, unless somebody else is writing; gives those events.
    pub(crate) fn write_new(&self, db: &Engine) -> Result<Vec<AuditEvent>> {
        self.write(db, || self.take_those(|_, row| !row.is_stored))
    }

    /// Writes everything, unless somebody else is writing; gives the events that are new.
    pub(crate) fn write_all(&self, db: &Engine) -> Result<Vec<AuditEvent>> {
        self.write(db, || self.take())
    }

    fn write<'r>(&'r self, db: &Engine, take: impl Fn() -> Taken<'r>) -> Result<Vec<AuditEvent>> {
        let taken = OnceCell::new();
        let stored = db.write_if_free(|writer| taken.get_or_init(&take).store(writer))?;
        Ok(committed(taken, stored))
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        if seen.process != process {
            seen.rows.clear();
            seen.full = None;
            seen.process = process;
        }
        seen
    }
}

/// Refusals on their way into the database. What is dropped before the commit is counted again.
pub(crate) struct Taken<'r> {
    from: &'r Refusals,
    rows: Vec<(Key, Pending)>,
}

/// What a transaction made of them.
#[derive(Default)]
pub(crate) struct Stored {
    events: Vec<AuditEvent>,
    /// What has no row of its own, because its minute is full.
    beyond: Vec<Key>,
}

impl Taken<'_> {
    /// Puts them into a transaction; a further attempt at it does the same (D6).
    pub(crate) fn store(&self, writer: &Writer<'_>) -> Result<Stored> {
        let mut stored = Stored::default();
        let mut others: BTreeMap<i64, Pending> = BTreeMap::new();
        let mut counts: HashMap<i64, i64> = HashMap::new();
        for (key, row) in &self.rows {
            let beyond = match key.row {
                None => true,
                Some(_) if row.is_stored => false,
                Some(_) => !makes_row(writer, key, &mut counts)?,
            };
            if !beyond {
                let event = at_time_of(writer, &row.event);
                let event = db::audit::insert_or_count(writer, &event, &key.stored(), row.count)?;
                stored.note(event, row.count);
                continue;
            }
            let sum = others
                .entry(key.minute)
                .or_insert_with(|| Pending::others(row.event.at));
            match key.row {
                None => sum.add(row.event.at, row.count, &row.kinds),
                Some(_) => {
                    stored.beyond.push(key.clone());
                    sum.add_other(&row.event, row.count);
                }
            }
        }
        for (minute, sum) in others {
            let event = at_time_of(writer, &sum.event);
            let key = Key::others(minute).stored();
            let event = db::audit::insert_or_add(writer, &event, &key, sum.count, &sum.kinds)?;
            stored.note(event, sum.count);
        }
        Ok(stored)
    }
}

impl Stored {
    /// The host hears of a row when it is made.
    fn note(&mut self, event: AuditEvent, count: i64) {
        if event.count == count {
            self.events.push(event);
        }
    }
}

/// May there be a row of its own, or is there one? Other processes make some too.
fn makes_row(writer: &Writer<'_>, key: &Key, counts: &mut HashMap<i64, i64>) -> Result<bool> {
    if db::audit::has_key(writer, &key.stored())? {
        return Ok(true);
    }
    let count = match counts.get(&key.minute) {
        Some(count) => *count,
        None => db::audit::count_keys(writer, &format!("{} ", key.minute))?,
    };
    let may = count < MOST_ROWS;
    counts.insert(key.minute, count + i64::from(may));
    Ok(may)
}

/// C5: they were noted by a time that may have been set back since.
fn at_time_of(writer: &Writer<'_>, event: &AuditEvent) -> AuditEvent {
    AuditEvent {
        at: event.at.min(writer.now()),
        ..event.clone()
    }
}

/// What the first attempt at a transaction took is in the database now; gives the events that are new in it.
pub(crate) fn committed(taken: OnceCell<Taken<'_>>, stored: Stored) -> Vec<AuditEvent> {
    if let Some(mut taken) = taken.into_inner() {
        let rows = std::mem::take(&mut taken.rows);
        if rows.is_empty() {
            return stored.events;
        }
        let _still = db::hold_still();
        let mut seen = taken.from.lock();
        for (key, _) in rows {
            if let Some(row) = seen.rows.get_mut(&key) {
                row.is_stored = true;
            }
        }
        for key in stored.beyond {
            // What was noted meanwhile is one of the others too.
            let row = seen.rows.remove(&key);
            seen.full = seen.full.max(Some(key.minute));
            if let Some(row) = row.filter(|row| row.count > 0) {
                let others = seen.rows.entry(Key::others(key.minute));
                let others = others.or_insert_with(|| Pending::others(row.event.at));
                others.add_other(&row.event, row.count);
            }
        }
    }
    stored.events
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if self.rows.is_empty() {
            return;
        }
        let _still = db::hold_still();
        let mut seen = self.from.lock();
        for (key, taken) in self.rows.drain(..) {
            let row = seen.rows.entry(key);
            let row = row.or_insert_with(|| Pending {
                is_stored: taken.is_stored,
                ..Pending::new(taken.event.clone())
            });
            row.add(taken.event.at, taken.count, &taken.kinds);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(minute: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(minute * 60)
    }

    fn refused(minute: u64) -> AuditEvent {
        AuditEvent {
            kind: EventKind::SignInRefused,
            ..Pending::others(at(minute)).event
        }
    }

    fn key(minute: u64, source: usize) -> Key {
        let client = ClientInfo {
            address: Some(format!("10.0.{}.{}", source / 256, source % 256)),
            ..ClientInfo::default()
        };
        Key::of(
            EventKind::SignInRefused,
            &Actor::Anonymous,
            &client,
            at(minute),
        )
    }

    fn counts(taken: &Taken<'_>) -> Vec<i64> {
        taken.rows.iter().map(|(_, row)| row.count).collect()
    }

    fn done(taken: Taken<'_>) {
        committed(OnceCell::from(taken), Stored::default());
    }

    #[test]
    fn of_two_transactions_at_once_one_takes_a_refusal_along() {
        let refusals = Refusals::default();
        assert!(refusals.note(key(1, 1), &refused(1)));
        done(refusals.take());
        assert!(!refusals.note(key(1, 1), &refused(1)));
        let (first, second) = (refusals.take(), refusals.take());
        assert_eq!((counts(&first), counts(&second)), (vec![1], vec![]));
        done(first);
        assert!(refusals.is_empty());
    }

    #[test]
    fn what_was_not_committed_is_taken_by_the_next() {
        let refusals = Refusals::default();
        assert!(refusals.note(key(1, 1), &refused(1)));
        assert!(!refusals.note(key(1, 1), &refused(1)));
        let taken = refusals.take();
        refusals.note(key(1, 1), &refused(1));
        drop(taken);
        assert_eq!(counts(&refusals.take()), [3]);
    }

    #[test]
    fn what_is_beyond_the_rows_of_a_minute_is_counted_together() {
        let refusals = Refusals::default();
        let first = (0..50_000).filter(|n| refusals.note(key(1, *n), &refused(1)));
        assert_eq!(first.count(), 201, "200 rows, and that of the others");
        let rows = refusals.take();
        let others = rows.rows.iter().find(|(key, _)| key.row.is_none()).unwrap();
        let kinds = BTreeMap::from([("sign_in_refused".to_owned(), 49_800)]);
        assert_eq!((others.1.count, &others.1.kinds), (49_800, &kinds));
        assert_eq!(counts(&rows).iter().sum::<i64>(), 50_000);
        done(rows);
        // A row that is there goes on being counted by itself.
        assert!(!refusals.note(key(1, 7), &refused(1)));
        let again = refusals.take();
        assert_eq!(again.rows[0].0, key(1, 7));
    }

    #[test]
    fn a_disk_that_takes_nothing_makes_the_memory_grow_only_so_far() {
        let refusals = Refusals::default();
        for minute in 1..100 {
            for source in 0..250 {
                refusals.note(key(minute, source), &refused(minute));
            }
        }
        assert!(refusals.lock().rows.len() <= MOST_KEYS + 1);
        let all: i64 = counts(&refusals.take()).iter().sum();
        assert_eq!(all, 99 * 250, "and none is lost");
    }
}
