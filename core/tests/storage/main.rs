//! D1, D2, D5: what `open` refuses, and what happens when the ground gives way.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

#[path = "../common/mod.rs"]
mod common;

mod belonging;
mod full;
mod ground;
mod opening;
mod opening_fails;
mod paths;
mod sealing;

use std::path::Path;

use keyplate::{Config, Keyplate};
use rusqlite::Connection;

use crate::common::*;

fn raw(path: &Path) -> Connection {
    #[expect(clippy::disallowed_methods, reason = "the test plays another program")]
    Connection::open(path).unwrap()
}

fn open(path: &Path) -> keyplate::Result<Keyplate> {
    Keyplate::open(Config {
        busy_timeout_ms: Some(200),
        ..config(path)
    })
}
