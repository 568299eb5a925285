//! Back-ups (D8): one snapshot of the file, private from its first byte, marked, and safe on the disk before it has its
//! name.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rusqlite::{Connection, OpenFlags};

use super::{
    Sqlite, check_schema, failure,
    migrate::FIRST_WITH_ID,
    ownership,
    trouble::{explained, io_failure, with_suffix},
    wal,
};
use crate::{
    clock,
    crypto::encryption,
    error::{ConflictReason, InputReason, Result, conflict, invalid},
};

/// What SQLite keeps beside a database, and takes for its own.
const SIDE_FILES: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// A back-up that was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackedUp {
    pub(crate) at: SystemTime,
    pub(crate) bytes: u64,
}

impl Sqlite {
    /// Copies the database to a new file, as it is at one moment after this was called. Writers are not held up, and do
    /// not hold it up: `VACUUM INTO` reads one snapshot, where SQLite's back-up in steps would begin again after every
    /// commit. What was deleted is not in the copy.
    pub(in crate::db::engine) fn back_up_to(&self, path: &str) -> Result<BackedUp> {
        let destination = Destination::checked(path, &self.options.path)?;
        if !self.options.allow_shared_file {
            destination.check_folder()?;
        }
        self.with_reader(|connection| {
            self.file.check_file()?;
            let at = self.reader(connection)?.now();
            let unfinished = Unfinished::create(&destination)?;
            let path = destination.path();
            unfinished
                .copy(connection)
                .map_err(|error| explained(error, &path))?;
            mark(&unfinished.open()?, at, check_schema).map_err(|error| explained(error, &path))?;
            let bytes = unfinished.publish(&destination)?;
            Ok(BackedUp { at, bytes })
        })
    }

    /// How much room the database takes on the disk.
    pub(in crate::db::engine) fn file_bytes(&self) -> Result<u64> {
        let path = &self.options.path;
        let log = with_suffix(path, "-wal");
        let log = fs::metadata(log).map_or(0, |metadata| metadata.len());
        let metadata = fs::metadata(path).map_err(|error| io_failure(error, path))?;
        Ok(metadata.len() + log)
    }
}

/// Marks a copy that nobody else has seen yet, so that whoever opens it knows that time has passed it by.
pub(super) fn mark(
    connection: &Connection,
    at: SystemTime,
    check_schema: impl FnOnce(u32) -> Result<()>,
) -> Result<()> {
    // The copy is one file, and nothing is left beside it. It is thrown away if this fails.
    connection
        .execute_batch("PRAGMA journal_mode = MEMORY")
        .map_err(failure)?;
    let schema = connection
        .query_row("SELECT schema FROM instance", [], |row| row.get(0))
        .map_err(failure)?;
    // A newer library may have upgraded the database in the last moment.
    check_schema(schema)?;
    if schema >= FIRST_WITH_ID {
        wal::give_file_id(connection)?;
    }
    // A copy of a back-up that nobody has opened yet is as old as that.
    connection
        .execute(
            "UPDATE instance SET backed_up_at = ifnull(backed_up_at, ?1)",
            [clock::to_millis(at)],
        )
        .map(drop)
        .map_err(failure)
}

/// Where a back-up is to be.
struct Destination {
    folder: PathBuf,
    name: OsString,
}

impl Destination {
    fn checked(path: &str, database: &Path) -> Result<Self> {
        let name = Path::new(path).file_name();
        let (Some(name), false) = (
            name,
            path.ends_with('/') || path.ends_with("/.") || path.contains('\0'),
        ) else {
            return Err(invalid("path", InputReason::Empty));
        };
        let destination = Self {
            folder: fs::canonicalize(folder_of(Path::new(path)))
                .map_err(|error| no_folder(error, Path::new(path)))?,
            name: name.to_owned(),
        };
        destination.check_is_not_of(database)?;
        match fs::symlink_metadata(destination.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(destination),
            Err(error) => Err(no_folder(error, &destination.path())),
            Ok(_) => Err(exists()),
        }
    }

    /// D1: nobody else puts another file in its place.
    fn check_folder(&self) -> Result<()> {
        match ownership::distrust(&self.path()) {
            None => Ok(()),
            Some(_) => Err(invalid("path", InputReason::SharedFolder)),
        }
    }

    /// Whatever stands under such a name SQLite takes for a part of the database.
    fn check_is_not_of(&self, database: &Path) -> Result<()> {
        let database = fs::canonicalize(database).map_err(|error| io_failure(error, database))?;
        let is_its_own = SIDE_FILES.iter().any(|suffix| {
            let mut file = OsString::from(&database);
            file.push(suffix);
            self.path() == Path::new(&file)
        });
        if is_its_own {
            return Err(invalid("path", InputReason::OwnFile));
        }
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }
}

/// The file under its temporary name; it goes away unless it is published. A process that is killed leaves it behind.
struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// D1: private before SQLite sees it.
    fn create(destination: &Destination) -> Result<Self> {
        let random = u64::from_ne_bytes(encryption::random()?);
        let mut name = destination.name.clone();
        name.push(format!(".{random:016x}.partial"));
        let path = destination.folder.join(name);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| no_folder(error, &path))?;
        Ok(Self { path })
    }

    fn copy(&self, from: &Connection) -> Result<()> {
        let path = self
            .path
            .to_str()
            .ok_or_else(|| invalid("path", InputReason::NotUtf8))?;
        let _read_only_again = Writable::make(from)?;
        from.execute("VACUUM INTO ?1", [path])
            .map(drop)
            .map_err(failure)
    }

    fn open(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_EXRESCODE;
        #[expect(clippy::disallowed_methods, reason = "a copy, not the database itself")]
        Connection::open_with_flags(&self.path, flags).map_err(failure)
    }

    /// Gives it its name, without taking the place of a file that was made meanwhile; the number of bytes.
    fn publish(self, destination: &Destination) -> Result<u64> {
        let path = destination.path();
        let failed = |error| io_failure(error, &path);
        let file = File::open(&self.path).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        match fs::hard_link(&self.path, &path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(exists()),
            Err(_) => self.rename_to(&path)?,
        }
        drop(self);
        sync_folder_of(&path).inspect_err(|_| {
            // It may be gone after a power cut: then it must not look like a back-up now.
            let _ = fs::remove_file(&path);
        })?;
        Ok(bytes)
    }

    /// For file systems without links, such as those of memory sticks. The name is taken first; whoever is killed
    /// right then leaves an empty file.
    fn rename_to(&self, path: &Path) -> Result<()> {
        let reserved = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        match reserved {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(exists()),
            Err(error) => return Err(io_failure(error, path)),
        }
        fs::rename(&self.path, path).map_err(|error| {
            let _ = fs::remove_file(path);
            io_failure(error, path)
        })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let mut journal = OsString::from(&self.path);
        journal.push("-journal"); // gone already, unless SQLite could not clean up
        for file in [self.path.as_os_str(), &journal] {
            // Nothing more can be done about it.
            let _ = fs::remove_file(file);
        }
    }
}

/// A reading connection refuses every write, and takes `VACUUM INTO` for one; so until this is dropped. The writer, which
/// reads too when this process has the file alone, stays what it is.
struct Writable<'c>(Option<&'c Connection>);

impl<'c> Writable<'c> {
    fn make(connection: &'c Connection) -> Result<Self> {
        let refuses: bool = connection
            .pragma_query_value(None, "query_only", |row| row.get(0))
            .map_err(failure)?;
        let guard = Self(refuses.then_some(connection));
        connection
            .pragma_update(None, "query_only", false)
            .map_err(failure)?;
        Ok(guard)
    }
}

impl Drop for Writable<'_> {
    fn drop(&mut self) {
        // It cannot fail: it sets a flag in memory.
        if let Some(connection) = self.0 {
            let _ = connection.pragma_update(None, "query_only", true);
        }
    }
}

/// Makes the file's name survive a power cut.
pub(super) fn sync_folder_of(path: &Path) -> Result<()> {
    match File::open(folder_of(path)).and_then(|folder| folder.sync_all()) {
        // Some file systems cannot, and need not.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced.map_err(|error| io_failure(error, path)),
    }
}

pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn exists() -> crate::error::KeyplateError {
    conflict(ConflictReason::FileExists)
}

/// What the caller can mend by another path.
fn no_folder(error: io::Error, path: &Path) -> crate::error::KeyplateError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            invalid("path", InputReason::NoFolder)
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            invalid("path", InputReason::FolderReadOnly)
        }
        _ => io_failure(error, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::KeyplateError;

    fn destination(folder: &Path) -> Destination {
        Destination {
            folder: folder.to_owned(),
            name: OsString::from("copy.db"),
        }
    }

    fn is_conflict<T>(result: Result<T>) -> bool {
        matches!(result, Err(KeyplateError::Conflict { .. }))
    }

    #[test]
    fn a_file_that_was_made_meanwhile_keeps_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let destination = destination(folder.path());
        fs::write(destination.path(), "theirs").unwrap();
        let unfinished = Unfinished::create(&destination).unwrap();
        // With links and without.
        assert!(is_conflict(unfinished.rename_to(&destination.path())));
        assert!(is_conflict(unfinished.publish(&destination)));
        assert_eq!(fs::read_to_string(destination.path()).unwrap(), "theirs");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn without_links_it_gets_its_name_too() {
        let folder = tempfile::tempdir().unwrap();
        let destination = destination(folder.path());
        let unfinished = Unfinished::create(&destination).unwrap();
        fs::write(&unfinished.path, "ours").unwrap();
        unfinished.rename_to(&destination.path()).unwrap();
        drop(unfinished);
        assert_eq!(fs::read_to_string(destination.path()).unwrap(), "ours");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
