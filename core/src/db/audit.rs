use std::{collections::BTreeMap, time::SystemTime};

use super::{PageRequest, Param, Reader, Row, Writer, columns::columns, params};
use crate::{
    error::{Result, internal},
    model::{
        audit::{ActorKind, AuditEvent, AuditQuery, AuditSort, Detail, EventKind},
        ids::UserId,
    },
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
    // Nothing can be in its way. A statement that may have to take back a part of itself copies each page beforehand.
    let insertion = COLUMNS.insertion();
    insert_as(
        writer,
        event,
        None,
        1,
        &format!("{insertion} RETURNING id, count"),
    )
    .map(|(id, _)| id)
}

/// Adds so many to the row with this key, or makes it; gives the event as it now stands.
pub(crate) fn insert_or_count(
    writer: &Writer<'_>,
    event: &AuditEvent,
    key: &str,
    times: i64,
) -> Result<AuditEvent> {
    let (id, count) = insert_with_key(writer, event, key, times)?;
    Ok(AuditEvent {
        id,
        count,
        ..event.clone()
    })
}

/// Adds so many to the row with this key, or makes it, with the sums by name as its details; gives the event as it now
/// stands.
pub(crate) fn insert_or_add(
    writer: &Writer<'_>,
    event: &AuditEvent,
    key: &str,
    times: i64,
    sums: &BTreeMap<String, i64>,
) -> Result<AuditEvent> {
    let sql = "SELECT details FROM audit WHERE refusal_key = ?1";
    let before: Option<String> = writer.query_one(sql, params![key], |row| row.get("details"))?;
    let before = before
        .as_deref()
        .map_or(Ok(Vec::new()), details_from_json)?;
    let mut sums = sums.clone();
    for Detail { name, value } in before {
        *sums.entry(name).or_default() += value.parse::<i64>().unwrap_or_default();
    }
    let details = sums.into_iter().map(|(name, sum)| Detail {
        name,
        value: sum.to_string(),
    });
    let event = AuditEvent {
        details: details.collect(),
        ..event.clone()
    };
    let stored = insert_or_count(writer, &event, key, times)?;
    set_details(writer, stored.id, &event.details)?;
    Ok(stored)
}

pub(crate) fn set_details(writer: &Writer<'_>, id: i64, details: &[Detail]) -> Result<()> {
    let details = details_to_json(details)?;
    let sql = "UPDATE audit SET details = ?2 WHERE id = ?1";
    writer.execute(sql, params![id, &details])?;
    Ok(())
}

pub(crate) fn has_key(reader: &Reader<'_>, key: &str) -> Result<bool> {
    let sql = "SELECT count(*) FROM audit WHERE refusal_key = ?1";
    Ok(reader.value::<i64>(sql, params![key])? > 0)
}

/// How many rows have a key that begins so, with a blank at its end.
pub(crate) fn count_keys(reader: &Reader<'_>, beginning: &str) -> Result<i64> {
    let end = format!("{}!", beginning.trim_end());
    let sql = "SELECT count(*) FROM audit WHERE refusal_key >= ?1 AND refusal_key < ?2";
    reader.value(sql, params![beginning, &end])
}

fn insert_with_key(
    writer: &Writer<'_>,
    event: &AuditEvent,
    key: &str,
    times: i64,
) -> Result<(i64, i64)> {
    let insertion = COLUMNS.insertion();
    let sql = format!(
        r"
        {insertion}
        ON CONFLICT (refusal_key)
        DO UPDATE SET count = audit.count + excluded.count, at = excluded.at
        RETURNING id, count"
    );
    insert_as(writer, event, Some(key), times, &sql)
}

/// Gives the row's id and count.
fn insert_as(
    writer: &Writer<'_>,
    event: &AuditEvent,
    key: Option<&str>,
    times: i64,
    sql: &str,
) -> Result<(i64, i64)> {
    let details = details_to_json(&event.details)?;
    let stored = writer.query_one(
        sql,
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

/// A query as its statements want it: only what is asked for is a condition, so that each is answered by an index.
struct Wanted<'q> {
    params: Vec<Param<'q>>,
    /// What comes after a column that holds one of the users; empty where everybody's are wanted.
    among_users: String,
    /// The conditions besides.
    conditions: Vec<String>,
}

impl<'q> Wanted<'q> {
    fn of(query: &'q AuditQuery) -> Self {
        let mut params = Vec::new();
        let user_ids = query.user_id.iter().chain(&query.user_ids);
        let among_users = among(&mut params, user_ids.map(Param::from));
        let mut conditions = Vec::new();
        let kinds = query.kind.iter().chain(&query.kinds).copied();
        let among_kinds = among(&mut params, kinds.map(Param::from));
        if !among_kinds.is_empty() {
            conditions.push(format!("kind {among_kinds}"));
        }
        if query.since.is_some() {
            params.push(Param::from(query.since));
            conditions.push(format!("at >= ?{}", params.len()));
        }
        if query.after.is_some() {
            params.push(Param::from(query.after));
            conditions.push(format!("id > ?{}", params.len()));
        }
        Self {
            params,
            among_users,
            conditions,
        }
    }

    fn are_of_users(&self) -> bool {
        !self.among_users.is_empty()
    }

    /// The conditions with these before them, as a clause.
    fn clause(&self, before: &[String]) -> String {
        let all: Vec<&str> = before
            .iter()
            .chain(&self.conditions)
            .map(String::as_str)
            .collect();
        match all.is_empty() {
            true => String::new(),
            false => format!("WHERE {}", all.join(" AND ")),
        }
    }

    fn about_users(&self) -> String {
        self.clause(&[format!("user_id {}", self.among_users)])
    }

    fn by_users(&self) -> String {
        self.clause(&[format!("actor_id {}", self.among_users)])
    }

    /// Each half by its own index, which holds every column that is asked for: no row of the table is read to be counted.
    fn count_sql(&self) -> String {
        if !self.are_of_users() {
            return format!("SELECT count(*) FROM audit {}", self.clause(&[]));
        }
        let among = &self.among_users;
        let about = self.about_users();
        let by = self.clause(&[
            format!("actor_id {among}"),
            format!("(user_id IS NULL OR NOT user_id {among})"),
        ]);
        format!(
            r"
            SELECT (
                SELECT count(*)
                FROM audit
                {about}
            ) + (
                SELECT count(*)
                FROM audit
                {by}
            )"
        )
    }

    /// In their own order the ids come from the indexes, so that a page costs what it shows and what it skips.
    fn list_sql(&mut self, query: &AuditQuery, viewer: Option<&'q UserId>, rows: Rows) -> String {
        let direction = if query.ascending || query.after.is_some() {
            "ASC"
        } else {
            "DESC"
        };
        let mut order = match query.sort {
            None => String::new(),
            Some(AuditSort::Time) => format!("at {direction}, "),
            Some(AuditSort::Kind) => format!("kind {direction}, "),
            Some(AuditSort::Address) => self.shown("address", direction, viewer),
            Some(AuditSort::UserAgent) => self.shown("user_agent", direction, viewer),
        };
        order.push_str(&format!("id {direction}"));
        self.params.push(Param::from(rows.most));
        self.params.push(Param::from(rows.skipped));
        let skipped = self.params.len();
        let most = skipped - 1;
        if !self.are_of_users() {
            let clause = self.clause(&[]);
            return format!(
                "SELECT audit.id, {COLUMNS} FROM audit {clause} ORDER BY {order} LIMIT ?{most} OFFSET ?{skipped}"
            );
        }
        let (about, by) = (self.about_users(), self.by_users());
        let ids = format!("SELECT id FROM audit {about} UNION SELECT id FROM audit {by}");
        let rows = format!("SELECT audit.id, {COLUMNS} FROM audit");
        match query.sort {
            None => format!(
                "{rows} WHERE audit.id IN ({ids} ORDER BY {order} LIMIT ?{most} OFFSET ?{skipped}) ORDER BY {order}"
            ),
            Some(_) => format!(
                "{rows} WHERE audit.id IN ({ids}) ORDER BY {order} LIMIT ?{most} OFFSET ?{skipped}"
            ),
        }
    }

    /// A1: what the viewer does not see of a row does not tell its place either.
    fn shown(&mut self, column: &str, direction: &str, viewer: Option<&'q UserId>) -> String {
        let end = if direction == "ASC" { "FIRST" } else { "LAST" };
        let Some(viewer) = viewer else {
            return format!("{column} {direction} NULLS {end}, ");
        };
        self.params.push(Param::from(viewer));
        let place = self.params.len();
        format!(
            "CASE WHEN actor_kind <> 'user' OR actor_id = ?{place} THEN {column} END {direction} NULLS {end}, "
        )
    }
}

/// Which of the rows that are found.
#[derive(Clone, Copy)]
struct Rows {
    most: i64,
    skipped: i64,
}

/// `= ?1` or `IN (?1, ?2)` for these values, which it adds to the parameters; nothing where there are none.
fn among<'q>(params: &mut Vec<Param<'q>>, values: impl Iterator<Item = Param<'q>>) -> String {
    let before = params.len();
    params.extend(values);
    let places: Vec<String> = (before + 1..=params.len())
        .map(|place| format!("?{place}"))
        .collect();
    match &places[..] {
        [] => String::new(),
        [one] => format!("= {one}"),
        several => format!("IN ({})", several.join(", ")),
    }
}

pub(crate) fn count(reader: &Reader<'_>, query: &AuditQuery) -> Result<i64> {
    let wanted = Wanted::of(query);
    reader.value(&wanted.count_sql(), &wanted.params)
}

/// A page of `total` events, which `count` has given in the same snapshot, for this viewer, or for one who sees all of each.
pub(crate) fn list(
    reader: &Reader<'_>,
    query: &AuditQuery,
    viewer: Option<&UserId>,
    page: PageRequest,
    total: i64,
) -> Result<Vec<AuditEvent>> {
    // The last page asks for no more than there is: else the search for one more row would go on to the first.
    let rows = Rows {
        most: page.limit.min(total - page.offset()),
        skipped: page.offset(),
    };
    if rows.most <= 0 {
        return Ok(Vec::new());
    }
    let mut wanted = Wanted::of(query);
    let sql = wanted.list_sql(query, viewer, rows);
    reader.query_all(&sql, &wanted.params, from_row)
}

/// Gives nobody the next so many ids.
pub(crate) fn skip_ids(writer: &Writer<'_>, count: i64) -> Result<()> {
    let last: i64 = writer.value("SELECT COALESCE(MAX(id), 0) FROM audit", &[])?;
    let id = last.saturating_add(count);
    writer.execute(
        r"
        INSERT INTO audit (id, at, kind, actor_kind, details, count)
        VALUES (?1, ?2, ?3, ?4, '{}', 1)",
        params![id, writer.now(), EventKind::BackupRestored, ActorKind::Host],
    )?;
    writer.execute("DELETE FROM audit WHERE id = ?1", params![id])?;
    Ok(())
}

/// Removes at most so many that are older, the oldest first.
pub(crate) fn purge(writer: &Writer<'_>, before: SystemTime, most: i64) -> Result<usize> {
    writer.execute(
        r"
        DELETE FROM audit
        WHERE id IN (SELECT id FROM audit WHERE at < ?1 ORDER BY at LIMIT ?2)",
        params![before, most],
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        clock::Clock,
        db::{Engine, Options},
        model::{audit::EventKind, ids::UserId},
    };

    /// How SQLite goes about a query, a line for each table or index.
    fn plan(reader: &Reader<'_>, sql: &str, params: &[crate::db::Param<'_>]) -> Vec<String> {
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        let lines = reader.query_all(&sql, params, |row| row.get::<String>("detail"));
        lines.unwrap()
    }

    /// An index for every filter: nobody makes the whole log be read by asking for a page of it.
    #[test]
    fn no_filter_reads_the_whole_log() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            path: folder.path().join("id.db"),
            busy_timeout: Duration::from_secs(1),
            allow_shared_file: false,
        };
        let engine = Engine::open(options, Clock::new(None)).unwrap();
        let user = UserId::generate(SystemTime::UNIX_EPOCH).unwrap();
        for filter in 0..16 {
            let query = AuditQuery {
                user_id: (filter & 1 > 0).then_some(user),
                kind: (filter & 2 > 0).then_some(EventKind::SignInRefused),
                since: (filter & 4 > 0).then_some(SystemTime::UNIX_EPOCH),
                after: (filter & 8 > 0).then_some(7),
                ..AuditQuery::default()
            };
            let rows = Rows {
                most: 20,
                skipped: 0,
            };
            let (counted, listed) = engine
                .read(|reader| {
                    let mut wanted = Wanted::of(&query);
                    let counted = plan(reader, &wanted.count_sql(), &wanted.params);
                    let sql = wanted.list_sql(&query, None, rows);
                    Ok((counted, plan(reader, &sql, &wanted.params)))
                })
                .unwrap();
            let counts_in_an_index = counted
                .iter()
                .filter(|line| line.contains("audit"))
                .all(|line| line.contains("COVERING INDEX") || line.contains("PRIMARY KEY"));
            assert!(counts_in_an_index, "{filter}: {counted:?}");
            // Without user and kind the page is at the end of the table itself, or after an id.
            let by_table = listed == ["SCAN audit"]
                || listed == ["SEARCH audit USING INTEGER PRIMARY KEY (rowid>?)"];
            assert_eq!(by_table, filter & 3 == 0, "{filter}: {listed:?}");
            if !by_table {
                let scans = |line: &String| {
                    line.starts_with("SCAN audit") || line.contains("TEMP B-TREE FOR ORDER BY")
                };
                assert!(!listed.iter().any(scans), "{filter}: {listed:?}");
            }
            if filter & 1 > 0 {
                for index in ["audit_by_user", "audit_by_actor"] {
                    let by_index = |lines: &[String]| lines.iter().any(|l| l.contains(index));
                    assert!(by_index(&counted) && by_index(&listed), "{filter}");
                }
            }
        }
    }
}
