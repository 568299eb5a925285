//! The database file as the operating system sees it (D1, D5).

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
    sync::Mutex,
    time::{Duration, Instant},
};

use super::ownership::{self, SHARED_BITS};
use crate::error::{ConfigurationReason, KeyplateError, Result, configuration};

/// "KEYP": tells our files from other applications' (`PRAGMA application_id`).
pub(super) const APPLICATION_ID: i64 = 0x4b45_5950;
/// The field of `Config` that names the file.
const OPTION: &str = "path";
/// How often reads look whether the file is still there; writes always do.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Which file is open, so that its removal or replacement is noticed: SQLite would go on writing into nothing.
#[derive(Debug)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
    looked: Mutex<Instant>,
}

impl FileIdentity {
    pub(super) fn of(path: &Path) -> Result<Self> {
        let metadata = fs::metadata(path).map_err(io_failure)?;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            looked: Mutex::new(Instant::now()),
        })
    }

    pub(super) fn check(&self, path: &Path) -> Result<()> {
        match fs::metadata(path) {
            Ok(found) if found.dev() == self.device && found.ino() == self.inode => Ok(()),
            Ok(_) => Err(KeyplateError::StorageLost),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(KeyplateError::StorageLost)
            }
            Err(error) => Err(io_failure(error)),
        }
    }

    pub(super) fn check_now_and_then(&self, path: &Path) -> Result<()> {
        // Another thread is looking: it will tell.
        let Ok(mut looked) = self.looked.try_lock() else {
            return Ok(());
        };
        if looked.elapsed() < LOOK_EVERY {
            return Ok(());
        }
        self.check(path)?;
        *looked = Instant::now();
        Ok(())
    }
}

/// D1: the file exists, is ours alone, and was made 0600 before SQLite saw it.
pub(super) fn prepare(path: &Path, allow_shared_file: bool) -> Result<()> {
    if !allow_shared_file {
        check_ownership(path)?;
    }
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(configuration(OPTION, ConfigurationReason::NoFolder));
        }
        Err(error) => match (fs::metadata(path), error.kind()) {
            (Ok(_), _) => {}
            (Err(_), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
                return Err(configuration(OPTION, ConfigurationReason::FolderReadOnly));
            }
            (Err(_), _) => return Err(io_failure(error)),
        },
    }
    let metadata = fs::metadata(path).map_err(io_failure)?;
    if !metadata.is_file() {
        return Err(configuration(OPTION, ConfigurationReason::NotAFile));
    }
    if !allow_shared_file && metadata.mode() & SHARED_BITS != 0 {
        return Err(configuration(OPTION, ConfigurationReason::SharedFile));
    }
    match ownership::distrust_beside(path) {
        Some(reason) if !allow_shared_file => Err(configuration(OPTION, reason)),
        _ => Ok(()),
    }
}

/// Refuses a file that another user of the machine owns or can replace, as `Keyplate::open` does without
/// `Config::allow_shared_file`: for what a host reads beside the database, such as a file that holds its encryption key.
///
/// A file that is not there is not refused if it could be made safely. Whether others may read it is not looked at.
///
/// # Errors
/// `Configuration` with `ConfigurationReason::OthersFile` or `SharedFolder`.
pub fn check_ownership(path: &Path) -> Result<()> {
    match ownership::distrust(path) {
        None => Ok(()),
        Some(reason) => Err(configuration(OPTION, reason)),
    }
}

/// SQLite tells "the disk is full" and "read-only" apart from other failures only where the operating system has one
/// number for them: a quota that is used up, or a file system that was mounted read-only, is a failure like any other to
/// it. So what it failed at is tried beside the database: the file itself must not be opened, since closing it would drop
/// SQLite's locks.
pub(super) fn explained(error: KeyplateError, database: &Path) -> KeyplateError {
    if !matches!(error, KeyplateError::StorageFailed { .. }) {
        return error;
    }
    match probe(database).map_err(io_failure) {
        Err(found @ (KeyplateError::StorageFull | KeyplateError::StorageReadOnly)) => found,
        _ => error,
    }
}

/// Makes a file in the database's folder, writes a page and takes it away.
fn probe(database: &Path) -> io::Result<()> {
    let mut name = database.as_os_str().to_owned();
    name.push(format!(".probe-{}", std::process::id()));
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

pub(super) fn io_failure(error: io::Error) -> KeyplateError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => KeyplateError::StorageFull,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            KeyplateError::StorageReadOnly
        }
        kind => KeyplateError::StorageFailed {
            reason: kind.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operating_systems_numbers_in_our_words() {
        // Linux: ENOSPC, EDQUOT, EACCES, EROFS, EIO.
        for (number, expected) in [
            (28, KeyplateError::StorageFull),
            (122, KeyplateError::StorageFull),
            (13, KeyplateError::StorageReadOnly),
            (30, KeyplateError::StorageReadOnly),
        ] {
            let found = io_failure(io::Error::from_raw_os_error(number));
            assert_eq!(found, expected, "{number}");
        }
        let broken = io_failure(io::Error::from_raw_os_error(5));
        assert!(matches!(broken, KeyplateError::StorageFailed { .. }));
    }

    #[test]
    fn a_failure_that_a_probe_does_not_find_stays_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let failed = || KeyplateError::StorageFailed {
            reason: "unable to open database file".to_owned(),
        };
        let path = folder.path().join("id.db");
        assert_eq!(explained(failed(), &path), failed());
        assert_eq!(explained(KeyplateError::Busy, &path), KeyplateError::Busy);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
