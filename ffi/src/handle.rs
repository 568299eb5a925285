//! `keyplate`: the handle, and the library's version.

use std::ffi::{CStr, c_char};

use crate::boundary::{Opaque, boxed, free};
use crate::give::Give;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// An open database. May be shared between threads; every function that takes one blocks until it is done.
#[derive(Debug)]
pub struct keyplate {
    _opaque: (),
}

impl Opaque for keyplate {
    type Core = ::keyplate::Keyplate;
}

impl Give for ::keyplate::Keyplate {
    type C = *mut keyplate;

    fn give(self) -> *mut keyplate {
        boxed(self)
    }
}

/// Lets go of the handle; NULL is fine. The database is closed with the last handle that came from one
/// `keyplate_open`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_free(kp: *mut keyplate) {
    // SAFETY: NULL or a handle that the caller gives up.
    unsafe { free(kp) }
}

/// The library's version, for example `1.2.3`; NUL-terminated, never freed.
#[unsafe(no_mangle)]
pub extern "C" fn keyplate_version() -> *const c_char {
    VERSION.as_ptr()
}
