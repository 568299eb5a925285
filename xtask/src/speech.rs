//! Documentation in the words of each language, from the one comment in core.
//!
//! A name between back-ticks becomes the language's, and the section `# Errors` what the language has for it: `Raises:` in
//! Python, `@throws` in Kotlin, `- Throws:` in Swift, `Errors:` with status names in C.

mod errors;

use std::collections::BTreeMap;

use crate::{
    c_face::c_name,
    facade::{Enum, Facade, Field, Ty},
    names::{camel, lower_camel, screaming},
};
use errors::Raised;

/// The heading of the section that says what can go wrong.
const HEADING: &str = "# Errors\n";

/// How long a line of what can go wrong may be.
const WIDTH: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    C,
    Python,
    Kotlin,
    Swift,
}

/// How a language says things.
pub(crate) struct Speech<'a> {
    language: Language,
    /// What stands between back-ticks in core, and what this language has for it.
    names: BTreeMap<String, String>,
    error: &'a Enum,
}

impl<'a> Speech<'a> {
    pub(crate) fn new(facade: &'a Facade, language: Language) -> Self {
        let mut names = match language {
            Language::C => c_names(facade),
            Language::Python => BTreeMap::new(),
            Language::Kotlin | Language::Swift => camel_names(facade),
        };
        add_variants(facade, language, &mut names);
        Self {
            language,
            names,
            error: &facade.error,
        }
    }

    /// The text as this language says it.
    pub(crate) fn text(&self, doc: &str) -> String {
        let Some((before, section)) = doc.split_once(HEADING) else {
            return self.named(doc);
        };
        // What comes after the section goes before it: `@throws` ends a comment in Kotlin.
        let (section, after) = section.split_once("\n# ").unwrap_or((section, ""));
        let after = if after.is_empty() {
            String::new()
        } else {
            format!("# {}\n\n", after.trim_end())
        };
        let before = before.trim_end();
        let before = if before.is_empty() && after.is_empty() {
            String::new()
        } else {
            format!("{before}\n\n{after}")
        };
        self.named(&before) + &self.errors(section)
    }

    fn errors(&self, section: &str) -> String {
        let raised = errors::read(section, self.error);
        let lines: Vec<String> = raised
            .iter()
            .flat_map(|raised| self.lines(raised))
            .collect();
        match self.language {
            Language::Python => format!("Raises:\n{}", broken(&lines, "        ")),
            Language::C => format!("Errors:\n{}", broken(&lines, "  ")),
            Language::Kotlin => broken(&lines, "    "),
            Language::Swift => {
                let all = format!("- Throws: {}", lines.join("; "));
                broken(&[all], "  ")
            }
        }
    }

    /// One kind of error, or some that end a call for the same reason.
    fn lines(&self, raised: &Raised) -> Vec<String> {
        let words = self.named(&raised.words);
        let list = |form: &dyn Fn(&str) -> String, base: &str| match raised.names.as_slice() {
            [] => base.to_owned(),
            names => names
                .iter()
                .map(|name| form(name))
                .collect::<Vec<_>>()
                .join(", "),
        };
        match self.language {
            Language::Python => {
                let words = if words.is_empty() {
                    self.meaning(raised)
                } else {
                    words
                };
                let names = list(&str::to_owned, &self.error.name);
                vec![format!("    {names}: {}", sentence(&words))]
            }
            Language::C => {
                let names = list(&|name| format!("`KEYPLATE_STATUS_{}`", screaming(name)), "");
                vec![format!("- {}", joined(&names, &words))]
            }
            Language::Kotlin => {
                let tag = |name: String| format!("@throws {}", joined(&name, &words));
                match raised.names.as_slice() {
                    [] => vec![tag("KeyplateException".to_owned())],
                    names => {
                        let name = |name: &String| tag(format!("KeyplateException.{name}"));
                        names.iter().map(name).collect()
                    }
                }
            }
            Language::Swift => {
                let names = list(&|name| format!("`KeyplateError.{name}`"), "");
                vec![joined(&names, &words)]
            }
        }
    }

    /// What an error says of itself, where the method says no more.
    fn meaning(&self, raised: &Raised) -> String {
        let mut variants = self.error.variants.iter();
        match raised.names.as_slice() {
            [name] => variants
                .find(|variant| variant.name == *name)
                .and_then(|variant| variant.doc.split(['.', ';', ':']).next())
                .unwrap_or_default()
                .to_owned(),
            _ => "the file or its disk fails".to_owned(),
        }
    }

    /// The text with the names between back-ticks in this language.
    fn named(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for (index, part) in text.split('`').enumerate() {
            if index > 0 {
                out.push('`');
            }
            match part
                .strip_suffix("()")
                .map_or((part, ""), |name| (name, "()"))
            {
                (name, end) if index % 2 == 1 => {
                    out += self.names.get(name).map_or(name, String::as_str);
                    out += end;
                }
                _ => out += part,
            }
        }
        out
    }
}

/// The same facade with its documentation in this language.
pub(crate) fn spoken(facade: &Facade, language: Language) -> Facade {
    let speech = Speech::new(facade, language);
    let mut spoken = facade.clone();
    let say = |doc: &mut String| *doc = speech.text(doc);
    let fields = |fields: &mut Vec<Field>| fields.iter_mut().for_each(|field| say(&mut field.doc));
    for record in &mut spoken.records {
        say(&mut record.doc);
        fields(&mut record.fields);
    }
    for item in spoken.enums.iter_mut().chain([&mut spoken.error]) {
        say(&mut item.doc);
        for variant in &mut item.variants {
            say(&mut variant.doc);
            fields(&mut variant.fields);
        }
    }
    for method in &mut spoken.methods {
        say(&mut method.doc);
    }
    for item in spoken.objects.iter_mut().chain(&mut spoken.traits) {
        say(&mut item.doc);
    }
    for code in &mut spoken.codes {
        say(&mut code.doc);
    }
    spoken
}

/// Lines that are not too long; what goes on stands deeper.
fn broken(lines: &[String], indent: &str) -> String {
    let mut out = Vec::new();
    for line in lines {
        let start = line.len() - line.trim_start().len();
        let mut current = line[..start].to_owned();
        for word in line.split_whitespace() {
            if current.len() + word.len() > WIDTH && !current.trim().is_empty() {
                out.push(std::mem::replace(&mut current, indent.to_owned()));
            }
            if !current.ends_with(' ') && !current.is_empty() {
                current.push(' ');
            }
            current += word;
        }
        out.push(current);
    }
    out.join("\n")
}

/// Name and words, where there are both.
fn joined(name: &str, words: &str) -> String {
    [name, words].join(" ").trim().to_owned()
}

/// Begins with a capital and ends with a full stop.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect::<String>() + "."
}

/// Variants, alone and after their enum's name. A word that could mean something else too stays as it is.
fn add_variants(facade: &Facade, language: Language, names: &mut BTreeMap<String, String>) {
    let errors = facade.error.variants.iter().map(|variant| &variant.name);
    let records = facade.records.iter().map(|record| &record.name);
    let objects = facade.objects.iter().map(|object| &object.name);
    let enums = facade.enums.iter().map(|item| &item.name);
    let variants = facade.enums.iter().flat_map(|item| &item.variants);
    let variants = variants.map(|variant| &variant.name);
    let mut meanings: BTreeMap<&str, usize> = BTreeMap::new();
    let types = records.chain(objects).chain(enums);
    for name in errors.chain(types).chain(variants) {
        *meanings.entry(name.as_str()).or_default() += 1;
    }
    for item in &facade.enums {
        for variant in &item.variants {
            let said = variant_name(item, &variant.name, language);
            names.insert(format!("{}.{}", item.name, variant.name), said.clone());
            if meanings[variant.name.as_str()] == 1 {
                names.insert(variant.name.clone(), said);
            } else {
                names.remove(&variant.name);
            }
        }
    }
}

fn variant_name(item: &Enum, variant: &str, language: Language) -> String {
    let (is_choice, name) = (item.is_choice(), &item.name);
    match language {
        Language::C => {
            let kind = if is_choice { "" } else { "_KIND" };
            format!(
                "{}{kind}_{}",
                c_name(name).to_uppercase(),
                screaming(variant)
            )
        }
        Language::Swift => format!("{name}.{}", lower_camel(variant)),
        _ if is_choice => format!("{name}.{}", screaming(variant)),
        _ => format!("{name}.{variant}"),
    }
}

/// Fields, arguments and methods of Kotlin and Swift.
fn camel_names(facade: &Facade) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let mut add = |owner: &str, name: &str| {
        names.insert(name.to_owned(), camel(name));
        names.insert(
            format!("{owner}.{name}"),
            format!("{owner}.{}", camel(name)),
        );
    };
    for method in &facade.methods {
        add("Keyplate", &method.name);
        for input in &method.inputs {
            add("Keyplate", &input.name);
        }
    }
    for record in &facade.records {
        for field in &record.fields {
            add(&record.name, &field.name);
        }
    }
    let enums = facade.enums.iter().chain([&facade.error]);
    for variant in enums.flat_map(|item| &item.variants) {
        for field in &variant.fields {
            add(&variant.name, &field.name);
        }
    }
    names
}

/// Functions, types and constants of C. Fields keep their names, which are parts of functions'.
fn c_names(facade: &Facade) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let mut add = |name: String, c: String| drop(names.insert(name, c));
    for variant in &facade.error.variants {
        let status = format!("KEYPLATE_STATUS_{}", screaming(&variant.name));
        add(variant.name.clone(), status);
    }
    for method in &facade.methods {
        add(method.name.clone(), format!("keyplate_{}", method.name));
    }
    for object in &facade.objects {
        add(object.name.clone(), c_name(&object.name));
    }
    for record in &facade.records {
        let c = c_name(&record.name);
        for field in &record.fields {
            let verb = match field.ty {
                _ if !record.is_input => "get",
                Ty::List(_) => "add",
                _ => "set",
            };
            let function = format!("{c}_{verb}_{}", field.name);
            add(format!("{}.{}", record.name, field.name), function);
        }
        add(record.name.clone(), c);
    }
    for item in &facade.enums {
        add(item.name.clone(), c_name(&item.name));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facade::{Method, Record, Variant};

    fn field(name: &str) -> Field {
        Field {
            name: name.to_owned(),
            ty: Ty::Text,
            required: true,
            by_ref: false,
            doc: "See `create_user`.".to_owned(),
        }
    }

    fn facade() -> Facade {
        let method = |name: &str| Method {
            name: name.to_owned(),
            noun: String::new(),
            inputs: vec![field("group_ids")],
            output: None,
            doc: DOC.to_owned(),
            is_constructor: false,
        };
        let record = Record {
            name: "NewUser".to_owned(),
            noun: String::new(),
            fields: vec![field("display_name")],
            doc: String::new(),
            is_input: true,
            is_output: false,
        };
        let variant = |name: &str, doc: &str| Variant {
            name: name.to_owned(),
            number: 0,
            fields: Vec::new(),
            doc: doc.to_owned(),
        };
        let error = Enum {
            name: "KeyplateError".to_owned(),
            variants: vec![
                variant("NotFound", "There is no such thing, or it is hidden. More."),
                variant("Conflict", "It contradicts."),
                variant("StorageFull", "Full."),
                variant("StorageLost", "Lost."),
            ],
            ..Enum::default()
        };
        Facade {
            methods: vec![method("create_user"), method("sign_up")],
            records: vec![record],
            error,
            ..Facade::default()
        }
    }

    const DOC: &str = "As `create_user` with `NewUser.display_name`, `group_ids` and `too_long`.

# Errors
`NotFound`; `Conflict` for `group_ids`; the storage errors; as `sign_up`.
";

    fn said(language: Language) -> String {
        Speech::new(&facade(), language).text(DOC)
    }

    #[test]
    fn c_has_functions_and_status_names() {
        let expected = "As `keyplate_create_user` with `keyplate_new_user_set_display_name`, `group_ids` and `too_long`.

Errors:
- `KEYPLATE_STATUS_NOT_FOUND`
- `KEYPLATE_STATUS_CONFLICT` for `group_ids`
- `KEYPLATE_STATUS_STORAGE_FULL`, `KEYPLATE_STATUS_STORAGE_LOST`
- as `keyplate_sign_up`";
        assert_eq!(said(Language::C), expected);
    }

    #[test]
    fn python_has_its_exceptions() {
        let expected = "As `create_user` with `NewUser.display_name`, `group_ids` and `too_long`.

Raises:
    NotFound: There is no such thing, or it is hidden.
    Conflict: For `group_ids`.
    StorageFull, StorageLost: The file or its disk fails.
    KeyplateError: As `sign_up`.";
        assert_eq!(said(Language::Python), expected);
    }

    #[test]
    fn kotlin_has_a_tag_for_each() {
        let expected = "As `createUser` with `NewUser.displayName`, `groupIds` and `too_long`.

@throws KeyplateException.NotFound
@throws KeyplateException.Conflict for `groupIds`
@throws KeyplateException.StorageFull
@throws KeyplateException.StorageLost
@throws KeyplateException as `signUp`";
        assert_eq!(said(Language::Kotlin), expected);
    }

    #[test]
    fn swift_has_one_callout() {
        let expected = "As `createUser` with `NewUser.displayName`, `groupIds` and `too_long`.

- Throws: `KeyplateError.NotFound`; `KeyplateError.Conflict` for `groupIds`;
  `KeyplateError.StorageFull`, `KeyplateError.StorageLost`; as `signUp`";
        assert_eq!(said(Language::Swift), expected);
    }

    #[test]
    fn a_variant_has_its_enum_before_it_unless_it_could_be_something_else() {
        let mut facade = facade();
        let variants = ["ClockBehind", "NotFound"].map(|name| Variant {
            name: name.to_owned(),
            number: 1,
            fields: Vec::new(),
            doc: String::new(),
        });
        facade.enums.push(Enum {
            name: "EventKind".to_owned(),
            variants: variants.into(),
            ..Enum::default()
        });
        let said = |language| {
            let speech = Speech::new(&facade, language);
            speech.text("`ClockBehind`, `EventKind.NotFound`, `NotFound`, `ClockBehind` none")
        };
        assert_eq!(
            said(Language::C),
            "`KEYPLATE_EVENT_KIND_CLOCK_BEHIND`, `KEYPLATE_EVENT_KIND_NOT_FOUND`, `NotFound`, `KEYPLATE_EVENT_KIND_CLOCK_BEHIND` none"
        );
        for language in [Language::Python, Language::Kotlin] {
            let expected = "`EventKind.CLOCK_BEHIND`, `EventKind.NOT_FOUND`, `NotFound`, `EventKind.CLOCK_BEHIND` none";
            assert_eq!(said(language), expected);
        }
        let expected = "`EventKind.clockBehind`, `EventKind.notFound`, `NotFound`, `EventKind.clockBehind` none";
        assert_eq!(said(Language::Swift), expected);
    }

    #[test]
    fn what_follows_the_errors_comes_before_them() {
        let facade = facade();
        let speech = Speech::new(&facade, Language::Kotlin);
        let doc = "One.\n\n# Errors\n`NotFound`.\n\n# Examples\nTwo, `sign_up()`.\n";
        let expected = "One.\n\n# Examples\nTwo, `signUp()`.\n\n@throws KeyplateException.NotFound";
        assert_eq!(speech.text(doc), expected);
        assert_eq!(
            speech.text("# Errors\n`NotFound`."),
            "@throws KeyplateException.NotFound"
        );
    }

    #[test]
    fn every_part_of_a_facade_is_spoken() {
        let spoken = spoken(&facade(), Language::Swift);
        assert!(spoken.methods[0].doc.starts_with("As `createUser`"));
        assert_eq!(spoken.records[0].fields[0].doc, "See `createUser`.");
    }
}
