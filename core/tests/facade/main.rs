//! The facade as a host in Rust sees it: one file or folder a noun.
//!
//! Binaries of their own are `storage` and `backup`, which mount small disks; `fork`, as its hook holds up every handle of
//! the process; and `scenarios`. A test that wants other processes starts this binary again for one test of its file, the
//! `worker` (`common/process.rs`): it may stand here.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

#[path = "../common/mod.rs"]
mod common;

mod access_tokens;
mod api_keys;
mod bootstrap;
mod concurrency;
mod credentials;
mod groups;
mod migrations;
mod one_time;
mod passkeys;
mod recovery;
mod relying_party;
mod services;
mod sessions;
mod setup;
mod signup;
mod step_up;
mod upgraded_meanwhile;
mod upkeep;
mod users;
mod walk;
