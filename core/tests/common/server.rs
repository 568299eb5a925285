//! The switch of the suite: `KEYPLATE_TEST_SERVER` names a server on which each file of a test is a database instead.
//!
//! It is the URL of a database whose role may make others. Where a test would have a file, it has the path as before, and
//! nothing is there; the database has a name that is made from it, and goes when the folder has gone.

use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use keyplate::{Config, Keyplate, Secret, TimeSource};
use postgres::{Client, NoTls};

const TEMPLATE: &str = "keyplate_template";
/// Those that this process has made or found.
static DATABASES: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());

/// The URL of the database that stands for this file, if the suite runs on a server.
pub fn url(path: &Path) -> Option<String> {
    let server = std::env::var("KEYPLATE_TEST_SERVER").ok()?;
    let mut databases = DATABASES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(name) = databases.get(path) {
        return Some(of(&server, name));
    }
    let mut client = Client::connect(&server, NoTls).unwrap();
    let gone: Vec<PathBuf> = databases
        .keys()
        .filter(|path| !path.parent().is_some_and(Path::exists))
        .cloned()
        .collect();
    for path in gone {
        let name = databases.remove(&path).unwrap();
        // Somebody may be at it still: then it stays, and goes with the server.
        let _ = client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
    }
    let name = name(path);
    if !exists(&mut client, &name) {
        make_template(&mut client, &server);
        let made = client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"));
        // Another process of the test may have been quicker.
        assert!(made.is_ok() || exists(&mut client, &name), "{made:?}");
    }
    let url = of(&server, &name);
    databases.insert(path.to_owned(), name);
    Some(url)
}

/// The same options on the server, if there is one.
pub fn placed(config: Config, path: &Path) -> Config {
    match url(path) {
        None => config,
        Some(url) => Config {
            path: String::new(),
            database: Some(Arc::new(Secret::new(url))),
            ..config
        },
    }
}

/// A connection past the library.
pub fn connect(path: &Path) -> Option<Client> {
    Some(Client::connect(&url(path)?, NoTls).unwrap())
}

fn name(path: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    format!("test_{:016x}", hasher.finish())
}

fn of(server: &str, name: &str) -> String {
    let (before, options) = server.split_once('?').unwrap_or((server, ""));
    let (host, _) = before.rsplit_once('/').unwrap();
    let options = if options.is_empty() {
        "application_name=test"
    } else {
        options
    };
    format!("{host}/{name}?{options}")
}

fn exists(client: &mut Client, name: &str) -> bool {
    let sql = "SELECT 1 FROM pg_database WHERE datname = $1";
    client.query_opt(sql, &[&name]).unwrap().is_some()
}

/// The tables and nothing in them. One process makes it, the others wait.
fn make_template(client: &mut Client, server: &str) {
    struct Beginning;
    impl TimeSource for Beginning {
        fn now(&self) -> SystemTime {
            UNIX_EPOCH
        }
    }
    let lock = "SELECT pg_advisory_lock(7)";
    client.batch_execute(lock).unwrap();
    if !exists(client, TEMPLATE) {
        let unready = format!("{TEMPLATE}_unready");
        let unready_again = format!("DROP DATABASE IF EXISTS {unready}");
        client.batch_execute(&unready_again).unwrap();
        client
            .batch_execute(&format!("CREATE DATABASE {unready}"))
            .unwrap();
        let url = of(server, &unready);
        let config = Config {
            database: Some(Arc::new(Secret::new(url.clone()))),
            origin: "https://media.example".to_owned(),
            time_source: Some(Arc::new(Beginning)),
            ..Config::default()
        };
        drop(Keyplate::open(config).unwrap());
        let emptied = "DELETE FROM sealing_keys; DELETE FROM changes;
                       UPDATE instance SET boot_id = NULL, boot_millis = NULL, commits = 0";
        Client::connect(&url, NoTls)
            .unwrap()
            .batch_execute(emptied)
            .unwrap();
        client
            .batch_execute(&format!("ALTER DATABASE {unready} RENAME TO {TEMPLATE}"))
            .unwrap();
    }
    client
        .batch_execute("SELECT pg_advisory_unlock(7)")
        .unwrap();
}
