//! Keyplate's Python face: the compiled module `keyplate._native`.
//!
//! `generated.rs` holds the classes and methods of the facade; the other files hold, by hand, what these are built of.

mod callbacks;
mod choices;
mod convert;
mod error;
mod exit;
mod fork;
mod generated;
mod handle;
mod secret;
mod time;

use std::sync::OnceLock;

use pyo3::{exceptions::PyImportError, prelude::*};

/// Which interpreter imported this module first: the address of its `sys`.
static INTERPRETER: OnceLock<usize> = OnceLock::new();

#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // Classes and hooks are the process's. From Python 3.12 on PyO3 has Python refuse it; before, nobody does.
    let interpreter = module.py().import("sys")?.as_ptr() as usize;
    if *INTERPRETER.get_or_init(|| interpreter) != interpreter {
        return Err(PyImportError::new_err(
            "keyplate cannot be imported by several interpreters of one process",
        ));
    }
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    ::keyplate::give_up_waiting_if(callbacks::is_told_to_stop);
    module.add_class::<handle::Keyplate>()?;
    module.add_class::<secret::Secret>()?;
    module.add_function(wrap_pyfunction!(fork::_before_fork, module)?)?;
    module.add_function(wrap_pyfunction!(fork::_after_fork, module)?)?;
    module.add_function(wrap_pyfunction!(fork::_after_fork_in_child, module)?)?;
    module.add_function(wrap_pyfunction!(exit::_at_exit, module)?)?;
    generated::register(module)?;
    // PyO3's list has the private names too; without it the package takes the public ones.
    module.delattr("__all__")
}
