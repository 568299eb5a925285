//! All options of the program in one table: the parser, `--help`, the README's table and the tests are made from it.

use clap::{Arg, ArgAction, builder::OsStringValueParser};

/// What kind of value an option has, and so how it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file or folder.
    Path,
    Text,
    /// A web origin, in the form that browsers write.
    Origin,
    /// The same, several.
    Origins,
    /// Several texts.
    Texts,
    /// Addresses or networks, several.
    Networks,
    /// Where to listen, several.
    Listen,
    /// A length of time.
    Time,
    /// Yes or no.
    Switch,
    /// As it stands, and from the environment only: others see command lines.
    Secret,
}

impl Kind {
    pub(crate) fn is_list(self) -> bool {
        matches!(
            self,
            Self::Origins | Self::Texts | Self::Networks | Self::Listen
        )
    }
}

/// An option: the flag, the variable, and what they mean.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    /// The flag without its dashes, which is also the option's name.
    pub(crate) name: &'static str,
    pub(crate) variable: &'static str,
    pub(crate) value: &'static str,
    pub(crate) kind: Kind,
    /// For people; where it is a value it is also the value.
    pub(crate) default: &'static str,
    pub(crate) help: &'static str,
}

pub(crate) const DATA: &str = "keyplate-data";
pub(crate) const ORIGIN: &str = "http://localhost:1411";
pub(crate) const LISTEN: &str = "127.0.0.1:1411";
/// Longer than that of any of the usual proxies: 60 seconds of nginx, 90 of Traefik, 120 of Caddy. Who has it shorter than
/// the proxy closes connections into which the proxy is just about to write.
pub(crate) const KEEP_ALIVE: &str = "150s";

const NONE: &str = "none";
const OFF: &str = "off";

/// In the order of `--help`.
pub(crate) const OPTIONS: &[Spec] = &[
    Spec {
        name: "data",
        variable: "KEYPLATE_DATA",
        value: "DIR",
        kind: Kind::Path,
        default: DATA,
        help: "The data folder. It is created if it is missing",
    },
    Spec {
        name: "origin",
        variable: "KEYPLATE_ORIGIN",
        value: "URL",
        kind: Kind::Origin,
        default: ORIGIN,
        help: "The origin under which people reach the server: a scheme, a host and, where needed, a port, without a path. \
               A server that listens on another port of this machine alone takes that one. Commands that are not told it \
               take that of the server that started last",
    },
    Spec {
        name: "extra-origin",
        variable: "KEYPLATE_EXTRA_ORIGIN",
        value: "URL",
        kind: Kind::Origins,
        default: NONE,
        help: "Another origin of the same RP id under which people reach the server. May be repeated",
    },
    Spec {
        name: "rp-id",
        variable: "KEYPLATE_RP_ID",
        value: "DOMAIN",
        kind: Kind::Text,
        default: "the host of --origin",
        help: "The RP id, which is the domain that passkeys are bound to: the origin's host or a domain above it. The first \
               passkey fixes it",
    },
    Spec {
        name: "rp-name",
        variable: "KEYPLATE_RP_NAME",
        value: "NAME",
        kind: Kind::Text,
        default: "the setting appName",
        help: "The name that browsers show when they ask for a passkey",
    },
    Spec {
        name: "related-origin",
        variable: "KEYPLATE_RELATED_ORIGIN",
        value: "URL",
        kind: Kind::Origins,
        default: NONE,
        help: "An origin of another domain under which people reach the server and use the same passkeys. May be repeated",
    },
    Spec {
        name: "native-origin",
        variable: "KEYPLATE_NATIVE_ORIGIN",
        value: "ORIGIN",
        kind: Kind::Texts,
        default: NONE,
        help: "The origin of an Android application that uses the passkeys, such as android:apk-key-hash:… May be repeated",
    },
    Spec {
        name: "allow-insecure-origin",
        variable: "KEYPLATE_ALLOW_INSECURE_ORIGIN",
        value: "YES|NO",
        kind: Kind::Switch,
        default: OFF,
        help: "Start even if passkeys cannot work at the origin, because it is an IP address or neither https nor localhost",
    },
    Spec {
        name: "allow-shared-file",
        variable: "KEYPLATE_ALLOW_SHARED_FILE",
        value: "YES|NO",
        kind: Kind::Switch,
        default: OFF,
        help: "Open the database, and read files that hold secrets, even if other users of the machine own them or can read, write or replace them: for volumes whose files belong to somebody else, as in some containers",
    },
    Spec {
        name: "accept-rp-id-change",
        variable: "KEYPLATE_ACCEPT_RP_ID_CHANGE",
        value: "YES|NO",
        kind: Kind::Switch,
        default: OFF,
        help: "Start under a different RP id than before. Existing passkeys stop working, and everybody has to register a \
               new one",
    },
    Spec {
        name: "encryption-key-file",
        variable: "KEYPLATE_ENCRYPTION_KEY_FILE",
        value: "FILE",
        kind: Kind::Path,
        default: NONE,
        help: "A file that holds the encryption key, of at least 32 characters. It protects one-time codes and the key that \
               signs access tokens from somebody who has only the database. The variable KEYPLATE_ENCRYPTION_KEY can hold \
               the key itself instead. Every command needs the same key: without it, codes that were handed out stop \
               working, and no access token is issued until rotate-key has run",
    },
    Spec {
        name: "encryption-key",
        variable: "KEYPLATE_ENCRYPTION_KEY",
        value: "KEY",
        kind: Kind::Secret,
        default: NONE,
        help: "The encryption key itself",
    },
    Spec {
        name: "listen",
        variable: "KEYPLATE_LISTEN",
        value: "ADDR",
        kind: Kind::Listen,
        default: LISTEN,
        help: "The address and port to listen on, or a Unix socket, as unix:/run/keyplate/keyplate.sock or with \
               ?mode=0600 behind it; its mode is 0660 otherwise. A port alone is one of 127.0.0.1; 0.0.0.0:1411 and \
               [::]:1411 are all addresses. Port 0 is one that is free; the server prints it. May be repeated",
    },
    Spec {
        name: "keep-alive",
        variable: "KEYPLATE_KEEP_ALIVE",
        value: "TIME",
        kind: Kind::Time,
        default: KEEP_ALIVE,
        help: "How long a connection may wait for the next request, with a unit: longer than the proxy in front keeps its \
               idle connections",
    },
    Spec {
        name: "trusted-proxy",
        variable: "KEYPLATE_TRUSTED_PROXY",
        value: "CIDR",
        kind: Kind::Networks,
        default: NONE,
        help: "The address or network of a reverse proxy whose X-Forwarded-For or Forwarded is trusted; unix for one that \
               comes through a Unix socket. May be repeated",
    },
    Spec {
        name: "open-setup",
        variable: "KEYPLATE_OPEN_SETUP",
        value: "YES|NO",
        kind: Kind::Switch,
        default: OFF,
        help: "Let anybody who can reach a fresh server become its administrator, without the setup link",
    },
    Spec {
        name: "bootstrap-file",
        variable: "KEYPLATE_BOOTSTRAP_FILE",
        value: "FILE",
        kind: Kind::Path,
        default: NONE,
        help: "A plan that is applied at each start, before the server answers requests; see the command bootstrap. A plan \
               that is refused stops the start while setup is not complete, and is a warning in the log afterwards. Secrets \
               that it generates are written to bootstrap-secrets in the data folder",
    },
    Spec {
        name: "web-dir",
        variable: "KEYPLATE_WEB_DIR",
        value: "DIR",
        kind: Kind::Path,
        default: NONE,
        help: "A folder whose files take the place of the built-in files of the same name, or come beside them, such as \
               messages/en.js or parts/icon.svg. It is read once, at the start",
    },
];

/// The option of this name.
pub(crate) fn of(name: &str) -> &'static Spec {
    let found = OPTIONS.iter().find(|spec| spec.name == name);
    found.expect("the names in the program are those of the table")
}

impl Spec {
    pub(crate) fn flag(&self) -> String {
        format!("--{}", self.name)
    }

    /// As clap knows it. It only tells which flags there are; values are read in the same way wherever they stand.
    pub(crate) fn argument(&self) -> Option<Arg> {
        let default = self.default;
        let help = format!(
            "{} [env: {}] [default: {default}]",
            self.help, self.variable
        );
        let argument = Arg::new(self.name)
            .long(self.name)
            .value_name(self.value)
            .value_parser(OsStringValueParser::new())
            .help(help)
            .global(true);
        match self.kind {
            Kind::Secret => None,
            // The flag alone means yes; what comes after it is the next word of the command line.
            Kind::Switch => Some(
                argument
                    .num_args(0..=1)
                    .require_equals(true)
                    .default_missing_value("yes"),
            ),
            kind if kind.is_list() => Some(argument.action(ArgAction::Append)),
            _ => Some(argument),
        }
    }
}
