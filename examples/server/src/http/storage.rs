//! What is known of the disk, for the health check (D5): reading tells nothing of a disk that is full or read-only, and a
//! server that nobody can sign in to is not healthy.
//!
//! Nothing is written to find that out unless there is a suspicion: a call that failed for it, or a file system that says so
//! of itself. Then the library has to write, and that decides.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use keyplate::{Keyplate, KeyplateError, SettingsChanges};
use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::{log, open::failure};

/// Strangers ask for the health check: they do not decide how often the disk is tried.
const TRY_EVERY: Duration = Duration::from_millis(500);

/// Whether there is a reason to think that the database cannot be written.
#[derive(Debug)]
pub(crate) struct Storage {
    database: PathBuf,
    /// A call has failed, and none of ours has worked since.
    failed: AtomicBool,
    tried: Mutex<Option<(Instant, keyplate::Result<()>)>>,
}

impl Storage {
    pub(super) fn of(database: &Path) -> Self {
        Self {
            database: database.to_owned(),
            failed: AtomicBool::new(false),
            tried: Mutex::new(None),
        }
    }

    /// Remembers a failure; the first of a row is said with the file's name, which is in no error.
    pub(super) fn note(&self, error: &KeyplateError) {
        if failure::is_of_storage(error) && !self.failed.swap(true, Ordering::Relaxed) {
            let told = failure::told(error);
            log::line(format_args!("warning: the database cannot be used: {told}"));
        }
    }

    /// Can the database be written, as far as there is a reason to ask? Waits for the disk.
    pub(crate) fn check(&self, host: &Keyplate) -> keyplate::Result<()> {
        if !self.failed.load(Ordering::Relaxed) && !self.seems_full_or_read_only() {
            return Ok(());
        }
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, result)) = &*tried
            && at.elapsed() < TRY_EVERY
        {
            return result.clone();
        }
        // What changes nothing is committed all the same: the time of the last change is.
        let result = match host.update_settings(SettingsChanges::default()) {
            // Somebody is writing.
            Ok(_) | Err(KeyplateError::Busy) => Ok(()),
            Err(error) => Err(error),
        };
        match &result {
            Ok(()) => {
                if self.failed.swap(false, Ordering::Relaxed) {
                    log::line(format_args!("the database can be used again"));
                }
            }
            Err(error) => self.note(error),
        }
        *tried = Some((Instant::now(), result.clone()));
        result
    }

    fn seems_full_or_read_only(&self) -> bool {
        let folder = self.database.parent().unwrap_or(&self.database);
        statvfs(folder).is_ok_and(|found| {
            found.f_bavail == 0 || found.f_flag.contains(StatVfsMountFlags::RDONLY)
        })
    }
}
