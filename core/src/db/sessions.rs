use std::time::SystemTime;

use super::{Engine, LookUp, PageRequest, Reader, Row, Writer, columns::columns, look_up, params};
use crate::{
    db,
    error::Result,
    model::{
        credentials::{Bound, Credential},
        ids::{SessionId, UserId},
        sessions::{FoundSession, Session, SignInMethod},
        users::User,
    },
    values::{
        scopes::{Ceiling, Scopes},
        tokens::SecretHash,
    },
};

columns! {
    COLUMNS = sessions (
        id, user_id, method, signed_in_at, stepped_up_at, last_seen_at, expires_at, masked, address, user_agent,
        device_name, way
    ) kept (
        secret_hash, ceiling_scopes, ceiling_administrator, idle_seconds, made_by_key, bound_expires_at, parent_session_id
    )
}
/// Neither ended, nor too old, nor idle for too long (T1); ?1 is the time. `FoundSession::is_alive` says the same of what
/// was looked up, and a test that both agree.
const ALIVE: &str = "sessions.ended_at IS NULL AND sessions.expires_at > ?1 \
    AND sessions.last_seen_at + sessions.idle_seconds * 1000 > ?1 \
    AND (sessions.parent_session_id IS NULL OR EXISTS (SELECT 1 FROM sessions AS parent \
        WHERE parent.id = sessions.parent_session_id AND parent.ended_at IS NULL AND parent.expires_at > ?1 \
          AND parent.last_seen_at + parent.idle_seconds * 1000 > ?1))";

fn from_row(row: &Row<'_, '_>) -> Result<Session> {
    Ok(Session {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        method: method(row)?,
        signed_in_at: row.get("signed_in_at")?,
        stepped_up_at: row.get("stepped_up_at")?,
        last_seen_at: row.get("last_seen_at")?,
        expires_at: row.get("expires_at")?,
        masked_secret: row.get("masked")?,
        address: row.get("address")?,
        user_agent: row.get("user_agent")?,
        device_name: row.get("device_name")?,
    })
}

fn method(row: &Row<'_, '_>) -> Result<SignInMethod> {
    match row.get::<Option<SignInMethod>>("way")? {
        Some(way) => Ok(way),
        None => row.get("method"),
    }
}

const LOOK_UP: LookUp = look_up! {
    SELECT "sessions.id, sessions.user_id, COALESCE(sessions.way, sessions.method), sessions.ceiling_scopes, sessions.ceiling_administrator, \
        sessions.last_seen_at, sessions.idle_seconds, sessions.expires_at, sessions.ended_at, \
        users.username, users.role, users.status, users.expires_at",
    FROM "sessions",
    JOIN "users" ON "users.id = sessions.user_id",
    WHERE "sessions.secret_hash = ?1"
};

/// The hot path: one statement, the time and the user included, and columns by their places: names cost a tenth.
pub(crate) fn look_up(db: &Engine, hash: &SecretHash) -> Result<Option<FoundSession>> {
    db.look_up(&LOOK_UP, params![hash], |row, now| {
        Ok(FoundSession {
            now,
            id: row.at(0)?,
            user_id: row.at(1)?,
            method: row.at(2)?,
            ceiling: Ceiling {
                scopes: row.at(3)?,
                administrator: row.at(4)?,
            },
            last_seen_at: row.at(5)?,
            idle_seconds: row.at(6)?,
            expires_at: row.at(7)?,
            ended_at: row.at(8)?,
            username: row.at(9)?,
            role: row.at(10)?,
            status: row.at(11)?,
            user_expires_at: row.at(12)?,
        })
    })
}

/// A live session with its user, for `acting_as`.
pub(crate) fn find_acting(
    reader: &Reader<'_>,
    id: &SessionId,
    now: SystemTime,
) -> Result<Option<(User, Ceiling, Credential)>> {
    let columns = db::users::COLUMNS;
    reader.query_one(
        &format!(
            r"
            SELECT {columns}, ceiling_scopes, ceiling_administrator, sessions.method, sessions.way, sessions.signed_in_at,
                   sessions.stepped_up_at, sessions.expires_at AS session_expires_at, sessions.made_by_key,
                   sessions.bound_expires_at
            FROM sessions
            JOIN users ON users.id = sessions.user_id
            WHERE {ALIVE} AND sessions.id = ?2"
        ),
        params![now, id],
        |row| {
            let user = db::users::from_row(row)?;
            let ceiling = Ceiling {
                scopes: Scopes::from_stored(&row.get::<String>("ceiling_scopes")?),
                administrator: row.get("ceiling_administrator")?,
            };
            let credential = Credential::Session {
                id: *id,
                method: method(row)?,
                signed_in_at: row.get("signed_in_at")?,
                stepped_up_at: row.get("stepped_up_at")?,
                expires_at: row.get("session_expires_at")?,
                bound: Bound {
                    made_by: row.get("made_by_key")?,
                    expires_at: row.get("bound_expires_at")?,
                },
            };
            Ok((user, ceiling, credential))
        },
    )
}

pub(crate) fn find(reader: &Reader<'_>, id: &SessionId) -> Result<Option<Session>> {
    reader.query_one(
        &format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1"),
        params![id],
        from_row,
    )
}

pub(crate) fn insert(
    writer: &Writer<'_>,
    session: &Session,
    hash: &SecretHash,
    ceiling: &Ceiling,
    idle_seconds: i64,
    bound: Bound,
    parent: Option<&SessionId>,
) -> Result<()> {
    let (method, way) = session.method.stored();
    COLUMNS.insert(
        writer,
        params![
            &session.id,
            &session.user_id,
            method,
            session.signed_in_at,
            session.stepped_up_at,
            session.last_seen_at,
            session.expires_at,
            &session.masked_secret,
            session.address.as_ref(),
            session.user_agent.as_ref(),
            session.device_name.as_ref(),
            way,
        ],
        params![
            hash,
            &ceiling.scopes.to_stored(),
            ceiling.administrator,
            idle_seconds,
            bound.made_by.as_ref(),
            bound.expires_at,
            parent,
        ],
    )
}

/// Is it alive, and the session with which it ends (V5)?
pub(crate) fn is_alive(reader: &Reader<'_>, id: &SessionId, now: SystemTime) -> Result<bool> {
    reader.value(
        &format!("SELECT EXISTS (SELECT 1 FROM sessions WHERE {ALIVE} AND sessions.id = ?2)"),
        params![now, id],
    )
}

/// True when it had not ended before.
pub(crate) fn end(writer: &Writer<'_>, id: &SessionId, now: SystemTime) -> Result<bool> {
    let changed = writer.execute(
        "UPDATE sessions SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL",
        params![id, now],
    )?;
    Ok(changed > 0)
}

pub(crate) fn end_all(
    writer: &Writer<'_>,
    user_id: &UserId,
    except: Option<&SessionId>,
    now: SystemTime,
) -> Result<i64> {
    let changed = writer.execute(
        &format!(
            r"
            UPDATE sessions
            SET ended_at = ?1
            WHERE user_id = ?2 AND (CAST(?3 AS TEXT) IS NULL OR id <> ?3) AND {ALIVE}"
        ),
        params![now, user_id, except],
    )?;
    Ok(i64::try_from(changed).unwrap_or(i64::MAX))
}

pub(crate) fn end_by_method(
    writer: &Writer<'_>,
    method: SignInMethod,
    now: SystemTime,
) -> Result<()> {
    writer.execute(
        "UPDATE sessions SET ended_at = ?2 WHERE method = ?1 AND ended_at IS NULL",
        params![method, now],
    )?;
    Ok(())
}

/// Everybody's (D8); gives how many were alive.
pub(crate) fn end_everybodys(writer: &Writer<'_>, now: SystemTime) -> Result<i64> {
    let alive = count(writer, None, now)?;
    writer.execute(
        "UPDATE sessions SET ended_at = ?1 WHERE ended_at IS NULL",
        params![now],
    )?;
    Ok(alive)
}

/// C5: those that were opened by a time that has not come; gives how many.
pub(crate) fn end_made_after(writer: &Writer<'_>, now: SystemTime) -> Result<usize> {
    writer.execute(
        "UPDATE sessions SET ended_at = ?1 WHERE signed_in_at > ?1 AND ended_at IS NULL",
        params![now],
    )
}

/// C5: nothing of a session lies ahead, or it would be idle too late; gives how many step-ups end by it.
pub(crate) fn settle_times(writer: &Writer<'_>, now: SystemTime) -> Result<usize> {
    writer.execute(
        "UPDATE sessions SET last_seen_at = ?1 WHERE last_seen_at > ?1",
        params![now],
    )?;
    writer.execute(
        "UPDATE sessions SET ended_at = ?1 WHERE ended_at > ?1",
        params![now],
    )?;
    writer.execute(
        "UPDATE sessions SET stepped_up_at = NULL WHERE stepped_up_at > ?1 AND ended_at IS NULL",
        params![now],
    )
}

/// A new secret, and fresh (P5).
pub(crate) fn step_up(
    writer: &Writer<'_>,
    id: &SessionId,
    hash: &SecretHash,
    masked: &str,
    now: SystemTime,
) -> Result<()> {
    writer.execute(
        "UPDATE sessions SET secret_hash = ?2, masked = ?3, stepped_up_at = ?4, last_seen_at = ?4 WHERE id = ?1",
        params![id, hash, masked, now],
    )?;
    Ok(())
}

pub(crate) fn set_last_seen(
    writer: &Writer<'_>,
    hash: &SecretHash,
    time: SystemTime,
) -> Result<()> {
    writer.execute(
        "UPDATE sessions SET last_seen_at = ?2 WHERE secret_hash = ?1 AND last_seen_at < ?2",
        params![hash, time],
    )?;
    Ok(())
}

pub(crate) fn count(reader: &Reader<'_>, user_id: Option<&UserId>, now: SystemTime) -> Result<i64> {
    reader.value(
        &format!("SELECT count(*) FROM sessions WHERE {ALIVE} AND (CAST(?2 AS TEXT) IS NULL OR user_id = ?2)"),
        params![now, user_id],
    )
}

pub(crate) fn list(
    reader: &Reader<'_>,
    user_id: Option<&UserId>,
    now: SystemTime,
    page: PageRequest,
) -> Result<Vec<Session>> {
    reader.query_all(
        &format!(
            r"
            SELECT {COLUMNS}
            FROM sessions
            WHERE {ALIVE} AND (CAST(?2 AS TEXT) IS NULL OR user_id = ?2)
            ORDER BY signed_in_at DESC, id DESC
            LIMIT ?3 OFFSET ?4"
        ),
        params![now, user_id, page.limit, page.offset()],
        from_row,
    )
}

/// K2: what a user has from before a promotion is an ordinary user's for good.
pub(crate) fn narrow_to_user(writer: &Writer<'_>, user_id: &UserId) -> Result<()> {
    writer.execute(
        "UPDATE sessions SET ceiling_administrator = 0 WHERE user_id = ?1",
        params![user_id],
    )?;
    Ok(())
}

/// Removes what ended before that time; gives how many there were.
pub(crate) fn purge(writer: &Writer<'_>, before: SystemTime) -> Result<usize> {
    writer.execute(
        r"
        DELETE FROM sessions
        WHERE expires_at < ?1 OR ended_at < ?1 OR last_seen_at + idle_seconds * 1000 < ?1",
        params![before],
    )
}
