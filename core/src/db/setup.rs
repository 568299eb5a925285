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
        passkey_problem: None, // of the configuration
    };
    let hash: Option<Vec<u8>> = row.get("token_hash")?;
    let hash = hash.and_then(|hash| SecretHash::try_from(hash).ok());
    Ok(StoredSetup {
        state,
        token: hash.zip(row.get("token_expires_at")?),
        administrator_id: row.get("administrator_id")?,
    })
}

pub(crate) fn get(reader: &Reader<'_>) -> Result<StoredSetup> {
    let found = reader.query_one(
        r"
        SELECT stage, generation, claimed_at, completed_at, token_hash, token_expires_at, administrator_id
        FROM setup",
        &[],
        from_row,
    )?;
    found.ok_or_else(|| internal("the setup row is missing"))
}

pub(crate) fn set_token(
    writer: &Writer<'_>,
    hash: &SecretHash,
    expires_at: SystemTime,
) -> Result<()> {
    writer.execute(
        "UPDATE setup SET token_hash = ?1, token_expires_at = ?2",
        params![hash, expires_at],
    )?;
    Ok(())
}

/// B3: the one conditional change that decides who wins.
pub(crate) fn claim(writer: &Writer<'_>, administrator: &UserId, now: SystemTime) -> Result<()> {
    let changed = writer.execute(
        r"
        UPDATE setup
        SET stage = 'claimed', administrator_id = ?1, claimed_at = ?2
        WHERE stage = 'uninitialised'",
        params![administrator, now],
    )?;
    if changed == 1 {
        Ok(())
    } else {
        Err(crate::error::KeyplateError::SetupAlreadyClaimed)
    }
}

pub(crate) fn complete(writer: &Writer<'_>, now: SystemTime) -> Result<()> {
    writer.execute(
        "UPDATE setup SET stage = 'complete', completed_at = ?1, token_hash = NULL, token_expires_at = NULL",
        params![now],
    )?;
    Ok(())
}

pub(crate) fn reset(writer: &Writer<'_>, generation: i64) -> Result<()> {
    writer.execute(
        r"
        UPDATE setup
        SET stage = 'uninitialised', generation = ?1, token_hash = NULL, token_expires_at = NULL,
            administrator_id = NULL, claimed_at = NULL, completed_at = NULL",
        params![generation],
    )?;
    Ok(())
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
        "UPDATE setup SET token_hash = NULL, token_expires_at = NULL WHERE token_expires_at > ?1",
        params![end],
    )
}

/// D8: the stage stays.
pub(crate) fn move_on(writer: &Writer<'_>, generation: i64) -> Result<()> {
    writer.execute(
        "UPDATE setup SET generation = ?1, token_hash = NULL, token_expires_at = NULL",
        params![generation],
    )?;
    Ok(())
}
