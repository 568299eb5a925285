//! Reads the section `# Errors`: names of errors, each with the words that say when, apart by commas and semicolons.

use crate::facade::Enum;

/// How core's comments name all errors of storage at once.
const STORAGE: &[&str] = &[
    "the storage errors",
    "The storage errors",
    "the other storage errors",
];

/// Errors, and when a call ends with them. Without names it is any error: the words say which.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Raised {
    pub(super) names: Vec<String>,
    pub(super) words: String,
}

/// A place in a clause that names errors.
struct Mark {
    start: usize,
    end: usize,
    names: Vec<String>,
}

pub(super) fn read(section: &str, error: &Enum) -> Vec<Raised> {
    let text = section.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.trim_end_matches('.');
    let mut raised: Vec<Raised> = text
        .split("; ")
        .flat_map(|clause| read_clause(clause, error))
        .collect();
    // "The other storage errors" are those that were not named before.
    let mut seen: Vec<String> = Vec::new();
    raised.retain_mut(|item| {
        let is_any = item.names.is_empty();
        item.names.retain(|name| {
            let is_new = !seen.contains(name);
            if name.starts_with("Storage") && is_new {
                seen.push(name.clone());
            }
            is_new
        });
        is_any || !item.names.is_empty()
    });
    raised
}

fn read_clause(clause: &str, error: &Enum) -> Vec<Raised> {
    let marks = marks(clause, error);
    if marks.is_empty() {
        let words = clause.trim().to_owned();
        return vec![Raised {
            names: Vec::new(),
            words,
        }];
    }
    let (mut raised, mut waiting) = (Vec::new(), Vec::new());
    for (index, mark) in marks.iter().enumerate() {
        let next = marks.get(index + 1);
        let between = &clause[mark.end..next.map_or(clause.len(), |next| next.start)];
        waiting.extend(mark.names.iter().cloned());
        // `A` and `B` for a reason: the reason is that of both.
        if next.is_some() && ["and", "or"].contains(&between.trim()) {
            continue;
        }
        let words = if next.is_some() {
            without_joint(between)
        } else {
            between
        };
        raised.push(Raised {
            names: std::mem::take(&mut waiting),
            words: words.trim_matches([',', ' ']).to_owned(),
        });
    }
    together(raised)
}

/// `A`, `B`, which …: the clause at the end is about all of them.
fn together(raised: Vec<Raised>) -> Vec<Raised> {
    let is_about_all = raised
        .last()
        .is_some_and(|last| last.words.starts_with("which "));
    let are_bare = raised
        .iter()
        .rev()
        .skip(1)
        .all(|item| item.words.is_empty());
    if !is_about_all || !are_bare {
        return raised;
    }
    let words = raised
        .last()
        .map_or_else(String::new, |last| last.words.clone());
    let names = raised.into_iter().flat_map(|item| item.names).collect();
    vec![Raised { names, words }]
}

/// The words before a comma, an "and" or an "or" that leads to the next name.
fn without_joint(between: &str) -> &str {
    let words = between.trim_end();
    let words = ["and", "or"]
        .iter()
        .find_map(|joint| words.strip_suffix(joint))
        .unwrap_or(words);
    words.trim_end_matches([',', ' '])
}

fn marks(clause: &str, error: &Enum) -> Vec<Mark> {
    let names = |text: &str| -> Vec<String> {
        let variants = error.variants.iter().map(|variant| variant.name.clone());
        if STORAGE.contains(&text) {
            variants
                .filter(|name| name.starts_with("Storage"))
                .collect()
        } else {
            variants
                .filter(|name| format!("`{name}`") == text)
                .collect()
        }
    };
    let quoted = error
        .variants
        .iter()
        .map(|variant| format!("`{}`", variant.name));
    let patterns: Vec<String> = quoted
        .chain(STORAGE.iter().map(|text| (*text).to_owned()))
        .collect();
    let mut marks: Vec<Mark> = patterns
        .iter()
        .flat_map(|pattern| clause.match_indices(pattern.as_str()))
        .map(|(start, text)| Mark {
            start,
            end: start + text.len(),
            names: names(text),
        })
        .collect();
    marks.sort_by_key(|mark| mark.start);
    marks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facade::Variant;

    fn error() -> Enum {
        let names = ["NotFound", "Busy", "Conflict", "StorageFull", "StorageLost"];
        let variant = |name: &&str| Variant {
            name: (*name).to_owned(),
            number: 0,
            fields: Vec::new(),
            doc: String::new(),
        };
        Enum {
            variants: names.iter().map(variant).collect(),
            ..Enum::default()
        }
    }

    #[track_caller]
    fn reads(section: &str, expected: &[(&[&str], &str)]) {
        let found = read(section, &error());
        let found: Vec<(Vec<&str>, &str)> = found
            .iter()
            .map(|item| {
                (
                    item.names.iter().map(String::as_str).collect(),
                    item.words.as_str(),
                )
            })
            .collect();
        let expected: Vec<(Vec<&str>, &str)> = expected
            .iter()
            .map(|(names, words)| (names.to_vec(), *words))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn names_are_apart_by_commas_and_semicolons() {
        reads("`NotFound`.", &[(&["NotFound"], "")]);
        reads(
            "`NotFound`, `Busy`;\n`Conflict` for a name, or a slug.",
            &[
                (&["NotFound"], ""),
                (&["Busy"], ""),
                (&["Conflict"], "for a name, or a slug"),
            ],
        );
        reads(
            "`NotFound`, also for a `key`, `Busy`",
            &[(&["NotFound"], "also for a `key`"), (&["Busy"], "")],
        );
    }

    #[test]
    fn a_reason_may_be_that_of_several() {
        reads(
            "`Busy` and `Conflict`, which leave it open; `NotFound`.",
            &[
                (&["Busy", "Conflict"], "which leave it open"),
                (&["NotFound"], ""),
            ],
        );
        reads(
            "`NotFound`, `Busy`, which do not use it up.",
            &[(&["NotFound", "Busy"], "which do not use it up")],
        );
    }

    #[test]
    fn the_storage_errors_are_named() {
        reads(
            "The storage errors.",
            &[(&["StorageFull", "StorageLost"], "")],
        );
        reads(
            "`StorageFull` and the other storage errors, after which nothing is left.",
            &[(
                &["StorageFull", "StorageLost"],
                "after which nothing is left",
            )],
        );
        reads(
            "`Busy`, the storage errors; the other storage errors",
            &[(&["Busy"], ""), (&["StorageFull", "StorageLost"], "")],
        );
    }

    #[test]
    fn words_alone_are_any_error() {
        reads(
            "As `sign_up`; `Busy` at night.",
            &[(&[], "As `sign_up`"), (&["Busy"], "at night")],
        );
    }
}
