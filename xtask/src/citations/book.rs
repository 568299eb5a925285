//! `docs/rules.md` as it is written: chapters, and in them an entry a rule.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use camino::Utf8Path;

use super::{BOOK, name_at};

/// The start of an entry's heading: name and title follow.
const HEADING: &str = "### ";
const KEPT: &str = "Kept by:";
const WAITS: &str = "*Waits for:*";

#[derive(Debug, Default)]
pub(super) struct Entry {
    /// Of its heading.
    pub(super) line: usize,
    has_text: bool,
    kept_by: Vec<String>,
    /// It says which test is still to come.
    pub(super) waits: bool,
}

#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) rules: BTreeMap<String, Entry>,
}

impl Book {
    /// Reads the entries; fails with all that are not as an entry should be.
    pub(super) fn read(text: &str) -> Result<Self> {
        let mut book = Self::default();
        let mut failures = Vec::new();
        let mut entry: Option<String> = None;
        let mut in_kept = false;
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim();
            if let Some(heading) = text.strip_prefix(HEADING) {
                in_kept = false;
                entry = book.heading(heading, line);
                if entry.is_none() {
                    failures.push(format!(
                        "{BOOK}:{line}: not the name of a new rule and a title: {heading}"
                    ));
                }
            } else if text.starts_with('#') {
                (entry, in_kept) = (None, false);
            } else if let Some(entry) = entry.as_ref().and_then(|name| book.rules.get_mut(name)) {
                in_kept = text.starts_with(KEPT) || in_kept && !text.is_empty();
                if text.starts_with(WAITS) {
                    (entry.waits, in_kept) = (text.len() > WAITS.len(), false);
                } else if in_kept {
                    entry.kept_by.extend(between_ticks(text));
                } else {
                    entry.has_text |= !text.is_empty();
                }
            }
        }
        for (rule, entry) in &book.rules {
            if !entry.has_text {
                failures.push(format!("{BOOK}:{}: {rule} says nothing", entry.line));
            }
            if entry.kept_by.is_empty() && !entry.waits {
                let line = entry.line;
                failures.push(format!(
                    "{BOOK}:{line}: {rule} has no line `{KEPT}` with files"
                ));
            }
        }
        ensure!(!book.rules.is_empty(), "{BOOK} has no entry");
        ensure!(failures.is_empty(), "{}", failures.join("\n  "));
        Ok(book)
    }

    /// Begins the entry `K2 Scopes and ceilings`; None if that is none, or no new one.
    fn heading(&mut self, heading: &str, line: usize) -> Option<String> {
        let (_, _, length) = name_at(heading)?;
        let (name, title) = heading.split_at(length);
        if title.trim().is_empty() || self.rules.contains_key(name) {
            return None;
        }
        let entry = Entry {
            line,
            ..Entry::default()
        };
        self.rules.insert(name.to_owned(), entry);
        Some(name.to_owned())
    }

    /// The letters that rules' names begin with.
    pub(super) fn chapters(&self) -> BTreeSet<char> {
        self.rules
            .keys()
            .filter_map(|name| name.chars().next())
            .collect()
    }

    /// Files that are said to keep a rule and do not exist.
    pub(super) fn missing_files(&self, root: &Utf8Path) -> Vec<String> {
        let mut missing = Vec::new();
        for (rule, entry) in &self.rules {
            for path in entry
                .kept_by
                .iter()
                .filter(|path| !root.join(path).exists())
            {
                let line = entry.line;
                missing.push(format!(
                    "{BOOK}:{line}: {rule} is kept by {path}, which does not exist"
                ));
            }
        }
        missing
    }
}

fn between_ticks(text: &str) -> impl Iterator<Item = String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned)
}
