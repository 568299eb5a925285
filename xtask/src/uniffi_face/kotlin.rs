//! What is changed in the Kotlin source that UniFFI writes: the exceptions' messages, and what plain Java needs.

use anyhow::{Result, ensure};

use crate::{facade::Facade, names::camel};

const UNSIGNED: &[&str] = &["UByte", "UShort", "UInt", "ULong"];

/// Names of UniFFI's own machinery, which is no part of the face.
const MACHINERY: &[&str] = &["FfiConverter", "RustBuffer", "ForeignBytes", "Uniffi"];

/// UniFFI gives an error with fields a dump of its fields for its `message`; ours is Rust's `Display`, which it has as
/// `toString()`.
pub(super) fn message_is_display(source: &str) -> Result<String> {
    let mut out = String::with_capacity(source.len());
    let (mut after_message, mut declared, mut rewritten) = (false, 0, 0);
    for line in source.lines() {
        let getter = line.trim_start();
        if after_message && getter.starts_with("get() = ") {
            let indent = &line[..line.len() - getter.len()];
            out += &format!("{indent}get() = this.toString()\n");
            rewritten += 1;
        } else {
            out += line;
            out.push('\n');
        }
        after_message = getter.trim_end() == "override val message";
        declared += usize::from(getter.starts_with("override val message"));
    }
    ensure!(
        rewritten > 0 && rewritten == declared && source.contains("fun toString()"),
        "UniFFI's template for Kotlin's exceptions has changed: look at `message` in the generated source"
    );
    Ok(out)
}

/// Java has no arguments with names or defaults: records get constructors without their last fields, down to what is required,
/// and `Keyplate.open` is static. What the host implements is a `fun interface`.
pub(super) fn for_java(source: &str, facade: &Facade) -> Result<String> {
    let mut out = String::with_capacity(source.len());
    let mut constructors = 0;
    let lines: Vec<&str> = source.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let has_default = || {
            let fields = lines[index + 1..]
                .iter()
                .take_while(|line| !line.starts_with(')'));
            fields.into_iter().any(|line| line.contains(" = "))
        };
        match line.strip_suffix(" (") {
            Some(start) if start.starts_with("data class ") && has_default() => {
                out += &format!("{start} @JvmOverloads constructor(");
                constructors += 1;
            }
            _ => out += line,
        }
        out.push('\n');
    }
    let has_default = |fields: &[crate::facade::Field]| fields.iter().any(|field| !field.required);
    let records = facade.records.iter();
    let wanted = records.filter(|record| has_default(&record.fields)).count();
    ensure!(
        constructors == wanted,
        "{constructors} records of {wanted} got constructors for Java: look at `data class` in the generated source"
    );
    for method in facade.constructor() {
        let start = "@Throws(KeyplateException::class) ";
        let function = format!("fun `{}`(", camel(&method.name));
        let found = out.matches(&format!("{start}{function}")).count();
        ensure!(
            found == 1,
            "UniFFI's template for Kotlin's constructors has changed: look at `{}` in the generated source",
            method.name
        );
        out = out.replace(
            &format!("{start}{function}"),
            &format!("{start}@JvmStatic {function}"),
        );
    }
    // Kotlin makes them of a lambda as Java does.
    for heard in &facade.traits {
        let start = format!("public interface {} {{", heard.name);
        ensure!(
            out.matches(&start).count() == 1,
            "UniFFI's template for Kotlin's interfaces has changed: look at `{}` in the generated source",
            heard.name
        );
        out = out.replace(&start, &format!("public fun interface {} {{", heard.name));
    }
    Ok(out)
}

/// Java can neither call nor make what has an unsigned number in its signature.
pub(super) fn has_no_unsigned(source: &str) -> Result<()> {
    let (mut machinery, mut found) = (false, Vec::new());
    for line in source.lines() {
        let is_top = line.starts_with(|letter: char| letter.is_alphabetic() || letter == '@');
        if is_top {
            machinery =
                MACHINERY.iter().any(|name| line.contains(name)) || line.starts_with("internal ");
        }
        let code = line.trim_start();
        let is_comment = code.starts_with("//") || code.starts_with('*') || code.starts_with("/*");
        let mut words = code.split(|letter: char| !letter.is_alphanumeric());
        if !machinery && !is_comment && words.any(|word| UNSIGNED.contains(&word)) {
            found.push(code);
        }
    }
    ensure!(
        found.is_empty(),
        "the Kotlin face has unsigned numbers, which hide it from Java: {}",
        found.join("; ")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facade::{Field, Method, Record, Ty};

    fn field(name: &str, required: bool) -> Field {
        Field {
            name: name.to_owned(),
            ty: Ty::Text,
            required,
            by_ref: false,
            doc: String::new(),
        }
    }

    fn facade() -> Facade {
        let record = |name: &str, fields| Record {
            name: name.to_owned(),
            noun: String::new(),
            fields,
            doc: String::new(),
            is_input: true,
            is_output: false,
        };
        let open = Method {
            name: "open".to_owned(),
            noun: String::new(),
            inputs: Vec::new(),
            output: None,
            doc: String::new(),
            is_constructor: true,
        };
        Facade {
            records: vec![
                record("Config", vec![field("path", true), field("rp_id", false)]),
                record("User", vec![field("id", true)]),
            ],
            methods: vec![open],
            ..Facade::default()
        }
    }

    const RECORDS: &str = "\
data class Config (
    val `path`: kotlin.String
    ,
    val `rpId`: kotlin.String? = null
){
    val x = 1
}
data class User (
    val `id`: kotlin.String
){
}
";
    const OPEN: &str =
        "    @Throws(KeyplateException::class) fun `open`(`config`: Config): Keyplate {\n";

    #[test]
    fn java_has_short_constructors_and_a_static_open() {
        let source = for_java(&format!("{RECORDS}{OPEN}"), &facade()).unwrap();
        assert!(source.contains("data class Config @JvmOverloads constructor(\n"));
        assert!(source.contains("data class User (\n"));
        assert!(source.contains("class) @JvmStatic fun `open`("));
    }

    #[test]
    fn a_changed_template_of_records_or_constructors_is_noticed() {
        assert!(for_java(RECORDS, &facade()).is_err());
        let other = RECORDS.replace("Config (", "Config(");
        assert!(for_java(&format!("{other}{OPEN}"), &facade()).is_err());
    }

    #[test]
    fn an_unsigned_number_in_a_signature_is_named() {
        let machinery = "public object FfiConverterLong {\n    fun allocationSize(): ULong = 8UL\n}\n/**\n * UInt\n */\n";
        assert!(has_no_unsigned(&format!("{machinery}{RECORDS}")).is_ok());
        let method = "interface KeyplateInterface {\n    fun `x`(`y`: kotlin.UInt?): Unit\n}\n";
        let error = has_no_unsigned(&format!("{machinery}{method}"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("fun `x`(`y`: kotlin.UInt?)"), "{error}");
        let field = RECORDS.replace("kotlin.String? = null", "List<kotlin.ULong>");
        assert!(has_no_unsigned(&field).is_err());
    }

    #[test]
    fn the_message_of_a_kotlin_exception_is_its_text() {
        let source = "  override val message\n    get() = \"field=${ `field` }\"\n  override fun toString() = x\n";
        let changed = message_is_display(source).unwrap();
        assert!(changed.contains("    get() = this.toString()\n"));
        assert!(!changed.contains("field="));
    }

    #[test]
    fn a_changed_template_is_noticed() {
        assert!(message_is_display("override val message: String = \"x\"\n").is_err());
        assert!(message_is_display("class E\n").is_err());
    }
}
