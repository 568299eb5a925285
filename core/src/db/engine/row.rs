use std::cell::Cell as Place;

use rusqlite::types::ValueRef;

use super::failure;
use crate::{
    db::{Cell, Column, malformed},
    error::{Result, internal},
};

/// A row of a result.
pub(crate) struct Row<'r, 's> {
    row: &'r rusqlite::Row<'s>,
    /// What stands before belongs to the engine.
    first: usize,
    /// Where the next name is looked for.
    next: Place<usize>,
}

impl<'r, 's> Row<'r, 's> {
    pub(super) fn new(row: &'r rusqlite::Row<'s>) -> Self {
        Self {
            row,
            first: 0,
            next: Place::new(0),
        }
    }

    /// The row without its first columns.
    pub(super) fn after(&self, first: usize) -> Self {
        Self {
            row: self.row,
            first,
            next: Place::new(first),
        }
    }

    /// The column of this name. Names are asked for in the order of the statement, or nearly: then it is the next one.
    pub(crate) fn get<T: Column>(&self, name: &str) -> Result<T> {
        let statement = self.row.as_ref();
        let next = self.next.get();
        let mut places = (next..statement.column_count()).chain(self.first..next);
        let place = places
            .find(|&place| {
                statement
                    .column_name(place)
                    .is_ok_and(|other| other == name)
            })
            .ok_or_else(|| internal(format!("a statement gives no column {name}")))?;
        self.next.set(place + 1);
        self.read(place)?.ok_or_else(|| malformed(name))
    }

    /// The column in this place, for results of one column, and where looking for names would take too long.
    pub(crate) fn at<T: Column>(&self, place: usize) -> Result<T> {
        self.read(self.first + place)?
            .ok_or_else(|| malformed(place))
    }

    /// Whether this text is in this place; it is not taken out.
    pub(super) fn is_text(&self, place: usize, text: &str) -> Result<bool> {
        let found = self.row.get_ref(self.first + place).map_err(failure)?;
        Ok(found == ValueRef::Text(text.as_bytes()))
    }

    fn read<T: Column>(&self, place: usize) -> Result<Option<T>> {
        let cell = match self.row.get_ref(place).map_err(failure)? {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(value) => Cell::Integer(value),
            ValueRef::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => Cell::Text(text),
                Err(_) => return Ok(None),
            },
            ValueRef::Blob(bytes) => Cell::Blob(bytes),
            ValueRef::Real(_) => return Ok(None),
        };
        Ok(T::read(cell))
    }
}
