//! The connections of this process to one database.

use std::{
    ops::Deref,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError},
    thread,
    time::{Duration, Instant},
};

use super::{
    super::{sqlite, waiting},
    session::Session,
};
use crate::error::{KeyplateError, Result};

/// More calls than this take turns: no number of clients makes the server's connections run out.
const MOST: usize = 16;

pub(super) struct Pool {
    connections: Mutex<Connections>,
    returned: Condvar,
}

struct Connections {
    idle: Vec<Session>,
    out: usize,
    /// The process that made them (D4).
    owner: u32,
}

impl Pool {
    pub(super) fn new(session: Session) -> Self {
        Self {
            connections: Mutex::new(Connections {
                idle: vec![session],
                out: 0,
                owner: std::process::id(),
            }),
            returned: Condvar::new(),
        }
    }

    /// Lends a connection, which is waited for until the deadline. Calls are not nested, so whoever waits here holds none.
    pub(super) fn take(
        &self,
        deadline: Instant,
        open: impl FnOnce() -> Result<Session>,
    ) -> Result<Lent<'_>> {
        let mut connections = self.lock()?;
        let deadline = deadline.min(Instant::now() + waiting::ASK_EVERY);
        while connections.out >= MOST {
            let patience = deadline.saturating_duration_since(Instant::now());
            if patience.is_zero() || sqlite::is_fork_wanted() {
                return Err(KeyplateError::Busy);
            }
            connections = self
                .returned
                .wait_timeout(connections, patience)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        connections.out += 1;
        let session = connections.idle.pop();
        let owner = connections.owner;
        drop(connections);
        // From here on `lent` gives back its place, whatever happens.
        let mut lent = Lent {
            pool: self,
            owner,
            session,
        };
        if lent.session.is_none() {
            lent.session = Some(open()?);
        }
        Ok(lent)
    }

    /// They have ended, or will be found to have.
    pub(super) fn forget_idle(&self) {
        if let Ok(mut connections) = self.lock() {
            connections.idle.clear();
        }
    }

    /// In a forked child the parent's connections are left as they are. A thread that only the parent has may hold the lock.
    fn lock(&self) -> Result<MutexGuard<'_, Connections>> {
        let pid = std::process::id();
        let mut tries = 0;
        let mut connections = loop {
            match self.connections.try_lock() {
                Ok(connections) => break connections,
                Err(TryLockError::Poisoned(connections)) => break connections.into_inner(),
                Err(TryLockError::WouldBlock) if tries > 10_000 => {
                    return Err(KeyplateError::ForkedHandle);
                }
                Err(TryLockError::WouldBlock) => {
                    tries += 1;
                    thread::sleep(Duration::from_micros(100));
                }
            }
        };
        if connections.owner != pid {
            std::mem::take(&mut connections.idle)
                .into_iter()
                .for_each(std::mem::forget);
            connections.out = 0;
            connections.owner = pid;
        }
        Ok(connections)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Looks whose they are.
        if let Ok(mut connections) = self.lock() {
            connections.idle.clear();
        }
    }
}

/// A connection that goes back when it is dropped, unless it has ended.
pub(super) struct Lent<'p> {
    pool: &'p Pool,
    owner: u32,
    session: Option<Session>,
}

impl Deref for Lent<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session.as_ref().expect("taken only by drop")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let session = self.session.take();
        if self.owner != std::process::id() {
            // Forked in the middle of a call.
            std::mem::forget(session);
            return;
        }
        let session = session.filter(|session| {
            session.roll_back();
            let is_good = !session.is_gone();
            session.refresh();
            is_good
        });
        if let Ok(mut connections) = self.pool.lock() {
            connections.out -= 1;
            connections.idle.extend(session);
        }
        self.pool.returned.notify_one();
    }
}
