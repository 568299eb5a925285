//! Lines on standard error. No query string, no header and no body ever gets here.

use std::{
    fmt::Arguments,
    io::{self, Write},
};

/// The longest part of a path that is written as it is: no secret is that short, no name of ours that long.
const LONGEST_PLAIN: usize = 36;
/// The longest path that is written in full.
const LONGEST_PATH: usize = 200;

/// Writes one line.
pub(crate) fn line(text: Arguments<'_>) {
    // A log that nobody reads any more stops nothing.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A path as it may be logged: what stands where old links carry a secret, and whatever is long enough to be
/// one, is left out.
pub(crate) fn path(path: &str) -> String {
    let mut before = "";
    let parts = path.split('/').map(|part| {
        let follows_secret_route = matches!(before, "st" | "one-time-access-token");
        before = part;
        let secret = follows_secret_route && part != "setup" || part.len() > LONGEST_PLAIN;
        if secret {
            "…".to_owned()
        } else {
            part.escape_debug().to_string()
        }
    });
    let mut text = parts.collect::<Vec<_>>().join("/");
    if let Some((end, _)) = text.char_indices().nth(LONGEST_PATH) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_shows_no_secret() {
        let id = "0190a1b2-0000-7000-8000-00000000abcd";
        for plain in [
            "/",
            "/healthz",
            &format!("/api/users/{id}"),
            "/api/one-time-access-token/setup",
        ] {
            assert_eq!(path(plain), plain);
        }
        let token = format!("kp_inv_{}", "x".repeat(49));
        for (with, without) in [
            (format!("/st/{token}"), "/st/…"),
            (format!("/anything/{token}/more"), "/anything/…/more"),
            (
                "/api/one-time-access-token/ABCD-EFGH".to_owned(),
                "/api/one-time-access-token/…",
            ),
        ] {
            assert_eq!(path(&with), without);
        }
        assert_eq!(path(&"/a".repeat(30_000)).chars().count(), LONGEST_PATH + 1);
        assert_eq!(path("/a\u{1b}[2J"), "/a\\u{1b}[2J");
    }
}
