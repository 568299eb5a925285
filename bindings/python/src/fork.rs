//! Holds the library still while the process forks (D4); the package gives these to `os.register_at_fork`.

use std::cell::RefCell;

use ::keyplate::ForkGuard;
use pyo3::prelude::*;

use crate::exit;

thread_local! {
    /// Between the two functions, which run in the thread that forks; in the child it is the only thread.
    static GUARD: RefCell<Option<ForkGuard>> = const { RefCell::new(None) };
}

/// Waits until no other thread is inside the library. Without the GIL: such a thread may want it to finish.
#[pyfunction]
pub(crate) fn _before_fork(py: Python<'_>) {
    py.detach(|| {
        GUARD.with(|guard| guard.replace(Some(::keyplate::before_fork())));
    });
}

/// Lets the library go on, in the parent.
#[pyfunction]
pub(crate) fn _after_fork() {
    GUARD.with(RefCell::take);
}

/// The same in the child, where no other thread is left.
#[pyfunction]
pub(crate) fn _after_fork_in_child() {
    exit::forget_others();
    GUARD.with(RefCell::take);
}
