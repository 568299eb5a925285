//! Records: accessors for what comes out; a maker, setters and adders for what goes in.

use anyhow::Result;

use super::{
    Writer, c_name,
    crossing::{initialiser, inward, is_plain, outward},
};
use crate::{
    facade::{Field, Record, Ty},
    names::snake,
};

impl Writer<'_> {
    pub(super) fn record(&mut self, record: &Record) -> Result<()> {
        self.opaque(
            &record.name,
            &format!("::keyplate::{}", record.name),
            &record.doc,
        )?;
        if record.is_output || !record.is_input {
            for field in &record.fields {
                let pick = format!("value.{}", field.name);
                self.accessor(&record.name, &field.name, &pick, field)?;
            }
        }
        if record.is_input {
            self.maker(record)?;
            for field in &record.fields {
                self.setter(record, field)?;
            }
        }
        Ok(())
    }

    /// A function, or two for a list, that lends one field. `place` is the field, seen from the owner called `value`.
    pub(super) fn accessor(
        &mut self,
        owner: &str,
        name: &str,
        place: &str,
        field: &Field,
    ) -> Result<()> {
        let pick = |ty: &Ty| match ty {
            Ty::Option(_) => format!("|value| {place}.as_ref()"),
            _ => format!("|value| Some(&{place})"),
        };
        let function = format!("{}_get_{name}", c_name(owner));
        match &field.ty {
            Ty::List(inner) => self.list_accessors(owner, &function, place, inner, &field.doc),
            ty => self.picker(owner, &function, &pick(ty), ty, &field.doc),
        }
    }

    /// `pick` is a Rust closure from the owner to an `Option` of a reference to the part.
    pub(super) fn picker(
        &mut self,
        owner: &str,
        function: &str,
        pick: &str,
        ty: &Ty,
        doc: &str,
    ) -> Result<()> {
        let me = snake(owner);
        let mut parameters = vec![(me.clone(), format!("*const {}", c_name(owner)))];
        match ty {
            Ty::Option(inner) if is_plain(inner) => {
                parameters.push(("out".to_owned(), format!("*mut {}", outward(inner)?)));
                let doc = format!("{doc}\nFalse, and `out` untouched, when there is none.");
                self.function(
                    function,
                    &doc,
                    &parameters,
                    Some("bool"),
                    &format!("get_into({me}, {pick}, out)"),
                )
            }
            ty => {
                let (ty, doc) = match ty {
                    Ty::Option(inner) => (
                        &**inner,
                        format!("{doc}\nNULL when there is none. Borrowed from `{me}`."),
                    ),
                    ty if is_plain(ty) => (ty, doc.to_owned()),
                    ty => (ty, format!("{doc}\nBorrowed from `{me}`.")),
                };
                self.function(
                    function,
                    &doc,
                    &parameters,
                    Some(&outward(ty)?),
                    &format!("get({me}, {pick})"),
                )
            }
        }
    }

    fn list_accessors(
        &mut self,
        owner: &str,
        function: &str,
        place: &str,
        inner: &Ty,
        doc: &str,
    ) -> Result<()> {
        let me = snake(owner);
        let owner = (me.clone(), format!("*const {}", c_name(owner)));
        let count = format!("len({me}, |value| {place}.len())");
        let first = doc.lines().next().unwrap_or_default();
        let count_doc = format!("{doc}\nHow many there are.");
        self.function(
            &format!("{function}_len"),
            &count_doc,
            std::slice::from_ref(&owner),
            Some("usize"),
            &count,
        )?;
        let at = format!("get({me}, |value| {place}.get(index))");
        let at_doc = format!("{first}\nOne of them, borrowed from `{me}`; nothing past the end.");
        let parameters = [owner, ("index".to_owned(), "usize".to_owned())];
        self.function(
            &format!("{function}_at"),
            &at_doc,
            &parameters,
            Some(&outward(inner)?),
            &at,
        )
    }

    fn maker(&mut self, record: &Record) -> Result<()> {
        let c = c_name(&record.name);
        let (mut parameters, mut fields) = (Vec::new(), String::new());
        for field in &record.fields {
            let value = if field.required {
                let inward = inward(field)?;
                parameters.extend(inward.parameters);
                inward.expression
            } else {
                "Default::default()".to_owned()
            };
            fields += &initialiser(&field.name, &value);
        }
        parameters.push(("out".to_owned(), format!("*mut *mut {c}")));
        let doc = format!("Makes one with its defaults; free it with `{c}_free`.");
        let body = format!(
            "put(out, || Ok(::keyplate::{} {{ {fields} }}))",
            record.name
        );
        self.fallible(&format!("{c}_new"), &doc, &parameters, &body)
    }

    fn setter(&mut self, record: &Record, field: &Field) -> Result<()> {
        if matches!(field.ty.leaf(), Ty::Trait(_)) {
            return Ok(()); // By hand: ffi/src/events.rs, ffi/src/time_source.rs.
        }
        let (me, name) = (snake(&record.name), &field.name);
        let value = |ty: &Ty| Field {
            name: "value".to_owned(),
            ty: ty.clone(),
            required: true,
            by_ref: false,
            doc: String::new(),
        };
        let (verb, ty, doc) = match &field.ty {
            Ty::List(inner) => (
                "add",
                &**inner,
                format!("{}\nAdds one; the value is copied.", field.doc),
            ),
            Ty::Option(inner) if is_plain(inner) => ("set", &**inner, field.doc.clone()),
            Ty::Option(_) => (
                "set",
                &field.ty,
                format!("{}\nThe value is copied; NULL for none.", field.doc),
            ),
            ty if is_plain(ty) => ("set", ty, field.doc.clone()),
            ty => ("set", ty, format!("{}\nThe value is copied.", field.doc)),
        };
        let inward = inward(&value(ty))?;
        let expression = &inward.expression;
        let change = match &field.ty {
            Ty::List(_) => format!("{me}.{name}.push({expression})"),
            Ty::Option(inner) if is_plain(inner) => format!("{me}.{name} = Some({expression})"),
            _ => format!("{me}.{name} = {expression}"),
        };
        let mut parameters = vec![(me.clone(), format!("*mut {}", c_name(&record.name)))];
        parameters.extend(inward.parameters);
        let body = format!("{{ let {me} = borrow_mut({me}, {me:?})?; {change}; Ok(()) }}");
        self.fallible(
            &format!("{}_{verb}_{name}", c_name(&record.name)),
            &doc,
            &parameters,
            &body,
        )
    }

    /// A list of records that a method gives.
    pub(super) fn list(&mut self, record: &str) -> Result<()> {
        let item = c_name(record);
        let list = format!("{item}_list");
        self.opaque_list(record)?;
        let owner = ("list".to_owned(), format!("*const {list}"));
        self.function(
            &format!("{list}_len"),
            "How many there are.",
            std::slice::from_ref(&owner),
            Some("usize"),
            "len(list, Vec::len)",
        )?;
        let index = ("index".to_owned(), "usize".to_owned());
        let doc = "One of them, borrowed from `list`; NULL past the end.";
        self.function(
            &format!("{list}_at"),
            doc,
            &[owner, index],
            Some(&format!("*const {item}")),
            "item(list, index)",
        )
    }

    fn opaque_list(&mut self, record: &str) -> Result<()> {
        let core = format!("Vec<::keyplate::{record}>");
        self.opaque(
            &format!("{record}List"),
            &core,
            &format!("A list of `{}`.", c_name(record)),
        )
    }
}
