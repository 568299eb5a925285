//! How a database is opened, and from where somebody calls.

use std::{fmt, sync::Arc};

use crate::{
    clock::TimeSource, model::events::EventSink, secret::Secret, values::text::UsernamePolicy,
};

/// How to open a database. Only `path` and `origin` must be given.
#[derive(Clone, Default)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Config {
    /// The database file; its folder must exist. It is made with rights for its owner only. A relative path is resolved
    /// once, when the database is opened. There is no database in memory: tests use a file in a temporary folder.
    pub path: String,
    /// The web origin that people use, for example `https://media.example`.
    pub origin: String,
    /// The first part of every secret token: 1 to 16 small letters and digits. By default `kp`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub token_prefix: Option<String>,
    /// How long a call waits for another writer, in milliseconds; by default 5000.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub busy_timeout_ms: Option<i64>,
    /// Makes one-time codes and the key that signs access tokens worthless to who has only the file: at least 32
    /// characters, the same at every start. Keep it elsewhere than the file. With another one codes given out before
    /// do not work, and access tokens are not issued until `rotate_signing_key`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub encryption_key: Option<Arc<Secret>>,
    /// Which letters a username may have.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub username_policy: Option<UsernamePolicy>,
    /// The domain that passkeys are bound to; by default the origin's host. A domain above it lets several hosts share
    /// them. It is fixed by the first passkey.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub rp_id: Option<String>,
    /// What browsers call this application when they ask for a passkey; by default the setting `app_name`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub rp_name: Option<String>,
    /// Further web origins of the RP id that people use.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub more_origins: Vec<String>,
    /// Origins of Android applications: `android:apk-key-hash:` and the hash of the signing certificate.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub native_origins: Vec<String>,
    /// Web origins of other domains that may use these passkeys. The host lists them at `/.well-known/webauthn` of the
    /// RP id.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub related_origins: Vec<String>,
    /// Opens with an origin where passkeys cannot work: an IP address, or neither https nor localhost. Everything else
    /// does; `get_setup_state` says what is the matter.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub allow_insecure_origin: bool,
    /// Opens under another RP id than that of the passkeys there are. They stay, but count and work no more, and
    /// everybody registers a new one.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub accept_rp_id_change: bool,
    /// For commands that recover or look after a database: opens whatever its RP id and origin. No passkey ceremony can
    /// be begun.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub maintenance: bool,
    /// Opens the file even if other users of the machine can read or write it.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub allow_shared_file: bool,
    /// Hears what happens.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub events: Option<Arc<dyn EventSink>>,
    /// Tells the time; by default the system does.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub time_source: Option<Arc<dyn TimeSource>>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("path", &self.path)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// From where something is done; it is written beside it in the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ClientInfo {
    /// The client's IP address.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub address: Option<String>,
    /// Its user agent; cut after 512 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub user_agent: Option<String>,
    /// A name that its user knows the device by, at most 100 characters.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub device_name: Option<String>,
}
