use super::{Reader, Writer, params};
use crate::Result;

/// Names and values of the settings that have been set.
pub(crate) fn all(reader: &Reader<'_>) -> Result<Vec<(String, String)>> {
    reader.query_all("SELECT name, value FROM settings", &[], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

pub(crate) fn set(writer: &Writer<'_>, name: &str, value: &str) -> Result<()> {
    writer.execute(
        "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        params![name, value],
    )?;
    Ok(())
}
