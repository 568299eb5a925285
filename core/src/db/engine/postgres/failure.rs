//! What the server's and the driver's errors are called here (D5). None is ever an invalid credential, and no SQL is in one.
//! Whoever knows the server adds it (`Server::explained`).

use std::error::Error as _;

use postgres::error::{Error, SqlState};

use super::session::Trouble;
use crate::error::{KeyplateError, internal};

/// The two kinds of refusal after which all is run again, and what ends a connection.
pub(super) fn trouble(error: &Error) -> Trouble {
    let Some(state) = error.code() else {
        // No word from the server: it is not there any more, or never was. A value that the driver itself refuses
        // ends nothing.
        let is_ours = error
            .source()
            .is_some_and(|source| !source.is::<std::io::Error>());
        return match error.is_closed() || !is_ours {
            true => Trouble::Gone,
            false => Trouble::None,
        };
    };
    if [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
    ]
    .contains(state)
    {
        return Trouble::Overtaken;
    }
    if *state == SqlState::UNIQUE_VIOLATION {
        return Trouble::Met;
    }
    match ends_connection(state) {
        true => Trouble::Gone,
        false => Trouble::None,
    }
}

/// 57P01 to 57P05: the server stops, fell, starts, or has no such database, or this was idle for too long; 08: the connection.
/// 25006 in a transaction that may write: this server has become a standby.
fn ends_connection(state: &SqlState) -> bool {
    state.code().starts_with("57P") || state.code().starts_with("08")
}

pub(super) fn failure(error: &Error) -> KeyplateError {
    let path = String::new();
    let failed = |reason: &str| KeyplateError::StorageFailed {
        path: String::new(),
        reason: reason.to_owned(),
    };
    let Some(state) = error.code() else {
        let words = error.source().map(ToString::to_string);
        return failed(&words.map_or_else(
            || "the connection to the server has ended".to_owned(),
            |words| in_words(&words),
        ));
    };
    match state.code() {
        // It is run again, or somebody else has the turn, or all connections are taken, or the server is starting.
        "40001" | "40P01" | "55P03" | "53300" | "57P03" => KeyplateError::Busy,
        "25006" => KeyplateError::StorageReadOnly { path },
        "53100" => KeyplateError::StorageFull { path },
        "53200" => failed("the server is out of memory"),
        "57014" => failed("the server cancelled a statement"),
        "3D000" => failed("the server has no such database"),
        "42501" => failed("the role may not do this in the database"),
        "XX001" | "XX002" => KeyplateError::CorruptDatabase {
            reason: "the server cannot read a page".to_owned(),
        },
        state if state.starts_with("28") => failed("the server refuses this role or password"),
        state if state.starts_with("57P") || state.starts_with("08") => {
            failed("the server has ended the connection")
        }
        state if state.starts_with("58") => failed("the server's disk fails"),
        state => internal(format!("PostgreSQL {state}")),
    }
}

/// The system's words, as ours are written.
fn in_words(words: &str) -> String {
    let words = words.split(" (os error").next().unwrap_or_default();
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).collect()
}
