use std::time::SystemTime;

use super::{Reader, Writer, params};
use crate::{error::Result, model::attempts::Attempt};

/// The time of the nth last attempt since then, if there were so many; of one source, or of all.
pub(crate) fn nth_last(
    reader: &Reader<'_>,
    attempt: Attempt,
    source: Option<&str>,
    since: SystemTime,
    n: i64,
) -> Result<Option<SystemTime>> {
    let place = n.saturating_sub(1);
    match source {
        Some(source) => reader.query_one(
            "SELECT at FROM attempts WHERE kind = ?1 AND source = ?2 AND at > ?3 ORDER BY at DESC LIMIT 1 OFFSET ?4",
            params![attempt, source, since, place],
            |row| row.at(0),
        ),
        None => reader.query_one(
            "SELECT at FROM attempts WHERE kind = ?1 AND at > ?2 ORDER BY at DESC LIMIT 1 OFFSET ?3",
            params![attempt, since, place],
            |row| row.at(0),
        ),
    }
}

pub(crate) fn insert(
    writer: &Writer<'_>,
    attempt: Attempt,
    source: &str,
    now: SystemTime,
) -> Result<()> {
    writer.execute(
        "INSERT INTO attempts (kind, source, at) VALUES (?1, ?2, ?3)",
        params![attempt, source, now],
    )?;
    Ok(())
}

/// C5: those of a time that has not come; gives how many.
pub(crate) fn forget_after(writer: &Writer<'_>, now: SystemTime) -> Result<usize> {
    writer.execute("DELETE FROM attempts WHERE at > ?1", params![now])
}

pub(crate) fn forget_before(writer: &Writer<'_>, before: SystemTime) -> Result<()> {
    for attempt in [Attempt::WrongCode, Attempt::OpenSignUp] {
        writer.execute(
            "DELETE FROM attempts WHERE kind = ?1 AND at < ?2",
            params![attempt, before],
        )?;
    }
    Ok(())
}
