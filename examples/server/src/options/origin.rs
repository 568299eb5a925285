//! The form of a web origin that browsers write, as the library has it.

use url::Url;

/// Without the scheme's own port and a slash at the end, in small letters, an international name in its ASCII form. What is
/// no origin is left as it is: the library says what is wrong with it.
pub(crate) fn normal(text: &str) -> String {
    read(text).unwrap_or_else(|| text.to_owned())
}

fn read(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("://")?;
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    let is_other = |c: char| c.is_whitespace() || c.is_control() || "/\\?#@%".contains(c);
    if authority.contains(is_other) || authority.ends_with(':') {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    is_web.then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_have_one_form() {
        for (written, means) in [
            ("https://id.example", "https://id.example"),
            ("https://id.example:443", "https://id.example"),
            ("https://id.example/", "https://id.example"),
            ("HTTPS://Id.Example:443/", "https://id.example"),
            ("http://localhost:80", "http://localhost"),
            ("http://localhost:443", "http://localhost:443"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            (
                "https://BÜCHER.example:8443/",
                "https://xn--bcher-kva.example:8443",
            ),
            (
                "https://[2001:DB8::0001]:8443",
                "https://[2001:db8::1]:8443",
            ),
            // What is none stays as it is, for the library to refuse.
            ("https://id.example/x", "https://id.example/x"),
            ("https://id.example//", "https://id.example//"),
            ("https://me@id.example", "https://me@id.example"),
            ("https://id.example:", "https://id.example:"),
            ("https://id.example?", "https://id.example?"),
            ("https://id%2eexample", "https://id%2eexample"),
            ("ftp://id.example/", "ftp://id.example/"),
            ("id.example", "id.example"),
            ("", ""),
        ] {
            assert_eq!(normal(written), means, "{written}");
        }
    }
}
