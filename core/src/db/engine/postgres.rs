//! PostgreSQL, for hosts with several machines: only this module and its parts name its driver (D6).
//!
//! # States
//!
//! A [`Postgres`] is one database on a server, with the connections that this process has to it. A connection is IDLE in the
//! pool, LENT to one call, or GONE: it ended by itself, and is thrown away by the call that finds out. A transaction is
//! READING, WRITING or a LOOK-UP (one statement without `BEGIN`).
//!
//! # What always holds
//!
//! 1. All transactions are SERIALIZABLE. One that the server refuses because of another (40001, 40P01) is run again, and so is,
//!    once, one that met a row which no check foresaw (23505).
//! 2. Those who write take turns, on all machines together: the lock on the table `turns` is the first thing that a
//!    writing transaction takes, before its snapshot, and it is kept until the commit is visible. So the time that a
//!    commit stores is never before that of the one before it, the numbers of the audit log are in the order of the
//!    commits, and what is counted is exact. Nobody who reads waits for it.
//! 3. Whoever waits for a turn or a connection gives up after 100 ms and is asked whether to go on (`waiting`).
//! 4. A transaction is committed once. Each brings a random id into the table `changes`. If the answer to its commit is lost,
//!    that id is inserted anew: if it is there, the commit was done; if not, it can no longer be, and all is run again.
//! 5. A connection that another process made is never used, nor closed: closing would end the parent's session (D4).
//! 6. Every error leaves here as a [`KeyplateError`]. It names the server and the database, never a password or SQL.

mod connect;
mod failure;
mod pool;
mod schema;
mod session;

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

pub(super) use self::session::{Cells, Session};
use self::{connect::Server, pool::Pool, session::Trouble};
use super::{
    BackedUp, LookUp, Reader, Row, Writer, again, check_schema, sqlite,
    time::{ANCHOR_COLUMNS, Timekeeper, anchor_columns, server_clock},
    waiting,
};
use crate::{
    clock::{self, Clock},
    crypto::encryption,
    db::{Param, malformed},
    error::{KeyplateError, Result},
};

/// The longest pause before a transaction is run again; it grows to this.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// For how long the ids of commits are kept, in milliseconds. Nobody asks for one that is older than a call.
const KEPT_CHANGES: i64 = 3_600_000;
/// The least time that is spent on finding out whether a commit was done.
const LEAST_SETTLING: Duration = Duration::from_secs(5);

/// What every transaction reads first.
const INSTANCE: &str = concat!(
    "SELECT ",
    anchor_columns!(),
    ", instance.schema, ",
    server_clock!(),
    " FROM instance WHERE instance.id = 1"
);

/// What stands before the columns that a look-up is asked for: the anchor, the schema and the clock.
const BEFORE: usize = ANCHOR_COLUMNS + 2;

/// One database on a server.
pub(super) struct Postgres {
    server: Server,
    busy_timeout: Duration,
    time: Timekeeper,
    pool: Pool,
    /// The process that this handle works in (D4).
    owner: AtomicU32,
}

/// What an attempt at a transaction came to.
enum Attempt<T> {
    Done(Result<T>),
    Again,
    /// The answer to the commit was lost; the result, and the id that it would have left.
    Unanswered(T, ChangeId),
}

type ChangeId = [u8; 16];

impl Postgres {
    pub(super) fn open(url: &str, busy_timeout: Duration, clock: Clock) -> Result<Arc<Self>> {
        let server = Server::of(url)?;
        let time = Timekeeper::new(clock);
        let deadline = Instant::now() + busy_timeout;
        connect::off_the_runtime(|| {
            let prepared = || {
                let session = server.connect()?;
                schema::settle(&session, time.machine_now()?)?;
                Ok(session)
            };
            let session = patiently(deadline, prepared).map_err(|error| server.explained(error))?;
            Ok(Arc::new(Self {
                pool: Pool::new(session),
                server,
                busy_timeout,
                time,
                owner: AtomicU32::new(std::process::id()),
            }))
        })
    }

    pub(super) fn read<T>(&self, f: impl Fn(&Reader<'_>) -> Result<T>) -> Result<T> {
        self.repeatedly(self.busy_timeout, |session, _| {
            self.reading(session, |reader| f(&reader))
        })
    }

    pub(super) fn write<T>(&self, f: impl Fn(&Writer<'_>) -> Result<T>) -> Result<T> {
        self.write_within(self.busy_timeout, f)
    }

    pub(super) fn write_if_free<T>(&self, f: impl Fn(&Writer<'_>) -> Result<T>) -> Result<T> {
        self.write_within(Duration::ZERO, f)
    }

    pub(super) fn if_nothing_is_written<T>(
        &self,
        f: impl Fn(&Writer<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let tried = self.repeatedly(self.busy_timeout, |session, _| {
            self.reading(session, |reader| f(&Writer::of(reader)))
        });
        match tried {
            Err(KeyplateError::StorageReadOnly { .. }) => Ok(None),
            tried => tried.map(Some),
        }
    }

    pub(super) fn look_up<T>(
        &self,
        statement: &LookUp,
        params: &[Param<'_>],
        from_row: impl Fn(&Row<'_, '_>, SystemTime) -> Result<T>,
    ) -> Result<Option<T>> {
        self.repeatedly(self.busy_timeout, |session, _| {
            let look = || {
                let found = session.query_one(statement.postgres, params, |row| {
                    check_schema(row.at(ANCHOR_COLUMNS)?)?;
                    let clock = row.at(ANCHOR_COLUMNS + 1)?;
                    let now = self.time.now_of_server(row, clock)?.now;
                    from_row(&row.after(BEFORE), now)
                })?;
                if found.is_none() {
                    // No row told the schema: what is not found here may be there for a newer library.
                    self.reader(session)?;
                }
                Ok(found)
            };
            Attempt::of(look(), session)
        })
    }

    fn write_within<T>(
        &self,
        patience: Duration,
        f: impl Fn(&Writer<'_>) -> Result<T>,
    ) -> Result<T> {
        self.repeatedly(patience, |session, deadline| {
            let id = match encryption::random::<16>() {
                Ok(id) => id,
                Err(error) => return Attempt::Done(Err(error)),
            };
            let waits = deadline > Instant::now();
            if again::is_twice() {
                drop(self.writing(session, waits, &id, &f));
                session.roll_back();
            }
            match self.writing(session, waits, &id, &f) {
                Ok(result) => match session.commit() {
                    Ok(()) => Attempt::Done(Ok(result)),
                    Err(_) if session.is_gone() => Attempt::Unanswered(result, id),
                    Err(error) => Attempt::of(Err(error), session),
                },
                Err(error) => Attempt::of(Err(error), session),
            }
        })
    }

    /// All of a writing transaction but its commit.
    fn writing<T>(
        &self,
        session: &Session,
        waits: bool,
        id: &ChangeId,
        f: impl Fn(&Writer<'_>) -> Result<T>,
    ) -> Result<T> {
        session.begin_writing(waits)?;
        let writer = Writer::of(self.reader(session)?);
        writer.store_time()?;
        let (now, place) = (Param::from(writer.now()), Param::from(id));
        writer.execute(
            "INSERT INTO changes (id, at) VALUES (?1, ?2)",
            &[place, now],
        )?;
        if id[0] == 0 {
            let before = clock::later(writer.now(), -KEPT_CHANGES);
            writer.execute("DELETE FROM changes WHERE at < ?1", &[before.into()])?;
        }
        let result = f(&writer)?;
        session.check_whole()?;
        Ok(result)
    }

    fn reading<T>(&self, session: &Session, f: impl Fn(Reader<'_>) -> Result<T>) -> Attempt<T> {
        let attempt = || {
            session.begin_reading()?;
            f(self.reader(session)?)
        };
        if again::is_twice() {
            drop(attempt());
            session.roll_back();
        }
        let result = attempt();
        session.roll_back();
        Attempt::of(result, session)
    }

    fn reader<'c>(&self, session: &'c Session) -> Result<Reader<'c>> {
        let moment = session
            .query_one(INSTANCE, &[], |row| {
                check_schema(row.at(ANCHOR_COLUMNS)?)?;
                self.time.now_of_server(row, row.at(ANCHOR_COLUMNS + 1)?)
            })?
            .ok_or_else(|| malformed(0))?;
        Ok(Reader::at(session.into(), moment))
    }

    /// Attempts a call on a connection until it has had its turn, or the time is over. Between two attempts it holds nothing.
    fn repeatedly<T>(
        &self,
        patience: Duration,
        attempt: impl Fn(&Session, Instant) -> Attempt<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + patience;
        let tries = Tries::default();
        let call = || {
            let pid = std::process::id();
            let _still = sqlite::enter(pid)?;
            self.owner.store(pid, Ordering::Relaxed);
            let patient = deadline.max(Instant::now() + Duration::from_millis(1));
            let lent = self.pool.take(patient, || self.server.connect())?;
            let attempted = attempt(&lent, deadline);
            lent.roll_back();
            let trouble = lent.trouble();
            if trouble == Trouble::Gone {
                // Those that are idle went the same way, most likely.
                self.pool.forget_idle();
            }
            drop(lent);
            match attempted {
                Attempt::Done(Err(_)) if tries.may_try_again(trouble) => Err(KeyplateError::Busy),
                Attempt::Done(result) => result,
                Attempt::Again => Err(tries.pause()),
                Attempt::Unanswered(result, id) => match self.settle(&id, deadline)? {
                    true => Ok(result),
                    false => Err(KeyplateError::Busy),
                },
            }
        };
        let done = connect::off_the_runtime(|| match patience.is_zero() {
            true => call(),
            false => patiently(deadline, call),
        });
        done.map_err(|error| self.server.explained(error))
    }

    /// True if the commit with this id was done. If it was not, it will not be.
    fn settle(&self, id: &ChangeId, deadline: Instant) -> Result<bool> {
        let deadline = deadline.max(Instant::now() + LEAST_SETTLING);
        loop {
            let asked = self.server.connect().and_then(|session| {
                let now = Param::from(self.time.machine_now()?);
                let sql = "INSERT INTO changes (id, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
                session.execute(sql, &[Param::from(id), now])
            });
            match asked {
                Ok(inserted) => return Ok(inserted == 0),
                Err(_) if Instant::now() < deadline => std::thread::sleep(LONGEST_PAUSE),
                Err(_) => {
                    return Err(KeyplateError::StorageFailed {
                        path: String::new(),
                        reason: "the connection ended during a commit, and the server cannot be \
                                 asked whether it was done"
                            .to_owned(),
                    });
                }
            }
        }
    }

    pub(super) fn roughly_now(&self) -> Result<SystemTime> {
        self.time.roughly_now()
    }

    pub(super) fn is_owned_by_this_process(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == std::process::id()
    }

    /// The server keeps what refers to each other together, and reads nothing that it does not check itself.
    pub(super) fn check_integrity(&self) -> Result<Vec<String>> {
        self.read(|_| Ok(Vec::new()))
    }

    pub(super) fn bytes(&self) -> Result<u64> {
        let sql = "SELECT pg_database_size(current_database())";
        let bytes: i64 = self.read(|reader| reader.value(sql, &[]))?;
        Ok(u64::try_from(bytes).unwrap_or_default())
    }

    /// The server's own tools do that, and they alone do it well.
    pub(super) fn back_up_to(&self, _: &str) -> Result<BackedUp> {
        Err(KeyplateError::StorageFailed {
            path: self.server.name().to_owned(),
            reason:
                "a server's database is backed up with pg_dump, and marked when it is restored \
                     (docs/postgres.md)"
                    .to_owned(),
        })
    }
}

impl<T> Attempt<T> {
    fn of(result: Result<T>, session: &Session) -> Self {
        match session.trouble() {
            Trouble::Overtaken => Self::Again,
            Trouble::None | Trouble::Gone | Trouble::Met => Self::Done(result),
        }
    }
}

/// How often what has been tried, and what may be tried once.
#[derive(Default)]
struct Tries {
    again: Cell<u32>,
    met: Cell<bool>,
    gone: Cell<bool>,
}

impl Tries {
    /// Once each: a row that no check foresaw, and a connection that had ended while nobody used it.
    fn may_try_again(&self, trouble: Trouble) -> bool {
        match trouble {
            Trouble::Met => !self.met.replace(true),
            Trouble::Gone => !self.gone.replace(true),
            Trouble::None | Trouble::Overtaken => false,
        }
    }

    /// Waits for a while that nobody else waits.
    fn pause(&self) -> KeyplateError {
        let tries = self.again.get().min(6);
        self.again.set(tries + 1);
        let longest = (Duration::from_millis(1) * 2_u32.pow(tries)).min(LONGEST_PAUSE);
        let part = encryption::random::<1>().map_or(128, |[byte]| u32::from(byte));
        std::thread::sleep(longest * part / 255);
        KeyplateError::Busy
    }
}

/// Tries a call until it is not `Busy`, the deadline is over, or the face is told to stop.
fn patiently<T>(deadline: Instant, call: impl Fn() -> Result<T>) -> Result<T> {
    loop {
        match call() {
            Err(KeyplateError::Busy) if Instant::now() < deadline && !waiting::is_given_up() => {}
            result => return result,
        }
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}
