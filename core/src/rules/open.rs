//! Opening a database: the options are checked, and what a restored back-up or another RP id means is settled.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::{
    clock::{BootClock, Clock},
    crypto::{key_cipher::KeyCipher, password_cipher::PasswordCipher},
    db::{Engine, Options, Place},
    error::{ConfigurationReason, Result, configuration},
    gate::{
        handle::{Keyplate, Shared},
        refusals::Refusals,
        relying_party::RelyingParty,
        seen::Seen,
    },
    model::config::Config,
    values::codes::CodeKey,
};

const MIN_ENCRYPTION_KEY: usize = 32;
/// In milliseconds.
const MAX_BUSY_TIMEOUT: i64 = 600_000;
/// D7: what is kept in memory of what was looked up, by default and at most.
const CACHE_BYTES: i64 = 4 << 20;
const MAX_CACHE_BYTES: i64 = 1 << 30;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Opens a database file, or creates it, or the tables on a server, and returns the host's handle, which may do everything. The first to open a
    /// restored back-up ends its sessions (see `back_up_to`).
    ///
    /// # Errors
    /// `Configuration` with the option at fault, also for an RP id other than that of the existing passkeys;
    /// `ForeignDatabase`, `CorruptDatabase`, `SchemaTooNew`, `Busy` and the storage errors for a file that cannot be used.
    #[cfg_attr(feature = "uniffi", uniffi::constructor)]
    pub fn open(config: Config) -> Result<Keyplate> {
        let clock = Clock::new(config.time_source.clone());
        Self::open_by(config, clock)
    }
}

impl Keyplate {
    /// `open`, as if the machine's boot-time clock were that one. For the library's own tests.
    ///
    /// # Errors
    /// As `open`.
    #[doc(hidden)]
    pub fn open_with_boot_clock(config: Config, boot: Arc<dyn BootClock>) -> Result<Keyplate> {
        let clock = Clock::new(config.time_source.clone()).with_boot(boot);
        Self::open_by(config, clock)
    }

    fn open_by(config: Config, clock: Clock) -> Result<Keyplate> {
        let (options, token_prefix) = checked(&config)?;
        let relying_party = RelyingParty::of(&config)?;
        let keyplate = Self::of_host(Shared {
            db: Engine::open(options, clock)?,
            token_prefix,
            username_policy: config.username_policy.unwrap_or_default(),
            code_key: CodeKey::new(config.encryption_key.as_deref())?,
            key_cipher: KeyCipher::new(config.encryption_key.as_deref())?,
            password_cipher: PasswordCipher::new(config.encryption_key.as_deref())?,
            issuer: relying_party.origin.clone(),
            relying_party,
            seen: Seen::default(),
            refusals: Refusals::default(),
            events: config.events,
        });
        keyplate.settle_boot()?;
        keyplate.settle_restored()?;
        keyplate.settle_rp_id(config.accept_rp_id_change)?;
        keyplate.settle_sealing_key()?;
        Ok(keyplate)
    }
}

fn checked(config: &Config) -> Result<(Options, String)> {
    let prefix = config.token_prefix.as_deref().unwrap_or("kp");
    let well_formed = (1..=16).contains(&prefix.len())
        && prefix.starts_with(|c: char| c.is_ascii_lowercase())
        && prefix
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if !well_formed {
        return Err(configuration(
            "token_prefix",
            ConfigurationReason::NotPrefix,
        ));
    }
    let place = database_place(config)?;
    let key = config.encryption_key.as_deref();
    if key.is_some_and(|key| key.as_str().chars().count() < MIN_ENCRYPTION_KEY) {
        return Err(configuration(
            "encryption_key",
            ConfigurationReason::TooShort {
                least: MIN_ENCRYPTION_KEY as i64,
            },
        ));
    }
    let busy_timeout = config.busy_timeout_ms.unwrap_or(5_000);
    if !(0..=MAX_BUSY_TIMEOUT).contains(&busy_timeout) {
        return Err(configuration(
            "busy_timeout_ms",
            ConfigurationReason::OutOfRange {
                least: 0,
                most: MAX_BUSY_TIMEOUT,
            },
        ));
    }
    let options = Options {
        place,
        busy_timeout: Duration::from_millis(busy_timeout.unsigned_abs()),
        allow_shared_file: config.allow_shared_file,
        cache_bytes: cache_bytes(config)?,
    };
    Ok((options, prefix.to_owned()))
}

fn cache_bytes(config: &Config) -> Result<usize> {
    let bytes = config.cache_bytes.unwrap_or(CACHE_BYTES);
    let in_range = (0..=MAX_CACHE_BYTES).contains(&bytes).then_some(bytes);
    in_range
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| {
            configuration(
                "cache_bytes",
                ConfigurationReason::OutOfRange {
                    least: 0,
                    most: MAX_CACHE_BYTES,
                },
            )
        })
}

/// A file or a server, and not both.
fn database_place(config: &Config) -> Result<Place> {
    let refused = |reason| Err(configuration("database", reason));
    let Some(url) = &config.database else {
        return database_path(&config.path).map(Place::File);
    };
    if !config.path.is_empty() {
        return refused(ConfigurationReason::PathAndDatabase);
    }
    let schemes = ["postgres://", "postgresql://"];
    if !schemes
        .iter()
        .any(|scheme| url.as_str().starts_with(scheme))
    {
        return refused(ConfigurationReason::NotDatabaseUrl);
    }
    #[cfg(feature = "postgres")]
    return Ok(Place::Server(Arc::clone(url)));
    #[cfg(not(feature = "postgres"))]
    refused(ConfigurationReason::NoPostgres)
}

/// Which file is meant, settled once: later connections must not open another one because the process has gone to a
/// different folder meanwhile. SQLite takes no absolute path for a URI.
fn database_path(path: &str) -> Result<PathBuf> {
    let refused = |reason| configuration("path", reason);
    if path.is_empty() || path.contains('\0') {
        return Err(refused(ConfigurationReason::NoFile));
    }
    let is_uri = path
        .get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"));
    if path == ":memory:" || is_uri {
        return Err(refused(ConfigurationReason::NotAPath));
    }
    std::path::absolute(path).map_err(|_| refused(ConfigurationReason::NoFolder))
}
