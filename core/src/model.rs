//! Records, inputs and enums, one file a noun. They know neither the database nor a rule.

pub(crate) mod access_tokens;
pub(crate) mod api_keys;
pub(crate) mod app_passwords;
pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod bootstrap;
pub(crate) mod claims;
pub(crate) mod config;
pub(crate) mod credentials;
pub(crate) mod device_links;
pub(crate) mod device_logins;
pub(crate) mod events;
pub(crate) mod groups;
pub(crate) mod ids;
pub(crate) mod named;
pub(crate) mod one_time;
pub(crate) mod passkeys;
pub(crate) mod service_sessions;
pub(crate) mod services;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod setup;
pub(crate) mod signup;
pub(crate) mod signup_tokens;
pub(crate) mod upkeep;
pub(crate) mod users;
