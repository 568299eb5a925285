//! Enums: without data a C enum whose zero is "unknown", with data an opaque value with a kind.

use anyhow::Result;

use super::{
    Writer, c_name,
    crossing::{initialiser, inward},
};
use crate::{
    facade::{Enum, Ty, Variant},
    names::{rust_doc, screaming, snake},
};

impl Writer<'_> {
    /// The table of error codes.
    pub(super) fn status(&mut self) -> Result<()> {
        self.names.claim("keyplate_status", "the status")?;
        let (mut variants, mut arms, mut https) = (String::new(), String::new(), String::new());
        for code in &self.facade.codes {
            self.names.claim(
                &format!("KEYPLATE_STATUS_{}", screaming(&code.name)),
                "a status",
            )?;
            variants += &format!("{}{} = {},\n", rust_doc(&code.doc), code.name, code.number);
            arms += &format!("::keyplate::ErrorCode::{0} => Self::{0},\n", code.name);
            https += &format!(
                "{} => ::keyplate::ErrorCode::{}.http_status(),\n",
                code.number, code.name
            );
        }
        self.out += &format!(
            "
            /// How a call ended. The numbers are the same on every face and never change.
            #[repr(i32)]
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub enum keyplate_status {{ {variants} }}
            impl From<::keyplate::ErrorCode> for keyplate_status {{
                fn from(code: ::keyplate::ErrorCode) -> Self {{
                    match code {{
                        {arms}
                        _ => Self::Internal,
                    }}
                }}
            }}
            "
        );
        let codes = self.facade.codes.iter();
        let names: Vec<(i64, &str)> = codes
            .map(|code| (code.number, code.name.as_str()))
            .collect();
        self.namer("keyplate_status", &names)?;
        self.safe_function(
            "keyplate_status_http_status",
            "The status with which HTTP says the same, for example 404, as `keyplate_error_get_http_status` does.\n500 for a number that this library does not know.",
            ("status", "Raw<keyplate_status>"),
            "i64",
            &format!("match status.number() {{ {https} _ => 500 }}"),
        )
    }

    /// A function that names the values of an enum.
    fn namer(&mut self, c: &str, values: &[(i64, &str)]) -> Result<()> {
        let arms: String = values
            .iter()
            .map(|(number, name)| format!("{number} => c{:?},\n", snake(name)))
            .collect();
        let doc = "Its name, such as `NAME`, for logs and JSON; it never changes. `unknown` for any other number.\n\
                   NUL-terminated, never freed.";
        let example = values.iter().map(|(_, name)| snake(name)).next();
        let doc = doc.replace("NAME", &example.unwrap_or_else(|| "unknown".to_owned()));
        self.safe_function(
            &format!("{c}_name"),
            &doc,
            ("value", &format!("Raw<{c}>")),
            "*const c_char",
            &format!("match value.number() {{ {arms} _ => c\"unknown\" }}.as_ptr()"),
        )
    }

    pub(super) fn choice(&mut self, item: &Enum) -> Result<()> {
        let (c, core) = (c_name(&item.name), format!("::keyplate::{}", item.name));
        self.c_enum(&c, &item.doc, &item.variants)?;
        let (mut lend, mut take) = (String::new(), String::new());
        for Variant { name, number, .. } in &item.variants {
            lend += &format!("Some({core}::{name}) => {c}::{name},\n");
            take += &format!("{number} => Some({core}::{name}),\n");
        }
        // Without a wildcard the compiler says when a variant is missing here.
        let rest = if item.non_exhaustive { "_" } else { "None" };
        self.out += &format!(
            "
            impl Lend for {core} {{
                type C = {c};
                fn lend(value: Option<&Self>) -> {c} {{
                    match value {{
                        {lend}
                        {rest} => {c}::Unknown,
                    }}
                }}
            }}
            "
        );
        if item.is_input {
            self.out += &format!(
                "
                impl Choice for {c} {{
                    type Core = {core};
                    fn from_number(number: i32) -> Option<{core}> {{
                        match number {{
                            {take}
                            _ => None,
                        }}
                    }}
                }}
                "
            );
        }
        Ok(())
    }

    pub(super) fn union(&mut self, item: &Enum) -> Result<()> {
        let (c, core) = (c_name(&item.name), format!("::keyplate::{}", item.name));
        self.opaque(&item.name, &core, &item.doc)?;
        self.kind(item)?;
        for variant in &item.variants {
            for field in &variant.fields {
                let pick = if item.variants.len() == 1 {
                    format!(
                        "|value| {{ let {core}::{} {{ {field}, .. }} = value; Some({field}) }}",
                        variant.name,
                        field = field.name
                    )
                } else {
                    format!(
                        "|value| match value {{ {core}::{} {{ {field}, .. }} => Some({field}), _ => None }}",
                        variant.name,
                        field = field.name
                    )
                };
                let pick = if matches!(field.ty, Ty::Option(_)) {
                    pick.replace("Some(", "Option::as_ref(")
                } else {
                    pick
                };
                let function = format!("{c}_get_{}_{}", snake(&variant.name), field.name);
                self.picker(&item.name, &function, &pick, &field.ty, &field.doc)?;
            }
            if item.is_input {
                self.variant_maker(item, variant)?;
            }
        }
        Ok(())
    }

    /// Which variant it is.
    fn kind(&mut self, item: &Enum) -> Result<()> {
        let (c, core, me) = (
            c_name(&item.name),
            format!("::keyplate::{}", item.name),
            snake(&item.name),
        );
        self.c_enum(
            &format!("{c}_kind"),
            &format!("Which kind of `{c}` it is."),
            &item.variants,
        )?;
        let arm = |variant: &Variant| {
            let rest = if variant.fields.is_empty() {
                ""
            } else {
                "{ .. }"
            };
            format!("Some({core}::{0} {rest}) => {c}_kind::{0},\n", variant.name)
        };
        let arms: String = item.variants.iter().map(arm).collect();
        let rest = if item.non_exhaustive { "_" } else { "None" };
        let body = format!("match peek({me}) {{ {arms} {rest} => {c}_kind::Unknown }}");
        let parameter = (me, format!("*const {c}"));
        self.function(
            &format!("{c}_get_kind"),
            "Which kind it is.",
            &[parameter],
            Some(&format!("{c}_kind")),
            &body,
        )
    }

    fn variant_maker(&mut self, item: &Enum, variant: &Variant) -> Result<()> {
        let c = c_name(&item.name);
        let (mut parameters, mut fields) = (Vec::new(), String::new());
        for field in &variant.fields {
            let inward = inward(field)?;
            parameters.extend(inward.parameters);
            fields += &initialiser(&field.name, &inward.expression);
        }
        parameters.push(("out".to_owned(), format!("*mut *mut {c}")));
        let fields = if fields.is_empty() {
            fields
        } else {
            format!("{{ {fields} }}")
        };
        let body = format!(
            "put(out, || Ok(::keyplate::{}::{} {fields}))",
            item.name, variant.name
        );
        let doc = format!("{}\nFree it with `{c}_free`.", variant.doc);
        self.fallible(
            &format!("{c}_new_{}", snake(&variant.name)),
            &doc,
            &parameters,
            &body,
        )
    }

    fn c_enum(&mut self, c: &str, doc: &str, variants: &[Variant]) -> Result<()> {
        self.names.claim(c, "an enum")?;
        let mut list = "/// None, or newer than this header.\nUnknown = 0,\n".to_owned();
        for variant in variants {
            self.names.claim(
                &format!("{}_{}", c.to_uppercase(), screaming(&variant.name)),
                "an enum's value",
            )?;
            let (doc, name) = (rust_doc(&variant.doc), &variant.name);
            list += &format!("{doc}{name} = {},\n", variant.number);
        }
        self.out += &format!(
            "
            {doc}#[repr(i32)]
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub enum {c} {{ {list} }}
            ",
            doc = rust_doc(doc)
        );
        let variants = variants.iter();
        let names: Vec<(i64, &str)> = variants
            .map(|variant| (i64::from(variant.number), variant.name.as_str()))
            .collect();
        self.namer(c, &names)
    }
}
