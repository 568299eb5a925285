//! Writes what scenarios are run with in Rust and in C; the other faces run them by reflection.

mod c;
mod rust;

use anyhow::Result;

use crate::{
    facade::{Facade, Field, Method, Ty},
    workspace::Files,
};

/// Adds what calls the facade, and the C face, with a scenario's JSON.
pub(crate) fn write(facade: &Facade, files: &mut Files) -> Result<()> {
    files.insert(
        "core/tests/scenarios/facade.rs".into(),
        rust::source(facade)?,
    );
    files.insert("ffi/tests/scenario_facade.c".into(), c::source(facade)?);
    Ok(())
}

/// Handles and what is made from a principal are the runner's own: a step says `as`.
pub(crate) fn is_runners(method: &Method) -> bool {
    let handle = |ty: &Ty| matches!(ty.leaf(), Ty::Object(name) if name == "Keyplate" || name == "Principal");
    method.output.as_ref().is_some_and(handle)
        || method.inputs.iter().any(|input| handle(&input.ty))
}

/// A scenario cannot write it; where one is wanted, the runner gives it.
fn is_callback(field: &Field) -> bool {
    matches!(field.ty.leaf(), Ty::Trait(_))
}
