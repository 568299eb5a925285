//! The leaves of all types on their way between core and Python, and the call itself.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, SystemTime},
};

use ::keyplate::{InputReason, KeyplateError};
use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    sync::PyOnceLock,
    types::{IntoPyDict, PyBytes, PyString, PyTuple, PyType},
};

use crate::{
    callbacks::take_raised,
    error::{invalid, to_py},
    exit::UnderWay,
};

/// From core to Python.
pub(crate) trait Give<T> {
    fn give(self) -> T;
}

/// From Python to core; `name` is the argument's, for the error.
pub(crate) trait Take<T> {
    fn take(self, name: &str) -> PyResult<T>;
}

/// Runs a call of core's without the GIL; a panic becomes an ordinary exception.
pub(crate) fn call<T: Send + Give<U>, U>(
    py: Python<'_>,
    work: impl FnOnce() -> ::keyplate::Result<T> + Send,
) -> PyResult<U> {
    let under_way = UnderWay::begin(py);
    let result = py.detach(|| {
        let result = catch_unwind(AssertUnwindSafe(work));
        under_way.before_return();
        result
    });
    let result = result.unwrap_or_else(|_| {
        Err(KeyplateError::Internal {
            reason: "a panic in the library".to_owned(),
        })
    });
    let given = match take_raised() {
        Some(error) => Err(error),
        None => result.map(Give::give).map_err(|error| to_py(py, error)),
    };
    // Making Python's values runs code of Python's, which gives up the GIL now and then.
    drop(under_way);
    given
}

/// Runs what cannot fail without the GIL.
pub(crate) fn detached(py: Python<'_>, work: impl FnOnce() + Send) {
    let under_way = UnderWay::begin(py);
    py.detach(|| {
        work();
        under_way.before_return();
    });
    drop(under_way);
    if let Some(error) = take_raised() {
        // There is no call that could raise it.
        error.write_unraisable(py, None);
    }
}

/// `Name(field=value, ...)`, with the fields that can be matched.
pub(crate) fn repr(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let _under_way = UnderWay::begin(value.py());
    let class = value.get_type();
    let mut parts = Vec::new();
    for name in class.getattr("__match_args__")?.try_iter()? {
        let name = name?.cast_into::<PyString>()?;
        parts.push(format!("{name}={}", value.getattr(&name)?.repr()?));
    }
    let name = class.qualname()?;
    Ok(format!("{name}({})", parts.join(", ")))
}

/// How pickle makes a value again: its class and the class's arguments.
pub(crate) type Reduced<'py> = (Bound<'py, PyType>, Bound<'py, PyTuple>);

/// A value whose constructor takes what can be matched, in that order.
pub(crate) fn reduce<'py>(value: &Bound<'py, PyAny>) -> PyResult<Reduced<'py>> {
    let class = value.get_type();
    let _under_way = UnderWay::begin(value.py());
    let names = class.getattr("__match_args__")?.try_iter()?;
    let arguments = names.map(|name| value.getattr(name?.cast_into::<PyString>()?));
    let arguments = arguments.collect::<PyResult<Vec<_>>>()?;
    Ok((class, PyTuple::new(value.py(), arguments)?))
}

macro_rules! same {
    ($($ty:ty),*) => { $(
        impl Give<$ty> for $ty {
            fn give(self) -> $ty {
                self
            }
        }

        impl Take<$ty> for $ty {
            fn take(self, _: &str) -> PyResult<$ty> {
                Ok(self)
            }
        }
    )* };
}
same!((), String, bool, i64, SystemTime, Duration);

impl<T: Give<U>, U> Give<Option<U>> for Option<T> {
    fn give(self) -> Option<U> {
        self.map(Give::give)
    }
}

impl<T: Take<U>, U> Take<Option<U>> for Option<T> {
    fn take(self, name: &str) -> PyResult<Option<U>> {
        self.map(|value| value.take(name)).transpose()
    }
}

impl<T: Give<U>, U> Give<Vec<U>> for Vec<T> {
    fn give(self) -> Vec<U> {
        self.into_iter().map(Give::give).collect()
    }
}

impl<T: Take<U>, U> Take<Vec<U>> for Vec<T> {
    fn take(self, name: &str) -> PyResult<Vec<U>> {
        self.into_iter().map(|value| value.take(name)).collect()
    }
}

/// `bytes`, both ways.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bytes(Vec<u8>);

impl<'py> IntoPyObject<'py> for Bytes {
    type Target = PyBytes;
    type Output = Bound<'py, PyBytes>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        Ok(PyBytes::new(py, &self.0))
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Bytes {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(value.extract::<&[u8]>()?.to_vec()))
    }
}

impl Give<Bytes> for Vec<u8> {
    fn give(self) -> Bytes {
        Bytes(self)
    }
}

impl Take<Vec<u8>> for Bytes {
    fn take(self, _: &str) -> PyResult<Vec<u8>> {
        Ok(self.0)
    }
}

/// The path of a file: text, or what `os.fspath` makes text of.
#[derive(Debug)]
pub(crate) struct PathText(String);

impl<'a, 'py> FromPyObject<'a, 'py> for PathText {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let _under_way = UnderWay::begin(value.py());
        let path = value.py().import("os")?.call_method1("fspath", (value,))?;
        Ok(Self(path.extract()?))
    }
}

impl Take<String> for PathText {
    fn take(self, _: &str) -> PyResult<String> {
        Ok(self.0)
    }
}

/// An id: a `uuid.UUID` on its way out, made when somebody looks at it; that or text on its way in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Id(Box<str>);

impl Id {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    pub(crate) fn parse<T>(
        &self,
        name: &str,
        parse: fn(&str) -> ::keyplate::Result<T>,
    ) -> PyResult<T> {
        // Named after the argument, not after the kind of id.
        parse(&self.0).map_err(|_| invalid(name, InputReason::NotUuid))
    }

    /// From the number that a UUID is: reading it costs a tenth of `str(uuid)`.
    fn from_number(number: u128) -> Self {
        let hex = format!("{number:032x}");
        let parts = [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ];
        Self(parts.join("-").into())
    }

    fn number(&self) -> PyResult<u128> {
        let hex: String = self.0.chars().filter(|letter| *letter != '-').collect();
        u128::from_str_radix(&hex, 16).map_err(|_| invalid("id", InputReason::NotUuid))
    }
}

/// `uuid.UUID`, imported once.
fn uuid_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    CLASS.import(py, "uuid", "UUID")
}

impl<'py> IntoPyObject<'py> for Id {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        // `UUID` is written in Python, and this is a getter of many records.
        let _under_way = UnderWay::begin(py);
        let arguments = [("int", self.number()?)].into_py_dict(py)?;
        uuid_class(py)?.call((), Some(&arguments))
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Id {
    type Error = PyErr;

    fn extract(value: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = value.cast::<PyString>() {
            return Ok(Self::new(text.to_str()?));
        }
        let _under_way = UnderWay::begin(value.py());
        if value.is_instance(uuid_class(value.py())?)? {
            return Ok(Self::from_number(value.getattr("int")?.extract()?));
        }
        Err(PyTypeError::new_err("an id is a uuid.UUID or its text"))
    }
}
