//! D2: every older file becomes today's, with all that was in it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use std::{fs, os::unix::fs::PermissionsExt, path::Path, thread};

use common::*;
use keyplate::{Keyplate, Role, SetupStage, UserStatus};
use rusqlite::Connection;

/// The secret of the API key in the fixtures.
const KEY: &str = "kp_key_FixtureOfSchema1xxxxxxxxxxxxxxxxxxxxxxxxxxx2GjmJ9";

fn raw(path: &Path) -> Connection {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test makes and looks at files by itself"
    )]
    Connection::open(path).unwrap()
}

/// Every object with its definition, without comments and with single blanks.
fn schema(path: &Path) -> Vec<String> {
    let connection = raw(path);
    let mut statement = connection
        .prepare("SELECT type, name, ifnull(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name")
        .unwrap();
    let objects = statement.query_map([], |row| {
        let sql: String = row.get(2)?;
        let bare: Vec<&str> = sql
            .lines()
            .map(|line| line.split("--").next().unwrap_or_default())
            .collect();
        let words = bare
            .join(" ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            // A column that was added later stands right before the bracket.
            .replace(" )", ")")
            .replace(" ,", ",");
        Ok(format!(
            "{} {} {words}",
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?
        ))
    });
    objects.unwrap().map(Result::unwrap).collect()
}

fn from_fixture(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("id.db");
    raw(&path)
        .execute_batch(include_str!("fixtures/schema-1.sql"))
        .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

#[test]
fn an_old_file_becomes_the_same_as_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = from_fixture(folder.path());
    let keyplate = Keyplate::open(config(&path)).unwrap();
    let fresh = folder.path().join("fresh.db");
    drop(Keyplate::open(config(&fresh)).unwrap());
    assert_eq!(schema(&path), schema(&fresh));
    let version = |path: &Path| {
        raw(path)
            .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(version(&path), version(&fresh));

    let ann = keyplate.find_user("ann@x.example").unwrap().unwrap();
    assert_eq!(
        (ann.username.as_str(), ann.role, ann.email_verified),
        ("Ann", Role::Administrator, true)
    );
    assert_eq!(
        keyplate.find_user("bob").unwrap().unwrap().status,
        UserStatus::Disabled
    );
    assert_eq!(keyplate.verify_api_key(KEY).unwrap().user_id, ann.id);
    assert_eq!(
        keyplate.get_setup_state().unwrap().stage,
        SetupStage::Complete
    );
    assert_eq!(
        keyplate
            .list_audit_events(Default::default())
            .unwrap()
            .total,
        1
    );
    assert!(keyplate.check_integrity().unwrap().ok);
    keyplate
        .create_group(keyplate::NewGroup {
            name: "family".to_owned(),
            friendly_name: None,
        })
        .unwrap();

    let copy = folder.path().join("id.db.schema-1.backup");
    assert_eq!(version(&copy), 1);
    assert_eq!(
        fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn of_several_who_open_an_old_file_one_upgrades_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = from_fixture(folder.path());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                assert!(
                    Keyplate::open(config(&path))
                        .unwrap()
                        .find_user("ann")
                        .unwrap()
                        .is_some()
                )
            });
        }
    });
    let copies = fs::read_dir(folder.path()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with(".backup")
    });
    assert_eq!(copies.count(), 1, "the others found it done");
}
