//! A method's arguments as Python has them: inputs flattened to keywords, with defaults.

use anyhow::{Result, bail};

use crate::facade::{Facade, Field, Method, Ty};

/// The width that Python sources are broken at.
const WIDTH: usize = 100;

pub(super) struct Argument {
    pub(super) name: String,
    /// The type in `generated.rs`.
    pub(super) rust: String,
    /// The type in the stubs.
    pub(super) hint: String,
    /// The default, as Rust and as Python write it.
    pub(super) default: Option<(&'static str, &'static str)>,
    pub(super) keyword_only: bool,
    pub(super) doc: String,
}

pub(super) struct Signature {
    pub(super) arguments: Vec<Argument>,
    /// The result's type in `generated.rs`, and in the stubs.
    pub(super) result: (String, String),
}

impl Signature {
    pub(super) fn of(facade: &Facade, method: &Method) -> Result<Self> {
        let mut arguments = Vec::new();
        for input in &method.inputs {
            match &input.ty {
                Ty::Record(name) if facade.is_flat(name) => {
                    for (index, field) in facade.record(name).fields.iter().enumerate() {
                        // `keyplate.open(path, origin=...)`: what a file is opened by comes without a keyword.
                        let opens = method.is_constructor && index == 0;
                        let mut argument = argument(field, !opens)?;
                        if opens {
                            argument.rust = "PathText".to_owned();
                            argument.hint = "str | os.PathLike[str]".to_owned();
                        }
                        arguments.push(argument);
                    }
                }
                _ => arguments.push(argument(input, false)?),
            }
        }
        // A keyword without a default may follow one that has it, but reads badly.
        arguments.sort_by_key(|argument| (argument.keyword_only, argument.default.is_some()));
        let result = match &method.output {
            Some(ty) => (rust_type(ty)?, hint(ty, false)?),
            None => ("()".to_owned(), "None".to_owned()),
        };
        Ok(Self { arguments, result })
    }

    /// The keyword arguments of a record's own constructor.
    pub(super) fn of_fields(fields: &[Field]) -> Result<Vec<Argument>> {
        let mut arguments: Vec<Argument> = fields
            .iter()
            .map(|field| argument(field, true))
            .collect::<Result<_>>()?;
        arguments.sort_by_key(|argument| argument.default.is_some());
        Ok(arguments)
    }
}

/// The `#[pyo3(...)]` attribute that gives Rust arguments their Python form. `receiver` is `$self, ` or nothing.
pub(super) fn attribute(arguments: &[Argument], receiver: &str) -> String {
    let list = |pick: fn(&(&'static str, &'static str)) -> &'static str| {
        let form = |argument: &Argument| match &argument.default {
            Some(default) => format!("{}={}", argument.name, pick(default)),
            None => argument.name.clone(),
        };
        with_star(arguments, form).join(", ")
    };
    let (rust, python) = (list(|default| default.0), list(|default| default.1));
    let receiver = if python.is_empty() {
        receiver.trim_end_matches(", ")
    } else {
        receiver
    };
    format!("#[pyo3(signature = ({rust}), text_signature = \"({receiver}{python})\")]")
}

/// `def name(self, ...) -> result` without the colon, broken where it is long. `receiver` is `self` or nothing.
pub(super) fn definition(
    start: &str,
    receiver: &str,
    arguments: &[Argument],
    result: &str,
    indent: &str,
) -> String {
    let form = |argument: &Argument| match &argument.default {
        Some((_, default)) => format!("{}: {} = {default}", argument.name, argument.hint),
        None => format!("{}: {}", argument.name, argument.hint),
    };
    let mut parts = with_star(arguments, form);
    if !receiver.is_empty() {
        parts.insert(0, receiver.to_owned());
    }
    let short = format!("{indent}{start}({}) -> {result}", parts.join(", "));
    if short.len() < WIDTH {
        return short;
    }
    let lines: String = parts
        .iter()
        .map(|part| format!("{indent}    {part},\n"))
        .collect();
    format!("{indent}{start}(\n{lines}{indent}) -> {result}")
}

/// The arguments in their form, with a `*` before the first keyword.
fn with_star(arguments: &[Argument], form: impl Fn(&Argument) -> String) -> Vec<String> {
    let mut parts: Vec<String> = arguments.iter().map(form).collect();
    if let Some(first) = arguments.iter().position(|argument| argument.keyword_only) {
        parts.insert(first, "*".to_owned());
    }
    parts
}

fn argument(field: &Field, keyword_only: bool) -> Result<Argument> {
    let default = match &field.ty {
        Ty::Option(_) => Some(("None", "None")),
        _ if field.required => None,
        Ty::List(_) => Some(("Vec::new()", "()")),
        Ty::Bool => Some(("false", "False")),
        _ => Some(("0", "0")),
    };
    let borrowed = field.by_ref && field.ty == Ty::Text;
    Ok(Argument {
        name: field.name.clone(),
        rust: if borrowed {
            "&str".to_owned()
        } else {
            argument_type(&field.ty)?
        },
        hint: hint(&field.ty, true)?,
        default,
        keyword_only,
        doc: field.doc.clone(),
    })
}

/// The type of an argument in `generated.rs`, which may be wider than that of a result.
pub(super) fn argument_type(ty: &Ty) -> Result<String> {
    Ok(match ty {
        Ty::Time => "Time".to_owned(),
        Ty::Object(name) if name == "Secret" => "SecretText".to_owned(),
        Ty::Option(inner) => format!("Option<{}>", argument_type(inner)?),
        Ty::List(inner) => format!("Vec<{}>", argument_type(inner)?),
        ty => rust_type(ty)?,
    })
}

/// The type in `generated.rs`.
pub(super) fn rust_type(ty: &Ty) -> Result<String> {
    Ok(match ty {
        Ty::Id(_) => "Id".to_owned(),
        Ty::Bytes => "Bytes".to_owned(),
        Ty::Text | Ty::Bool | Ty::Int(_) | Ty::Time | Ty::Duration => ty.rust(),
        Ty::Object(name) | Ty::Choice(name) | Ty::Union(name) | Ty::Record(name) => name.clone(),
        Ty::Trait(name) => format!("Py{name}"),
        Ty::Option(inner) => format!("Option<{}>", rust_type(inner)?),
        Ty::List(inner) => format!("Vec<{}>", rust_type(inner)?),
    })
}

/// The type in the stubs, where an argument may be wider than a result.
pub(super) fn hint(ty: &Ty, is_argument: bool) -> Result<String> {
    Ok(match ty {
        Ty::Text => "str".to_owned(),
        Ty::Id(_) if is_argument => "UUID | str".to_owned(),
        Ty::Object(name) if is_argument && name == "Secret" => "Secret | str".to_owned(),
        Ty::Id(_) => "UUID".to_owned(),
        Ty::Bytes => "bytes".to_owned(),
        Ty::Bool => "bool".to_owned(),
        Ty::Int(_) => "int".to_owned(),
        Ty::Time => "datetime".to_owned(),
        Ty::Duration => "timedelta".to_owned(),
        Ty::Object(name) | Ty::Choice(name) | Ty::Union(name) | Ty::Record(name) => name.clone(),
        Ty::Trait(name) => match name.as_str() {
            "EventSink" => "Callable[[AuditEvent], object]".to_owned(),
            "TimeSource" => "Callable[[], datetime]".to_owned(),
            _ => bail!("{name}: say in xtask which function stands for it in Python"),
        },
        Ty::Option(inner) => format!("{} | None", hint(inner, is_argument)?),
        Ty::List(inner) if is_argument => format!("Sequence[{}]", hint(inner, true)?),
        Ty::List(inner) => format!("list[{}]", hint(inner, false)?),
    })
}
