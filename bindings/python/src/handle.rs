//! `Keyplate`: the handle, which can be closed, and the way of every call into core.

use std::sync::{PoisonError, RwLock};

use pyo3::{exceptions::PyValueError, prelude::*};

use crate::convert::{Give, call};

/// An open database, or somebody's view of it; may be shared between threads.
#[pyclass(frozen, module = "keyplate")]
#[derive(Debug)]
pub(crate) struct Keyplate(RwLock<Option<::keyplate::Keyplate>>);

impl Give<Keyplate> for ::keyplate::Keyplate {
    fn give(self) -> Keyplate {
        Keyplate(RwLock::new(Some(self)))
    }
}

impl Keyplate {
    /// Runs a call of core's on the handle, without the GIL.
    pub(crate) fn call<T: Send + Give<U>, U>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&::keyplate::Keyplate) -> ::keyplate::Result<T> + Send,
    ) -> PyResult<U> {
        // A clone, so that a `close` in another thread does not wait for the call, nor the call for it.
        let handle = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let handle = handle.ok_or_else(|| PyValueError::new_err("the handle is closed"))?;
        call(py, move || work(&handle))
    }

    /// Closes it, unless a call is still under way: then that call does so at its end.
    pub(crate) fn let_go(&self, py: Python<'_>) {
        let handle = self
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Closing writes what is collected in memory: without the GIL.
        py.detach(move || drop(handle));
    }

    pub(crate) fn describe(&self) -> &'static str {
        match *self.0.read().unwrap_or_else(PoisonError::into_inner) {
            Some(_) => "<Keyplate>",
            None => "<Keyplate, closed>",
        }
    }
}
