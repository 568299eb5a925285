//! Builders for Java, which has no arguments with names or defaults: `Config.builder(path, origin).events(sink).build()`.

use std::fmt::Write;

use anyhow::{Context, Result, ensure};

const COMPANION: &str = "    companion object\n}\n";

struct Field<'a> {
    /// With its back-ticks.
    name: &'a str,
    ty: &'a str,
    default: Option<&'a str>,
    /// The lines of its comment.
    doc: Vec<&'a str>,
}

/// The source in which each record with defaults has a builder. Records are those that `for_java` gave constructors.
pub(super) fn with_builders(source: &str) -> Result<String> {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find(" @JvmOverloads constructor(\n") {
        let name = rest[..start]
            .rsplit(' ')
            .next()
            .context("a record without a name")?;
        let length = rest[start..].find(COMPANION).with_context(|| {
            format!("UniFFI's template for Kotlin's records has changed: {name} has no companion")
        })?;
        let (record, more) = rest.split_at(start + length);
        out += record;
        out += &builder(name, &fields(&rest[start..start + length])?)?;
        rest = &more[COMPANION.len()..];
    }
    out += rest;
    Ok(out)
}

fn fields(record: &str) -> Result<Vec<Field<'_>>> {
    let (mut fields, mut doc) = (Vec::new(), Vec::new());
    for line in record
        .lines()
        .skip(1)
        .take_while(|line| !line.starts_with(')'))
    {
        let Some(declared) = line.trim().strip_prefix("val ") else {
            if line.trim().starts_with(['/', '*']) {
                doc.push(line);
            }
            continue;
        };
        let (name, ty) = declared
            .split_once(": ")
            .with_context(|| format!("`{declared}` has no type"))?;
        let (ty, default) = match ty.split_once(" = ") {
            Some((ty, default)) => (ty, Some(default)),
            None => (ty, None),
        };
        fields.push(Field {
            name,
            ty,
            default,
            doc: std::mem::take(&mut doc),
        });
    }
    ensure!(
        !fields.is_empty(),
        "a record without fields in the Kotlin source"
    );
    Ok(fields)
}

fn builder(record: &str, fields: &[Field<'_>]) -> Result<String> {
    let required: Vec<&Field<'_>> = fields
        .iter()
        .filter(|field| field.default.is_none())
        .collect();
    let parameters: Vec<String> = required
        .iter()
        .map(|field| format!("{}: {}", field.name, field.ty))
        .collect();
    let parameters = parameters.join(", ");
    let kept: Vec<String> = required
        .iter()
        .map(|field| format!("private val {}: {}", field.name, field.ty))
        .collect();
    let mut out = format!(
        "    /**
     * Makes it step by step, for Java: what is not set has its default.
     */
    class Builder internal constructor({}) {{
",
        kept.join(", ")
    );
    for field in fields {
        let Some(default) = field.default else {
            continue;
        };
        let (name, ty) = (field.name, field.ty);
        writeln!(out, "        private var {name}: {ty} = {default}\n")?;
        for line in &field.doc {
            writeln!(out, "    {line}")?;
        }
        writeln!(
            out,
            "        fun {name}({name}: {ty}): Builder = apply {{ this.{name} = {name} }}\n"
        )?;
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    let given: Vec<&str> = required.iter().map(|field| field.name).collect();
    write!(
        out,
        "        /**
         * Returns what has been set.
         */
        fun build(): {record} = {record}({})
    }}

    companion object {{
        /**
         * For Java: begins with what is required.
         */
        @JvmStatic
        fun builder({parameters}): Builder = Builder({})
    }}
}}
",
        names.join(", "),
        given.join(", ")
    )?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "data class NewUser @JvmOverloads constructor(
    /**
     * The name.
     */
    val `username`: kotlin.String
    ,
    /**
     * An address.
     */
    val `email`: kotlin.String? = null

){


    companion object
}

class After
";

    #[test]
    fn what_is_required_begins_and_the_rest_is_set() {
        let text = with_builders(RECORD).unwrap();
        for line in [
            "class Builder internal constructor(private val `username`: kotlin.String) {",
            "         * An address.",
            "fun `email`(`email`: kotlin.String?): Builder = apply { this.`email` = `email` }",
            "fun build(): NewUser = NewUser(`username`, `email`)",
            "fun builder(`username`: kotlin.String): Builder = Builder(`username`)",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert!(text.ends_with("}\n\nclass After\n"));
    }

    #[test]
    fn a_changed_template_is_noticed() {
        assert!(with_builders(&RECORD.replace("companion object", "companion")).is_err());
    }
}
