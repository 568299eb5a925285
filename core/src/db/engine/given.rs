//! What a closure gives, handed past what runs it.
//!
//! Opening, retrying and committing a transaction are the same for every method. Were they generic over its result, each of
//! some two hundred methods would have a copy: a megabyte of the library.

use std::cell::Cell;

use crate::error::{Result, internal};

/// Of a closure that may run more than once the last result counts.
pub(crate) struct Given<T>(Cell<Option<T>>);

impl<T> Given<T> {
    pub(crate) fn nothing() -> Self {
        Self(Cell::new(None))
    }

    pub(crate) fn keep(&self, result: Result<T>) -> Result<()> {
        self.0.set(Some(result?));
        Ok(())
    }

    /// After the closure has run.
    pub(crate) fn take(self) -> Result<T> {
        let given = self.0.into_inner();
        given.ok_or_else(|| internal("a transaction was committed that never ran"))
    }
}
