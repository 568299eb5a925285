//! The tables of a server's database as a file has them, for tests that look beside the library or play somebody who changes
//! a row: they say it once, in SQLite's words. What they changed is brought back when the copy is dropped.

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
    path::Path,
};

use postgres::{Client, types::ToSql as ToPostgres};
use rusqlite::{Connection, ToSql, types::Value};

type Rows = Vec<Vec<Value>>;

pub struct Copy {
    connection: Connection,
    /// None for a file, which is itself.
    server: Option<(Client, BTreeMap<String, Rows>)>,
}

impl Copy {
    pub fn of(path: &Path) -> Self {
        let Some(mut client) = super::server::connect(path) else {
            return Self {
                connection: super::file(path),
                server: None,
            };
        };
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(include_str!("../../sql/schema.sql"))
            .unwrap();
        connection
            .pragma_update(None, "foreign_keys", false)
            .unwrap();
        let mut snapshot = client.transaction().unwrap();
        let mut before = BTreeMap::new();
        for table in tables(&connection) {
            let columns = columns(&connection, &table).join(", ");
            let rows = snapshot
                .query(&format!("SELECT {columns} FROM {table}"), &[])
                .unwrap();
            for row in &rows {
                let values: Vec<Value> = (0..row.len()).map(|place| value(row, place)).collect();
                insert(&connection, &table, &values);
            }
            before.insert(table.clone(), rows_of(&connection, &table));
        }
        drop(snapshot);
        Self {
            connection,
            server: Some((client, before)),
        }
    }
}

impl Deref for Copy {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Copy {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let Some((client, before)) = &mut self.server else {
            return;
        };
        let mut changed = before.clone();
        changed.retain(|table, rows| *rows != rows_of(&self.connection, table));
        if changed.is_empty() {
            return;
        }
        let mut transaction = client.transaction().unwrap();
        // Whoever plays another program may leave what refers to nothing.
        transaction
            .batch_execute("SET LOCAL session_replication_role = replica")
            .unwrap();
        for table in changed.keys() {
            transaction
                .batch_execute(&format!("DELETE FROM {table}"))
                .unwrap();
            for row in rows_of(&self.connection, table) {
                let columns = columns(&self.connection, table).join(", ");
                let values: Vec<String> = row.iter().map(literal).collect();
                let values = values.join(", ");
                let sql = format!("INSERT INTO {table} ({columns}) VALUES ({values})");
                transaction
                    .execute(&sql, &[] as &[&(dyn ToPostgres + Sync)])
                    .unwrap();
            }
            if table == "audit" {
                let next =
                    "SELECT setval(pg_get_serial_sequence('audit', 'id'), max(id)) FROM audit";
                transaction.query(next, &[]).unwrap();
            }
        }
        transaction.commit().unwrap();
    }
}

fn tables(connection: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    strings(connection, sql)
}

fn columns(connection: &Connection, table: &str) -> Vec<String> {
    strings(
        connection,
        &format!("SELECT name FROM pragma_table_info('{table}')"),
    )
}

fn strings(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(rusqlite::Result::unwrap).collect()
}

fn rows_of(connection: &Connection, table: &str) -> Rows {
    let mut statement = connection
        .prepare(&format!("SELECT * FROM {table}"))
        .unwrap();
    let width = statement.column_count();
    let rows = statement.query_map([], |row| (0..width).map(|place| row.get(place)).collect());
    rows.unwrap().map(rusqlite::Result::unwrap).collect()
}

fn insert(connection: &Connection, table: &str, values: &[Value]) {
    let places = vec!["?"; values.len()].join(", ");
    let values: Vec<&dyn ToSql> = values.iter().map(|value| value as _).collect();
    connection
        .execute(
            &format!("INSERT INTO {table} VALUES ({places})"),
            &values[..],
        )
        .unwrap();
}

fn value(row: &postgres::Row, place: usize) -> Value {
    match row.columns()[place].type_().name() {
        "int8" => row.get::<_, Option<i64>>(place).into(),
        "text" => row.get::<_, Option<String>>(place).into(),
        "bytea" => row.get::<_, Option<Vec<u8>>>(place).into(),
        other => panic!("a column of type {other}"),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Blob(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("'\\x{hex}'::bytea")
        }
        Value::Real(_) => panic!("no column has one"),
    }
}
