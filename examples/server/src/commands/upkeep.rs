use keyplate::PurgeReport;

use super::{open, printed, refused, table::aligned};
use crate::options::Options;

const DAY: i64 = 86_400;

/// Removes what the server removes once a day, and prints how much that was.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let keyplate = open(options)?;
    let settings = keyplate.get_settings().map_err(refused)?;
    let report = keyplate.purge_expired().map_err(refused)?;
    printed(&told(&report, settings.audit_retention_seconds / DAY))
}

fn told(report: &PurgeReport, audit_days: i64) -> String {
    let expired = "expired or revoked more than 30 days ago".to_owned();
    let removed = [
        (report.sessions, "sessions", expired.clone()),
        (report.api_keys, "API keys", expired.clone()),
        (
            report.one_time_tokens,
            "one-time codes and tokens",
            expired.clone(),
        ),
        (report.app_passwords, "app passwords", expired),
        (
            report.audit_events,
            "rows of the audit log",
            format!("older than {audit_days} days"),
        ),
    ];
    let rows = removed.map(|(count, what, why)| [count.to_string(), what.to_owned(), why]);
    aligned(["REMOVED", "", ""], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_told() {
        let report = PurgeReport {
            sessions: 1,
            api_keys: 2,
            one_time_tokens: 3,
            app_passwords: 5,
            audit_events: 4_000,
        };
        let text = told(&report, 400);
        for line in [
            "REMOVED",
            "1        sessions                   expired or revoked more than 30 days ago",
            "2        API keys                   expired or revoked more than 30 days ago",
            "3        one-time codes and tokens  expired or revoked more than 30 days ago",
            "5        app passwords              expired or revoked more than 30 days ago",
            "4000     rows of the audit log      older than 400 days",
        ] {
            assert!(text.lines().any(|other| other == line), "{text}");
        }
    }
}
