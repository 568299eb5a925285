//! Methods, and the function that opens a database.

use anyhow::Result;

use super::signature::{Signature, attribute};
use crate::{
    facade::{Facade, Field, Method, Ty},
    names::rust_doc,
};

/// What `handle.rs` has by hand; PyO3 wants all methods of a class in one block.
const HANDLE: &str = "
    /// Lets go of the handle; further calls raise `ValueError`. The database is closed with the last handle that came
    /// from one `open`.
    fn close(&self, py: Python<'_>) { self.let_go(py); }
    fn __enter__(slf: Py<Self>) -> Py<Self> { slf }
    fn __exit__(
        &self,
        py: Python<'_>,
        _exc_type: &Bound<'_, PyAny>,
        _exc_value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) { self.let_go(py); }
    fn __repr__(&self) -> &'static str { self.shown_state() }
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> { self.traverse(&visit) }
    fn __clear__(&self) { self.clear(); }
";

pub(super) fn rust(facade: &Facade) -> Result<String> {
    let mut methods = String::new();
    for item in facade.methods.iter().filter(|item| !item.is_constructor) {
        methods += &method(facade, item)?;
    }
    let mut out = format!("\n#[pymethods]\nimpl Keyplate {{ {HANDLE} {methods} }}\n");
    for item in facade.constructor() {
        out += &constructor(facade, item)?;
    }
    Ok(out)
}

fn method(facade: &Facade, method: &Method) -> Result<String> {
    let signature = Signature::of(facade, method)?;
    Ok(format!(
        "
        {doc}{attribute}
        fn {name}(&self, py: Python<'_>, {parameters}) -> PyResult<{result}> {{
            {inputs}
            self.{way}(py, |kp| kp.{name}({arguments}))
        }}
        ",
        doc = rust_doc(&method.doc),
        attribute = attribute(&signature.arguments, "$self, "),
        name = method.name,
        parameters = parameters(&signature),
        result = signature.result.0,
        inputs = inputs(facade, method),
        way = match method.output == Some(Ty::Object("Keyplate".to_owned())) {
            true => "derive",
            false => "call",
        },
        arguments = arguments(method),
    ))
}

fn constructor(facade: &Facade, method: &Method) -> Result<String> {
    let signature = Signature::of(facade, method)?;
    Ok(format!(
        "
        {doc}#[pyfunction]
        {attribute}
        fn {name}(py: Python<'_>, {parameters}) -> PyResult<Keyplate> {{
            let functions = Share::new([{functions}]);
            {inputs}
            open_with(py, functions, || ::keyplate::Keyplate::{name}({arguments}))
        }}
        ",
        doc = rust_doc(&method.doc),
        attribute = attribute(&signature.arguments, ""),
        name = method.name,
        parameters = parameters(&signature),
        functions = functions(&signature),
        inputs = inputs(facade, method),
        arguments = arguments(method),
    ))
}

/// The arguments that are functions of the host's: the garbage collector must see what core holds.
fn functions(signature: &Signature) -> String {
    let of_host = signature
        .arguments
        .iter()
        .filter_map(|argument| Some((&argument.name, argument.rust.strip_prefix("Option<Py")?)))
        .map(|(name, ty)| {
            format!(
                "{name}.as_ref().map(Py{}::slot), ",
                ty.trim_end_matches('>')
            )
        });
    of_host.collect()
}

fn parameters(signature: &Signature) -> String {
    let form =
        |argument: &super::signature::Argument| format!("{}: {}", argument.name, argument.rust);
    signature
        .arguments
        .iter()
        .map(form)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Statements that make core's inputs of the Python arguments.
fn inputs(facade: &Facade, method: &Method) -> String {
    let mut out = String::new();
    for input in &method.inputs {
        let name = &input.name;
        out += &match &input.ty {
            Ty::Record(record) if facade.is_flat(record) => {
                let opens = |field: &Field| {
                    method.is_constructor && field.name == facade.record(record).fields[0].name
                };
                let field = |field: &Field| match field.ty {
                    _ if opens(field) => format!("{0}: {0}.take({0:?})?, ", field.name),
                    Ty::Text | Ty::Bool | Ty::Int(_) => format!("{}, ", field.name),
                    _ => format!("{0}: {0}.take({0:?})?, ", field.name),
                };
                let fields: String = facade.record(record).fields.iter().map(field).collect();
                format!("let {name} = ::keyplate::{record} {{ {fields} }};\n")
            }
            Ty::Text | Ty::Bool | Ty::Int(_) => String::new(),
            ty => format!("let {name}: {} = {name}.take({name:?})?;\n", core_type(ty)),
        };
    }
    out
}

/// The type as core has it; it tells `Take` what to make.
fn core_type(ty: &Ty) -> String {
    match ty {
        Ty::Id(name) | Ty::Choice(name) | Ty::Union(name) | Ty::Record(name) => {
            format!("::keyplate::{name}")
        }
        Ty::Object(name) => format!("Arc<::keyplate::{name}>"),
        Ty::Option(inner) => format!("Option<{}>", core_type(inner)),
        Ty::List(inner) => format!("Vec<{}>", core_type(inner)),
        ty => ty.rust(),
    }
}

fn arguments(method: &Method) -> String {
    let form = |input: &Field| match input.ty {
        Ty::Text => input.name.clone(), // `&str` where core borrows it.
        _ if input.by_ref => format!("&{}", input.name),
        _ => input.name.clone(),
    };
    method
        .inputs
        .iter()
        .map(form)
        .collect::<Vec<_>>()
        .join(", ")
}
