//! Opening connections: flags, pragmas, and what is looked at before anything is written.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    thread,
    time::{Duration, Instant, SystemTime},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{
    Options, failure,
    file::{self, APPLICATION_ID, FileIdentity},
    index::InUse,
    make_room, migrate,
    pool::Cache,
    trouble::{explained, unreadable, with_suffix},
    wal,
};
use crate::error::{ConfigurationReason, KeyplateError, Result, configuration};

const STATEMENTS: usize = 128;
/// KiB of page cache a connection may come to use.
const CACHE_KIB: i64 = 4096;
/// The same of a reader that is wanted only under load.
const SMALL_CACHE_KIB: i64 = 512;
/// A log that has grown beyond this is cut when it begins anew.
const LOG_BYTES: i64 = 16 << 20;

/// A file that was opened for the first time.
pub(super) struct First {
    pub(super) writer: Writing,
    pub(super) file: FileIdentity,
    pub(super) in_use: InUse,
}

/// The connection that writes.
pub(super) struct Writing {
    pub(super) connection: Connection,
    /// It has the file to itself, because the disk has no room for what processes need to share it.
    pub(super) is_alone: bool,
}

/// Opens the file for the first time: makes, checks or upgrades it.
pub(super) fn open_first(options: &Options, now: SystemTime) -> Result<First> {
    let path = &options.path;
    file::prepare(path, options.allow_shared_file)?;
    let file = FileIdentity::of(path, options.allow_shared_file)?;
    let in_use = InUse::of(file.database())?;
    let target = fs::canonicalize(path).map_err(|error| unreadable(error, path))?;
    wal::check_belongs(&target)?;
    check_is_not_open_elsewhere(options, &target)?;
    let mut writer = open_writer(options);
    if let Err(KeyplateError::ForeignDatabase { .. }) = writer {
        writer = writer.map_err(|error| what_else(path).unwrap_or(error));
    }
    let mut writer = writer?;
    switch_to_wal(&writer.connection, options.patience())?;
    if migrate::migrate(&mut writer.connection, path, now)? {
        // A log that begins with an upgrade could be taken for one of the file before it (D8).
        make_room(&writer.connection);
    }
    // It may have been replaced in between.
    file.check_file()?;
    file.learn_beside()?;
    Ok(First {
        writer,
        file,
        in_use,
    })
}

/// Opens a connection to write by, and reads from the file. SQLite needs room for an index of the log, which processes
/// share. If the disk has none, it keeps it in its own memory, and the file to itself.
pub(super) fn open_writer(options: &Options) -> Result<Writing> {
    let opened = |connection: Connection| check_application(&connection).map(|()| connection);
    match open(options, Sharing::WithOthers).and_then(opened) {
        Ok(connection) => Ok(Writing {
            connection,
            is_alone: false,
        }),
        Err(error) => match explained(error, &options.path) {
            full @ KeyplateError::StorageFull { .. } => {
                let connection = open(options, Sharing::Alone).and_then(opened);
                let connection = connection.map_err(|_| full)?;
                Ok(Writing {
                    connection,
                    is_alone: true,
                })
            }
            error => Err(error),
        },
    }
}

/// Whoever has the file open has its log and its index beside it. If one of them is missing, and there is a lock on the file
/// nevertheless, then somebody has them elsewhere: the file has two names or mounts, or they were removed. What they have
/// committed would not be seen here, and lost.
fn check_is_not_open_elsewhere(options: &Options, target: &Path) -> Result<()> {
    let has = |suffix| with_suffix(target, suffix).exists();
    let is_new = fs::metadata(target).is_ok_and(|found| found.len() == 0);
    if is_new || has("-wal") && has("-shm") {
        return Ok(());
    }
    // What else stands in the way is told by whoever opens the file in earnest.
    let Ok(connection) = connect(options, Sharing::Alone) else {
        return Ok(());
    };
    let look = || {
        // What is in a log stays there.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.busy_timeout(Duration::ZERO)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
            row.get::<_, i64>(0)
        })
    };
    match look().map_err(failure) {
        Err(KeyplateError::Busy) if !has("-wal") => {
            Err(configuration("path", ConfigurationReason::OpenElsewhere))
        }
        Err(KeyplateError::Busy) => Err(KeyplateError::Busy),
        _ => Ok(()),
    }
}

/// Who else may have the file open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    WithOthers,
    Alone,
}

fn connect(options: &Options, sharing: Sharing) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where connections are opened"
    )]
    let connection = Connection::open_with_flags(&options.path, flags).map_err(failure)?;
    if sharing == Sharing::Alone {
        // Before anything is read: afterwards the index is shared already.
        connection
            .pragma_update(None, "locking_mode", "EXCLUSIVE")
            .map_err(failure)?;
    }
    Ok(connection)
}

fn open(options: &Options, sharing: Sharing) -> Result<Connection> {
    let connection = connect(options, sharing)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    configure(&connection, options).map_err(failure)?;
    Ok(connection)
}

/// Opens one more connection, which refuses to write.
pub(super) fn open_reader(options: &Options, cache: Cache) -> Result<Connection> {
    let connection = open(options, Sharing::WithOthers)?;
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
    connection.busy_timeout(options.patience())?;
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
                    path: String::new(),
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
            cache_bytes: 0,
        };
        file::prepare(&options.path, false).unwrap();
        let connection = open(&options, Sharing::WithOthers).unwrap();
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
            cache_bytes: 0,
        };
        file::prepare(&options.path, false).unwrap();
        let (maker, looker) = (
            open(&options, Sharing::WithOthers).unwrap(),
            open(&options, Sharing::WithOthers).unwrap(),
        );
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
