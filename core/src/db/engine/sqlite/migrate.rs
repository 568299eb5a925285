//! Makes a new file from `schema.sql`, or brings an older one to it (D2).

use std::{path::Path, path::PathBuf, time::SystemTime};

use rusqlite::{
    Connection, Transaction, TransactionBehavior,
    backup::Backup,
    config::DbConfig,
    functions::{Context, FunctionFlags},
    params,
};

use super::{
    backup, failure,
    file::{self, APPLICATION_ID},
    refold,
    trouble::{explained, io_failure, with_suffix},
    wal,
};
use crate::{
    clock,
    error::{KeyplateError, Result},
    values::text,
};

const SCHEMA_SQL: &str = include_str!("../../../../sql/schema.sql");

/// One step from the schema before it; `MIGRATIONS[0]` makes version 2 of version 1.
type Migration = &'static str;

const MIGRATIONS: &[Migration] = &[
    include_str!("../../../../sql/migrations/0002_sign_up.sql"),
    include_str!("../../../../sql/migrations/0003_passkeys_and_services.sql"),
    include_str!("../../../../sql/migrations/0004_access_tokens_and_plans.sql"),
    include_str!("../../../../sql/migrations/0005_folded_names.sql"),
    include_str!("../../../../sql/migrations/0006_trust.sql"),
    include_str!("../../../../sql/migrations/0007_ways_in.sql"),
    include_str!("../../../../sql/migrations/0008_every_host.sql"),
    include_str!("../../../../sql/migrations/0009_forward_auth.sql"),
];

/// From this schema on a copy can carry the mark of a back-up (D8).
pub(super) const FIRST_WITH_MARK: u32 = 4;
/// From this schema on a file has an id.
pub(super) const FIRST_WITH_ID: u32 = 7;

/// The schema that this library reads and writes (`PRAGMA user_version`).
pub(in crate::db::engine) const SCHEMA: u32 = schema_after(MIGRATIONS);

const fn schema_after(migrations: &[Migration]) -> u32 {
    migrations.len() as u32 + 1
}

/// True if the file was made or upgraded.
pub(super) fn migrate(connection: &mut Connection, path: &Path, now: SystemTime) -> Result<bool> {
    migrate_with(connection, path, now, SCHEMA_SQL, MIGRATIONS)
}

fn migrate_with(
    connection: &mut Connection,
    path: &Path,
    now: SystemTime,
    schema_sql: &str,
    migrations: &[Migration],
) -> Result<bool> {
    let known = schema_after(migrations);
    if check(version(connection)?, known)? {
        return Ok(false);
    }
    // A table that is made anew is dropped first, and all that refers to it would go along. It cannot be switched within a
    // transaction, and `foreign_key_check` looks before the commit.
    keep_foreign_keys(connection, false)?;
    let done = migrate_unbound(connection, path, now, schema_sql, migrations);
    keep_foreign_keys(connection, true)?;
    done.map(|()| true)
}

fn keep_foreign_keys(connection: &Connection, kept: bool) -> Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, kept)
        .map(drop)
        .map_err(failure)
}

fn migrate_unbound(
    connection: &mut Connection,
    path: &Path,
    now: SystemTime,
    schema_sql: &str,
    migrations: &[Migration],
) -> Result<()> {
    let known = schema_after(migrations);
    // IMMEDIATE: several processes may start at once, and one of them does the work.
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failure)?;
    let mut copy = None;
    match version(&transaction)? {
        found if check(found, known)? => {}
        0 => create(&transaction, now, schema_sql, known)?,
        found => {
            copy = Some(Copy::beside(path, found, now)?);
            give(&transaction, "folded", text::folded)?;
            give(&transaction, "folded_email", text::name_key)?;
            for migration in &migrations[found as usize - 1..] {
                transaction.execute_batch(migration).map_err(failure)?;
            }
            transaction.remove_function("folded", 1).map_err(failure)?;
            if found < refold::FIRST_SCHEMA {
                refold::refold(&transaction, now)?;
            }
            transaction
                .remove_function("folded_email", 1)
                .map_err(failure)?;
            check_foreign_keys(&transaction)?;
            transaction
                .execute("UPDATE instance SET schema = ?1", [known])
                .map_err(failure)?;
            if found < FIRST_WITH_ID {
                wal::give_file_id(&transaction)?;
            }
        }
    }
    transaction
        .pragma_update(None, "user_version", known)
        .map_err(failure)?;
    transaction.commit().map_err(failure)?;
    copy.into_iter().for_each(Copy::keep);
    Ok(())
}

/// Gives a function to the statements: SQLite's own `lower` knows ASCII only.
fn give(connection: &Connection, name: &str, folding: fn(&str) -> String) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    let folded = move |context: &Context<'_>| {
        let given: Option<String> = context.get(0)?;
        Ok(given.as_deref().map(folding))
    };
    connection
        .create_scalar_function(name, 1, flags, folded)
        .map_err(failure)
}

/// Does everything that is referred to still stand there?
pub(super) fn check_foreign_keys(transaction: &Connection) -> Result<()> {
    let mut statement = transaction
        .prepare("PRAGMA foreign_key_check")
        .map_err(failure)?;
    match statement.exists([]).map_err(failure)? {
        true => Err(KeyplateError::CorruptDatabase {
            reason: "a row refers to another that does not exist".to_owned(),
        }),
        false => Ok(()),
    }
}

/// True when there is nothing to do.
fn check(found: u32, known: u32) -> Result<bool> {
    if found > known {
        return Err(KeyplateError::SchemaTooNew {
            found: i64::from(found),
            known: i64::from(known),
        });
    }
    Ok(found == known)
}

pub(super) fn version(connection: &Connection) -> Result<u32> {
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(failure)
}

fn create(
    transaction: &Transaction<'_>,
    now: SystemTime,
    schema_sql: &str,
    known: u32,
) -> Result<()> {
    transaction
        .pragma_update(None, "application_id", APPLICATION_ID)
        .map_err(failure)?;
    transaction.execute_batch(schema_sql).map_err(failure)?;
    let now = clock::to_millis(now);
    transaction
        .execute(
            "INSERT INTO instance (id, schema, last_time, created_at) VALUES (1, ?1, ?2, ?2)",
            params![known, now],
        )
        .map_err(failure)?;
    wal::give_file_id(transaction)?;
    transaction
        .execute(
            "INSERT INTO setup (id, stage, generation) VALUES (1, 'uninitialised', 1)",
            [],
        )
        .map(drop)
        .map_err(failure)
}

/// A copy of the file as it was, named for its schema. An upgrade that fails takes it away again: the database is as it
/// was, and each further attempt would make another.
struct Copy {
    path: PathBuf,
    kept: bool,
}

impl Copy {
    /// The caller holds the write lock, so nothing moves meanwhile. It is a back-up like any other: whoever goes back to
    /// it must not find sessions that were ended since (D8).
    fn beside(database: &Path, schema: u32, now: SystemTime) -> Result<Self> {
        let path = copy_path(database, schema);
        let unfinished = Self {
            path: with_suffix(&path, ".tmp"),
            kept: false,
        };
        // What somebody left who was killed.
        remove(&unfinished.path)?;
        file::prepare(&unfinished.path, false)?;
        fill(database, &unfinished.path, schema, now)
            .map_err(|error| explained(error, &unfinished.path))?;
        std::fs::rename(&unfinished.path, &path).map_err(|error| io_failure(error, &path))?;
        let copy = Self { path, kept: false };
        backup::sync_folder_of(&copy.path)?;
        Ok(copy)
    }

    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if !self.kept {
            // The upgrade's own error is what its caller must see.
            let _ = remove(&self.path);
            let _ = remove(&with_suffix(&self.path, "-journal"));
        }
    }
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io_failure(error, path)),
        _ => Ok(()),
    }
}

fn fill(database: &Path, copy: &Path, schema: u32, now: SystemTime) -> Result<()> {
    #[expect(clippy::disallowed_methods, reason = "a copy, not the database itself")]
    let (from, mut to) = (
        Connection::open(database).map_err(failure)?,
        Connection::open(copy).map_err(failure)?,
    );
    let backup = Backup::new(&from, &mut to).map_err(failure)?;
    backup
        .run_to_completion(1_000, std::time::Duration::ZERO, None)
        .map_err(failure)?;
    drop(backup);
    if schema >= FIRST_WITH_MARK {
        backup::mark(&to, now, |_| Ok(()))?;
    }
    Ok(())
}

pub(super) fn copy_path(path: &Path, schema: u32) -> PathBuf {
    with_suffix(path, &format!(".schema-{schema}.backup"))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn open(path: &Path) -> Connection {
        #[expect(clippy::disallowed_methods, reason = "the test makes its own files")]
        Connection::open(path).unwrap()
    }

    #[test]
    fn an_older_file_is_copied_and_upgraded_in_one_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.db");
        let mut connection = open(&path);
        migrate(&mut connection, &path, UNIX_EPOCH).unwrap();
        assert_eq!(version(&connection).unwrap(), SCHEMA);

        let mut grown = MIGRATIONS.to_vec();
        grown
            .push("CREATE TABLE more (id INTEGER PRIMARY KEY) STRICT; INSERT INTO more VALUES (7)");
        migrate_with(&mut connection, &path, UNIX_EPOCH, SCHEMA_SQL, &grown).unwrap();
        assert_eq!(version(&connection).unwrap(), SCHEMA + 1);
        let schema: u32 = connection
            .query_row("SELECT schema FROM instance", [], |row| row.get(0))
            .unwrap();
        assert_eq!(schema, SCHEMA + 1);

        let copy = open(&copy_path(&path, SCHEMA));
        assert_eq!(version(&copy).unwrap(), SCHEMA);
        let mark = |connection: &Connection| -> Option<i64> {
            let sql = "SELECT backed_up_at FROM instance";
            connection.query_row(sql, [], |row| row.get(0)).unwrap()
        };
        assert_eq!((mark(&connection), mark(&copy)), (None, Some(0)));

        // Of a back-up that nobody has opened yet the copy is one too, and as old.
        let later = UNIX_EPOCH + std::time::Duration::from_secs(9);
        connection
            .execute("UPDATE instance SET backed_up_at = 7", [])
            .unwrap();
        grown.push("CREATE TABLE still_more (id INTEGER PRIMARY KEY) STRICT");
        migrate_with(&mut connection, &path, later, SCHEMA_SQL, &grown).unwrap();
        let copy = open(&copy_path(&path, SCHEMA + 1));
        assert_eq!((mark(&connection), mark(&copy)), (Some(7), Some(7)));
        assert!(matches!(
            migrate(&mut connection, &path, UNIX_EPOCH),
            Err(KeyplateError::SchemaTooNew { .. })
        ));
    }

    /// A table that is made anew takes nothing along, and nothing may be left behind.
    #[test]
    fn what_refers_to_a_table_stays_and_nothing_refers_to_what_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.db");
        let mut connection = open(&path);
        migrate(&mut connection, &path, UNIX_EPOCH).unwrap();
        let rows = r"
            INSERT INTO groups (id, name, name_key, friendly_name, created_at)
            VALUES ('11111111-2222-4333-8444-555555555555', 'friends', 'friends', 'Friends', 0);
            INSERT INTO group_claims VALUES ('11111111-2222-4333-8444-555555555555', 'quota', '10')";
        connection.execute_batch(rows).unwrap();
        let claims = |connection: &Connection| -> i64 {
            let sql = "SELECT count(*) FROM group_claims";
            connection.query_row(sql, [], |row| row.get(0)).unwrap()
        };
        let mut grown = MIGRATIONS.to_vec();
        grown.push("DELETE FROM groups");
        let left = migrate_with(&mut connection, &path, UNIX_EPOCH, SCHEMA_SQL, &grown);
        assert!(matches!(left, Err(KeyplateError::CorruptDatabase { .. })));
        assert_eq!(version(&connection).unwrap(), SCHEMA);

        grown.pop();
        grown.push(
            r"
            CREATE TABLE new_groups AS SELECT * FROM groups;
            DROP TABLE groups;
            CREATE TABLE groups (id TEXT PRIMARY KEY) STRICT;
            INSERT INTO groups SELECT id FROM new_groups;
            DROP TABLE new_groups",
        );
        migrate_with(&mut connection, &path, UNIX_EPOCH, SCHEMA_SQL, &grown).unwrap();
        assert_eq!(claims(&connection), 1);
        // From now on they go along again.
        connection.execute("DELETE FROM groups", []).unwrap();
        assert_eq!(claims(&connection), 0);
    }

    #[test]
    fn a_failed_upgrade_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.db");
        let mut connection = open(&path);
        migrate(&mut connection, &path, UNIX_EPOCH).unwrap();
        let mut broken = MIGRATIONS.to_vec();
        broken.push("CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT; SELECT no_such_function()");
        assert!(migrate_with(&mut connection, &path, UNIX_EPOCH, SCHEMA_SQL, &broken).is_err());
        assert_eq!(version(&connection).unwrap(), SCHEMA);
        let left = copy_path(&path, SCHEMA);
        assert!(!left.exists() && !with_suffix(&left, ".tmp").exists());
        let tables: u32 = connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name = 'half'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(tables, 0);
    }
}
