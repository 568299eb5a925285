pub(crate) mod duration;
pub(crate) mod network;

use std::{net::SocketAddr, path::PathBuf};

use clap::builder::{FalseyValueParser, OsStringValueParser, TypedValueParser};

use network::Network;

/// A length of time, in the form that people write it.
pub(crate) fn seconds(text: &str) -> Result<i64, String> {
    duration::parse(text).ok_or_else(|| "not a time such as 15m, 24h or 7d".to_owned())
}

/// How to serve.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// The data folder. It is created if it is missing.
    #[arg(
        long,
        env = "KEYPLATE_DATA",
        value_name = "DIR",
        default_value = "keyplate-data",
        global = true
    )]
    pub(crate) data: PathBuf,

    /// The origin under which people reach the server: a scheme, a host and, where needed, a port, without a path.
    #[arg(
        long,
        env = "KEYPLATE_ORIGIN",
        value_name = "URL",
        default_value = "http://localhost:1411",
        global = true
    )]
    pub(crate) origin: String,

    /// Another origin of the same RP id under which people reach the server. May be repeated.
    #[arg(
        long = "extra-origin",
        env = "KEYPLATE_EXTRA_ORIGIN",
        value_name = "URL",
        value_delimiter = ',',
        global = true
    )]
    pub(crate) extra_origins: Vec<String>,

    /// The RP id, which is the domain that passkeys are bound to: the origin's host or a domain above it. The first passkey
    /// fixes it.
    #[arg(long, env = "KEYPLATE_RP_ID", value_name = "DOMAIN", global = true)]
    pub(crate) rp_id: Option<String>,

    /// The name that browsers show when they ask for a passkey. By default it is the setting appName.
    #[arg(long, env = "KEYPLATE_RP_NAME", value_name = "NAME", global = true)]
    pub(crate) rp_name: Option<String>,

    /// An origin of another domain under which people reach the server and use the same passkeys. May be repeated.
    #[arg(
        long = "related-origin",
        env = "KEYPLATE_RELATED_ORIGIN",
        value_name = "URL",
        value_delimiter = ',',
        global = true
    )]
    pub(crate) related_origins: Vec<String>,

    /// The origin of an Android application that uses the passkeys, such as android:apk-key-hash:… May be repeated.
    #[arg(
        long = "native-origin",
        env = "KEYPLATE_NATIVE_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ',',
        global = true
    )]
    pub(crate) native_origins: Vec<String>,

    /// Start even if passkeys cannot work at the origin, because it is an IP address or neither https nor localhost.
    #[arg(long, env = "KEYPLATE_ALLOW_INSECURE_ORIGIN", value_parser = FalseyValueParser::new(), global = true)]
    pub(crate) allow_insecure_origin: bool,

    /// Start under a different RP id than before. Existing passkeys stop working, and everybody has to register a new one.
    #[arg(long, env = "KEYPLATE_ACCEPT_RP_ID_CHANGE", value_parser = FalseyValueParser::new(), global = true)]
    pub(crate) accept_rp_id_change: bool,

    /// Open the database, and read files that hold secrets, even if other users of the machine own them or can read, write
    /// or replace them: for volumes whose files belong to somebody else, as in some containers.
    #[arg(long, env = "KEYPLATE_ALLOW_SHARED_FILE", value_parser = FalseyValueParser::new(), global = true)]
    pub(crate) allow_shared_file: bool,

    /// A file that holds the encryption key, of at least 32 characters. It protects one-time codes and the key that signs
    /// access tokens from somebody who has only the database. The variable KEYPLATE_ENCRYPTION_KEY can hold the key itself
    /// instead. Every command needs the same key: without it, codes that were handed out stop working, and no access token
    /// is issued until rotate-key has run.
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

    /// Let anybody who can reach a fresh server become its administrator, without the setup link.
    #[arg(long, env = "KEYPLATE_OPEN_SETUP", value_parser = FalseyValueParser::new(), global = true)]
    pub(crate) open_setup: bool,

    /// A plan that is applied at each start, before the server answers requests; see the command bootstrap. A plan that is
    /// refused stops the start while setup is not complete, and is a warning in the log afterwards. Secrets that it
    /// generates are written to bootstrap-secrets in the data folder.
    #[arg(
        long,
        env = "KEYPLATE_BOOTSTRAP_FILE",
        value_name = "FILE",
        global = true
    )]
    pub(crate) bootstrap_file: Option<PathBuf>,

    /// The address or network of a reverse proxy whose X-Forwarded-For is trusted. May be repeated.
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
    /// The default options with this origin.
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
