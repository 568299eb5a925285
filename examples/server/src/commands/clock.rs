use keyplate::ClockResetReport;

use super::{open, printed, refused, table::aligned};
use crate::options::Options;

/// Sets the time of the database to the clock's, and prints what ended by it.
pub(crate) fn reset(options: &Options) -> Result<(), String> {
    let report = open(options)?.reset_clock().map_err(refused)?;
    if report == ClockResetReport::default() {
        return printed("the clock is not behind: nothing to do\n");
    }
    printed(&told(&report))
}

fn told(report: &ClockResetReport) -> String {
    let ended = [
        ("sessions", report.sessions),
        ("step-ups of other sessions", report.step_ups),
        ("one-time codes and tokens", report.one_time_tokens),
        ("setup tokens", report.setup_tokens),
        ("passkey ceremonies", report.ceremonies),
        ("counted attempts", report.attempts),
        ("former secrets of API keys", report.api_key_overlaps),
        ("keys of access tokens", report.signing_keys),
    ];
    let ended = ended.map(|(what, count)| [count.to_string(), what.to_owned()]);
    format!(
        "time was set back by {} seconds\n{}kept, although they were made meanwhile: API keys: {}, sign-up tokens: {}\n",
        report.behind_seconds,
        aligned(["ENDED", ""], &ended),
        report.api_keys_kept,
        report.signup_tokens_kept
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_told() {
        let report = ClockResetReport {
            behind_seconds: 72_000,
            sessions: 12,
            signing_keys: 1,
            api_keys_kept: 2,
            ..ClockResetReport::default()
        };
        let text = told(&report);
        for line in [
            "time was set back by 72000 seconds",
            "ENDED",
            "12     sessions",
            "0      setup tokens",
            "1      keys of access tokens",
            "kept, although they were made meanwhile: API keys: 2, sign-up tokens: 0",
        ] {
            assert!(text.lines().any(|other| other == line), "{text}");
        }
    }
}
