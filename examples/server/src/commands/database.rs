use std::path::Path;

use keyplate::{InputReason, KeyplateError};

use super::{open, printed};
use crate::{
    open::{failure, spelling::spelled},
    options::Options,
};

/// Copies the database, while a server writes too.
pub(crate) fn back_up(options: &Options, file: &Path) -> Result<(), String> {
    let keyplate = open(options)?;
    let path = file.to_str().ok_or("the file's name must be UTF-8")?;
    let made = keyplate.back_up_to(path).map_err(|error| {
        let reason = match error {
            KeyplateError::InvalidInput { reason, .. } => match reason {
                InputReason::NoFolder => "its folder does not exist".to_owned(),
                InputReason::FolderReadOnly => "its folder cannot be written".to_owned(),
                InputReason::SharedFolder => format!(
                    "others can replace files in its folder; choose another, or give {}",
                    spelled("allow_shared_file")
                ),
                InputReason::OwnFile => "it belongs to the database itself".to_owned(),
                reason => format!("the path {reason}"),
            },
            KeyplateError::Conflict { what, .. } => what.to_string(),
            error => failure::told(&error),
        };
        format!("cannot back up to {path}: {reason}")
    })?;
    printed(&format!("backed up {} bytes to {path}\n", made.bytes))
}

/// Reads all of the database, and prints what is wrong with it.
pub(crate) fn check(options: &Options) -> Result<(), String> {
    let report = open(options)?
        .check_integrity()
        .map_err(|error| failure::told(&error))?;
    if report.ok {
        return printed("the database is in order\n");
    }
    let lines = report.problems.iter().map(|problem| format!("{problem}\n"));
    printed(&lines.collect::<String>())?;
    Err(match report.name_collisions {
        0 => "the database is damaged: restore a back-up".to_owned(),
        _ => "the database is sound; of each two names that are the same, change one".to_owned(),
    })
}
