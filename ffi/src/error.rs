//! `keyplate_error`: what went wrong, in words and with its particulars.

use std::time::Duration;

use ::keyplate::{
    ConfigurationReason, ConflictReason, DenialReason, InputReason, KeyplateError, PasskeyFailure,
    SignupRefusal, Thing,
};

use crate::{
    boundary::{Opaque, free, peek},
    give::{get, get_into},
    keyplate_configuration_reason, keyplate_conflict_reason, keyplate_denial_reason,
    keyplate_input_reason, keyplate_passkey_failure, keyplate_signup_refusal, keyplate_status,
    keyplate_str, keyplate_thing,
};

/// What went wrong. Made by a function that fails, if it was given a place for it; free it with
/// `keyplate_error_free`.
#[derive(Debug)]
pub struct keyplate_error {
    _opaque: (),
}

/// What lies behind a `keyplate_error`. Boxed: every function that can fail hands it on.
#[derive(Debug)]
pub(crate) struct Failure(Box<Details>);

/// The error, and the texts that C borrows from it.
#[derive(Debug)]
struct Details {
    status: keyplate_status,
    message: String,
    http_status: i64,
    field: Option<String>,
    retry_after: Option<Duration>,
    reason_code: Option<String>,
    reason_json: Option<String>,
    reason: Option<Reason>,
}

/// The reason of an error that has one.
#[derive(Debug)]
enum Reason {
    Input(InputReason),
    NotFound(Thing),
    Conflict(ConflictReason),
    Configuration(ConfigurationReason),
    Denial(DenialReason),
    Signup(SignupRefusal),
    Passkey(PasskeyFailure),
}

impl Opaque for keyplate_error {
    type Core = Failure;
}

impl Failure {
    /// An argument that C can give and Rust cannot take.
    pub(crate) fn argument(name: &str, reason: InputReason) -> Self {
        KeyplateError::InvalidInput {
            field: name.to_owned(),
            reason,
        }
        .into()
    }

    pub(crate) fn status(&self) -> keyplate_status {
        self.0.status
    }
}

impl From<KeyplateError> for Failure {
    fn from(error: KeyplateError) -> Self {
        Self(Box::new(Details {
            status: error.code().into(),
            message: error.to_string(),
            http_status: error.http_status(),
            field: error.field(),
            retry_after: error.retry_after(),
            reason_code: error.reason_code(),
            reason_json: error.reason_json(),
            reason: match error {
                KeyplateError::InvalidInput { reason, .. } => Some(Reason::Input(reason)),
                KeyplateError::NotFound { what } => Some(Reason::NotFound(what)),
                KeyplateError::Conflict { what, .. } => Some(Reason::Conflict(what)),
                KeyplateError::Configuration { reason, .. } => Some(Reason::Configuration(reason)),
                KeyplateError::PermissionDenied { reason } => Some(Reason::Denial(reason)),
                KeyplateError::SignupRefused { reason } => Some(Reason::Signup(reason)),
                KeyplateError::PasskeyCeremonyFailed { reason } => Some(Reason::Passkey(reason)),
                _ => None,
            },
        }))
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
    unsafe { get(error, |error| Some(&error.0.message)) }
}

/// The field that is at fault; `ptr` is NULL where there is none. Borrowed from `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_field(error: *const keyplate_error) -> keyplate_str {
    // SAFETY: NULL or an error that is valid during the call.
    unsafe { get(error, |error| error.0.field.as_ref()) }
}

/// How many milliseconds to wait before trying again. False where waiting does not help.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_retry_after(
    error: *const keyplate_error,
    out: *mut i64,
) -> bool {
    // SAFETY: NULL or an error that is valid during the call; NULL or a place for a number.
    unsafe { get_into(error, |error| error.0.retry_after.as_ref(), out) }
}

/// The status with which HTTP says the same, for example 404; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_http_status(error: *const keyplate_error) -> i64 {
    // SAFETY: NULL or an error that is valid during the call.
    unsafe { peek(error) }.map_or(0, |error| error.0.http_status)
}

/// The name of the reason, such as `too_long`; it never changes. `ptr` is NULL where the error has none. Borrowed from
/// `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_reason_code(
    error: *const keyplate_error,
) -> keyplate_str {
    // SAFETY: NULL or an error that is valid during the call.
    unsafe { get(error, |error| error.0.reason_code.as_ref()) }
}

/// The reason as JSON: its `code` with its numbers and names, such as `{"code":"too_long","most":50}`. `ptr` is NULL where
/// the error has none. Borrowed from `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_reason_json(
    error: *const keyplate_error,
) -> keyplate_str {
    // SAFETY: NULL or an error that is valid during the call.
    unsafe { get(error, |error| error.0.reason_json.as_ref()) }
}

/// Which rule a value breaks; NULL unless the status is `KEYPLATE_STATUS_INVALID_INPUT`. Borrowed from `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_input_reason(
    error: *const keyplate_error,
) -> *const keyplate_input_reason {
    // SAFETY: NULL or an error that is valid during the call.
    unsafe {
        get(error, |error| match &error.0.reason {
            Some(Reason::Input(reason)) => Some(reason),
            _ => None,
        })
    }
}

/// What was not found; `KEYPLATE_THING_UNKNOWN` unless the status is `KEYPLATE_STATUS_NOT_FOUND`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_thing(error: *const keyplate_error) -> keyplate_thing {
    // SAFETY: NULL or an error that is valid during the call.
    unsafe {
        get(error, |error| match &error.0.reason {
            Some(Reason::NotFound(reason)) => Some(reason),
            _ => None,
        })
    }
}

/// What stands in the way; `KEYPLATE_CONFLICT_REASON_UNKNOWN` unless the status is `KEYPLATE_STATUS_CONFLICT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_conflict_reason(
    error: *const keyplate_error,
) -> keyplate_conflict_reason {
    // SAFETY: NULL or an error that is valid during the call.
    unsafe {
        get(error, |error| match &error.0.reason {
            Some(Reason::Conflict(reason)) => Some(reason),
            _ => None,
        })
    }
}

/// What is wrong with an option; NULL unless the status is `KEYPLATE_STATUS_CONFIGURATION`. Borrowed from `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_configuration_reason(
    error: *const keyplate_error,
) -> *const keyplate_configuration_reason {
    // SAFETY: NULL or an error that is valid during the call.
    unsafe {
        get(error, |error| match &error.0.reason {
            Some(Reason::Configuration(reason)) => Some(reason),
            _ => None,
        })
    }
}

/// What the caller lacks; NULL unless the status is `KEYPLATE_STATUS_PERMISSION_DENIED`. Borrowed from `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_denial_reason(
    error: *const keyplate_error,
) -> *const keyplate_denial_reason {
    // SAFETY: NULL or an error that is valid during the call.
    unsafe {
        get(error, |error| match &error.0.reason {
            Some(Reason::Denial(reason)) => Some(reason),
            _ => None,
        })
    }
}

/// Why somebody cannot sign up; `KEYPLATE_SIGNUP_REFUSAL_UNKNOWN` unless the status is `KEYPLATE_STATUS_SIGNUP_REFUSED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_signup_refusal(
    error: *const keyplate_error,
) -> keyplate_signup_refusal {
    // SAFETY: NULL or an error that is valid during the call.
    unsafe {
        get(error, |error| match &error.0.reason {
            Some(Reason::Signup(reason)) => Some(reason),
            _ => None,
        })
    }
}

/// Why a passkey ceremony failed; `KEYPLATE_PASSKEY_FAILURE_UNKNOWN` where none did.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_get_passkey_failure(
    error: *const keyplate_error,
) -> keyplate_passkey_failure {
    // SAFETY: NULL or an error that is valid during the call.
    unsafe {
        get(error, |error| match &error.0.reason {
            Some(Reason::Passkey(reason)) => Some(reason),
            _ => None,
        })
    }
}

/// Frees it; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn keyplate_error_free(error: *mut keyplate_error) {
    // SAFETY: NULL or an error that the caller gives up.
    unsafe { free(error) }
}
