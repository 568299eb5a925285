//! The folded forms of text: two names are the same when these are (U1).

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};

use super::{characters, domains};

/// Unicode normal form C.
pub(super) fn nfc(text: &str) -> Cow<'_, str> {
    ComposingNormalizer::new_nfc().normalize(text)
}

/// Is the text free of characters that only stand for others, such as full-width letters?
pub(super) fn is_plain(text: &str) -> bool {
    ComposingNormalizer::new_nfkc().is_normalized(text)
}

/// What names are compared by: the standard's canonical caseless matching (D145), which knows `Straße` for `STRASSE` and
/// `ὈΔΥΣΣΕΎΣ` for `ὀδυσσεύς`, in NFC, and without characters that nobody sees. It does not depend on a language: the
/// dotless `ı` is a letter of its own.
pub(crate) fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let is_seen = |&c: &char| !characters::is_ignorable(c);
    let seen: String = text.chars().filter(is_seen).collect();
    // An older file may have a name of nothing else.
    let seen = if seen.is_empty() { text } else { &seen };
    let decomposed = DecomposingNormalizer::new_nfd().normalize(seen);
    nfc(&CaseMapper::new().fold_string(&decomposed)).into_owned()
}

/// The same of a username or an e-mail address, whose domain is compared in its ASCII form.
pub(crate) fn name_key(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((local, domain)) => format!("{}@{}", folded(local), domains::key(domain)),
        None => folded(text),
    }
}

/// Stands between a key and the id of its row, when an older row has that key.
const APART: char = '\u{1}';

/// The key of a row whose name another had first, from before they were the same: nobody can type it.
pub(crate) fn displaced(key: &str, id: &str) -> String {
    format!("{key}{APART}{id}")
}

/// The bounds between which the displaced forms of a key lie.
pub(crate) fn displaced_bounds(key: &str) -> (String, String) {
    (format!("{key}{APART}"), format!("{key}\u{2}"))
}

/// The key that such a row would have; none for one that has its own.
pub(crate) fn undisplaced(key: &str) -> Option<&str> {
    key.split_once(APART).map(|(key, _)| key)
}

/// What is searched for: folded, without accents, with single blanks.
pub(crate) fn searchable(text: &str) -> String {
    let folded_text = folded(text);
    let decomposed = DecomposingNormalizer::new_nfkd().normalize(&folded_text);
    let bare: String = decomposed
        .chars()
        .filter(|&c| !characters::is_mark(c) && !characters::is_hidden(c))
        .collect();
    let words: Vec<String> = bare.split_whitespace().map(folded).collect();
    words.join(" ")
}

/// What a list's search reads of a row: each text on a line, which no search crosses.
pub(crate) fn search_key<'t>(texts: impl IntoIterator<Item = Option<&'t str>>) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut add = |text: &str| {
        let line = searchable(text);
        if !line.is_empty() && !lines.contains(&line) {
            lines.push(line);
        }
    };
    for text in texts.into_iter().flatten() {
        add(text);
        if let Some((local, domain)) = text.rsplit_once('@') {
            // Both spellings of the domain.
            add(&format!("{local}@{}", domains::shown(domain)));
            add(&format!("{local}@{}", domains::key(domain)));
        }
    }
    lines.join("\n")
}

/// The same of a person, who is found by both of their names in either order.
pub(crate) fn person_search_key(names: [Option<&str>; 6]) -> String {
    let [username, email, display_name, first, last, external_id] = names;
    let both = first.zip(last);
    let in_order = both.map(|(first, last)| format!("{first} {last}"));
    let turned = both.map(|(first, last)| format!("{last} {first}"));
    search_key([
        username,
        email,
        display_name,
        in_order.as_deref().or(first).or(last),
        turned.as_deref(),
        external_id,
    ])
}
