//! The look-ups of keys at each request: one statement each, rows read by position because they are hot.

use std::time::SystemTime;

use crate::{
    db::{Engine, LookUp, Row, look_up, params},
    error::Result,
    model::api_keys::FoundApiKey,
    values::{scopes::Ceiling, tokens::SecretHash},
};

/// By their places: names would cost a tenth of a look-up.
fn found_from_row(row: &Row<'_, '_>, now: SystemTime) -> Result<FoundApiKey> {
    Ok(FoundApiKey {
        now,
        id: row.at(0)?,
        owner_id: row.at(1)?,
        ceiling: Ceiling {
            scopes: row.at(2)?,
            administrator: row.at(3)?,
        },
        expires_at: row.at(4)?,
        revoked: row.at(5)?,
        username: row.at(6)?,
        role: row.at(7)?,
        status: row.at(8)?,
        user_expires_at: row.at(9)?,
        secret_hash: None,
    })
}

/// What is looked up at each request.
macro_rules! found {
    () => {
        "api_keys.id, api_keys.owner_id, api_keys.scopes, api_keys.ceiling_administrator, api_keys.expires_at, \
         api_keys.revoked_at IS NOT NULL, users.username, users.role, users.status, users.expires_at"
    };
}

const LOOK_UP: LookUp = look_up! {
    SELECT found!(),
    FROM "api_keys",
    JOIN "users" ON "users.id = api_keys.owner_id",
    WHERE "api_keys.secret_hash = ?1"
};

const LOOK_UP_SUPPLIED: LookUp = look_up! {
    SELECT found!(),
    FROM "api_keys",
    JOIN "users" ON "users.id = api_keys.owner_id",
    WHERE "api_keys.secret_hash = ?1 AND api_keys.supplied_hash = ?1"
};

const LOOK_UP_ROTATED: LookUp = look_up! {
    SELECT concat!(found!(), ", api_key_overlaps.until, api_keys.secret_hash"),
    FROM "api_key_overlaps",
    JOIN "api_keys" ON "api_keys.id = api_key_overlaps.api_key_id",
    JOIN "users" ON "users.id = api_keys.owner_id",
    WHERE "api_key_overlaps.secret_hash = ?1 AND (?2 = 0 OR api_keys.supplied_hash = ?1)"
};

/// The hot path: one statement, the time and the owner included. `supplied` finds only what a plan gave (C1).
pub(crate) fn look_up(
    db: &Engine,
    hash: &SecretHash,
    supplied: bool,
) -> Result<Option<FoundApiKey>> {
    let statement = match supplied {
        false => &LOOK_UP,
        true => &LOOK_UP_SUPPLIED,
    };
    db.look_up(statement, params![hash], found_from_row)
}

/// The same for a secret from before a rotation, while it still works (K1).
pub(crate) fn look_up_rotated(
    db: &Engine,
    hash: &SecretHash,
    supplied: bool,
) -> Result<Option<FoundApiKey>> {
    let found = db.look_up(&LOOK_UP_ROTATED, params![hash, supplied], |row, now| {
        let found = found_from_row(row, now)?;
        let until: SystemTime = row.at(10)?;
        let secret_hash = SecretHash::try_from(row.at::<Vec<u8>>(11)?).ok();
        Ok((until > now).then_some(FoundApiKey {
            secret_hash,
            ..found
        }))
    })?;
    Ok(found.flatten())
}
