//! D6: transactions that run twice leave exactly one of everything.

use std::{collections::BTreeSet, path::Path};

use keyplate::EventKind;
use rusqlite::types::Value as Stored;
use serde_json::Value;

use crate::common::{Fixture, raw};

/// Number, event, who, to whom, how many times.
type LogRow = (i64, String, Option<String>, Option<String>, i64);

/// What a database holds and what its host heard, without what is random.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Traces {
    /// Each table with its number of rows.
    tables: Vec<(String, i64)>,
    /// The log in its order.
    log: Vec<LogRow>,
    heard: Vec<EventKind>,
}

impl Traces {
    pub(crate) fn of(fixture: &Fixture) -> Self {
        let connection = raw(&fixture.path());
        let count = |table: String| {
            let sql = format!("SELECT count(*) FROM {table}");
            let rows = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            (table, rows)
        };
        let mut log = connection
            .prepare("SELECT id, kind, actor_name, username, count FROM audit ORDER BY id")
            .unwrap();
        let log = log.query_map([], |row| {
            let (id, kind, actor) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok((id, kind, actor, row.get(3)?, row.get(4)?))
        });
        Self {
            tables: tables(&connection).into_iter().map(count).collect(),
            log: log.unwrap().map(Result::unwrap).collect(),
            heard: fixture.heard.kinds(),
        }
    }

    /// Nothing was heard that is not stored, and nothing twice.
    pub(crate) fn assert_heard_once(fixture: &Fixture) {
        let stored = Self::of(fixture).log;
        let heard = fixture.heard.0.lock().unwrap();
        let mut numbers = BTreeSet::new();
        for event in heard.iter() {
            let id = event.id;
            assert!(numbers.insert(id), "{id} was heard twice");
            assert!(stored.iter().any(|row| row.0 == id), "{id} is not stored");
        }
    }
}

/// Every id in a result is one that was stored.
pub(crate) fn check_ids(path: &Path, result: &Value) -> Result<(), String> {
    let mut ids = Vec::new();
    gather(result, &mut ids);
    if ids.is_empty() {
        return Ok(());
    }
    let stored = texts(path);
    match ids.into_iter().find(|id| !stored.contains(*id)) {
        Some(id) => Err(format!("{id} is not stored, in {result}")),
        None => Ok(()),
    }
}

fn gather<'a>(value: &'a Value, ids: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if is_uuid(text) => ids.push(text),
        Value::Array(items) => items.iter().for_each(|item| gather(item, ids)),
        Value::Object(object) => object.values().for_each(|item| gather(item, ids)),
        _ => {}
    }
}

fn is_uuid(text: &str) -> bool {
    let hyphen = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    let fits = |(at, byte): (usize, u8)| match hyphen(at) {
        true => byte == b'-',
        false => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

fn tables(connection: &rusqlite::Connection) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

/// Every text in every table.
fn texts(path: &Path) -> BTreeSet<String> {
    let connection = raw(path);
    let mut texts = BTreeSet::new();
    for table in tables(&connection) {
        let sql = format!("SELECT * FROM {table}");
        let mut statement = connection.prepare(&sql).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            texts.extend(
                (0..columns).filter_map(|column| match row.get(column).unwrap() {
                    Stored::Text(text) => Some(text),
                    _ => None,
                }),
            );
        }
    }
    texts
}
