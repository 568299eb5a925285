//! The server as its clients see it: each test starts the program itself, on a port and a folder of its own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod api_keys;
mod bodies;
mod callers;
mod conventions;
mod lists;
mod process;
mod sessions;
mod setup;
mod storage;
mod support;
mod users;
