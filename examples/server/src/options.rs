use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand, builder::FalseyValueParser};

use crate::client::Network;

/// Users, first-run setup, API keys and sessions over HTTP.
#[derive(Debug, Parser)]
#[command(name = "keyplate-server", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve; the same as no command.
    Serve,
}

/// How to serve.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// The data folder; it is made if it is missing.
    #[arg(
        long,
        env = "KEYPLATE_DATA",
        value_name = "DIR",
        default_value = "keyplate-data",
        global = true
    )]
    pub(crate) data: PathBuf,

    /// The web origin that people type: scheme, host and perhaps a port, with no path.
    #[arg(
        long,
        env = "KEYPLATE_ORIGIN",
        value_name = "URL",
        default_value = "http://localhost:1411",
        global = true
    )]
    pub(crate) origin: String,

    /// The address to listen on.
    #[arg(
        long,
        env = "KEYPLATE_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:1411",
        global = true
    )]
    pub(crate) listen: SocketAddr,

    /// Lets anybody who reaches a fresh server become its administrator, without the setup link.
    #[arg(long, env = "KEYPLATE_OPEN_SETUP", value_parser = FalseyValueParser::new(), global = true)]
    pub(crate) open_setup: bool,

    /// A proxy, or a network of them, whose X-Forwarded-For is believed. May be repeated.
    #[arg(
        long = "trusted-proxy",
        env = "KEYPLATE_TRUSTED_PROXY",
        value_name = "CIDR",
        value_delimiter = ',',
        global = true
    )]
    pub(crate) trusted_proxies: Vec<Network>,
}

impl Options {
    /// Reads command line and environment; ends the process for `--help`, `--version` and mistakes.
    pub(crate) fn read() -> Self {
        let line = CommandLine::parse();
        match line.command {
            Some(Command::Serve) | None => line.options,
        }
    }
}
