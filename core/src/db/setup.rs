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
    let hash: Option<Vec<u8>> = row.get(4)?;
    let hash = hash.and_then(|hash| SecretHash::try_from(hash).ok());
    let expires_at: Option<SystemTime> = row.get(5)?;
    Ok(StoredSetup {
        state: SetupState {
            stage: row.get(0)?,
            generation: row.get(1)?,
            claimed_at: row.get(2)?,
            completed_at: row.get(3)?,
            passkey_problem: None, // of the configuration
        },
        token: hash.zip(expires_at),
        administrator_id: row.get(6)?,
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

pub(crate) fn reset(writer: &Writer<'_>, generation: u32) -> Result<()> {
    writer.execute(
        r"
        UPDATE setup
        SET stage = 'uninitialised', generation = ?1, token_hash = NULL, token_expires_at = NULL,
            administrator_id = NULL, claimed_at = NULL, completed_at = NULL",
        params![generation],
    )?;
    Ok(())
}

/// D8: the stage stays.
pub(crate) fn move_on(writer: &Writer<'_>, generation: u32) -> Result<()> {
    writer.execute(
        "UPDATE setup SET generation = ?1, token_hash = NULL, token_expires_at = NULL",
        params![generation],
    )?;
    Ok(())
}
