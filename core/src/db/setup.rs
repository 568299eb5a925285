use std::time::SystemTime;

use super::{Reader, Row, Writer, params};
use crate::{
    error::{Result, internal},
    model::{
        ids::UserId,
        setup::{SetupState, StoredSetup},
    },
    values::tokens::SecretHash,
};

fn from_row(row: &Row<'_, '_>) -> Result<StoredSetup> {
    let state = SetupState {
        stage: row.get("stage")?,
        generation: row.get("generation")?,
        claimed_at: row.get("claimed_at")?,
        completed_at: row.get("completed_at")?,
        claimed_without_token: row.get("claimed_without_token")?,
        passkey_problem: None, // of the configuration
    };
    Ok(StoredSetup {
        state,
        administrator_id: row.get("administrator_id")?,
    })
}

pub(crate) fn get(reader: &Reader<'_>) -> Result<StoredSetup> {
    let found = reader.query_one(
        r"
        SELECT stage, generation, claimed_at, completed_at, administrator_id, claimed_without_token
        FROM setup",
        &[],
        from_row,
    )?;
    found.ok_or_else(|| internal("the setup row is missing"))
}

/// B2: does a token of this hash work now?
pub(crate) fn has_token(reader: &Reader<'_>, hash: &SecretHash) -> Result<bool> {
    let found = reader.query_one(
        r"
        SELECT id
        FROM setup_tokens
        WHERE secret_hash = ?1 AND expires_at > ?2",
        params![hash, reader.now()],
        |row| row.get::<i64>("id"),
    )?;
    Ok(found.is_some())
}

/// B2: one more token. Those that have ended go, and of the others all but the latest `most`.
pub(crate) fn add_token(
    writer: &Writer<'_>,
    hash: &SecretHash,
    expires_at: SystemTime,
    most: i64,
) -> Result<()> {
    writer.execute(
        "DELETE FROM setup_tokens WHERE expires_at <= ?1",
        params![writer.now()],
    )?;
    writer.execute(
        "INSERT INTO setup_tokens (secret_hash, expires_at) VALUES (?1, ?2)",
        params![hash, expires_at],
    )?;
    writer.execute(
        r"
        DELETE FROM setup_tokens
        WHERE id NOT IN (SELECT id FROM setup_tokens ORDER BY id DESC LIMIT ?1)",
        params![most],
    )?;
    Ok(())
}

/// All tokens end.
fn delete_tokens(writer: &Writer<'_>) -> Result<()> {
    writer.execute("DELETE FROM setup_tokens", &[])?;
    Ok(())
}

/// B3: the one conditional change that decides who wins.
pub(crate) fn claim(
    writer: &Writer<'_>,
    administrator: &UserId,
    without_token: bool,
    now: SystemTime,
) -> Result<()> {
    let changed = writer.execute(
        r"
        UPDATE setup
        SET stage = 'claimed', administrator_id = ?1, claimed_at = ?2, claimed_without_token = ?3
        WHERE stage = 'uninitialised'",
        params![administrator, now, without_token],
    )?;
    if changed == 1 {
        Ok(())
    } else {
        Err(crate::error::KeyplateError::SetupAlreadyClaimed)
    }
}

pub(crate) fn complete(writer: &Writer<'_>, now: SystemTime) -> Result<()> {
    writer.execute(
        "UPDATE setup SET stage = 'complete', completed_at = ?1",
        params![now],
    )?;
    delete_tokens(writer)
}

pub(crate) fn reset(writer: &Writer<'_>, generation: i64) -> Result<()> {
    writer.execute(
        r"
        UPDATE setup
        SET stage = 'uninitialised', generation = ?1, administrator_id = NULL, claimed_at = NULL,
            completed_at = NULL, claimed_without_token = 0",
        params![generation],
    )?;
    delete_tokens(writer)
}

/// C5: a token that ends after that time was made by one that has not come; gives how many. Nor was setup claimed then.
pub(crate) fn forget_tokens_that_end_after(
    writer: &Writer<'_>,
    end: SystemTime,
    now: SystemTime,
) -> Result<usize> {
    writer.execute(
        "UPDATE setup SET claimed_at = ?1 WHERE claimed_at > ?1",
        params![now],
    )?;
    writer.execute(
        "DELETE FROM setup_tokens WHERE expires_at > ?1",
        params![end],
    )
}

/// D8: the stage stays.
pub(crate) fn move_on(writer: &Writer<'_>, generation: i64) -> Result<()> {
    writer.execute("UPDATE setup SET generation = ?1", params![generation])?;
    delete_tokens(writer)
}
