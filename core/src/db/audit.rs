use std::collections::BTreeMap;

use super::{PageRequest, Reader, Row, Writer, columns::columns, params};
use crate::{
    error::{Result, internal},
    model::audit::{AuditEvent, AuditQuery, Detail, EventKind},
};

// Its id is the database's to give.
columns! {
    COLUMNS = audit (
        at, kind, actor_kind, actor_id, actor_name, user_id, username, subject_id, subject_name, address, user_agent,
        details, count
    ) kept (refusal_key)
}

fn from_row(row: &Row<'_, '_>) -> Result<AuditEvent> {
    Ok(AuditEvent {
        id: row.get("id")?,
        at: row.get("at")?,
        kind: row.get("kind")?,
        actor_kind: row.get("actor_kind")?,
        actor_id: row.get("actor_id")?,
        actor_name: row.get("actor_name")?,
        user_id: row.get("user_id")?,
        username: row.get("username")?,
        subject_id: row.get("subject_id")?,
        subject_name: row.get("subject_name")?,
        address: row.get("address")?,
        user_agent: row.get("user_agent")?,
        details: details_from_json(&row.get::<String>("details")?)?,
        count: row.get("count")?,
    })
}

/// Gives the id of the new row.
pub(crate) fn insert(writer: &Writer<'_>, event: &AuditEvent) -> Result<i64> {
    insert_with_key(writer, event, None, 1).map(|stored| stored.0)
}

/// Adds so many to the row with this key, or makes it; gives the event as it now stands.
pub(crate) fn insert_or_count(
    writer: &Writer<'_>,
    event: &AuditEvent,
    key: &str,
    times: i64,
) -> Result<AuditEvent> {
    let (id, count) = insert_with_key(writer, event, Some(key), times)?;
    Ok(AuditEvent {
        id,
        count,
        ..event.clone()
    })
}

fn insert_with_key(
    writer: &Writer<'_>,
    event: &AuditEvent,
    key: Option<&str>,
    times: i64,
) -> Result<(i64, i64)> {
    let details = details_to_json(&event.details)?;
    let insertion = COLUMNS.insertion();
    let stored = writer.query_one(
        &format!(
            r"
            {insertion}
            ON CONFLICT (refusal_key)
            DO UPDATE SET count = audit.count + excluded.count, at = excluded.at
            RETURNING id, count"
        ),
        params![
            event.at,
            event.kind,
            event.actor_kind,
            event.actor_id.as_deref(),
            event.actor_name.as_deref(),
            event.user_id.as_deref(),
            event.username.as_deref(),
            event.subject_id.as_deref(),
            event.subject_name.as_deref(),
            event.address.as_deref(),
            event.user_agent.as_deref(),
            &details,
            times,
            key,
        ],
        |row| Ok((row.get("id")?, row.get("count")?)),
    )?;
    stored.ok_or_else(|| internal("an audit row was not stored"))
}

/// What was told once is told again when it happens again.
pub(crate) fn tell_anew(writer: &Writer<'_>, kind: EventKind) -> Result<()> {
    writer.execute(
        "UPDATE audit SET refusal_key = NULL WHERE kind = ?1 AND refusal_key IS NOT NULL",
        params![kind],
    )?;
    Ok(())
}

const FILTER: &str = r"
    WHERE (CAST(?1 AS TEXT) IS NULL OR user_id = ?1 OR actor_id = ?1)
      AND (CAST(?2 AS TEXT) IS NULL OR kind = ?2)
      AND (CAST(?3 AS BIGINT) IS NULL OR at >= ?3)";

pub(crate) fn count(reader: &Reader<'_>, query: &AuditQuery) -> Result<i64> {
    let params = params![query.user_id.as_ref(), query.kind, query.since];
    reader.value(&format!("SELECT count(*) FROM audit {FILTER}"), params)
}

pub(crate) fn list(
    reader: &Reader<'_>,
    query: &AuditQuery,
    page: PageRequest,
) -> Result<Vec<AuditEvent>> {
    reader.query_all(
        &format!(
            r"
            SELECT audit.id, {COLUMNS}
            FROM audit
            {FILTER}
            ORDER BY id DESC
            LIMIT ?4 OFFSET ?5"
        ),
        params![
            query.user_id.as_ref(),
            query.kind,
            query.since,
            page.limit,
            page.offset()
        ],
        from_row,
    )
}

fn details_to_json(details: &[Detail]) -> Result<String> {
    let object: BTreeMap<&str, &str> = details
        .iter()
        .map(|d| (d.name.as_str(), d.value.as_str()))
        .collect();
    serde_json::to_string(&object).map_err(|_| internal("details cannot be written"))
}

fn details_from_json(json: &str) -> Result<Vec<Detail>> {
    let object: BTreeMap<String, String> =
        serde_json::from_str(json).map_err(|_| crate::error::KeyplateError::CorruptDatabase {
            reason: "an audit row is malformed".to_owned(),
        })?;
    Ok(object
        .into_iter()
        .map(|(name, value)| Detail { name, value })
        .collect())
}
