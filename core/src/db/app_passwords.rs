use std::time::SystemTime;

use super::{
    Engine, LookUp, PageRequest, Reader, Row, Writer, columns::columns, contains_pattern, look_up,
    params,
};
use crate::{
    error::Result,
    model::{
        app_passwords::{AppPassword, AppPasswordQuery, FoundAppPassword, StoredAppPassword},
        ids::{ApiKeyId, AppPasswordId, UserId},
    },
    values::{
        scopes::{Ceiling, Scopes},
        text,
        tokens::SecretHash,
    },
};

columns! {
    COLUMNS = app_passwords (
        id, owner_id, name, service_id, scopes, is_recoverable, created_at, last_used_at, expires_at
    ) kept (secret_hash, ceiling_administrator, name_key, search_key, made_by_key)
}

fn from_row(row: &Row<'_, '_>) -> Result<AppPassword> {
    Ok(AppPassword {
        id: row.get("id")?,
        owner_id: row.get("owner_id")?,
        name: row.get("name")?,
        service_id: row.get("service_id")?,
        scopes: Scopes::from_stored(&row.get::<String>("scopes")?).into_names(),
        is_recoverable: row.get("is_recoverable")?,
        created_at: row.get("created_at")?,
        last_used_at: row.get("last_used_at")?,
        expires_at: row.get("expires_at")?,
    })
}

/// What is looked up at each request, by its places: names cost a tenth.
macro_rules! found {
    () => {
        "app_passwords.id, app_passwords.owner_id, app_passwords.service_id, app_passwords.scopes, \
         app_passwords.ceiling_administrator, app_passwords.expires_at, users.username, users.role, users.status, \
         users.expires_at, users.username_key, users.username_email_key, CASE WHEN users.email_held = 1 THEN users.email_key END"
    };
}

const LOOK_UP: LookUp = look_up! {
    SELECT found!(),
    FROM "app_passwords",
    JOIN "users" ON "users.id = app_passwords.owner_id",
    WHERE "app_passwords.secret_hash = ?1"
};

fn found_from_row(row: &Row<'_, '_>, now: SystemTime) -> Result<FoundAppPassword> {
    Ok(FoundAppPassword {
        now,
        id: row.at(0)?,
        owner_id: row.at(1)?,
        service_id: row.at(2)?,
        ceiling: Ceiling {
            scopes: row.at(3)?,
            administrator: row.at(4)?,
        },
        expires_at: row.at(5)?,
        username: row.at(6)?,
        role: row.at(7)?,
        status: row.at(8)?,
        user_expires_at: row.at(9)?,
        names: [Some(row.at(10)?), row.at(11)?, row.at(12)?],
    })
}

/// The hot path: one statement, the time and the owner included.
pub(crate) fn look_up(db: &Engine, hash: &SecretHash) -> Result<Option<FoundAppPassword>> {
    db.look_up(&LOOK_UP, params![hash], found_from_row)
}

/// A secret that can be read again, with what it is of.
pub(crate) struct Sealed {
    pub(crate) found: FoundAppPassword,
    pub(crate) secret_hash: Option<SecretHash>,
    pub(crate) sealed: Vec<u8>,
}

/// W4: a user's that have not ended.
pub(crate) fn list_sealed(
    reader: &Reader<'_>,
    owner_id: &UserId,
    now: SystemTime,
) -> Result<Vec<Sealed>> {
    reader.query_all(
        concat!(
            "SELECT ",
            found!(),
            r", app_passwords.secret_hash, app_password_secrets.sealed
            FROM app_passwords
            JOIN app_password_secrets ON app_password_secrets.app_password_id = app_passwords.id
            JOIN users ON users.id = app_passwords.owner_id
            WHERE app_passwords.owner_id = ?1 AND (app_passwords.expires_at IS NULL OR app_passwords.expires_at > ?2)
            ORDER BY app_passwords.created_at DESC, app_passwords.id DESC"
        ),
        params![owner_id, now],
        |row| {
            Ok(Sealed {
                found: found_from_row(row, now)?,
                secret_hash: SecretHash::try_from(row.at::<Vec<u8>>(13)?).ok(),
                sealed: row.at(14)?,
            })
        },
    )
}

pub(crate) fn find(reader: &Reader<'_>, id: &AppPasswordId) -> Result<Option<AppPassword>> {
    let sql = format!("SELECT {COLUMNS} FROM app_passwords WHERE id = ?1");
    reader.query_one(&sql, params![id], from_row)
}

pub(crate) fn insert(
    writer: &Writer<'_>,
    stored: &StoredAppPassword,
    hash: &SecretHash,
    made_by: Option<&ApiKeyId>,
) -> Result<()> {
    let password = &stored.app_password;
    COLUMNS.insert(
        writer,
        params![
            &password.id,
            &password.owner_id,
            &password.name,
            password.service_id.as_ref(),
            &password.scopes.join(" "),
            password.is_recoverable,
            password.created_at,
            password.last_used_at,
            password.expires_at,
        ],
        params![
            hash,
            stored.administrator,
            &text::folded(&password.name),
            &text::search_key([Some(password.name.as_str())]),
            made_by,
        ],
    )
}

pub(crate) fn insert_sealed(writer: &Writer<'_>, id: &AppPasswordId, sealed: &[u8]) -> Result<()> {
    writer.execute(
        "INSERT INTO app_password_secrets (app_password_id, sealed) VALUES (?1, ?2)",
        params![id, sealed],
    )?;
    Ok(())
}

/// With its sealed secret, if there is one.
pub(crate) fn delete(writer: &Writer<'_>, id: &AppPasswordId) -> Result<bool> {
    let changed = writer.execute("DELETE FROM app_passwords WHERE id = ?1", params![id])?;
    Ok(changed == 1)
}

pub(crate) fn count_recoverable(reader: &Reader<'_>, owner_id: &UserId) -> Result<i64> {
    reader.value(
        "SELECT count(*) FROM app_passwords WHERE owner_id = ?1 AND is_recoverable = 1",
        params![owner_id],
    )
}

pub(crate) fn set_last_used(
    writer: &Writer<'_>,
    hash: &SecretHash,
    time: SystemTime,
) -> Result<()> {
    writer.execute(
        r"
        UPDATE app_passwords SET last_used_at = ?2
        WHERE secret_hash = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)",
        params![hash, time],
    )?;
    Ok(())
}

/// C5: none was used at a time that has not come.
pub(crate) fn settle_last_used(writer: &Writer<'_>, now: SystemTime) -> Result<()> {
    writer.execute(
        "UPDATE app_passwords SET last_used_at = ?1 WHERE last_used_at > ?1",
        params![now],
    )?;
    Ok(())
}

/// Those that work and were made after that time.
pub(crate) fn count_made_after(reader: &Reader<'_>, now: SystemTime) -> Result<i64> {
    reader.value(
        r"
        SELECT count(*)
        FROM app_passwords
        WHERE created_at > ?1 AND (expires_at IS NULL OR expires_at > ?1)",
        params![now],
    )
}

pub(crate) fn count_working(reader: &Reader<'_>, now: SystemTime) -> Result<i64> {
    reader.value(
        "SELECT count(*) FROM app_passwords WHERE expires_at IS NULL OR expires_at > ?1",
        params![now],
    )
}

const FILTER: &str = r"
    WHERE (CAST(?1 AS TEXT) IS NULL OR owner_id = ?1)
      AND (CAST(?2 AS TEXT) IS NULL OR search_key LIKE ?2 ESCAPE '\')";

pub(crate) fn count(
    reader: &Reader<'_>,
    query: &AppPasswordQuery,
    search: Option<&str>,
) -> Result<i64> {
    let pattern = search.map(contains_pattern);
    reader.value(
        &format!("SELECT count(*) FROM app_passwords {FILTER}"),
        params![query.owner_id.as_ref(), pattern.as_ref()],
    )
}

pub(crate) fn list(
    reader: &Reader<'_>,
    query: &AppPasswordQuery,
    search: Option<&str>,
    page: PageRequest,
) -> Result<Vec<AppPassword>> {
    let pattern = search.map(contains_pattern);
    reader.query_all(
        &format!(
            r"
            SELECT {COLUMNS}
            FROM app_passwords
            {FILTER}
            ORDER BY created_at DESC, id DESC
            LIMIT ?3 OFFSET ?4"
        ),
        params![
            query.owner_id.as_ref(),
            pattern.as_ref(),
            page.limit,
            page.offset()
        ],
        from_row,
    )
}

/// K2: what a user has from before a promotion is an ordinary user's for good.
pub(crate) fn narrow_to_user(writer: &Writer<'_>, owner_id: &UserId) -> Result<()> {
    writer.execute(
        "UPDATE app_passwords SET ceiling_administrator = 0 WHERE owner_id = ?1",
        params![owner_id],
    )?;
    Ok(())
}

/// Removes what ended before that time; gives how many there were.
pub(crate) fn purge(writer: &Writer<'_>, before: SystemTime) -> Result<usize> {
    writer.execute(
        "DELETE FROM app_passwords WHERE expires_at < ?1",
        params![before],
    )
}
