//! Failures of the database, said with the name of its file.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use keyplate::KeyplateError;

static DATABASE: OnceLock<PathBuf> = OnceLock::new();

/// From now on failures are of this file. A process opens one.
pub(super) fn is_of(database: &Path) {
    let _ = DATABASE.set(database.to_owned());
}

/// Says an error of any kind; what is wrong with the file itself with its name, which other failures of storage have.
pub(crate) fn told(error: &KeyplateError) -> String {
    match (error, DATABASE.get()) {
        (KeyplateError::CorruptDatabase { .. }, Some(database)) => {
            format!("{}: {error}", database.display())
        }
        _ => error.to_string(),
    }
}

pub(crate) fn is_of_storage(error: &KeyplateError) -> bool {
    matches!(
        error,
        KeyplateError::StorageFull { .. }
            | KeyplateError::StorageReadOnly { .. }
            | KeyplateError::StorageFailed { .. }
            | KeyplateError::StorageLost { .. }
            | KeyplateError::CorruptDatabase { .. }
    )
}
