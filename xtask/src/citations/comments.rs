//! The comments of a source, in each language that the repository is written in.

use camino::Utf8Path;

/// A line of a comment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) line: usize,
    pub(super) text: String,
}

/// How a language writes comments, and what looks like one and is text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Language {
    /// What begins one that goes to the end of its line.
    line: &'static str,
    /// Only at the beginning of a word: `${x#y}` is none.
    line_begins_word: bool,
    block: Option<(&'static str, &'static str)>,
    blocks_nest: bool,
    texts: &'static [Text],
}

/// A text between two marks.
#[derive(Clone, Copy, Debug)]
struct Text {
    mark: &'static str,
    /// A backslash takes the next character's meaning away.
    has_escapes: bool,
    /// Without one at the end of a line the text ends there all the same.
    has_lines: bool,
}

const fn text(mark: &'static str, has_escapes: bool, has_lines: bool) -> Text {
    Text {
        mark,
        has_escapes,
        has_lines,
    }
}

const SLASHES: Language = Language {
    line: "//",
    line_begins_word: false,
    block: Some(("/*", "*/")),
    blocks_nest: false,
    texts: &[
        text("\"", true, false),
        text("'", true, false),
        text("`", true, true),
    ],
};

const RUST: Language = Language {
    blocks_nest: true,
    texts: &[text("\"", true, true)],
    ..SLASHES
};

/// Kotlin and Swift.
const TRIPLE: Language = Language {
    blocks_nest: true,
    texts: &[text("\"\"\"", true, true), text("\"", true, false)],
    ..SLASHES
};

const HASH: Language = Language {
    line: "#",
    line_begins_word: true,
    block: None,
    blocks_nest: false,
    texts: &[
        text("\"\"\"", true, true),
        text("'''", true, true),
        text("\"", true, false),
        text("'", true, false),
    ],
};

const SQL: Language = Language {
    line: "--",
    texts: &[text("'", false, true)],
    ..SLASHES
};

const HTML: Language = Language {
    line: "",
    block: Some(("<!--", "-->")),
    texts: &[],
    ..SLASHES
};

const CSS: Language = Language {
    line: "",
    texts: &[text("\"", true, false), text("'", true, false)],
    ..SLASHES
};

impl Language {
    /// By the name of the file; None for what has no comments of ours.
    pub(super) fn of(path: &Utf8Path) -> Option<Self> {
        Some(match path.extension()? {
            "rs" => RUST,
            "c" | "h" | "js" | "mjs" | "go" | "cs" | "java" => SLASHES,
            "kt" | "kts" | "swift" => TRIPLE,
            "py" | "pyi" | "sh" | "toml" | "yml" => HASH,
            "sql" => SQL,
            "html" | "xml" | "svg" => HTML,
            "css" => CSS,
            _ => return None,
        })
    }

    /// Every line of every comment.
    pub(super) fn comments(self, source: &str) -> Vec<Comment> {
        let mut reader = Reader {
            language: self,
            rest: source,
            line: 1,
            found: Vec::new(),
        };
        let mut before = '\n';
        while let Some(letter) = reader.rest.chars().next() {
            let is_rust = self.texts.len() == 1 && self.blocks_nest;
            if reader.comment(before) || reader.text() || is_rust && reader.rusts_own(before) {
                before = ' ';
            } else {
                reader.step(letter.len_utf8());
                before = letter;
            }
        }
        reader.found
    }
}

struct Reader<'a> {
    language: Language,
    rest: &'a str,
    line: usize,
    found: Vec<Comment>,
}

impl<'a> Reader<'a> {
    /// Goes on by so many bytes, and gives them.
    fn step(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    /// Takes a comment that begins here.
    fn comment(&mut self, before: char) -> bool {
        let Language {
            line,
            line_begins_word,
            block,
            ..
        } = self.language;
        let may_begin = !line_begins_word || before.is_whitespace();
        if !line.is_empty() && may_begin && self.rest.starts_with(line) {
            let first = self.line;
            let length = self.rest.find('\n').unwrap_or(self.rest.len());
            let text = self.step(length);
            self.keep(first, text);
            return true;
        }
        let Some((open, close)) = block.filter(|(open, _)| self.rest.starts_with(open)) else {
            return false;
        };
        let first = self.line;
        let length = self.block_length(open, close);
        let text = self.step(length);
        self.keep(first, text);
        true
    }

    fn block_length(&self, open: &str, close: &str) -> usize {
        let (mut depth, mut at) = (1, open.len());
        while depth > 0 {
            let rest = &self.rest[at..];
            let Some(end) = rest.find(close) else {
                return self.rest.len();
            };
            match rest.find(open).filter(|start| *start < end) {
                Some(start) if self.language.blocks_nest => {
                    depth += 1;
                    at += start + open.len();
                }
                _ => {
                    depth -= 1;
                    at += end + close.len();
                }
            }
        }
        at
    }

    fn keep(&mut self, first: usize, text: &str) {
        self.found
            .extend((first..).zip(text.lines()).map(|(line, text)| Comment {
                line,
                text: text.to_owned(),
            }));
    }

    /// Takes a text that begins here.
    fn text(&mut self) -> bool {
        let begins = |text: &&Text| self.rest.starts_with(text.mark);
        let Some(Text {
            mark,
            has_escapes,
            has_lines,
        }) = self.language.texts.iter().find(begins).copied()
        else {
            return false;
        };
        let mut at = mark.len();
        while let Some(letter) = self.rest[at..].chars().next() {
            if self.rest[at..].starts_with(mark) {
                at += mark.len();
                break;
            }
            if letter == '\n' && !has_lines {
                break;
            }
            at += letter.len_utf8();
            if letter == '\\' && has_escapes {
                at += self.rest[at..].chars().next().map_or(0, char::len_utf8);
            }
        }
        self.step(at);
        true
    }

    /// Raw strings, and characters that are not lifetimes.
    fn rusts_own(&mut self, before: char) -> bool {
        if let Some(raw) = self
            .rest
            .strip_prefix('r')
            .filter(|_| !before.is_alphanumeric() || before == 'b')
        {
            let hashes = raw.len() - raw.trim_start_matches('#').len();
            if raw[hashes..].starts_with('"') {
                let close = format!("\"{}", "#".repeat(hashes));
                let inner = &raw[hashes + 1..];
                let length = inner
                    .find(&close)
                    .map_or(inner.len(), |end| end + close.len());
                self.step(1 + hashes + 1 + length);
                return true;
            }
        }
        let Some(inner) = self.rest.strip_prefix('\'') else {
            return false;
        };
        let mut letters = inner.chars();
        let length = match letters.next() {
            Some('\\') => {
                let escaped = letters.next().map_or(0, char::len_utf8);
                inner[1 + escaped..].find('\'').map(|end| 1 + escaped + end)
            }
            Some(letter) if letters.next() == Some('\'') => Some(letter.len_utf8()),
            _ => None,
        };
        match length {
            Some(length) => self.step(1 + length + 1),
            None => return false,
        };
        true
    }
}
