//! What `open` refuses, and what it leaves alone.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
};

use keyplate::{Config, ErrorCode, Keyplate, UserQuery};

use crate::{common::*, open, raw};

#[test]
fn a_new_file_is_its_owners_alone() {
    let f = Fixture::on_disk();
    f.user("ann");
    for name in ["id.db", "id.db-wal", "id.db-shm"] {
        let mode = fs::metadata(f.folder.path().join(name)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    for shared in [0o640, 0o620, 0o604, 0o602] {
        fs::set_permissions(f.path(), Permissions::from_mode(shared)).unwrap();
        assert_eq!(
            refusal(open(&f.path())),
            (ErrorCode::Configuration, Some("path".to_owned())),
            "{shared:o}"
        );
    }
    assert!(
        Keyplate::open(Config {
            allow_shared_file: true,
            ..config(&f.path())
        })
        .is_ok()
    );
}

#[test]
fn options_that_cannot_work_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    let good = || config(&path);
    for (option, bad) in [
        (
            "origin",
            Config {
                origin: "media.example".to_owned(),
                ..good()
            },
        ),
        (
            "path",
            Config {
                path: String::new(),
                ..good()
            },
        ),
        (
            "path",
            Config {
                path: folder
                    .path()
                    .join("no/such/id.db")
                    .to_string_lossy()
                    .into_owned(),
                ..good()
            },
        ),
        (
            "path",
            Config {
                path: folder.path().to_string_lossy().into_owned(),
                allow_shared_file: true,
                ..good()
            },
        ),
        (
            "token_prefix",
            Config {
                token_prefix: Some("A_B".to_owned()),
                ..good()
            },
        ),
        (
            "busy_timeout_ms",
            Config {
                busy_timeout_ms: Some(u32::MAX),
                ..good()
            },
        ),
    ] {
        assert_eq!(
            refusal(Keyplate::open(bad)),
            (ErrorCode::Configuration, Some(option.to_owned()))
        );
    }
    assert!(!path.exists(), "nothing was made");
}

#[test]
fn other_files_are_refused_and_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let made = |make: &dyn Fn()| {
        let _ = fs::remove_file(&path);
        make();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let before = fs::read(&path).unwrap();
        let code = code(open(&path));
        assert_eq!(fs::read(&path).unwrap(), before, "the file was touched");
        code
    };
    assert_eq!(
        made(&|| fs::write(&path, "notes of my cat").unwrap()),
        ErrorCode::ForeignDatabase
    );
    assert_eq!(
        made(&|| fs::write(&path, vec![0; 8_192]).unwrap()),
        ErrorCode::CorruptDatabase
    );
    assert_eq!(
        made(&|| raw(&path)
            .execute_batch("CREATE TABLE cats (name TEXT)")
            .unwrap()),
        ErrorCode::ForeignDatabase
    );
    let own_id = "PRAGMA application_id = 7; CREATE TABLE cats (name TEXT)";
    assert_eq!(
        made(&|| raw(&path).execute_batch(own_id).unwrap()),
        ErrorCode::ForeignDatabase
    );
    assert_eq!(
        made(&|| raw(&path)
            .execute_batch("PRAGMA application_id = 7")
            .unwrap()),
        ErrorCode::ForeignDatabase,
        "another's, still without tables"
    );
    // An empty file is a new one.
    fs::write(&path, "").unwrap();
    assert!(open(&path).is_ok());
}

#[test]
fn a_newer_schema_is_refused_also_by_whoever_has_it_open() {
    let f = Fixture::on_disk();
    let key = f.key(&f.user("ann"), &["a:b"]);
    let connection = raw(&f.path());
    connection
        .execute_batch("PRAGMA user_version = 99; UPDATE instance SET schema = 99")
        .unwrap();
    assert_eq!(code(open(&f.path())), ErrorCode::SchemaTooNew);
    assert_eq!(
        code(f.keyplate.verify_api_key(key.secret.as_str())),
        ErrorCode::SchemaTooNew
    );
    assert_eq!(
        code(f.keyplate.create_user(new_user("bob"))),
        ErrorCode::SchemaTooNew
    );
    assert_eq!(
        code(f.keyplate.list_users(UserQuery::default())),
        ErrorCode::SchemaTooNew
    );
}

/// Closing any descriptor of a file drops the locks that a process has on it: `open` must not look beside SQLite.
#[test]
fn opening_twice_keeps_the_locks_of_the_first() {
    let f = Fixture::on_disk();
    let inode = fs::metadata(f.path()).unwrap().ino();
    // The kernel's list may miss an entry while others come and go.
    let held = || {
        (0..20).any(|_| {
            let locks = fs::read_to_string("/proc/locks").unwrap();
            locks
                .lines()
                .any(|line| line.contains("POSIX") && line.contains(&format!(":{inode} ")))
        })
    };
    f.user("ann");
    assert!(held(), "an open write-ahead log holds a shared lock");
    let second = open(&f.path()).unwrap();
    assert!(held());
    drop(second);
    f.user("bob");
    assert!(held());
}

#[test]
fn an_unknown_credential_does_not_hide_a_newer_schema() {
    let f = Fixture::on_disk();
    let key = f.key(&f.user("ann"), &["a:b"]);
    f.keyplate.revoke_api_key(&key.api_key.id).unwrap();
    let connection = raw(&f.path());
    connection
        .execute_batch(
            "DELETE FROM api_keys; PRAGMA user_version = 99; UPDATE instance SET schema = 99",
        )
        .unwrap();
    assert_eq!(
        code(f.keyplate.verify_api_key(key.secret.as_str())),
        ErrorCode::SchemaTooNew
    );
}
