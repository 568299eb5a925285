//! Opening connections: flags, pragmas, and what is looked at before anything is written.

use std::{
    fs::File,
    io::Read,
    path::Path,
    thread,
    time::{Duration, Instant, SystemTime},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{
    Options, failure,
    file::{self, APPLICATION_ID, FileIdentity},
    migrate,
    pool::Cache,
};
use crate::error::{KeyplateError, Result};

const STATEMENTS: usize = 128;
/// KiB of page cache a connection may come to use.
const CACHE_KIB: i64 = 8192;
/// The same of a reader that is wanted only under load.
const SMALL_CACHE_KIB: i64 = 512;
/// A log that has grown beyond this is cut when it begins anew.
const LOG_BYTES: i64 = 16 << 20;

/// Opens the file for the first time: makes, checks or upgrades it.
pub(super) fn open_first(options: &Options, now: SystemTime) -> Result<(Connection, FileIdentity)> {
    file::prepare(&options.path, options.allow_shared_file)?;
    let mut connection = open(options).and_then(|connection| {
        check_application(&connection)?;
        Ok(connection)
    });
    if let Err(KeyplateError::ForeignDatabase { .. }) = connection {
        connection = connection.map_err(|error| what_else(&options.path).unwrap_or(error));
    }
    let mut connection = connection?;
    switch_to_wal(&connection, options.busy_timeout)?;
    migrate::migrate(&mut connection, &options.path, now)?;
    let file = FileIdentity::of(&options.path)?;
    Ok((connection, file))
}

/// Opens one more connection to a file that `open_first` has seen.
pub(super) fn open(options: &Options) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where connections are opened"
    )]
    let connection = Connection::open_with_flags(&options.path, flags).map_err(failure)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    configure(&connection, options).map_err(failure)?;
    Ok(connection)
}

/// Opens one more connection, which refuses to write.
pub(super) fn open_reader(options: &Options, cache: Cache) -> Result<Connection> {
    let connection = open(options)?;
    let configure = || {
        if cache == Cache::Small {
            connection.pragma_update(None, "cache_size", -SMALL_CACHE_KIB)?;
        }
        connection.pragma_update(None, "query_only", true)
    };
    configure().map_err(failure)?;
    Ok(connection)
}

fn configure(connection: &Connection, options: &Options) -> rusqlite::Result<()> {
    connection.busy_timeout(options.busy_timeout)?;
    // Without it a plan is made anew whenever a parameter is bound, once statistics exist.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    // There may be no other folder that can be written (containers with a read-only root).
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)
}

/// A file that SQLite cannot read: zeros are damage, the rest is somebody else's. Only such a file is opened beside
/// SQLite: closing one drops the locks that this process has on it (POSIX, fcntl).
fn what_else(path: &Path) -> Option<KeyplateError> {
    let mut head = [1; 16];
    File::open(path).ok()?.read_exact(&mut head).ok()?;
    (head == [0; 16]).then(|| KeyplateError::CorruptDatabase {
        reason: "the file begins with zeros".to_owned(),
    })
}

fn check_application(connection: &Connection) -> Result<()> {
    // One snapshot: another process may be making the file.
    let snapshot = connection.unchecked_transaction().map_err(failure)?;
    let id: i64 = snapshot
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(failure)?;
    if id == APPLICATION_ID {
        return Ok(());
    }
    let objects: i64 = snapshot
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failure)?;
    if id == 0 && objects == 0 {
        return Ok(()); // new, or made by somebody who was killed before they began
    }
    Err(KeyplateError::ForeignDatabase {
        reason: "the file belongs to another application".to_owned(),
    })
}

/// The switch wants the file to itself for a moment and does not call the busy handler.
fn switch_to_wal(connection: &Connection, patience: Duration) -> Result<()> {
    let deadline = Instant::now() + patience;
    loop {
        let switched = connection.query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        });
        match switched.map_err(failure) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(KeyplateError::StorageFailed {
                    reason: format!(
                        "the file system does not support a write-ahead log (journal mode {mode})"
                    ),
                });
            }
            Err(KeyplateError::Busy) if Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(5))
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// On a read-only root there is no folder for temporary files.
    #[test]
    fn nothing_is_written_to_temporary_files() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            path: folder.path().join("id.db"),
            busy_timeout: Duration::ZERO,
            allow_shared_file: false,
        };
        file::prepare(&options.path, false).unwrap();
        let connection = open(&options).unwrap();
        let number = |pragma| -> i64 {
            connection
                .pragma_query_value(None, pragma, |row| row.get(0))
                .unwrap()
        };
        const MEMORY: i64 = 2;
        assert_eq!(number("temp_store"), MEMORY);
        assert_eq!(number("journal_size_limit"), LOG_BYTES);
    }

    /// Of several processes that open a new file at once, one makes it while the others look.
    #[test]
    fn a_file_that_is_being_made_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            path: folder.path().join("id.db"),
            busy_timeout: Duration::from_secs(5),
            allow_shared_file: false,
        };
        file::prepare(&options.path, false).unwrap();
        let (maker, looker) = (open(&options).unwrap(), open(&options).unwrap());
        switch_to_wal(&maker, options.busy_timeout).unwrap();
        maker.pragma_update(None, "synchronous", "OFF").unwrap();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let over = &over;
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let made =
                        "BEGIN; PRAGMA application_id = 1262836048; CREATE TABLE t (id); COMMIT";
                    let gone = "BEGIN; PRAGMA application_id = 0; DROP TABLE t; COMMIT";
                    maker.execute_batch(made).unwrap();
                    maker.execute_batch(gone).unwrap();
                }
            });
            let seen: Vec<Result<()>> = (0..20_000).map(|_| check_application(&looker)).collect();
            over.store(true, Ordering::Relaxed);
            for result in seen {
                result.unwrap();
            }
        });
    }
}
