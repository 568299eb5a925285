//! The routes, a file a noun. Each parses, calls the library as whoever asks, and answers in JSON.

mod access_tokens;
mod api_keys;
mod app_passwords;
mod audit;
mod claims;
mod device;
mod forward_auth;
mod groups;
mod instance;
mod login;
mod oidc;
mod one_time;
mod openapi;
mod pages;
mod passkeys;
mod qr_code;
pub(crate) mod router;
mod services;
mod sessions;
mod settings;
mod setup;
mod signals;
mod signup;
mod signup_tokens;
mod user_sessions;
mod users;
mod well_known;
