use std::time::SystemTime;

use super::{Reader, Writer};
use crate::error::Result;

/// When this was made, if it is a back-up that nobody has opened yet (D8).
pub(crate) fn backed_up_at(reader: &Reader<'_>) -> Result<Option<SystemTime>> {
    reader.value("SELECT backed_up_at FROM instance", &[])
}

pub(crate) fn clear_backed_up_at(writer: &Writer<'_>) -> Result<()> {
    writer.execute("UPDATE instance SET backed_up_at = NULL", &[])?;
    Ok(())
}
