//! The clock and the time by which everything expires: how far apart they are, and setting the time back (C5).

use std::time::{Duration, SystemTime};

use crate::{
    clock, db,
    error::Result,
    gate::{
        change::{Change, Subject},
        handle::Keyplate,
        methods::Method,
        time::{far_behind, whole_seconds},
    },
    model::{
        audit::EventKind,
        upkeep::{ClockResetReport, ClockState},
    },
    rules::{passkeys::next_sealing_key, setup},
};

/// A clock that is slewed or rounded is no clock that was wrong: nothing ends for less.
const WORTH_A_RESET: Duration = Duration::from_secs(1);

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Tells by what time credentials expire, and how far the clock is behind it. That happens when the clock ran ahead
    /// while something was changed and was put right afterwards, and while it has not been set since the machine was started.
    ///
    /// # Errors
    /// `PermissionDenied` for all but administrators with `settings:read`; the storage errors.
    pub fn get_clock_state(&self) -> Result<ClockState> {
        self.read(Method::GetClockState, |reader, _| {
            Ok(ClockState {
                now: reader.now(),
                clock: reader.clock(),
                behind_seconds: whole_seconds(reader.clock_is_behind()),
                access_tokens_stopped: far_behind(reader).is_some(),
            })
        })
    }

    /// Makes the clock's time the one by which credentials expire, after a clock that ran ahead was put right
    /// (`ClockBehind`). What had expired only by the wrong time works again.
    ///
    /// Whatever was made after the clock's time, and therefore by the wrong one, ends: sessions, step-ups, one-time, setup
    /// and recovery tokens, requests and links of devices, passkey ceremonies, counts of attempts, and former secrets of API keys that were rotated. The
    /// keys that sign access tokens are replaced without an overlap, so all access tokens end. Users, API keys, app
    /// passwords and sign-up tokens stay: their ends are dates that somebody named. The answer says how many keys and tokens these are.
    ///
    /// While the clock is less than a second behind and nothing was made after it, nothing ends and nothing is recorded.
    ///
    /// # Errors
    /// `PermissionDenied` on any but the host's handle; the storage errors.
    pub fn reset_clock(&self) -> Result<ClockResetReport> {
        let (report, now) = self.write(Method::ResetClock, |change| {
            let behind = change.clock_is_behind();
            change.set_time_back()?;
            let now = change.now();
            let mut report = end_made_after(change, now)?;
            if behind < WORTH_A_RESET && report == ClockResetReport::default() {
                return Ok((report, now));
            }
            report.behind_seconds = whole_seconds(behind);
            report.ceremonies = db::ceremonies::forget_everything(change)? as i64;
            next_sealing_key(change)?;
            report.signing_keys = db::signing_keys::forget_all(change)? as i64;
            report.api_keys_kept = db::api_keys::count_made_after(change, now)?;
            report.app_passwords_kept = db::app_passwords::count_made_after(change, now)?;
            report.signup_tokens_kept = db::signup_tokens::count_made_after(change, now)?;
            db::audit::tell_anew(change, EventKind::ClockBehind)?;
            record(change, &report)?;
            Ok((report, now))
        })?;
        self.shared.seen.set_back(now);
        Ok(report)
    }
}

impl Keyplate {
    /// The first to open the file in a boot stores the time with it, before there is a handle; others who open it
    /// meanwhile may do so once more.
    pub(in crate::rules) fn settle_boot(&self) -> Result<()> {
        if self.shared.db.read(|reader| Ok(reader.is_of_this_boot()))? {
            return Ok(());
        }
        match self.write_for_host(|_| Ok(())) {
            // It can be read all the same, and time goes on in this process as if it had been stored.
            Err(error) if error.only_stops_writing() => Ok(()),
            stored => stored,
        }
    }
}

/// What ends with the time at which it was made.
fn end_made_after(change: &Change<'_>, now: SystemTime) -> Result<ClockResetReport> {
    db::api_keys::settle_last_used(change, now)?;
    db::passkeys::settle_last_used(change, now)?;
    db::app_passwords::settle_last_used(change, now)?;
    db::service_sessions::delete_tickets_made_after(change, now)?;
    Ok(ClockResetReport {
        sessions: db::sessions::end_made_after(change, now)? as i64,
        step_ups: db::sessions::settle_times(change, now)? as i64,
        one_time_tokens: db::one_time_tokens::delete_made_after(change, now)? as i64,
        setup_tokens: setup::end_tokens_made_after(change, now)? as i64,
        attempts: db::attempts::forget_after(change, now)? as i64,
        api_key_overlaps: db::api_keys::end_overlaps_made_after(change, now)? as i64,
        device_logins: (db::device_logins::delete_made_after(change, now)?
            + db::device_links::delete_made_after(change, now)?) as i64,
        ..ClockResetReport::default()
    })
}

/// It bears the new time, so that the log shows when it was.
fn record(change: &Change<'_>, report: &ClockResetReport) -> Result<()> {
    let counts = [
        ("api_key_overlaps", report.api_key_overlaps),
        ("api_keys_kept", report.api_keys_kept),
        ("app_passwords_kept", report.app_passwords_kept),
        ("attempts", report.attempts),
        ("behind_seconds", report.behind_seconds),
        ("ceremonies", report.ceremonies),
        ("device_logins", report.device_logins),
        ("one_time_tokens", report.one_time_tokens),
        ("sessions", report.sessions),
        ("setup_tokens", report.setup_tokens),
        ("signing_keys", report.signing_keys),
        ("signup_tokens_kept", report.signup_tokens_kept),
        ("step_ups", report.step_ups),
    ];
    let counts = counts.map(|(name, count)| (name, count.to_string()));
    let details = counts
        .each_ref()
        .map(|(name, count)| (*name, count.as_str()));
    change.record(EventKind::ClockReset, Subject::default(), &details)
}

/// The time before which `purge_expired` removes: what expired only by a wrong time is kept (C5).
pub(in crate::rules) fn expired_for(change: &Change<'_>, kept: Duration) -> SystemTime {
    let millis = i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
    clock::later(change.clock(), -millis)
}
