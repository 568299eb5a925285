//! Maintaining a database.

use std::{thread, time::Duration};

use crate::{
    db,
    error::Result,
    gate::{change::Subject, handle::Keyplate, methods::Method},
    model::{
        audit::{AuditEvent, EventKind},
        upkeep::{IntegrityReport, PurgeReport, Statistics},
    },
    rules::clock,
};

/// C5: for how long what has expired is kept, for those who ask why.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Rows of the audit log that go in one transaction: others wait for some tens of milliseconds.
const AUDIT_BATCH: i64 = 1_000;
/// Between two of them, so that who waits has its turn.
const PAUSE: Duration = Duration::from_millis(2);

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Removes sessions, API keys, app passwords, one-time tokens and requests of devices that expired or were revoked more than 30 days ago, and what of the
    /// audit log is older than the setting `audit_retention_seconds`, by the clock if that is behind. Users are never removed, nor API keys that a plan
    /// made: it would make them again. The rows of the audit log go in many small transactions, so that others need not
    /// wait; a call that fails in the middle has removed some.
    ///
    /// # Errors
    /// `PermissionDenied` on any but the host's handle; the storage errors.
    pub fn purge_expired(&self) -> Result<PurgeReport> {
        let report = self.purge_credentials()?;
        Ok(PurgeReport {
            audit_events: self.purge_audit()?,
            ..report
        })
    }

    /// Reads the whole file and checks it. Takes a second per few hundred megabytes; others may work meanwhile. Names that
    /// an upgrade found to be the same are a problem until one of them is changed.
    ///
    /// # Errors
    /// `PermissionDenied` on any but the host's handle; the storage errors.
    pub fn check_integrity(&self) -> Result<IntegrityReport> {
        self.read(Method::CheckIntegrity, |_, _| Ok(()))?;
        let problems = self.shared.db.check_integrity()?;
        if !problems.is_empty() {
            return Ok(IntegrityReport {
                ok: false,
                problems,
                name_collisions: 0,
            });
        }
        // Of a damaged file nothing more is read.
        let collisions = self.read(Method::CheckIntegrity, |reader, _| {
            db::collisions::list(reader)
        })?;
        Ok(IntegrityReport {
            ok: collisions.is_empty(),
            name_collisions: collisions.len() as i64,
            problems: collisions.iter().map(ToString::to_string).collect(),
        })
    }

    /// Counts what there is, all at one moment.
    ///
    /// # Errors
    /// `PermissionDenied` for all but administrators with `settings:read`; the storage errors.
    pub fn get_statistics(&self) -> Result<Statistics> {
        let bytes = self.shared.db.bytes();
        self.read(Method::GetStatistics, |reader, _| {
            Ok(Statistics {
                bytes: i64::try_from(bytes.clone()?).unwrap_or(i64::MAX),
                ..db::statistics::get(reader)?
            })
        })
    }
}

impl Keyplate {
    fn purge_credentials(&self) -> Result<PurgeReport> {
        self.write(Method::PurgeExpired, |change| {
            let before = clock::expired_for(change, KEPT_AFTER_EXPIRY);
            let report = PurgeReport {
                sessions: db::sessions::purge(change, before)? as i64,
                api_keys: db::api_keys::purge(change, before)? as i64,
                one_time_tokens: db::one_time_tokens::purge(change, before)? as i64,
                app_passwords: db::app_passwords::purge(change, before)? as i64,
                audit_events: 0,
            };
            db::device_logins::purge(change, before)?;
            db::device_links::purge(change, before)?;
            db::service_sessions::purge_tickets(change, change.now())?;
            let counts = [
                report.sessions,
                report.api_keys,
                report.one_time_tokens,
                report.app_passwords,
            ];
            if counts.iter().any(|count| *count > 0) {
                let details = [
                    ("sessions", report.sessions.to_string()),
                    ("api_keys", report.api_keys.to_string()),
                    ("one_time_tokens", report.one_time_tokens.to_string()),
                    ("app_passwords", report.app_passwords.to_string()),
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

    fn purge_audit(&self) -> Result<i64> {
        let mut told = None;
        let mut purged = 0;
        let result = loop {
            match self.purge_audit_batch(purged, told.as_ref().map(|event: &AuditEvent| event.id)) {
                Ok(None) => break Ok(purged),
                Ok(Some((gone, event))) => {
                    purged += gone;
                    told = Some(event);
                }
                Err(error) => break Err(error),
            }
            thread::sleep(PAUSE);
        };
        self.deliver(told.into_iter().collect());
        result
    }

    /// A1: each batch is counted in its own transaction, all of them in one row. The host hears of it at the end.
    fn purge_audit_batch(
        &self,
        purged: i64,
        row: Option<i64>,
    ) -> Result<Option<(i64, AuditEvent)>> {
        self.write(Method::PurgeExpired, |change| {
            let kept = db::settings::load(change)?.audit_retention_seconds;
            let kept = Duration::from_secs(kept.unsigned_abs());
            let before = clock::expired_for(change, kept);
            let gone = db::audit::purge(change, before, AUDIT_BATCH)? as i64;
            if gone == 0 {
                return Ok(None);
            }
            let sum = (purged + gone).to_string();
            let event = change.record_sum(EventKind::ExpiredPurged, row, "audit_events", &sum)?;
            Ok(Some((gone, event)))
        })
    }
}
