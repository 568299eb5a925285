use std::{fmt, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use crate::{
    AuditEvent, EventKind, EventSink, KeyplateError, Principal, Result, Secret, TimeSource,
    access_tokens::KeyCipher,
    audit::{self, Change},
    authority::{Actor, Caller, Method},
    clock::Clock,
    codes::CodeKey,
    db::{self, Engine, Options, Reader},
    error::invalid,
    events,
    refusals::Refusals,
    relying_party::RelyingParty,
    seen::Seen,
    text,
};

const MIN_ENCRYPTION_KEY: usize = 32;

/// How to open a database. Only `path` and `origin` must be given.
#[derive(Clone, Default)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Config {
    /// The database file; its folder must exist. It is made with rights for its owner only.
    pub path: String,
    /// The web origin that people use, for example `https://media.example`.
    pub origin: String,
    /// The first part of every secret token: 1 to 16 small letters and digits. By default `kp`.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub token_prefix: Option<String>,
    /// How long a call waits for another writer, in milliseconds; by default 5000.
    #[cfg_attr(feature = "uniffi", uniffi(default))]
    pub busy_timeout_ms: Option<u32>,
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

/// Which letters a username may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
#[non_exhaustive]
pub enum UsernamePolicy {
    /// `A`–`Z`, `a`–`z` and digits, with `_ . @ -` inside.
    #[default]
    Ascii,
    /// Letters and digits of any script, with `_ . @ -` inside.
    AnyScript,
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

/// An open database, or somebody's view of it. Cheap to clone; may be shared between threads.
///
/// All calls block; the longest wait is the busy time-out.
#[derive(Clone)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct Keyplate {
    pub(crate) shared: Arc<Shared>,
    actor: Actor,
    client: ClientInfo,
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Keyplate>();
};

/// What all handles of one open database share.
pub(crate) struct Shared {
    pub(crate) db: Arc<Engine>,
    pub(crate) token_prefix: String,
    pub(crate) username_policy: UsernamePolicy,
    pub(crate) code_key: CodeKey,
    pub(crate) key_cipher: KeyCipher,
    /// Who issues access tokens: the origin.
    pub(crate) issuer: String,
    pub(crate) relying_party: RelyingParty,
    pub(crate) seen: Seen,
    refusals: Refusals,
    events: Option<Arc<dyn EventSink>>,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Keyplate {
    /// Opens a database file, or makes it, and gives the host's handle: it may do everything. The first to open a restored
    /// back-up ends its sessions (`back_up_to`).
    ///
    /// # Errors
    /// `Configuration` with the option at fault, also for another RP id than that of the passkeys there are;
    /// `ForeignDatabase`, `CorruptDatabase`, `SchemaTooNew`, `Busy` and the
    /// storage errors for a file that cannot be used.
    #[cfg_attr(feature = "uniffi", uniffi::constructor)]
    pub fn open(config: Config) -> Result<Keyplate> {
        let (options, token_prefix) = checked(&config)?;
        let relying_party = RelyingParty::of(&config)?;
        let clock = Clock::new(config.time_source);
        let keyplate = Self {
            shared: Arc::new(Shared {
                db: Engine::open(options, clock)?,
                token_prefix,
                username_policy: config.username_policy.unwrap_or_default(),
                code_key: CodeKey::new(config.encryption_key.as_deref())?,
                key_cipher: KeyCipher::new(config.encryption_key.as_deref())?,
                issuer: config.origin,
                relying_party,
                seen: Seen::default(),
                refusals: Refusals::default(),
                events: config.events,
            }),
            actor: Actor::Host,
            client: ClientInfo::default(),
        };
        keyplate.settle_restored()?;
        keyplate.settle_rp_id(config.accept_rp_id_change)?;
        Ok(keyplate)
    }

    /// A handle for somebody who has shown nothing yet: he may look at the state of setup and the public settings, claim
    /// setup, sign up and sign in.
    ///
    /// # Errors
    /// `PermissionDenied` on any but the host's handle; `InvalidInput` for `address` or `device_name`.
    pub fn anonymous(&self, client: ClientInfo) -> Result<Keyplate> {
        self.derived(Method::Anonymous, Actor::Anonymous, client)
    }

    /// The host's own handle, for what it does on account of a client: the audit log then tells from where.
    ///
    /// # Errors
    /// `PermissionDenied` on any but the host's handle; `InvalidInput` for `address` or `device_name`.
    pub fn with_client(&self, client: ClientInfo) -> Result<Keyplate> {
        self.derived(Method::WithClient, Actor::Host, client)
    }

    /// A handle that acts for the user behind a credential, within his rights and the credential's at each call.
    ///
    /// # Errors
    /// `PermissionDenied` on any but the host's handle; `InvalidInput` for `address` or `device_name`. Whether the
    /// credential is still good is seen by each call, not here.
    pub fn acting_as(&self, principal: &Principal, client: ClientInfo) -> Result<Keyplate> {
        self.derived(
            Method::ActingAs,
            Actor::Principal(principal.clone()),
            client,
        )
    }
}

impl Keyplate {
    fn derived(&self, method: Method, actor: Actor, client: ClientInfo) -> Result<Self> {
        self.actor.check_kind(method)?;
        Ok(Self {
            shared: Arc::clone(&self.shared),
            actor,
            client: client.checked()?,
        })
    }

    /// Runs `f` on a snapshot, for a caller who may call this method.
    pub(crate) fn read<T>(
        &self,
        method: Method,
        f: impl FnOnce(&Reader<'_>, &Caller) -> Result<T>,
    ) -> Result<T> {
        self.actor.check_kind(method)?;
        self.shared.db.read(|reader| {
            let caller = self.actor.resolve(reader, method)?;
            f(reader, &caller)
        })
    }

    /// Runs `f` in one transaction, for a caller who may call this method; then tells the host what happened.
    pub(crate) fn write<T>(
        &self,
        method: Method,
        f: impl FnOnce(&Change<'_>) -> Result<T>,
    ) -> Result<T> {
        self.actor.check_kind(method)?;
        self.write_as(|writer| self.actor.resolve(writer, method), f)
    }

    /// What the library does by itself, as the host.
    pub(crate) fn write_for_host<T>(&self, f: impl FnOnce(&Change<'_>) -> Result<T>) -> Result<T> {
        self.write_as(|_| Ok(Caller::Host), f)
    }

    fn write_as<T>(
        &self,
        caller: impl FnOnce(&Reader<'_>) -> Result<Caller>,
        f: impl FnOnce(&Change<'_>) -> Result<T>,
    ) -> Result<T> {
        let (result, events, along) = self.shared.db.write(|writer| {
            let caller = caller(writer)?;
            let change = Change::new(writer, &caller, &self.client);
            change.note_clock()?;
            let result = f(&change)?;
            let seen = self.shared.seen.take_along(writer)?;
            let refusals = self.shared.refusals.take_along(writer)?;
            Ok((result, change.into_events(), (seen, refusals)))
        })?;
        self.shared.seen.forget(&along.0);
        self.shared.refusals.forget(&along.1);
        self.deliver(events);
        Ok(result)
    }

    /// A1: a refusal is counted in one row per event, address and minute. Failing at that changes nothing.
    pub(crate) fn note_refusal<T>(&self, kind: EventKind, result: &Result<T>) {
        let Err(error) = result else { return };
        let Shared { db, refusals, .. } = &*self.shared;
        let Ok(now) = db.clock_now() else { return };
        if !audit::is_refusal(error) {
            return;
        }
        let caller = self.actor.without_rights();
        let (event, key) = audit::refusal(now, &caller, &self.client, kind, error);
        if !refusals.is_first(&key, &event) {
            return;
        }
        let stored = db.write_if_free(|writer| {
            let at = writer.now(); // C5
            let event = AuditEvent { at, ..event };
            db::audit::insert_or_count(writer, &event, &key, 1)
        });
        if let Ok(event) = stored {
            refusals.note_written(key, event.clone());
            self.deliver(vec![event]);
        }
    }

    /// So that the log shows what was counted in memory; left for later when somebody else is writing.
    pub(crate) fn write_refusals(&self) {
        let Shared { db, refusals, .. } = &*self.shared;
        if !refusals.is_empty() {
            let _ = refusals.write_all(db);
        }
    }

    fn deliver(&self, events: Vec<AuditEvent>) {
        if let Some(sink) = &self.shared.events {
            events::deliver(sink.as_ref(), events);
        }
    }
}

impl fmt::Debug for Keyplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyplate")
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // At close, what was seen is written (T1); when that fails, a minute is lost, which T1 allows.
        if !self.db.is_owned_by_this_process() {
            return;
        }
        if !self.seen.is_empty() {
            let _ = self.seen.write_all(&self.db);
        }
        if !self.refusals.is_empty() {
            let _ = self.refusals.write_all(&self.db);
        }
    }
}

impl ClientInfo {
    const MAX_USER_AGENT: usize = 512;
    const MAX_DEVICE_NAME: usize = 100;

    pub(crate) fn checked(self) -> Result<Self> {
        let address = self.address.filter(|address| !address.is_empty());
        if let Some(address) = &address {
            let _: IpAddr = address
                .parse()
                .map_err(|_| invalid("address", "is not an IP address"))?;
        }
        Ok(Self {
            address,
            // It comes from the stranger's side: made harmless, not refused.
            user_agent: self.user_agent.map(|agent| {
                let visible = agent.chars().filter(|c| !c.is_control());
                visible.take(Self::MAX_USER_AGENT).collect()
            }),
            device_name: text::maybe(
                "device_name",
                self.device_name.as_deref(),
                Self::MAX_DEVICE_NAME,
            )?,
        })
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
        return Err(wrong(
            "token_prefix",
            "must be 1 to 16 small letters and digits, a letter first",
        ));
    }
    if config.path.is_empty() || config.path.contains('\0') {
        return Err(wrong("path", "must name a file"));
    }
    let key = config.encryption_key.as_deref();
    if key.is_some_and(|key| key.as_str().chars().count() < MIN_ENCRYPTION_KEY) {
        return Err(wrong("encryption_key", "must have at least 32 characters"));
    }
    let busy_timeout = config.busy_timeout_ms.unwrap_or(5_000);
    if busy_timeout > 600_000 {
        return Err(wrong("busy_timeout_ms", "must be at most 600000"));
    }
    let options = Options {
        path: PathBuf::from(&config.path),
        busy_timeout: Duration::from_millis(u64::from(busy_timeout)),
        allow_shared_file: config.allow_shared_file,
    };
    Ok((options, prefix.to_owned()))
}

fn wrong(option: &str, reason: &str) -> KeyplateError {
    KeyplateError::Configuration {
        option: option.to_owned(),
        reason: reason.to_owned(),
    }
}
