//! Failures of the database, said with what the library does not know or must not say: which file it is, and what the
//! operating system has against it.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use keyplate::KeyplateError;
use rustix::{
    fs::{Access, access},
    io::Errno,
};

static DATABASE: OnceLock<PathBuf> = OnceLock::new();

/// From now on failures are of this file. A process opens one.
pub(super) fn is_of(database: &Path) {
    let _ = DATABASE.set(database.to_owned());
}

/// Says an error of any kind; one of storage with the file's name.
pub(crate) fn told(error: &KeyplateError) -> String {
    match (is_of_storage(error), DATABASE.get()) {
        (true, Some(database)) => format!("{}: {}", database.display(), with_cause(error)),
        _ => error.to_string(),
    }
}

pub(crate) fn is_of_storage(error: &KeyplateError) -> bool {
    matches!(
        error,
        KeyplateError::StorageFull
            | KeyplateError::StorageReadOnly
            | KeyplateError::StorageFailed { .. }
            | KeyplateError::StorageLost
            | KeyplateError::CorruptDatabase { .. }
    )
}

/// Says an error of storage, where the file's name is said anyway, with what is found when one looks.
pub(super) fn with_cause(error: &KeyplateError) -> String {
    let is_unexplained = matches!(
        error,
        KeyplateError::StorageFailed { .. } | KeyplateError::StorageReadOnly
    );
    match DATABASE.get().and_then(|database| cause(database)) {
        Some(cause) if is_unexplained => format!("{error} ({cause})"),
        _ => error.to_string(),
    }
}

/// The first of the files that this process may not use. They are only looked at: closing one that was opened would drop
/// SQLite's locks.
fn cause(database: &Path) -> Option<String> {
    let beside = |suffix: &str| {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let folder = match database.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return None,
    };
    let file = Access::READ_OK | Access::WRITE_OK;
    let all = [
        (folder.to_owned(), file | Access::EXEC_OK),
        (database.to_owned(), file),
        (beside("-wal"), file),
        (beside("-shm"), file),
    ];
    all.into_iter()
        .find_map(|(path, wanted)| match access(&path, wanted) {
            Err(error) if error != Errno::NOENT => {
                let error = std::io::Error::from(error);
                Some(format!("{}: {error}", path.display()))
            }
            _ => None,
        })
}
