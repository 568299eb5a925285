//! A hook for the tests of the faces: a panic inside the library, which no argument can cause. A library that is built with
//! optimisation does not have it.

use std::cell::Cell;

thread_local! {
    static ARMED: Cell<bool> = const { Cell::new(false) };
}

/// Lets the next call of this thread that reads or writes panic inside its transaction.
#[doc(hidden)]
pub fn panic_in_next_call() {
    ARMED.set(true);
}

/// The same for a face whose library exports nothing for tests: a file of the name in this variable, which is removed.
const FILE: &str = "KEYPLATE_TEST_PANIC";

fn has_file() -> bool {
    std::env::var_os(FILE).is_some_and(|file| std::fs::remove_file(file).is_ok())
}

/// Stands in every transaction.
#[expect(clippy::panic, reason = "this is what it is for")]
pub(crate) fn check() {
    if ARMED.take() || has_file() {
        panic!("a test asked for this panic");
    }
}
