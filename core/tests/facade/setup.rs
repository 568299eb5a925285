//! First-run setup: B1–B5.

mod claiming;
mod completing;
mod resetting;
