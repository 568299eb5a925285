//! Time: the host's time source or the system's clock, the clock of the boot, whole milliseconds, and times as text.

mod boot;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::time::{ClockId, clock_gettime};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use self::boot::Boot;
use crate::error::{InputReason, Result, internal, invalid};

pub use boot::BootClock;
pub(crate) use boot::BootTime;

/// Tells the library the time; for tests, and for hosts with a clock of their own.
///
/// It is called often and must be quick. Time that expires anything never runs backwards, whatever it says: once it is
/// before the time of the last change, time goes on from there by the machine's own clock.
#[cfg_attr(feature = "uniffi", uniffi::export(with_foreign))]
pub trait TimeSource: Send + Sync {
    /// The time now.
    fn now(&self) -> SystemTime;
}

/// 1970-01-01T00:00:00Z: the first moment that is stored.
const FIRST_MILLIS: i64 = 0;
/// 9999-12-31T23:59:59.999Z: the last moment that RFC 3339 can write, and that every face can show.
const LAST_MILLIS: i64 = 253_402_300_799_999;

/// The host's time source, or the system's; and the clock of the boot.
#[derive(Clone)]
pub(crate) struct Clock {
    source: Option<Arc<dyn TimeSource>>,
    boot: Boot,
}

impl Clock {
    pub(crate) fn new(source: Option<Arc<dyn TimeSource>>) -> Self {
        Self {
            source,
            boot: Boot::default(),
        }
    }

    /// With a boot-time clock that a test plays.
    pub(crate) fn with_boot(self, boot: Arc<dyn BootClock>) -> Self {
        Self {
            boot: Boot(Some(boot)),
            ..self
        }
    }

    /// The host tells the time.
    pub(crate) fn is_hosts(&self) -> bool {
        self.source.is_some()
    }

    pub(crate) fn boot_time(&self) -> BootTime {
        self.boot.now()
    }

    /// Now, in whole milliseconds.
    pub(crate) fn now(&self) -> Result<SystemTime> {
        self.now_in_millis().map(from_millis)
    }

    /// The same in milliseconds since 1970, which cost less to reckon with.
    pub(crate) fn now_in_millis(&self) -> Result<i64> {
        let Some(source) = &self.source else {
            let now = clock_gettime(ClockId::Realtime);
            let millis = now.tv_sec.saturating_mul(1_000) + (now.tv_nsec + 500_000) / 1_000_000;
            return Ok(within_range(millis));
        };
        // A foreign exception arrives as a panic; it must not unwind through SQLite or the host.
        catch_unwind(AssertUnwindSafe(|| source.now()))
            .ok()
            .and_then(|time| in_range(time).ok())
            .ok_or_else(|| internal("the time source failed"))
    }
}

/// C6: milliseconds since 1970, rounded; or on which side the time lies outside of the range.
fn in_range(time: SystemTime) -> std::result::Result<i64, InputReason> {
    // The range begins with the epoch.
    let after = time
        .duration_since(UNIX_EPOCH)
        .map_err(|_| InputReason::TooEarly)?;
    let seconds = i64::try_from(after.as_secs()).map_err(|_| InputReason::TooLate)?;
    if seconds > LAST_MILLIS / 1_000 {
        return Err(InputReason::TooLate);
    }
    // What is rounded up within the last millisecond stays in it.
    let millis = seconds * 1_000 + i64::from((after.subsec_nanos() + 500_000) / 1_000_000);
    Ok(millis.min(LAST_MILLIS))
}

/// Milliseconds since 1970, rounded. A time of our own that lies outside of the range becomes its nearest end; what comes
/// from outside is checked by `within` or `future`.
pub(crate) fn to_millis(time: SystemTime) -> i64 {
    in_range(time).unwrap_or_else(|reason| match reason {
        InputReason::TooEarly => FIRST_MILLIS,
        _ => LAST_MILLIS,
    })
}

pub(crate) fn from_millis(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// A time as it was stored; none outside of the range, which nobody could write.
pub(crate) fn from_stored(millis: i64) -> Option<SystemTime> {
    (FIRST_MILLIS..=LAST_MILLIS)
        .contains(&millis)
        .then(|| from_millis(millis))
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

/// Is this time from outside the one that is stored?
pub(crate) fn is_stored(time: SystemTime, stored: Option<SystemTime>) -> bool {
    in_range(time).is_ok_and(|millis| stored == Some(from_millis(millis)))
}

/// `now` and so many seconds more; the last representable time if that is too far.
pub(crate) fn after(now: SystemTime, seconds: i64) -> SystemTime {
    let millis = to_millis(now).saturating_add(seconds.saturating_mul(1_000));
    from_millis(millis.min(LAST_MILLIS))
}

/// `time` and so many milliseconds more, within what can be stored.
pub(crate) fn later(time: SystemTime, millis: i64) -> SystemTime {
    from_millis(within_range(to_millis(time).saturating_add(millis)))
}

/// The nearest time that can be stored.
pub(crate) fn within_range(millis: i64) -> i64 {
    millis.clamp(FIRST_MILLIS, LAST_MILLIS)
}

/// A number of seconds that has been checked.
pub(crate) fn seconds(number: i64) -> Duration {
    Duration::from_secs(u64::try_from(number).unwrap_or(0))
}

/// `2026-11-01T00:00:00Z`, to the second: for people who read the audit log.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    OffsetDateTime::from_unix_timestamp(to_millis(time) / 1_000)
        .expect("the range ends with the year 9999, as that of the crate does")
        .format(&Rfc3339)
        .expect("RFC 3339 can write every time from the year 0 to 9999 in UTC")
}

/// A time from outside.
pub(crate) fn within(field: &str, time: SystemTime) -> Result<SystemTime> {
    in_range(time)
        .map(from_millis)
        .map_err(|reason| invalid(field, reason))
}

/// A time from outside that must lie ahead.
pub(crate) fn future(field: &str, time: SystemTime, now: SystemTime) -> Result<SystemTime> {
    if rounded(time) <= now {
        return Err(invalid(field, InputReason::InThePast));
    }
    within(field, time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_to_milliseconds_not_cut() {
        let time = UNIX_EPOCH + Duration::from_nanos(1_999_600);
        assert_eq!(to_millis(time), 2);
        assert_eq!(to_millis(UNIX_EPOCH - Duration::from_secs(9)), 0);
        let far = Duration::from_secs(i64::MAX.unsigned_abs());
        assert_eq!(to_millis(UNIX_EPOCH - far), 0, "not the other end");
        assert_eq!(to_millis(UNIX_EPOCH + far), LAST_MILLIS);
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
    fn the_range_ends_with_the_last_millisecond_of_the_year_9999() {
        let now = from_millis(1_790_000_000_000);
        let nanos = |nanos| UNIX_EPOCH + Duration::new(253_402_300_799, nanos);
        for (end, stored) in [
            (nanos(0), 253_402_300_799_000),
            (nanos(999_000_000), 253_402_300_799_999),
            (nanos(999_999_999), 253_402_300_799_999),
        ] {
            assert_eq!(future("end", end, now).map(to_millis), Ok(stored));
        }
        let beyond = nanos(999_999_999) + Duration::from_nanos(1);
        assert_eq!(
            future("end", beyond, now),
            Err(invalid("end", InputReason::TooLate))
        );
        assert_eq!(to_millis(beyond), 253_402_300_799_999);
        assert_eq!(rfc3339(beyond), "9999-12-31T23:59:59Z");
        assert_eq!(to_seconds(from_seconds(i64::MAX)), 253_402_300_799);
        assert_eq!(after(nanos(0), i64::MAX), nanos(999_000_000));
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
