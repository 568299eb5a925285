//! The running server, from its options to its end.

mod connections;
mod listeners;
mod patience;
mod places;
mod service_manager;
mod signals;
pub(crate) mod start;
mod upkeep;
