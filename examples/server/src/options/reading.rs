//! How values are read, whether they stand behind a flag or in a variable.
//!
//! Environment files keep what a shell takes away: `docker --env-file` leaves quotes where they are, and files from other
//! systems end their lines with a carriage return. So blanks around a value, and one pair of quotes, are none of it, and what
//! is empty then is not given.

use std::ffi::OsString;

use super::table::{Kind, Spec};

const YES: [&str; 4] = ["yes", "true", "on", "1"];
const NO: [&str; 4] = ["no", "false", "off", "0"];

/// Where values come from: the command line, and the environment.
pub(crate) trait Source {
    /// The values behind a flag.
    fn flag(&self, name: &str) -> Vec<OsString>;
    fn variable(&self, name: &str) -> Option<OsString>;
}

/// What an option was given, and where.
#[derive(Debug)]
pub(super) struct Given {
    /// What to call it in a sentence: the flag or the variable.
    pub(super) called: String,
    pub(super) values: Vec<OsString>,
}

impl Given {
    /// The one value, as text.
    pub(super) fn text(&self) -> Result<&str, String> {
        let value = self.values.first().and_then(|value| value.to_str());
        value.ok_or_else(|| format!("{} must be UTF-8", self.called))
    }

    pub(super) fn texts(&self) -> Result<Vec<&str>, String> {
        let texts = self.values.iter().map(|value| value.to_str());
        let texts: Option<Vec<&str>> = texts.collect();
        texts.ok_or_else(|| format!("{} must be UTF-8", self.called))
    }

    pub(super) fn is_yes(&self) -> Result<bool, String> {
        let word = self.text()?.to_lowercase();
        if YES.contains(&word.as_str()) {
            return Ok(true);
        }
        if NO.contains(&word.as_str()) {
            return Ok(false);
        }
        let words = YES.iter().zip(NO).map(|(yes, no)| format!("{yes} or {no}"));
        let words = words.collect::<Vec<_>>().join(", ");
        Err(format!("{} must be {words}", self.called))
    }
}

/// What was given of an option: behind its flag, or else in its variable.
pub(super) fn given(source: &impl Source, spec: &Spec) -> Option<Given> {
    let behind_flag = match spec.kind {
        Kind::Secret => Vec::new(),
        _ => values(spec.kind, source.flag(spec.name)),
    };
    let in_variable = || values(spec.kind, source.variable(spec.variable));
    let (called, values) = match behind_flag.is_empty() {
        false => (spec.flag(), behind_flag),
        true => (spec.variable.to_owned(), in_variable()),
    };
    (!values.is_empty()).then_some(Given { called, values })
}

fn values(kind: Kind, given: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut values = Vec::new();
    for value in given {
        let Some(text) = value.to_str() else {
            values.push(value);
            continue;
        };
        match kind {
            Kind::Secret if !text.trim().is_empty() => values.push(value),
            Kind::Secret => {}
            kind if kind.is_list() => {
                let items = clean(text).split(',').map(clean);
                values.extend(items.filter(|item| !item.is_empty()).map(OsString::from));
            }
            _ => values.extend(
                Some(clean(text))
                    .filter(|text| !text.is_empty())
                    .map(OsString::from),
            ),
        }
    }
    values
}

/// Without blanks around it, and without one pair of quotes.
fn clean(text: &str) -> &str {
    let text = text.trim();
    for quote in ['"', '\''] {
        let inner = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote));
        // Two quoted items of a list have a quote at either end too.
        if let Some(inner) = inner.filter(|inner| !inner.contains(quote)) {
            return inner.trim();
        }
    }
    text
}
