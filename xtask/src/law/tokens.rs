//! Paths among the tokens of macro calls, of `macro_rules!` and of attributes, which nobody has parsed.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::{names::Written, tree::plain};

/// A path among tokens, or the name of a macro that is called.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Among {
    pub(super) written: Written,
    pub(super) line: usize,
    /// A single name before `!`.
    pub(super) is_call: bool,
}

/// All paths of two names and more, in groups of any depth.
pub(super) fn paths(tokens: TokenStream) -> Vec<Among> {
    let mut found = Vec::new();
    scan(tokens, &mut found);
    found
}

fn scan(tokens: TokenStream, found: &mut Vec<Among>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            // `pub(in crate::rules)` says who sees it, and imports nothing.
            TokenTree::Group(group) if !is_visibility(group) => scan(group.stream(), found),
            TokenTree::Ident(_) if begins(&tokens, at) => {
                at = path(&tokens, at, found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}

fn is_visibility(group: &proc_macro2::Group) -> bool {
    let first = group.stream().into_iter().next();
    let is_in = matches!(first, Some(TokenTree::Ident(ident)) if ident == "in");
    is_in && group.delimiter() == Delimiter::Parenthesis
}

/// Not the rest of a path, a method, a lifetime or a macro's own variable.
fn begins(tokens: &[TokenTree], at: usize) -> bool {
    if at >= 2 && is_colons(tokens, at - 2) {
        return false;
    }
    let before = |back: usize| at.checked_sub(back).map(|place| &tokens[place]);
    let is = |back: usize, sign: char| matches!(before(back), Some(TokenTree::Punct(punct)) if punct.as_char() == sign);
    let is_crate = matches!(&tokens[at], TokenTree::Ident(ident) if ident == "crate");
    !(is(1, '\'') || is(1, '.') && !is(2, '.') || is(1, '$') && !is_crate)
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |place: usize| match tokens.get(place) {
        Some(TokenTree::Punct(punct)) if punct.as_char() == ':' => Some(punct.spacing()),
        _ => None,
    };
    colon(at) == Some(proc_macro2::Spacing::Joint) && colon(at + 1).is_some()
}

/// Reads the path that begins at an identifier; gives the place after it.
fn path(tokens: &[TokenTree], mut at: usize, found: &mut Vec<Among>) -> usize {
    let mut segments = Vec::new();
    let mut line = 0;
    while let Some(TokenTree::Ident(ident)) = tokens.get(at) {
        segments.push(plain(ident));
        line = ident.span().start().line;
        at += 1;
        if !is_colons(tokens, at) {
            break;
        }
        at += 2;
    }
    let written = Written {
        is_foreign: false,
        segments,
        is_glob: false,
    };
    let ends_open = at >= 2 && is_colons(tokens, at - 2);
    match tokens.get(at) {
        Some(TokenTree::Group(group)) if ends_open && group.delimiter() == Delimiter::Brace => {
            tree(group.stream(), &written, found);
            return at + 1;
        }
        Some(TokenTree::Punct(punct)) if ends_open && punct.as_char() == '*' => {
            let written = Written {
                is_glob: true,
                ..written
            };
            found.push(Among {
                written,
                line,
                is_call: false,
            });
            return at + 1;
        }
        next => {
            let is_call = matches!(next, Some(TokenTree::Punct(punct)) if punct.as_char() == '!')
                && matches!(tokens.get(at + 1), Some(TokenTree::Group(_)));
            let is_call = is_call && written.segments.len() == 1;
            if is_call || written.segments.len() > 1 {
                found.push(Among {
                    written,
                    line,
                    is_call,
                });
            }
        }
    }
    at
}

/// The braces of a `use` declaration: each of its paths goes on from the one before the braces.
fn tree(tokens: TokenStream, before: &Written, found: &mut Vec<Among>) {
    let mut inner = Vec::new();
    let mut singles = Vec::new();
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        let is_renaming =
            at > 0 && matches!(&tokens[at - 1], TokenTree::Ident(ident) if ident == "as");
        let is_star = matches!(&tokens[at], TokenTree::Punct(punct) if punct.as_char() == '*');
        match &tokens[at] {
            TokenTree::Ident(ident) if !is_renaming && ident != "as" => {
                if is_colons(&tokens, at + 1) {
                    at = path(&tokens, at, &mut inner);
                    continue;
                }
                singles.push((plain(ident), ident.span().start().line));
            }
            sign if is_star => singles.push(("*".to_owned(), sign.span().start().line)),
            _ => {}
        }
        at += 1;
    }
    for (name, line) in singles {
        let mut written = before.clone();
        match name.as_str() {
            "self" => {}
            "*" => written.is_glob = true,
            _ => written.segments.push(name),
        }
        found.push(Among {
            written,
            line,
            is_call: false,
        });
    }
    for mut among in inner {
        among
            .written
            .segments
            .splice(0..0, before.segments.iter().cloned());
        found.push(among);
    }
}
