//! Statements on one connection, their values, and what became of its transaction.

use std::{
    cell::{Cell as Place, RefCell},
    collections::HashMap,
    error::Error,
};

use bytes::BytesMut;
use postgres::{
    Client, Statement,
    types::{FromSql, IsNull, ToSql, Type, to_sql_checked},
};

use super::{
    super::Row as EngineRow,
    failure::{self, failure},
};
use crate::{
    db::{Cell, Kind, Param},
    error::{Result, internal},
};

/// How many statements a connection keeps prepared.
const STATEMENTS: usize = 256;

/// A connection, as `Reader` and `Writer` have it.
pub(in crate::db::engine) struct Session {
    client: RefCell<Client>,
    statements: RefCell<HashMap<String, Statement>>,
    trouble: Place<Trouble>,
    /// A transaction has begun, and not ended.
    is_open: Place<bool>,
    /// A statement of the transaction failed: the server refuses the others, and turns a commit into its opposite.
    is_broken: Place<bool>,
}

/// What became of the transaction besides its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    /// Another was quicker: it is to be run again.
    Overtaken,
    /// It met a row that must be there once only.
    Met,
    /// The connection has ended.
    Gone,
}

impl Session {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client: RefCell::new(client),
            statements: RefCell::default(),
            trouble: Place::new(Trouble::None),
            is_open: Place::new(false),
            is_broken: Place::new(false),
        }
    }

    pub(super) fn trouble(&self) -> Trouble {
        self.trouble.get()
    }

    pub(super) fn is_gone(&self) -> bool {
        self.trouble.get() == Trouble::Gone
    }

    /// Ready for the next call.
    pub(super) fn refresh(&self) {
        self.trouble.set(Trouble::None);
    }

    pub(super) fn begin_reading(&self) -> Result<()> {
        self.begin("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY")
    }

    /// The turn comes before the snapshot: what is seen then is what the one before has left.
    pub(super) fn begin_writing(&self, waits: bool) -> Result<()> {
        self.begin(match waits {
            true => {
                "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE; SET LOCAL lock_timeout = '100ms'; \
                 LOCK TABLE turns IN EXCLUSIVE MODE"
            }
            false => {
                "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE; SET LOCAL lock_timeout = '100ms'; \
                 LOCK TABLE turns IN EXCLUSIVE MODE NOWAIT"
            }
        })
    }

    /// For what is done once, under a lock of its own.
    pub(super) fn begin_plain(&self) -> Result<()> {
        self.begin(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '100ms'",
        )
    }

    fn begin(&self, sql: &str) -> Result<()> {
        // Also when it fails: it may have failed behind its first part.
        self.is_open.set(true);
        self.run(sql)
    }

    /// Refuses a transaction of which a part failed without a word.
    pub(super) fn check_whole(&self) -> Result<()> {
        match self.is_broken.get() {
            true => Err(internal("a statement failed and nobody was told")),
            false => Ok(()),
        }
    }

    pub(super) fn commit(&self) -> Result<()> {
        self.run("COMMIT")?;
        self.is_open.set(false);
        Ok(())
    }

    /// Ends a transaction that was not committed. If that fails, the connection is of no use.
    pub(super) fn roll_back(&self) {
        if self.is_open.replace(false) && !self.is_gone() {
            let trouble = self.trouble.get();
            let ended = self.run("ROLLBACK");
            self.trouble.set(match ended {
                Ok(()) => trouble,
                Err(_) => Trouble::Gone,
            });
        }
        self.is_broken.set(false);
    }

    /// Several statements without parameters.
    pub(super) fn run(&self, sql: &str) -> Result<()> {
        let done = self.client.borrow_mut().batch_execute(sql);
        done.map_err(|error| self.failed(&error))
    }

    pub(in crate::db::engine) fn query_one<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        from_row: impl FnOnce(&EngineRow<'_, '_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let rows = self.query(sql, params)?;
        let row = rows.first();
        row.map(|row| from_row(&EngineRow::new(Cells(row).into())))
            .transpose()
    }

    pub(in crate::db::engine) fn query_all<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut from_row: impl FnMut(&EngineRow<'_, '_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let rows = self.query(sql, params)?;
        rows.iter()
            .map(|row| from_row(&EngineRow::new(Cells(row).into())))
            .collect()
    }

    fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<postgres::Row>> {
        let statement = self.prepared(sql, params)?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
        let rows = self.client.borrow_mut().query(&statement, &params);
        rows.map_err(|error| self.failed(&error))
    }

    pub(in crate::db::engine) fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<usize> {
        let statement = self.prepared(sql, params)?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
        let changed = self.client.borrow_mut().execute(&statement, &params);
        let changed = changed.map_err(|error| self.failed(&error))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    pub(in crate::db::engine) fn took_id(&self, table: &str, id: i64) -> Result<()> {
        let sql = "SELECT setval(pg_get_serial_sequence(?1, 'id'), ?2)";
        let params = [Param::from(table), Param::from(id)];
        self.query_one(sql, &params, |_| Ok(())).map(drop)
    }

    /// Undoes what `f` did to the transaction if it fails.
    pub(in crate::db::engine) fn try_within<T>(&self, f: impl FnOnce() -> Result<T>) -> Result<T> {
        self.run("SAVEPOINT attempt")?;
        let result = f();
        if self.trouble.get() != Trouble::None {
            // All of it runs again.
            return result;
        }
        match &result {
            Ok(_) => self.run("RELEASE attempt")?,
            Err(_) => {
                self.run("ROLLBACK TO attempt; RELEASE attempt")?;
                self.is_broken.set(false);
            }
        }
        result
    }

    /// The kinds of its parameters are the statement's for ever, so the text alone finds it.
    fn prepared(&self, sql: &str, params: &[Param<'_>]) -> Result<Statement> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let types: Vec<Type> = params.iter().map(type_of).collect();
        let prepared = self
            .client
            .borrow_mut()
            .prepare_typed(&with_dollars(sql), &types);
        let statement = prepared.map_err(|error| self.failed(&error))?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= STATEMENTS {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn failed(&self, error: &postgres::Error) -> crate::error::KeyplateError {
        self.is_broken.set(true);
        let trouble = failure::trouble(error);
        // What is worse stays.
        if trouble != Trouble::None && !self.is_gone() {
            self.trouble.set(trouble);
        }
        failure(error)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// Numbered parameters as PostgreSQL writes them: `?7` is `$7`, outside of quotes.
fn with_dollars(sql: &str) -> String {
    let mut is_quoted = false;
    let turned = |c| {
        is_quoted ^= c == '\'';
        if c == '?' && !is_quoted { '$' } else { c }
    };
    sql.chars().map(turned).collect()
}

fn type_of(param: &Param<'_>) -> Type {
    match param {
        Param::Null(Kind::Integer) | Param::Integer(_) => Type::INT8,
        Param::Null(Kind::Text) | Param::Text(_) => Type::TEXT,
        Param::Null(Kind::Blob) | Param::Blob(_) => Type::BYTEA,
    }
}

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn Error + Sync + Send>> {
        match *self {
            Self::Null(_) => Ok(IsNull::Yes),
            Self::Integer(value) => value.to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Blob(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::TEXT, Type::BYTEA].contains(ty)
    }

    to_sql_checked!();
}

/// The columns of a row.
#[derive(Clone, Copy, Debug)]
pub(in crate::db::engine) struct Cells<'r>(&'r postgres::Row);

impl<'r> Cells<'r> {
    pub(in crate::db::engine) fn width(self) -> usize {
        self.0.len()
    }

    pub(in crate::db::engine) fn is_named(self, place: usize, name: &str) -> bool {
        self.0.columns()[place].name() == name
    }

    /// What stands in this place, if it is of a kind that we store.
    pub(in crate::db::engine) fn cell(self, place: usize) -> Result<Option<Cell<'r>>> {
        let value: Value<'r> = self.0.try_get(place).map_err(|error| failure(&error))?;
        Ok(value.0)
    }
}

/// A value of a type that we store or that an expression gives.
struct Value<'r>(Option<Cell<'r>>);

impl<'r> FromSql<'r> for Value<'r> {
    fn from_sql(
        ty: &Type,
        raw: &'r [u8],
    ) -> std::result::Result<Self, Box<dyn Error + Sync + Send>> {
        let cell = match *ty {
            Type::INT8 => Some(Cell::Integer(i64::from_sql(ty, raw)?)),
            Type::INT4 => Some(Cell::Integer(i32::from_sql(ty, raw)?.into())),
            Type::BOOL => Some(Cell::Integer(bool::from_sql(ty, raw)?.into())),
            Type::BYTEA => Some(Cell::Blob(raw)),
            Type::TEXT => std::str::from_utf8(raw).ok().map(Cell::Text),
            _ => None,
        };
        Ok(Self(cell))
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Some(Cell::Null)))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_as_postgresql_numbers_them() {
        let sql = "SELECT '?1', id FROM users WHERE a = ?1 AND b LIKE ?12 ESCAPE '\\' OR c = ?1";
        let turned = "SELECT '?1', id FROM users WHERE a = $1 AND b LIKE $12 ESCAPE '\\' OR c = $1";
        assert_eq!(with_dollars(sql), turned);
    }
}
