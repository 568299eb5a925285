//! Classes: ids, choices, unions, opaque objects and frozen records, each with its way from core and back.

use anyhow::Result;

use super::signature::{Signature, argument_type, attribute, rust_type};
use crate::{
    facade::{Enum, Facade, Field, Named, Record, Ty, Variant},
    names::rust_doc,
};

pub(super) fn id(name: &str) -> String {
    format!(
        "
        impl Give<Id> for ::keyplate::{name} {{
            fn give(self) -> Id {{ Id::new(self.as_str()) }}
        }}
        impl Take<::keyplate::{name}> for Id {{
            fn take(self, name: &str) -> PyResult<::keyplate::{name}> {{
                self.parse(name, ::keyplate::{name}::parse)
            }}
        }}
        "
    )
}

/// An object without methods: it is only handed back.
pub(super) fn object(object: &Named) -> String {
    let (name, doc) = (&object.name, rust_doc(&object.doc));
    format!(
        "
        {doc}#[pyclass(frozen, from_py_object, module = \"keyplate\")]
        #[derive(Clone, Debug)]
        pub(crate) struct {name}(Arc<::keyplate::{name}>);
        impl PartialEq for {name} {{
            fn eq(&self, other: &Self) -> bool {{ Arc::ptr_eq(&self.0, &other.0) }}
        }}
        impl Give<{name}> for Arc<::keyplate::{name}> {{
            fn give(self) -> {name} {{ {name}(self) }}
        }}
        impl Take<Arc<::keyplate::{name}>> for {name} {{
            fn take(self, _: &str) -> PyResult<Arc<::keyplate::{name}>> {{ Ok(self.0) }}
        }}
        "
    )
}

/// An enum without data. Its class is Python's own; see `choices.rs` of the package.
pub(super) fn choice(item: &Enum) -> String {
    let name = &item.name;
    let each =
        |form: &dyn Fn(&Variant) -> String| item.variants.iter().map(form).collect::<String>();
    format!(
        "
        {doc}#[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum {name} {{ {variants} }}
        impl Choice for {name} {{
            const NAME: &'static str = {name:?};
            const NUMBERS: &'static [i32] = &[{numbers}];
            const VARIANTS: &'static [Self] = &[{all}];
            fn place(self) -> usize {{ self as usize }}
            fn cache() -> &'static Members {{
                static MEMBERS: Members = Members::new();
                &MEMBERS
            }}
        }}
        impl Give<{name}> for ::keyplate::{name} {{
            fn give(self) -> {name} {{ match self {{ {give} {rest} }} }}
        }}
        impl Take<::keyplate::{name}> for {name} {{
            fn take(self, _: &str) -> PyResult<::keyplate::{name}> {{ Ok(match self {{ {take} }}) }}
        }}
        impl<'py> IntoPyObject<'py> for {name} {{
            type Target = PyAny;
            type Output = Bound<'py, PyAny>;
            type Error = PyErr;
            fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {{ to_member(py, self) }}
        }}
        impl<'a, 'py> FromPyObject<'a, 'py> for {name} {{
            type Error = PyErr;
            fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {{ from_member(value) }}
        }}
        ",
        doc = rust_doc(&item.doc),
        variants = each(&|variant| format!("{},\n", variant.name)),
        numbers = each(&|variant| format!("{}, ", variant.number)),
        all = each(&|variant| format!("Self::{}, ", variant.name)),
        give = each(&|variant| format!("Self::{0} => {name}::{0},\n", variant.name)),
        take = each(&|variant| format!("{name}::{0} => ::keyplate::{name}::{0},\n", variant.name)),
        rest = rest(item),
    )
}

/// The arm for variants of a later core, which this face was not built with.
fn rest(item: &Enum) -> &'static str {
    if item.non_exhaustive {
        "_ => unreachable!(\"this face was generated from this core\"),"
    } else {
        ""
    }
}

pub(super) fn union(item: &Enum) -> Result<String> {
    let name = &item.name;
    let (mut variants, mut give, mut take) = (String::new(), String::new(), String::new());
    for variant in &item.variants {
        let own: String = variant
            .fields
            .iter()
            .map(|field| {
                Ok(format!(
                    "{}: {}, ",
                    field.name,
                    member_type(item, &field.ty)?
                ))
            })
            .collect::<Result<_>>()?;
        variants += &format!("{}{} {{ {own} }},\n", rust_doc(&variant.doc), variant.name);
        let names = pattern(&variant.fields);
        let build = |form: fn(&Field) -> String| -> String {
            if variant.fields.is_empty() {
                return String::new();
            }
            format!(
                "{{ {} }}",
                variant.fields.iter().map(form).collect::<String>()
            )
        };
        let ours = |field: &Field| format!("{0}: {0}.give(), ", field.name);
        // Named after the argument, as core does.
        let theirs = |field: &Field| format!("{0}: {0}.take(name)?, ", field.name);
        give += &format!(
            "Self::{0} {names} => {name}::{0} {{ {1} }},\n",
            variant.name,
            unbraced(&build(ours))
        );
        take += &format!(
            "Self::{0} {{ {1} }} => ::keyplate::{name}::{0} {2},\n",
            variant.name,
            unbraced(&names),
            build(theirs)
        );
    }
    let mut out = format!(
        "
        {doc}#[pyclass(frozen, eq, from_py_object, module = \"keyplate\")]
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) enum {name} {{ {variants} }}
        impl Give<{name}> for ::keyplate::{name} {{
            fn give(self) -> {name} {{ match self {{ {give} {rest} }} }}
        }}
        #[pymethods]
        impl {name} {{
            fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {{ repr(slf.as_any()) }}
            fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py>> {{ reduce(slf.as_any()) }}
        }}
        ",
        doc = rust_doc(&item.doc),
        rest = rest(item),
    );
    if item.is_input {
        out += &format!(
            "
            impl Take<::keyplate::{name}> for {name} {{
                fn take(self, name: &str) -> PyResult<::keyplate::{name}> {{ Ok(match self {{ {take} }}) }}
            }}
            "
        );
    }
    Ok(out)
}

/// The type of a variant's field: a union that goes in is made in Python, like an argument.
fn member_type(item: &Enum, ty: &Ty) -> Result<String> {
    if item.is_input {
        argument_type(ty)
    } else {
        rust_type(ty)
    }
}

/// The fields as a pattern; nothing for a variant without.
fn pattern(fields: &[Field]) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    format!("{{ {} }}", names.join(", "))
}

fn unbraced(text: &str) -> &str {
    text.trim_start_matches('{').trim_end_matches('}')
}

pub(super) fn record(record: &Record) -> Result<String> {
    let name = &record.name;
    let (mut fields, mut give, mut names) = (String::new(), String::new(), Vec::new());
    for field in &record.fields {
        fields += &format!(
            "{}pub(crate) {}: {},\n",
            rust_doc(&field.doc),
            field.name,
            rust_type(&field.ty)?
        );
        give += &format!("{0}: self.{0}.give(), ", field.name);
        names.push(format!("{:?}", field.name));
    }
    let constructor = if record.is_input {
        constructor(record)?
    } else {
        String::new()
    };
    let mut out = format!(
        "
        {doc}#[pyclass(frozen, get_all, eq, from_py_object, module = \"keyplate\")]
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) struct {name} {{ {fields} }}
        impl Give<{name}> for ::keyplate::{name} {{
            fn give(self) -> {name} {{ {name} {{ {give} }} }}
        }}
        #[pymethods]
        impl {name} {{
            {constructor}
            #[classattr]
            fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {{ PyTuple::new(py, [{names}]) }}
            fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {{ repr(slf.as_any()) }}
        }}
        ",
        doc = rust_doc(&record.doc),
        names = names.join(", "),
    );
    if record.is_input {
        let take: String = record
            .fields
            .iter()
            .map(|field| format!("{0}: self.{0}.take({0:?})?, ", field.name))
            .collect();
        out += &format!(
            "
            impl Take<::keyplate::{name}> for {name} {{
                fn take(self, _: &str) -> PyResult<::keyplate::{name}> {{ Ok(::keyplate::{name} {{ {take} }}) }}
            }}
            "
        );
    }
    Ok(out)
}

/// For a record that goes in as an object, since it comes out or stands in a list too.
fn constructor(record: &Record) -> Result<String> {
    let arguments = Signature::of_fields(&record.fields)?;
    let parameters: Vec<String> = arguments
        .iter()
        .map(|argument| format!("{}: {}", argument.name, argument.rust))
        .collect();
    let names: Vec<&str> = record
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    Ok(format!(
        "#[new]
        {attribute}
        fn new({parameters}) -> Self {{ Self {{ {names} }} }}",
        attribute = attribute(&arguments, ""),
        parameters = parameters.join(", "),
        names = names.join(", "),
    ))
}

/// The function that puts all classes and functions into the module.
pub(super) fn registration(facade: &Facade) -> String {
    let by_hand = |name: &str| super::BY_HAND.contains(&name);
    let unions = facade.enums.iter().filter(|item| !item.is_choice());
    let mut names: Vec<&str> = unions.map(|item| item.name.as_str()).collect();
    names.extend(
        facade
            .objects
            .iter()
            .map(|object| object.name.as_str())
            .filter(|name| !by_hand(name)),
    );
    let records = facade.records.iter().map(|record| record.name.as_str());
    names.extend(records.filter(|name| !facade.is_flat(name)));
    let classes: String = names
        .iter()
        .map(|name| format!("module.add_class::<{name}>()?;\n"))
        .collect();
    let functions: String = facade
        .constructor()
        .map(|method| {
            format!(
                "module.add_function(wrap_pyfunction!({}, module)?)?;\n",
                method.name
            )
        })
        .collect();
    format!(
        "
        /// Puts everything of this file into the module.
        pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {{
            {classes}{functions}
            Ok(())
        }}
        "
    )
}
