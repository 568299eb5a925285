//! Functions of the host's that core calls: the event sink and the time source.

use std::{panic::resume_unwind, sync::Arc, time::SystemTime};

use ::keyplate::{EventSink, TimeSource};
use pyo3::{exceptions::PyTypeError, prelude::*};

use crate::{
    convert::{Give, Take},
    generated::AuditEvent,
    time::Time,
};

/// A function that hears events. What it raises goes to `sys.unraisablehook`: what it heard of is done already.
#[derive(Debug)]
pub(crate) struct PyEventSink(Py<PyAny>);

/// A function that tells the time. What it raises goes to `sys.unraisablehook`, and the call that asked fails.
#[derive(Debug)]
pub(crate) struct PyTimeSource(Py<PyAny>);

impl EventSink for PyEventSink {
    fn on_event(&self, event: ::keyplate::AuditEvent) {
        // Not when the interpreter is shutting down: nobody is there to hear it.
        Python::try_attach(|py| {
            let event: AuditEvent = event.give();
            if let Err(error) = self.0.call1(py, (event,)) {
                error.write_unraisable(py, Some(self.0.bind(py)));
            }
        });
    }
}

impl TimeSource for PyTimeSource {
    fn now(&self) -> SystemTime {
        let time = Python::try_attach(|py| {
            let time = self.0.call0(py).and_then(|time| {
                let time: Time = time.extract(py)?;
                time.take("now")
            });
            time.map_err(|error| error.write_unraisable(py, Some(self.0.bind(py))))
                .ok()
        });
        // Core makes an error of it. Any time at all, even the last one known, would let what has expired go on working.
        time.flatten()
            .unwrap_or_else(|| resume_unwind(Box::new("the time source failed")))
    }
}

impl Take<Arc<dyn EventSink>> for PyEventSink {
    fn take(self, _: &str) -> PyResult<Arc<dyn EventSink>> {
        Ok(Arc::new(self))
    }
}

impl Take<Arc<dyn TimeSource>> for PyTimeSource {
    fn take(self, _: &str) -> PyResult<Arc<dyn TimeSource>> {
        Ok(Arc::new(self))
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for PyEventSink {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        callable(value).map(Self)
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for PyTimeSource {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        callable(value).map(Self)
    }
}

fn callable(value: Borrowed<'_, '_, PyAny>) -> PyResult<Py<PyAny>> {
    if value.is_callable() {
        Ok(value.to_owned().unbind())
    } else {
        Err(PyTypeError::new_err("must be callable"))
    }
}
