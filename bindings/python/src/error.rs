//! Core's errors as Python's exceptions, which are defined in `keyplate.errors`.

use ::keyplate::KeyplateError;
use pyo3::prelude::*;

use crate::{
    convert::Give,
    generated::{PasskeyFailure, describe},
};

/// The name of a class in `keyplate.errors`, and the attributes of its own.
pub(crate) type Description = (&'static str, Vec<(&'static str, Py<PyAny>)>);

/// The exception for an error of core's; should making it fail, the exception that says why.
pub(crate) fn to_py(py: Python<'_>, error: KeyplateError) -> PyErr {
    make(py, error).unwrap_or_else(|failure| failure)
}

/// The exception for an argument that core never saw.
pub(crate) fn invalid(field: &str, reason: &str) -> PyErr {
    let error = KeyplateError::InvalidInput {
        field: field.to_owned(),
        reason: reason.to_owned(),
    };
    Python::attach(|py| to_py(py, error))
}

fn make(py: Python<'_>, error: KeyplateError) -> PyResult<PyErr> {
    let (message, code) = (error.to_string(), error.code() as i32);
    let (field, retry_after) = (error.field(), error.retry_after());
    let passkey_failure: Option<PasskeyFailure> = error.passkey_failure().give();
    let (class, attributes) = describe(py, error)?;
    let module = py.import("keyplate.errors")?;
    let exception = module.getattr(class)?.call1((message,))?;
    exception.setattr("code", module.getattr("ErrorCode")?.call1((code,))?)?;
    exception.setattr("field", field)?;
    exception.setattr("retry_after", retry_after)?;
    exception.setattr("passkey_failure", passkey_failure)?;
    for (name, value) in attributes {
        exception.setattr(name, value)?;
    }
    Ok(PyErr::from_value(exception))
}
