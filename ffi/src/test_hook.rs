//! Not in the header, and only in a library that is built without optimisation: what the tests of this face need in order to
//! see a defect of the library.

/// Lets the next call of this thread that reads or writes panic inside its transaction.
#[unsafe(no_mangle)]
pub extern "C" fn keyplate_test_panic_in_next_call() {
    ::keyplate::panic_in_next_call();
}
