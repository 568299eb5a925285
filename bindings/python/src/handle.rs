//! `Keyplate`: the handle, which can be closed, and the way of every call into core.

use std::sync::{PoisonError, RwLock};

use pyo3::{PyTraverseError, PyVisit, exceptions::PyValueError, prelude::*};

use crate::{
    callbacks::Share,
    convert::{Give, call, detached},
};

/// An open database, or somebody's view of it; may be shared between threads.
#[pyclass(frozen, module = "keyplate")]
#[derive(Debug)]
pub(crate) struct Keyplate(RwLock<Option<Open>>);

#[derive(Debug)]
struct Open {
    handle: ::keyplate::Keyplate,
    functions: Share,
}

/// A handle of core's on its way to Python, which knows nothing of the functions yet.
pub(crate) struct Bare(::keyplate::Keyplate);

impl Give<Bare> for ::keyplate::Keyplate {
    fn give(self) -> Bare {
        Bare(self)
    }
}

impl Bare {
    fn with(self, functions: Share) -> Keyplate {
        Keyplate(RwLock::new(Some(Open {
            handle: self.0,
            functions,
        })))
    }
}

/// Opens a database with these functions of the host's.
pub(crate) fn open(
    py: Python<'_>,
    functions: Share,
    work: impl FnOnce() -> ::keyplate::Result<::keyplate::Keyplate> + Send,
) -> PyResult<Keyplate> {
    let opened: Bare = call(py, work)?;
    Ok(opened.with(functions))
}

impl Keyplate {
    fn opened(&self) -> PyResult<(::keyplate::Keyplate, Share)> {
        // A clone, so that a `close` in another thread does not wait for the call, nor the call for it.
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            Some(open) => Ok((open.handle.clone(), open.functions.clone())),
            None => Err(PyValueError::new_err("the handle is closed")),
        }
    }

    /// Runs a call of core's on the handle, without the GIL.
    pub(crate) fn call<T: Send + Give<U>, U>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&::keyplate::Keyplate) -> ::keyplate::Result<T> + Send,
    ) -> PyResult<U> {
        let (handle, _functions) = self.opened()?;
        call(py, move || work(&handle))
    }

    /// The same for a call that gives another handle of the same database.
    pub(crate) fn derive(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&::keyplate::Keyplate) -> ::keyplate::Result<::keyplate::Keyplate> + Send,
    ) -> PyResult<Keyplate> {
        let (handle, functions) = self.opened()?;
        let derived: Bare = call(py, move || work(&handle))?;
        Ok(derived.with(functions))
    }

    /// Closes it, unless a call is still under way: then that call does so at its end.
    pub(crate) fn let_go(&self, py: Python<'_>) {
        let open = self
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Closing writes what is collected in memory: without the GIL.
        detached(py, move || drop(open));
    }

    /// What the garbage collector may follow.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.0.try_read().as_deref() {
            Ok(Some(open)) => open.functions.traverse(visit),
            _ => Ok(()),
        }
    }

    /// The garbage collector has found that nobody can reach it.
    pub(crate) fn clear(&self) {
        Python::attach(|py| {
            let functions = {
                let open = self.0.read().unwrap_or_else(PoisonError::into_inner);
                open.as_ref().map(|open| open.functions.clear())
            };
            self.let_go(py);
            drop(functions);
        });
    }

    pub(crate) fn shown_state(&self) -> &'static str {
        match *self.0.read().unwrap_or_else(PoisonError::into_inner) {
            Some(_) => "<Keyplate>",
            None => "<Keyplate, closed>",
        }
    }
}
