//! Back-ups, and what ends when one is restored (D8).

use std::time::SystemTime;

use crate::{
    clock, db,
    error::Result,
    gate::{
        change::{Change, Subject},
        handle::Keyplate,
        methods::Method,
    },
    model::{audit::EventKind, upkeep::BackupReport},
};

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Copies the database to a new file that only its owner can read, while others go on reading and writing. Everything
    /// that was acknowledged before the call is in it, except when credentials were last used. The file appears once it is
    /// complete and safe on the disk.
    ///
    /// To restore it, replace the database with it while nothing has the database open, and remove the files ending in
    /// `-wal` and `-shm`. The first `open` then ends all sessions and one-time tokens, and raises `BackupRestored`: API
    /// keys that were revoked after the back-up work again.
    ///
    /// # Errors
    /// `Conflict` when the file exists; `InvalidInput` for a path that is no good; `PermissionDenied` on any but the
    /// host's handle; `StorageFull` and the other storage errors, after which nothing is left behind.
    pub fn back_up_to(&self, path: &str) -> Result<BackupReport> {
        self.read(Method::BackUpTo, |_, _| Ok(()))?;
        let made = self.shared.db.back_up_to(path)?;
        // It is there, and says so even if this cannot be written: the disk of the database may be the one that is full.
        let _ = self.write(Method::BackUpTo, |change| {
            let bytes = made.bytes.to_string();
            let details = [("bytes", bytes.as_str())];
            change.record(EventKind::BackedUp, Subject::default(), &details)
        });
        Ok(BackupReport {
            made_at: made.at,
            bytes: i64::try_from(made.bytes).unwrap_or(i64::MAX),
        })
    }
}

impl Keyplate {
    /// D8: of all who open a back-up that was put in the database's place, the first makes it fit for use, before any
    /// of them has a handle.
    pub(in crate::rules) fn settle_restored(&self) -> Result<()> {
        if self.shared.db.read(db::instance::backed_up_at)?.is_none() {
            return Ok(());
        }
        self.write_for_host(|change| match db::instance::backed_up_at(change)? {
            Some(made_at) => settle(change, made_at),
            None => Ok(()), // another was quicker
        })?;
        // The same back-up may be put here once more, beside the log of this time: then the file must have its new id.
        self.shared.db.settled();
        Ok(())
    }
}

/// Ends whatever may have been ended or used up since. API keys stay, with their overlaps: programs have nobody to sign
/// them in again. The event says how many there are, since revocations are lost.
fn settle(change: &Change<'_>, made_at: SystemTime) -> Result<()> {
    let now = change.now();
    let sessions = db::sessions::end_everybodys(change, now)?;
    db::one_time_tokens::delete_all(change)?;
    db::device_logins::delete_all(change)?;
    db::device_links::delete_all(change)?;
    db::service_sessions::delete_all_tickets(change)?;
    // P2: a challenge that was spent since must not be good again.
    db::ceremonies::forget_everything(change)?;
    // J1: nor a key that was rotated away because others have it. The next token makes another.
    db::signing_keys::forget_all(change)?;
    // B5: what was known about setup then gives nobody the right to claim it now.
    let generation = db::setup::get(change)?.state.generation;
    db::setup::move_on(change, generation.saturating_add(1))?;
    db::instance::clear_backed_up_at(change)?;
    // Who follows the log has ids of events that are lost, and must not take new ones for them. There were fewer in that
    // time than milliseconds.
    let since = clock::to_millis(now) - clock::to_millis(made_at);
    db::audit::skip_ids(change, since.max(1))?;
    change.renew_file_id()?;
    let api_keys = db::api_keys::count_working(change, now)?.to_string();
    let app_passwords = db::app_passwords::count_working(change, now)?.to_string();
    let signup_tokens = db::signup_tokens::count_working(change, now)?.to_string();
    change.record(
        EventKind::BackupRestored,
        Subject::default(),
        &[
            ("api_keys", &api_keys),
            ("app_passwords", &app_passwords),
            ("made_at", &clock::rfc3339(made_at)),
            ("sessions_ended", &sessions.to_string()),
            ("signup_tokens", &signup_tokens),
        ],
    )
}
