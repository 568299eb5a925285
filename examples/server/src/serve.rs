//! The running server, from its options to its end.

pub(crate) mod connections;
mod stall;
pub(crate) mod start;
