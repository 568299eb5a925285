//! What a facade must keep to so that every face can carry it (DESIGN, "The facade").

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use crate::facade::{Enum, Facade, Field, Method, Record, Ty};

/// Words that some face's language keeps for itself, in the form of a field or parameter.
const RESERVED_WORDS: &[&str] = &[
    "and",
    "as",
    "async",
    "auto",
    "await",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "continue",
    "def",
    "default",
    "defer",
    "del",
    "delete",
    "do",
    "double",
    "else",
    "enum",
    "except",
    "extern",
    "extension",
    "false",
    "finally",
    "float",
    "fn",
    "for",
    "from",
    "fun",
    "func",
    "global",
    "goto",
    "guard",
    "if",
    "impl",
    "import",
    "in",
    "init",
    "inline",
    "int",
    "interface",
    "internal",
    "is",
    "lambda",
    "let",
    "long",
    "loop",
    "match",
    "mod",
    "move",
    "mut",
    "namespace",
    "new",
    "nil",
    "none",
    "nonlocal",
    "not",
    "null",
    "object",
    "operator",
    "or",
    "package",
    "pass",
    "private",
    "protected",
    "protocol",
    "public",
    "raise",
    "ref",
    "register",
    "return",
    "self",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "super",
    "switch",
    "template",
    "this",
    "throw",
    "trait",
    "true",
    "try",
    "type",
    "typealias",
    "typedef",
    "typename",
    "union",
    "unsafe",
    "unsigned",
    "use",
    "using",
    "val",
    "var",
    "virtual",
    "void",
    "volatile",
    "when",
    "where",
    "while",
    "with",
    "yield",
];

/// Names that the C face gives to parameters of its own.
const C_PARAMETERS: &[&str] = &["kp", "out", "error", "keyplate"];

/// Names of types in Swift's and Kotlin's standard libraries.
const TAKEN_TYPES: &[&str] = &[
    "Any", "Clock", "Data", "Date", "Duration", "Error", "Instant", "Result", "String", "Unit",
];

/// Traits of the host for which each face has code by hand.
pub(crate) const KNOWN_TRAITS: &[&str] = &["EventSink", "TimeSource"];

/// Fails, with the item's name, on what some face could not carry.
pub(crate) fn check(facade: &Facade) -> Result<()> {
    for record in &facade.records {
        check_record(record)?;
    }
    for item in &facade.enums {
        check_enum(item)?;
    }
    for variant in &facade.error.variants {
        for field in &variant.fields {
            let owner = format!("{}::{}", facade.error.name, variant.name);
            check_field(&owner, field)?;
            let taken = ["message", "cause"].contains(&field.name.as_str());
            ensure!(
                !taken,
                "{owner}.{}: Kotlin's exceptions have that name already",
                field.name
            );
        }
    }
    for method in &facade.methods {
        check_method(facade, method)?;
    }
    for named in &facade.traits {
        let known = KNOWN_TRAITS.contains(&named.name.as_str());
        ensure!(
            known,
            "{}: a trait of the host needs code by hand in ffi/ and bindings/python/",
            named.name
        );
    }
    ensure!(
        facade.constructor().count() == 1,
        "Keyplate has one constructor, `open`"
    );
    Ok(())
}

fn check_record(record: &Record) -> Result<()> {
    check_type_name(&record.name)?;
    for field in &record.fields {
        check_field(&record.name, field)?;
        check_secret(record, field)?;
        if record.is_input {
            check_input_field(record, field)?;
        } else {
            let is_trait = matches!(field.ty.leaf(), Ty::Trait(_));
            ensure!(
                !is_trait,
                "{}.{}: a trait of the host only goes in",
                record.name,
                field.name
            );
        }
    }
    Ok(())
}

fn check_input_field(record: &Record, field: &Field) -> Result<()> {
    let name = format!("{}.{}", record.name, field.name);
    if let Some(inner) = field.ty.record() {
        anyhow::bail!("{name}: an input record ({inner}) inside an input record; flatten it");
    }
    ensure!(
        *field.ty.leaf() != Ty::Duration,
        "{name}: a Duration only leaves; take whole seconds"
    );
    let may_default = matches!(
        field.ty,
        Ty::Option(_) | Ty::List(_) | Ty::Bool | Ty::Int(_)
    );
    ensure!(
        field.required || may_default,
        "{name}: an optional field is Option, Vec, bool or a number"
    );
    let must_default = matches!(field.ty, Ty::Option(_));
    ensure!(
        !(field.required && must_default),
        "{name}: give it `uniffi(default)`, or Kotlin and Swift demand it"
    );
    Ok(())
}

fn check_enum(item: &Enum) -> Result<()> {
    check_type_name(&item.name)?;
    for variant in &item.variants {
        for field in &variant.fields {
            let owner = format!("{}::{}", item.name, variant.name);
            check_field(&owner, field)?;
            let is_leaf = !matches!(
                field.ty,
                Ty::Option(_) | Ty::List(_) | Ty::Record(_) | Ty::Trait(_)
            );
            ensure!(
                is_leaf || !item.is_input,
                "{owner}.{}: only plain values inside an input",
                field.name
            );
            let leaves = item.is_input && field.ty == Ty::Duration;
            ensure!(
                !leaves,
                "{owner}.{}: a Duration only leaves; take whole seconds",
                field.name
            );
        }
    }
    Ok(())
}

fn check_method(facade: &Facade, method: &Method) -> Result<()> {
    let name = &method.name;
    ensure!(
        name != "close" && name != "free",
        "{name}: a face has that method of its own"
    );
    let mut seen = BTreeSet::new();
    for input in &method.inputs {
        check_field(name, input)?;
        let parameter = &input.name;
        ensure!(
            !C_PARAMETERS.contains(&parameter.as_str()),
            "{name}({parameter}): the C face has such a parameter"
        );
        ensure!(
            *input.ty.leaf() != Ty::Duration,
            "{name}({parameter}): a Duration only leaves; take whole seconds"
        );
        let optional_record =
            matches!(&input.ty, Ty::Option(inner) if matches!(**inner, Ty::Record(_)));
        ensure!(
            !optional_record,
            "{name}({parameter}): an optional record; give the record defaults instead"
        );
        let is_trait = matches!(input.ty.leaf(), Ty::Trait(_));
        ensure!(
            !is_trait,
            "{name}({parameter}): a trait of the host is a field of Config"
        );
        match input
            .ty
            .record()
            .filter(|record| input.ty.leaf() == &input.ty && facade.is_flat(record))
        {
            Some(record) => {
                for field in &facade.record(record).fields {
                    ensure!(
                        seen.insert(&field.name),
                        "{name}: two arguments called {} in Python",
                        field.name
                    );
                }
            }
            None => ensure!(
                seen.insert(parameter),
                "{name}: two arguments called {parameter} in Python"
            ),
        }
    }
    Ok(())
}

/// Kotlin's data classes and Swift's dumps print every field of a record.
fn check_secret(record: &Record, field: &Field) -> Result<()> {
    let ends = [
        "token",
        "secret",
        "password",
        "encryption_key",
        "private_key",
    ];
    let name = &field.name;
    let is_secret = ends.iter().any(|end| name.ends_with(end)) && name != "masked_secret";
    ensure!(
        !(is_secret && matches!(field.ty.leaf(), Ty::Text | Ty::Bytes)),
        "{}.{name}: every printed record would show it; make it a Secret",
        record.name
    );
    Ok(())
}

fn check_field(owner: &str, field: &Field) -> Result<()> {
    let name = &field.name;
    ensure!(
        !RESERVED_WORDS.contains(&name.as_str()),
        "{owner}.{name}: a reserved word in some language"
    );
    if let Ty::Option(inner) | Ty::List(inner) = &field.ty {
        let nested = matches!(**inner, Ty::Option(_) | Ty::List(_));
        ensure!(
            !nested,
            "{owner}.{name}: {} loses values on its way; use an enum or a record",
            field.ty.rust()
        );
    }
    let bytes = matches!(&field.ty, Ty::List(inner) if **inner == Ty::Bytes);
    ensure!(!bytes, "{owner}.{name}: C has no list of byte strings");
    Ok(())
}

fn check_type_name(name: &str) -> Result<()> {
    ensure!(
        !TAKEN_TYPES.contains(&name),
        "{name}: Swift or Kotlin has a type of that name"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, ty: Ty, required: bool) -> Field {
        Field {
            name: name.to_owned(),
            ty,
            required,
            by_ref: false,
            doc: String::new(),
        }
    }

    fn facade(fields: Vec<Field>) -> Facade {
        let config = Record {
            name: "Config".into(),
            noun: "handle".into(),
            fields,
            doc: String::new(),
            is_input: true,
            is_output: false,
        };
        let open = Method {
            name: "open".into(),
            noun: "handle".into(),
            inputs: vec![field("config", Ty::Record("Config".into()), true)],
            output: Some(Ty::Object("Keyplate".into())),
            doc: String::new(),
            is_constructor: true,
        };
        Facade {
            records: vec![config],
            methods: vec![open],
            ..Facade::default()
        }
    }

    fn refusal(fields: Vec<Field>) -> String {
        check(&facade(fields)).unwrap_err().to_string()
    }

    #[test]
    fn an_ordinary_facade_passes() {
        let fields = vec![
            field("path", Ty::Text, true),
            field("name", Ty::Option(Box::new(Ty::Text)), false),
        ];
        check(&facade(fields)).unwrap();
    }

    #[test]
    fn what_a_face_cannot_carry_is_named() {
        let nested = Ty::Option(Box::new(Ty::Option(Box::new(Ty::Text))));
        assert!(
            refusal(vec![field("email", nested, false)])
                .contains("Config.email: Option<Option<String>>")
        );
        let record = Ty::Record("Config".into());
        assert!(refusal(vec![field("inner", record, true)]).contains("inside an input record"));
        assert!(
            refusal(vec![field("wait", Ty::Duration, true)]).contains("a Duration only leaves")
        );
        assert!(refusal(vec![field("class", Ty::Text, true)]).contains("reserved word"));
        let name = Ty::Option(Box::new(Ty::Text));
        assert!(refusal(vec![field("name", name, true)]).contains("uniffi(default)"));
    }

    #[test]
    fn a_record_has_no_secret_as_text() {
        for name in [
            "token",
            "setup_token",
            "secret",
            "password",
            "encryption_key",
        ] {
            let text = refusal(vec![field(name, Ty::Option(Box::new(Ty::Text)), false)]);
            assert!(
                text.contains(&format!("Config.{name}: every printed record")),
                "{text}"
            );
            let secret = Ty::Option(Box::new(Ty::Object("Secret".into())));
            check(&facade(vec![field(name, secret, false)])).unwrap();
        }
        check(&facade(vec![field("masked_secret", Ty::Text, true)])).unwrap();
    }

    #[test]
    fn a_parameter_may_not_be_named_like_the_handle() {
        let mut facade = facade(vec![]);
        facade.methods.push(Method {
            name: "get_user".into(),
            noun: "users".into(),
            inputs: vec![field("keyplate", Ty::Text, true)],
            output: None,
            doc: String::new(),
            is_constructor: false,
        });
        assert!(
            check(&facade)
                .unwrap_err()
                .to_string()
                .contains("get_user(keyplate)")
        );
    }
}
