//! The connections of one engine: one writer, several readers (D3).

use std::{
    ops::Deref,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use rusqlite::{Connection, config::DbConfig};

use super::waiting;
use crate::error::{KeyplateError, Result};

/// Readers kept when idle; more are opened under load and closed again.
const IDLE_READERS: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Reader,
    Writer,
}

#[derive(Debug)]
pub(super) struct Pool {
    connections: Mutex<Connections>,
    returned: Condvar,
}

#[derive(Debug)]
pub(super) struct Connections {
    readers: Vec<Connection>,
    readers_out: usize,
    writer: Option<Connection>,
    writer_out: bool,
}

impl Pool {
    pub(super) fn new(writer: Connection) -> Self {
        Self {
            connections: Mutex::new(Connections {
                readers: Vec::new(),
                readers_out: 0,
                writer: Some(writer),
                writer_out: false,
            }),
            returned: Condvar::new(),
        }
    }

    /// Lends a connection; the writer is waited for until the deadline.
    pub(super) fn take(
        &self,
        role: Role,
        deadline: Instant,
        open: impl FnOnce() -> Result<Connection>,
    ) -> Result<Lent<'_>> {
        let mut connections = self.lock();
        let idle = match role {
            Role::Reader => {
                connections.readers_out += 1;
                connections.readers.pop()
            }
            Role::Writer => {
                while connections.writer_out {
                    let patience = deadline.saturating_duration_since(Instant::now());
                    if patience.is_zero() {
                        return Err(KeyplateError::Busy);
                    }
                    let (guard, waited) = self
                        .returned
                        .wait_timeout(connections, patience.min(waiting::ASK_EVERY))
                        .unwrap_or_else(PoisonError::into_inner);
                    connections = guard;
                    if waited.timed_out() && connections.writer_out {
                        // A signal's handler runs while it is asked: no lock may be held.
                        drop(connections);
                        if waiting::is_given_up() {
                            return Err(KeyplateError::Busy);
                        }
                        connections = self.lock();
                    }
                }
                connections.writer_out = true;
                connections.writer.take()
            }
        };
        drop(connections);
        // From here on `lent` gives back its place, whatever happens.
        let mut lent = Lent {
            pool: self,
            role,
            connection: idle,
        };
        if lent.connection.is_none() {
            lent.connection = Some(open()?);
        }
        Ok(lent)
    }

    pub(super) fn close(&mut self) {
        let connections = self
            .connections
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        connections.readers.clear();
        connections.writer = None;
    }

    /// The connections, if none is in use.
    pub(super) fn if_idle(&self) -> Option<Idle<'_>> {
        let connections = self.connections.try_lock().ok()?;
        let idle = connections.readers_out == 0 && !connections.writer_out;
        idle.then_some(Idle(connections))
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        // The lists are whole whenever the lock is free, also after a panic elsewhere.
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connections of which none is in use.
pub(super) struct Idle<'p>(MutexGuard<'p, Connections>);

impl Idle<'_> {
    /// Closes connections that another process made. Without a check-point: locks that we only seem to hold must not
    /// make us believe that nobody else has the file open.
    pub(super) fn close_inherited(mut self) {
        for connection in self.0.readers.iter().chain(&self.0.writer) {
            let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        self.0.readers.clear();
        self.0.writer = None;
    }
}

/// A connection that goes back when it is dropped.
pub(super) struct Lent<'p> {
    pool: &'p Pool,
    role: Role,
    connection: Option<Connection>,
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
        let surplus = match self.role {
            Role::Reader => {
                connections.readers_out -= 1;
                if connections.readers.len() < IDLE_READERS {
                    connections.readers.extend(self.connection.take());
                }
                self.connection.take()
            }
            Role::Writer => {
                connections.writer_out = false;
                connections.writer = self.connection.take();
                self.pool.returned.notify_one();
                None
            }
        };
        drop(connections);
        drop(surplus);
    }
}
