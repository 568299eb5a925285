//! The way in and out of every C function: pointers to Rust values, errors, panics.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
};

use ::keyplate::{InputReason, KeyplateError};

use crate::{Failure, give::Give, keyplate_error, keyplate_status};

/// A C type that is only ever seen behind a pointer; a `Core` is what really lies there.
pub(crate) trait Opaque {
    type Core;
}

/// Runs `body`; a failure, or a panic, becomes a status and, where the caller wants one, an error.
///
/// # Safety
/// `error` is NULL or a place for a pointer.
pub(crate) unsafe fn guard(
    error: *mut *mut keyplate_error,
    body: impl FnOnce() -> Result<(), Failure>,
) -> keyplate_status {
    // Unwind safety: core keeps its own invariants when it panics, and nothing else is shared.
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return keyplate_status::Ok,
        Ok(Err(failure)) => failure,
        Err(_) => KeyplateError::Internal {
            reason: "a panic in the library".to_owned(),
        }
        .into(),
    };
    let status = failure.status();
    if !error.is_null() {
        // SAFETY: not NULL, so a place for a pointer.
        unsafe { error.write(boxed(failure)) }
    }
    status
}

/// Writes a result to where the caller wants it; asked for before the work is done.
///
/// # Safety
/// `out` is NULL or a place for a value.
pub(crate) unsafe fn put<V: Give>(
    out: *mut V::C,
    work: impl FnOnce() -> Result<V, Failure>,
) -> Result<(), Failure> {
    if out.is_null() {
        return Err(Failure::argument("out", InputReason::Null));
    }
    let value = work()?.give();
    // SAFETY: not NULL, so a place for a value.
    unsafe { out.write(value) };
    Ok(())
}

/// Hands a value over to the caller, who frees it.
pub(crate) fn boxed<T: Opaque>(core: T::Core) -> *mut T {
    Box::into_raw(Box::new(core)).cast()
}

/// Shows a value to the caller without giving it away.
pub(crate) fn lent<T: Opaque>(core: Option<&T::Core>) -> *const T {
    core.map_or(ptr::null(), |core| ptr::from_ref(core).cast())
}

/// Frees what `boxed` made; NULL is fine.
///
/// # Safety
/// `owned` is NULL or from `boxed`, and is used by nobody else.
pub(crate) unsafe fn free<T: Opaque>(owned: *mut T) {
    if !owned.is_null() {
        // SAFETY: from `boxed`, so a box of `T::Core`; the caller gives it up.
        let core = unsafe { Box::from_raw(owned.cast::<T::Core>()) };
        // A panic, for example in a callback's destructor, must not cross into C.
        drop(catch_unwind(AssertUnwindSafe(|| drop(core))));
    }
}

/// Looks behind a pointer; `None` for NULL.
///
/// # Safety
/// `pointer` is NULL or from `boxed` or `lent`, and stays valid for `'a`.
pub(crate) unsafe fn peek<'a, T: Opaque>(pointer: *const T) -> Option<&'a T::Core> {
    // SAFETY: `T` stands for `T::Core`; validity is the caller's promise.
    unsafe { pointer.cast::<T::Core>().as_ref() }
}

/// Looks behind a pointer that must not be NULL.
///
/// # Safety
/// As for `peek`.
pub(crate) unsafe fn borrow<'a, T: Opaque>(
    pointer: *const T,
    name: &str,
) -> Result<&'a T::Core, Failure> {
    // SAFETY: the same promise.
    unsafe { peek(pointer) }.ok_or_else(|| Failure::argument(name, InputReason::Null))
}

/// Looks behind a pointer in order to change what is there.
///
/// # Safety
/// As for `peek`, and nobody else looks meanwhile.
pub(crate) unsafe fn borrow_mut<'a, T: Opaque>(
    pointer: *mut T,
    name: &str,
) -> Result<&'a mut T::Core, Failure> {
    // SAFETY: `T` stands for `T::Core`; validity and exclusiveness are the caller's promise.
    unsafe { pointer.cast::<T::Core>().as_mut() }
        .ok_or_else(|| Failure::argument(name, InputReason::Null))
}
