//! Statements on one connection, their values and their errors.

use rusqlite::{CachedStatement, Connection, ToSql, types::ToSqlOutput, types::ValueRef};

use super::{super::Row, cache::Kept, wal};
use crate::{
    db::{Cell, Param},
    error::{KeyplateError, Result},
};

/// A connection, as `Reader` and `Writer` have it.
#[derive(Clone, Copy, Debug)]
pub(in crate::db::engine) struct Session<'c>(&'c Connection);

impl<'c> Session<'c> {
    pub(super) fn of(connection: &'c Connection) -> Self {
        Self(connection)
    }
}

impl Session<'_> {
    pub(in crate::db::engine) fn query_one<T>(
        self,
        sql: &str,
        params: &[Param<'_>],
        from_row: impl FnOnce(&Row<'_, '_>) -> Result<T>,
    ) -> Result<Option<T>> {
        query_one(self.0, sql, params, from_row)
    }

    pub(in crate::db::engine) fn query_all<T>(
        self,
        sql: &str,
        params: &[Param<'_>],
        from_row: impl FnMut(&Row<'_, '_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        query_all(self.0, sql, params, from_row)
    }

    pub(in crate::db::engine) fn execute(self, sql: &str, params: &[Param<'_>]) -> Result<usize> {
        let mut statement = prepare(self.0, sql, params)?;
        statement.raw_execute().map_err(failure)
    }

    /// Undoes what `f` did to the transaction if it fails.
    pub(in crate::db::engine) fn try_within<T>(self, f: impl FnOnce() -> Result<T>) -> Result<T> {
        run(self.0, "SAVEPOINT attempt")?;
        let result = f();
        // After some failures, such as that of a full disk, SQLite has rolled back the whole.
        if result.is_err() && !self.0.is_autocommit() {
            run(self.0, "ROLLBACK TO attempt")?;
        }
        if !self.0.is_autocommit() {
            run(self.0, "RELEASE attempt")?;
        }
        result
    }

    /// AUTOINCREMENT goes on from the highest id that ever was, whoever gave it.
    pub(in crate::db::engine) fn took_id(self, _table: &str, _id: i64) -> Result<()> {
        Ok(())
    }

    /// D8: from now on this is another file than the one that it was copied from.
    pub(in crate::db::engine) fn renew_file_id(self) -> Result<()> {
        wal::give_file_id(self.0)
    }
}

/// The columns of a row.
#[derive(Clone, Copy, Debug)]
pub(in crate::db::engine) enum Cells<'r, 's> {
    /// As the driver gives it.
    Found(&'r rusqlite::Row<'s>),
    /// As the cache has it: by places alone, for look-ups ask for no names (D7).
    Kept(&'r Kept),
}

impl<'r> Cells<'r, '_> {
    pub(in crate::db::engine) fn width(self) -> usize {
        match self {
            Self::Found(row) => row.as_ref().column_count(),
            Self::Kept(row) => row.width(),
        }
    }

    pub(in crate::db::engine) fn is_named(self, place: usize, name: &str) -> bool {
        match self {
            Self::Found(row) => {
                let found = row.as_ref().column_name(place);
                found.is_ok_and(|found| found == name)
            }
            Self::Kept(_) => false,
        }
    }

    /// What stands in this place, if it is of a kind that we store.
    pub(in crate::db::engine) fn cell(self, place: usize) -> Result<Option<Cell<'r>>> {
        let row = match self {
            Self::Found(row) => row,
            Self::Kept(row) => return Ok(row.cell(place)),
        };
        Ok(match row.get_ref(place).map_err(failure)? {
            ValueRef::Null => Some(Cell::Null),
            ValueRef::Integer(value) => Some(Cell::Integer(value)),
            ValueRef::Text(text) => std::str::from_utf8(text).ok().map(Cell::Text),
            ValueRef::Blob(bytes) => Some(Cell::Blob(bytes)),
            ValueRef::Real(_) => None,
        })
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null(_) => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

pub(super) fn run(connection: &Connection, sql: &str) -> Result<()> {
    prepare(connection, sql, &[])?
        .raw_execute()
        .map(drop)
        .map_err(failure)
}

fn prepare<'c>(
    connection: &'c Connection,
    sql: &str,
    params: &[Param<'_>],
) -> Result<CachedStatement<'c>> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    for (index, param) in params.iter().enumerate() {
        statement
            .raw_bind_parameter(index + 1, param)
            .map_err(failure)?;
    }
    Ok(statement)
}

pub(super) fn query_one<T>(
    connection: &Connection,
    sql: &str,
    params: &[Param<'_>],
    from_row: impl FnOnce(&Row<'_, '_>) -> Result<T>,
) -> Result<Option<T>> {
    one(connection, sql, params, |cells| {
        from_row(&Row::new(cells.into()))
    })
}

pub(super) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: &[Param<'_>],
    from_cells: impl FnOnce(Cells<'_, '_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut statement = prepare(connection, sql, params)?;
    let mut rows = statement.raw_query();
    match rows.next().map_err(failure)? {
        Some(row) => from_cells(Cells::Found(row)).map(Some),
        None => Ok(None),
    }
}

pub(super) fn query_all<T>(
    connection: &Connection,
    sql: &str,
    params: &[Param<'_>],
    mut from_row: impl FnMut(&Row<'_, '_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut statement = prepare(connection, sql, params)?;
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failure)? {
        found.push(from_row(&Row::new(Cells::Found(row).into()))?);
    }
    Ok(found)
}

/// The driver's error in our words (D5). It is never an invalid credential, and it holds no SQL. Whoever knows the file adds
/// the path (`trouble::explained`).
pub(super) fn failure(error: rusqlite::Error) -> KeyplateError {
    use rusqlite::{ErrorCode as Code, ffi};

    let path = String::new();

    let rusqlite::Error::SqliteFailure(sqlite, _) = &error else {
        return crate::error::internal("the database driver refused a statement");
    };
    match (sqlite.code, sqlite.extended_code) {
        (Code::DatabaseBusy | Code::DatabaseLocked | Code::FileLockingProtocolFailed, _) => {
            KeyplateError::Busy
        }
        (Code::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => KeyplateError::StorageFull { path },
        (_, ffi::SQLITE_READONLY_DBMOVED) => KeyplateError::StorageLost { path },
        (Code::ReadOnly | Code::PermissionDenied, _) => KeyplateError::StorageReadOnly { path },
        (Code::DatabaseCorrupt, _) => KeyplateError::CorruptDatabase {
            reason: "a page cannot be read".to_owned(),
        },
        (Code::NotADatabase, _) => KeyplateError::ForeignDatabase {
            reason: "the file is no SQLite database".to_owned(),
        },
        (Code::CannotOpen | Code::SystemIoFailure, extended) => KeyplateError::StorageFailed {
            path,
            reason: format!("{} (SQLite {extended})", ffi::code_to_str(extended)),
        },
        (_, extended) => {
            crate::error::internal(format!("SQLite {extended}: {}", ffi::code_to_str(extended)))
        }
    }
}
