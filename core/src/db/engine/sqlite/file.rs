//! The database file as the operating system sees it (D1, D5).

use std::{
    fs::{self, Metadata, OpenOptions},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use rustix::{
    fs::Access,
    io::Errno,
    time::{ClockId, clock_gettime},
};

use super::{
    mounts,
    ownership::{self, SHARED_BITS},
    trouble::{io_failure, is_gone, may, text, unreadable, with_suffix},
};
use crate::error::{ConfigurationReason, KeyplateError, Result, configuration};

/// "KEYP": tells our files from other applications' (`PRAGMA application_id`).
pub(super) const APPLICATION_ID: i64 = 0x4b45_5950;
/// The field of `Config` that names the file.
const OPTION: &str = "path";
/// How often reads look whether the file is still there; writes always do.
const LOOK_EVERY: i64 = 1_000; // milliseconds
/// The longest path that SQLite opens: it has room for 512 bytes, `-journal` included.
const LONGEST_PATH: usize = 504;
const LONGEST_SUFFIX: &str = "-journal";

/// Which file is open, so that its removal or replacement is noticed: SQLite would go on writing into nothing. The same
/// holds for the log and its index, by which the processes that share the file agree.
#[derive(Debug)]
pub(super) struct FileIdentity {
    path: PathBuf,
    /// The path without links: what is kept beside it has this name.
    target: PathBuf,
    allow_shared_file: bool,
    file: Entry,
    beside: Mutex<Option<Beside>>,
    /// When reads last looked, by `about_now`.
    looked: AtomicI64,
    looking: Mutex<()>,
}

/// A file by its device and inode.
pub(super) type Entry = (u64, u64);

/// The log and its index, which this process has open. There is no index while the process has the file alone.
#[derive(Clone, Copy, Debug)]
struct Beside {
    log: Entry,
    index: Option<Entry>,
}

impl FileIdentity {
    /// What is at the path before it is opened.
    pub(super) fn of(path: &Path, allow_shared_file: bool) -> Result<Self> {
        let metadata = fs::metadata(path).map_err(|error| unreadable(error, path))?;
        Ok(Self {
            path: path.to_owned(),
            target: fs::canonicalize(path).map_err(|error| unreadable(error, path))?,
            allow_shared_file,
            file: entry(&metadata),
            beside: Mutex::new(None),
            looked: AtomicI64::new(about_now()),
            looking: Mutex::new(()),
        })
    }

    pub(super) fn is(&self, file: &Metadata) -> bool {
        self.file == entry(file)
    }

    /// Before something is written, in the transaction that does.
    pub(super) fn check(&self) -> Result<()> {
        self.check_file()?;
        if let Err(error) = may(&self.target, Access::WRITE_OK) {
            return Err(io_failure(error, &self.path));
        }
        self.check_beside()
    }

    /// For reads. What was noticed is told by each call until it is over.
    pub(super) fn check_now_and_then(&self) -> Result<()> {
        let now = about_now();
        if now - self.looked.load(Ordering::Relaxed) < LOOK_EVERY {
            return Ok(());
        }
        // Another thread is looking: it will tell.
        let Ok(_looking) = self.looking.try_lock() else {
            return Ok(());
        };
        self.check_file()?;
        self.check_beside()?;
        self.looked.store(now, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn check_file(&self) -> Result<()> {
        let found = match fs::metadata(&self.path) {
            Ok(found) if entry(&found) == self.file => found,
            Err(error) if !is_gone(&error) => return Err(unreadable(error, &self.path)),
            _ => return Err(lost(&self.path)),
        };
        if found.nlink() > 1 && !self.allow_shared_file {
            return Err(KeyplateError::StorageFailed {
                path: text(&self.path),
                reason: "the file has got a second name (hard link)".to_owned(),
            });
        }
        may(&self.target, Access::READ_OK).map_err(|error| unreadable(error, &self.path))
    }

    /// Also before a connection is opened, which would begin another log.
    pub(super) fn check_beside(&self) -> Result<()> {
        let Some(beside) = *self.beside() else {
            return Ok(());
        };
        let log = with_suffix(&self.target, "-wal");
        if find(&log) != Some(beside.log) {
            return Err(lost(&log));
        }
        let index = with_suffix(&self.target, "-shm");
        if beside.index.is_some() && find(&index) != beside.index {
            return Err(lost(&index));
        }
        Ok(())
    }

    /// A connection has just opened both.
    pub(super) fn learn_beside(&self) -> Result<()> {
        let log = with_suffix(&self.target, "-wal");
        let beside = Beside {
            log: find(&log).ok_or_else(|| lost(&log))?,
            index: find(&with_suffix(&self.target, "-shm")),
        };
        *self.beside() = Some(beside);
        Ok(())
    }

    /// The database file itself.
    pub(super) fn database(&self) -> Entry {
        self.file
    }

    /// The index that this process has open, with its path.
    pub(super) fn index(&self) -> Option<(PathBuf, Entry)> {
        let index = (*self.beside())?.index?;
        Some((with_suffix(&self.target, "-shm"), index))
    }

    /// A child of `fork` has none of them open.
    pub(super) fn forget_beside(&self) {
        *self.beside() = None;
    }

    /// Nobody else has written a log where this process's own was: they would have begun with the file as it is without it.
    pub(super) fn has_no_log(&self) -> bool {
        fs::metadata(with_suffix(&self.target, "-wal")).map_or(true, |found| found.len() == 0)
    }

    /// The log and the index are where they were, if they are known.
    pub(super) fn lost_what_is_beside(&self) -> bool {
        self.check_file().is_ok() && self.check_beside().is_err()
    }

    fn beside(&self) -> MutexGuard<'_, Option<Beside>> {
        self.beside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Milliseconds of a clock that only runs forward. Where there is one, it is a clock that is read in a few nanoseconds and
/// is a few milliseconds late.
fn about_now() -> i64 {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const COARSE: ClockId = ClockId::MonotonicCoarse;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const COARSE: ClockId = ClockId::Monotonic;
    let now = clock_gettime(COARSE);
    now.tv_sec * 1_000 + now.tv_nsec / 1_000_000
}

pub(super) fn entry(metadata: &Metadata) -> Entry {
    (metadata.dev(), metadata.ino())
}

fn find(path: &Path) -> Option<Entry> {
    fs::symlink_metadata(path).ok().map(|found| entry(&found))
}

fn lost(path: &Path) -> KeyplateError {
    KeyplateError::StorageLost { path: text(path) }
}

/// D1: the file exists, is ours alone, and was made 0600 before SQLite saw it.
pub(super) fn prepare(path: &Path, allow_shared_file: bool) -> Result<()> {
    check_length(path)?;
    if !allow_shared_file {
        check_ownership(path)?;
    }
    if make(path)? {
        return Ok(());
    }
    let metadata = fs::metadata(path).map_err(|error| impossible(error, path))?;
    if !metadata.is_file() {
        return Err(configuration(OPTION, ConfigurationReason::NotAFile));
    }
    if allow_shared_file {
        return Ok(());
    }
    if metadata.mode() & SHARED_BITS != 0 {
        return Err(configuration(OPTION, ConfigurationReason::SharedFile));
    }
    if let Some(reason) = ownership::distrust_beside(path) {
        return Err(configuration(OPTION, reason));
    }
    check_is_one(path, &metadata)
}

/// True if it was not there and is now.
fn make(path: &Path) -> Result<bool> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let Err(error) = made else { return Ok(true) };
    // Root is told of a read-only disk before it is told that the file is there.
    if error.kind() == io::ErrorKind::AlreadyExists || fs::metadata(path).is_ok() {
        return Ok(false);
    }
    Err(impossible(error, path))
}

/// Why there can be no database at this path.
fn impossible(error: io::Error, path: &Path) -> KeyplateError {
    let is_link = || fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    let reason = match Errno::from_io_error(&error) {
        Some(Errno::LOOP) => ConfigurationReason::LeadsNowhere,
        Some(Errno::NOENT) if is_link() => ConfigurationReason::LeadsNowhere,
        Some(Errno::NOENT | Errno::NOTDIR) => ConfigurationReason::NoFolder,
        Some(Errno::NAMETOOLONG) => too_long(),
        // Into the folder, but not to make a file there; or not even that.
        Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return unreadable(error, path);
            }
            _ => ConfigurationReason::FolderReadOnly,
        },
        _ => return io_failure(error, path),
    };
    configuration(OPTION, reason)
}

/// A name that is too long only for what SQLite adds to it would be made, and could not be opened.
fn check_length(path: &Path) -> Result<()> {
    let resolved = fs::canonicalize(path);
    let target = resolved.as_deref().unwrap_or(path);
    let beside = with_suffix(target, LONGEST_SUFFIX);
    let is_too_long = |error: io::Error| Errno::from_io_error(&error) == Some(Errno::NAMETOOLONG);
    if target.as_os_str().as_bytes().len() > LONGEST_PATH
        || fs::symlink_metadata(beside).is_err_and(is_too_long)
    {
        return Err(configuration(OPTION, too_long()));
    }
    Ok(())
}

fn too_long() -> ConfigurationReason {
    ConfigurationReason::PathTooLong {
        most: LONGEST_PATH as i64,
    }
}

/// Two names of a file, or two places where it is mounted, have a log each: who uses the one does not see what the other
/// has committed, and both write into the file.
fn check_is_one(path: &Path, metadata: &Metadata) -> Result<()> {
    if metadata.nlink() > 1 {
        return Err(configuration(OPTION, ConfigurationReason::SeveralNames));
    }
    let target = fs::canonicalize(path).map_err(|error| unreadable(error, path))?;
    if mounts::is_mounted_by_itself(&target) {
        return Err(configuration(OPTION, ConfigurationReason::MountedFile));
    }
    Ok(())
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
