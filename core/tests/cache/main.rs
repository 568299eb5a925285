//! D7: what is kept in memory of look-ups is exact across processes, and costs nobody a lock.
//!
//! A binary of its own, as it forks and kills, and as other tests' handles would hold up its hooks.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

#[path = "../common/mod.rs"]
mod common;

mod board;
mod exact;
mod locks;
