//! Users: U1–U4, U6.

mod changing;
mod listing;
mod making;
mod names;
mod status;
