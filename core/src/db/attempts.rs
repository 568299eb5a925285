use std::time::SystemTime;

use super::{Reader, Writer, params};
use crate::{
    error::Result,
    model::{attempts::Attempt, named::Named},
};

/// The CHECK of the first table names the kinds that it knows.
const TABLES: [&str; 2] = ["attempts", "more_attempts"];

fn table(attempt: Attempt) -> &'static str {
    match attempt {
        Attempt::WrongCode | Attempt::OpenSignUp => TABLES[0],
        Attempt::WrongUserCode | Attempt::WrongAppPassword => TABLES[1],
    }
}

/// The time of the nth last attempt since then, if there were so many; of one source, or of all.
pub(crate) fn nth_last(
    reader: &Reader<'_>,
    attempt: Attempt,
    source: Option<&str>,
    since: SystemTime,
    n: i64,
) -> Result<Option<SystemTime>> {
    let place = n.saturating_sub(1);
    let table = table(attempt);
    match source {
        Some(source) => reader.query_one(
            &format!("SELECT at FROM {table} WHERE kind = ?1 AND source = ?2 AND at > ?3 ORDER BY at DESC LIMIT 1 OFFSET ?4"),
            params![attempt, source, since, place],
            |row| row.at(0),
        ),
        None => reader.query_one(
            &format!("SELECT at FROM {table} WHERE kind = ?1 AND at > ?2 ORDER BY at DESC LIMIT 1 OFFSET ?3"),
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
        &format!(
            "INSERT INTO {} (kind, source, at) VALUES (?1, ?2, ?3)",
            table(attempt)
        ),
        params![attempt, source, now],
    )?;
    Ok(())
}

/// C5: those of a time that has not come; gives how many.
pub(crate) fn forget_after(writer: &Writer<'_>, now: SystemTime) -> Result<usize> {
    let mut forgotten = 0;
    for table in TABLES {
        let sql = format!("DELETE FROM {table} WHERE at > ?1");
        forgotten += writer.execute(&sql, params![now])?;
    }
    Ok(forgotten)
}

pub(crate) fn forget_before(writer: &Writer<'_>, before: SystemTime) -> Result<()> {
    for (attempt, _) in Attempt::VARIANTS {
        writer.execute(
            &format!(
                "DELETE FROM {} WHERE kind = ?1 AND at < ?2",
                table(*attempt)
            ),
            params![*attempt, before],
        )?;
    }
    Ok(())
}
