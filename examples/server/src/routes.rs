//! The routes, a file a noun. Each parses, calls the library as whoever asks, and answers in JSON.

mod access_tokens;
pub(crate) mod api_keys;
mod audit;
pub(crate) mod claims;
pub(crate) mod groups;
mod instance;
mod login;
mod one_time;
mod pages;
mod passkeys;
pub(crate) mod router;
mod services;
mod sessions;
mod settings;
mod setup;
mod signals;
mod signup;
mod signup_tokens;
pub(crate) mod users;
mod well_known;
