//! C functions and their names: C has one name space for functions, types and constants.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use super::Writer;
use crate::names::rust_doc;

/// A parameter: its name and its Rust type.
pub(super) type Parameter = (String, String);

/// Every name of the header, and what it was made for.
#[derive(Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// The names that the hand-written sources take.
    pub(super) fn of_sources(sources: &[String]) -> Result<Self> {
        let mut names = Self::default();
        let starts = [
            "pub struct ",
            "pub type ",
            "pub extern \"C\" fn ",
            "pub unsafe extern \"C\" fn ",
        ];
        for line in sources.iter().flat_map(|source| source.lines()) {
            let item = starts.iter().find_map(|start| line.strip_prefix(start));
            let name = item.and_then(|item| {
                item.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                    .next()
            });
            if let Some(name) = name.filter(|name| name.starts_with("keyplate")) {
                names.claim(name, "the C face by hand")?;
            }
        }
        Ok(names)
    }

    /// Takes a name; fails when it is taken.
    pub(super) fn claim(&mut self, name: &str, what: &str) -> Result<()> {
        let earlier = self.0.insert(name.to_owned(), what.to_owned());
        let earlier = earlier.unwrap_or_default();
        ensure!(
            earlier.is_empty(),
            "the C name {name} would be {earlier} and {what}: C has one name space"
        );
        Ok(())
    }
}

impl Writer<'_> {
    /// One exported function that no argument makes unsafe.
    pub(super) fn safe_function(
        &mut self,
        name: &str,
        doc: &str,
        (parameter, ty): (&str, &str),
        result: &str,
        body: &str,
    ) -> Result<()> {
        self.names.claim(name, "a function")?;
        self.out += &format!(
            "
            {doc}#[unsafe(no_mangle)]
            pub extern \"C\" fn {name}({parameter}: {ty}) -> {result} {{ {body} }}
            ",
            doc = rust_doc(doc),
        );
        Ok(())
    }

    /// One exported function. `body` is Rust, run inside `unsafe`.
    pub(super) fn function(
        &mut self,
        name: &str,
        doc: &str,
        parameters: &[Parameter],
        result: Option<&str>,
        body: &str,
    ) -> Result<()> {
        self.names.claim(name, "a function")?;
        let mut seen = BTreeSet::new();
        for (parameter, _) in parameters {
            ensure!(
                seen.insert(parameter),
                "{name}: two parameters called {parameter}"
            );
        }
        let list: Vec<String> = parameters
            .iter()
            .map(|(name, ty)| format!("{name}: {ty}"))
            .collect();
        let result = result.map_or(String::new(), |ty| format!(" -> {ty}"));
        self.out += &format!(
            "
            {doc}#[unsafe(no_mangle)]
            pub unsafe extern \"C\" fn {name}({list}){result} {{
                // SAFETY: each pointer is NULL or what docs/c-api.md says.
                unsafe {{ {body} }}
            }}
            ",
            doc = rust_doc(doc),
            list = list.join(", "),
        );
        Ok(())
    }

    /// A function that may fail: a status, and an error at the end. `body` is a `Result<(), Failure>`.
    pub(super) fn fallible(
        &mut self,
        name: &str,
        doc: &str,
        parameters: &[Parameter],
        body: &str,
    ) -> Result<()> {
        let mut parameters = parameters.to_vec();
        parameters.push(("error".to_owned(), "*mut *mut keyplate_error".to_owned()));
        let body = format!("guard(error, || {body})");
        self.function(name, doc, &parameters, Some("keyplate_status"), &body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_equal_c_names_are_refused() {
        let by_hand = ["pub struct keyplate_secret {".to_owned()];
        let mut names = Names::of_sources(&by_hand).unwrap();
        let error = names.claim("keyplate_secret", "a function").unwrap_err();
        assert!(error.to_string().contains("the C name keyplate_secret"));
    }
}
