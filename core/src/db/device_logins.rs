use std::time::SystemTime;

use super::{Reader, Row, Writer, columns::columns, params};
use crate::{
    error::Result,
    model::{
        credentials::Bound,
        device_logins::{Approval, DeviceStage, StoredDeviceLogin},
        ids::{DeviceLoginId, UserId},
    },
    values::{
        scopes::{Ceiling, Scopes},
        tokens::SecretHash,
    },
};

columns! {
    COLUMNS = device_logins (
        id, state, wants, service_id, scopes, is_six_digits, device_name, address, user_agent, created_at, expires_at,
        polled_at, claimed_by, session_id, ceiling_scopes, ceiling_administrator, made_by_key, bound_expires_at
    ) kept (device_hash, code_hash, source)
}

fn from_row(row: &Row<'_, '_>) -> Result<StoredDeviceLogin> {
    let approval = match row.get("session_id")? {
        None => None,
        Some(session_id) => Some(Approval {
            session_id,
            ceiling: Ceiling {
                scopes: Scopes::from_stored(&row.get::<String>("ceiling_scopes")?),
                administrator: row.get("ceiling_administrator")?,
            },
            bound: Bound {
                made_by: row.get("made_by_key")?,
                expires_at: row.get("bound_expires_at")?,
            },
        }),
    };
    Ok(StoredDeviceLogin {
        id: row.get("id")?,
        stage: row.get("state")?,
        wish: row.get("wants")?,
        service_id: row.get("service_id")?,
        scopes: Scopes::from_stored(&row.get::<String>("scopes")?),
        is_six_digits: row.get("is_six_digits")?,
        device_name: row.get("device_name")?,
        address: row.get("address")?,
        user_agent: row.get("user_agent")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        polled_at: row.get("polled_at")?,
        claimed_by: row.get("claimed_by")?,
        approval,
    })
}

pub(crate) fn find_by_device(
    reader: &Reader<'_>,
    hash: &SecretHash,
) -> Result<Option<StoredDeviceLogin>> {
    let sql = format!("SELECT {COLUMNS} FROM device_logins WHERE device_hash = ?1");
    reader.query_one(&sql, params![hash], from_row)
}

pub(crate) fn find_by_code(
    reader: &Reader<'_>,
    hash: &SecretHash,
) -> Result<Option<StoredDeviceLogin>> {
    let sql = format!("SELECT {COLUMNS} FROM device_logins WHERE code_hash = ?1");
    reader.query_one(&sql, params![hash], from_row)
}

/// How a new request is found again.
pub(crate) struct Keys<'a> {
    pub(crate) device: &'a SecretHash,
    pub(crate) code: &'a SecretHash,
    pub(crate) source: Option<&'a str>,
}

/// One that nobody has looked at.
pub(crate) fn insert(
    writer: &Writer<'_>,
    login: &StoredDeviceLogin,
    keys: &Keys<'_>,
) -> Result<()> {
    let approval = login.approval.as_ref();
    let scopes = approval.map(|approval| approval.ceiling.scopes.to_stored());
    COLUMNS.insert(
        writer,
        params![
            &login.id,
            login.stage,
            login.wish,
            login.service_id.as_ref(),
            &login.scopes.to_stored(),
            login.is_six_digits,
            login.device_name.as_ref(),
            login.address.as_ref(),
            login.user_agent.as_ref(),
            login.created_at,
            login.expires_at,
            login.polled_at,
            login.claimed_by.as_ref(),
            approval.map(|approval| &approval.session_id),
            scopes.as_ref(),
            approval.map(|approval| approval.ceiling.administrator),
            approval.and_then(|approval| approval.bound.made_by.as_ref()),
            approval.and_then(|approval| approval.bound.expires_at),
        ],
        params![keys.device, keys.code, keys.source],
    )
}

/// V2: of several who look, one is the first.
pub(crate) fn claim(writer: &Writer<'_>, id: &DeviceLoginId, user_id: &UserId) -> Result<bool> {
    let changed = writer.execute(
        "UPDATE device_logins SET state = 'claimed', claimed_by = ?2 WHERE id = ?1 AND state = 'open'",
        params![id, user_id],
    )?;
    Ok(changed == 1)
}

/// V3: once, by who claimed it.
pub(crate) fn approve(
    writer: &Writer<'_>,
    id: &DeviceLoginId,
    user_id: &UserId,
    approval: &Approval,
) -> Result<bool> {
    let changed = writer.execute(
        r"
        UPDATE device_logins
        SET state = 'approved', session_id = ?3, ceiling_scopes = ?4, ceiling_administrator = ?5, made_by_key = ?6,
            bound_expires_at = ?7
        WHERE id = ?1 AND state = 'claimed' AND claimed_by = ?2",
        params![
            id,
            user_id,
            &approval.session_id,
            &approval.ceiling.scopes.to_stored(),
            approval.ceiling.administrator,
            approval.bound.made_by.as_ref(),
            approval.bound.expires_at,
        ],
    )?;
    Ok(changed == 1)
}

/// Also what was approved and not fetched yet.
pub(crate) fn deny(writer: &Writer<'_>, id: &DeviceLoginId, user_id: &UserId) -> Result<bool> {
    let changed = writer.execute(
        r"
        UPDATE device_logins
        SET state = ?3, session_id = NULL, ceiling_scopes = NULL, ceiling_administrator = NULL
        WHERE id = ?1 AND claimed_by = ?2 AND state <> ?3",
        params![id, user_id, DeviceStage::Denied],
    )?;
    Ok(changed == 1)
}

pub(crate) fn set_polled(writer: &Writer<'_>, id: &DeviceLoginId, now: SystemTime) -> Result<()> {
    writer.execute(
        "UPDATE device_logins SET polled_at = ?2 WHERE id = ?1",
        params![id, now],
    )?;
    Ok(())
}

/// C4: true when it was there: of several who poll, one.
pub(crate) fn delete(writer: &Writer<'_>, id: &DeviceLoginId) -> Result<bool> {
    let changed = writer.execute("DELETE FROM device_logins WHERE id = ?1", params![id])?;
    Ok(changed == 1)
}

/// Everybody's (D8).
pub(crate) fn delete_all(writer: &Writer<'_>) -> Result<()> {
    writer.execute("DELETE FROM device_logins", &[])?;
    Ok(())
}

/// C5: those of a time that has not come; gives how many.
pub(crate) fn delete_made_after(writer: &Writer<'_>, now: SystemTime) -> Result<usize> {
    writer.execute(
        "DELETE FROM device_logins WHERE created_at > ?1",
        params![now],
    )
}

/// Removes what ended before that time; gives how many there were.
pub(crate) fn purge(writer: &Writer<'_>, before: SystemTime) -> Result<usize> {
    writer.execute(
        "DELETE FROM device_logins WHERE expires_at < ?1",
        params![before],
    )
}

pub(crate) fn count_from(reader: &Reader<'_>, source: &str, now: SystemTime) -> Result<i64> {
    reader.value(
        "SELECT count(*) FROM device_logins WHERE source = ?1 AND expires_at > ?2",
        params![source, now],
    )
}

pub(crate) fn count_six_digits(reader: &Reader<'_>, now: SystemTime) -> Result<i64> {
    reader.value(
        "SELECT count(*) FROM device_logins WHERE is_six_digits = 1 AND expires_at > ?1",
        params![now],
    )
}

pub(crate) fn count_open(reader: &Reader<'_>, now: SystemTime) -> Result<i64> {
    reader.value(
        "SELECT count(*) FROM device_logins WHERE expires_at > ?1",
        params![now],
    )
}

/// K2: what a user approved before a promotion is an ordinary user's for good.
pub(crate) fn narrow_to_user(writer: &Writer<'_>, user_id: &UserId) -> Result<()> {
    writer.execute(
        r"
        UPDATE device_logins SET ceiling_administrator = 0
        WHERE claimed_by = ?1 AND ceiling_administrator IS NOT NULL",
        params![user_id],
    )?;
    Ok(())
}
