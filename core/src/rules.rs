//! What Keyplate decides: `impl Keyplate`, one file a noun. Nothing below this floor calls a rule.

mod access_tokens;
mod api_keys;
mod app_passwords;
mod audit;
mod authenticate;
mod backup;
mod bootstrap;
mod claims;
mod clock;
mod device_links;
mod device_logins;
mod groups;
mod one_time;
mod open;
mod passkeys;
mod service_sessions;
mod services;
mod sessions;
mod settings;
mod setup;
mod signup;
mod signup_tokens;
mod upkeep;
mod users;
