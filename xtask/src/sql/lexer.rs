//! String literals of Rust, and words of SQL.

/// A string literal, without that of tests.
#[derive(Debug)]
pub(super) struct Literal {
    pub(super) line: usize,
    pub(super) text: String,
    /// The code of the line before it.
    pub(super) before: String,
}

/// The literals of a source file, up to its tests.
pub(super) fn literals(source: &str) -> Vec<Literal> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = source[at..].find(['"', '\'', '/', 'r']) {
        let start = at + next;
        let rest = &source[start..];
        at = start
            + if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if let Some((text, len)) = raw_string(rest).or_else(|| string(rest)) {
                found.push(Literal {
                    line: source[..start].lines().count().max(1),
                    text,
                    before: code_before(&source[..start]),
                });
                len
            } else {
                character(rest).unwrap_or(1)
            };
    }
    found
}

fn code_before(source: &str) -> String {
    source.lines().last().unwrap_or_default().trim().to_owned()
}

/// `r"…"`, `r#"…"#`: what is in it, and how long it is.
fn raw_string(rest: &str) -> Option<(String, usize)> {
    let hashes = rest.strip_prefix('r')?;
    let body = hashes.trim_start_matches('#');
    let count = hashes.len() - body.len();
    let body = body.strip_prefix('"')?;
    let end = body.find(&format!("\"{}", "#".repeat(count)))?;
    let len = 1 + count + 1 + end + 1 + count;
    Some((body[..end].to_owned(), len))
}

fn string(rest: &str) -> Option<(String, usize)> {
    let body = rest.strip_prefix('"')?;
    let mut text = String::new();
    let mut characters = body.char_indices();
    while let Some((index, c)) = characters.next() {
        match c {
            '"' => return Some((text, index + 2)),
            '\\' => text.extend(characters.next().map(|(_, escaped)| match escaped {
                '\n' | 'n' | 't' | 'r' => ' ',
                other => other,
            })),
            c => text.push(c),
        }
    }
    None
}

/// `'"'`, `'\''`; a lifetime is none.
fn character(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    let mut characters = body.char_indices();
    let (_, first) = characters.next()?;
    if first == '\\' {
        characters.next()?;
    }
    let (end, last) = characters.next()?;
    (last == '\'').then_some(end + 2)
}

/// A word, number, sign, `?N`, `{placeholder}` or `'text'`.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) text: String,
}

impl Token {
    /// Keywords and names are the same in either case.
    pub(super) fn is(&self, text: &str) -> bool {
        self.text.eq_ignore_ascii_case(text)
    }

    pub(super) fn is_parameter(&self) -> bool {
        self.text.starts_with('?')
    }

    pub(super) fn is_placeholder(&self) -> bool {
        self.text.starts_with('{')
    }
}

pub(super) fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '?' => 1 + digits(&rest[1..]),
            '{' => rest.find('}').map_or(rest.len(), |end| end + 1),
            '\'' => rest[1..].find('\'').map_or(rest.len(), |end| end + 2),
            '=' if rest.starts_with("==") => 2,
            c if is_letter(c) => rest.find(|c| !is_letter(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        tokens.push(Token {
            text: rest[..len].to_owned(),
        });
        rest = rest[len..].trim_start();
    }
    tokens
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn digits(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len())
}
