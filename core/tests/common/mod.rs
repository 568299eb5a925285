//! What the tests share: a database in a folder of its own, a clock that they set, a sink that remembers.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part"
)]

#[cfg(feature = "postgres")]
pub mod copy;
pub mod passkeys;
pub mod plans;
pub mod process;
#[cfg(feature = "postgres")]
pub mod server;
pub mod signups;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use keyplate::{
    ApiKey, AuditEvent, BootClock, ClientInfo, Config, CreatedApiKey, EventKind, EventSink,
    Keyplate, NewAdmin, NewApiKey, NewUser, Role, Secret, SignedIn, TimeSource, User,
};

/// 2026-11-01T00:00:00Z
pub const START: u64 = 1_793_491_200;

/// The clock, and the machine's boot-time clock. Both are in milliseconds.
pub struct TestClock {
    time: AtomicU64,
    since_boot: AtomicU64,
    boots: AtomicU64,
}

impl TestClock {
    pub fn at(seconds: u64) -> Self {
        Self {
            time: AtomicU64::new(seconds * 1_000),
            since_boot: AtomicU64::new(1_000_000),
            boots: AtomicU64::new(1),
        }
    }

    /// Time passes.
    pub fn advance(&self, seconds: u64) {
        self.advance_millis(seconds * 1_000);
    }

    pub fn advance_millis(&self, millis: u64) {
        self.time.fetch_add(millis, Ordering::SeqCst);
        self.since_boot.fetch_add(millis, Ordering::SeqCst);
    }

    /// Somebody sets the clock.
    pub fn set(&self, seconds: u64) {
        self.time.store(seconds * 1_000, Ordering::SeqCst);
    }

    pub fn back(&self, seconds: u64) {
        self.time.fetch_sub(seconds * 1_000, Ordering::SeqCst);
    }

    pub fn ahead(&self, seconds: u64) {
        self.time.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    /// The machine sleeps, and the clock with it.
    pub fn suspend(&self, seconds: u64) {
        self.since_boot.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    /// The machine is started anew. The clock goes on by itself.
    pub fn reboot(&self) {
        self.boots.fetch_add(1, Ordering::SeqCst);
        self.since_boot.store(10_000, Ordering::SeqCst);
    }

    /// The machine goes on from a checkpoint, under the same name.
    pub fn restore(&self, since_boot: u64) {
        self.since_boot.store(since_boot * 1_000, Ordering::SeqCst);
    }
}

impl TimeSource for TestClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.time.load(Ordering::SeqCst))
    }
}

impl BootClock for TestClock {
    fn boot_id(&self) -> String {
        format!("boot {}", self.boots.load(Ordering::SeqCst))
    }

    fn since_boot(&self) -> Duration {
        Duration::from_millis(self.since_boot.load(Ordering::SeqCst))
    }
}

#[derive(Default)]
pub struct Heard(pub Mutex<Vec<AuditEvent>>);

impl EventSink for Heard {
    fn on_event(&self, event: AuditEvent) {
        self.0.lock().unwrap().push(event);
    }
}

impl Heard {
    pub fn kinds(&self) -> Vec<EventKind> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .map(|event| event.kind)
            .collect()
    }
}

/// A database that goes away with the test.
pub struct Fixture {
    pub keyplate: Keyplate,
    pub clock: Arc<TestClock>,
    pub heard: Arc<Heard>,
    pub folder: tempfile::TempDir,
}

impl Fixture {
    /// In memory: most tests are not about the disk.
    pub fn new() -> Self {
        Self::in_folder(folder())
    }

    pub fn on_disk() -> Self {
        Self::in_folder(tempfile::tempdir().unwrap())
    }

    fn in_folder(folder: tempfile::TempDir) -> Self {
        let clock = Arc::new(TestClock::at(START));
        let heard = Arc::new(Heard::default());
        let config = Config {
            time_source: Some(clock.clone()),
            events: Some(heard.clone()),
            ..config(&folder.path().join("id.db"))
        };
        Self {
            keyplate: Keyplate::open_with_boot_clock(config, clock.clone()).unwrap(),
            clock,
            heard,
            folder,
        }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("id.db")
    }

    /// A second handle on the same file, as another process would have it, with the same clock.
    pub fn open_again(&self) -> Keyplate {
        let config = Config {
            time_source: Some(self.clock.clone()),
            ..config(&self.path())
        };
        Keyplate::open_with_boot_clock(config, self.clock.clone()).unwrap()
    }

    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    pub fn in_seconds(&self, seconds: u64) -> SystemTime {
        self.now() + Duration::from_secs(seconds)
    }

    pub fn user(&self, name: &str) -> User {
        self.keyplate.create_user(new_user(name)).unwrap()
    }

    pub fn administrator(&self, name: &str) -> User {
        let user = NewUser {
            role: Some(Role::Administrator),
            ..new_user(name)
        };
        self.keyplate.create_user(user).unwrap()
    }

    /// A key that the host makes.
    pub fn key(&self, owner: &User, scopes: &[&str]) -> CreatedApiKey {
        self.keyplate
            .create_api_key(new_key(Some(owner), scopes))
            .unwrap()
    }

    pub fn session(&self, user: &User) -> SignedIn {
        self.keyplate
            .create_session(&user.id, ClientInfo::default(), None)
            .unwrap()
    }

    pub fn acting(&self, credential: &str) -> Keyplate {
        let found = self.keyplate.authenticate(credential).unwrap();
        self.keyplate.acting_as(&found.principal, client()).unwrap()
    }

    /// As somebody who may be waiting for approval.
    pub fn enrolling(&self, credential: &str) -> Keyplate {
        let found = self.keyplate.authenticate_pending(credential).unwrap();
        self.keyplate.acting_as(&found.principal, client()).unwrap()
    }

    pub fn stranger(&self) -> Keyplate {
        self.keyplate.anonymous(client()).unwrap()
    }

    /// The administrator's setup session, by a token as a stranger has it.
    pub fn claim(&self) -> SignedIn {
        let token = self.keyplate.create_setup_token().unwrap();
        self.stranger()
            .claim_setup(Some(token.secret.reveal()), admin("ann"))
            .unwrap()
    }
}

/// In memory where there is such a file system: commits wait for a disk, and a kill loses nothing of either.
pub fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

pub fn config(path: &std::path::Path) -> Config {
    // Any test may be run like this (CONTRIBUTING.md); the scenarios always are, too.
    if std::env::var_os("KEYPLATE_RUN_TWICE").is_some() {
        keyplate::run_transactions_twice(true);
    }
    let config = Config {
        path: path.to_str().unwrap().to_owned(),
        origin: "https://media.example".to_owned(),
        ..Config::default()
    };
    #[cfg(feature = "postgres")]
    let config = server::placed(config, path);
    config
}

pub fn client() -> ClientInfo {
    ClientInfo {
        address: Some("192.0.2.7".to_owned()),
        user_agent: Some("test/1".to_owned()),
        device_name: None,
    }
}

pub fn new_user(name: &str) -> NewUser {
    NewUser {
        username: name.to_owned(),
        ..NewUser::default()
    }
}

pub fn admin(name: &str) -> NewAdmin {
    NewAdmin {
        username: name.to_owned(),
        ..NewAdmin::default()
    }
}

pub fn new_key(owner: Option<&User>, scopes: &[&str]) -> NewApiKey {
    NewApiKey {
        name: "a key".to_owned(),
        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        owner_id: owner.map(|user| user.id),
        ..NewApiKey::default()
    }
}

/// A secret that somebody types or sends.
pub fn secret(text: &str) -> Arc<Secret> {
    Arc::new(Secret::new(text.to_owned()))
}

pub fn names(keys: &[ApiKey]) -> Vec<&str> {
    keys.iter().map(|key| key.name.as_str()).collect()
}

/// The error's code and field.
pub fn refusal<T: std::fmt::Debug>(
    result: keyplate::Result<T>,
) -> (keyplate::ErrorCode, Option<String>) {
    let error = result.unwrap_err();
    (error.code(), error.field())
}

/// The error's code and the name of its reason.
pub fn reason<T: std::fmt::Debug>(
    result: keyplate::Result<T>,
) -> (keyplate::ErrorCode, Option<String>) {
    let error = result.unwrap_err();
    (error.code(), error.reason_code())
}

pub fn code<T: std::fmt::Debug>(result: keyplate::Result<T>) -> keyplate::ErrorCode {
    refusal(result).0
}

/// The database as another program sees it.
#[cfg(not(feature = "postgres"))]
pub fn raw(path: &std::path::Path) -> rusqlite::Connection {
    file(path)
}

/// The same, of a file or of a server.
#[cfg(feature = "postgres")]
pub fn raw(path: &std::path::Path) -> copy::Copy {
    copy::Copy::of(path)
}

/// The file as SQLite itself opens it.
fn file(path: &std::path::Path) -> rusqlite::Connection {
    #[expect(clippy::disallowed_methods, reason = "the test plays another program")]
    rusqlite::Connection::open(path).unwrap()
}
