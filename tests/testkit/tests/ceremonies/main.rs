//! Ceremonies with an independent relying party, and what each spoil changes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod authentication;
mod facts;
mod registration;
mod relying_party;
mod spoils;
