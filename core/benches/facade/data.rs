//! Large databases, made beside the facade because a hundred thousand commits take long.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use keyplate::{Config, Keyplate, NewService, ServiceAccess};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};
use rusqlite::{Connection, config::DbConfig, params};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const USERS: usize = 10_000;

pub(crate) struct Data {
    pub(crate) path: PathBuf,
    pub(crate) secrets: Vec<String>,
}

impl Data {
    pub(crate) fn with_keys(folder: &Path, keys: usize) -> Self {
        let (mut data, mut connection) = Self::with_users(folder, "key", keys);
        let transaction = connection.transaction().unwrap();
        let mut insert = transaction
            .prepare(
                "INSERT INTO api_keys (secret_hash, id, owner_id, name, scopes, ceiling_administrator, masked, created_at)
                 VALUES (?1, ?2, ?3, 'key', 'library:stream', 0, 'kp_key_…', 0)",
            )
            .unwrap();
        for (n, secret) in data.secrets.iter().enumerate() {
            insert
                .execute(params![hash(secret), id(2, n), id(1, n % USERS)])
                .unwrap();
        }
        drop(insert);
        transaction.commit().unwrap();
        data.shuffle();
        data
    }

    pub(crate) fn with_sessions(folder: &Path, sessions: usize) -> Self {
        let (mut data, mut connection) = Self::with_users(folder, "ses", sessions);
        let transaction = connection.transaction().unwrap();
        let mut insert = transaction
            .prepare(
                "INSERT INTO sessions (secret_hash, id, user_id, method, ceiling_scopes, ceiling_administrator,
                     signed_in_at, last_seen_at, idle_seconds, expires_at, masked)
                 VALUES (?1, ?2, ?3, 'host', '* roles:write', 0, 0, ?4, 604800, ?5, 'kp_ses_…')",
            )
            .unwrap();
        let now = millis(now());
        for (n, secret) in data.secrets.iter().enumerate() {
            let end = now + 86_400_000;
            insert
                .execute(params![hash(secret), id(3, n), id(1, n % USERS), now, end])
                .unwrap();
        }
        drop(insert);
        transaction.commit().unwrap();
        data.shuffle();
        data
    }

    /// Of one service, each beside a session of its own.
    pub(crate) fn with_service_sessions(folder: &Path, sessions: usize) -> Self {
        let mut data = Self::with_sessions(folder, sessions);
        let keyplate = data.open();
        let service = NewService {
            slug: "films".to_owned(),
            origins: vec!["https://films.example".to_owned()],
            access: Some(ServiceAccess::Everyone),
            ..NewService::default()
        };
        let service = keyplate.create_service(service).unwrap();
        drop(keyplate);
        let mut connection = connect(&data.path);
        let transaction = connection.transaction().unwrap();
        data.secrets = (0..sessions).map(|_| token("svc")).collect();
        for (n, secret) in data.secrets.iter().enumerate() {
            let values = params![hash(secret), service.id.as_str(), id(3, n)];
            let sql = "INSERT INTO service_sessions (secret_hash, service_id, session_id, origin, created_at)
                 VALUES (?1, ?2, ?3, 'https://films.example', 0)";
            transaction
                .prepare_cached(sql)
                .unwrap()
                .execute(values)
                .unwrap();
        }
        transaction.commit().unwrap();
        data.shuffle();
        data
    }

    /// Each of somebody else's, good for all.
    pub(crate) fn with_app_passwords(folder: &Path, passwords: usize) -> Self {
        let (mut data, mut connection) = Self::with_users(folder, "app", 0);
        data.secrets = (0..passwords).map(|_| app_password()).collect();
        let transaction = connection.transaction().unwrap();
        let mut insert = transaction
            .prepare(
                "INSERT INTO app_passwords (secret_hash, id, owner_id, name, name_key, search_key, scopes,
                     ceiling_administrator, is_recoverable, created_at)
                 VALUES (?1, ?2, ?3, 'client', 'client', 'client', '', 0, 0, 0)",
            )
            .unwrap();
        for (n, secret) in data.secrets.iter().enumerate() {
            let hashed = hash(&secret.replace('-', "").to_uppercase());
            insert
                .execute(params![hashed, id(4, n), id(1, n % USERS)])
                .unwrap();
        }
        drop(insert);
        transaction.commit().unwrap();
        data
    }

    /// What was made before, with its secrets in a file, one a line.
    pub(crate) fn prepared(folder: &Path) -> Self {
        let secrets = fs::read_to_string(folder.join("secrets")).unwrap();
        Self {
            path: folder.join("id.db"),
            secrets: secrets.lines().map(str::to_owned).collect(),
        }
    }

    fn with_users(folder: &Path, kind: &str, secrets: usize) -> (Self, Connection) {
        let path = folder.join("id.db");
        drop(Keyplate::open(config(&path)).unwrap());
        let mut connection = connect(&path);
        let transaction = connection.transaction().unwrap();
        for n in 0..USERS {
            transaction
                .execute(
                    "INSERT INTO users (id, username, username_key, email_verified, role, status, created_at, updated_at)
                     VALUES (?1, ?2, ?2, 0, 'user', 'active', 0, 0)",
                    params![id(1, n), format!("user{n}")],
                )
                .unwrap();
        }
        transaction.commit().unwrap();
        let secrets = (0..secrets).map(|_| token(kind)).collect();
        (Self { path, secrets }, connection)
    }

    /// Spreads what is asked for over all of it, always in the same way.
    fn shuffle(&mut self) {
        let len = self.secrets.len() as u64;
        let mut state = 88_172_645_463_325_252_u64;
        for n in (1..self.secrets.len()).rev() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            self.secrets
                .swap(n, (state % len.min(n as u64 + 1)) as usize);
        }
    }

    pub(crate) fn open(&self) -> Keyplate {
        Keyplate::open(config(&self.path)).unwrap()
    }

    /// With so many bytes for what was verified lately.
    pub(crate) fn open_with_cache(&self, bytes: i64) -> Keyplate {
        Keyplate::open(Config {
            cache_bytes: Some(bytes),
            ..config(&self.path)
        })
        .unwrap()
    }

    pub(crate) fn secret(&self, n: usize) -> &str {
        &self.secrets[n % self.secrets.len()]
    }

    /// Whose the secret of this number is, as it was made.
    pub(crate) fn owner(n: usize) -> String {
        format!("user{}", n % USERS)
    }
}

pub(crate) fn config(path: &Path) -> Config {
    Config {
        path: path.to_str().unwrap().to_owned(),
        origin: "https://media.example".to_owned(),
        ..Config::default()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "data and floors are made beside the library"
)]
pub(crate) fn connect(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    // Else the partial indexes make SQLite plan anew at each binding.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .unwrap();
    connection
        .pragma_update(None, "synchronous", "FULL")
        .unwrap();
    connection
        .pragma_update(None, "cache_size", -4_096)
        .unwrap();
    connection
}

#[expect(
    clippy::disallowed_methods,
    reason = "the floor reads the system's clock"
)]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

pub(crate) fn millis(time: SystemTime) -> i64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_millis() as i64
}

pub(crate) fn hash(secret: &str) -> Vec<u8> {
    digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}

fn id(kind: usize, n: usize) -> String {
    // Spread as random ids are, so that neighbours in one table are not neighbours in the next.
    let spread = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!(
        "{:08x}-{:04x}-7000-8000-{:04x}{n:08x}",
        spread >> 32,
        (spread >> 16) & 0xffff,
        kind
    )
}

/// As it is shown: `xxxx-xxxx-xxxx-xxxx`.
fn app_password() -> String {
    let alphabet = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut random = [0; 16];
    SystemRandom::new().fill(&mut random).unwrap();
    let letters = random.map(|byte| char::from(alphabet[usize::from(byte & 31)]));
    let groups: Vec<String> = letters.chunks(4).map(String::from_iter).collect();
    groups.join("-")
}

fn token(kind: &str) -> String {
    let mut random = [0; 43];
    SystemRandom::new().fill(&mut random).unwrap();
    let mut token = format!("kp_{kind}_");
    token.extend(
        random
            .iter()
            .map(|byte| char::from(DIGITS[usize::from(byte % 62)])),
    );
    let mut rest = crc32fast::hash(token.as_bytes());
    let mut checksum = [0; 6];
    for digit in checksum.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    token.extend(checksum.map(char::from));
    token
}
