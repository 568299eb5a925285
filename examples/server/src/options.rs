use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand, builder::FalseyValueParser};

use crate::{client::Network, duration};

/// Users, first-run setup, API keys and sessions over HTTP.
#[derive(Debug, Parser)]
#[command(name = "keyplate-server", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

/// What the program is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve; the same as no command.
    Serve,
    /// Print a code, or beyond 15 minutes a token, that signs a user in once. A server may be running.
    OneTimeToken {
        /// His username, e-mail address or id.
        name: String,
        /// How long it works: 15m, 24h, 7d; at most 31 days.
        #[arg(long, value_name = "TIME", default_value = "15m", value_parser = seconds)]
        ttl: u32,
    },
    /// Open setup again, when nobody can sign in as administrator any more, and print the setup link. A server may be
    /// running.
    ResetSetup {
        /// Which setup is opened again: 1 for the first. It must be the present one.
        #[arg(long, value_name = "N")]
        generation: u32,
    },
}

fn seconds(text: &str) -> Result<u32, String> {
    duration::parse(text).ok_or_else(|| "not a time such as 15m, 24h or 7d".to_owned())
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
    pub(crate) fn read() -> (Command, Self) {
        let line = CommandLine::parse();
        (line.command.unwrap_or(Command::Serve), line.options)
    }
}
