use std::time::SystemTime;

use super::{Reader, Row, Writer, columns::columns, params};
use crate::{error::Result, model::access_tokens::StoredKey};

columns! { COLUMNS = signing_keys (id, public_key, private_key, is_sealed, created_at) kept () }

fn from_row(row: &Row<'_, '_>) -> Result<StoredKey> {
    Ok(StoredKey {
        id: row.get("id")?,
        public_key: row.get("public_key")?,
        private_key: row.get("private_key")?,
        is_sealed: row.get("is_sealed")?,
        created_at: row.get("created_at")?,
    })
}

/// The key that signs.
pub(crate) fn current(reader: &Reader<'_>) -> Result<Option<StoredKey>> {
    reader.query_one(
        &format!("SELECT {COLUMNS} FROM signing_keys WHERE ends_at IS NULL"),
        &[],
        from_row,
    )
}

/// The keys whose tokens are good at that time: the one that signs, then the newest first.
pub(crate) fn list_verifying(reader: &Reader<'_>, now: SystemTime) -> Result<Vec<StoredKey>> {
    reader.query_all(
        &format!(
            r"
            SELECT {COLUMNS}
            FROM signing_keys
            WHERE ends_at IS NULL OR ends_at > ?1
            ORDER BY ends_at IS NOT NULL, created_at DESC, id DESC"
        ),
        params![now],
        from_row,
    )
}

/// One of them.
pub(crate) fn find_verifying(
    reader: &Reader<'_>,
    id: &str,
    now: SystemTime,
) -> Result<Option<StoredKey>> {
    reader.query_one(
        &format!(
            r"
            SELECT {COLUMNS}
            FROM signing_keys
            WHERE id = ?1 AND (ends_at IS NULL OR ends_at > ?2)"
        ),
        params![id, now],
        from_row,
    )
}

pub(crate) fn insert(writer: &Writer<'_>, key: &StoredKey) -> Result<()> {
    COLUMNS.insert(
        writer,
        params![
            &key.id,
            key.public_key.as_slice(),
            key.private_key.as_deref(),
            key.is_sealed,
            key.created_at
        ],
        params![],
    )
}

/// The key that signs does so no longer, and its private half is gone; its tokens are good until then.
pub(crate) fn retire_current(writer: &Writer<'_>, ends_at: SystemTime) -> Result<()> {
    writer.execute(
        "UPDATE signing_keys SET private_key = NULL, ends_at = ?1 WHERE ends_at IS NULL",
        params![ends_at],
    )?;
    Ok(())
}

/// Retired keys end then at the latest.
pub(crate) fn end_retired_by(writer: &Writer<'_>, end: SystemTime) -> Result<()> {
    writer.execute(
        "UPDATE signing_keys SET ends_at = ?1 WHERE ends_at > ?1",
        params![end],
    )?;
    Ok(())
}

/// Gives how many there were.
pub(crate) fn forget_all(writer: &Writer<'_>) -> Result<usize> {
    writer.execute("DELETE FROM signing_keys", &[])
}

/// Forgets keys that ended before that time.
pub(crate) fn forget_ended(writer: &Writer<'_>, now: SystemTime) -> Result<()> {
    writer.execute("DELETE FROM signing_keys WHERE ends_at <= ?1", params![now])?;
    Ok(())
}
