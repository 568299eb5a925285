//! How each type crosses into C and back.

use anyhow::{Result, bail};

use super::{c_name, function::Parameter};
use crate::facade::{Field, Ty};

/// Parameters with these names are secrets: text with its length, since it comes out of the middle of a header and goes
/// in as it came from `keyplate_secret_reveal`.
const SECRETS: &[&str] = &["secret", "token", "credential"];

/// A value that comes in: its C parameters, and the Rust expression that makes of them what core takes.
pub(super) struct Inward {
    pub(super) parameters: Vec<Parameter>,
    pub(super) expression: String,
}

/// The C type that a value leaves as; see `Lend` in `ffi/src/give.rs`.
pub(super) fn outward(ty: &Ty) -> Result<String> {
    Ok(match ty {
        Ty::Text | Ty::Id(_) => "keyplate_str".to_owned(),
        Ty::Bytes => "keyplate_bytes".to_owned(),
        Ty::Bool => "bool".to_owned(),
        Ty::Int(name) => (*name).to_owned(),
        Ty::Time => "i64".to_owned(),
        Ty::Duration => "i64".to_owned(),
        Ty::Choice(name) => c_name(name),
        Ty::Record(name) | Ty::Union(name) | Ty::Object(name) => format!("*const {}", c_name(name)),
        other => bail!("C cannot lend {}", other.rust()),
    })
}

/// Small values, which are copied; the others are lent by pointer.
pub(crate) fn is_plain(ty: &Ty) -> bool {
    matches!(
        ty,
        Ty::Bool | Ty::Int(_) | Ty::Time | Ty::Duration | Ty::Choice(_)
    )
}

/// Text that comes with its length.
pub(crate) fn is_secret(field: &Field) -> bool {
    SECRETS.contains(&field.name.as_str()) && *field.ty.leaf() == Ty::Text
}

/// A parameter of a method, or a field given to a maker, as core takes it: borrowed or owned.
pub(super) fn inward(field: &Field) -> Result<Inward> {
    let Field { name, ty, .. } = field;
    if is_secret(field) {
        return Ok(secret(field));
    }
    let mut inward = match ty {
        Ty::Option(inner) => optional(name, inner)?,
        Ty::List(inner) => list(name, inner)?,
        ty => leaf(name, name, ty)?,
    };
    let lent = matches!(
        ty,
        Ty::Text | Ty::Bytes | Ty::Record(_) | Ty::Union(_) | Ty::Object(_)
    );
    inward.expression = match (field.by_ref, lent) {
        (true, true) | (false, false) => inward.expression,
        (true, false) => format!("&{}", inward.expression),
        (false, true) => owned(ty, &inward.expression),
    };
    Ok(inward)
}

/// The same value, owned.
fn owned(ty: &Ty, lent: &str) -> String {
    match ty {
        Ty::Text => format!("{lent}.to_owned()"),
        Ty::Bytes => format!("{lent}.to_vec()"),
        Ty::Record(_) | Ty::Union(_) | Ty::Object(_) => format!("Clone::clone({lent})"),
        _ => lent.to_owned(),
    }
}

/// `Ok` of an expression that may itself end with `?`.
fn ok(expression: &str) -> String {
    match expression.strip_suffix('?') {
        Some(result) => result.to_owned(),
        None => format!("Ok({expression})"),
    }
}

/// `name: value`, or `name` alone where they are the same.
pub(super) fn initialiser(name: &str, value: &str) -> String {
    if name == value {
        format!("{name}, ")
    } else {
        format!("{name}: {value}, ")
    }
}

/// One value: `variable` is the Rust variable that holds it, `name` what errors call it.
fn leaf(variable: &str, name: &str, ty: &Ty) -> Result<Inward> {
    let (c_type, expression) = match ty {
        Ty::Text => (
            "*const c_char".to_owned(),
            format!("take::text({variable}, {name:?})?"),
        ),
        Ty::Id(id) => (
            "*const c_char".to_owned(),
            format!("take::id({variable}, {name:?}, ::keyplate::{id}::parse)?"),
        ),
        Ty::Bytes => (
            "*const u8".to_owned(),
            format!("take::bytes({variable}, {variable}_len, {name:?})?"),
        ),
        Ty::Bool => ("bool".to_owned(), variable.to_owned()),
        Ty::Int(int) => ((*int).to_owned(), variable.to_owned()),
        Ty::Time => (
            "i64".to_owned(),
            format!("take::time({variable}, {name:?})?"),
        ),
        Ty::Choice(choice) => (
            format!("Raw<{}>", c_name(choice)),
            format!("take::choice({variable}, {name:?})?"),
        ),
        Ty::Record(inner) | Ty::Union(inner) | Ty::Object(inner) => (
            format!("*const {}", c_name(inner)),
            format!("borrow({variable}, {name:?})?"),
        ),
        other => bail!("C cannot take {} for {name}", other.rust()),
    };
    let mut parameters = vec![(name.to_owned(), c_type)];
    if *ty == Ty::Bytes {
        parameters.push((format!("{name}_len"), "usize".to_owned()));
    }
    Ok(Inward {
        parameters,
        expression,
    })
}

/// NULL for none; a small value comes as a pointer to it.
fn optional(name: &str, inner: &Ty) -> Result<Inward> {
    let variable = if is_plain(inner) {
        format!("*{name}")
    } else {
        name.to_owned()
    };
    let mut inward = leaf(&variable, name, inner)?;
    if is_plain(inner) {
        inward.parameters[0].1 = format!("*const {}", inward.parameters[0].1);
    }
    let value = ok(&owned(inner, &inward.expression));
    inward.expression = format!("take::optional({name}, |{name}| {value})?");
    Ok(inward)
}

/// An array and its length.
fn list(name: &str, inner: &Ty) -> Result<Inward> {
    let mut inward = leaf(name, name, inner)?;
    inward.parameters[0].1 = format!("*const {}", inward.parameters[0].1);
    inward
        .parameters
        .push((format!("{name}_len"), "usize".to_owned()));
    let value = ok(&owned(inner, &inward.expression));
    inward.expression = format!("take::list({name}, {name}_len, {name:?}, |{name}| {value})?");
    Ok(inward)
}

fn secret(field: &Field) -> Inward {
    let name = &field.name;
    let text = format!("take::sized_text({name}, {name}_len, {name:?})?");
    let expression = match &field.ty {
        Ty::Option(_) => format!("take::optional({name}, |{name}| Ok({text}.to_owned()))?"),
        _ if field.by_ref => text,
        _ => format!("{text}.to_owned()"),
    };
    let len = (format!("{name}_len"), "usize".to_owned());
    Inward {
        parameters: vec![(name.clone(), "*const c_char".to_owned()), len],
        expression,
    }
}
