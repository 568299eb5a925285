#![forbid(unsafe_code)]
//! An HTTP server on `keyplate`: an example of a host, good enough to run at home.
//!
//! It holds no rules. Each route parses, calls the library as whoever asks, and answers in JSON.

mod answer;
mod api_keys;
mod audit;
mod body;
mod caller;
mod client;
mod error;
mod instance;
mod list;
mod log;
mod options;
mod origin;
mod router;
mod server;
mod sessions;
mod setup;
mod stall;
mod start;
mod users;

use std::process::ExitCode;

fn main() -> ExitCode {
    match start::run(&options::Options::read()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            log::line(format_args!("keyplate-server: {reason}"));
            ExitCode::FAILURE
        }
    }
}
