//! The database file as the operating system sees it (D1, D5).

use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::error::{KeyplateError, Result};

/// "KEYP": tells our files from other applications' (`PRAGMA application_id`).
pub(super) const APPLICATION_ID: i64 = 0x4b45_5950;
/// How often reads look whether the file is still there; writes always do.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Reading or writing by the group or by others.
const SHARED_BITS: u32 = 0o066;

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
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(configuration("its folder does not exist"));
        }
        Err(error) => match fs::metadata(path) {
            Ok(_) => {}
            Err(_) => return Err(io_failure(error)),
        },
    }
    let metadata = fs::metadata(path).map_err(io_failure)?;
    if !metadata.is_file() {
        return Err(configuration("is not a file"));
    }
    if !allow_shared_file && metadata.mode() & SHARED_BITS != 0 {
        return Err(configuration(
            "others can read or write the file; take their rights away (chmod 600) or set allow_shared_file",
        ));
    }
    Ok(())
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

fn configuration(reason: &str) -> KeyplateError {
    KeyplateError::Configuration {
        option: "path".to_owned(),
        reason: reason.to_owned(),
    }
}
