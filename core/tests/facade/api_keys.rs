//! API keys: C1, C2, K1, K2, P5.

mod bounds;
mod listing;
mod making;
mod own_account;
mod refusals;
mod rotation;
