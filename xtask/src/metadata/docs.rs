//! All documentation that some face shows.

use uniffi_meta::{FieldMetadata, Metadata};

use crate::facade::Doc;

/// The documentation of an item and of all its parts.
pub(super) fn docs(item: &Metadata) -> Vec<Doc> {
    let mut docs = Vec::new();
    match item {
        Metadata::Object(item) => add(&mut docs, item.name.clone(), &item.docstring),
        Metadata::CustomType(item) => add(&mut docs, item.name.clone(), &item.docstring),
        Metadata::Constructor(item) => {
            add_part(&mut docs, &item.self_name, &item.name, &item.docstring);
        }
        Metadata::Method(item) => add_part(&mut docs, &item.self_name, &item.name, &item.docstring),
        Metadata::TraitMethod(item) => {
            add_part(&mut docs, &item.trait_name, &item.name, &item.docstring);
        }
        Metadata::Record(item) => {
            add(&mut docs, item.name.clone(), &item.docstring);
            add_fields(&mut docs, &item.name, &item.fields);
        }
        Metadata::Enum(item) => {
            add(&mut docs, item.name.clone(), &item.docstring);
            for variant in &item.variants {
                add_part(&mut docs, &item.name, &variant.name, &variant.docstring);
                let owner = format!("{}.{}", item.name, variant.name);
                add_fields(&mut docs, &owner, &variant.fields);
            }
        }
        _ => {}
    }
    docs
}

fn add(docs: &mut Vec<Doc>, name: String, doc: &Option<String>) {
    docs.extend(doc.clone().map(|text| Doc { of: name, text }));
}

fn add_part(docs: &mut Vec<Doc>, owner: &str, name: &str, doc: &Option<String>) {
    add(docs, format!("{owner}.{name}"), doc);
}

fn add_fields(docs: &mut Vec<Doc>, owner: &str, fields: &[FieldMetadata]) {
    for field in fields {
        add_part(docs, owner, &field.name, &field.docstring);
    }
}

#[cfg(test)]
mod tests {
    use uniffi_meta::{RecordMetadata, Type};

    use super::*;

    #[test]
    fn a_record_and_its_fields_are_documented() {
        let field = FieldMetadata {
            name: "id".into(),
            orig_name: None,
            ty: Type::String,
            default: None,
            docstring: Some("Which one.".into()),
        };
        let record = Metadata::Record(RecordMetadata {
            module_path: "keyplate::users".into(),
            name: "User".into(),
            orig_name: None,
            remote: false,
            fields: vec![field],
            docstring: Some("Somebody.".into()),
        });
        let found: Vec<(String, String)> = docs(&record)
            .into_iter()
            .map(|doc| (doc.of, doc.text))
            .collect();
        let expected = [("User", "Somebody."), ("User.id", "Which one.")];
        assert_eq!(
            found,
            expected.map(|(of, text)| (of.to_owned(), text.to_owned()))
        );
    }
}
