#![forbid(unsafe_code)]
//! An HTTP server on `keyplate`: an example of a host, good enough to run at home.
//!
//! It holds no rules. Each route parses, calls the library as whoever asks, and answers in JSON.
//!
//! A module imports only from floors below its own, or from its own; a file and the folder of its name are one room:
//!
//! ```text
//! main -> {serve, command_line} -> plan -> commands -> routes -> json -> {http, open} -> {options, log}
//! ```

mod command_line;
mod commands;
mod http;
mod json;
mod log;
mod open;
mod options;
mod plan;
mod routes;
mod serve;

use std::process::ExitCode;

use command_line::Command;

fn main() -> ExitCode {
    let (command, options) = command_line::read();
    let result = match command {
        Command::Serve => serve::start::run(&options),
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
        Command::Restore { backup } => commands::database::restore(&options, &backup),
        Command::Check => commands::database::check(&options),
        Command::Upkeep => commands::upkeep::run(&options),
        Command::Healthcheck => commands::healthcheck::run(&options),
        Command::RotateKey { overlap } => commands::signing_key::rotate(&options, overlap),
        Command::ResetClock => commands::clock::reset(&options),
        Command::Bootstrap { file } => plan::apply::run(&options, &file),
        Command::GenerateKey => plan::apply::generate_key(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            log::line(format_args!("keyplate-server: {reason}"));
            ExitCode::FAILURE
        }
    }
}
