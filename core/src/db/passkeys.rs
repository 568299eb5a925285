use std::time::SystemTime;

use super::{Reader, Row, Writer, columns::columns, params};
use crate::{
    crypto::{
        base64url::base64url,
        webauthn::{Assertion, KnownCredential, NewCredential},
    },
    error::Result,
    model::{
        ids::{PasskeyId, UserId},
        passkeys::{Passkey, StoredPasskey},
    },
};

columns! {
    COLUMNS = passkeys (
        id, user_id, credential_id, rp_id, name, aaguid, transports, backup_eligible, backup_state,
        counter_went_back_at, created_at, last_used_at, backup_eligibility_changed_at
    ) kept (public_key, counter)
}
/// P6: the others work no more.
const USABLE: &str = "passkeys.rp_id = (SELECT rp_id FROM relying_party)";

fn from_row(row: &Row<'_, '_>) -> Result<Passkey> {
    Ok(Passkey {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        credential_id: base64url(&row.get::<Vec<u8>>("credential_id")?),
        rp_id: row.get("rp_id")?,
        name: row.get("name")?,
        aaguid: row.get("aaguid")?,
        transports: transports(row)?,
        backup_eligible: row.get("backup_eligible")?,
        backup_state: row.get("backup_state")?,
        counter_went_back_at: row.get("counter_went_back_at")?,
        created_at: row.get("created_at")?,
        last_used_at: row.get("last_used_at")?,
        backup_eligibility_changed_at: row.get("backup_eligibility_changed_at")?,
        usable: row.get::<Option<bool>>("usable")?.unwrap_or(false),
    })
}

fn transports(row: &Row<'_, '_>) -> Result<Vec<String>> {
    let stored: String = row.get("transports")?;
    Ok(stored.split_ascii_whitespace().map(str::to_owned).collect())
}

/// The RP id of the passkeys that work.
pub(crate) fn rp_id(reader: &Reader<'_>) -> Result<Option<String>> {
    reader.query_one("SELECT rp_id FROM relying_party", &[], |row| row.at(0))
}

pub(crate) fn set_rp_id(writer: &Writer<'_>, rp_id: &str) -> Result<()> {
    writer.execute(
        r"
        INSERT INTO relying_party (id, rp_id)
        VALUES (1, ?1)
        ON CONFLICT (id) DO UPDATE SET rp_id = excluded.rp_id",
        params![rp_id],
    )?;
    Ok(())
}

pub(crate) fn exist(reader: &Reader<'_>) -> Result<bool> {
    reader.value("SELECT EXISTS (SELECT 1 FROM passkeys)", &[])
}

/// What authenticators know a user by, if one was ever told.
pub(crate) fn user_handle(reader: &Reader<'_>, user_id: &UserId) -> Result<Option<Vec<u8>>> {
    reader.query_one(
        "SELECT handle FROM user_handles WHERE user_id = ?1",
        params![user_id],
        |row| row.at(0),
    )
}

pub(crate) fn set_user_handle(writer: &Writer<'_>, user_id: &UserId, handle: &[u8]) -> Result<()> {
    writer.execute(
        "INSERT INTO user_handles (user_id, handle) VALUES (?1, ?2)",
        params![user_id, handle],
    )?;
    Ok(())
}

pub(crate) fn insert(
    writer: &Writer<'_>,
    passkey: &Passkey,
    credential: &NewCredential,
) -> Result<()> {
    COLUMNS.insert(
        writer,
        params![
            &passkey.id,
            &passkey.user_id,
            credential.credential_id.as_slice(),
            &passkey.rp_id,
            &passkey.name,
            passkey.aaguid.as_ref(),
            &passkey.transports.join(" "),
            passkey.backup_eligible,
            passkey.backup_state,
            passkey.counter_went_back_at,
            passkey.created_at,
            passkey.last_used_at,
            passkey.backup_eligibility_changed_at,
        ],
        params![credential.public_key.as_slice(), credential.counter],
    )
}

pub(crate) fn is_registered(reader: &Reader<'_>, credential_id: &[u8]) -> Result<bool> {
    reader.value(
        "SELECT EXISTS (SELECT 1 FROM passkeys WHERE credential_id = ?1)",
        params![credential_id],
    )
}

pub(crate) fn find(reader: &Reader<'_>, id: &PasskeyId) -> Result<Option<Passkey>> {
    let sql = format!("SELECT {COLUMNS}, {USABLE} AS usable FROM passkeys WHERE id = ?1");
    reader.query_one(&sql, params![id], from_row)
}

/// The same with the signature counter that was last seen.
pub(crate) fn find_with_counter(
    reader: &Reader<'_>,
    id: &PasskeyId,
) -> Result<Option<(Passkey, u32)>> {
    let sql = format!("SELECT {COLUMNS}, counter, {USABLE} AS usable FROM passkeys WHERE id = ?1");
    reader.query_one(&sql, params![id], |row| {
        Ok((from_row(row)?, row.get("counter")?))
    })
}

/// One that works, with what is needed to verify it.
pub(crate) fn find_usable(
    reader: &Reader<'_>,
    credential_id: &[u8],
) -> Result<Option<StoredPasskey>> {
    reader.query_one(
        &format!(
            r"
            SELECT {COLUMNS}, {USABLE} AS usable, passkeys.public_key, user_handles.handle
            FROM passkeys
            JOIN user_handles ON user_handles.user_id = passkeys.user_id
            WHERE passkeys.credential_id = ?1 AND {USABLE}"
        ),
        params![credential_id],
        |row| {
            let passkey = from_row(row)?;
            Ok(StoredPasskey {
                known: KnownCredential {
                    credential_id: credential_id.to_vec(),
                    public_key: row.get("public_key")?,
                },
                user_handle: row.get("handle")?,
                passkey,
            })
        },
    )
}

pub(crate) fn list(reader: &Reader<'_>, user_id: Option<&UserId>) -> Result<Vec<Passkey>> {
    reader.query_all(
        &format!(
            r"
            SELECT {COLUMNS}, {USABLE} AS usable
            FROM passkeys
            WHERE CAST(?1 AS TEXT) IS NULL OR user_id = ?1
            ORDER BY created_at, id"
        ),
        params![user_id],
        from_row,
    )
}

/// Those that work, with their transports: what a user may answer with.
pub(crate) fn usable_credentials(
    reader: &Reader<'_>,
    user_id: &UserId,
) -> Result<Vec<(Vec<u8>, Vec<String>)>> {
    reader.query_all(
        &format!(
            r"
            SELECT credential_id, transports
            FROM passkeys
            WHERE user_id = ?1 AND {USABLE}
            ORDER BY created_at, id"
        ),
        params![user_id],
        |row| Ok((row.get("credential_id")?, transports(row)?)),
    )
}

pub(crate) fn count_usable(reader: &Reader<'_>, user_id: &UserId) -> Result<i64> {
    reader.value(
        &format!("SELECT count(*) FROM passkeys WHERE user_id = ?1 AND {USABLE}"),
        params![user_id],
    )
}

/// After a verified assertion (P3).
pub(crate) fn set_used(
    writer: &Writer<'_>,
    id: &PasskeyId,
    assertion: Assertion,
    now: SystemTime,
) -> Result<()> {
    writer.execute(
        r"
        UPDATE passkeys
        SET counter = ?2, backup_eligible = ?3, backup_state = ?4, last_used_at = ?5
        WHERE id = ?1",
        params![
            id,
            assertion.counter,
            assertion.backup_eligible,
            assertion.backup_state,
            now
        ],
    )?;
    Ok(())
}

pub(crate) fn set_backup_eligibility_changed(
    writer: &Writer<'_>,
    id: &PasskeyId,
    now: SystemTime,
) -> Result<()> {
    writer.execute(
        "UPDATE passkeys SET backup_eligibility_changed_at = ?2 WHERE id = ?1",
        params![id, now],
    )?;
    Ok(())
}

/// C5: none was used at a time that has not come.
pub(crate) fn settle_last_used(writer: &Writer<'_>, now: SystemTime) -> Result<()> {
    writer.execute(
        "UPDATE passkeys SET last_used_at = ?1 WHERE last_used_at > ?1",
        params![now],
    )?;
    Ok(())
}

pub(crate) fn set_counter_went_back(
    writer: &Writer<'_>,
    id: &PasskeyId,
    now: SystemTime,
) -> Result<()> {
    writer.execute(
        "UPDATE passkeys SET counter_went_back_at = ?2 WHERE id = ?1",
        params![id, now],
    )?;
    Ok(())
}

pub(crate) fn rename(writer: &Writer<'_>, id: &PasskeyId, name: &str) -> Result<()> {
    writer.execute(
        "UPDATE passkeys SET name = ?2 WHERE id = ?1",
        params![id, name],
    )?;
    Ok(())
}

pub(crate) fn delete(writer: &Writer<'_>, id: &PasskeyId) -> Result<()> {
    writer.execute("DELETE FROM passkeys WHERE id = ?1", params![id])?;
    Ok(())
}
