//! Each fault of an option.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use keyplate::{Config, ConfigurationReason, Keyplate, KeyplateError, Secret};

use super::{assert_all, failed};
use crate::common::{passkeys::Person, *};

/// A database in whose place another was put, while its log stayed.
fn other_log(folder: &Path) -> keyplate::Result<()> {
    let (path, log) = (folder.join("log.db"), folder.join("log.db-wal"));
    let keyplate = Keyplate::open(config(&path)).unwrap();
    keyplate.create_user(new_user("ann")).unwrap();
    let left = fs::read(&log).unwrap();
    drop(keyplate);
    fs::remove_file(&path).unwrap();
    drop(Keyplate::open(config(&path)).unwrap());
    fs::write(&log, left).unwrap();
    fs::set_permissions(&log, fs::Permissions::from_mode(0o600)).unwrap();
    failed(Keyplate::open(config(&path)))
}

/// A database that is open, and whose log is gone.
fn open_elsewhere(folder: &Path) -> keyplate::Result<()> {
    let path = folder.join("elsewhere.db");
    let _open = Keyplate::open(config(&path)).unwrap();
    for part in ["-wal", "-shm"] {
        fs::remove_file(folder.join(format!("elsewhere.db{part}"))).unwrap();
    }
    let config = Config {
        busy_timeout_ms: Some(0),
        ..config(&path)
    };
    failed(Keyplate::open(config))
}

/// A database on a server.
fn on_server(url: &str) -> Config {
    Config {
        path: String::new(),
        database: Some(secret(url)),
        ..config(Path::new("none"))
    }
}

#[test]
fn options_that_cannot_work() {
    let f = Fixture::on_disk();
    let folder = f.folder.path();
    let fresh = folder.join("fresh.db");
    let with = |change: &dyn Fn(&mut Config)| {
        let mut config = config(&fresh);
        change(&mut config);
        failed(Keyplate::open(config))
    };
    let path = |path: &std::path::Path| failed(Keyplate::open(config(path)));
    let shared = folder.join("shared.db");
    fs::write(&shared, "").unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o644)).unwrap();
    f.user("bob");
    let bob = f.keyplate.find_user_by_username("bob").unwrap().unwrap();
    let acting = f.acting(f.session(&bob).secret.as_str());
    Person::new().register(&acting).unwrap();
    let elsewhere = Config {
        origin: "https://other.example".to_owned(),
        ..config(&f.path())
    };
    let other = failed(Keyplate::open(elsewhere));

    let sealed = folder.join("sealed.db");
    let open = |key: Option<char>| {
        let secret = |c: char| Arc::new(Secret::new(c.to_string().repeat(32)));
        let config = Config {
            encryption_key: key.map(secret),
            ..config(&sealed)
        };
        Keyplate::open(config).unwrap()
    };
    open(Some('a')).get_jwks().unwrap();
    let key_needed = failed(open(None).rotate_signing_key(None));
    let wrong_key = {
        let keyplate = open(Some('b'));
        let user = keyplate.create_user(new_user("bob")).unwrap();
        let session = keyplate
            .create_session(&user.id, Default::default(), None)
            .unwrap();
        let films = keyplate.create_service(super::service("films")).unwrap();
        keyplate.set_service_access(&films.id, true, &[]).unwrap();
        let found = keyplate.authenticate(session.secret.as_str()).unwrap();
        failed(keyplate.issue_access_token(&found.principal, "films", None))
    };

    let beside = folder.join("beside.db");
    fs::write(&beside, "").unwrap();
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.join("beside.db-wal")).unwrap();
    let open_folder = folder.join("open");
    fs::create_dir(&open_folder).unwrap();
    fs::set_permissions(&open_folder, fs::Permissions::from_mode(0o777)).unwrap();
    let others = folder.join("others.db");
    fs::write(&others, "").unwrap();
    fs::set_permissions(&others, fs::Permissions::from_mode(0o600)).unwrap();
    // Only root can give files away; whoever else runs this looks at another reason once more.
    let (others, others_reason) = match std::os::unix::fs::chown(&others, Some(12_345), None) {
        Ok(()) => (others, ConfigurationReason::OthersFile),
        Err(_) => (shared.clone(), ConfigurationReason::SharedFile),
    };
    // A file is mounted by the tests of the storage.
    let untried: &[&str] = match others_reason {
        ConfigurationReason::OthersFile => &["mounted_file"],
        _ => &["mounted_file", "others_file"],
    };

    let origin = |origin: &'static str| with(&move |config| config.origin = origin.to_owned());
    let cases = [
        ("path", ConfigurationReason::NoFile, path("".as_ref())),
        (
            "path",
            ConfigurationReason::NoFolder,
            path(&folder.join("none/id.db")),
        ),
        ("path", ConfigurationReason::NotAFile, path(folder)),
        ("path", ConfigurationReason::SharedFile, path(&shared)),
        ("path", others_reason, path(&others)),
        (
            "path",
            ConfigurationReason::SharedFolder,
            path(&open_folder.join("id.db")),
        ),
        (
            "path",
            ConfigurationReason::UnsafeSideFile {
                suffix: "-wal".to_owned(),
            },
            path(&beside),
        ),
        (
            "path",
            ConfigurationReason::FolderReadOnly,
            path("/sys/id.db".as_ref()),
        ),
        (
            "path",
            ConfigurationReason::NotAPath,
            path(":memory:".as_ref()),
        ),
        ("path", ConfigurationReason::LeadsNowhere, {
            let link = folder.join("dangling.db");
            std::os::unix::fs::symlink("nothing", &link).unwrap();
            path(&link)
        }),
        (
            "path",
            ConfigurationReason::PathTooLong { most: 504 },
            path(&folder.join("n".repeat(250))),
        ),
        ("path", ConfigurationReason::SeveralNames, {
            let second = folder.join("second.db");
            fs::hard_link(&beside, &second).unwrap();
            path(&second)
        }),
        ("path", ConfigurationReason::OtherLog, other_log(folder)),
        (
            "path",
            ConfigurationReason::OpenElsewhere,
            open_elsewhere(folder),
        ),
        (
            "database",
            ConfigurationReason::NotDatabaseUrl,
            with(&|config| *config = on_server("mysql://db.example/id")),
        ),
        (
            "database",
            ConfigurationReason::PathAndDatabase,
            with(&|config| config.database = on_server("postgres://db.example/id").database),
        ),
        #[cfg(not(feature = "postgres"))]
        (
            "database",
            ConfigurationReason::NoPostgres,
            with(&|config| *config = on_server("postgres://db.example/id")),
        ),
        (
            "token_prefix",
            ConfigurationReason::NotPrefix,
            with(&|config| config.token_prefix = Some("K".to_owned())),
        ),
        (
            "encryption_key",
            ConfigurationReason::TooShort { least: 32 },
            with(&|config| config.encryption_key = Some(Arc::new(Secret::new("short".to_owned())))),
        ),
        (
            "busy_timeout_ms",
            ConfigurationReason::OutOfRange {
                least: 0,
                most: 600_000,
            },
            with(&|config| config.busy_timeout_ms = Some(-1)),
        ),
        (
            "cache_bytes",
            ConfigurationReason::OutOfRange {
                least: 0,
                most: 1 << 30,
            },
            with(&|config| config.cache_bytes = Some((1 << 30) + 1)),
        ),
        (
            "cache_bytes",
            ConfigurationReason::OutOfRange {
                least: 0,
                most: 1 << 30,
            },
            with(&|config| config.cache_bytes = Some(-1)),
        ),
        (
            "origin",
            ConfigurationReason::NotWebOrigin,
            origin("ftp://media.example"),
        ),
        (
            "origin",
            ConfigurationReason::NotOrigin,
            origin("https://media.example/x"),
        ),
        (
            "native_origins",
            ConfigurationReason::NotNativeOrigin,
            with(&|config| config.native_origins = vec!["android:x".to_owned()]),
        ),
        (
            "rp_id",
            ConfigurationReason::RpIdOutsideOrigin,
            with(&|config| config.rp_id = Some("other.example".to_owned())),
        ),
        (
            "more_origins",
            ConfigurationReason::OutsideRpId,
            with(&|config| config.more_origins = vec!["https://other.example".to_owned()]),
        ),
        (
            "related_origins",
            ConfigurationReason::NotHttps,
            with(&|config| config.related_origins = vec!["http://other.example".to_owned()]),
        ),
        (
            "origin",
            ConfigurationReason::IpAddress,
            origin("https://192.0.2.1"),
        ),
        (
            "origin",
            ConfigurationReason::InsecureOrigin,
            origin("http://media.example"),
        ),
        (
            "rp_id",
            ConfigurationReason::OtherRpId {
                stored: "media.example".to_owned(),
                configured: "other.example".to_owned(),
            },
            other,
        ),
        ("encryption_key", ConfigurationReason::KeyNeeded, key_needed),
        ("encryption_key", ConfigurationReason::WrongKey, wrong_key),
    ];
    let cases = cases.into_iter().map(|(option, reason, result)| {
        let option = option.to_owned();
        (KeyplateError::Configuration { option, reason }, result)
    });
    assert_all("ConfigurationReason", cases.collect(), untried);
}
