//! What time it is (C5), from the clock, the clock of the boot, and what the last commit stored of both: its *anchor*.
//!
//! | the anchor is | now is the later of the clock and |
//! | --- | --- |
//! | of this boot | the stored time plus the boot time since |
//! | of another boot, or from when there was none | the stored time plus the boot time since this handle saw it first |
//!
//! An anchor of another boot is there before `open` commits one of this boot, and after somebody wrote whose boot-time
//! clock is not comparable: in a container with a time namespace, or in a machine that went on from a checkpoint. A
//! boot-time clock that went back is another boot, too, whatever it is called.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::SystemTime,
};

use super::Row;
use crate::{
    clock::{self, BootTime, Clock},
    db::malformed,
    error::Result,
};

/// What [`Timekeeper::now`] reads, in this order.
macro_rules! anchor_columns {
    () => {
        "instance.last_time, instance.boot_id, instance.boot_millis"
    };
}
pub(crate) use anchor_columns;

/// A server's own clock, in milliseconds.
macro_rules! server_clock {
    () => {
        "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
    };
}
pub(crate) use server_clock;

pub(super) const ANCHOR_COLUMNS: usize = 3;

/// A host's time source need not run as the machine does, and in tests it stands still between two calls. So far it is
/// taken at its word, as long as it is not before the last commit. In milliseconds.
const LEEWAY_OF_HOSTS: i64 = 5_000;

/// The time of a transaction.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) now: SystemTime,
    /// What the clock says: never later.
    pub(super) clock: SystemTime,
    pub(super) boot: BootTime,
    /// The last commit was in this boot.
    pub(super) is_anchored: bool,
}

pub(super) struct Timekeeper {
    clock: Clock,
    foreign: Mutex<Option<Sighting>>,
    /// How far the clock of this machine is behind the time, in milliseconds, as the last transaction found it.
    behind: AtomicI64,
}

/// An anchor of another boot, and when in this boot it was first seen.
#[derive(Clone, Copy, Debug)]
struct Sighting {
    anchor: (i64, Option<i64>),
    seen_at: i64,
}

impl Timekeeper {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            foreign: Mutex::new(None),
            behind: AtomicI64::new(0),
        }
    }

    /// The time, by a row that begins with the anchor.
    pub(super) fn now(&self, row: &Row<'_, '_>) -> Result<Moment> {
        let clock = self.clock.now_in_millis()?;
        self.now_by(row, clock, clock)
    }

    /// The same by a server's clock, which all who use it share, unless the host has a clock of its own.
    #[cfg(feature = "postgres")]
    pub(super) fn now_of_server(&self, row: &Row<'_, '_>, clock: SystemTime) -> Result<Moment> {
        let (clock, machine) = (clock::to_millis(clock), self.clock.now_in_millis()?);
        let clock = if self.clock.is_hosts() {
            machine
        } else {
            clock
        };
        self.now_by(row, clock, machine)
    }

    /// What the clock of this machine, or the host, says.
    #[cfg(feature = "postgres")]
    pub(super) fn machine_now(&self) -> Result<SystemTime> {
        self.clock.now()
    }

    /// In whole milliseconds as far as possible: this is part of every look-up.
    fn now_by(&self, row: &Row<'_, '_>, clock: i64, machine: i64) -> Result<Moment> {
        // The clock first, which the caller has read. A process that is stopped in between then anchors an early time to a
        // late boot time, which the next look at the clock mends; the other way round, time would run ahead for as long as
        // the boot lasts.
        let boot = self.clock.boot_time();
        let stored: i64 = row.at(0)?;
        clock::from_stored(stored).ok_or_else(|| malformed(0))?;
        let is_of_this_boot = row.is_text(1, &boot.id)?;
        let at: Option<i64> = row.at(2)?;
        let since = at
            .filter(|_| is_of_this_boot)
            .and_then(|at| boot.millis.checked_sub(at))
            .filter(|since| *since >= 0);
        let is_anchored = since.is_some();
        let since = since.unwrap_or_else(|| self.since_seen((stored, at), boot.millis));
        let now = self.later_of(clock, stored, since);
        self.behind.store(now - machine, Ordering::Relaxed);
        Ok(Moment {
            now: clock::from_millis(now),
            clock: clock::from_millis(clock),
            boot,
            is_anchored,
        })
    }

    fn later_of(&self, clock: i64, stored: i64, since: i64) -> i64 {
        let running = clock::within_range(stored.saturating_add(since));
        if self.clock.is_hosts() && clock >= stored && running - clock <= LEEWAY_OF_HOSTS {
            return clock;
        }
        clock.max(running)
    }

    fn since_seen(&self, anchor: (i64, Option<i64>), now: i64) -> i64 {
        // D4: nobody forks with a hook meanwhile, since a call is under way.
        let mut foreign = self.foreign.lock().unwrap_or_else(PoisonError::into_inner);
        match *foreign {
            Some(seen) if seen.anchor == anchor && seen.seen_at <= now => now - seen.seen_at,
            _ => {
                *foreign = Some(Sighting {
                    anchor,
                    seen_at: now,
                });
                0
            }
        }
    }

    /// The time without a look at the database, from the clock and how far it was behind when somebody last looked.
    pub(super) fn roughly_now(&self) -> Result<SystemTime> {
        let clock = self.clock.now()?;
        Ok(clock::later(clock, self.behind.load(Ordering::Relaxed)))
    }
}
