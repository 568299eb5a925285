use std::cell::Cell as Place;

#[cfg(feature = "postgres")]
use super::postgres;
use super::sqlite;
use crate::{
    db::{Cell, Column, malformed},
    error::{Result, internal},
};

/// A row of a result.
pub(crate) struct Row<'r, 's> {
    cells: Cells<'r, 's>,
    /// What stands before belongs to the engine.
    first: usize,
    /// Where the next name is looked for.
    next: Place<usize>,
}

/// The row as its driver gives it.
#[derive(Clone, Copy)]
pub(super) enum Cells<'r, 's> {
    Sqlite(sqlite::Cells<'r, 's>),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Cells<'r>),
}

impl<'r, 's> From<sqlite::Cells<'r, 's>> for Cells<'r, 's> {
    fn from(cells: sqlite::Cells<'r, 's>) -> Self {
        Self::Sqlite(cells)
    }
}

#[cfg(feature = "postgres")]
impl<'r> From<postgres::Cells<'r>> for Cells<'r, '_> {
    fn from(cells: postgres::Cells<'r>) -> Self {
        Self::Postgres(cells)
    }
}

impl<'r> Cells<'r, '_> {
    fn width(self) -> usize {
        match self {
            Self::Sqlite(cells) => cells.width(),
            #[cfg(feature = "postgres")]
            Self::Postgres(cells) => cells.width(),
        }
    }

    fn is_named(self, place: usize, name: &str) -> bool {
        match self {
            Self::Sqlite(cells) => cells.is_named(place, name),
            #[cfg(feature = "postgres")]
            Self::Postgres(cells) => cells.is_named(place, name),
        }
    }

    fn cell(self, place: usize) -> Result<Option<Cell<'r>>> {
        match self {
            Self::Sqlite(cells) => cells.cell(place),
            #[cfg(feature = "postgres")]
            Self::Postgres(cells) => cells.cell(place),
        }
    }
}

impl<'r, 's> Row<'r, 's> {
    pub(super) fn new(cells: Cells<'r, 's>) -> Self {
        Self {
            cells,
            first: 0,
            next: Place::new(0),
        }
    }

    /// The row without its first columns.
    pub(super) fn after(&self, first: usize) -> Self {
        Self {
            cells: self.cells,
            first,
            next: Place::new(first),
        }
    }

    /// The column of this name. Names are asked for in the order of the statement, or nearly: then it is the next one.
    pub(crate) fn get<T: Column>(&self, name: &str) -> Result<T> {
        let next = self.next.get();
        let mut places = (next..self.cells.width()).chain(self.first..next);
        let place = places
            .find(|&place| self.cells.is_named(place, name))
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
        let found = self.cells.cell(self.first + place)?;
        Ok(matches!(found, Some(Cell::Text(found)) if found == text))
    }

    fn read<T: Column>(&self, place: usize) -> Result<Option<T>> {
        Ok(self.cells.cell(place)?.and_then(T::read))
    }
}
