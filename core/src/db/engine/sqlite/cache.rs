//! Rows of look-ups, kept for as long as nothing was committed (D7, ADR 22).
//!
//! # What always holds
//!
//! 1. A part of the cache holds rows under one header of the log's index: each was read by a statement that began after
//!    that header was. Whoever finds another header empties the part. So a row that is found is what the statement would
//!    have given at a moment of this very call.
//! 2. A row is as it is stored. Time, ends and the state of the account are judged by whoever looks it up, at each call, and
//!    of a secret it holds the hash.
//! 3. No lock is held while a row is read, nor while the database is asked, nor while a hooked `fork` happens (D4).
//! 4. It is off without an index (the process has the file alone, or is a child of `fork` that has not written), on other
//!    systems than Linux, and if it may hold nothing.

use std::{
    collections::HashMap,
    fs::File,
    hash::{BuildHasherDefault, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, TryLockError},
};

use super::{index::Header, statements::Cells};
use crate::{
    db::{Cell, Param},
    error::Result,
    values::tokens::{ByHash, SecretHash},
};

/// Calls of different threads seldom meet in one of so many.
const PARTS: usize = 16;
/// Of so many a part knows that they were asked for: the last few in each of its places.
const ASKED: usize = 512;
const LAST_FEW: usize = 4;
/// What a row takes beside its own bytes: its key, in a table that may be half empty, and four allocations.
const BESIDE: usize = 270;

/// What was looked up lately.
pub(super) struct Cache {
    parts: [Mutex<Part>; PARTS],
    /// How many bytes a part may hold.
    most: usize,
    index: RwLock<Option<Arc<File>>>,
}

struct Part {
    /// What was asked for lately, by a few bytes of its hash. Only what is asked for again is kept, so that whoever asks for
    /// each credential once, among very many, does not pay for what nobody comes back to.
    asked: Vec<[u32; LAST_FEW]>,
    header: Option<Header>,
    rows: HashMap<Key, Arc<Kept>, BuildHasherDefault<ByHash>>,
    bytes: usize,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    hash: SecretHash,
    /// The statement, by where it is and how long. The compiler may make two of one, but not one of two.
    statement: (usize, usize),
    further: i64,
}

impl Key {
    /// None for what is not looked for by a secret's hash.
    pub(super) fn of(statement: &'static str, params: &[Param<'_>]) -> Option<Self> {
        let (hash, further) = match *params {
            [Param::Blob(hash)] => (hash, 0),
            [Param::Blob(hash), Param::Integer(further)] => (hash, further),
            _ => return None,
        };
        Some(Self {
            hash: SecretHash::try_from(hash).ok()?,
            statement: (statement.as_ptr().addr(), statement.len()),
            further,
        })
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.hash);
    }
}

/// What is known of a row before the database is asked.
pub(super) enum Look {
    /// It is this.
    Found(Arc<Kept>),
    /// The database has to be asked, and what it says may be kept under this header.
    Unknown(Header),
    Off,
}

impl Cache {
    /// One that holds at most so many bytes.
    pub(super) fn of(bytes: usize) -> Self {
        Self {
            parts: std::array::from_fn(|_| Mutex::default()),
            most: bytes / PARTS,
            index: RwLock::default(),
        }
    }

    /// It would be of use with an index.
    pub(super) fn is_wanted(&self) -> bool {
        cfg!(target_os = "linux") && self.most > BESIDE
    }

    /// From now on rows are kept under what this index says, or none is. A connection has it open.
    pub(super) fn attach(&self, index: Option<Arc<File>>) {
        let mut attached = self.index.write().unwrap_or_else(PoisonError::into_inner);
        *attached = index;
        drop(attached);
        self.empty();
    }

    fn header(&self) -> Option<Header> {
        Header::read(self.index().as_deref()?)
    }

    /// Nothing can be kept before there is a log.
    pub(super) fn lacks_a_log(&self) -> bool {
        self.index().as_deref().is_some_and(Header::is_without_log)
    }

    fn index(&self) -> RwLockReadGuard<'_, Option<Arc<File>>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn look(&self, key: &Key) -> Look {
        let Some(header) = self.header() else {
            return Look::Off;
        };
        let mut part = self.part(key);
        if part.header != Some(header) {
            part.empty();
            part.header = Some(header);
        }
        match part.rows.get(key) {
            Some(row) => Look::Found(Arc::clone(row)),
            None => Look::Unknown(header),
        }
    }

    /// Keeps a row that was read after this header, if it is asked for more than once.
    pub(super) fn keep(&self, header: Header, key: Key, row: Cells<'_, '_>) {
        if !self.part(&key).is_asked_again(&key) {
            return;
        }
        let Ok(Some(row)) = Kept::of(row) else {
            return;
        };
        let bytes = row.bytes() + BESIDE;
        let mut part = self.part(&key);
        if part.header != Some(header) || bytes > self.most {
            return;
        }
        if part.bytes + bytes > self.most {
            part.empty();
            part.header = Some(header);
        }
        if part.rows.insert(key, Arc::new(row)).is_none() {
            part.bytes += bytes;
        }
    }

    /// Forgets all rows.
    pub(super) fn empty(&self) {
        for part in &self.parts {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            part.empty();
        }
    }

    /// In a child of `fork`: forgets the rows and the index. False if a thread of the parent is in the way for ever.
    pub(super) fn forget(&self) -> bool {
        let parts = self.parts.iter().all(|part| {
            let part = match part.try_lock() {
                Ok(part) => part,
                Err(TryLockError::Poisoned(part)) => part.into_inner(),
                Err(TryLockError::WouldBlock) => return false,
            };
            { part }.empty();
            true
        });
        let index = match self.index.try_write() {
            Ok(index) => Some(index),
            Err(TryLockError::Poisoned(index)) => Some(index.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        index.map(|mut index| *index = None).is_some() && parts
    }

    fn part(&self, key: &Key) -> MutexGuard<'_, Part> {
        // Not the bytes by which the table of the part is ordered.
        let place = usize::from(key.hash[31]) % PARTS;
        self.parts[place]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Part {
    fn default() -> Self {
        Self {
            asked: vec![[0; LAST_FEW]; ASKED],
            header: None,
            rows: HashMap::default(),
            bytes: 0,
        }
    }
}

impl Part {
    /// Whether it is one of the last few that were asked for in its place. From now on it is the last.
    fn is_asked_again(&mut self, key: &Key) -> bool {
        let number = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|n| key.hash[at + n]));
        let place = &mut self.asked[number(8) as usize % ASKED];
        let found = place.iter().position(|asked| *asked == number(12));
        place[..=found.unwrap_or(LAST_FEW - 1)].rotate_right(1);
        place[0] = number(12);
        found.is_some()
    }

    fn empty(&mut self) {
        self.rows.clear();
        self.bytes = 0;
        self.header = None;
    }
}

/// A row that is kept: its cells, and what is in them, by kinds. So a text need not be proved to be one at each look.
#[derive(Debug)]
pub(in crate::db::engine) struct Kept {
    cells: Box<[KeptCell]>,
    integers: Box<[i64]>,
    texts: Box<str>,
    blobs: Box<[u8]>,
}

/// Where the value of a cell is: which of the integers, or from where to where it goes.
#[derive(Clone, Copy, Debug)]
enum KeptCell {
    Null,
    Integer(u16),
    Text(u16, u16),
    Blob(u16, u16),
}

impl Kept {
    /// None of what is too long, or of a kind that nothing stores.
    fn of(row: Cells<'_, '_>) -> Result<Option<Self>> {
        let (mut integers, mut texts, mut blobs) = (Vec::new(), String::new(), Vec::new());
        let mut cells = Vec::with_capacity(row.width());
        for place in 0..row.width() {
            let cell = match row.cell(place)? {
                Some(Cell::Null) => Some(KeptCell::Null),
                Some(Cell::Integer(value)) => {
                    integers.push(value);
                    let place = u16::try_from(integers.len() - 1).ok();
                    place.map(KeptCell::Integer)
                }
                Some(Cell::Text(text)) => {
                    let from = texts.len();
                    texts.push_str(text);
                    places(from, texts.len()).map(|(from, to)| KeptCell::Text(from, to))
                }
                Some(Cell::Blob(blob)) => {
                    let from = blobs.len();
                    blobs.extend(blob);
                    places(from, blobs.len()).map(|(from, to)| KeptCell::Blob(from, to))
                }
                None => None,
            };
            let Some(cell) = cell else { return Ok(None) };
            cells.push(cell);
        }
        Ok(Some(Self {
            cells: cells.into(),
            integers: integers.into(),
            texts: texts.into(),
            blobs: blobs.into(),
        }))
    }

    /// What it takes.
    fn bytes(&self) -> usize {
        size_of_val(&*self.cells)
            + size_of_val(&*self.integers)
            + self.texts.len()
            + self.blobs.len()
    }

    pub(super) fn width(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn cell(&self, place: usize) -> Option<Cell<'_>> {
        match *self.cells.get(place)? {
            KeptCell::Null => Some(Cell::Null),
            KeptCell::Integer(place) => {
                let integer = self.integers.get(usize::from(place));
                integer.copied().map(Cell::Integer)
            }
            KeptCell::Text(from, to) => {
                let text = self.texts.get(usize::from(from)..usize::from(to));
                text.map(Cell::Text)
            }
            KeptCell::Blob(from, to) => {
                let blob = self.blobs.get(usize::from(from)..usize::from(to));
                blob.map(Cell::Blob)
            }
        }
    }
}

fn places(from: usize, to: usize) -> Option<(u16, u16)> {
    Some((from.try_into().ok()?, to.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::{Options, Sqlite, one},
        *,
    };
    use crate::{
        clock::Clock,
        db::{LookUp, params},
        error::{KeyplateError, internal},
    };

    const STATEMENT: LookUp = LookUp::new(
        "SELECT last_time, boot_id, boot_millis, schema, ?1, NULL, 'text', last_time FROM instance",
        "",
    );

    fn open(folder: &tempfile::TempDir, cache_bytes: usize) -> Arc<Sqlite> {
        let options = Options {
            path: folder.path().join("id.db"),
            busy_timeout: Duration::from_secs(5),
            allow_shared_file: false,
            cache_bytes,
        };
        Sqlite::open(options, Clock::new(None)).unwrap()
    }

    fn key(hash: &SecretHash) -> Key {
        Key::of(STATEMENT.sqlite, params![hash]).unwrap()
    }

    /// What the columns after the time are.
    fn look_up(engine: &Sqlite, hash: &SecretHash) -> (Vec<u8>, Option<i64>, String, i64) {
        ask(engine, hash);
        ask(engine, hash)
    }

    fn ask(engine: &Sqlite, hash: &SecretHash) -> (Vec<u8>, Option<i64>, String, i64) {
        let found = engine.look_up(&STATEMENT, params![hash], |row, _| {
            Ok((row.at(0)?, row.at(1)?, row.at(2)?, row.at(3)?))
        });
        found.unwrap().unwrap()
    }

    fn is_kept(engine: &Sqlite, hash: &SecretHash) -> bool {
        matches!(engine.cache.look(&key(hash)), Look::Found(_))
    }

    fn write(engine: &Sqlite) {
        engine.write(|_| Ok(())).unwrap();
    }

    /// D7: a new file has no log yet, and is kept of from the first call on all the same.
    #[test]
    fn a_row_is_kept_until_somebody_commits() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, other) = (open(&folder, 4 << 20), open(&folder, 0));
        let hash = [7; 32];
        for commit in [write as fn(&Sqlite), Sqlite::empty_log] {
            for committing in [&engine, &other] {
                assert!(!is_kept(&engine, &hash));
                let first = look_up(&engine, &hash);
                assert_eq!((&*first.0, first.1, &*first.2), (&hash[..], None, "text"));
                assert!(is_kept(&engine, &hash));
                assert_eq!(look_up(&engine, &hash), first, "and reads the same");
                std::thread::sleep(Duration::from_millis(2));
                commit(committing);
            }
        }
        assert!(!is_kept(&engine, &hash));
        assert!(look_up(&engine, &hash).3 > 0);
    }

    #[test]
    fn failures_of_the_storage_empty_it_and_others_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(&folder, 4 << 20);
        let hash = [7; 32];
        look_up(&engine, &hash);
        let fail = |error: KeyplateError| engine.read(|_| Err::<(), _>(error.clone()));
        assert!(fail(internal("no matter")).is_err());
        assert!(is_kept(&engine, &hash));
        let path = String::new();
        assert!(fail(KeyplateError::StorageFull { path }).is_err());
        assert!(!is_kept(&engine, &hash));
    }

    #[test]
    fn what_is_asked_for_once_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(&folder, 4 << 20);
        let hash = [7; 32];
        ask(&engine, &hash);
        assert!(!is_kept(&engine, &hash));
        write(&engine);
        ask(&engine, &hash);
        assert!(
            is_kept(&engine, &hash),
            "what was asked for before a commit counts"
        );

        // Of some that are asked for in turn, and have one place, each is kept.
        let few = [1, 2, 3, 4].map(|number| {
            let mut hash = [0; 32];
            hash[12] = number;
            hash
        });
        for _ in 0..2 {
            few.iter().for_each(|hash| drop(ask(&engine, hash)));
        }
        assert!(few.iter().all(|hash| is_kept(&engine, hash)));
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let folder = tempfile::tempdir().unwrap();
        let most = 64 << 10;
        let (engine, off) = (open(&folder, most), open(&folder, 0));
        let mut last = [0; 32];
        for n in 0..2_000_u32 {
            last[28..].copy_from_slice(&n.to_be_bytes());
            last[8..12].copy_from_slice(&n.to_be_bytes());
            last[12..16].copy_from_slice(&(n + 1).to_be_bytes());
            look_up(&engine, &last);
            look_up(&off, &last);
            assert!(is_kept(&engine, &last), "the newest is");
            assert!(!is_kept(&off, &last));
        }
        let held = || engine.cache.parts.iter().map(|part| part.lock().unwrap());
        let bytes: usize = held().map(|part| part.bytes).sum();
        let counted = held().flat_map(|part| {
            let rows = part.rows.values().map(|row| row.bytes() + BESIDE);
            rows.collect::<Vec<_>>()
        });
        assert_eq!(counted.sum::<usize>(), bytes);
        assert!((most / 4..=most).contains(&bytes), "{bytes}");
    }

    #[test]
    fn one_statement_is_not_taken_for_another() {
        let hash = [7; 32];
        let sql = "SELECT 1 WHERE ?1 = ?2";
        let keys = [
            Key::of(sql, params![&hash]),
            Key::of(&sql[..8], params![&hash]),
            Key::of(sql, params![&hash, 1_i64]),
            Key::of(sql, params![&[8; 32]]),
        ];
        for (n, key) in keys.iter().enumerate() {
            assert!(key.is_some() && !keys[..n].contains(key), "{n}");
        }
        assert_eq!(Key::of(sql, params!["text"]), None);
        assert_eq!(Key::of(sql, params![&[8; 31]]), None);
    }

    #[test]
    fn a_row_that_is_too_long_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(&folder, 1 << 30);
        let connection = engine.connection(
            super::super::Role::Reader,
            &super::super::Deadline::of(Duration::ZERO),
        );
        let lengths = [65_000, 66_000].map(|length: i64| {
            let sql = "SELECT zeroblob(?1), 1";
            one(connection.as_ref().unwrap(), sql, params![length], Kept::of)
        });
        assert!(matches!(lengths, [Ok(Some(Some(_))), Ok(Some(None))]));
    }
}
