//! `Secret`: printed redacted.

use std::sync::Arc;

use pyo3::{exceptions::PyTypeError, prelude::*, types::PyString};

use crate::convert::{Give, Take};

/// A secret: redacted wherever it is printed, wiped when it is dropped.
#[pyclass(frozen, eq, from_py_object, module = "keyplate")]
#[derive(Clone, Debug)]
pub(crate) struct Secret(Arc<::keyplate::Secret>);

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Give<Secret> for Arc<::keyplate::Secret> {
    fn give(self) -> Secret {
        Secret(self)
    }
}

/// A secret on its way in: a `Secret`, or its text.
#[derive(Debug)]
pub(crate) struct SecretText(Secret);

impl<'a, 'py> FromPyObject<'a, 'py> for SecretText {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = value.cast::<PyString>() {
            return Ok(Self(Secret::new(text.to_str()?.to_owned())));
        }
        let secret = value.extract::<Secret>();
        secret
            .map(Self)
            .map_err(|_| PyTypeError::new_err("a secret is a keyplate.Secret or its text"))
    }
}

impl Take<Arc<::keyplate::Secret>> for SecretText {
    fn take(self, _: &str) -> PyResult<Arc<::keyplate::Secret>> {
        Ok(self.0.0)
    }
}

#[pymethods]
impl Secret {
    #[new]
    fn new(value: String) -> Self {
        Self(Arc::new(::keyplate::Secret::new(value)))
    }

    /// The secret itself. Show it once and store it nowhere.
    fn reveal(&self) -> &str {
        self.0.as_str()
    }

    fn __repr__(&self) -> String {
        self.0.to_string()
    }
}
