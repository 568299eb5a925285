//! The rules' names: each that a comment cites has its entry in `docs/rules.md`, and each entry its test.
//!
//! A citation is a rule's name as a word of its own in a comment of a source by hand: `// S4`, `(K2, P5)`, `B1–B5`. Its
//! letter is that of a chapter of the book; words between back-ticks are code and cite nothing. What a face shows, the
//! documentation of the facade, cites nothing: who reads it has no such book.

mod book;
mod comments;
mod sources;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use crate::{facade::Facade, workspace::Workspace};
use book::Book;
use comments::Language;
use sources::Source;

/// Where the rules stand.
const BOOK: &str = "docs/rules.md";

/// Fails with every citation of a rule that is nowhere, every rule without a test, every wrong entry, and every name of a
/// rule that a face would show.
pub(crate) fn check(workspace: &Workspace, facade: &Facade) -> Result<()> {
    let book = Book::read(&workspace.read(BOOK)?)?;
    let mut failures = of_sources(&book, &sources::by_hand(&workspace.root)?);
    failures.extend(book.missing_files(&workspace.root));
    failures.extend(of_docs(&book, facade));
    ensure!(failures.is_empty(), "{}", failures.join("\n  "));
    Ok(())
}

/// The same without the facade, which must be built before it is read.
pub(crate) fn check_sources(workspace: &Workspace) -> Result<()> {
    check(workspace, &Facade::default())
}

/// What is wrong with the citations of these sources.
fn of_sources(book: &Book, sources: &[Source]) -> Vec<String> {
    let mut failures = Vec::new();
    let mut tested = BTreeSet::new();
    for source in sources {
        let Some(language) = Language::of(&source.path) else {
            continue;
        };
        for comment in language.comments(&source.text) {
            for rule in cited(&book.chapters(), &comment.text) {
                if source.is_test(comment.line) {
                    tested.insert(rule.clone());
                }
                if !book.rules.contains_key(&rule) {
                    let place = format!("{}:{}", source.path, comment.line);
                    failures.push(format!("{place}: {rule} has no entry in {BOOK}"));
                }
            }
        }
    }
    let untested = book
        .rules
        .iter()
        .filter(|(rule, entry)| !entry.waits && !tested.contains(*rule));
    failures.extend(untested.map(|(rule, entry)| {
        format!(
            "{BOOK}:{}: no test cites {rule}, and it does not say what it waits for",
            entry.line
        )
    }));
    failures
}

/// The facade's documentation that names rules.
fn of_docs(book: &Book, facade: &Facade) -> Vec<String> {
    let chapters = book.chapters();
    let named: BTreeMap<&str, Vec<String>> = facade
        .docs
        .iter()
        .map(|doc| (doc.of.as_str(), cited(&chapters, &doc.text)))
        .filter(|(_, rules)| !rules.is_empty())
        .collect();
    let line = |(name, rules): (&str, Vec<String>)| {
        let rules = rules.join(", ");
        format!(
            "the documentation of {name} names {rules}: faces show it, and their readers have no {BOOK}"
        )
    };
    named.into_iter().map(line).collect()
}

/// The rules that a text cites, ranges written out.
fn cited(chapters: &BTreeSet<char>, text: &str) -> Vec<String> {
    let text = without_code(text);
    let mut found: Vec<String> = Vec::new();
    let mut range_from: Option<(char, u32)> = None;
    let mut rest = text.as_str();
    let mut before = None;
    while let Some(letter) = rest.chars().next() {
        let is_start = before.is_none_or(|before: char| !is_part_of_word(before));
        match name_at(rest).filter(|(_, _, _)| is_start && chapters.contains(&letter)) {
            Some((letter, number, length)) => {
                let first = match range_from {
                    Some((from, first)) if from == letter && first < number => first + 1,
                    _ => number,
                };
                found.extend((first..=number).map(|number| format!("{letter}{number}")));
                before = rest[..length].chars().last();
                rest = &rest[length..];
                range_from = rest.starts_with('–').then_some((letter, number));
            }
            None => {
                range_from = range_from.filter(|_| letter == '–');
                before = Some(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    found
}

/// Letter, number and length of a rule's name at the beginning of a text.
fn name_at(text: &str) -> Option<(char, u32, usize)> {
    let letter = text.chars().next().filter(char::is_ascii_uppercase)?;
    let digits: String = text[1..].chars().take_while(char::is_ascii_digit).collect();
    let after = text[1 + digits.len()..].chars().next();
    let is_name = matches!(digits.len(), 1 | 2) && !digits.starts_with('0');
    let ends = after.is_none_or(|after| !is_part_of_word(after));
    let number = digits.parse().ok()?;
    (is_name && ends).then_some((letter, number, 1 + digits.len()))
}

/// What makes of a letter and a number something else: `U1_x`, `P-256`, `K2/x`, `U+00B5`.
fn is_part_of_word(letter: char) -> bool {
    letter.is_alphanumeric()
        || ['_', '-', '/', '+', '$', '#', '&', '=', '\'', '"'].contains(&letter)
}

/// Without what stands between back-ticks.
fn without_code(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let prose: Vec<&str> = parts
        .filter(|(place, _)| place % 2 == 0)
        .map(|(_, part)| part)
        .collect();
    prose.join("\u{fffc}")
}

#[cfg(test)]
mod tests;
