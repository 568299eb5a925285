use std::{fmt, sync::OnceLock};

use super::{Param, Writer};
use crate::error::Result;

/// A table's columns, named once: what is read and what is stored are the same. In a statement it stands for those that a
/// record is read from, each with the table before it. `columns!` makes one.
pub(super) struct Columns<const READ: usize, const KEPT: usize> {
    pub(super) table: &'static str,
    pub(super) selected: &'static str,
    pub(super) read: [&'static str; READ],
    pub(super) kept: [&'static str; KEPT],
    /// The statement that stores a row, once it was made.
    pub(super) insertion: &'static OnceLock<String>,
}

/// `COLUMNS = table (what a record is read from) kept (what is stored besides: hashes, forms that are compared)`
macro_rules! columns {
    ($visible:vis $name:ident = $table:ident ($first:ident $(, $more:ident)* $(,)?) kept ($($kept:ident),* $(,)?)) => {
        $visible const $name: $crate::db::columns::Columns<
            { [stringify!($first) $(, stringify!($more))*].len() },
            { <[&str]>::len(&[$(stringify!($kept)),*]) },
        > = $crate::db::columns::Columns {
            table: stringify!($table),
            selected: concat!(
                stringify!($table), ".", stringify!($first)
                $(, ", ", stringify!($table), ".", stringify!($more))*
            ),
            read: [stringify!($first) $(, stringify!($more))*],
            kept: [$(stringify!($kept)),*],
            insertion: {
                static INSERTION: ::std::sync::OnceLock<String> = ::std::sync::OnceLock::new();
                &INSERTION
            },
        };
    };
}
pub(super) use columns;

impl<const READ: usize, const KEPT: usize> Columns<READ, KEPT> {
    /// Stores a row: the values in the order of the columns.
    pub(super) fn insert(
        &self,
        writer: &Writer<'_>,
        read: &[Param<'_>; READ],
        kept: &[Param<'_>; KEPT],
    ) -> Result<()> {
        writer.execute(self.insertion(), &[&read[..], kept].concat())?;
        Ok(())
    }

    /// The statement that does so.
    pub(super) fn insertion(&self) -> &'static str {
        self.insertion.get_or_init(|| {
            let names: Vec<&str> = self.read.iter().chain(&self.kept).copied().collect();
            let places: Vec<String> = (1..=names.len()).map(|n| format!("?{n}")).collect();
            let (names, places) = (names.join(", "), places.join(", "));
            format!("INSERT INTO {} ({names}) VALUES ({places})", self.table)
        })
    }
}

impl<const READ: usize, const KEPT: usize> fmt::Display for Columns<READ, KEPT> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.selected)
    }
}

#[cfg(test)]
mod tests {
    columns! { THINGS = things (id, name) kept (name_key) }

    #[test]
    fn a_table_is_read_and_stored_by_the_same_names() {
        assert_eq!(format!("SELECT {THINGS}"), "SELECT things.id, things.name");
        assert_eq!(
            THINGS.insertion(),
            "INSERT INTO things (id, name, name_key) VALUES (?1, ?2, ?3)"
        );
    }
}
