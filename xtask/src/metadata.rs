//! Reads the facade from the metadata that UniFFI leaves in the binding library.

mod docs;
mod nouns;

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use camino::Utf8Path;
use uniffi_meta::{
    ConstructorMetadata, EnumMetadata, EnumShape, FieldMetadata, FnParamMetadata, LiteralMetadata,
    Metadata, MethodMetadata, ObjectMetadata, RecordMetadata, Type,
};

use crate::facade::{Code, Enum, Facade, Field, Method, Named, Record, Ty, Variant};
use nouns::noun;

/// The object that all methods belong to.
pub(crate) const HANDLE: &str = "Keyplate";

/// Reads the facade that `library` was built from.
pub(crate) fn read(library: &Utf8Path) -> Result<Facade> {
    let mut items = uniffi_bindgen::macro_metadata::extract_from_library(library)?;
    nouns::sort(&mut items);
    let reader = Reader {
        unions: unions(&items),
    };
    let mut facade = Facade::default();
    for item in items {
        facade.docs.extend(docs::docs(&item));
        reader.add(&mut facade, item)?;
    }
    mark_directions(&mut facade);
    Ok(facade)
}

fn unions(items: &[Metadata]) -> BTreeSet<String> {
    let has_data = |item: &EnumMetadata| {
        item.variants
            .iter()
            .any(|variant| !variant.fields.is_empty())
    };
    let name = |item: &Metadata| match item {
        Metadata::Enum(item) if has_data(item) => Some(item.name.clone()),
        _ => None,
    };
    items.iter().filter_map(name).collect()
}

struct Reader {
    /// The enums with data; the type alone does not tell them from the others.
    unions: BTreeSet<String>,
}

impl Reader {
    fn add(&self, facade: &mut Facade, item: Metadata) -> Result<()> {
        match item {
            Metadata::CustomType(id) => facade.ids.push(id.name),
            Metadata::Record(record) => facade.records.push(self.record(record)?),
            Metadata::Enum(item) if item.name == "ErrorCode" => facade.codes = codes(item)?,
            Metadata::Enum(item) => match item.shape {
                EnumShape::Enum => facade.enums.push(self.enumeration(item)?),
                EnumShape::Error { .. } => {
                    ensure!(
                        facade.error.name.is_empty(),
                        "a second error type, {}: there is one",
                        item.name
                    );
                    facade.error = self.enumeration(item)?;
                }
            },
            Metadata::Object(object) => add_object(facade, object),
            Metadata::Constructor(item) if item.self_name == HANDLE => {
                facade.methods.push(self.constructor(item)?)
            }
            Metadata::Method(item) if item.self_name == HANDLE => {
                facade.methods.push(self.method(item)?)
            }
            Metadata::Method(item)
                if !["Secret", "KeyplateError"].contains(&item.self_name.as_str()) =>
            {
                bail!(
                    "{}.{}: only Keyplate has methods that every face carries",
                    item.self_name,
                    item.name
                )
            }
            Metadata::TraitMethod(item) => {
                let inputs = self.parameters(&item.name, item.inputs)?;
                facade
                    .heard
                    .extend(inputs.into_iter().map(|input| input.ty));
            }
            Metadata::Func(item) => bail!(
                "{}: a function outside Keyplate; make it a method",
                item.name
            ),
            Metadata::CallbackInterface(item) => {
                bail!("{}: export the trait `with_foreign`", item.name)
            }
            _ => {}
        }
        Ok(())
    }

    fn record(&self, item: RecordMetadata) -> Result<Record> {
        Ok(Record {
            noun: noun(&item.module_path, &item.name),
            fields: self.fields(&item.name, item.fields)?,
            name: item.name,
            doc: item.docstring.unwrap_or_default(),
            is_input: false,
            is_output: false,
        })
    }

    fn enumeration(&self, item: EnumMetadata) -> Result<Enum> {
        let mut variants = Vec::new();
        for variant in item.variants {
            variants.push(Variant {
                fields: self.fields(&format!("{}::{}", item.name, variant.name), variant.fields)?,
                name: variant.name,
                number: 0, // Until `Numbers::assign`.
                doc: variant.docstring.unwrap_or_default(),
            });
        }
        Ok(Enum {
            name: item.name,
            variants,
            doc: item.docstring.unwrap_or_default(),
            non_exhaustive: item.non_exhaustive,
            is_input: false,
        })
    }

    fn constructor(&self, item: ConstructorMetadata) -> Result<Method> {
        ensure!(
            item.throws.is_some() && !item.is_async,
            "{}: must return a Result and block",
            item.name
        );
        Ok(Method {
            inputs: self.parameters(&item.name, item.inputs)?,
            noun: noun(&item.module_path, &item.name),
            name: item.name,
            output: Some(Ty::Object(HANDLE.to_owned())),
            doc: item.docstring.unwrap_or_default(),
            is_constructor: true,
        })
    }

    fn method(&self, item: MethodMetadata) -> Result<Method> {
        ensure!(
            item.throws.is_some() && !item.is_async,
            "{}: must return a Result and block",
            item.name
        );
        let output = item.return_type.map(|ty| self.ty(&ty)).transpose();
        Ok(Method {
            inputs: self.parameters(&item.name, item.inputs)?,
            output: output.with_context(|| format!("the result of {}", item.name))?,
            noun: noun(&item.module_path, &item.name),
            name: item.name,
            doc: item.docstring.unwrap_or_default(),
            is_constructor: false,
        })
    }

    fn fields(&self, owner: &str, fields: Vec<FieldMetadata>) -> Result<Vec<Field>> {
        let read = |field: FieldMetadata| {
            Ok(Field {
                ty: self
                    .ty(&field.ty)
                    .with_context(|| format!("{owner}.{}", field.name))?,
                name: field.name,
                required: field.default.is_none(),
                by_ref: false,
                doc: field.docstring.unwrap_or_default(),
            })
        };
        fields.into_iter().map(read).collect()
    }

    fn parameters(&self, owner: &str, inputs: Vec<FnParamMetadata>) -> Result<Vec<Field>> {
        let read = |input: FnParamMetadata| {
            Ok(Field {
                ty: self
                    .ty(&input.ty)
                    .with_context(|| format!("{owner}({})", input.name))?,
                name: input.name,
                required: true,
                by_ref: input.by_ref,
                doc: String::new(),
            })
        };
        inputs.into_iter().map(read).collect()
    }

    fn ty(&self, ty: &Type) -> Result<Ty> {
        Ok(match ty {
            Type::String => Ty::Text,
            Type::Bytes => Ty::Bytes,
            Type::Boolean => Ty::Bool,
            Type::Int64 => Ty::Int("i64"),
            Type::Timestamp => Ty::Time,
            Type::Duration => Ty::Duration,
            Type::Record { name, .. } => Ty::Record(name.clone()),
            Type::Enum { name, .. } if self.unions.contains(name) => Ty::Union(name.clone()),
            Type::Enum { name, .. } => Ty::Choice(name.clone()),
            Type::Object { name, imp, .. } if imp.is_trait_interface() => Ty::Trait(name.clone()),
            Type::Object { name, .. } => Ty::Object(name.clone()),
            Type::Custom { name, builtin, .. } if **builtin == Type::String => Ty::Id(name.clone()),
            Type::Optional { inner_type } => Ty::Option(Box::new(self.ty(inner_type)?)),
            Type::Sequence { inner_type } => Ty::List(Box::new(self.ty(inner_type)?)),
            Type::UInt8
            | Type::Int8
            | Type::UInt16
            | Type::Int16
            | Type::UInt32
            | Type::Int32
            | Type::UInt64 => {
                bail!("numbers of the facade are i64: unsigned ones hide constructors from Java")
            }
            other => bail!("no face knows how to carry {other:?}"),
        })
    }
}

fn add_object(facade: &mut Facade, item: ObjectMetadata) {
    let is_trait = item.imp.is_trait_interface();
    let named = Named {
        noun: noun(&item.module_path, &item.name),
        name: item.name,
        doc: item.docstring.unwrap_or_default(),
    };
    if is_trait {
        facade.traits.push(named);
    } else {
        facade.objects.push(named);
    }
}

fn codes(item: EnumMetadata) -> Result<Vec<Code>> {
    let mut codes = Vec::new();
    for variant in item.variants {
        let number = match variant.discr {
            Some(LiteralMetadata::Int(number, ..)) => number,
            Some(LiteralMetadata::UInt(number, ..)) => i64::try_from(number)?,
            other => bail!(
                "ErrorCode::{} has no fixed number ({other:?})",
                variant.name
            ),
        };
        codes.push(Code {
            name: variant.name,
            number,
            doc: variant.docstring.unwrap_or_default(),
        });
    }
    Ok(codes)
}

/// Marks what goes in and what comes out, directly or inside something else.
fn mark_directions(facade: &mut Facade) {
    let inputs = facade
        .methods
        .iter()
        .flat_map(|method| method.inputs.iter().map(|input| input.ty.clone()));
    let inputs = reach(facade, inputs.collect());
    let heard = facade.heard.iter().cloned();
    let outputs = facade
        .methods
        .iter()
        .filter_map(|method| method.output.clone())
        .chain(heard);
    let outputs = reach(facade, outputs.collect());
    for record in &mut facade.records {
        record.is_input = inputs.contains(&record.name);
        record.is_output = outputs.contains(&record.name);
    }
    for item in &mut facade.enums {
        item.is_input = inputs.contains(&item.name);
    }
}

/// The names of all records and enums that can be reached from these types.
fn reach(facade: &Facade, mut todo: Vec<Ty>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    while let Some(ty) = todo.pop() {
        match ty.leaf() {
            Ty::Record(name) if names.insert(name.clone()) => {
                todo.extend(
                    facade
                        .record(name)
                        .fields
                        .iter()
                        .map(|field| field.ty.clone()),
                );
            }
            Ty::Choice(name) | Ty::Union(name) => drop(names.insert(name.clone())),
            _ => {}
        }
    }
    names
}
