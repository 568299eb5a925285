//! How values leave: lent to the caller from inside their owner, or given to them.

use std::{
    ffi::c_char,
    ptr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::boundary::{Opaque, boxed, free, lent, peek};

/// Text that its owner lends: UTF-8, `len` bytes, not NUL-terminated. `ptr` is NULL when there is none.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct keyplate_str {
    /// The first byte.
    pub ptr: *const c_char,
    /// How many bytes.
    pub len: usize,
}

/// Bytes that their owner lends. `ptr` is NULL when there are none.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct keyplate_bytes {
    /// The first byte.
    pub ptr: *const u8,
    /// How many bytes.
    pub len: usize,
}

/// A list of texts; free it with `keyplate_str_list_free`.
#[derive(Debug)]
pub struct keyplate_str_list {
    _opaque: (),
}

impl Opaque for keyplate_str_list {
    type Core = Vec<String>;
}

/// How many there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_str_list_len(list: *const keyplate_str_list) -> usize {
    // SAFETY: NULL or a list that is valid during the call.
    unsafe { len(list, Vec::len) }
}

/// One of them, borrowed from `list`; `ptr` is NULL past the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_str_list_at(
    list: *const keyplate_str_list,
    index: usize,
) -> keyplate_str {
    // SAFETY: NULL or a list that is valid during the call.
    unsafe { get(list, |list| list.get(index)) }
}

/// Frees it; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_str_list_free(list: *mut keyplate_str_list) {
    // SAFETY: NULL or a list that the caller gives up.
    unsafe { free(list) }
}

/// A value that can be lent from inside its owner: text and records by pointer, small values as a copy.
pub(crate) trait Lend {
    type C;

    /// `None` gives what stands for nothing: NULL, zero, false.
    fn lend(value: Option<&Self>) -> Self::C;
}

/// A result that can be given to the caller.
pub(crate) trait Give {
    type C;

    fn give(self) -> Self::C;
}

/// Lends a part of `owner`.
///
/// # Safety
/// `owner` is NULL or valid for as long as what is lent is used.
pub(crate) unsafe fn get<T: Opaque, V: Lend>(
    owner: *const T,
    part: impl FnOnce(&T::Core) -> Option<&V>,
) -> V::C {
    // SAFETY: the caller's promise.
    V::lend(unsafe { peek(owner) }.and_then(part))
}

/// Copies a part of `owner` that need not be there; false, and `out` untouched, when it is not.
///
/// # Safety
/// `owner` is NULL or valid; `out` is NULL or a place for the value.
pub(crate) unsafe fn get_into<T: Opaque, V: Lend>(
    owner: *const T,
    part: impl FnOnce(&T::Core) -> Option<&V>,
    out: *mut V::C,
) -> bool {
    // SAFETY: the caller's promise.
    let Some(value) = unsafe { peek(owner) }.and_then(part) else {
        return false;
    };
    if !out.is_null() {
        // SAFETY: not NULL, so a place for the value.
        unsafe { out.write(V::lend(Some(value))) }
    }
    true
}

/// The length of a part of `owner`.
///
/// # Safety
/// `owner` is NULL or valid.
pub(crate) unsafe fn len<T: Opaque>(
    owner: *const T,
    count: impl FnOnce(&T::Core) -> usize,
) -> usize {
    // SAFETY: the caller's promise.
    unsafe { peek(owner) }.map_or(0, count)
}

impl Lend for String {
    type C = keyplate_str;

    fn lend(value: Option<&Self>) -> keyplate_str {
        lend_text(value.map(String::as_str))
    }
}

/// Lends text that is no `String`.
pub(crate) fn lend_text(value: Option<&str>) -> keyplate_str {
    let none = keyplate_str {
        ptr: ptr::null(),
        len: 0,
    };
    value.map_or(none, |text| keyplate_str {
        ptr: text.as_ptr().cast(),
        len: text.len(),
    })
}

impl Lend for Vec<u8> {
    type C = keyplate_bytes;

    fn lend(value: Option<&Self>) -> keyplate_bytes {
        let none = keyplate_bytes {
            ptr: ptr::null(),
            len: 0,
        };
        value.map_or(none, |bytes| keyplate_bytes {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        })
    }
}

impl Lend for SystemTime {
    type C = i64;

    fn lend(value: Option<&Self>) -> i64 {
        value.map_or(0, to_millis)
    }
}

impl Lend for Duration {
    type C = i64;

    fn lend(value: Option<&Self>) -> i64 {
        value.map_or(0, |value| {
            i64::try_from(value.as_millis()).unwrap_or(i64::MAX)
        })
    }
}

macro_rules! plain {
    ($($ty:ty),*) => { $(
        impl Lend for $ty {
            type C = $ty;

            fn lend(value: Option<&Self>) -> $ty {
                value.copied().unwrap_or_default()
            }
        }

        impl Give for $ty {
            type C = $ty;

            fn give(self) -> $ty {
                self
            }
        }
    )* };
}
plain!(bool, i64);

impl Give for Vec<String> {
    type C = *mut keyplate_str_list;

    fn give(self) -> *mut keyplate_str_list {
        boxed(self)
    }
}

impl<V: Give<C = *mut T>, T> Give for Option<V> {
    type C = *mut T;

    fn give(self) -> *mut T {
        self.map_or(ptr::null_mut(), V::give)
    }
}

/// A list whose items are lent one by one.
pub(crate) unsafe fn item<L, T>(list: *const L, index: usize) -> *const T
where
    L: Opaque<Core = Vec<T::Core>>,
    T: Opaque,
{
    // SAFETY: NULL or a list that is valid during the call, as every caller of this is promised.
    lent(unsafe { peek(list) }.and_then(|items: &Vec<T::Core>| items.get(index)))
}

/// Milliseconds since 1970. Core's times are whole milliseconds, so nothing is cut off.
fn to_millis(time: &SystemTime) -> i64 {
    let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => millis(after),
        Err(before) => -millis(before.duration()),
    }
}
