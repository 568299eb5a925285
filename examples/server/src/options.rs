pub(crate) mod duration;
pub(crate) mod network;

use std::{net::SocketAddr, path::PathBuf};

use clap::builder::{FalseyValueParser, OsStringValueParser, TypedValueParser};

use network::Network;

/// A length of time, as people write it.
pub(crate) fn seconds(text: &str) -> Result<u32, String> {
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

#[cfg(test)]
impl Options {
    /// Only an origin.
    pub(crate) fn of(origin: &str) -> Self {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            options: Options,
        }
        let line: Line = clap::Parser::parse_from(["keyplate-server", "--origin", origin]);
        line.options
    }
}
