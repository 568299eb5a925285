//! Time: the host's time source or the system's clock, whole milliseconds, and times as text.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::error::{InputReason, Result, internal, invalid};

/// Tells the library the time; for tests, and for hosts with a clock of their own.
///
/// It is called often and must be quick. Time that expires anything never runs backwards, whatever it says.
#[cfg_attr(feature = "uniffi", uniffi::export(with_foreign))]
pub trait TimeSource: Send + Sync {
    /// The time now.
    fn now(&self) -> SystemTime;
}

/// 9999-12-31T23:59:59Z: the last moment that every face can show.
const LAST_MILLIS: i64 = 253_402_300_799_000;

/// The host's time source, or the system's.
#[derive(Clone)]
pub(crate) struct Clock(Option<Arc<dyn TimeSource>>);

impl Clock {
    pub(crate) fn new(source: Option<Arc<dyn TimeSource>>) -> Self {
        Self(source)
    }

    /// Now, in whole milliseconds.
    pub(crate) fn now(&self) -> Result<SystemTime> {
        let Some(source) = &self.0 else {
            #[expect(clippy::disallowed_methods, reason = "this is the clock")]
            return Ok(rounded(SystemTime::now()));
        };
        // A foreign exception arrives as a panic; it must not unwind through SQLite or the host.
        catch_unwind(AssertUnwindSafe(|| source.now()))
            .map(rounded)
            .map_err(|_| internal("the time source failed"))
    }
}

/// Milliseconds since 1970, rounded, within what a database and every face can hold.
pub(crate) fn to_millis(time: SystemTime) -> i64 {
    let nanos = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i128::try_from(after.as_nanos()).unwrap_or(i128::MAX),
        Err(before) => -i128::try_from(before.duration().as_nanos()).unwrap_or(i128::MAX),
    };
    let millis = (nanos.saturating_add(500_000)).div_euclid(1_000_000);
    i64::try_from(millis)
        .unwrap_or(i64::MAX)
        .clamp(0, LAST_MILLIS)
}

pub(crate) fn from_millis(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// Whole seconds since 1970, as JWTs tell times (RFC 7519, section 2).
pub(crate) fn to_seconds(time: SystemTime) -> i64 {
    to_millis(time) / 1_000
}

pub(crate) fn from_seconds(seconds: i64) -> SystemTime {
    from_millis(seconds.saturating_mul(1_000).clamp(0, LAST_MILLIS))
}

pub(crate) fn rounded(time: SystemTime) -> SystemTime {
    from_millis(to_millis(time))
}

/// `now` and so many seconds more; the last representable time if that is too far.
pub(crate) fn after(now: SystemTime, seconds: i64) -> SystemTime {
    let millis = to_millis(now).saturating_add(seconds.saturating_mul(1_000));
    from_millis(millis.min(LAST_MILLIS))
}

/// A number of seconds that has been checked.
pub(crate) fn seconds(number: i64) -> Duration {
    Duration::from_secs(u64::try_from(number).unwrap_or(0))
}

/// `2026-11-01T00:00:00Z`, for people who read the audit log. By the days of the proleptic Gregorian calendar, counted
/// from 1 March of the year 0, so that a leap day is the last of its year.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let seconds = to_millis(time) / 1_000;
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = year + era * 400 + later;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// A time from outside that must lie ahead.
pub(crate) fn future(field: &str, time: SystemTime, now: SystemTime) -> Result<SystemTime> {
    if time > from_millis(LAST_MILLIS) {
        return Err(invalid(field, InputReason::TooLate));
    }
    let time = rounded(time);
    if time <= now {
        return Err(invalid(field, InputReason::InThePast));
    }
    Ok(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_to_milliseconds_not_cut() {
        let time = UNIX_EPOCH + Duration::from_nanos(1_999_600);
        assert_eq!(to_millis(time), 2);
        assert_eq!(to_millis(UNIX_EPOCH - Duration::from_secs(9)), 0);
        assert_eq!(
            from_millis(to_millis(from_millis(1_790_000_000_123))),
            from_millis(1_790_000_000_123)
        );
    }

    #[test]
    fn times_for_people() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_793_491_200, "2026-11-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_time_source_that_panics_is_an_error() {
        struct Broken;
        impl TimeSource for Broken {
            fn now(&self) -> SystemTime {
                panic!("broken clock")
            }
        }
        assert!(Clock::new(Some(Arc::new(Broken))).now().is_err());
    }
}
