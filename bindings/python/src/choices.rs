//! Enums without data: their classes are Python's own, in `keyplate.enums`, and what is handed out is a member of these.

use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    sync::PyOnceLock,
    types::{PyModule, PyTuple},
};

use crate::exit::UnderWay;

/// The members of a class, in the order of `Choice::NUMBERS`.
pub(crate) type Members = PyOnceLock<Py<PyTuple>>;

/// An enum of `generated.rs`; its members are looked up once.
pub(crate) trait Choice: Copy + 'static {
    /// The class in `keyplate.enums`.
    const NAME: &'static str;
    /// The members' numbers, in the order of the variants.
    const NUMBERS: &'static [i32];
    /// All variants.
    const VARIANTS: &'static [Self];

    /// The place among the variants.
    fn place(self) -> usize;

    fn cache() -> &'static Members;
}

fn members<'py, T: Choice>(py: Python<'py>) -> PyResult<&'py Bound<'py, PyTuple>> {
    let find = || {
        // This runs code of Python's, also before a call has begun.
        let _under_way = UnderWay::begin(py);
        let class = PyModule::import(py, "keyplate.enums")?.getattr(T::NAME)?;
        let members = T::NUMBERS.iter().map(|number| class.call1((*number,)));
        let members: Vec<_> = members.collect::<PyResult<_>>()?;
        PyTuple::new(py, members).map(Bound::unbind)
    };
    Ok(T::cache().get_or_try_init(py, find)?.bind(py))
}

/// The member that stands for this value.
pub(crate) fn to_member<T: Choice>(py: Python<'_>, value: T) -> PyResult<Bound<'_, PyAny>> {
    members::<T>(py)?.get_item(value.place())
}

/// The value that a member stands for. There is one object a member, so this compares no numbers: 1 is no role.
pub(crate) fn from_member<T: Choice>(value: Borrowed<'_, '_, PyAny>) -> PyResult<T> {
    let members = members::<T>(value.py())?;
    let place = members.iter_borrowed().position(|member| member.is(value));
    place
        .map(|place| T::VARIANTS[place])
        .ok_or_else(|| PyTypeError::new_err(format!("must be a keyplate.{}", T::NAME)))
}
