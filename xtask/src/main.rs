//! `cargo xtask generate | check | law | bench`: writes the faces from the facade, checks them and the house's law, measures.
#![expect(clippy::print_stdout, reason = "a command line tool")]

mod api;
mod bench;
mod c_face;
mod check;
mod citations;
mod facade;
mod generated;
mod law;
mod metadata;
mod names;
mod numbers;
mod postgres;
mod python_face;
mod rules;
mod scenarios;
mod speech;
mod sql;
mod uniffi_face;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use workspace::Workspace;

const USAGE: &str =
    "usage: cargo xtask generate [kotlin | swift] | check | law | citations | bench [case ...]";

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
        Some("generate") => generated::generate(&workspace, arguments.get(1).map(String::as_str)),
        Some("check") => check::run(&workspace),
        Some("law") => {
            print!("{}", law::report(&workspace)?);
            law::check(&workspace)
        }
        Some("citations") => citations::check_sources(&workspace),
        Some("bench") => bench::run(&workspace, &arguments[1..]),
        _ => bail!("{USAGE}"),
    }
}
