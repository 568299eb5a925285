//! The time, where a request or a command wants it: the library's own comes from its time source.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

/// RFC 3339 with three decimals always.
const STAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// So many seconds after the library's time. Where no clock reaches so far, it is a time that the library refuses.
pub(crate) fn after(now: SystemTime, seconds: i64) -> SystemTime {
    let length = Duration::from_secs(seconds.unsigned_abs());
    let far = Duration::from_secs(i64::MAX.unsigned_abs());
    now.checked_add(length).unwrap_or(UNIX_EPOCH + far)
}

/// A time in UTC, if it can be written.
pub(super) fn written(time: OffsetDateTime) -> Option<String> {
    time.format(STAMP).ok()
}

/// The time for a line of the log, all of one width.
pub(super) fn stamp() -> String {
    written(OffsetDateTime::now_utc()).unwrap_or_else(|| "-".to_owned())
}

#[cfg(test)]
mod tests {
    use time::format_description::well_known::Rfc3339;

    use super::*;

    #[test]
    fn a_stamp_is_rfc_3339_with_milliseconds() {
        let (before, stamp) = (OffsetDateTime::now_utc(), stamp());
        assert_eq!(stamp.len(), "2026-11-01T00:00:00.000Z".len(), "{stamp}");
        let read = OffsetDateTime::parse(&stamp, &Rfc3339).unwrap();
        let lag = read - before;
        assert!((-1..1_000).contains(&lag.whole_milliseconds()), "{lag}");
    }
}
