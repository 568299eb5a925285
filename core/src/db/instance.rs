use std::time::SystemTime;

use super::{Writer, params};
use crate::Result;

/// Sets the time of the last commit, backwards too (C5).
pub(crate) fn set_last_time(writer: &Writer<'_>, time: SystemTime) -> Result<()> {
    writer.execute("UPDATE instance SET last_time = ?1", params![time])?;
    Ok(())
}
