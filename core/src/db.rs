//! All SQL and nothing else: no rule is decided here, and above this module nobody writes SQL.
//!
//! Only `engine` and its parts name the driver; `<noun>.rs` are written against its `Reader`, `Writer`, `Row` and `Param`, in the SQL
//! that SQLite and PostgreSQL share (D6).

pub(crate) mod api_keys;
pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod ceremonies;
pub(crate) mod claims;
pub(crate) mod groups;
pub(crate) mod instance;
pub(crate) mod one_time_tokens;
pub(crate) mod passkeys;
pub(crate) mod plans;
pub(crate) mod services;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod setup;
pub(crate) mod signing_keys;
pub(crate) mod signup_tokens;
pub(crate) mod statistics;
pub(crate) mod users;

mod engine;
mod value;

pub(crate) use engine::{Engine, Options, Reader, Row, Writer, hold_still};
pub use engine::{ForkGuard, before_fork, run_transactions_twice};
pub(crate) use value::{Cell, Column, Param, malformed, params};

/// A page of a list as the caller asked for it, already within bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageRequest {
    /// From 1.
    pub(crate) page: u32,
    pub(crate) limit: u32,
}

impl PageRequest {
    /// The page to give when there are so many rows: one past the end is the last one.
    pub(crate) fn within(self, total: u64) -> Self {
        let last = total.div_ceil(u64::from(self.limit)).max(1);
        Self {
            page: self.page.min(u32::try_from(last).unwrap_or(u32::MAX)),
            ..self
        }
    }

    pub(crate) fn offset(self) -> i64 {
        i64::from(self.page - 1) * i64::from(self.limit)
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
