//! API keys: C1, C2, K1, K2, P5.

mod listing;
mod making;
mod refusals;
mod rotation;
