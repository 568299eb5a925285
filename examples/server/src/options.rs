pub(crate) mod duration;

use std::{net::SocketAddr, path::PathBuf};

use clap::{
    Parser, Subcommand,
    builder::{FalseyValueParser, OsStringValueParser, TypedValueParser},
};

use crate::{
    commands::{api_keys, users},
    http::client::Network,
};

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
        /// For who has lost his passkey: within 15 minutes of signing in he may register a new one and delete others.
        /// All his other sessions end.
        #[arg(long)]
        recovery: bool,
    },
    /// Print a new setup link, until setup is complete; earlier ones end. A server may be running.
    SetupToken,
    /// Open setup again, when nobody can sign in as administrator any more, and print the setup link. A server may be
    /// running.
    ResetSetup {
        /// Which setup is opened again: 1 for the first. It must be the present one.
        #[arg(long, value_name = "N")]
        generation: u32,
    },
    /// List, make and change users. A server may be running.
    User {
        #[command(subcommand)]
        command: users::Command,
    },
    /// List, make and revoke API keys. A server may be running.
    ApiKey {
        #[command(subcommand)]
        command: api_keys::Command,
    },
    /// Copy the database to a new file, while a server goes on writing.
    Backup {
        /// The file, which must not exist.
        file: PathBuf,
    },
    /// Read all of the database and say what is wrong with it. A server may be running.
    Check,
    /// Let another key sign access tokens. Give it the encryption key that the server has, which may be running.
    RotateKey {
        /// How long tokens of the former key are good: 1h if left out, at most 7d; 0 for a key that got into other hands.
        #[arg(long, value_name = "TIME", value_parser = overlap)]
        overlap: Option<u32>,
    },
    /// Make settings, groups, services, users, invitations and API keys as a plan declares them, and print what was
    /// different. The database is made if it is missing; a server may be running.
    Bootstrap {
        /// The plan, .toml or .json; examples/server/plan.toml is one.
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Print a fresh random secret, for an API key of a plan or as an encryption key.
    GenerateKey,
}

/// A length of time, as people write it.
pub(crate) fn seconds(text: &str) -> Result<u32, String> {
    duration::parse(text).ok_or_else(|| "not a time such as 15m, 24h or 7d".to_owned())
}

/// A length of time that may be none.
fn overlap(text: &str) -> Result<u32, String> {
    if text == "0" { Ok(0) } else { seconds(text) }
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

    /// A further origin that people type, of the same RP id. May be repeated.
    #[arg(
        long = "extra-origin",
        env = "KEYPLATE_EXTRA_ORIGIN",
        value_name = "URL",
        value_delimiter = ',',
        global = true
    )]
    pub(crate) extra_origins: Vec<String>,

    /// The domain that passkeys are bound to: the origin's host, or a domain above it. It is fixed by the first passkey.
    #[arg(long, env = "KEYPLATE_RP_ID", value_name = "DOMAIN", global = true)]
    pub(crate) rp_id: Option<String>,

    /// What browsers call this server when they ask for a passkey; by default the setting appName.
    #[arg(long, env = "KEYPLATE_RP_NAME", value_name = "NAME", global = true)]
    pub(crate) rp_name: Option<String>,

    /// An origin of another domain under which people reach this server too, and use the same passkeys. May be repeated.
    #[arg(
        long = "related-origin",
        env = "KEYPLATE_RELATED_ORIGIN",
        value_name = "URL",
        value_delimiter = ',',
        global = true
    )]
    pub(crate) related_origins: Vec<String>,

    /// An Android application that uses the passkeys: android:apk-key-hash:… May be repeated.
    #[arg(
        long = "native-origin",
        env = "KEYPLATE_NATIVE_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ',',
        global = true
    )]
    pub(crate) native_origins: Vec<String>,

    /// Starts although passkeys cannot work at the origin: an IP address, or neither https nor localhost.
    #[arg(long, env = "KEYPLATE_ALLOW_INSECURE_ORIGIN", value_parser = FalseyValueParser::new(), global = true)]
    pub(crate) allow_insecure_origin: bool,

    /// Starts under another RP id than before: the passkeys there are stop working, and everybody registers a new one.
    #[arg(long, env = "KEYPLATE_ACCEPT_RP_ID_CHANGE", value_parser = FalseyValueParser::new(), global = true)]
    pub(crate) accept_rp_id_change: bool,

    /// A file with the key that makes one-time codes, and the key that signs access tokens, worthless to who has only the
    /// database: at least 32 characters. Or the variable KEYPLATE_ENCRYPTION_KEY holds the key itself. Every command needs
    /// the same one. Without it codes are dead, and no access token is issued until rotate-key.
    #[arg(
        long,
        env = "KEYPLATE_ENCRYPTION_KEY_FILE",
        value_name = "FILE",
        value_parser = OsStringValueParser::new().map(PathBuf::from),
        global = true
    )]
    pub(crate) encryption_key_file: Option<PathBuf>,

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

    /// A plan that is applied at each start, before anything is served; see the command bootstrap. One that is refused
    /// stops the start until setup is complete; then it is a warning. Secrets that it makes are in the data folder, in
    /// bootstrap-secrets.
    #[arg(
        long,
        env = "KEYPLATE_BOOTSTRAP_FILE",
        value_name = "FILE",
        global = true
    )]
    pub(crate) bootstrap_file: Option<PathBuf>,

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
        let mut options = line.options;
        // An environment variable that is there and empty says nothing.
        for list in [
            &mut options.extra_origins,
            &mut options.related_origins,
            &mut options.native_origins,
        ] {
            list.retain(|origin| !origin.is_empty());
        }
        options.rp_id = options.rp_id.filter(|id| !id.is_empty());
        options.bootstrap_file = options.bootstrap_file.filter(|f| !f.as_os_str().is_empty());
        let key_file = &mut options.encryption_key_file;
        key_file.take_if(|path| path.as_os_str().is_empty());
        (line.command.unwrap_or(Command::Serve), options)
    }

    /// Only an origin.
    #[cfg(test)]
    pub(crate) fn of(origin: &str) -> Self {
        CommandLine::parse_from(["keyplate-server", "--origin", origin]).options
    }
}
