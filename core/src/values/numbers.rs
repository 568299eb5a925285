//! Numbers that come in: signed on every face, so that a negative one is refused with its field's name.

use crate::error::{InputReason, Result, invalid};

/// A number between two others, both included.
pub(crate) fn within(field: &str, value: i64, least: i64, most: i64) -> Result<i64> {
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(invalid(field, InputReason::OutOfRange { least, most }))
    }
}

/// A number that is not less than another.
pub(crate) fn at_least(field: &str, value: i64, least: i64) -> Result<i64> {
    if value >= least {
        Ok(value)
    } else {
        Err(invalid(field, InputReason::TooSmall { least }))
    }
}
