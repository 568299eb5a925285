//! D2: every older file becomes today's, with all that was in it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc, thread};

use common::{passkeys::Person, *};
use keyplate::{Config, Keyplate, NewSignup, Role, SetupStage, UserStatus};
use rusqlite::Connection;

const SCHEMA_1: &str = include_str!("fixtures/schema-1.sql");
const SCHEMA_2: &str = include_str!("fixtures/schema-2.sql");

/// An API key, a session, a sign-up token and a one-time token.
const SECRETS_OF_SCHEMA_2: [&str; 4] = [
    "kp_key_LTLErubsG49hh49WXuUSoWbK0Ea2I9VCAuQvUblXZ8w3lRLJf",
    "kp_ses_gG9PX8ZCdkFaToYJRbL0UAFEJO7goxOJgLmFH9Fb45x2wJxlM",
    "kp_inv_sB4PiuRBcKZTOHYluA8scBRlIzHQq3lNKVnAHuRbLWk4Grf6K",
    "kp_otp_GLZAt9VPnZjmFh9uHV4TJRt5ycu6IFMy2C4ACoOjCYO3a58fO",
];

/// The secret of the API key in the first fixture.
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

fn from_fixture(folder: &Path, fixture: &str) -> std::path::PathBuf {
    let path = folder.join("id.db");
    raw(&path).execute_batch(fixture).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Opens a copy of the fixture; it must have become what a new file is, with a copy of what it was beside it.
fn upgraded(folder: &Path, fixture: &str, schema_before: i64) -> Keyplate {
    let path = from_fixture(folder, fixture);
    let keyplate = Keyplate::open(Config {
        // Not long after the fixtures were made.
        time_source: Some(Arc::new(TestClock::at(START + 60))),
        ..config(&path)
    })
    .unwrap();
    let fresh = folder.join("fresh.db");
    drop(Keyplate::open(config(&fresh)).unwrap());
    assert_eq!(schema(&path), schema(&fresh));
    let version = |path: &Path| {
        raw(path)
            .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(version(&path), version(&fresh));
    let copy = folder.join(format!("id.db.schema-{schema_before}.backup"));
    assert_eq!(version(&copy), schema_before);
    assert_eq!(
        fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(keyplate.check_integrity().unwrap().ok);
    keyplate
}

#[test]
fn a_file_of_schema_1() {
    let folder = tempfile::tempdir().unwrap();
    let keyplate = upgraded(folder.path(), SCHEMA_1, 1);
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
    keyplate
        .create_group(keyplate::NewGroup {
            name: "family".to_owned(),
            friendly_name: None,
        })
        .unwrap();
}

#[test]
fn a_file_of_schema_2() {
    let folder = tempfile::tempdir().unwrap();
    let keyplate = upgraded(folder.path(), SCHEMA_2, 2);
    let bob = keyplate.find_user("bob").unwrap().unwrap();
    let [key, session, invitation, one_time] = SECRETS_OF_SCHEMA_2;
    assert_eq!(keyplate.verify_api_key(key).unwrap().username, "Ann");
    assert_eq!(keyplate.verify_session(session).unwrap().user_id, bob.id);
    let stranger = keyplate.anonymous(client()).unwrap();
    let cid = stranger
        .sign_up(NewSignup {
            username: "cid".to_owned(),
            token: Some(invitation.to_owned()),
            ..NewSignup::default()
        })
        .unwrap();
    assert_eq!(cid.user.group_ids.len(), 1);
    let tokens = keyplate.list_one_time_tokens(Some(bob.id)).unwrap();
    assert!(!tokens[0].is_recovery);
    assert_eq!(
        stranger.redeem_one_time_token(one_time).unwrap().user.id,
        bob.id
    );
    // Whoever was there before registers a passkey.
    let principal = keyplate.authenticate(session).unwrap().principal;
    let acting = keyplate.acting_as(&principal, client()).unwrap();
    let mut person = Person::new();
    person.register(&acting).unwrap();
    assert_eq!(person.log_in(&stranger).unwrap().user.id, bob.id);
}

#[test]
fn of_several_who_open_an_old_file_one_upgrades_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = from_fixture(folder.path(), SCHEMA_1);
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
