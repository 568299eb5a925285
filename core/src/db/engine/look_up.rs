//! What is asked at every request: one statement, without a transaction, which would cost half as much again. So it reads
//! the time and the schema itself, by a part that the engine adds.

use std::time::SystemTime;

use super::{
    Row, check_schema,
    time::{ANCHOR_COLUMNS, Timekeeper},
};
use crate::error::Result;

/// A statement for `Engine::look_up`, as each engine wants it.
pub(crate) struct LookUp {
    /// `CROSS JOIN`: in this order, whatever statistics say. Each table is one descent.
    pub(super) sqlite: &'static str,
    /// The planner's own order: each table is found by a unique key.
    #[cfg(feature = "postgres")]
    pub(super) postgres: &'static str,
}

impl LookUp {
    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, reason = "one engine")
    )]
    pub(crate) const fn new(sqlite: &'static str, postgres: &'static str) -> Self {
        Self {
            sqlite,
            #[cfg(feature = "postgres")]
            postgres,
        }
    }

    /// What the row holds besides the time and the schema, and the time.
    pub(super) fn found<T>(
        &self,
        row: &Row<'_, '_>,
        time: &Timekeeper,
        from_row: impl Fn(&Row<'_, '_>, SystemTime) -> Result<T>,
    ) -> Result<T> {
        check_schema(row.at(ANCHOR_COLUMNS)?)?;
        let now = time.now(row)?.now;
        from_row(&row.after(ANCHOR_COLUMNS + 1), now)
    }
}

/// Makes one from what it looks for: columns, tables and condition, in common SQL. After the columns there may be one that
/// holds a value of each of several rows, joined by a new line, which each engine has its own word for.
macro_rules! look_up {
    (SELECT $columns:expr,
     JOINED $before:literal ($joins:literal) $after:literal,
     FROM $table:literal, $(JOIN $joined:literal ON $on:literal,)* WHERE $condition:literal) => {
        $crate::db::LookUp::new(
            concat!(
                "SELECT ", $crate::db::anchor_columns!(), ", instance.schema, ", $columns, ", ",
                $before, "group_concat(", $joins, ", char(10))", $after,
                " FROM instance CROSS JOIN ", $table,
                $(" CROSS JOIN ", $joined, " ON ", $on,)*
                " WHERE instance.id = 1 AND ", $condition
            ),
            concat!(
                "SELECT ", $crate::db::anchor_columns!(), ", instance.schema, ", $crate::db::server_clock!(), ", ",
                $columns, ", ", $before, "string_agg(", $joins, ", chr(10))", $after,
                " FROM instance CROSS JOIN ", $table,
                $(" JOIN ", $joined, " ON ", $on,)*
                " WHERE instance.id = 1 AND ", $condition
            ),
        )
    };
    (SELECT $columns:expr, FROM $table:literal, $(JOIN $joined:literal ON $on:literal,)* WHERE $condition:literal) => {
        $crate::db::LookUp::new(
            concat!(
                "SELECT ", $crate::db::anchor_columns!(), ", instance.schema, ", $columns,
                " FROM instance CROSS JOIN ", $table,
                $(" CROSS JOIN ", $joined, " ON ", $on,)*
                " WHERE instance.id = 1 AND ", $condition
            ),
            concat!(
                "SELECT ", $crate::db::anchor_columns!(), ", instance.schema, ", $crate::db::server_clock!(), ", ", $columns,
                " FROM instance CROSS JOIN ", $table,
                $(" JOIN ", $joined, " ON ", $on,)*
                " WHERE instance.id = 1 AND ", $condition
            ),
        )
    };
}
pub(crate) use look_up;
