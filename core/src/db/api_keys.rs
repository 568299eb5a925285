mod look_up;

use std::time::SystemTime;

use super::{PageRequest, Reader, Row, Sort, Writer, columns::columns, contains_pattern, params};

use crate::{
    db,
    error::Result,
    model::{
        api_keys::{ApiKey, ApiKeyQuery, ApiKeySort, StoredApiKey},
        audit::EventKind,
        credentials::Credential,
        ids::{ApiKeyId, UserId},
        users::User,
    },
    values::{
        scopes::{Ceiling, Scopes},
        text,
        tokens::SecretHash,
    },
};

pub(crate) use look_up::{look_up, look_up_rotated};

columns! {
    COLUMNS = api_keys (
        id, owner_id, name, note, scopes, masked, created_at, last_used_at, expires_at, revoked_at
    ) kept (secret_hash, ceiling_administrator, name_key, made_by_key, search_key)
}

fn from_row(row: &Row<'_, '_>) -> Result<ApiKey> {
    Ok(ApiKey {
        id: row.get("id")?,
        owner_id: row.get("owner_id")?,
        name: row.get("name")?,
        note: row.get("note")?,
        scopes: Scopes::from_stored(&row.get::<String>("scopes")?).into_names(),
        masked_secret: row.get("masked")?,
        created_at: row.get("created_at")?,
        last_used_at: row.get("last_used_at")?,
        expires_at: row.get("expires_at")?,
        revoked_at: row.get("revoked_at")?,
    })
}

/// A live key with its owner, for `acting_as`.
pub(crate) fn find_acting(
    reader: &Reader<'_>,
    id: &ApiKeyId,
    now: SystemTime,
) -> Result<Option<(User, Ceiling, Credential)>> {
    let columns = db::users::COLUMNS;
    reader.query_one(
        &format!(
            r"
            SELECT {columns}, scopes, ceiling_administrator, api_keys.expires_at AS key_expires_at
            FROM api_keys
            JOIN users ON users.id = api_keys.owner_id
            WHERE api_keys.id = ?1 AND revoked_at IS NULL
              AND (api_keys.expires_at IS NULL OR api_keys.expires_at > ?2)"
        ),
        params![id, now],
        |row| {
            let user = db::users::from_row(row)?;
            let ceiling = Ceiling {
                scopes: Scopes::from_stored(&row.get::<String>("scopes")?),
                administrator: row.get("ceiling_administrator")?,
            };
            let credential = Credential::ApiKey {
                id: *id,
                expires_at: row.get("key_expires_at")?,
            };
            Ok((user, ceiling, credential))
        },
    )
}

pub(crate) fn find(reader: &Reader<'_>, id: &ApiKeyId) -> Result<Option<StoredApiKey>> {
    reader.query_one(
        &format!("SELECT {COLUMNS}, ceiling_administrator FROM api_keys WHERE id = ?1"),
        params![id],
        |row| {
            let api_key = from_row(row)?;
            let ceiling = Ceiling {
                scopes: Scopes::from_stored(&api_key.scopes.join(" ")),
                administrator: row.get("ceiling_administrator")?,
            };
            Ok(StoredApiKey { api_key, ceiling })
        },
    )
}

pub(crate) fn insert(
    writer: &Writer<'_>,
    api_key: &ApiKey,
    hash: &SecretHash,
    administrator: bool,
    made_by: Option<&ApiKeyId>,
) -> Result<()> {
    COLUMNS.insert(
        writer,
        params![
            &api_key.id,
            &api_key.owner_id,
            &api_key.name,
            api_key.note.as_ref(),
            &api_key.scopes.join(" "),
            &api_key.masked_secret,
            api_key.created_at,
            api_key.last_used_at,
            api_key.expires_at,
            api_key.revoked_at,
        ],
        params![
            hash,
            administrator,
            &text::folded(&api_key.name),
            made_by,
            &text::search_key([Some(api_key.name.as_str())]),
        ],
    )
}

/// A key of a user, with what of it is not shown.
pub(crate) struct NamedApiKey {
    pub(crate) api_key: ApiKey,
    pub(crate) secret_hash: Option<SecretHash>,
    /// The last secret that a plan gave it (B6).
    pub(crate) supplied_hash: Option<SecretHash>,
}

/// A user's keys of this name, revoked ones too, the newest first.
pub(crate) fn list_named(
    reader: &Reader<'_>,
    owner_id: &UserId,
    name: &str,
) -> Result<Vec<NamedApiKey>> {
    let hash = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| SecretHash::try_from(bytes).ok());
    reader.query_all(
        &format!(
            r"
            SELECT {COLUMNS}, secret_hash, supplied_hash
            FROM api_keys
            WHERE owner_id = ?1 AND name = ?2
            ORDER BY created_at DESC, id DESC"
        ),
        params![owner_id, name],
        |row| {
            Ok(NamedApiKey {
                api_key: from_row(row)?,
                secret_hash: hash(row.get("secret_hash")?),
                supplied_hash: hash(row.get("supplied_hash")?),
            })
        },
    )
}

/// Has another key this secret, or had it once?
pub(crate) fn other_has_secret(
    reader: &Reader<'_>,
    id: Option<&ApiKeyId>,
    hash: &SecretHash,
) -> Result<bool> {
    reader.value(
        r"
        SELECT EXISTS (SELECT 1
                       FROM api_keys
                       WHERE (secret_hash = ?2 OR supplied_hash = ?2) AND (CAST(?1 AS TEXT) IS NULL OR id <> ?1))
            OR EXISTS (SELECT 1
                       FROM api_key_overlaps
                       WHERE secret_hash = ?2 AND (CAST(?1 AS TEXT) IS NULL OR api_key_id <> ?1))",
        params![id, hash],
    )
}

pub(crate) fn set_supplied(writer: &Writer<'_>, id: &ApiKeyId, hash: &SecretHash) -> Result<()> {
    writer.execute(
        "UPDATE api_keys SET supplied_hash = ?2 WHERE id = ?1",
        params![id, hash],
    )?;
    Ok(())
}

/// Its note and scopes.
pub(crate) fn update(writer: &Writer<'_>, api_key: &ApiKey) -> Result<()> {
    writer.execute(
        "UPDATE api_keys SET note = ?2, scopes = ?3 WHERE id = ?1",
        params![
            &api_key.id,
            api_key.note.as_ref(),
            &api_key.scopes.join(" ")
        ],
    )?;
    Ok(())
}

/// A key by which another was made, or got its secret.
pub(crate) struct Maker {
    pub(crate) id: ApiKeyId,
    pub(crate) owner_id: UserId,
    made_by: Option<ApiKeyId>,
}

/// This key, the one by which that was made, and so on (K1). Two keys may have given each other their secrets: each is
/// listed once.
pub(crate) fn list_makers(reader: &Reader<'_>, first: Option<ApiKeyId>) -> Result<Vec<Maker>> {
    let mut makers: Vec<Maker> = Vec::new();
    let mut next = first;
    while let Some(id) = next.filter(|id| makers.iter().all(|maker| maker.id != *id)) {
        let found = reader.query_one(
            "SELECT id, owner_id, made_by_key FROM api_keys WHERE id = ?1",
            params![&id],
            |row| {
                Ok(Maker {
                    id: row.get("id")?,
                    owner_id: row.get("owner_id")?,
                    made_by: row.get("made_by_key")?,
                })
            },
        )?;
        next = found.as_ref().and_then(|maker| maker.made_by);
        makers.extend(found);
    }
    Ok(makers)
}

/// The old secret works until then, beside the new one; whoever has the new one has it by `made_by`.
pub(crate) fn replace_secret(
    writer: &Writer<'_>,
    api_key: &ApiKey,
    hash: &SecretHash,
    made_by: Option<&ApiKeyId>,
    overlap_until: SystemTime,
    now: SystemTime,
) -> Result<()> {
    // Earlier secrets end no later than the one before.
    writer.execute(
        "UPDATE api_key_overlaps SET until = ?2 WHERE api_key_id = ?1 AND until > ?2",
        params![&api_key.id, overlap_until],
    )?;
    if overlap_until <= now {
        writer.execute(
            "DELETE FROM api_key_overlaps WHERE api_key_id = ?1",
            params![&api_key.id],
        )?;
    } else {
        writer.execute(
            r"
            INSERT INTO api_key_overlaps (secret_hash, api_key_id, until)
            SELECT secret_hash, id, CAST(?2 AS BIGINT)
            FROM api_keys
            WHERE id = ?1",
            params![&api_key.id, overlap_until],
        )?;
    }
    writer.execute(
        r"
        UPDATE api_keys
        SET secret_hash = ?2, masked = ?3, expires_at = ?4, made_by_key = ?5
        WHERE id = ?1",
        params![
            &api_key.id,
            hash,
            &api_key.masked_secret,
            api_key.expires_at,
            made_by
        ],
    )?;
    Ok(())
}

pub(crate) fn set_expiry(
    writer: &Writer<'_>,
    id: &ApiKeyId,
    expires_at: Option<SystemTime>,
) -> Result<()> {
    end_overlaps_with_key(writer, id)?;
    writer.execute(
        "UPDATE api_keys SET expires_at = ?2 WHERE id = ?1",
        params![id, expires_at],
    )?;
    end_overlaps_with_key(writer, id)
}

/// K1: a secret from before a rotation ends with the end that its key has now, whatever becomes of that later.
fn end_overlaps_with_key(writer: &Writer<'_>, id: &ApiKeyId) -> Result<()> {
    writer.execute(
        r"
        UPDATE api_key_overlaps
        SET until = (SELECT expires_at FROM api_keys WHERE id = ?1)
        WHERE api_key_id = ?1 AND until > (SELECT expires_at FROM api_keys WHERE id = ?1)",
        params![id],
    )?;
    Ok(())
}

/// True when it had not been revoked before.
pub(crate) fn revoke(writer: &Writer<'_>, id: &ApiKeyId, now: SystemTime) -> Result<bool> {
    writer.execute(
        "DELETE FROM api_key_overlaps WHERE api_key_id = ?1",
        params![id],
    )?;
    let changed = writer.execute(
        "UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
        params![id, now],
    )?;
    Ok(changed > 0)
}

pub(crate) fn set_last_used(
    writer: &Writer<'_>,
    hash: &SecretHash,
    time: SystemTime,
) -> Result<()> {
    writer.execute(
        r"
        UPDATE api_keys SET last_used_at = ?2
        WHERE secret_hash = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)",
        params![hash, time],
    )?;
    Ok(())
}

/// C5: none was used at a time that has not come.
pub(crate) fn settle_last_used(writer: &Writer<'_>, now: SystemTime) -> Result<()> {
    writer.execute(
        "UPDATE api_keys SET last_used_at = ?1 WHERE last_used_at > ?1",
        params![now],
    )?;
    Ok(())
}

/// C5: former secrets of keys that were rotated by a time that has not come, as the audit log knows; gives how many.
pub(crate) fn end_overlaps_made_after(writer: &Writer<'_>, now: SystemTime) -> Result<usize> {
    writer.execute(
        r"
        DELETE FROM api_key_overlaps
        WHERE until > ?1 AND api_key_id IN (SELECT subject_id FROM audit WHERE kind = ?2 AND at > ?1)",
        params![now, EventKind::ApiKeyRotated],
    )
}

/// Keys that work and were made after that time.
pub(crate) fn count_made_after(reader: &Reader<'_>, now: SystemTime) -> Result<i64> {
    reader.value(
        r"
        SELECT count(*)
        FROM api_keys
        WHERE created_at > ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)",
        params![now],
    )
}

const FILTER: &str = r"
    WHERE (CAST(?1 AS TEXT) IS NULL OR owner_id = ?1)
      AND (CAST(?2 AS TEXT) IS NULL OR search_key LIKE ?2 ESCAPE '\')
      AND (?3 = 1 OR revoked_at IS NULL)";

pub(crate) fn count(reader: &Reader<'_>, query: &ApiKeyQuery, search: Option<&str>) -> Result<i64> {
    let pattern = search.map(contains_pattern);
    reader.value(
        &format!("SELECT count(*) FROM api_keys {FILTER}"),
        params![
            query.owner_id.as_ref(),
            pattern.as_ref(),
            query.include_revoked
        ],
    )
}

pub(crate) fn list(
    reader: &Reader<'_>,
    query: &ApiKeyQuery,
    search: Option<&str>,
    page: PageRequest,
) -> Result<Vec<ApiKey>> {
    let pattern = search.map(contains_pattern);
    let sort = match query.sort.unwrap_or_default() {
        ApiKeySort::CreatedAt => Sort::Filled("created_at"),
        ApiKeySort::Name => Sort::Filled("name_key"),
        ApiKeySort::ExpiresAt => Sort::Nullable("expires_at"),
        ApiKeySort::LastUsedAt => Sort::Nullable("last_used_at"),
    };
    let order = sort.order(!query.ascending);
    reader.query_all(
        &format!(
            r"
            SELECT {COLUMNS}
            FROM api_keys
            {FILTER}
            ORDER BY {order}
            LIMIT ?4 OFFSET ?5"
        ),
        params![
            query.owner_id.as_ref(),
            pattern.as_ref(),
            query.include_revoked,
            page.limit,
            page.offset()
        ],
        from_row,
    )
}

pub(crate) fn list_expiring(
    reader: &Reader<'_>,
    owner_id: Option<&UserId>,
    now: SystemTime,
    until: SystemTime,
) -> Result<Vec<ApiKey>> {
    reader.query_all(
        &format!(
            r"
            SELECT {COLUMNS}
            FROM api_keys
            WHERE (CAST(?1 AS TEXT) IS NULL OR owner_id = ?1) AND revoked_at IS NULL
              AND expires_at IS NOT NULL AND expires_at > ?2 AND expires_at <= ?3
            ORDER BY expires_at NULLS FIRST, id"
        ),
        params![owner_id, now, until],
        from_row,
    )
}

pub(crate) fn count_working(reader: &Reader<'_>, now: SystemTime) -> Result<i64> {
    reader.value(
        r"
        SELECT count(*)
        FROM api_keys
        WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)",
        params![now],
    )
}

/// All keys that still work, the oldest first.
pub(crate) fn list_working(reader: &Reader<'_>, now: SystemTime) -> Result<Vec<ApiKey>> {
    reader.query_all(
        &format!(
            r"
            SELECT {COLUMNS}
            FROM api_keys
            WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?1)
            ORDER BY created_at, id"
        ),
        params![now],
        from_row,
    )
}

/// K2: what a user has from before a promotion is an ordinary user's for good.
pub(crate) fn narrow_to_user(writer: &Writer<'_>, owner_id: &UserId) -> Result<()> {
    writer.execute(
        "UPDATE api_keys SET ceiling_administrator = 0 WHERE owner_id = ?1",
        params![owner_id],
    )?;
    Ok(())
}

/// Removes what ended before that time; gives how many keys there were. What a plan gave stays: without the row its next
/// run would revive a key that somebody revoked (B6).
pub(crate) fn purge(writer: &Writer<'_>, before: SystemTime) -> Result<usize> {
    writer.execute(
        "DELETE FROM api_key_overlaps WHERE until < ?1",
        params![before],
    )?;
    writer.execute(
        "DELETE FROM api_keys WHERE (expires_at < ?1 OR revoked_at < ?1) AND supplied_hash IS NULL",
        params![before],
    )
}
