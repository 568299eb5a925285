//! The connections of one engine: one writer, several readers (D3).

use std::{
    ops::Deref,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use rusqlite::{Connection, config::DbConfig};

use super::{Deadline, fork, waiting};
use crate::error::{KeyplateError, Result};

/// More calls than this read in turns: no number of clients makes this process's memory grow.
const MOST_READERS: usize = 16;
/// So many of them have a cache of full size. The others are wanted only while several calls ask the database at once,
/// and what is asked for most need not be asked of it (D7).
const MOST_LARGE: usize = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Reader,
    Writer,
}

/// How much of the file a connection keeps in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cache {
    Large,
    Small,
}

#[derive(Debug)]
pub(super) struct Pool {
    connections: Mutex<Connections>,
    reader_returned: Condvar,
    writer_returned: Condvar,
    alone: AtomicBool,
}

#[derive(Debug)]
pub(super) struct Connections {
    /// Those that are idle, the ones with a large cache last.
    readers: Vec<(Connection, Cache)>,
    readers_out: usize,
    /// How many have a large cache, idle or not.
    large: usize,
    writer: Option<Connection>,
    writer_out: bool,
    /// How many calls wait for a connection: if none does, nobody needs to be woken, which would ask the system.
    waiting: usize,
}

impl Pool {
    pub(super) fn new(writer: Connection) -> Self {
        Self {
            connections: Mutex::new(Connections {
                readers: Vec::new(),
                readers_out: 0,
                large: 0,
                writer: Some(writer),
                writer_out: false,
                waiting: 0,
            }),
            reader_returned: Condvar::new(),
            writer_returned: Condvar::new(),
            alone: AtomicBool::new(false),
        }
    }

    /// Lends a connection, which is waited for until the deadline. Calls are not nested, so whoever waits here holds
    /// none that somebody else could wait for.
    pub(super) fn take(
        &self,
        role: Role,
        deadline: &Deadline,
        open: impl FnOnce(Cache) -> Result<Connection>,
    ) -> Result<Lent<'_>> {
        let mut connections = self.lock();
        let (idle, cache) = match role {
            Role::Reader => {
                let all_out = |c: &Connections| c.readers_out >= MOST_READERS;
                connections = self.wait(&self.reader_returned, connections, deadline, all_out)?;
                connections.take_reader()
            }
            Role::Writer => {
                let is_out = |c: &Connections| c.writer_out;
                connections = self.wait(&self.writer_returned, connections, deadline, is_out)?;
                connections.writer_out = true;
                (connections.writer.take(), Cache::Large)
            }
        };
        drop(connections);
        // From here on `lent` gives back its place, whatever happens.
        let mut lent = Lent {
            pool: self,
            role,
            cache,
            connection: idle,
        };
        if lent.connection.is_none() {
            lent.connection = Some(open(cache)?);
        }
        Ok(lent)
    }

    /// This process has the file to itself, by its one connection.
    pub(super) fn is_alone(&self) -> bool {
        self.alone.load(Ordering::Relaxed)
    }

    pub(super) fn set_alone(&self, alone: bool) {
        self.alone.store(alone, Ordering::Relaxed);
    }

    pub(super) fn close(&mut self) {
        let connections = self
            .connections
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        connections.readers.clear();
        connections.large = 0;
        connections.writer = None;
    }

    /// The connections, if none is in use.
    pub(super) fn if_idle(&self) -> Option<Idle<'_>> {
        let connections = self.connections.try_lock().ok()?;
        let idle = connections.readers_out == 0 && !connections.writer_out;
        idle.then_some(Idle(connections))
    }

    /// Waits for as long as it is so, at most until the deadline, or until it is time to ask whether to go on: whoever does
    /// that must hold nothing.
    fn wait<'p>(
        &'p self,
        returned: &Condvar,
        mut connections: MutexGuard<'p, Connections>,
        deadline: &Deadline,
        so: impl Fn(&Connections) -> bool,
    ) -> Result<MutexGuard<'p, Connections>> {
        if !so(&connections) {
            return Ok(connections);
        }
        let deadline = deadline.at().min(Instant::now() + waiting::ASK_EVERY);
        while so(&connections) {
            let patience = deadline.saturating_duration_since(Instant::now());
            if patience.is_zero() || fork::is_wanted() {
                return Err(KeyplateError::Busy);
            }
            connections.waiting += 1;
            connections = returned
                .wait_timeout(connections, patience)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            connections.waiting -= 1;
        }
        Ok(connections)
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        // The lists are whole whenever the lock is free, also after a panic elsewhere.
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    /// An idle reader, or the size of the one that is to be opened.
    fn take_reader(&mut self) -> (Option<Connection>, Cache) {
        self.readers_out += 1;
        if let Some((reader, cache)) = self.readers.pop() {
            return (Some(reader), cache);
        }
        if self.large < MOST_LARGE {
            self.large += 1;
            return (None, Cache::Large);
        }
        (None, Cache::Small)
    }

    /// None if it could not be opened.
    fn return_reader(&mut self, reader: Option<Connection>, cache: Cache) {
        self.readers_out -= 1;
        match (reader, cache) {
            (Some(reader), Cache::Large) => self.readers.push((reader, cache)),
            (Some(reader), Cache::Small) => self.readers.insert(0, (reader, cache)),
            (None, Cache::Large) => self.large -= 1,
            (None, Cache::Small) => {}
        }
    }
}

/// Connections of which none is in use.
pub(super) struct Idle<'p>(MutexGuard<'p, Connections>);

impl Idle<'_> {
    /// Closes connections that another process made. Without a check-point: locks that we only seem to hold must not
    /// make us believe that nobody else has the file open.
    pub(super) fn close_inherited(mut self) {
        let readers = self.0.readers.iter().map(|(reader, _)| reader);
        for connection in readers.chain(&self.0.writer) {
            let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        self.0.readers.clear();
        self.0.large = 0;
        self.0.writer = None;
    }
}

/// A connection that goes back when it is dropped.
pub(super) struct Lent<'p> {
    pool: &'p Pool,
    role: Role,
    cache: Cache,
    connection: Option<Connection>,
}

impl Lent<'_> {
    /// Closes the connection, and only then opens another.
    pub(super) fn renew(&mut self, open: impl FnOnce() -> Result<Connection>) -> Result<()> {
        self.connection = None;
        self.connection = Some(open()?);
        Ok(())
    }
}

impl Deref for Lent<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("taken only by drop")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut connections = self.pool.lock();
        let returned = match self.role {
            Role::Reader => {
                connections.return_reader(self.connection.take(), self.cache);
                &self.pool.reader_returned
            }
            Role::Writer => {
                connections.writer_out = false;
                connections.writer = self.connection.take();
                &self.pool.writer_returned
            }
        };
        if connections.waiting > 0 {
            returned.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread, time::Duration};

    use super::*;
    use crate::error::internal;

    fn connection() -> Result<Connection> {
        Ok(Connection::open_in_memory().unwrap())
    }

    /// D3.
    #[test]
    fn readers_beyond_the_sixteenth_wait_and_then_give_up_as_busy() {
        let pool = Pool::new(connection().unwrap());
        let take = |patience| {
            let deadline = Deadline::of(Duration::from_millis(patience));
            let mut opened = None;
            let lent = pool.take(Role::Reader, &deadline, |cache| {
                opened = Some(cache);
                connection()
            });
            lent.map(|lent| (lent, opened))
        };
        let mut all: Vec<_> = (0..16).map(|_| take(0).unwrap()).collect();
        let large = all.iter().filter(|(_, cache)| *cache == Some(Cache::Large));
        assert_eq!(large.count(), 1);
        assert!(matches!(take(20), Err(KeyplateError::Busy)));

        // One that comes back is had by who waits, and is not opened once more.
        let returned = all.pop();
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| sender.send(take(10_000).map(|(_, opened)| opened)));
            thread::sleep(Duration::from_millis(20));
            drop(returned);
            assert!(matches!(receiver.recv().unwrap(), Ok(None)));
        });
        // The writer is no reader's affair.
        let writer = pool.take(Role::Writer, &Deadline::of(Duration::ZERO), |_| {
            connection()
        });
        assert!(writer.is_ok());
        drop(writer);

        // Of those that are idle the ones with a large cache are taken first.
        drop(all);
        let (first, second) = (take(0).unwrap().0, take(0).unwrap().0);
        assert_eq!((first.cache, second.cache), (Cache::Large, Cache::Small));
    }

    #[test]
    fn a_reader_that_cannot_be_opened_leaves_its_place_to_others() {
        let pool = Pool::new(connection().unwrap());
        for _ in 0..40 {
            let failed = pool.take(Role::Reader, &Deadline::of(Duration::ZERO), |cache| {
                assert_eq!(cache, Cache::Large);
                Err(internal("no more files"))
            });
            assert!(matches!(failed, Err(KeyplateError::Internal { .. })));
        }
        assert!(pool.if_idle().is_some());
    }
}
