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

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
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
