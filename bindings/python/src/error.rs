//! Core's errors as Python's exceptions, which are defined in `keyplate.errors`.

use ::keyplate::{InputReason, KeyplateError};
use pyo3::prelude::*;

use crate::{
    convert::Give,
    exit::UnderWay,
    generated::{PasskeyFailure, describe},
};

/// The name of a class in `keyplate.errors`, and the attributes of its own.
pub(crate) type Description = (&'static str, Vec<(&'static str, Py<PyAny>)>);

/// The exception for an error of core's; should making it fail, the exception that says why.
pub(crate) fn to_py(py: Python<'_>, error: KeyplateError) -> PyErr {
    // Also of an argument that is refused before a call has begun.
    let _under_way = UnderWay::begin(py);
    make(py, error).unwrap_or_else(|failure| failure)
}

/// The exception for an argument that core never saw.
pub(crate) fn invalid(field: &str, reason: InputReason) -> PyErr {
    let error = KeyplateError::InvalidInput {
        field: field.to_owned(),
        reason,
    };
    Python::attach(|py| to_py(py, error))
}

fn make(py: Python<'_>, error: KeyplateError) -> PyResult<PyErr> {
    let (message, code) = (error.to_string(), error.code() as i32);
    let (field, retry_after) = (error.field(), error.retry_after());
    let (reason_code, reason_json) = (error.reason_code(), error.reason_json());
    let http_status = error.http_status();
    let passkey_failure: Option<PasskeyFailure> = error.passkey_failure().give();
    let (class, attributes) = describe(py, error)?;
    let module = py.import("keyplate.errors")?;
    let exception = module.getattr(class)?.call1((message,))?;
    exception.setattr("code", module.getattr("ErrorCode")?.call1((code,))?)?;
    exception.setattr("field", field)?;
    exception.setattr("retry_after", retry_after)?;
    exception.setattr("reason_code", reason_code)?;
    exception.setattr("reason_json", reason_json)?;
    exception.setattr("http_status", http_status)?;
    exception.setattr("passkey_failure", passkey_failure)?;
    for (name, value) in attributes {
        exception.setattr(name, value)?;
    }
    Ok(PyErr::from_value(exception))
}
