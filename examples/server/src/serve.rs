//! The running server, from its options to its end.

mod connections;
pub(crate) mod start;
