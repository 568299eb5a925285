//! The SQL of `core/src/db/<noun>.rs` is what SQLite and PostgreSQL share (D6). What one of them has alone, or reads
//! otherwise than the other, is refused here; `db/engine` may say it.

mod lexer;
mod schema;

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;
use lexer::{Literal, Token, literals, tokens};
use schema::Schema;

/// Functions that only SQLite has, or that give something else in PostgreSQL.
const FUNCTIONS: [&str; 21] = [
    "CHANGES",
    "DATETIME",
    "GLOB",
    "GROUP_CONCAT",
    "HEX",
    "IFNULL",
    "IIF",
    "INSTR",
    "JSON_EACH",
    "JULIANDAY",
    "LAST_INSERT_ROWID",
    "LOWER",
    "PRINTF",
    "RANDOM",
    "STRFTIME",
    "TOTAL",
    "TOTAL_CHANGES",
    "TYPEOF",
    "UNIXEPOCH",
    "UPPER",
    "ZEROBLOB",
];

/// Words that only SQLite knows.
const WORDS: [&str; 9] = [
    "AUTOINCREMENT",
    "GLOB",
    "INDEXED",
    "NOCASE",
    "OID",
    "PRAGMA",
    "REGEXP",
    "ROWID",
    "_ROWID_",
];

/// Two words that only SQLite has together.
const PAIRS: [(&str, &str); 3] = [("INSERT", "OR"), ("UPDATE", "OR"), ("REPLACE", "INTO")];

/// Every file of `core/src/db` but the engine's.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let schema = Schema::read(&workspace.read("core/sql/schema.sql")?);
    let folder = workspace.root.join("core/src/db");
    let mut files = vec!["core/src/db.rs".to_owned()];
    for entry in folder.read_dir_utf8().with_context(|| folder.to_string())? {
        let entry = entry?;
        let name = entry.file_name();
        if name.ends_with(".rs") && name != "engine.rs" {
            files.push(format!("core/src/db/{name}"));
        }
    }
    files.sort();
    let mut problems = Vec::new();
    for file in files {
        let stem = file.trim_end_matches(".rs").rsplit('/').next();
        let schema = schema.of_file(stem.unwrap_or_default());
        for Literal { line, text, before } in literals(&workspace.read(&file)?) {
            let found = in_literal(&text, &before, &schema);
            problems.extend(
                found
                    .into_iter()
                    .map(|what| format!("{file}:{line}: {what}")),
            );
        }
    }
    ensure!(
        problems.is_empty(),
        "not the SQL that SQLite and PostgreSQL share (D6):\n  {}",
        problems.join("\n  ")
    );
    Ok(())
}

/// What is wrong with a string literal; `before` is the code right before it.
fn in_literal(text: &str, before: &str, schema: &Schema) -> Vec<String> {
    let tokens = tokens(text);
    let mut problems = functions(&tokens);
    if before.ends_with("Filled(") && schema.is_nullable(text, &[]) {
        problems.push(format!("{text} may be NULL: it is sorted as Nullable"));
    }
    if is_sql(text) {
        problems.extend(words(&tokens));
        problems.extend(cross_joins(&tokens));
        problems.extend(untyped_parameters(&tokens));
        problems.extend(bare_conditions(&tokens, schema));
        problems.extend(sorts_of_null(&tokens, schema));
    }
    problems
}

/// Keywords are in capitals; what has none is a name or prose.
fn is_sql(text: &str) -> bool {
    const KEYWORDS: [&str; 13] = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "FROM", "WHERE", "ORDER", "JOIN", "AND",
        "OR", "IS", "LIKE",
    ];
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    text.split(|c| !is_letter(c))
        .any(|word| KEYWORDS.contains(&word))
}

fn functions(tokens: &[Token]) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, pair) in tokens.windows(2).enumerate() {
        if !pair[1].is("(") {
            continue;
        }
        if FUNCTIONS.iter().any(|name| pair[0].is(name)) {
            problems.push(format!("{}()", pair[0].text));
        }
        let scalar = (pair[0].is("MAX") || pair[0].is("MIN")) && has_comma(&tokens[index + 2..]);
        if scalar {
            problems.push(format!("{}() of several values", pair[0].text));
        }
    }
    problems
}

/// A comma before the bracket closes?
fn has_comma(arguments: &[Token]) -> bool {
    let mut depth = 1;
    for token in arguments {
        match token.text.as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            "," if depth == 1 => return true,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    false
}

fn words(tokens: &[Token]) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let is = |ahead: usize, text: &str| tokens.get(index + ahead).is_some_and(|t| t.is(text));
        if WORDS.iter().any(|word| token.is(word)) && !is(1, "(") {
            problems.push(token.text.clone());
        }
        for (first, second) in PAIRS {
            if is(0, first) && is(1, second) {
                problems.push(format!("{first} {second}"));
            }
        }
        if token.is("==") || token.is("`") || token.is("\"") || token.is("[") {
            problems.push(format!("{} in a statement", token.text));
        }
        let comparable = ["NULL", "NOT", "DISTINCT", "TRUE", "FALSE"];
        if is(0, "IS") && !comparable.iter().any(|word| is(1, word)) {
            problems.push("IS between values".to_owned());
        }
        if is(0, "instance") && is(1, ".") {
            let column = tokens.get(index + 2).map_or("", |token| &token.text);
            problems.push(format!("instance.{column}: the engine adds it to look-ups"));
        }
        if is(0, "LIMIT") && is(2, ",") {
            problems.push("LIMIT with a comma".to_owned());
        }
    }
    problems
}

/// `CROSS JOIN table [AS] [name] ON`.
fn cross_joins(tokens: &[Token]) -> Vec<String> {
    let joins = tokens.windows(2).enumerate();
    let joins = joins.filter(|(_, pair)| pair[0].is("CROSS") && pair[1].is("JOIN"));
    let with_on = joins.filter(|(index, _)| {
        let behind = tokens[index + 2..].iter().take(4);
        behind
            .take_while(|token| !token.is("JOIN") && !token.is("CROSS") && !token.is("WHERE"))
            .any(|token| token.is("ON"))
    });
    with_on.map(|_| "CROSS JOIN … ON".to_owned()).collect()
}

/// PostgreSQL must know a parameter's type from what stands beside it.
fn untyped_parameters(tokens: &[Token]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut listing = false;
    for (index, token) in tokens.iter().enumerate() {
        listing = (listing || token.is("SELECT")) && !token.is("FROM");
        if !token.is_parameter() {
            continue;
        }
        let ahead = |n: usize| tokens.get(index + n);
        let is = |n: usize, text: &str| ahead(n).is_some_and(|token| token.is(text));
        if is(1, "IS") && (is(2, "NULL") || is(2, "NOT")) {
            problems.push(format!("{} IS NULL without a type", token.text));
        }
        let before = index.checked_sub(1).map(|before| &tokens[before]);
        let begins = before.is_some_and(|token| token.is("SELECT") || token.is(","));
        if listing && begins && (ahead(1).is_none() || is(1, ",") || is(1, "FROM") || is(1, "AS")) {
            problems.push(format!("{} selected without a type", token.text));
        }
    }
    problems
}

/// A flag or a parameter where PostgreSQL wants a condition: it has no integers that are true.
fn bare_conditions(tokens: &[Token], schema: &Schema) -> Vec<String> {
    let opens = ["WHERE", "AND", "OR", "NOT", "ON", "HAVING", "WHEN"];
    let closes = [
        "AND",
        "OR",
        ")",
        "THEN",
        "ORDER",
        "GROUP",
        "LIMIT",
        "RETURNING",
    ];
    let opening = |token: &Token| opens.iter().any(|word| token.is(word));
    let mut problems = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if !token.is_parameter() && !schema.is_flag(&token.text) {
            continue;
        }
        let mut before = &tokens[..index];
        if let [rest @ .., _, dot] = before
            && dot.is(".")
        {
            before = rest;
        }
        let in_brackets = before.last().is_some_and(|token| token.is("("));
        while let [rest @ .., bracket] = before
            && bracket.is("(")
        {
            before = rest;
        }
        let begins = match before.last() {
            // An `AND` of `BETWEEN`.
            Some(last)
                if last.is("AND") && before.iter().rev().take(4).any(|t| t.is("BETWEEN")) =>
            {
                false
            }
            Some(last) => opening(last),
            None => in_brackets,
        };
        let next = tokens.get(index + 1);
        let ends = next.is_none_or(|next| closes.iter().any(|word| next.is(word)));
        if begins && ends {
            problems.push(format!("{} as a condition", token.text));
        }
    }
    problems
}

/// SQLite sorts NULL first, PostgreSQL last.
fn sorts_of_null(tokens: &[Token], schema: &Schema) -> Vec<String> {
    let tables = tables(tokens);
    let mut problems = Vec::new();
    for (index, pair) in tokens.windows(2).enumerate() {
        if !(pair[0].is("ORDER") && pair[1].is("BY")) {
            continue;
        }
        let ends = ["LIMIT", "RETURNING", "OFFSET"];
        let mut depth = 0_i32;
        let terms = tokens[index + 2..].iter().take_while(|token| {
            depth += i32::from(token.is("(")) - i32::from(token.is(")"));
            depth >= 0 && !ends.iter().any(|word| token.is(word))
        });
        let terms: Vec<&Token> = terms.collect();
        for term in terms.split(|token| token.is(",")) {
            let has_nulls = term.iter().any(|token| token.is("NULLS"));
            let is_column = !term.iter().any(|token| token.is("IS") || token.is("="));
            let column = term
                .iter()
                .take_while(|t| !t.is("ASC") && !t.is("DESC"))
                .last();
            let Some(column) = column.filter(|_| !has_nulls && is_column) else {
                continue;
            };
            if column.is_placeholder() && !column.is("{order}") {
                problems.push(format!("sorted by {}: use db::Sort", column.text));
            } else if schema.is_nullable(&column.text, &tables) {
                problems.push(format!(
                    "sorted by {} without NULLS FIRST or LAST",
                    column.text
                ));
            }
        }
    }
    problems
}

/// The tables that a statement names.
fn tables(tokens: &[Token]) -> Vec<&str> {
    let heads = ["FROM", "JOIN", "UPDATE", "INTO"];
    let named = tokens.windows(2);
    let named = named.filter(|pair| heads.iter().any(|head| pair[0].is(head)));
    named.map(|pair| pair[1].text.as_str()).collect()
}

#[cfg(test)]
mod tests;
