//! The rules for text that comes in (U1). Every refusal names its field.

mod characters;
mod domains;
mod folding;

use crate::error::{InputReason, Result, invalid};

pub(crate) use domains::{is_domain, key as domain_key, shown as domain_shown};
pub(crate) use folding::{
    displaced, displaced_bounds, folded, name_key, person_search_key, search_key, searchable,
    undisplaced,
};

/// Which letters a username may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum UsernamePolicy {
    /// `A`–`Z`, `a`–`z` and digits, with `_ . @ -` inside.
    #[default]
    Ascii,
    /// Letters and digits of any script, with `_ . @ -` inside. A name mixes only scripts that are written together.
    AnyScript,
}

/// Text that people read, of 1 to `max` characters: in NFC, without blanks at its ends, without control characters, and with
/// something to be seen.
pub(crate) fn required(field: &str, text: &str, max: usize) -> Result<String> {
    optional(field, text, max)?.ok_or_else(|| invalid(field, InputReason::Empty))
}

/// The same, where empty text means that there is none.
pub(crate) fn optional(field: &str, text: &str, max: usize) -> Result<Option<String>> {
    let text = opaque(field, text, max)?;
    if let Some(text) = &text {
        if !characters::has_visible(text) {
            return Err(invalid(field, InputReason::NothingVisible));
        }
        if characters::has_stray_ignorable(text) {
            return Err(invalid(field, InputReason::InvisibleCharacters));
        }
    }
    Ok(text)
}

/// An optional value of an input record.
pub(crate) fn maybe(field: &str, text: Option<&str>, max: usize) -> Result<Option<String>> {
    text.map_or(Ok(None), |text| optional(field, text, max))
}

/// Text that programs read: whether there is anything to be seen is theirs to say.
pub(crate) fn opaque(field: &str, text: &str, max: usize) -> Result<Option<String>> {
    // Bytes first: nobody makes us normalise ten megabytes.
    if text.len() > max * 16 {
        return Err(invalid(field, InputReason::TooLong { most: max as i64 }));
    }
    let text = folding::nfc(text.trim()).into_owned();
    if text.chars().count() > max {
        return Err(invalid(field, InputReason::TooLong { most: max as i64 }));
    }
    if text.chars().any(characters::is_control) {
        return Err(invalid(field, InputReason::ControlCharacters));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

pub(crate) fn username(text: &str, policy: UsernamePolicy) -> Result<String> {
    const MAX: usize = 50;
    let field = "username";
    let name = opaque(field, text, MAX)?.ok_or_else(|| invalid(field, InputReason::Empty))?;
    if name != text {
        // What the user typed would not be their name.
        return Err(invalid(field, InputReason::NotNormalised));
    }
    check_unhidden(field, &name)?;
    let letter = |c: char| match policy {
        UsernamePolicy::Ascii => c.is_ascii_alphanumeric(),
        UsernamePolicy::AnyScript => c.is_alphanumeric(),
    };
    let allowed = |c: char| letter(c) || "_.@-".contains(c);
    if !name.chars().all(allowed) || !is_unmistakable(&name) {
        return Err(invalid(field, InputReason::NotUsername));
    }
    if !name.starts_with(letter) || !name.ends_with(letter) {
        return Err(invalid(field, InputReason::BadEnds));
    }
    check_scripts(field, &name)?;
    Ok(name)
}

/// A name that has what nobody sees is another's name to whoever reads it.
fn check_unhidden(field: &str, name: &str) -> Result<()> {
    match name.chars().any(characters::is_hidden) {
        true => Err(invalid(field, InputReason::InvisibleCharacters)),
        false => Ok(()),
    }
}

/// Has it only letters that stand for themselves, apart from those which folding replaces?
fn is_unmistakable(name: &str) -> bool {
    name.is_ascii() || folding::is_plain(&folded(name))
}

/// A letter of another script may look like one of these. What stands before and after `@`, and each label of a domain, may
/// have a script of its own.
fn check_scripts(field: &str, name: &str) -> Result<()> {
    let (local, domain) = name.split_once('@').unwrap_or((name, ""));
    let mut parts = domain.split(['@', '.']).chain([local]);
    match parts.all(|part| characters::is_of_one_script(part.chars())) {
        true => Ok(()),
        false => Err(invalid(field, InputReason::MixedScripts)),
    }
}

/// An e-mail address as people write it; whether it is delivered to is not known here.
pub(crate) fn email(text: &str) -> Result<Option<String>> {
    const MAX: usize = 254; // RFC 5321, section 4.5.3.1.3
    const MAX_LOCAL: usize = 64; // RFC 5321, section 4.5.3.1.1
    let field = "email";
    let Some(address) = opaque(field, text, MAX)? else {
        return Ok(None);
    };
    check_unhidden(field, &address)?;
    let not_email = || invalid(field, InputReason::NotEmail);
    let (local, domain) = address.rsplit_once('@').ok_or_else(not_email)?;
    let plausible = local.len() <= MAX_LOCAL
        && characters::has_visible(local)
        && is_unmistakable(local)
        && !local.contains('@')
        && is_domain(domain);
    if !plausible
        || address
            .chars()
            .any(|c| c.is_whitespace() || "<>\",;:()[]\\".contains(c))
    {
        return Err(not_email());
    }
    check_scripts(field, local)?;
    Ok(Some(format!("{local}@{}", domain_shown(domain))))
}

/// Are they one address, perhaps with its domain in two spellings?
pub(crate) fn same_address(one: &Option<String>, other: &Option<String>) -> bool {
    let parts = |address: &Option<String>| {
        let (local, domain) = address.as_deref()?.rsplit_once('@')?;
        Some((local.to_owned(), domain_key(domain)))
    };
    one == other || parts(one).is_some_and(|one| Some(one) == parts(other))
}

/// A group's name (G1): for programs, which may write several between commas.
pub(crate) fn group_name(text: &str) -> Result<String> {
    const MAX: usize = 255;
    const MIN: usize = 2;
    let field = "name";
    let name = required(field, text, MAX)?;
    let ends = |c: char| characters::is_space(c);
    if text.trim() != text || name.starts_with(ends) || name.ends_with(ends) || name.contains(',') {
        return Err(invalid(field, InputReason::NotGroupName));
    }
    if name.chars().count() < MIN {
        return Err(invalid(field, InputReason::TooShort { least: MIN as i64 }));
    }
    Ok(name)
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

/// The address that a username is, in its folded form (U1).
pub(crate) fn address_of_username(username: &str) -> Option<String> {
    username.contains('@').then(|| name_key(username))
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
