//! What is known of the disk, for the health check (D5): reading tells nothing of a disk that is full or read-only, and a
//! server that nobody can sign in to is not healthy.
//!
//! So the library writes, and that decides: at once where there is a suspicion, which is a call that failed for it or a file
//! system that says so of itself; and else about once a minute while somebody asks, as often as sessions write when they
//! were last used.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use keyplate::{Keyplate, KeyplateError, SettingsChanges};
use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::{log, open::failure};

/// Strangers ask for the health check: they do not decide how often the disk is tried.
const TRY_EVERY: Duration = Duration::from_millis(500);
/// The same where there is no suspicion.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Whether there is a reason to think that the database cannot be written. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Storage(Arc<Known>);

#[derive(Debug)]
struct Known {
    database: PathBuf,
    /// A call has failed, and none of ours has worked since.
    failed: AtomicBool,
    /// When it was tried last, and with what result.
    tried: Mutex<(Instant, keyplate::Result<()>)>,
}

impl Storage {
    /// Of a database that was just opened.
    pub(super) fn of(database: &Path) -> Self {
        Self(Arc::new(Known {
            database: database.to_owned(),
            failed: AtomicBool::new(false),
            tried: Mutex::new((Instant::now(), Ok(()))),
        }))
    }

    /// Remembers a failure; the first of a row is said with the file's name, which is in no error.
    pub(super) fn note(&self, error: &KeyplateError) {
        if failure::is_of_storage(error) && !self.0.failed.swap(true, Ordering::Relaxed) {
            let told = failure::told(error);
            log::line(format_args!("warning: the database cannot be used: {told}"));
        }
    }

    /// Can the database be written, as far as is known? Waits for the disk if there is a suspicion.
    pub(crate) fn check(&self, host: &Keyplate) -> keyplate::Result<()> {
        let is_suspicious = self.0.failed.load(Ordering::Relaxed) || self.seems_full_or_read_only();
        let (since, result) = {
            let tried = self.tried();
            (tried.0.elapsed(), tried.1.clone())
        };
        match is_suspicious {
            true if since < TRY_EVERY && result.is_err() => result,
            true => self.try_it(host),
            false => {
                if since >= LOOK_EVERY {
                    self.tried().0 = Instant::now();
                    let (this, host) = (self.clone(), host.clone());
                    // Whoever asks does not wait for another's lock; they hear of it the next time.
                    tokio::task::spawn_blocking(move || this.try_it(&host));
                }
                Ok(())
            }
        }
    }

    fn try_it(&self, host: &Keyplate) -> keyplate::Result<()> {
        // What changes nothing is committed all the same: the time of the last change is.
        let result = match host.update_settings(SettingsChanges::default()) {
            // Somebody is writing.
            Ok(_) | Err(KeyplateError::Busy) => Ok(()),
            Err(error) => Err(error),
        };
        match &result {
            Ok(()) => {
                if self.0.failed.swap(false, Ordering::Relaxed) {
                    log::line(format_args!("the database can be used again"));
                }
            }
            Err(error) => self.note(error),
        }
        *self.tried() = (Instant::now(), result.clone());
        result
    }

    fn tried(&self) -> MutexGuard<'_, (Instant, keyplate::Result<()>)> {
        self.0.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seems_full_or_read_only(&self) -> bool {
        let folder = self.0.database.parent().unwrap_or(&self.0.database);
        statvfs(folder).is_ok_and(|found| {
            found.f_bavail == 0 || found.f_flag.contains(StatVfsMountFlags::RDONLY)
        })
    }
}
