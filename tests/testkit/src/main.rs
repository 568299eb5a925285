#![forbid(unsafe_code)]
//! The testkit as a program, for tests in any language: options JSON in, credential JSON out.

mod command;
mod state;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, error::ErrorKind};

use command::{CommandLine, Failure};

fn main() -> ExitCode {
    let result = match CommandLine::try_parse() {
        Ok(line) => command::run(line.command),
        Err(error) if error.kind() == ErrorKind::DisplayHelp => Ok(error.to_string()),
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Err(
            Failure::Usage("a command is missing: new, register or authenticate".to_owned()),
        ),
        Err(error) => Err(Failure::Usage(one_line(&error))),
    };
    let failure = match result {
        Ok(output) => match io::stdout().write_all(output.as_bytes()) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => Failure::Usage(format!("standard output: {error}")),
        },
        Err(failure) => failure,
    };
    let (code, text) = match failure {
        Failure::Usage(text) => (2, text),
        Failure::Refused(error) => (1, format!("{}: {error}", error.name())),
    };
    let _ = writeln!(io::stderr(), "keyplate-testkit: {text}"); // if that fails there is nobody left to tell
    ExitCode::from(code)
}

/// The message without the usage and the hints that follow it.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let message = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = message.split_whitespace().collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}
