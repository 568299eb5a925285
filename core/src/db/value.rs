//! What goes into and comes out of the database, without naming the driver (D6).

use std::time::SystemTime;

use crate::{
    clock,
    error::KeyplateError,
    model::{
        ids::{
            ApiKeyId, AppPasswordId, DeviceLinkId, DeviceLoginId, GroupId, OneTimeTokenId,
            PasskeyId, ServiceId, SessionId, SignupRedemptionId, SignupTokenId, UserId,
        },
        named::Named,
    },
    values::scopes::Scopes,
};

/// A numbered parameter of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Param<'a> {
    /// PostgreSQL asks for the type of what is not there.
    Null(Kind),
    Integer(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// The types that both engines have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Text,
    Blob,
}

/// A type whose values are always of one kind.
pub(crate) trait OfKind {
    const KIND: Kind;
}

/// A column of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// A type that a column can be read as; `None` when the column holds something else.
pub(crate) trait Column: Sized {
    fn read(cell: Cell<'_>) -> Option<Self>;
}

/// The parameters of a statement, in order.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Param::from($value)),*] };
}
pub(crate) use params;

/// The column's name, or its place.
pub(crate) fn malformed(column: impl std::fmt::Display) -> KeyplateError {
    KeyplateError::CorruptDatabase {
        reason: format!("column {column} of a row is malformed"),
    }
}

impl<T: Named> From<T> for Param<'_> {
    fn from(value: T) -> Self {
        Self::Text(value.name())
    }
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for Param<'_> {
    fn from(value: u32) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<SystemTime> for Param<'_> {
    fn from(value: SystemTime) -> Self {
        Self::Integer(clock::to_millis(value))
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Blob(value)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Param<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Blob(value)
    }
}

impl<'a, T: OfKind> From<Option<T>> for Param<'a>
where
    Param<'a>: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null(T::KIND), Self::from)
    }
}

impl<T: Named> OfKind for T {
    const KIND: Kind = Kind::Text;
}

macro_rules! kinds {
    ($($kind:ident: $($of:ty),*;)*) => { $($(
        impl OfKind for $of {
            const KIND: Kind = Kind::$kind;
        }
    )*)* };
}
kinds! {
    Integer: i64, u32, bool, SystemTime;
    Text: &str, &String;
    Blob: &[u8];
}

impl<const N: usize> OfKind for &[u8; N] {
    const KIND: Kind = Kind::Blob;
}

impl<T: Named> Column for T {
    fn read(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Text(name) => T::named(name),
            _ => None,
        }
    }
}

impl Column for i64 {
    fn read(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Integer(value) => Some(value),
            _ => None,
        }
    }
}

impl Column for u32 {
    fn read(cell: Cell<'_>) -> Option<Self> {
        i64::read(cell).and_then(|value| Self::try_from(value).ok())
    }
}

impl Column for bool {
    fn read(cell: Cell<'_>) -> Option<Self> {
        i64::read(cell).map(|value| value != 0)
    }
}

impl Column for String {
    fn read(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl Column for Scopes {
    fn read(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Text(text) => Some(Self::from_stored(text)),
            _ => None,
        }
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Blob(bytes) => bytes.try_into().ok(),
            _ => None,
        }
    }
}

impl Column for Vec<u8> {
    fn read(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Blob(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}

impl Column for SystemTime {
    fn read(cell: Cell<'_>) -> Option<Self> {
        i64::read(cell).and_then(clock::from_stored)
    }
}

impl<T: Column> Column for Option<T> {
    fn read(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            cell => T::read(cell).map(Some),
        }
    }
}

macro_rules! ids {
    ($($id:ident),*) => { $(
        impl<'a> From<&'a $id> for Param<'a> {
            fn from(id: &'a $id) -> Self {
                Self::Text(id.as_str())
            }
        }

        impl OfKind for &$id {
            const KIND: Kind = Kind::Text;
        }

        impl Column for $id {
            fn read(cell: Cell<'_>) -> Option<Self> {
                match cell {
                    Cell::Text(text) => Self::from_stored(text),
                    _ => None,
                }
            }
        }
    )* };
}
ids!(
    UserId,
    SessionId,
    ApiKeyId,
    GroupId,
    SignupTokenId,
    SignupRedemptionId,
    OneTimeTokenId,
    PasskeyId,
    ServiceId,
    AppPasswordId,
    DeviceLoginId,
    DeviceLinkId
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::users::Role;

    #[test]
    fn what_is_not_there_has_a_type() {
        let kinds = [
            (Param::from(None::<i64>), Kind::Integer),
            (Param::from(None::<SystemTime>), Kind::Integer),
            (Param::from(None::<&str>), Kind::Text),
            (Param::from(None::<Role>), Kind::Text),
            (Param::from(None::<&UserId>), Kind::Text),
            (Param::from(None::<&[u8]>), Kind::Blob),
            (Param::from(None::<&[u8; 32]>), Kind::Blob),
        ];
        for (param, kind) in kinds {
            assert_eq!(param, Param::Null(kind));
        }
        assert_eq!(Param::from(Some(7_i64)), Param::Integer(7));
    }
}
