//! The rules for text that comes in (U1). Every refusal names its field.

use unicode_normalization::UnicodeNormalization;

use crate::error::{InputReason, Result, invalid};

/// Which letters a username may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum UsernamePolicy {
    /// `A`–`Z`, `a`–`z` and digits, with `_ . @ -` inside.
    #[default]
    Ascii,
    /// Letters and digits of any script, with `_ . @ -` inside.
    AnyScript,
}

/// Text of 1 to `max` characters without control characters, in NFC and without blanks at its ends.
pub(crate) fn required(field: &str, text: &str, max: usize) -> Result<String> {
    optional(field, text, max)?.ok_or_else(|| invalid(field, InputReason::Empty))
}

/// The same, where empty text means that there is none.
pub(crate) fn optional(field: &str, text: &str, max: usize) -> Result<Option<String>> {
    // Bytes first: nobody makes us normalise ten megabytes.
    if text.len() > max * 16 {
        return Err(invalid(field, InputReason::TooLong { most: max as i64 }));
    }
    let text: String = text.trim().nfc().collect();
    if text.chars().count() > max {
        return Err(invalid(field, InputReason::TooLong { most: max as i64 }));
    }
    if text.chars().any(is_invisible_control) {
        return Err(invalid(field, InputReason::ControlCharacters));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// An optional value of an input record.
pub(crate) fn maybe(field: &str, text: Option<&str>, max: usize) -> Result<Option<String>> {
    text.map_or(Ok(None), |text| optional(field, text, max))
}

/// Control characters, line separators, and those that turn the direction of what follows.
fn is_invisible_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

pub(crate) fn username(text: &str, policy: UsernamePolicy) -> Result<String> {
    const MAX: usize = 50;
    let field = "username";
    let name = required(field, text, MAX)?;
    if name != text {
        // What the user typed would not be their name.
        return Err(invalid(field, InputReason::NotNormalised));
    }
    let letter = |c: char| match policy {
        UsernamePolicy::Ascii => c.is_ascii_alphanumeric(),
        UsernamePolicy::AnyScript => c.is_alphanumeric(),
    };
    if !name.chars().all(|c| letter(c) || "_.@-".contains(c)) {
        return Err(invalid(field, InputReason::NotUsername));
    }
    if !name.starts_with(letter) || !name.ends_with(letter) {
        return Err(invalid(field, InputReason::BadEnds));
    }
    Ok(name)
}

/// An e-mail address as people write it; whether it is delivered to is not known here.
pub(crate) fn email(text: &str) -> Result<Option<String>> {
    const MAX: usize = 254; // RFC 5321, section 4.5.3.1.3
    const MAX_LOCAL: usize = 64; // RFC 5321, section 4.5.3.1.1
    let field = "email";
    let Some(address) = optional(field, text, MAX)? else {
        return Ok(None);
    };
    let plausible = address.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && local.len() <= MAX_LOCAL
            && !local.contains('@')
            && !domain.is_empty()
            && domain.split('.').all(|label| !label.is_empty())
            && !domain.starts_with('-')
    });
    if !plausible
        || address
            .chars()
            .any(|c| c.is_whitespace() || "<>\",;:()[]\\".contains(c))
    {
        return Err(invalid(field, InputReason::NotEmail));
    }
    Ok(Some(address))
}

/// Can this be the domain of an e-mail address?
pub(crate) fn is_domain(text: &str) -> bool {
    text.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    })
}

/// A language tag such as `de-CH`.
pub(crate) fn locale(text: &str) -> Result<Option<String>> {
    let field = "locale";
    let tag = optional(field, text, 35)?;
    match tag {
        Some(tag) if !tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') => {
            Err(invalid(field, InputReason::NotLanguageTag))
        }
        tag => Ok(tag),
    }
}

/// Two names are the same when these are.
pub(crate) fn folded(text: &str) -> String {
    text.to_lowercase().nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames() {
        let ascii = |name: &str| username(name, UsernamePolicy::Ascii);
        for good in ["a", "Ann", "ann.b", "a@b.example", "x_-y", &"a".repeat(50)] {
            assert_eq!(ascii(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            " ",
            " ann",
            "ann ",
            "-a",
            "a.",
            "a b",
            "änn",
            "a\u{0}",
            "a\n",
            &"a".repeat(51),
            &"a".repeat(10_000_000),
        ] {
            assert_eq!(
                ascii(bad).unwrap_err().field().as_deref(),
                Some("username"),
                "{}",
                bad.len()
            );
        }
        assert!(username("Änn", UsernamePolicy::AnyScript).is_ok());
        assert!(
            username("A\u{308}nn", UsernamePolicy::AnyScript).is_err(),
            "not NFC"
        );
        assert!(username("안녕", UsernamePolicy::AnyScript).is_ok());
    }

    #[test]
    fn email_addresses() {
        for good in ["a@b", "ann.b+c@mail.example", "änn@exämple.org"] {
            assert_eq!(email(good).unwrap().as_deref(), Some(good));
        }
        assert_eq!(email(""), Ok(None));
        for bad in [
            "a",
            "@b",
            "a@",
            "a@b@c",
            "a b@c",
            "a@.c",
            "a@b.",
            "<a@b>",
            &format!("{}@b", "a".repeat(65)),
            &format!("a@{}", "b".repeat(300)),
        ] {
            assert_eq!(
                email(bad).unwrap_err().field().as_deref(),
                Some("email"),
                "{bad}"
            );
        }
    }

    #[test]
    fn domains_of_addresses() {
        for good in ["lan", "mail.example", "exämple.org", "a-b.c1"] {
            assert!(is_domain(good), "{good}");
        }
        for bad in [
            "", ".", "a.", ".a", "a..b", "-a.b", "a-.b", "a b", "@a.b", "a!", "*.b", "a,b",
        ] {
            assert!(!is_domain(bad), "{bad}");
        }
    }

    #[test]
    fn free_text_refuses_what_cannot_be_seen() {
        assert_eq!(
            optional("note", "  a note ", 10),
            Ok(Some("a note".to_owned()))
        );
        for bad in ["a\u{0}b", "a\tb", "a\u{202e}b", "a\u{2028}b", "0123456789x"] {
            assert!(optional("note", bad, 10).is_err());
        }
        assert!(locale("de-CH").is_ok() && locale("de_CH!").is_err());
        assert_eq!(folded("ÄNN"), folded("änn"));
    }
}
