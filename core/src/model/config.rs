//! How a database is opened, and where a call comes from.

use std::{fmt, sync::Arc};

use crate::{
    clock::TimeSource, model::events::EventSink, secret::Secret, values::text::UsernamePolicy,
};

/// How to open a database. Only `path` and `origin` are required, or `database` and `origin`.
#[derive(Clone, Default)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Config {
    /// The database file. Its folder must exist. If there is no file, it is created so that only its owner can read it. A
    /// relative path is resolved once, when the database is opened. There is no database in memory: tests use a file in a
    /// temporary folder.
    pub path: String,
    /// The web origin that people use, for example `https://media.example`. The scheme's own port, a slash at the end
    /// and capital letters say nothing, and an international name is taken in its ASCII form; so in the lists below.
    pub origin: String,
    /// The first part of every secret token: 1 to 16 lower-case letters and digits, `kp` by default.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub token_prefix: Option<String>,
    /// How long a call waits for another writer, in milliseconds. The default is 5000.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub busy_timeout_ms: Option<i64>,
    /// How many bytes of what was verified lately are kept in memory, so that verifying it again does not ask the
    /// database. The default is 4 MiB, and 0 switches it off. It changes no answer: whatever any process commits is seen
    /// by the very next call. Only on Linux.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub cache_bytes: Option<i64>,
    /// The key that protects one-time codes and the key that signs access tokens from somebody who has only the file. It
    /// has at least 32 characters and is the same at every start. Keep it apart from the file. With a different key, codes
    /// that were given out before do not work, and access tokens are not issued until `rotate_signing_key`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub encryption_key: Option<Arc<Secret>>,
    /// Which letters a username may contain.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub username_policy: Option<UsernamePolicy>,
    /// The domain that passkeys are bound to. The default is the origin's host; with a parent domain, several hosts can
    /// share passkeys. The first passkey fixes it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub rp_id: Option<String>,
    /// What browsers call this application when they ask for a passkey. The default is the setting `app_name`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub rp_name: Option<String>,
    /// Further web origins of the RP id.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub more_origins: Vec<String>,
    /// Origins of Android applications: `android:apk-key-hash:` and the hash of the signing certificate.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub native_origins: Vec<String>,
    /// Web origins of other domains that may use these passkeys. The host lists them at `/.well-known/webauthn` of the
    /// RP id.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub related_origins: Vec<String>,
    /// Accept an origin where passkeys cannot work: an IP address, or one that is neither https nor localhost. Everything
    /// else works, and `get_setup_state` says why passkeys do not.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub allow_insecure_origin: bool,
    /// Accept an RP id other than that of the existing passkeys. They are kept, but they no longer work or count, and
    /// everybody has to register a new one.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub accept_rp_id_change: bool,
    /// For commands that recover or maintain a database: open it whatever its RP id and origin. No passkey ceremony can
    /// begin.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub maintenance: bool,
    /// Opens the file even if other users of the machine can read or write it, own it, or can replace it in its folder; the
    /// same holds for where back-ups go. For a volume whose files belong to somebody else, as in some containers.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub allow_shared_file: bool,
    /// Receives every event.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub events: Option<Arc<dyn EventSink>>,
    /// The source of the time. The default is the system's clock.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub time_source: Option<Arc<dyn TimeSource>>,
    /// A PostgreSQL database in the place of the file, for hosts with several machines:
    /// `postgres://role:password@host/database`. Then `path` is empty. It is a secret, as it may hold a password. Only a
    /// library that was built with the feature `postgres` can use it; the packages for C, Python, Kotlin and Swift are not.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub database: Option<Arc<Secret>>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("path", &self.path)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// Where a call comes from. The audit log records it with what was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ClientInfo {
    /// The client's IP address, as a proxy or a framework writes it: a port, brackets, quotes, a zone and a comma at the
    /// end are left out, and IPv4 within IPv6 is that IPv4. What is no address is stored as `unknown`, and all such clients
    /// share their limits.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub address: Option<String>,
    /// Its user agent, which is cut after 512 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub user_agent: Option<String>,
    /// A name by which the user knows the device, of at most 100 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub device_name: Option<String>,
}
