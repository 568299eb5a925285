//! Putting a back-up in the place of a database (D8), so that whoever is killed at any step leaves the one or the other,
//! whole and with no log but its own.
//!
//! 1. The back-up is copied beside the database, under a name of its own, and there checked and marked.
//! 2. The database is locked. SQLite brings its log into it and removes the log: it is whole by itself from now on. If it
//!    cannot be read, which may be why somebody restores, its files are locked as files, and its log is set aside first.
//! 3. The two exchange their names, in one step.
//!
//! The new file has an id that no log knows, so a log that were left behind would be refused (`wal`).

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt, chown},
    path::{Path, PathBuf},
    time::SystemTime,
};

use rusqlite::{Connection, OpenFlags};
use rustix::{
    fs::{CWD, FlockOperation, RenameFlags, fcntl_lock, renameat_with},
    io::Errno,
};

use super::{
    backup::{self, sync_folder_of},
    check_schema, failure,
    file::{self, APPLICATION_ID},
    fork, migrate, ownership,
    trouble::{explained, io_failure, unreadable, with_suffix},
    wal,
};
use crate::{
    clock::{self, Clock},
    crypto::encryption,
    error::{ConfigurationReason, InputReason, KeyplateError, Result, internal, invalid},
};

/// The argument that names the back-up.
const BACKUP: &str = "backup";
/// What SQLite keeps beside a database and takes for a part of it.
const PARTS: [&str; 2] = ["-wal", "-journal"];

/// What `restore_backup` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredBackup {
    /// When the back-up was made; of a plain copy, the time of its last change.
    pub made_at: SystemTime,
    /// The former database under its new name, if there was one. If it could not be read, its log is beside it.
    pub former: Option<PathBuf>,
}

/// Puts a copy of a back-up in the place of a database that nobody has open, and keeps the database under another name.
///
/// The back-up is checked first, as by `check_integrity`. It may be one of an older schema, and a plain copy of a database
/// that everybody had closed. The next `open` does what it does with any back-up: see `Keyplate::back_up_to`. A process that
/// is killed in the middle leaves the one database or the other, and perhaps a file with `.partial` in its name. With
/// `allow_shared_file`, folders in which others can replace files are allowed, as by `Config::allow_shared_file`.
///
/// # Errors
/// `Busy` while somebody has the database open; `InvalidInput` with the field `backup` for a path that is no back-up;
/// `ForeignDatabase`, `CorruptDatabase` and `SchemaTooNew` for what is in it; `Configuration` with the option `path` for the
/// path of the database; the storage errors, after which the database is what it was.
pub fn restore_backup(
    database: &Path,
    backup: &Path,
    allow_shared_file: bool,
) -> Result<RestoredBackup> {
    let pid = std::process::id();
    let _still = fork::enter(pid)?;
    fork::close_inherited(pid)?;
    if !allow_shared_file {
        file::check_ownership(database)?;
    }
    let database = place(database)?;
    check_backup(backup, &database, allow_shared_file)?;
    let now = Clock::new(None).now()?;
    let new = Unplaced::copy_of(backup, &database)?;
    let made_at = new
        .make_ready(now)
        .map_err(|error| explained(error, &new.path))?;
    let former = match Lock::of(&database)? {
        Some(lock) => Some(new.exchange(&database, lock, now)?),
        None => {
            new.put(&database, now)?;
            None
        }
    };
    sync_folder_of(&database)?;
    Ok(RestoredBackup { made_at, former })
}

/// The path without links, with or without a file at its end.
fn place(database: &Path) -> Result<PathBuf> {
    let refused = |reason| crate::error::configuration("path", reason);
    match fs::canonicalize(database) {
        Ok(found) if found.is_file() => return Ok(found),
        Ok(_) => return Err(refused(ConfigurationReason::NotAFile)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unreadable(error, database)),
    }
    let name = database
        .file_name()
        .ok_or_else(|| refused(ConfigurationReason::NoFile))?;
    let folder = fs::canonicalize(backup::folder_of(database));
    let folder = folder.map_err(|_| refused(ConfigurationReason::NoFolder))?;
    Ok(folder.join(name))
}

fn check_backup(backup: &Path, database: &Path, allow_shared_file: bool) -> Result<()> {
    let refused = |reason| Err(invalid(BACKUP, reason));
    let found = match fs::metadata(backup) {
        Ok(found) if found.is_file() => found,
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(unreadable(error, backup));
        }
        _ => return refused(InputReason::NotAFile),
    };
    let is_it = |path: PathBuf| {
        fs::metadata(path)
            .is_ok_and(|other| (other.dev(), other.ino()) == (found.dev(), found.ino()))
    };
    let parts = ["", "-wal", "-shm", "-journal"];
    if parts.iter().any(|part| is_it(with_suffix(database, part))) {
        return refused(InputReason::OwnFile);
    }
    let has_log = PARTS.iter().any(|part| {
        let part = with_suffix(backup, part);
        fs::metadata(part).is_ok_and(|part| part.len() > 0)
    });
    if has_log || fork::is_open_here(&found) {
        return refused(InputReason::InUse);
    }
    let shared = Some(ConfigurationReason::SharedFolder);
    if !allow_shared_file && ownership::distrust(backup) == shared {
        return refused(InputReason::SharedFolder);
    }
    Ok(())
}

/// The copy that is to take the database's place. It goes away unless it does.
struct Unplaced {
    path: PathBuf,
}

impl Unplaced {
    fn copy_of(backup: &Path, database: &Path) -> Result<Self> {
        let random = u64::from_ne_bytes(encryption::random()?);
        let path = with_suffix(database, &format!(".{random:016x}.partial"));
        let mut from = File::open(backup).map_err(|error| unreadable(error, backup))?;
        let mut to = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| io_failure(error, &path))?;
        let new = Self { path };
        io::copy(&mut from, &mut to).map_err(|error| io_failure(error, &new.path))?;
        new.give_to_owner_of(database)?;
        Ok(new)
    }

    /// Root restores what a server's own user has to open.
    fn give_to_owner_of(&self, database: &Path) -> Result<()> {
        let owner = fs::metadata(database).or_else(|_| fs::metadata(backup::folder_of(database)));
        let Ok(owner) = owner else { return Ok(()) };
        let ours = fs::metadata(&self.path).map_err(|error| io_failure(error, &self.path))?;
        if rustix::process::geteuid().is_root() && ours.uid() != owner.uid() {
            chown(&self.path, Some(owner.uid()), Some(owner.gid()))
                .map_err(|error| io_failure(error, &self.path))?;
        }
        Ok(())
    }

    /// Checks and marks it; when the back-up was made.
    fn make_ready(&self, now: SystemTime) -> Result<SystemTime> {
        let mut connection = connect(&self.path)?;
        check_content(&connection)?;
        let found = migrate::version(&connection)?;
        if found < migrate::FIRST_WITH_MARK {
            migrate::migrate(&mut connection, &self.path, now)?;
            let copy = migrate::copy_path(&self.path, found);
            fs::remove_file(&copy).map_err(|error| io_failure(error, &copy))?;
        }
        // One file, whatever it was.
        run(&connection, "PRAGMA journal_mode = DELETE")?;
        let time = |sql| -> Result<Option<i64>> {
            connection
                .query_row(sql, [], |row| row.get(0))
                .map_err(failure)
        };
        let changed = time("SELECT last_time FROM instance")?.unwrap_or_default();
        let at = clock::from_millis(changed);
        backup::mark(&connection, at, |_| Ok(()))?;
        let made_at = time("SELECT backed_up_at FROM instance")?.unwrap_or(changed);
        drop(connection);
        let file = File::open(&self.path).and_then(|file| file.sync_all());
        file.map_err(|error| io_failure(error, &self.path))?;
        Ok(clock::from_millis(made_at))
    }

    /// Takes the place of a database, which gets a name of its own in the same step.
    fn exchange(mut self, database: &Path, lock: Lock, now: SystemTime) -> Result<PathBuf> {
        let former = free_name(database, now);
        match lock {
            Lock::Files(_) => set_aside(database, &former)?,
            // What was in it is in the database, and committed.
            Lock::Database { .. } => {
                remove(&with_suffix(database, "-journal"))?;
                remove(&with_suffix(database, "-shm"))?;
            }
        }
        // Who is killed after this leaves a copy of the back-up under that name, and nothing has changed.
        fs::rename(&self.path, &former).map_err(|error| io_failure(error, &former))?;
        self.path.clone_from(&former);
        match renameat_with(CWD, &former, CWD, database, RenameFlags::EXCHANGE) {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                self.replace(database, &former)?;
            }
            Err(error) => return Err(io_failure(error.into(), database)),
        }
        self.path.clear();
        drop(lock);
        Ok(former)
    }

    /// For file systems that cannot exchange names. Who is killed in between leaves the database with two names.
    fn replace(&self, database: &Path, former: &Path) -> Result<()> {
        let new = with_suffix(former, ".partial");
        fs::rename(former, &new).map_err(|error| io_failure(error, &new))?;
        let placed = fs::hard_link(database, former).and_then(|()| fs::rename(&new, database));
        placed.map_err(|error| {
            let _ = fs::remove_file(&new);
            io_failure(error, database)
        })
    }

    /// Where no database is.
    fn put(mut self, database: &Path, now: SystemTime) -> Result<()> {
        set_aside(database, &free_name(database, now))?;
        match renameat_with(CWD, &self.path, CWD, database, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                fs::rename(&self.path, database).map_err(|error| io_failure(error, database))?;
            }
            Err(error) => return Err(io_failure(error.into(), database)),
        }
        self.path.clear();
        Ok(())
    }
}

impl Drop for Unplaced {
    fn drop(&mut self) {
        if self.path.as_os_str().is_empty() {
            return;
        }
        for part in ["", "-wal", "-shm", "-journal"] {
            // Nothing more can be done about it.
            let _ = fs::remove_file(with_suffix(&self.path, part));
        }
    }
}

/// Keeps everybody else away from the database until it has its new name.
enum Lock {
    /// SQLite's, of a database that is whole without its log.
    Database { _connection: Connection },
    /// One of the operating system's, which SQLite's locks of other processes exclude.
    Files(#[expect(dead_code, reason = "the lock ends when it is closed")] File),
}

impl Lock {
    /// None if there is no database.
    fn of(database: &Path) -> Result<Option<Self>> {
        let found = match fs::metadata(database) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            found => found.map_err(|error| unreadable(error, database))?,
        };
        if fork::is_open_here(&found) {
            return Err(KeyplateError::Busy);
        }
        match Self::of_database(database) {
            Ok(lock) => Ok(Some(lock)),
            Err(KeyplateError::Busy) => Err(KeyplateError::Busy),
            Err(_) => Self::of_files(database).map(Some),
        }
    }

    fn of_database(database: &Path) -> Result<Self> {
        wal::check_belongs(database)?;
        let connection = connect(database)?;
        run(&connection, "PRAGMA locking_mode = EXCLUSIVE")?;
        run(&connection, "SELECT count(*) FROM sqlite_schema")?;
        let mode: String = connection
            .query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))
            .map_err(failure)?;
        if mode != "delete" {
            return Err(internal("the log stayed"));
        }
        // With a rollback journal the lock comes with the first transaction, and stays.
        run(&connection, "BEGIN EXCLUSIVE")?;
        run(&connection, "COMMIT")?;
        Ok(Self::Database {
            _connection: connection,
        })
    }

    fn of_files(database: &Path) -> Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(database);
        let file = file.map_err(|error| unreadable(error, database))?;
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self::Files(file)),
            Err(Errno::AGAIN | Errno::ACCESS) => Err(KeyplateError::Busy),
            Err(error) => Err(unreadable(error.into(), database)),
        }
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    #[expect(
        clippy::disallowed_methods,
        reason = "a copy, or a database that is about to be replaced"
    )]
    let connection = Connection::open_with_flags(path, flags).map_err(failure)?;
    connection
        .busy_timeout(std::time::Duration::ZERO)
        .map_err(failure)?;
    Ok(connection)
}

/// A statement whose rows are of no interest.
fn run(connection: &Connection, sql: &str) -> Result<()> {
    let mut statement = connection.prepare(sql).map_err(failure)?;
    let mut rows = statement.raw_query();
    while rows.next().map_err(failure)?.is_some() {}
    Ok(())
}

fn check_content(connection: &Connection) -> Result<()> {
    let pragma = |name| -> Result<i64> {
        connection
            .pragma_query_value(None, name, |row| row.get(0))
            .map_err(failure)
    };
    let schema = migrate::version(connection)?;
    if pragma("application_id")? != APPLICATION_ID || schema == 0 {
        return Err(KeyplateError::ForeignDatabase {
            reason: "the file is no back-up of a database of this library".to_owned(),
        });
    }
    if schema > migrate::SCHEMA {
        return check_schema(schema);
    }
    let problem: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(failure)?;
    if problem != "ok" {
        return Err(KeyplateError::CorruptDatabase { reason: problem });
    }
    migrate::check_foreign_keys(connection)
}

/// What SQLite would take for the new file's own.
fn set_aside(database: &Path, former: &Path) -> Result<()> {
    for part in PARTS {
        let (from, to) = (with_suffix(database, part), with_suffix(former, part));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io_failure(error, &from));
            }
            _ => {}
        }
    }
    // It is made anew from the log.
    remove(&with_suffix(database, "-shm"))
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_failure(error, path)),
        _ => Ok(()),
    }
}

/// A name with the time, which nothing has.
fn free_name(database: &Path, now: SystemTime) -> PathBuf {
    let time = clock::rfc3339(now).replace(':', "-");
    let time = time.split('.').next().unwrap_or_default();
    let time = time.trim_end_matches('Z');
    let named = |number: u32| match number {
        1 => with_suffix(database, &format!(".before-{time}Z")),
        number => with_suffix(database, &format!(".before-{time}Z-{number}")),
    };
    let is_free = |path: &PathBuf| {
        ["", "-wal", "-journal"]
            .iter()
            .all(|part| fs::symlink_metadata(with_suffix(path, part)).is_err())
    };
    let mut names = (1..).map(named);
    names.find(is_free).expect("there is no end of numbers")
}
