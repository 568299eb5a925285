use std::time::SystemTime;

use super::{Reader, Row, Writer, columns::columns, params};
use crate::{
    error::Result,
    model::{
        config::ClientInfo,
        credentials::Bound,
        device_links::{DeviceLink, StoredDeviceLink},
        ids::{DeviceLinkId, PasskeyId, SessionId, UserId},
    },
    values::tokens::SecretHash,
};

columns! {
    COLUMNS = device_links (
        id, user_id, session_id, masked, created_at, expires_at, used_at, used_by, address, user_agent, passkey_id,
        made_by_key, bound_expires_at
    ) kept (secret_hash)
}

fn from_row(row: &Row<'_, '_>) -> Result<StoredDeviceLink> {
    Ok(StoredDeviceLink {
        device_link: DeviceLink {
            id: row.get("id")?,
            user_id: row.get("user_id")?,
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
            used_at: row.get("used_at")?,
            address: row.get("address")?,
            user_agent: row.get("user_agent")?,
            passkey_id: row.get("passkey_id")?,
        },
        session_id: row.get("session_id")?,
        used_by: row.get("used_by")?,
        masked: row.get("masked")?,
        bound: Bound {
            made_by: row.get("made_by_key")?,
            expires_at: row.get("bound_expires_at")?,
        },
    })
}

pub(crate) fn find(reader: &Reader<'_>, id: &DeviceLinkId) -> Result<Option<StoredDeviceLink>> {
    let sql = format!("SELECT {COLUMNS} FROM device_links WHERE id = ?1");
    reader.query_one(&sql, params![id], from_row)
}

pub(crate) fn find_by_secret(
    reader: &Reader<'_>,
    hash: &SecretHash,
) -> Result<Option<StoredDeviceLink>> {
    let sql = format!("SELECT {COLUMNS} FROM device_links WHERE secret_hash = ?1");
    reader.query_one(&sql, params![hash], from_row)
}

/// A user's, the newest first.
pub(crate) fn list(reader: &Reader<'_>, user_id: &UserId) -> Result<Vec<DeviceLink>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM device_links WHERE user_id = ?1 ORDER BY created_at DESC, id DESC"
    );
    reader.query_all(&sql, params![user_id], |row| Ok(from_row(row)?.device_link))
}

pub(crate) fn insert(
    writer: &Writer<'_>,
    stored: &StoredDeviceLink,
    hash: &SecretHash,
) -> Result<()> {
    let link = &stored.device_link;
    COLUMNS.insert(
        writer,
        params![
            &link.id,
            &link.user_id,
            &stored.session_id,
            &stored.masked,
            link.created_at,
            link.expires_at,
            link.used_at,
            stored.used_by.as_ref(),
            link.address.as_ref(),
            link.user_agent.as_ref(),
            link.passkey_id.as_ref(),
            stored.bound.made_by.as_ref(),
            stored.bound.expires_at,
        ],
        params![hash],
    )
}

/// C4: true for the first; of several who open it, one.
pub(crate) fn set_used(
    writer: &Writer<'_>,
    id: &DeviceLinkId,
    session_id: &SessionId,
    client: &ClientInfo,
    now: SystemTime,
) -> Result<bool> {
    let changed = writer.execute(
        r"
        UPDATE device_links SET used_at = ?2, used_by = ?3, address = ?4, user_agent = ?5
        WHERE id = ?1 AND used_at IS NULL",
        params![
            id,
            now,
            session_id,
            client.address.as_ref(),
            client.user_agent.as_ref()
        ],
    )?;
    Ok(changed == 1)
}

/// What the device with this session has registered.
pub(crate) fn set_passkey(
    writer: &Writer<'_>,
    used_by: &SessionId,
    passkey_id: &PasskeyId,
) -> Result<()> {
    writer.execute(
        "UPDATE device_links SET passkey_id = ?2 WHERE used_by = ?1",
        params![used_by, passkey_id],
    )?;
    Ok(())
}

pub(crate) fn delete(writer: &Writer<'_>, id: &DeviceLinkId) -> Result<()> {
    writer.execute("DELETE FROM device_links WHERE id = ?1", params![id])?;
    Ok(())
}

/// V5: one at a time.
pub(crate) fn delete_unused(writer: &Writer<'_>, user_id: &UserId) -> Result<()> {
    writer.execute(
        "DELETE FROM device_links WHERE user_id = ?1 AND used_at IS NULL",
        params![user_id],
    )?;
    Ok(())
}

/// Everybody's (D8).
pub(crate) fn delete_all(writer: &Writer<'_>) -> Result<()> {
    writer.execute("DELETE FROM device_links", &[])?;
    Ok(())
}

/// C5: those of a time that has not come; gives how many.
pub(crate) fn delete_made_after(writer: &Writer<'_>, now: SystemTime) -> Result<usize> {
    writer.execute(
        "DELETE FROM device_links WHERE created_at > ?1",
        params![now],
    )
}

pub(crate) fn purge(writer: &Writer<'_>, before: SystemTime) -> Result<()> {
    writer.execute(
        "DELETE FROM device_links WHERE expires_at < ?1",
        params![before],
    )?;
    Ok(())
}
