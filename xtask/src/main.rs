//! `cargo xtask generate | check | bench`: writes the faces from the facade, checks them, measures.
#![expect(clippy::print_stdout, reason = "a command line tool")]

mod api;
mod bench;
mod c_face;
mod check;
mod facade;
mod generated;
mod hosts;
mod metadata;
mod names;
mod python_face;
mod rules;
mod scenario_face;
mod sql;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use generated::Generated;
use workspace::Workspace;

const USAGE: &str = "usage: cargo xtask generate | check | bench [case ...]";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let workspace = Workspace::find()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("generate") => workspace.write(&Generated::make(&workspace)?.files),
        Some("check") => check::run(&workspace),
        Some("bench") => bench::run(&workspace, &arguments[1..]),
        _ => bail!("{USAGE}"),
    }
}
