//! Maintaining a database.

use std::time::Duration;

use crate::{
    db,
    error::Result,
    gate::{change::Subject, handle::Keyplate, methods::Method},
    model::{
        audit::EventKind,
        upkeep::{IntegrityReport, PurgeReport, Statistics},
    },
};

/// C5: for how long what has expired is kept, for those who ask why.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_secs(30 * 24 * 3_600);

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Removes sessions, API keys and one-time tokens that expired or were revoked more than 30 days ago. It never removes
    /// users, or API keys that a plan created, since the plan would create them again.
    ///
    /// # Errors
    /// `PermissionDenied` on any but the host's handle; the storage errors.
    pub fn purge_expired(&self) -> Result<PurgeReport> {
        self.write(Method::PurgeExpired, |change| {
            let before = change.now() - KEPT_AFTER_EXPIRY;
            let report = PurgeReport {
                sessions: db::sessions::purge(change, before)? as i64,
                api_keys: db::api_keys::purge(change, before)? as i64,
                one_time_tokens: db::one_time_tokens::purge(change, before)? as i64,
            };
            if report.sessions + report.api_keys + report.one_time_tokens > 0 {
                let details = [
                    ("sessions", report.sessions.to_string()),
                    ("api_keys", report.api_keys.to_string()),
                    ("one_time_tokens", report.one_time_tokens.to_string()),
                ];
                let details: Vec<(&str, &str)> = details
                    .iter()
                    .map(|(name, count)| (*name, count.as_str()))
                    .collect();
                change.record(EventKind::ExpiredPurged, Subject::default(), &details)?;
            }
            Ok(report)
        })
    }

    /// Reads the whole file and checks it. It takes about a second for a few hundred megabytes. Others can work meanwhile.
    ///
    /// # Errors
    /// `PermissionDenied` on any but the host's handle; the storage errors.
    pub fn check_integrity(&self) -> Result<IntegrityReport> {
        self.read(Method::CheckIntegrity, |_, _| Ok(()))?;
        let problems = self.shared.db.check_integrity()?;
        Ok(IntegrityReport {
            ok: problems.is_empty(),
            problems,
        })
    }

    /// Counts what there is, all at one moment.
    ///
    /// # Errors
    /// `PermissionDenied` for all but administrators with `settings:read`; the storage errors.
    pub fn get_statistics(&self) -> Result<Statistics> {
        let bytes = self.shared.db.file_bytes();
        self.read(Method::GetStatistics, |reader, _| {
            Ok(Statistics {
                bytes: i64::try_from(bytes.clone()?).unwrap_or(i64::MAX),
                ..db::statistics::get(reader)?
            })
        })
    }

    /// Sets the stored time back to the clock's, after a clock that ran ahead has been corrected (`ClockBehind`).
    /// What seemed to have expired by the wrong time works again.
    ///
    /// # Errors
    /// `PermissionDenied` on any but the host's handle; the storage errors.
    pub fn reset_clock(&self) -> Result<()> {
        self.write(Method::ResetClock, |change| {
            let behind = change.clock_is_behind();
            if behind.is_zero() {
                return Ok(());
            }
            let seconds = behind.as_secs().to_string();
            change.record(
                EventKind::ClockReset,
                Subject::default(),
                &[("behind_seconds", &seconds)],
            )?;
            db::instance::set_last_time(change, change.now() - behind)
        })
    }
}
