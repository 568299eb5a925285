//! B6: plans, which declare what there is to be.

mod applying;
mod former_keys;
mod keys;
mod races;
mod refusals;
