//! `keyplate_error`: what went wrong, in words and with its particulars.

use std::time::Duration;

use ::keyplate::{KeyplateError, PasskeyFailure};

use crate::{
    boundary::{Opaque, free, peek},
    give::{get, get_into},
    keyplate_passkey_failure, keyplate_status, keyplate_str,
};

/// What went wrong. Made by a function that fails, if it was given a place for it; free it with
/// `keyplate_error_free`.
#[derive(Debug)]
pub struct keyplate_error {
    _opaque: (),
}

/// What lies behind a `keyplate_error`: the error, and the texts that C borrows from it.
#[derive(Debug)]
pub(crate) struct Failure {
    status: keyplate_status,
    message: String,
    field: Option<String>,
    retry_after: Option<Duration>,
    passkey_failure: Option<PasskeyFailure>,
}

impl Opaque for keyplate_error {
    type Core = Failure;
}

impl Failure {
    /// An argument that C can give and Rust cannot take.
    pub(crate) fn argument(name: &str, reason: &str) -> Self {
        KeyplateError::InvalidInput {
            field: name.to_owned(),
            reason: reason.to_owned(),
        }
        .into()
    }

    pub(crate) fn status(&self) -> keyplate_status {
        self.status
    }
}

impl From<KeyplateError> for Failure {
    fn from(error: KeyplateError) -> Self {
        Self {
            status: error.code().into(),
            message: error.to_string(),
            field: error.field(),
            retry_after: error.retry_after(),
            passkey_failure: error.passkey_failure(),
        }
    }
}

/// The status that came with the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_status(
    error: *const keyplate_error,
) -> keyplate_status {
    // SAFETY: NULL or an error that is valid during the call.
    unsafe { peek(error) }.map_or(keyplate_status::Ok, Failure::status)
}

/// The error in words, for logs and developers; without secrets. Borrowed from `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_message(error: *const keyplate_error) -> keyplate_str {
    // SAFETY: NULL or an error that is valid during the call.
    unsafe { get(error, |error| Some(&error.message)) }
}

/// The field that is at fault; `ptr` is NULL where there is none. Borrowed from `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_field(error: *const keyplate_error) -> keyplate_str {
    // SAFETY: NULL or an error that is valid during the call.
    unsafe { get(error, |error| error.field.as_ref()) }
}

/// How many milliseconds to wait before trying again. False where waiting does not help.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_retry_after(
    error: *const keyplate_error,
    out: *mut u64,
) -> bool {
    // SAFETY: NULL or an error that is valid during the call; NULL or a place for a number.
    unsafe { get_into(error, |error| error.retry_after.as_ref(), out) }
}

/// Why a passkey ceremony failed; `KEYPLATE_PASSKEY_FAILURE_UNKNOWN` where none did.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_passkey_failure(
    error: *const keyplate_error,
) -> keyplate_passkey_failure {
    // SAFETY: NULL or an error that is valid during the call.
    unsafe { get(error, |error| error.passkey_failure.as_ref()) }
}

/// Frees it; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_free(error: *mut keyplate_error) {
    // SAFETY: NULL or an error that the caller gives up.
    unsafe { free(error) }
}
