//! How values come in: text, ids, times, lists, each with the name of the argument for the error.

use std::{
    ffi::{CStr, c_char},
    marker::PhantomData,
    slice,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ::keyplate::{InputReason, KeyplateError};

use crate::Failure;

/// A number where C has the enum `T`: C may send any number, a Rust enum must not even hold a wrong one.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Raw<T>(i32, PhantomData<T>);

impl<T> Raw<T> {
    /// What C has sent.
    pub(crate) fn number(self) -> i32 {
        self.0
    }
}

/// A C enum that can come in.
pub(crate) trait Choice {
    type Core;

    fn from_number(number: i32) -> Option<Self::Core>;
}

/// NUL-terminated UTF-8.
///
/// # Safety
/// `text` is NULL or NUL-terminated, and stays as it is for `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str, Failure> {
    if text.is_null() {
        return Err(Failure::argument(name, InputReason::Null));
    }
    // SAFETY: not NULL, so NUL-terminated.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str()
        .map_err(|_| Failure::argument(name, InputReason::NotUtf8))
}

/// UTF-8 with its length: secrets, which come out of the middle of a header.
///
/// # Safety
/// `text` is NULL or `len` bytes that stay as they are for `'a`.
pub(crate) unsafe fn sized_text<'a>(
    text: *const c_char,
    len: usize,
    name: &str,
) -> Result<&'a str, Failure> {
    // SAFETY: the same promise.
    let bytes = unsafe { bytes(text.cast(), len, name) }?;
    std::str::from_utf8(bytes).map_err(|_| Failure::argument(name, InputReason::NotUtf8))
}

/// Bytes with their length; NULL is fine for none.
///
/// # Safety
/// `bytes` is NULL or `len` bytes that stay as they are for `'a`.
pub(crate) unsafe fn bytes<'a>(
    bytes: *const u8,
    len: usize,
    name: &str,
) -> Result<&'a [u8], Failure> {
    match (bytes.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Failure::argument(name, InputReason::Null)),
        // SAFETY: not NULL, so `len` bytes.
        (false, _) => Ok(unsafe { slice::from_raw_parts(bytes, checked_len::<u8>(len, name)?) }),
    }
}

/// An id in its text form. The error names our argument, not the kind of id.
///
/// # Safety
/// As for `text`.
pub(crate) unsafe fn id<T>(
    id: *const c_char,
    name: &str,
    parse: fn(&str) -> Result<T, KeyplateError>,
) -> Result<T, Failure> {
    // SAFETY: the same promise.
    let id = unsafe { text(id, name) }?;
    parse(id).map_err(|_| Failure::argument(name, InputReason::NotUuid))
}

/// An array with its length; NULL is fine for none.
///
/// # Safety
/// `items` is NULL or `len` values.
pub(crate) unsafe fn list<P: Copy, T>(
    items: *const P,
    len: usize,
    name: &str,
    take: impl Fn(P) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    match (items.is_null(), len) {
        (_, 0) => Ok(Vec::new()),
        (true, _) => Err(Failure::argument(name, InputReason::Null)),
        (false, _) => {
            // SAFETY: not NULL, so `len` values.
            let items = unsafe { slice::from_raw_parts(items, checked_len::<P>(len, name)?) };
            items.iter().map(|item| take(*item)).collect()
        }
    }
}

/// Something that may be missing: NULL.
pub(crate) fn optional<P, T>(
    pointer: *const P,
    take: impl FnOnce(*const P) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    if pointer.is_null() {
        return Ok(None);
    }
    take(pointer).map(Some)
}

/// Milliseconds since 1970.
pub(crate) fn time(millis: i64, name: &str) -> Result<SystemTime, Failure> {
    let span = Duration::from_millis(millis.unsigned_abs());
    let time = if millis < 0 {
        UNIX_EPOCH.checked_sub(span)
    } else {
        UNIX_EPOCH.checked_add(span)
    };
    time.ok_or_else(|| Failure::argument(name, InputReason::TooLate))
}

/// One of an enum's values.
pub(crate) fn choice<T: Choice>(number: Raw<T>, name: &str) -> Result<T::Core, Failure> {
    T::from_number(number.0).ok_or_else(|| Failure::argument(name, InputReason::NotEnumValue))
}

/// A slice of more than `isize::MAX` bytes does not exist; a negative length in C looks like one.
fn checked_len<T>(len: usize, name: &str) -> Result<usize, Failure> {
    let fits = len
        .checked_mul(size_of::<T>().max(1))
        .is_some_and(|size| isize::try_from(size).is_ok());
    if fits {
        Ok(len)
    } else {
        Err(Failure::argument(
            name,
            InputReason::TooManyBytes {
                most: isize::MAX as i64,
            },
        ))
    }
}
