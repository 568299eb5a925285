//! `datetime` on its way to core.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use ::keyplate::InputReason;
use pyo3::{
    exceptions::{PyException, PyTypeError},
    prelude::*,
    sync::PyOnceLock,
    types::PyType,
};

use crate::{
    convert::{Give, Take},
    error::invalid,
};

/// A `datetime` from Python. One without a time zone names no point in time; it is kept until it is taken, so that the
/// error can name the argument. Core refuses what lies outside of its range.
#[derive(Clone, Debug)]
pub(crate) enum Time {
    Known(SystemTime),
    Unknown(Arc<Py<PyAny>>),
}

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Known(one), Self::Known(two)) => one == two,
            (Self::Unknown(one), Self::Unknown(two)) => Arc::ptr_eq(one, two),
            _ => false,
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Time {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let py = value.py();
        if !value.is_instance(class(py)?)? {
            return Err(PyTypeError::new_err("a time is a datetime.datetime"));
        }
        match since_1970(&value) {
            Ok(time) => Ok(Self::Known(time)),
            // It has no time zone, or one that fails.
            Err(error) if error.is_instance_of::<PyException>(py) => {
                Ok(Self::Unknown(Arc::new(value.to_owned().unbind())))
            }
            Err(error) => Err(error),
        }
    }
}

impl<'py> IntoPyObject<'py> for Time {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        match self {
            Self::Known(time) => Ok(time.into_pyobject(py)?.into_any()),
            Self::Unknown(value) => Ok(value.bind(py).clone()),
        }
    }
}

impl Give<Time> for SystemTime {
    fn give(self) -> Time {
        Time::Known(self)
    }
}

impl Take<SystemTime> for Time {
    fn take(self, name: &str) -> PyResult<SystemTime> {
        match self {
            Self::Known(time) => Ok(time),
            Self::Unknown(_) => Err(invalid(
                name,
                InputReason::WrongType {
                    expected: "a datetime with a time zone".to_owned(),
                },
            )),
        }
    }
}

/// `datetime.datetime`, imported once.
fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "datetime", "datetime")
}

/// 1970-01-01T00:00:00Z, made once.
fn epoch(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static EPOCH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let epoch = EPOCH.get_or_try_init(py, || {
        let utc = py.import("datetime")?.getattr("timezone")?.getattr("utc")?;
        let made = class(py)?.call1((1970, 1, 1, 0, 0, 0, 0, utc))?;
        Ok::<_, PyErr>(made.unbind())
    })?;
    Ok(epoch.bind(py))
}

/// The point in time, before 1970 too. Every difference of two `datetime`s fits.
fn since_1970(value: &Bound<'_, PyAny>) -> PyResult<SystemTime> {
    let span = value.sub(epoch(value.py())?)?;
    let part = |name: &str| span.getattr(name)?.extract::<i64>();
    let seconds = part("days")? * 86_400 + part("seconds")?;
    let micros = Duration::from_micros(part("microseconds")?.unsigned_abs());
    let whole = Duration::from_secs(seconds.unsigned_abs());
    Ok(if seconds < 0 {
        UNIX_EPOCH - whole + micros
    } else {
        UNIX_EPOCH + whole + micros
    })
}
