//! The interface of the engines: what a database is to `db::<noun>` and to `gate`, whichever it is.
//!
//! An [`Engine`] is one open database. It gives out a [`Reader`] or a [`Writer`] for the time of a transaction, and `Row`s of
//! what is asked. What the engines do not share is theirs alone: schemas, locking, retries, time and back-up (D6). Each is
//! one module, the only one that names its driver: `sqlite`, and `postgres` where that feature is on.
//!
//! # What every engine keeps
//!
//! 1. Whoever holds a [`Reader`] or a [`Writer`] knows the time of its transaction and that the database has this library's
//!    schema: `instance` is read first, in the same snapshot. A look-up reads both in its own statement.
//! 2. The time of a transaction is never before that of one that was committed before it began (`time`, C5).
//! 3. A closure that fails or panics leaves nothing behind. It may have to run again (`again`), so it does nothing outside
//!    its transaction.
//! 4. Calls are not nested: inside `read` and `write` the closure uses what it is given.
//! 5. Every error leaves as a [`KeyplateError`], with the path if it is of the storage; no SQL is in it.
//! 6. Whoever waits for another process or another call gives back what they hold every 100 ms, and then asks whether to
//!    go on (`waiting`).
//!
//! # Who calls
//!
//! `gate::handle` opens transactions for the rules, `gate::{seen, refusals}` write beside them, and `db::<noun>` run
//! statements on what they are given.

mod again;
mod given;
mod look_up;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
mod sqlite;
mod time;
mod waiting;

use std::{
    cell::Cell,
    ops::Deref,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

#[cfg(feature = "postgres")]
use self::postgres::Postgres;
use self::{
    sqlite::{BackedUp, SCHEMA, Sqlite},
    time::Moment,
};
use super::{Column, Param, malformed};
#[cfg(feature = "postgres")]
use crate::secret::Secret;
use crate::{
    clock::{self, BootTime, Clock},
    error::{KeyplateError, Result},
};

pub use again::run_transactions_twice;
pub(crate) use given::Given;
pub(crate) use look_up::{LookUp, look_up};
pub(crate) use row::Row;
pub use sqlite::{ForkGuard, RestoredBackup, before_fork, check_ownership, restore_backup};
pub(crate) use time::{anchor_columns, server_clock};
pub use waiting::give_up_waiting_if;

/// Where the database is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    File(PathBuf),
    /// By a URL, which may hold a password.
    #[cfg(feature = "postgres")]
    Server(Arc<Secret>),
}

/// How to open the database.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) place: Place,
    pub(crate) busy_timeout: Duration,
    pub(crate) allow_shared_file: bool,
    /// How much of what is looked up an engine that can do so keeps in memory (D7).
    pub(crate) cache_bytes: usize,
}

/// One open database.
#[derive(Clone)]
pub(crate) struct Engine(Kind);

#[derive(Clone)]
enum Kind {
    Sqlite(Arc<Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(Arc<Postgres>),
}

/// What runs in a transaction, as the engines run it.
type Reads<'f> = &'f dyn Fn(&Reader<'_>) -> Result<()>;
type Writes<'f> = &'f dyn Fn(&Writer<'_>) -> Result<()>;

impl Engine {
    pub(crate) fn open(options: Options, clock: Clock) -> Result<Self> {
        match &options.place {
            Place::File(path) => {
                let file = sqlite::Options {
                    path: path.clone(),
                    busy_timeout: options.busy_timeout,
                    allow_shared_file: options.allow_shared_file,
                    cache_bytes: options.cache_bytes,
                };
                Sqlite::open(file, clock).map(Kind::Sqlite).map(Self)
            }
            #[cfg(feature = "postgres")]
            Place::Server(url) => {
                let engine = Postgres::open(url.as_str(), options.busy_timeout, clock);
                engine.map(Kind::Postgres).map(Self)
            }
        }
    }

    /// Runs `f` on one snapshot of the database.
    pub(crate) fn read<T>(&self, f: impl Fn(&Reader<'_>) -> Result<T>) -> Result<T> {
        let given = Given::nothing();
        self.reading(&|reader| given.keep(f(reader)))?;
        given.take()
    }

    fn reading(&self, f: Reads<'_>) -> Result<()> {
        match &self.0 {
            Kind::Sqlite(engine) => engine.read(f),
            #[cfg(feature = "postgres")]
            Kind::Postgres(engine) => engine.read(f),
        }
    }

    /// Runs `f` in one transaction: all of it or nothing.
    pub(crate) fn write<T>(&self, f: impl Fn(&Writer<'_>) -> Result<T>) -> Result<T> {
        let given = Given::nothing();
        self.writing(&|writer| given.keep(f(writer)))?;
        given.take()
    }

    fn writing(&self, f: Writes<'_>) -> Result<()> {
        match &self.0 {
            Kind::Sqlite(engine) => engine.write(f),
            #[cfg(feature = "postgres")]
            Kind::Postgres(engine) => engine.write(f),
        }
    }

    /// The same, but gives up as `Busy` at once when somebody else is writing.
    pub(crate) fn write_if_free<T>(&self, f: impl Fn(&Writer<'_>) -> Result<T>) -> Result<T> {
        let given = Given::nothing();
        self.writing_if_free(&|writer| given.keep(f(writer)))?;
        given.take()
    }

    fn writing_if_free(&self, f: Writes<'_>) -> Result<()> {
        match &self.0 {
            Kind::Sqlite(engine) => engine.write_if_free(f),
            #[cfg(feature = "postgres")]
            Kind::Postgres(engine) => engine.write_if_free(f),
        }
    }

    /// What `f` gives if it turns out to write nothing, on a snapshot, so that nobody waits for it; nothing as soon as it
    /// wants to write.
    pub(crate) fn if_nothing_is_written<T>(
        &self,
        f: impl Fn(&Writer<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let given = Given::nothing();
        match self.trying_to_write_nothing(&|writer| given.keep(f(writer)))? {
            Some(()) => given.take().map(Some),
            None => Ok(None),
        }
    }

    fn trying_to_write_nothing(&self, f: Writes<'_>) -> Result<Option<()>> {
        match &self.0 {
            Kind::Sqlite(engine) => engine.if_nothing_is_written(f),
            #[cfg(feature = "postgres")]
            Kind::Postgres(engine) => engine.if_nothing_is_written(f),
        }
    }

    /// Gives the row, if there is one, with the time (C5). Its columns are read by their places.
    pub(crate) fn look_up<T>(
        &self,
        statement: &LookUp,
        params: &[Param<'_>],
        from_row: impl Fn(&Row<'_, '_>, SystemTime) -> Result<T>,
    ) -> Result<Option<T>> {
        match &self.0 {
            Kind::Sqlite(engine) => engine.look_up(statement, params, from_row),
            #[cfg(feature = "postgres")]
            Kind::Postgres(engine) => engine.look_up(statement, params, from_row),
        }
    }

    /// The time, for what is noted beside the database.
    pub(crate) fn roughly_now(&self) -> Result<SystemTime> {
        match &self.0 {
            Kind::Sqlite(engine) => engine.roughly_now(),
            #[cfg(feature = "postgres")]
            Kind::Postgres(engine) => engine.roughly_now(),
        }
    }

    /// False in a forked child that has not used it.
    pub(crate) fn is_owned_by_this_process(&self) -> bool {
        match &self.0 {
            Kind::Sqlite(engine) => engine.is_owned_by_this_process(),
            #[cfg(feature = "postgres")]
            Kind::Postgres(engine) => engine.is_owned_by_this_process(),
        }
    }

    /// Runs the engine's own checks and those of the foreign keys; gives what they find.
    pub(crate) fn check_integrity(&self) -> Result<Vec<String>> {
        match &self.0 {
            Kind::Sqlite(engine) => engine.check_integrity(),
            #[cfg(feature = "postgres")]
            Kind::Postgres(engine) => engine.check_integrity(),
        }
    }

    /// How much room the database takes on the disk.
    pub(crate) fn bytes(&self) -> Result<u64> {
        match &self.0 {
            Kind::Sqlite(engine) => engine.file_bytes(),
            #[cfg(feature = "postgres")]
            Kind::Postgres(engine) => engine.bytes(),
        }
    }

    /// Copies the database to a new file, as it is at one moment after this was called (D8).
    pub(crate) fn back_up_to(&self, path: &str) -> Result<BackedUp> {
        match &self.0 {
            Kind::Sqlite(engine) => engine.back_up_to(path),
            #[cfg(feature = "postgres")]
            Kind::Postgres(engine) => engine.back_up_to(path),
        }
    }

    /// A back-up was put in the place of the database, and has just been made fit for use (D8).
    pub(crate) fn settled(&self) {
        match &self.0 {
            Kind::Sqlite(engine) => engine.empty_log(),
            #[cfg(feature = "postgres")]
            Kind::Postgres(_) => {}
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// Keeps hooked forks away while a lock beside the database is held (D4), in a process that has used its handle. Not to
/// be nested with calls.
pub(crate) fn hold_still() -> impl Drop {
    sqlite::hold_still()
}

/// What every transaction reads first.
const INSTANCE: &str = concat!(
    "SELECT ",
    anchor_columns!(),
    ", instance.schema FROM instance"
);

/// D2: another process may have upgraded the database while it was open here.
fn check_schema(found: u32) -> Result<()> {
    let known = SCHEMA;
    match found {
        found if found == known => Ok(()),
        found if found > known => Err(KeyplateError::SchemaTooNew {
            found: i64::from(found),
            known: i64::from(known),
        }),
        found => Err(KeyplateError::CorruptDatabase {
            reason: format!("schema {found} in an open database"),
        }),
    }
}

/// A connection on which a transaction is open, or a statement without one.
#[derive(Clone, Copy)]
enum Session<'c> {
    Sqlite(sqlite::Session<'c>),
    #[cfg(feature = "postgres")]
    Postgres(&'c postgres::Session),
}

impl<'c> From<sqlite::Session<'c>> for Session<'c> {
    fn from(session: sqlite::Session<'c>) -> Self {
        Self::Sqlite(session)
    }
}

#[cfg(feature = "postgres")]
impl<'c> From<&'c postgres::Session> for Session<'c> {
    fn from(session: &'c postgres::Session) -> Self {
        Self::Postgres(session)
    }
}

/// One snapshot of the database.
pub(crate) struct Reader<'c> {
    session: Session<'c>,
    now: Cell<SystemTime>,
    clock: SystemTime,
    boot: BootTime,
    is_anchored: bool,
}

impl<'c> Reader<'c> {
    fn at(session: Session<'c>, moment: Moment) -> Self {
        Self {
            session,
            now: Cell::new(moment.now),
            clock: moment.clock,
            boot: moment.boot,
            is_anchored: moment.is_anchored,
        }
    }
}

impl Reader<'_> {
    /// The time of this transaction: never before what was committed, and never standing still (C5).
    pub(crate) fn now(&self) -> SystemTime {
        self.now.get()
    }

    /// What the clock says, which other programs go by. Never later than `now`.
    pub(crate) fn clock(&self) -> SystemTime {
        self.clock
    }

    /// How far the clock is behind the time.
    pub(crate) fn clock_is_behind(&self) -> Duration {
        self.now().duration_since(self.clock).unwrap_or_default()
    }

    /// The last commit was in this boot.
    pub(crate) fn is_of_this_boot(&self) -> bool {
        self.is_anchored
    }

    /// When this boot began, by the time of this transaction, in milliseconds since 1970: as long as the clock is behind,
    /// this stays the same.
    pub(crate) fn boot_began(&self) -> i64 {
        clock::to_millis(self.now()) - self.boot.millis
    }

    pub(crate) fn query_one<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        from_row: impl FnOnce(&Row<'_, '_>) -> Result<T>,
    ) -> Result<Option<T>> {
        match self.session {
            Session::Sqlite(session) => session.query_one(sql, params, from_row),
            #[cfg(feature = "postgres")]
            Session::Postgres(session) => session.query_one(sql, params, from_row),
        }
    }

    pub(crate) fn query_all<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        from_row: impl FnMut(&Row<'_, '_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        match self.session {
            Session::Sqlite(session) => session.query_all(sql, params, from_row),
            #[cfg(feature = "postgres")]
            Session::Postgres(session) => session.query_all(sql, params, from_row),
        }
    }

    /// The one value of a statement that always gives a row, such as a count.
    pub(crate) fn value<T: Column>(&self, sql: &str, params: &[Param<'_>]) -> Result<T> {
        self.query_one(sql, params, |row| row.at(0))?
            .ok_or_else(|| malformed(0))
    }
}

/// One transaction that may write.
pub(crate) struct Writer<'c> {
    reader: Reader<'c>,
}

impl<'c> Deref for Writer<'c> {
    type Target = Reader<'c>;

    fn deref(&self) -> &Reader<'c> {
        &self.reader
    }
}

impl<'c> Writer<'c> {
    fn of(reader: Reader<'c>) -> Self {
        Self { reader }
    }
}

impl Writer<'_> {
    /// Stores the time of this transaction, with the boot, for those that come after it (C5).
    fn store_time(&self) -> Result<()> {
        self.execute(
            "UPDATE instance
             SET last_time = ?1, boot_id = ?2, boot_millis = ?3, commits = commits + 1",
            &[
                Param::from(self.now()),
                Param::from(&*self.boot.id),
                Param::from(self.boot.millis),
            ],
        )
        .map(drop)
    }

    /// Makes the clock's time the stored one, and that of the rest of this transaction, although it is earlier (C5).
    pub(crate) fn set_time_back(&self) -> Result<()> {
        // The boot time was stored when the transaction began.
        self.execute("UPDATE instance SET last_time = ?1", &[self.clock.into()])?;
        self.now.set(self.clock);
        Ok(())
    }

    /// Runs `f`; if it fails, what it did to the transaction is undone, and nothing else.
    pub(crate) fn try_within<T>(&self, f: impl FnOnce() -> Result<T>) -> Result<T> {
        match self.session {
            Session::Sqlite(session) => session.try_within(f),
            #[cfg(feature = "postgres")]
            Session::Postgres(session) => session.try_within(f),
        }
    }

    /// D8: from now on this is another database than the one that it was copied from.
    pub(crate) fn renew_file_id(&self) -> Result<()> {
        match self.session {
            Session::Sqlite(session) => session.renew_file_id(),
            // It has no log beside it.
            #[cfg(feature = "postgres")]
            Session::Postgres(_) => Ok(()),
        }
    }

    /// A row was stored under an id that the database had not given: those that it gives from now on are higher.
    pub(crate) fn took_id(&self, table: &str, id: i64) -> Result<()> {
        match self.session {
            Session::Sqlite(session) => session.took_id(table, id),
            #[cfg(feature = "postgres")]
            Session::Postgres(session) => session.took_id(table, id),
        }
    }

    /// Runs a statement and gives the number of rows that it changed.
    pub(crate) fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<usize> {
        match self.session {
            Session::Sqlite(session) => session.execute(sql, params),
            #[cfg(feature = "postgres")]
            Session::Postgres(session) => session.execute(sql, params),
        }
    }
}
