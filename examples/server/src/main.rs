#![forbid(unsafe_code)]
//! An HTTP server on `keyplate`: an example of a host, good enough to run at home.
//!
//! It holds no rules. Each route parses, calls the library as whoever asks, and answers in JSON.

mod access_tokens;
mod answer;
mod api_keys;
mod audit;
mod body;
mod bootstrap;
mod bootstrap_secrets;
mod caller;
mod ceremony;
mod claims;
mod client;
mod commands;
mod cookie;
mod duration;
mod encryption_key;
mod error;
mod groups;
mod instance;
mod list;
mod log;
mod login;
mod one_time;
mod options;
mod origin;
mod pages;
mod passkey_failure;
mod passkeys;
mod plan_file;
mod plan_text;
mod router;
mod secret_file;
mod server;
mod services;
mod sessions;
mod settings;
mod setup;
mod signals;
mod signup;
mod signup_tokens;
mod stall;
mod start;
mod users;
mod well_known;

use std::process::ExitCode;

use options::{Command, Options};

fn main() -> ExitCode {
    let (command, options) = Options::read();
    let result = match command {
        Command::Serve => start::run(&options),
        Command::OneTimeToken {
            name,
            ttl,
            recovery,
        } => commands::one_time::create(&options, &name, ttl, recovery),
        Command::SetupToken => commands::setup::create_token(&options),
        Command::ResetSetup { generation } => commands::setup::reset(&options, generation),
        Command::User { command } => commands::users::run(&options, &command),
        Command::ApiKey { command } => commands::api_keys::run(&options, &command),
        Command::Backup { file } => commands::database::back_up(&options, &file),
        Command::Check => commands::database::check(&options),
        Command::RotateKey { overlap } => commands::signing_key::rotate(&options, overlap),
        Command::Bootstrap { file } => bootstrap::run(&options, &file),
        Command::GenerateKey => bootstrap::generate_key(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            log::line(format_args!("keyplate-server: {reason}"));
            ExitCode::FAILURE
        }
    }
}
