use std::time::SystemTime;

use super::{Engine, LookUp, Reader, Row, Writer, columns::columns, look_up, params};
use crate::{
    error::Result,
    model::{
        ids::ServiceId,
        service_sessions::{FoundService, FoundServiceSession, StoredTicket},
    },
    values::tokens::SecretHash,
};

columns! {
    TICKETS = service_tickets (service_id, session_id, challenge, origin, return_path, created_at, expires_at)
    kept (secret_hash)
}

/// What stands between the names that one column holds. No name has it.
const SEPARATOR: char = '\n';

/// By their places, as all that is looked up at each request.
const LOOK_UP: LookUp = look_up! {
    SELECT "services.id, services.slug, services.wants_token, \
        CASE WHEN services.for_everyone = 1 OR EXISTS (SELECT 1 FROM service_groups \
            JOIN group_members ON group_members.group_id = service_groups.group_id \
            WHERE service_groups.service_id = services.id AND group_members.user_id = users.id) THEN 1 ELSE 0 END, \
        service_sessions.origin, \
        sessions.id, sessions.secret_hash, sessions.ceiling_scopes, sessions.last_seen_at, sessions.idle_seconds, \
        sessions.expires_at, sessions.ended_at, users.id, users.username, users.display_name, \
        CASE WHEN users.email_held = 1 THEN users.email END, users.status, users.expires_at",
    JOINED "(SELECT " ("groups.name") " FROM group_members JOIN groups ON groups.id = group_members.group_id \
        WHERE group_members.user_id = users.id)",
    FROM "service_sessions",
    JOIN "services" ON "services.id = service_sessions.service_id",
    JOIN "sessions" ON "sessions.id = service_sessions.session_id",
    JOIN "users" ON "users.id = sessions.user_id",
    WHERE "service_sessions.secret_hash = ?1"
};

/// The hot path of forward auth: one statement.
pub(crate) fn look_up(db: &Engine, hash: &SecretHash) -> Result<Option<FoundServiceSession>> {
    db.look_up(&LOOK_UP, params![hash], |row, now| {
        Ok(FoundServiceSession {
            now,
            service: FoundService {
                id: row.at(0)?,
                slug: row.at(1)?,
                wants_token: row.at(2)?,
                is_open: row.at(3)?,
            },
            origin: row.at(4)?,
            session_id: row.at(5)?,
            session_hash: row.at(6)?,
            scopes: row.at(7)?,
            last_seen_at: row.at(8)?,
            idle_seconds: row.at(9)?,
            expires_at: row.at(10)?,
            ended_at: row.at(11)?,
            user_id: row.at(12)?,
            username: row.at(13)?,
            display_name: row.at(14)?,
            email: row.at(15)?,
            status: row.at(16)?,
            user_expires_at: row.at(17)?,
            groups: names(row, 18)?,
        })
    })
}

fn names(row: &Row<'_, '_>, place: usize) -> Result<Vec<String>> {
    let joined: Option<String> = row.at(place)?;
    let joined = joined.unwrap_or_default();
    let mut names: Vec<String> = joined
        .split_terminator(SEPARATOR)
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    Ok(names)
}

/// F2: does another service have the host of this origin of a service?
pub(crate) fn shares_host(reader: &Reader<'_>, id: &ServiceId, origin: &str) -> Result<bool> {
    reader.value(
        r"
        SELECT EXISTS (SELECT 1
                       FROM service_origins AS own
                       JOIN service_origins AS other ON other.host = own.host
                       WHERE own.service_id = ?1 AND own.origin = ?2 AND other.service_id <> ?1)",
        params![id, origin],
    )
}

/// Ends those whose origin is none of their service's any more, or has a host that another service has, too (F2): what is
/// there need not be asked about at each request.
pub(crate) fn end_misplaced(writer: &Writer<'_>) -> Result<()> {
    writer.execute(
        r"
        DELETE FROM service_sessions
        WHERE NOT EXISTS (SELECT 1
                          FROM service_origins AS own
                          WHERE own.service_id = service_sessions.service_id AND own.origin = service_sessions.origin)
           OR EXISTS (SELECT 1
                      FROM service_origins AS own
                      JOIN service_origins AS other ON other.host = own.host
                      WHERE own.service_id = service_sessions.service_id AND own.origin = service_sessions.origin
                        AND other.service_id <> own.service_id)",
        &[],
    )?;
    Ok(())
}

pub(crate) fn insert_ticket(
    writer: &Writer<'_>,
    ticket: &StoredTicket,
    hash: &SecretHash,
) -> Result<()> {
    TICKETS.insert(
        writer,
        params![
            &ticket.service_id,
            &ticket.session_id,
            &ticket.challenge,
            &ticket.origin,
            &ticket.return_path,
            ticket.created_at,
            ticket.expires_at,
        ],
        params![hash],
    )
}

pub(crate) fn find_ticket(reader: &Reader<'_>, hash: &SecretHash) -> Result<Option<StoredTicket>> {
    let sql = format!("SELECT {TICKETS} FROM service_tickets WHERE secret_hash = ?1");
    reader.query_one(&sql, params![hash], |row| {
        Ok(StoredTicket {
            service_id: row.get("service_id")?,
            session_id: row.get("session_id")?,
            challenge: row.get("challenge")?,
            origin: row.get("origin")?,
            return_path: row.get("return_path")?,
            created_at: row.get("created_at")?,
            expires_at: row.get("expires_at")?,
        })
    })
}

/// True when it was there: of several who redeem it, one.
pub(crate) fn delete_ticket(writer: &Writer<'_>, hash: &SecretHash) -> Result<bool> {
    let changed = writer.execute(
        "DELETE FROM service_tickets WHERE secret_hash = ?1",
        params![hash],
    )?;
    Ok(changed == 1)
}

/// Those that have ended.
pub(crate) fn purge_tickets(writer: &Writer<'_>, now: SystemTime) -> Result<()> {
    writer.execute(
        "DELETE FROM service_tickets WHERE expires_at <= ?1",
        params![now],
    )?;
    Ok(())
}

/// Everybody's (D8).
pub(crate) fn delete_all_tickets(writer: &Writer<'_>) -> Result<()> {
    writer.execute("DELETE FROM service_tickets", &[])?;
    Ok(())
}

/// C5: those of a time that has not come.
pub(crate) fn delete_tickets_made_after(writer: &Writer<'_>, now: SystemTime) -> Result<()> {
    writer.execute(
        "DELETE FROM service_tickets WHERE created_at > ?1",
        params![now],
    )?;
    Ok(())
}

/// Beside those that the session has for this service already, of which the newest stay.
pub(crate) fn insert(
    writer: &Writer<'_>,
    hash: &SecretHash,
    ticket: &StoredTicket,
    now: SystemTime,
) -> Result<()> {
    let (service_id, session_id) = (&ticket.service_id, &ticket.session_id);
    writer.execute(
        r"
        DELETE FROM service_sessions
        WHERE session_id = ?1 AND service_id = ?2
          AND secret_hash NOT IN (SELECT secret_hash
                                  FROM service_sessions
                                  WHERE session_id = ?1 AND service_id = ?2
                                  ORDER BY created_at DESC, secret_hash
                                  LIMIT 9)",
        params![session_id, service_id],
    )?;
    writer.execute(
        r"
        INSERT INTO service_sessions (secret_hash, service_id, session_id, origin, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5)",
        params![hash, service_id, session_id, &ticket.origin, now],
    )?;
    Ok(())
}
