//! Domains of e-mail addresses, by UTS 46 (U1): compared in their ASCII form, shown in letters.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::{characters, folding};

// Letters, digits and hyphens; hyphens in the third and fourth place exist in the world.
const ASCII: AsciiDenyList = AsciiDenyList::STD3;
const HYPHENS: Hyphens = Hyphens::CheckFirstLast;

/// The ASCII form, in small letters; none of what is no domain.
pub(super) fn ascii(domain: &str) -> Option<Cow<'_, str>> {
    let form = Uts46::new().to_ascii(domain.as_bytes(), ASCII, HYPHENS, DnsLength::Verify);
    form.ok()
        .filter(|_| !domain.chars().any(characters::is_hidden))
}

/// What it is compared by. What was stored before it had to be a domain is compared by its letters.
pub(crate) fn key(domain: &str) -> String {
    ascii(domain).map_or_else(|| folding::folded(domain), Cow::into_owned)
}

/// Can this be the domain of an e-mail address?
pub(crate) fn is_domain(text: &str) -> bool {
    ascii(text).is_some()
}

/// As people read it. A domain in ASCII stays as it was typed. In any other, each label is written in its own script,
/// also where a browser sent it as `xn--…`; a label that mixes scripts or has what nobody sees stays in ASCII.
pub(crate) fn shown(domain: &str) -> Cow<'_, str> {
    let is_encoded = |label: &str| {
        label
            .get(..4)
            .is_some_and(|p| p.eq_ignore_ascii_case("xn--"))
    };
    if (domain.is_ascii() && !domain.split('.').any(is_encoded)) || !is_domain(domain) {
        return Cow::Borrowed(domain);
    }
    let is_clear = |label: &[char], _: &[char], _: bool| {
        !label.iter().any(|&c| characters::is_hidden(c))
            && characters::is_of_one_script(label.iter().copied())
    };
    let (form, _) = Uts46::new().to_user_interface(domain.as_bytes(), ASCII, HYPHENS, is_clear);
    form
}
