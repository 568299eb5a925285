//! `keyplate_secret`: a secret that is printed nowhere and wiped when it is freed.

use std::{ffi::c_char, sync::Arc};

use ::keyplate::Secret;

use crate::{
    boundary::{Opaque, boxed, free, guard, lent, peek, put},
    give::{Give, Lend, lend_text},
    keyplate_error, keyplate_status, keyplate_str,
    take::sized_text,
};

/// A secret, wiped when the last owner frees it.
#[derive(Debug)]
pub struct keyplate_secret {
    _opaque: (),
}

impl Opaque for keyplate_secret {
    type Core = Arc<Secret>;
}

impl Lend for Arc<Secret> {
    type C = *const keyplate_secret;

    fn lend(value: Option<&Self>) -> *const keyplate_secret {
        lent(value)
    }
}

impl Give for Arc<Secret> {
    type C = *mut keyplate_secret;

    fn give(self) -> *mut keyplate_secret {
        boxed(self)
    }
}

/// Wraps a secret of the caller's: `value_len` bytes of UTF-8, which are copied. Free it with
/// `keyplate_secret_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_secret_new(
    value: *const c_char,
    value_len: usize,
    out: *mut *mut keyplate_secret,
    error: *mut *mut keyplate_error,
) -> keyplate_status {
    // SAFETY: NULL or what docs/c-api.md says: `value_len` bytes, places for pointers.
    unsafe {
        guard(error, || {
            put(out, || {
                let value = sized_text(value, value_len, "value")?;
                Ok(Arc::new(Secret::new(value.to_owned())))
            })
        })
    }
}

/// The secret itself, borrowed from `secret`. Show it once and store it nowhere.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_secret_reveal(secret: *const keyplate_secret) -> keyplate_str {
    // SAFETY: NULL or a secret that is valid while the text is used.
    lend_text(unsafe { peek(secret) }.map(|secret| secret.as_str()))
}

/// Frees it; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_secret_free(secret: *mut keyplate_secret) {
    // SAFETY: NULL or a secret that the caller gives up.
    unsafe { free(secret) }
}
