//! How far the clock may be behind the time by which everything expires (C5).

use std::time::{Duration, SystemTime};

use crate::{
    clock,
    db::Reader,
    error::{KeyplateError, Result},
};

/// Farther apart is an event, and stops access tokens.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// How far the clock is behind, if that is more than is tolerated.
pub(crate) fn far_behind(reader: &Reader<'_>) -> Option<Duration> {
    Some(reader.clock_is_behind()).filter(|behind| *behind > TOLERANCE)
}

/// Other programs go by the clock: what they are told about times must be nearly so.
pub(crate) fn check_clock(reader: &Reader<'_>) -> Result<()> {
    match far_behind(reader) {
        None => Ok(()),
        Some(behind) => Err(KeyplateError::ClockBehind {
            seconds: whole_seconds(behind),
        }),
    }
}

/// A time of ours as the clock will show it.
pub(crate) fn by_the_clock(reader: &Reader<'_>, time: SystemTime) -> SystemTime {
    let behind = i64::try_from(reader.clock_is_behind().as_millis()).unwrap_or(i64::MAX);
    clock::later(time, -behind)
}

pub(crate) fn whole_seconds(behind: Duration) -> i64 {
    i64::try_from(behind.as_secs()).unwrap_or(i64::MAX)
}
