//! What is asked at every request: one statement, without a transaction, which would cost half as much again. So it reads
//! the time and the schema itself, by a part that the engine adds.

use std::time::SystemTime;

use super::{Engine, Row, check_schema, query_one, time::ANCHOR_COLUMNS};
use crate::{db::Param, error::Result};

/// A statement for `Engine::look_up`, as each engine wants it.
pub(crate) struct LookUp {
    /// `CROSS JOIN`: in this order, whatever statistics say. Each table is one descent.
    pub(super) sqlite: &'static str,
}

impl LookUp {
    pub(crate) const fn new(sqlite: &'static str) -> Self {
        Self { sqlite }
    }
}

/// Makes one from what it looks for: columns, tables and condition, in common SQL.
macro_rules! look_up {
    (SELECT $columns:expr, FROM $table:literal, $(JOIN $joined:literal ON $on:literal,)* WHERE $condition:literal) => {
        $crate::db::LookUp::new(concat!(
            "SELECT ", $crate::db::anchor_columns!(), ", instance.schema, ", $columns,
            " FROM instance CROSS JOIN ", $table,
            $(" CROSS JOIN ", $joined, " ON ", $on,)*
            " WHERE instance.id = 1 AND ", $condition
        ))
    };
}
pub(crate) use look_up;

impl Engine {
    /// Gives the row, if there is one, with the time (C5). Its columns are read by their places.
    pub(crate) fn look_up<T>(
        &self,
        statement: &LookUp,
        params: &[Param<'_>],
        from_row: impl Fn(&Row<'_, '_>, SystemTime) -> Result<T>,
    ) -> Result<Option<T>> {
        self.with_reader(|connection| {
            let found = query_one(connection, statement.sqlite, params, |row| {
                check_schema(row.at(ANCHOR_COLUMNS)?)?;
                let now = self.time.now(row)?.now;
                from_row(&row.after(ANCHOR_COLUMNS + 1), now)
            })?;
            if found.is_none() {
                // No row told the schema: what is not found here may be there for a newer library.
                self.reader(connection)?;
            }
            Ok(found)
        })
    }
}
