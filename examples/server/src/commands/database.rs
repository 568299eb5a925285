use std::path::Path;

use keyplate::{InputReason, KeyplateError};

use super::printed;
use crate::{
    http::answer::time,
    open::{self, spelling::spelled},
    options::Options,
};

/// Copies the database, while a server writes too.
pub(crate) fn back_up(options: &Options, file: &Path) -> Result<(), String> {
    let keyplate = super::open(options)?;
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
            error => error.to_string(),
        };
        format!("cannot back up to {path}: {reason}")
    })?;
    printed(&format!("backed up {} bytes to {path}\n", made.bytes))
}

/// Puts a back-up in the database's place. What that means for people is settled by the next start, and said here.
pub(crate) fn restore(options: &Options, backup: &Path) -> Result<(), String> {
    open::make_folder(&options.data)?;
    let database = open::database(options);
    let restored = keyplate::restore_backup(&database, backup, options.allow_shared_file);
    let restored = restored.map_err(|error| {
        let reason = match error {
            KeyplateError::Busy => {
                "the database is in use: stop the server and whatever else has it open".to_owned()
            }
            KeyplateError::InvalidInput { reason, .. } => match reason {
                InputReason::InUse => {
                    "it is a database in use, or has a log (-wal) beside it; make a back-up of it \
                                       with the command backup"
                        .to_owned()
                }
                InputReason::SharedFolder => format!(
                    "others can replace files in its folder; move it, or give {}",
                    spelled("allow_shared_file")
                ),
                reason => format!("it {reason}"),
            },
            KeyplateError::Configuration { reason, .. } => {
                let database = database.display();
                format!("the database {database} {}", reason.worded(spelled))
            }
            error => error.to_string(),
        };
        format!("cannot restore {}: {reason}", backup.display())
    })?;
    let made_at = time(restored.made_at);
    let former = match restored.former {
        Some(former) => format!("the former database is kept as {}", former.display()),
        None => "there was no database before".to_owned(),
    };
    printed(&format!(
        "restored the back-up of {made_at} to {}\n{former}\n\
         the next start ends all sessions, codes and links, and lets everybody sign in again;\n\
         API keys and invitations are as they were then: revoke again what was revoked since\n",
        database.display()
    ))
}

/// Reads all of the database, and prints what is wrong with it.
pub(crate) fn check(options: &Options) -> Result<(), String> {
    let report = super::open(options)?
        .check_integrity()
        .map_err(|error| error.to_string())?;
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
