//! The running server, from its options to its end.

mod connections;
mod places;
pub(crate) mod start;
mod upkeep;
