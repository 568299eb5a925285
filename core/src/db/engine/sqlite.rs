//! SQLite, in one file: only this module and its parts name its crate (D6) and open connections.
//!
//! # States
//!
//! A [`Sqlite`] is one open database file. Seen from one process it is in one of these states:
//!
//! | state | `owner` | connections | what a call does |
//! | --- | --- | --- | --- |
//! | OWNED | this process | the pool's | runs |
//! | INHERITED | the parent, after `fork` | the parent's, none in use | closes every inherited connection of every engine, becomes OWNED |
//! | STUCK | the parent, forked in mid-call without a hook | some in use by threads that do not exist here | fails with `ForkedHandle`, for ever |
//! | ALONE | this process | one, of a file on a disk without room to share it | runs in turn, and looks each second for room |
//! | LOST | this process | of a file or a log that is no longer at its path | fails with `StorageLost`; a read notices within a second |
//!
//! A transaction is READING (`BEGIN DEFERRED`, a snapshot, `query_only`), WRITING (`BEGIN IMMEDIATE`) or a LOOK-UP (one
//! statement without `BEGIN`).
//!
//! # What always holds
//!
//! 1. This process has at most one writing connection for a file, so its threads wait for each other on a condition
//!    variable (`pool`) and never on SQLite's lock. Other processes are waited for by asking again (ADR 11). Both
//!    together take at most `busy_timeout`. It has at most 16 reading ones, which are waited for in the same way.
//! 2. Whoever holds a [`Reader`] or a [`Writer`] knows the time of its transaction and that the file has this library's
//!    schema: `instance` is read first, in the same snapshot. A look-up reads both in its own statement.
//! 3. The time of a transaction is never before `instance.last_time`, goes on from there by the clock of the boot, and a
//!    writing transaction stores its own, with the boot (`time`, C5).
//! 4. A closure that fails or panics leaves nothing behind: the transaction's guard rolls back. It may have to run again
//!    (`again`), so it does nothing outside its transaction.
//! 5. Nobody is inside SQLite while a hooked `fork` happens: each call holds `fork::IN_USE` shared from before it takes a
//!    connection until it has given it back (D4). For the same reason calls are not nested: inside `read` and `write`
//!    the closure uses what it is given.
//! 6. A writing transaction that begins has seen that the file at the path is the one that was opened. (A file that is
//!    removed later is noticed by the next call.)
//! 7. Every error leaves here as a [`KeyplateError`], with the path if it is of the storage; no SQL is in it.
//! 8. Whoever waits for another process or another call gives back what they hold every 100 ms, and at once when somebody
//!    wants to fork (`patiently`).
//!
//! # Who calls
//!
//! `Engine`, which knows what both engines have in common. `connect` makes connections and knows the pragmas, `migrate`
//! makes and upgrades the file, `file` looks after its rights and its identity, `pool` keeps connections, `fork` keeps them
//! apart from a child's, `backup` copies the file while others write, `restore` puts such a copy in its place, `wal` knows
//! whether a log belongs to a file, and `trouble` says what failed and where.

mod backup;
mod cache;
mod connect;
mod file;
mod fork;
mod index;
mod migrate;
mod mounts;
mod ownership;
mod pool;
mod refold;
mod restore;
mod statements;
mod trouble;
mod wal;

use std::{
    cell::OnceCell,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use rusqlite::Connection;

pub(super) use self::statements::{Cells, Session};
use self::{
    cache::{Cache, Key, Look},
    connect::First,
    file::FileIdentity,
    index::InUse,
    pool::{Lent, Pool, Role},
    statements::{failure, one, query_all, query_one, run},
    trouble::explained,
};
use super::{
    INSTANCE, LookUp, Reader, Row, Writer, again, check_schema,
    time::{self, Timekeeper},
    waiting,
};
use crate::{
    clock::Clock,
    db::{Param, malformed},
    error::{ConfigurationReason, KeyplateError, Result},
};

pub(super) use backup::BackedUp;
pub use file::check_ownership;
pub(super) use fork::hold_still;
pub use fork::{ForkGuard, before_fork};
#[cfg(feature = "postgres")]
pub(super) use fork::{enter, is_wanted as is_fork_wanted};
pub(super) use migrate::SCHEMA;
pub use restore::{RestoredBackup, restore_backup};

/// How to open the file.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) path: PathBuf,
    pub(super) busy_timeout: Duration,
    pub(super) allow_shared_file: bool,
    /// How much of what is looked up is kept in memory (D7).
    pub(super) cache_bytes: usize,
}

impl Options {
    /// How long SQLite itself waits for a lock. Then it is asked again, by whoever holds nothing meanwhile.
    fn patience(&self) -> Duration {
        self.busy_timeout.min(waiting::ASK_EVERY)
    }
}

/// How often a process that has the file alone looks whether it can be shared again.
const SHARE_EVERY: Duration = Duration::from_secs(1);

/// One open database file.
pub(super) struct Sqlite {
    options: Options,
    time: Timekeeper,
    file: FileIdentity,
    pool: Pool,
    cache: Cache,
    /// As long as there are connections; none only while it is dropped.
    in_use: Option<InUse>,
    /// When it was last seen that the disk has no room to share the file.
    alone_since: Mutex<Instant>,
    /// The process whose connections these are (D4).
    owner: AtomicU32,
}

impl Sqlite {
    pub(super) fn open(options: Options, clock: Clock) -> Result<Arc<Self>> {
        let pid = std::process::id();
        let deadline = Deadline::of(options.busy_timeout);
        let path = options.path.clone();
        let first = || {
            let still = fork::enter(pid)?;
            fork::close_inherited(pid)?;
            let first = connect::open_first(&options, clock.now()?)?;
            Ok((first, still))
        };
        let (first, still) = patiently(&deadline, &path, first)?;
        let First {
            writer,
            file,
            in_use,
        } = first;
        let engine = Arc::new(Self {
            cache: Cache::of(options.cache_bytes),
            options,
            time: Timekeeper::new(clock),
            file,
            pool: Pool::new(writer.connection),
            in_use: Some(in_use),
            alone_since: Mutex::new(Instant::now()),
            owner: AtomicU32::new(pid),
        });
        engine.pool.set_alone(writer.is_alone);
        fork::register(&engine);
        engine.attach_cache();
        drop(still);
        if engine.cache.lacks_a_log() {
            // There is none, and the cache needs one that can be told from others. An empty one is enough.
            engine.empty_log();
        }
        Ok(engine)
    }

    /// Runs `f` on one snapshot of the database.
    pub(super) fn read<T>(&self, f: impl Fn(&Reader<'_>) -> Result<T>) -> Result<T> {
        self.with_reader(|connection| {
            again::committed(
                || Transaction::begin(connection, "BEGIN DEFERRED"),
                || f(&self.reader(connection)?),
            )
        })
    }

    /// Runs `f` in one IMMEDIATE transaction: all of it or nothing.
    pub(super) fn write<T>(&self, f: impl Fn(&Writer<'_>) -> Result<T>) -> Result<T> {
        self.write_within(self.options.busy_timeout, f)
    }

    /// The same, but gives up as `Busy` at once when somebody else is writing.
    pub(super) fn write_if_free<T>(&self, f: impl Fn(&Writer<'_>) -> Result<T>) -> Result<T> {
        self.write_within(Duration::ZERO, f)
    }

    /// What `f` gives if it turns out to write nothing, on a snapshot, so that nobody waits for it; nothing as soon as it
    /// wants to write.
    pub(super) fn if_nothing_is_written<T>(
        &self,
        f: impl Fn(&Writer<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let tried = self.with_reader(|connection| {
            // A connection that is the only one is not for reading alone.
            let only_reads = query_one(connection, "PRAGMA query_only", &[], |row| row.at(0))?;
            if only_reads != Some(true) {
                return Ok(None);
            }
            again::committed(
                || Transaction::begin(connection, "BEGIN DEFERRED"),
                || f(&Writer::of(self.reader(connection)?)),
            )
            .map(Some)
        });
        match tried {
            Err(KeyplateError::StorageReadOnly { .. }) => Ok(None),
            tried => tried,
        }
    }

    fn write_within<T>(
        &self,
        patience: Duration,
        f: impl Fn(&Writer<'_>) -> Result<T>,
    ) -> Result<T> {
        let deadline = Deadline::of(patience);
        self.in_turn(&deadline, || {
            let pid = std::process::id();
            let _still = fork::enter(pid)?;
            self.check_process(pid)?;
            let connection = self.connection(Role::Writer, &deadline)?;
            let attempt = || self.write_once(&connection, &deadline, &f);
            match attempt() {
                Err(KeyplateError::StorageFull { .. }) if make_room(&connection) => attempt(),
                result => result,
            }
        })
    }

    /// Runs a call until it has had its turn. Between two tries it holds nothing that others wait for.
    fn in_turn<T>(&self, deadline: &Deadline, call: impl Fn() -> Result<T>) -> Result<T> {
        let result = patiently(deadline, &self.options.path, call);
        if let Err(error) = &result {
            self.failed(error);
        }
        result
    }

    /// What a call that failed leaves to be done.
    fn failed(&self, error: &KeyplateError) {
        if !is_of_the_storage(error) {
            return;
        }
        if let Ok(_still) = fork::enter(std::process::id()) {
            self.cache.empty();
        }
        if let KeyplateError::StorageLost { .. } = error {
            self.save_log();
        }
    }

    /// A log that was removed is still open here, and what it holds was acknowledged. As long as nobody has begun another,
    /// it is brought into the file.
    fn save_log(&self) {
        let pid = std::process::id();
        let Ok(_still) = fork::enter(pid) else { return };
        let is_ours = self.owner.load(Ordering::Relaxed) == pid;
        if !is_ours || !self.file.lost_what_is_beside() || !self.file.has_no_log() {
            return;
        }
        if let Ok(connection) = self
            .pool
            .take(Role::Writer, &Deadline::of(Duration::ZERO), |_| {
                Err(crate::error::internal("the log is gone"))
            })
        {
            make_room(&connection);
        }
    }

    /// Brings all that is committed into the file, if nobody is in the way, and begins the log anew.
    pub(super) fn empty_log(&self) {
        let pid = std::process::id();
        let Ok(_still) = fork::enter(pid) else { return };
        if self.check_process(pid).is_err() {
            return;
        }
        if let Ok(connection) = self.connection(Role::Writer, &Deadline::of(Duration::ZERO)) {
            make_room(&connection);
        }
    }

    /// A connection for a call, which has to wait for it at most until the deadline.
    fn connection(&self, role: Role, deadline: &Deadline) -> Result<Lent<'_>> {
        if !self.pool.is_alone() {
            return self.pool.take(role, deadline, |cache| match role {
                Role::Writer => self.open_writer(),
                Role::Reader => {
                    self.file.check_beside()?;
                    connect::open_reader(&self.options, cache)
                }
            });
        }
        let mut connection = self
            .pool
            .take(Role::Writer, deadline, |_| self.open_writer())?;
        let since = *self.alone_since();
        if self.pool.is_alone() && since.elapsed() >= SHARE_EVERY {
            connection.renew(|| self.open_writer())?;
            *self.alone_since() = Instant::now();
        }
        Ok(connection)
    }

    fn open_writer(&self) -> Result<Connection> {
        let writer = connect::open_writer(&self.options)?;
        self.file.learn_beside()?;
        self.pool.set_alone(writer.is_alone);
        self.attach_cache();
        Ok(writer.connection)
    }

    /// D7: a connection has just opened the index, or has found no room for one.
    fn attach_cache(&self) {
        if !self.cache.is_wanted() {
            return;
        }
        let index = match (self.file.index(), &self.in_use) {
            (Some((path, index)), Some(in_use)) => in_use.index(&path, index),
            _ => None,
        };
        self.cache.attach(index);
    }

    fn alone_since(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.alone_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write_once<T>(
        &self,
        connection: &Connection,
        deadline: &Deadline,
        f: impl Fn(&Writer<'_>) -> Result<T>,
    ) -> Result<T> {
        let run = || {
            self.file.check()?;
            let writer = Writer::of(self.reader(connection)?);
            writer.store_time()?;
            f(&writer)
        };
        again::committed(|| begin_immediate(connection, deadline.at()), run)
    }

    fn with_reader<T>(&self, f: impl Fn(&Connection) -> Result<T>) -> Result<T> {
        let deadline = Deadline::of(self.options.busy_timeout);
        self.in_turn(&deadline, || {
            let _still = self.enter_reading()?;
            f(&*self.connection(Role::Reader, &deadline)?)
        })
    }

    /// What each reading call does before it looks at anything.
    fn enter_reading(&self) -> Result<impl Drop> {
        let pid = std::process::id();
        let still = fork::enter(pid)?;
        self.check_process(pid)?;
        self.file.check_now_and_then()?;
        Ok(still)
    }

    /// One statement, without a transaction; or what it would say, if that is known (D7).
    pub(super) fn look_up<T>(
        &self,
        statement: &LookUp,
        params: &[Param<'_>],
        from_row: impl Fn(&Row<'_, '_>, SystemTime) -> Result<T>,
    ) -> Result<Option<T>> {
        let key = self
            .cache
            .is_wanted()
            .then(|| Key::of(statement.sqlite, params))
            .flatten();
        let found =
            |cells: Cells<'_, '_>| statement.found(&Row::new(cells.into()), &self.time, &from_row);
        let deadline = Deadline::of(self.options.busy_timeout);
        self.in_turn(&deadline, || {
            let _still = self.enter_reading()?;
            let looked = key.map_or(Look::Off, |key| self.cache.look(&key));
            if let Look::Found(row) = &looked {
                return found(Cells::Kept(row)).map(Some);
            }
            let connection = self.connection(Role::Reader, &deadline)?;
            let asked = one(&connection, statement.sqlite, params, |cells| {
                let found = found(cells)?;
                if let (Some(key), Look::Unknown(header)) = (key, &looked) {
                    self.cache.keep(*header, key, cells);
                }
                Ok(found)
            })?;
            if asked.is_none() {
                // No row told the schema: what is not found here may be there for a newer library.
                self.reader(&connection)?;
            }
            Ok(asked)
        })
    }

    fn reader<'c>(&self, connection: &'c Connection) -> Result<Reader<'c>> {
        let moment = query_one(connection, INSTANCE, &[], |row| {
            check_schema(row.at(time::ANCHOR_COLUMNS)?)?;
            self.time.now(row)
        })?
        .ok_or_else(|| malformed(0))?;
        Ok(Reader::at(Session::of(connection).into(), moment))
    }

    /// D4: connections that were inherited through `fork` are never used.
    fn check_process(&self, pid: u32) -> Result<()> {
        if self.owner.load(Ordering::Relaxed) == pid {
            return Ok(());
        }
        fork::close_inherited(pid)?;
        if self.owner.load(Ordering::Relaxed) == pid {
            Ok(())
        } else {
            Err(KeyplateError::ForkedHandle)
        }
    }

    /// The time, for what is noted beside the database.
    pub(super) fn roughly_now(&self) -> Result<SystemTime> {
        self.time.roughly_now()
    }

    /// False in a forked child that has not used it.
    pub(super) fn is_owned_by_this_process(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == std::process::id()
    }

    fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Runs SQLite's own checks and those of the foreign keys; gives what they find.
    pub(super) fn check_integrity(&self) -> Result<Vec<String>> {
        self.with_reader(|connection| {
            let mut problems = query_all(connection, "PRAGMA integrity_check(100)", &[], |row| {
                row.at::<String>(0)
            })?;
            problems.retain(|problem| problem != "ok");
            problems.extend(query_all(
                connection,
                "PRAGMA foreign_key_check",
                &[],
                |row| {
                    Ok(format!(
                        "a row of {} refers to nothing",
                        row.at::<String>(0)?
                    ))
                },
            )?);
            Ok(problems)
        })
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        if *self.owner.get_mut() == std::process::id() {
            // Closing is SQLite's work as well: a child must not be forked in the middle of it (D4).
            let _still = fork::hold_still_if_possible();
            self.pool.close();
            self.cache.attach(None);
            self.in_use = None;
        } else if let Some(idle) = self.pool.if_idle() {
            // A forked child that merely ends must not check-point its parent's log.
            idle.close_inherited();
        }
    }
}

/// A transaction that is rolled back unless it is committed, also by a panic.
struct Transaction<'c>(Option<&'c Connection>);

impl<'c> Transaction<'c> {
    fn begin(connection: &'c Connection, sql: &str) -> Result<Self> {
        run(connection, sql)?;
        Ok(Self(Some(connection)))
    }
}

impl again::Transaction for Transaction<'_> {
    fn commit(mut self) -> Result<()> {
        let Some(connection) = self.0 else {
            return Ok(());
        };
        run(connection, "COMMIT")?;
        self.0 = None;
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.0.filter(|connection| !connection.is_autocommit()) {
            // Nothing can be done about a failure here; SQLite has already rolled back by itself then.
            let _ = run(connection, "ROLLBACK");
        }
    }
}

/// How long a call waits. It is reckoned from when it first has to: most need not look at the clock.
#[derive(Debug)]
struct Deadline {
    patience: Duration,
    at: OnceCell<Instant>,
}

impl Deadline {
    fn of(patience: Duration) -> Self {
        Self {
            patience,
            at: OnceCell::new(),
        }
    }

    fn at(&self) -> Instant {
        *self.at.get_or_init(|| Instant::now() + self.patience)
    }

    fn is_over(&self) -> bool {
        let at = self.at();
        Instant::now() >= at
    }
}

/// Tries a call until it is not `Busy`, the deadline is over, or the face is told to stop. What the call holds it gives back
/// before it is tried again: a fork waits for nobody who waits (D4), and a signal's handler may call the library.
fn patiently<T>(deadline: &Deadline, database: &Path, call: impl Fn() -> Result<T>) -> Result<T> {
    loop {
        match call() {
            Err(error) if may_pass(&error) && !deadline.is_over() && !waiting::is_given_up() => {
                std::thread::sleep(Duration::from_millis(1));
            }
            result => return result.map_err(|error| explained(error, database)),
        }
    }
}

/// The file, the disk or what is in it is not as it should be.
fn is_of_the_storage(error: &KeyplateError) -> bool {
    matches!(
        error,
        KeyplateError::StorageFull { .. }
            | KeyplateError::StorageReadOnly { .. }
            | KeyplateError::StorageFailed { .. }
            | KeyplateError::StorageLost { .. }
            | KeyplateError::CorruptDatabase { .. }
            | KeyplateError::SchemaTooNew { .. }
    )
}

/// Of two processes that open a file at once, the one sees that the other has it, and no log yet.
fn may_pass(error: &KeyplateError) -> bool {
    let reason = match error {
        KeyplateError::Configuration { reason, .. } => reason,
        error => return *error == KeyplateError::Busy,
    };
    *reason == ConfigurationReason::OpenElsewhere
}

/// Waits for writers in other processes until the deadline, but no longer than until somebody wants to fork or the face has
/// to be asked. Not SQLite's own busy handler: it sleeps up to 100 ms between tries, and whoever sleeps longest starves
/// while others write without pause.
fn begin_immediate(connection: &Connection, deadline: Instant) -> Result<Transaction<'_>> {
    connection.busy_timeout(Duration::ZERO).map_err(failure)?;
    let deadline = deadline.min(Instant::now() + waiting::ASK_EVERY);
    let mut pause = Duration::from_micros(100);
    loop {
        match Transaction::begin(connection, "BEGIN IMMEDIATE") {
            Err(KeyplateError::Busy) if Instant::now() < deadline && !fork::is_wanted() => {}
            begun => return begun,
        }
        std::thread::sleep(pause.min(deadline.saturating_duration_since(Instant::now())));
        pause = (pause * 3 / 2).min(Duration::from_millis(3));
    }
}

/// What fills the disk may be our own log: it grows for as long as a reader needs what is at its beginning, and only a
/// commit would begin it anew. True if its pages are in the database now, and it is empty.
fn make_room(connection: &Connection) -> bool {
    let busy = query_one(connection, "PRAGMA wal_checkpoint(TRUNCATE)", &[], |row| {
        row.at::<i64>(0)
    });
    busy == Ok(Some(0))
}
