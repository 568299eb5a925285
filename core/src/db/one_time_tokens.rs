use std::time::SystemTime;

use super::{Reader, Row, Writer, columns::columns, params};
use crate::{
    error::Result,
    model::{
        credentials::Bound,
        ids::{OneTimeTokenId, UserId},
        one_time::{OneTimeToken, StoredOneTimeToken},
    },
    values::{
        scopes::{Ceiling, Scopes},
        tokens::SecretHash,
    },
};

columns! {
    COLUMNS = one_time_tokens (id, user_id, is_code, created_at, expires_at, created_by, masked, is_recovery)
    kept (secret_hash, ceiling_scopes, ceiling_administrator, ceiling_expires_at, made_by_key)
}

fn from_row(row: &Row<'_, '_>) -> Result<OneTimeToken> {
    Ok(OneTimeToken {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        is_code: row.get("is_code")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        created_by: row.get("created_by")?,
        masked_secret: row.get("masked")?,
        is_recovery: row.get("is_recovery")?,
    })
}

pub(crate) fn find(reader: &Reader<'_>, id: &OneTimeTokenId) -> Result<Option<OneTimeToken>> {
    let sql = format!("SELECT {COLUMNS} FROM one_time_tokens WHERE id = ?1");
    reader.query_one(&sql, params![id], from_row)
}

pub(crate) fn find_by_secret(
    reader: &Reader<'_>,
    hash: &SecretHash,
) -> Result<Option<StoredOneTimeToken>> {
    reader.query_one(
        &format!(
            r"
            SELECT {COLUMNS}, ceiling_scopes, ceiling_administrator, ceiling_expires_at, made_by_key
            FROM one_time_tokens
            WHERE secret_hash = ?1"
        ),
        params![hash],
        |row| {
            Ok(StoredOneTimeToken {
                one_time_token: from_row(row)?,
                ceiling: Ceiling {
                    scopes: Scopes::from_stored(&row.get::<String>("ceiling_scopes")?),
                    administrator: row.get("ceiling_administrator")?,
                },
                bound: Bound {
                    made_by: row.get("made_by_key")?,
                    expires_at: row.get("ceiling_expires_at")?,
                },
            })
        },
    )
}

pub(crate) fn insert(
    writer: &Writer<'_>,
    stored: &StoredOneTimeToken,
    hash: &SecretHash,
) -> Result<()> {
    let token = &stored.one_time_token;
    COLUMNS.insert(
        writer,
        params![
            &token.id,
            &token.user_id,
            token.is_code,
            token.created_at,
            token.expires_at,
            token.created_by.as_ref(),
            &token.masked_secret,
            token.is_recovery,
        ],
        params![
            hash,
            &stored.ceiling.scopes.to_stored(),
            stored.ceiling.administrator,
            stored.bound.expires_at,
            stored.bound.made_by.as_ref(),
        ],
    )
}

/// True when it was there: of several who try, one.
pub(crate) fn delete(writer: &Writer<'_>, id: &OneTimeTokenId) -> Result<bool> {
    let changed = writer.execute("DELETE FROM one_time_tokens WHERE id = ?1", params![id])?;
    Ok(changed == 1)
}

/// Everybody's (D8).
pub(crate) fn delete_all(writer: &Writer<'_>) -> Result<()> {
    writer.execute("DELETE FROM one_time_tokens", &[])?;
    Ok(())
}

/// C5: those that were made by a time that has not come; gives how many.
pub(crate) fn delete_made_after(writer: &Writer<'_>, now: SystemTime) -> Result<usize> {
    writer.execute(
        "DELETE FROM one_time_tokens WHERE created_at > ?1",
        params![now],
    )
}

/// Their short secrets may be given again.
pub(crate) fn delete_expired_codes(writer: &Writer<'_>, now: SystemTime) -> Result<()> {
    writer.execute(
        "DELETE FROM one_time_tokens WHERE is_code = 1 AND expires_at <= ?1",
        params![now],
    )?;
    Ok(())
}

pub(crate) fn list(
    reader: &Reader<'_>,
    user_id: Option<&UserId>,
    now: SystemTime,
) -> Result<Vec<OneTimeToken>> {
    reader.query_all(
        &format!(
            r"
            SELECT {COLUMNS}
            FROM one_time_tokens
            WHERE (CAST(?1 AS TEXT) IS NULL OR user_id = ?1) AND expires_at > ?2
            ORDER BY created_at DESC, id DESC"
        ),
        params![user_id, now],
        from_row,
    )
}

/// K2: what a user has from before a promotion is an ordinary user's for good.
pub(crate) fn narrow_to_user(writer: &Writer<'_>, user_id: &UserId) -> Result<()> {
    writer.execute(
        "UPDATE one_time_tokens SET ceiling_administrator = 0 WHERE user_id = ?1",
        params![user_id],
    )?;
    Ok(())
}

/// Removes what ended before that time; gives how many there were.
pub(crate) fn purge(writer: &Writer<'_>, before: SystemTime) -> Result<usize> {
    writer.execute(
        "DELETE FROM one_time_tokens WHERE expires_at < ?1",
        params![before],
    )
}
