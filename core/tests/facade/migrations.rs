//! D2: every older file becomes today's, with all that was in it.

mod collisions;
mod keys;
mod schema_4;
mod schema_5;
mod schema_6;
mod schema_8;

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc, thread};

use keyplate::{Config, Keyplate, NewSignup, Role, SetupStage, UserStatus};
use rusqlite::Connection;

use crate::common::{passkeys::Person, *};

const SCHEMA_1: &str = include_str!("../fixtures/schema-1.sql");
const SCHEMA_2: &str = include_str!("../fixtures/schema-2.sql");
const SCHEMA_3: &str = include_str!("../fixtures/schema-3.sql");
/// What has Bob's passkey of schema 3.
const AUTHENTICATOR_3: &str = include_str!("../fixtures/schema-3-authenticator.json");

/// An API key, a session, a sign-up token and a one-time token.
const SECRETS_OF_SCHEMA_2: [&str; 4] = [
    "kp_key_LTLErubsG49hh49WXuUSoWbK0Ea2I9VCAuQvUblXZ8w3lRLJf",
    "kp_ses_gG9PX8ZCdkFaToYJRbL0UAFEJO7goxOJgLmFH9Fb45x2wJxlM",
    "kp_inv_sB4PiuRBcKZTOHYluA8scBRlIzHQq3lNKVnAHuRbLWk4Grf6K",
    "kp_otp_GLZAt9VPnZjmFh9uHV4TJRt5ycu6IFMy2C4ACoOjCYO3a58fO",
];

/// Every credential of schema 3: API keys of Ann's, one of them before and after its rotation; sessions of Ann's, two of
/// Bob's, and Dan's; the setup token; a sign-up token; Bob's one-time token and code; Dan's recovery token.
const KEYS_OF_SCHEMA_3: [&str; 3] = [
    "kp_key_oRpETeCTJtOofhGtlpxEO5Sja8tFNCQwG5Szy4Or2lL0Pfahc",
    "kp_key_mZNLlic79i58iyjdOSsRlYu5LfOOxxtyURPIpfY9XSj1tVKFP",
    "kp_key_4Eym2qgFu3GdyDXp4MTZUt4L0ref20gwRzW89u65Sb80g1YP5",
];
const SESSIONS_OF_SCHEMA_3: [(&str, &str); 4] = [
    (
        "Ann",
        "kp_ses_1xjm2CisILiz2OW1kOKmX1FxFv8m6BfDguQqYha6iru4Kr8Uw",
    ),
    (
        "bob",
        "kp_ses_1VW8H6TePxyRJLEu97BpxTXZFtkhlj3OXNeDrLaazSb21reGE",
    ),
    (
        "bob",
        "kp_ses_SZ04aLHoUc3aISjovQ4th2vosQX6fuOm6YDBTthvJ2D0Y2iAR",
    ),
    (
        "dan",
        "kp_ses_LsSZ7mZm3ceGaXaTIYne9nhA96GEeXujOMAcu2fRx5M04fmcP",
    ),
];
/// It had ended.
const ENDED_OF_SCHEMA_3: &str = "kp_ses_Pm4Du9tZ64gXQaiyHhOBSiIIICs0hnStWK2Izhhzv2x0SFc81";
const SETUP_OF_SCHEMA_3: &str = "kp_set_RpLUwpYJhXg5PhB2TJ0SbuQB4gOH7y9dCTDHyjjHo4K3eP92S";
const INVITATION_OF_SCHEMA_3: &str = "kp_inv_emkiJxHjeMpoZvlH0YsHk73rjRudXPSyLzOpPqhxItv3mn6i9";
const ONE_TIME_OF_SCHEMA_3: [(&str, &str); 3] = [
    (
        "bob",
        "kp_otp_BcsWPzKEHzlqSP55eJYGKdkPjB4G2gkdIl3NuVOPFzg26S1av",
    ),
    ("bob", "W7WB-296R"),
    (
        "dan",
        "kp_otp_AntRXRfIpwa3GwETTb3KkBAqa2OAnRHfrGdDzbFFg5W2rkuiw",
    ),
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
            .replace(" ,", ",")
            // SQLite writes the name of a table that was renamed like this.
            .replace('"', "");
        Ok(format!(
            "{} {} {words}",
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?
        ))
    });
    objects.unwrap().map(Result::unwrap).collect()
}

/// How many rows each table has, but that of the sealing keys, of which `open` makes the day's (P2).
fn counts(path: &Path) -> BTreeMap<String, i64> {
    let connection = raw(path);
    let mut statement = connection
        .prepare(
            r"
            SELECT name
            FROM sqlite_schema
            WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'sealing_keys'",
        )
        .unwrap();
    let tables = statement.query_map([], |row| row.get::<_, String>(0));
    let count = |table: String| {
        // An upgrade tells of names that have become one.
        let told = match table.as_str() {
            "audit" => "WHERE kind <> 'names_collide'",
            _ => "",
        };
        let sql = format!("SELECT count(*) FROM {table} {told}");
        let rows = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
        (table, rows)
    };
    tables.unwrap().map(Result::unwrap).map(count).collect()
}

fn from_fixture(folder: &Path, fixture: &str) -> std::path::PathBuf {
    let path = folder.join("id.db");
    raw(&path).execute_batch(fixture).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn config_at_its_time(path: &Path) -> Config {
    Config {
        // Not long after the fixtures were made.
        time_source: Some(Arc::new(TestClock::at(START + 60))),
        ..config(path)
    }
}

/// Opens a copy of the fixture; it must have become what a new file is, with a copy of what it was beside it.
fn upgraded(folder: &Path, fixture: &str, schema_before: i64) -> Keyplate {
    let path = from_fixture(folder, fixture);
    let before = counts(&path);
    let keyplate = Keyplate::open(config_at_its_time(&path)).unwrap();
    let after = counts(&path);
    for (table, count) in &before {
        assert_eq!(after.get(table), Some(count), "rows of {table}");
    }
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
    // Nothing but names that have become one, which the file of schema 5 has.
    let report = keyplate.check_integrity().unwrap();
    let problems = report.problems.len() as i64;
    assert_eq!(problems, report.name_collisions, "{report:?}");
    assert!(schema_before == 5 || report.ok);
    keyplate
}

#[test]
fn a_file_of_schema_1() {
    let folder = tempfile::tempdir().unwrap();
    let keyplate = upgraded(folder.path(), SCHEMA_1, 1);
    let ann = keyplate
        .find_user_by_email("ann@x.example")
        .unwrap()
        .unwrap();
    assert_eq!(
        (ann.username.as_str(), ann.role, ann.email_verified),
        ("Ann", Role::Administrator, true)
    );
    assert_eq!(
        keyplate
            .find_user_by_username("bob")
            .unwrap()
            .unwrap()
            .status,
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
    let bob = keyplate.find_user_by_username("bob").unwrap().unwrap();
    let [key, session, invitation, one_time] = SECRETS_OF_SCHEMA_2;
    assert_eq!(keyplate.verify_api_key(key).unwrap().username, "Ann");
    assert_eq!(keyplate.verify_session(session).unwrap().user_id, bob.id);
    let stranger = keyplate.anonymous(client()).unwrap();
    let cid = stranger
        .sign_up(NewSignup {
            username: "cid".to_owned(),
            token: Some(secret(invitation)),
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
fn a_file_of_schema_3() {
    let folder = tempfile::tempdir().unwrap();
    let keyplate = upgraded(folder.path(), SCHEMA_3, 3);
    for key in KEYS_OF_SCHEMA_3 {
        assert_eq!(keyplate.verify_api_key(key).unwrap().username, "Ann");
    }
    let acting = |credential: &str| {
        let found = keyplate.authenticate(credential).unwrap();
        keyplate.acting_as(&found.principal, client()).unwrap()
    };
    for (name, session) in SESSIONS_OF_SCHEMA_3 {
        let found = keyplate.verify_session(session).unwrap();
        assert_eq!(found.username, name);
        let own = acting(session).get_user(&found.user_id).unwrap();
        assert_eq!(own.username, name);
    }
    assert!(keyplate.verify_session(ENDED_OF_SCHEMA_3).is_err());
    let films = keyplate.authenticate(SESSIONS_OF_SCHEMA_3[1].1).unwrap();
    let decision = keyplate.authorize(&films.principal, "films").unwrap();
    assert!(decision.allowed, "by a group that a service is open to");

    let stranger = keyplate.anonymous(client()).unwrap();
    let mut phone = Person {
        authenticator: serde_json::from_str(AUTHENTICATOR_3).unwrap(),
        ..Person::new()
    };
    let by_passkey = phone.log_in(&stranger).unwrap();
    assert_eq!(by_passkey.user.username, "bob");
    phone.step_up(&acting(by_passkey.secret.as_str())).unwrap();

    let cid = stranger.sign_up(NewSignup {
        username: "cid".to_owned(),
        token: Some(secret(INVITATION_OF_SCHEMA_3)),
        ..NewSignup::default()
    });
    assert_eq!(cid.unwrap().user.group_ids.len(), 1);
    let [bobs, bobs_code, recovery] = ONE_TIME_OF_SCHEMA_3;
    for (name, token) in [bobs, bobs_code, recovery] {
        let signed_in = stranger.redeem_one_time_token(token).unwrap();
        assert_eq!(signed_in.user.username, name);
        if token == recovery.1 {
            let registered = Person::new().register(&acting(signed_in.secret.as_str()));
            assert!(registered.is_ok());
        }
    }

    assert_eq!(
        keyplate.get_setup_state().unwrap().stage,
        SetupStage::Claimed
    );
    let resumed = stranger
        .resume_setup(Some(SETUP_OF_SCHEMA_3.to_owned()))
        .unwrap();
    assert_eq!(resumed.user.username, "Ann");
    Person::new()
        .register(&acting(resumed.secret.as_str()))
        .unwrap();
    assert_eq!(
        keyplate.get_setup_state().unwrap().stage,
        SetupStage::Complete
    );
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
                        .find_user_by_username("ann")
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
