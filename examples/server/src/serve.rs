//! The running server, from its options to its end.

mod connections;
mod stall;
pub(crate) mod start;
