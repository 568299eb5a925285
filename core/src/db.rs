//! All SQL and nothing else: no rule is decided here, and above this module nobody writes SQL.
//!
//! Only `engine/sqlite` names the driver; `<noun>.rs` are written against its `Reader`, `Writer`, `Row` and `Param`, in the SQL
//! that SQLite and PostgreSQL share (D6).

pub(crate) mod api_keys;
pub(crate) mod app_passwords;
pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod ceremonies;
pub(crate) mod claims;
pub(crate) mod collisions;
pub(crate) mod device_links;
pub(crate) mod device_logins;
pub(crate) mod former_names;
pub(crate) mod groups;
pub(crate) mod instance;
pub(crate) mod one_time_tokens;
pub(crate) mod passkeys;
pub(crate) mod plans;
pub(crate) mod service_sessions;
pub(crate) mod services;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod setup;
pub(crate) mod signing_keys;
pub(crate) mod signup_tokens;
pub(crate) mod statistics;
pub(crate) mod users;

mod columns;
mod engine;
mod value;

pub(crate) use engine::{
    Engine, Given, LookUp, Options, Place, Reader, Row, Writer, anchor_columns, hold_still,
    look_up, server_clock,
};
pub use engine::{
    ForkGuard, RestoredBackup, before_fork, check_ownership, give_up_waiting_if, restore_backup,
    run_transactions_twice,
};
#[cfg(feature = "postgres")]
pub(crate) use value::Kind;
pub(crate) use value::{Cell, Column, Param, malformed, params};

/// A page of a list as the caller asked for it, already within bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageRequest {
    /// From 1.
    pub(crate) page: i64,
    pub(crate) limit: i64,
}

impl PageRequest {
    pub(crate) const ALL: Self = Self {
        page: 1,
        limit: i64::MAX,
    };

    /// How many rows come before it. It may lie past the end, where there are none.
    pub(crate) fn offset(self) -> i64 {
        (self.page - 1).saturating_mul(self.limit)
    }
}

/// The column that a list is sorted by. What is not there is the least of all: SQLite says so, PostgreSQL the opposite.
#[derive(Clone, Copy, Debug)]
enum Sort {
    Filled(&'static str),
    Nullable(&'static str),
}

impl Sort {
    /// With the id in the same direction, so that the order is always the same.
    fn order(self, descending: bool) -> String {
        let direction = if descending { "DESC" } else { "ASC" };
        match self {
            Self::Filled(column) => format!("{column} {direction}, id {direction}"),
            Self::Nullable(column) => {
                let end = if descending { "LAST" } else { "FIRST" };
                format!("{column} {direction} NULLS {end}, id {direction}")
            }
        }
    }
}

/// A `LIKE` pattern that finds the text anywhere, `%` and `_` taken literally; use it with `ESCAPE '\'`.
pub(crate) fn contains_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
