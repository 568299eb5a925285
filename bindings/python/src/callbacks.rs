//! Functions of the host's that core calls: the event sink and the time source.

use std::{
    cell::RefCell,
    panic::resume_unwind,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use ::keyplate::{EventSink, TimeSource};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyException, PyTypeError},
    prelude::*,
};

use crate::{
    convert::{Give, Take},
    exit,
    generated::AuditEvent,
    time::Time,
};

thread_local! {
    /// `KeyboardInterrupt` or `SystemExit`, which a function of the host's raised in the call that this thread is in. They
    /// are for whoever called: what the function heard of is done, but the program is to stop.
    static TO_RAISE: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// What the call that ends now raises in place of its result.
pub(crate) fn take_raised() -> Option<PyErr> {
    TO_RAISE.with(RefCell::take)
}

/// Lets the call that is under way in this thread raise this at its end.
pub(crate) fn raise_after_call(error: PyErr) {
    TO_RAISE.with(|raised| {
        raised.borrow_mut().get_or_insert(error);
    });
}

/// Has the program been told to stop while this thread waits for another writer? Python runs the handlers of signals in its
/// main thread, and only when it is asked.
pub(crate) fn is_told_to_stop() -> bool {
    let told = exit::hears()
        .then(|| Python::try_attach(|py| py.check_signals().map_err(raise_after_call).is_err()));
    told.flatten().unwrap_or(false)
}

/// A function of the host's. Core holds it for as long as the database is open; a handle shows it to Python's garbage
/// collector, which may take it away.
pub(crate) type Slot = Arc<Mutex<Option<Py<PyAny>>>>;

fn held(slot: &Slot) -> MutexGuard<'_, Option<Py<PyAny>>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The function in it, unless it was taken away or the process is ending.
fn function(py: Python<'_>, slot: &Slot) -> Option<Py<PyAny>> {
    held(slot).as_ref().map(|function| function.clone_ref(py))
}

fn report(py: Python<'_>, error: PyErr, function: &Py<PyAny>) {
    if error.is_instance_of::<PyException>(py) {
        error.write_unraisable(py, Some(function.bind(py)));
    } else {
        raise_after_call(error);
    }
}

/// A function that hears events. What it raises goes to `sys.unraisablehook`: what it heard of is done already.
/// `KeyboardInterrupt` and `SystemExit` come out of the call, after it has done its work.
#[derive(Debug)]
pub(crate) struct PyEventSink(Slot);

/// A function that tells the time. What it raises goes to `sys.unraisablehook`, and the call that asked fails.
#[derive(Debug)]
pub(crate) struct PyTimeSource(Slot);

impl EventSink for PyEventSink {
    fn on_event(&self, event: ::keyplate::AuditEvent) {
        if !exit::hears() {
            return;
        }
        // Not when the interpreter is shutting down: nobody is there to hear it.
        Python::try_attach(|py| {
            let Some(function) = function(py, &self.0) else {
                return;
            };
            let event: AuditEvent = event.give();
            if let Err(error) = function.call1(py, (event,)) {
                report(py, error, &function);
            }
        });
    }
}

impl TimeSource for PyTimeSource {
    fn now(&self) -> SystemTime {
        let time = exit::hears().then(|| {
            Python::try_attach(|py| {
                let function = function(py, &self.0)?;
                let time = function.call0(py).and_then(|time| {
                    let time: Time = time.extract(py)?;
                    time.take("now")
                });
                time.map_err(|error| report(py, error, &function)).ok()
            })
        });
        // Core makes an error of it. Any time at all, even the last one known, would let what has expired go on working.
        time.flatten()
            .flatten()
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

fn callable(value: Borrowed<'_, '_, PyAny>) -> PyResult<Slot> {
    if value.is_callable() {
        Ok(Arc::new(Mutex::new(Some(value.to_owned().unbind()))))
    } else {
        Err(PyTypeError::new_err("must be callable"))
    }
}

/// The functions that a database was opened with, and how many handles there are of it.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    slots: Vec<Slot>,
    handles: AtomicUsize,
}

/// A handle's share of them.
#[derive(Debug)]
pub(crate) struct Share(Arc<Functions>);

impl Share {
    pub(crate) fn new(slots: impl IntoIterator<Item = Option<Slot>>) -> Self {
        Self::of(Arc::new(Functions {
            slots: slots.into_iter().flatten().collect(),
            handles: AtomicUsize::new(0),
        }))
    }

    fn of(functions: Arc<Functions>) -> Self {
        functions.handles.fetch_add(1, Ordering::Relaxed);
        Self(functions)
    }

    /// For the garbage collector, which counts references: core holds one to each function, so one handle may show it, and
    /// only when there is no other. (A function that refers to its handle is then found to be garbage with it.)
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        if self.0.handles.load(Ordering::Relaxed) != 1 {
            return Ok(());
        }
        for slot in &self.0.slots {
            // The collector must not wait; who holds the lock is about to call the function, so it is in use.
            if let Ok(function) = slot.try_lock() {
                visit.call(&*function)?;
            }
        }
        Ok(())
    }

    /// The functions, taken away from core; to be dropped by whoever holds no lock.
    pub(crate) fn clear(&self) -> Vec<Py<PyAny>> {
        let functions = self.0.slots.iter().filter_map(|slot| held(slot).take());
        functions.collect()
    }
}

impl Clone for Share {
    fn clone(&self) -> Self {
        Self::of(Arc::clone(&self.0))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.0.handles.fetch_sub(1, Ordering::Relaxed);
    }
}

impl PyEventSink {
    pub(crate) fn slot(&self) -> Slot {
        Arc::clone(&self.0)
    }
}

impl PyTimeSource {
    pub(crate) fn slot(&self) -> Slot {
        Arc::clone(&self.0)
    }
}
