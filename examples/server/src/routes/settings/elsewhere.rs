//! Settings that other servers have and this one has not. Nobody is told that they hold here: only what says that they are
//! off, or as they are where nobody touched them, is let pass.

use serde_json::{Map, Value};

use crate::http::error::Failure;

/// What Pocket ID has where nobody touched it, as far as that does not look like nothing.
const UNTOUCHED: [(&str, &str); 8] = [
    ("accentColor", "default"),
    ("homePageUrl", "/settings/account"),
    ("ldapAttributeGroupMember", "member"),
    ("ldapAttributeUserDisplayName", "cn"),
    ("ldapSoftDeleteUsers", "true"),
    ("ldapUserGroupSearchFilter", "(objectClass=groupOfNames)"),
    ("ldapUserSearchFilter", "(objectClass=person)"),
    ("smtpTls", "none"),
];

/// Refuses the settings that cannot hold, each by its name.
pub(super) fn check(others: &Map<String, Value>) -> Result<(), Failure> {
    let refused = others
        .iter()
        .filter(|(key, value)| !is_off(value) && !is_untouched(key, value))
        .map(|(key, _)| {
            let reason = "has no effect on this server: leave it out";
            Failure::field(key, "unsupported", reason)
        });
    match refused.reduce(Failure::and) {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => matches!(text.trim(), "" | "false" | "[]" | "{}"),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

fn is_untouched(key: &str, value: &Value) -> bool {
    let text = match value {
        Value::Bool(value) => value.to_string(),
        Value::String(text) => text.clone(),
        _ => return false,
    };
    UNTOUCHED
        .iter()
        .any(|(known, untouched)| *known == key && *untouched == text)
}
