//! What single characters are, by the Unicode Character Database: which nobody sees, and which belong to one script (U1).

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup, Script},
    script::{ScriptWithExtensions, ScriptWithExtensionsBorrowed},
};

/// Control characters, line separators, and those that turn the direction of what follows.
pub(super) fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Nothing is drawn for it: zero-width space, word joiner, soft hyphen, Hangul fillers, tags, variation selectors ...
pub(super) fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// What is drawn for it is blank, although by its properties it is a letter, a symbol or a format character.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{2800}'                  // Braille pattern blank
        | '\u{fff9}'..='\u{fffb}'   // interlinear annotations
        | '\u{13430}'..='\u{1343f}' // joiners of hieroglyphs
        | '\u{13441}' | '\u{13442}' // blank hieroglyphs
        | '\u{1d159}' // null notehead
    )
}

/// A name that has it looks as if it had not: it has no place in what is compared.
pub(super) fn is_hidden(c: char) -> bool {
    is_ignorable(c) || is_blank(c)
}

/// Does it begin or end a text without being seen?
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || is_blank(c)
}

/// A combining mark of any kind.
pub(super) fn is_mark(c: char) -> bool {
    is_of(GeneralCategoryGroup::Mark, c)
}

/// Is anything in the text drawn by itself?
pub(super) fn has_visible(text: &str) -> bool {
    let unseen =
        |c: char| is_space(c) || is_control(c) || is_ignorable(c) || is_mark(c) || is_of(FORMAT, c);
    !text.chars().all(unseen)
}

const FORMAT: GeneralCategoryGroup = GeneralCategoryGroup::Format;

fn is_of(group: GeneralCategoryGroup, c: char) -> bool {
    group.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}

/// Has the text ignorable characters besides those that scripts and emoji are written with?
pub(super) fn has_stray_ignorable(text: &str) -> bool {
    const CANCEL_TAG: char = '\u{e007f}';
    let mut in_flag = false;
    for c in text.chars() {
        let is_tag = matches!(c, '\u{e0020}'..='\u{e007e}');
        if is_tag && in_flag {
            continue;
        }
        if c == CANCEL_TAG && in_flag {
            in_flag = false;
            continue;
        }
        // The flags of England, Scotland and Wales: a black flag and tags.
        in_flag = c == '\u{1f3f4}';
        if is_ignorable(c) && !joins(c) {
            return true;
        }
    }
    false
}

/// Joiners, and what selects a variant of the character before it.
fn joins(c: char) -> bool {
    matches!(
        c,
        '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{180b}'..='\u{180f}'
    )
}

/// Is it all of one script, or of scripts that are written together: UTS 39's level "highly restrictive"?
pub(super) fn is_of_one_script(text: impl Iterator<Item = char> + Clone) -> bool {
    const TOGETHER: [&[Script]; 3] = [
        &[
            Script::Latin,
            Script::Han,
            Script::Hiragana,
            Script::Katakana,
        ],
        &[Script::Latin, Script::Han, Script::Bopomofo],
        &[Script::Latin, Script::Han, Script::Hangul],
    ];
    let scripts = ScriptWithExtensions::new();
    let of_a_script = text.filter(|&c| !is_of_all(scripts, c));
    let Some(first) = of_a_script.clone().next() else {
        return true;
    };
    let all_have = |allowed: &[Script]| {
        let mut rest = of_a_script.clone();
        rest.all(|c| allowed.iter().any(|&script| scripts.has_script(c, script)))
    };
    let mut of_first = scripts.get_script_extensions_val(first).iter();
    of_first.any(|script| all_have(&[script])) || TOGETHER.iter().any(|set| all_have(set))
}

/// Digits, signs and marks that every script has.
fn is_of_all(scripts: ScriptWithExtensionsBorrowed<'_>, c: char) -> bool {
    let found = scripts.get_script_extensions_val(c);
    found.contains(&Script::Common) || found.contains(&Script::Inherited)
}
