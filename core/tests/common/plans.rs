//! Plans, and what is in the file after them.

use std::{collections::BTreeMap, path::Path};

use keyplate::{BootstrapAction, BootstrapReport, Claim};
use rusqlite::types::ValueRef;

/// As many and as long as there may be: too much for a token.
pub fn long_claims() -> Vec<Claim> {
    let claim = |number: usize| Claim {
        key: format!("c{number}"),
        value: "x".repeat(1_000),
    };
    (0..100).map(claim).collect()
}

pub const OPERATORS: &str = "operators-own-secret-0123456789-abcdef";

/// One of everything.
pub const WHOLE: &str = r#"{
    "settings": {
        "app_name": "Home", "signup_mode": "with_token", "signup_approval": true, "open_signups_per_hour": 3,
        "username_change": true, "session_idle_seconds": 3600, "session_lifetime_seconds": 7200,
        "step_up_seconds": 600, "counter_policy": "deny", "backup_eligibility_policy": "deny",
        "default_groups": ["family"], "signup_email_domains": ["home.example"]
    },
    "groups": [
        {"name": "family", "friendly_name": "The family", "claims": {"quota": "10"}},
        {"name": "friends"}
    ],
    "services": [
        {"slug": "films", "name": "Films", "origins": ["https://films.example", "https://a.films.example"],
         "groups": ["family", "friends"]},
        {"slug": "wiki", "for_everyone": true}
    ],
    "users": [
        {"username": "anna", "id": "0190a1b2-0000-7000-8000-00000000abcd", "email": "anna@home.example",
         "email_verified": true, "display_name": "Anna", "first_name": "Anna", "last_name": "Berg",
         "locale": "de-CH", "external_id": "u1", "role": "administrator", "groups": ["family"],
         "claims": {"room": "7"}},
        {"username": "guest", "disabled": true, "expires_at": "2027-01-31T18:00:00+01:00"}
    ],
    "signup_tokens": [
        {"note": "twenty friends", "max_uses": 20, "lifetime_seconds": 86400, "groups": ["friends"],
         "claims": {"from": "the link"}, "account_lifetime_seconds": 1000000, "approval": "not_needed",
         "email": "@friends.example"}
    ],
    "api_keys": [
        {"owner": "anna", "name": "operator", "note": "for scripts", "scopes": ["*", "roles:write"],
         "secret": "operators-own-secret-0123456789-abcdef"},
        {"owner": "anna", "name": "films", "scopes": ["films:stream"], "lifetime_seconds": 3600, "generate": true}
    ]
}"#;

/// All rows of all tables, without the times of the last commit and of last uses, and without the sealing keys, of which
/// `open` makes the day's.
pub fn everything(database: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = super::raw(database);
    let list = |table: &str| -> Vec<String> {
        let mut statement = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let kept: Vec<usize> = (0..statement.column_count())
            .filter(|n| statement.column_name(*n).unwrap() != "last_used_at")
            .collect();
        let rows = statement.query_map([], |row| {
            let values = kept.iter().map(|n| {
                Ok(match row.get_ref(*n)? {
                    ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    other => format!("{other:?}"),
                })
            });
            values.collect::<rusqlite::Result<Vec<String>>>()
        });
        let mut rows: Vec<String> = rows.unwrap().map(|row| row.unwrap().join("|")).collect();
        rows.retain(|row| !row.starts_with("sealing_keys|")); // in `sqlite_sequence`
        rows.sort();
        rows
    };
    let mut tables = connection
        .prepare(
            r"
            SELECT name
            FROM sqlite_schema
            WHERE type = 'table' AND name NOT IN ('instance', 'sealing_keys')",
        )
        .unwrap();
    let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    names
        .map(|name| name.unwrap())
        .map(|name| (name.clone(), list(&name)))
        .collect()
}

/// What a report says, such as `+ anna` and `~ family`.
pub fn told(report: &BootstrapReport) -> Vec<String> {
    let line = |change: &keyplate::BootstrapChange| {
        let sign = match change.action {
            BootstrapAction::Created => "+",
            _ => "~",
        };
        format!("{sign} {}", change.name)
    };
    report.changes.iter().map(line).collect()
}
