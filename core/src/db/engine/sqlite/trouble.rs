//! What failed, and where (D5): errors of the operating system and of SQLite with the path and the reason that whoever
//! keeps the machine needs.
//!
//! SQLite tells "unable to open database file" for a dozen causes. So what it failed at is looked at beside it, once it has
//! failed. The database and the files beside it are never opened for that: closing one would drop SQLite's locks on it.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Access, AtFlags, CWD},
    io::Errno,
};

use crate::error::KeyplateError;

/// What SQLite keeps beside a database while it is open.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// An error of the operating system's at this path.
pub(super) fn io_failure(error: io::Error, path: &Path) -> KeyplateError {
    let path = text(path);
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            KeyplateError::StorageFull { path }
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            KeyplateError::StorageReadOnly { path }
        }
        _ => KeyplateError::StorageFailed {
            path,
            reason: in_words(&error),
        },
    }
}

/// The same where nothing was to be written: no permission is then more than read-only.
pub(super) fn unreadable(error: io::Error, path: &Path) -> KeyplateError {
    match io_failure(error, path) {
        KeyplateError::StorageReadOnly { path } => KeyplateError::StorageFailed {
            path,
            reason: in_words(&io::Error::from(Errno::ACCESS)),
        },
        error => error,
    }
}

/// True if nothing is at the path, or no longer what was.
pub(super) fn is_gone(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
    )
}

/// The operating system's words, as ours are written.
fn in_words(error: &io::Error) -> String {
    let words = error.to_string();
    let words = words.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).collect()
}

pub(super) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// SQLite's error names no path. It is of this database, unless it says otherwise, and has the cause that is found.
pub(super) fn explained(error: KeyplateError, database: &Path) -> KeyplateError {
    use KeyplateError as E;
    match error {
        E::StorageFailed { path, reason } if path.is_empty() => {
            cause(database).unwrap_or_else(|| E::StorageFailed {
                path: text(database),
                reason,
            })
        }
        E::StorageReadOnly { path } if path.is_empty() => {
            cause(database).unwrap_or_else(|| E::StorageReadOnly {
                path: text(database),
            })
        }
        E::StorageFull { path } if path.is_empty() => E::StorageFull {
            path: text(database),
        },
        E::StorageLost { path } if path.is_empty() => E::StorageLost {
            path: text(database),
        },
        error => error,
    }
}

/// What stands in the way of SQLite at this path, if anything is found.
fn cause(database: &Path) -> Option<KeyplateError> {
    let target = match fs::canonicalize(database) {
        Ok(target) => target,
        Err(error) if is_gone(&error) => {
            return Some(KeyplateError::StorageLost {
                path: text(database),
            });
        }
        Err(error) => return Some(unreadable(error, database)),
    };
    if let Err(error) = may(&target, Access::READ_OK) {
        return Some(unreadable(error, &target));
    }
    for beside in BESIDE.map(|suffix| with_suffix(&target, suffix)) {
        match fs::symlink_metadata(&beside) {
            Err(error) if is_gone(&error) => {}
            Err(error) => return Some(unreadable(error, &beside)),
            Ok(found) if found.is_dir() => {
                let error = io::Error::from(Errno::ISDIR);
                return Some(io_failure(error, &beside));
            }
            Ok(_) => {
                if let Err(error) = may(&beside, Access::READ_OK | Access::WRITE_OK) {
                    return Some(unreadable(error, &beside));
                }
            }
        }
    }
    let folder = target.parent().unwrap_or(&target);
    probe(&target).err().map(|error| match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            io_failure(error, folder)
        }
        _ => io_failure(error, &target),
    })
}

/// May this process, as the user that it runs as now?
pub(super) fn may(path: &Path, access: Access) -> io::Result<()> {
    Ok(rustix::fs::accessat(CWD, path, access, AtFlags::EACCESS)?)
}

/// Makes a file in the database's folder, writes a page and takes it away. SQLite tells "the disk is full" and
/// "read-only" apart only where the operating system has one number for them, and says nothing of a process that has too
/// many files open.
fn probe(database: &Path) -> io::Result<()> {
    let name = with_suffix(database, &format!(".probe-{}", std::process::id()));
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&name)?;
    let written = file.write_all(&[0; 4_096]).and_then(|()| file.sync_all());
    fs::remove_file(&name)?;
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operating_systems_numbers_in_our_words() {
        let path = || "/data/id.db".to_owned();
        let failed = |reason: &str| KeyplateError::StorageFailed {
            path: path(),
            reason: reason.to_owned(),
        };
        let full = KeyplateError::StorageFull { path: path() };
        let read_only = KeyplateError::StorageReadOnly { path: path() };
        for (number, expected) in [
            (Errno::NOSPC, full.clone()),
            (Errno::DQUOT, full),
            (Errno::ACCESS, read_only.clone()),
            (Errno::PERM, read_only.clone()),
            (Errno::ROFS, read_only),
            (Errno::IO, failed("input/output error")),
            (Errno::MFILE, failed("too many open files")),
            (Errno::NAMETOOLONG, failed("file name too long")),
        ] {
            let found = io_failure(io::Error::from(number), path().as_ref());
            assert_eq!(found, expected, "{number:?}");
        }
        let unreadable = unreadable(io::Error::from(Errno::ACCESS), path().as_ref());
        assert_eq!(unreadable, failed("permission denied"));
    }

    #[test]
    fn a_failure_without_a_cause_stays_what_it_was_and_has_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("id.db");
        fs::write(&database, "").unwrap();
        let failed = |path: &str| KeyplateError::StorageFailed {
            path: path.to_owned(),
            reason: "unable to open database file".to_owned(),
        };
        let here = text(&database);
        assert_eq!(explained(failed(""), &database), failed(&here));
        assert_eq!(
            explained(failed("elsewhere"), &database),
            failed("elsewhere")
        );
        assert_eq!(
            explained(KeyplateError::Busy, &database),
            KeyplateError::Busy
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::remove_file(&database).unwrap();
        assert_eq!(
            explained(failed(""), &database),
            KeyplateError::StorageLost { path: here }
        );
    }

    #[test]
    fn what_lies_in_the_way_beside_the_database_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().canonicalize().unwrap().join("id.db");
        fs::write(&database, "").unwrap();
        let log = with_suffix(&database, "-wal");
        fs::create_dir(&log).unwrap();
        let failed = KeyplateError::StorageFailed {
            path: String::new(),
            reason: "unable to open database file".to_owned(),
        };
        let expected = KeyplateError::StorageFailed {
            path: text(&log),
            reason: "is a directory".to_owned(),
        };
        assert_eq!(explained(failed, &database), expected);
    }
}
