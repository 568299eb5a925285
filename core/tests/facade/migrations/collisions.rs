//! Schema 6 compares names more strictly (U1, G1): names that were two until then may be one. Nothing is lost by it.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

use keyplate::{
    AuditEvent, AuditQuery, Config, EventKind, GroupChanges, InputReason, Keyplate, KeyplateError,
    SignupMode, UserChanges, UserId, UserQuery, UsernamePolicy,
};
use rusqlite::{Connection, params};

use super::{SCHEMA_1, SCHEMA_2, SCHEMA_3, schema_4::SCHEMA_4};
use crate::common::*;

const FIXTURES: [(i64, &str); 4] = [(1, SCHEMA_1), (2, SCHEMA_2), (3, SCHEMA_3), (4, SCHEMA_4)];

/// An address and its key, if there is one.
type Pair = Option<(&'static str, &'static str)>;

/// Username, its key by the older rule, address and its key. Each is older than the next.
const USERS: [(&str, &str, Pair); 11] = [
    (
        "Straße",
        "straße",
        Some(("ann@bücher.example", "ann@bücher.example")),
    ),
    (
        "STRASSE",
        "strasse",
        Some(("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example")),
    ),
    ("STRAẞE2", "straße2", None),
    ("strasse2", "strasse2", None),
    ("ΟΔΟΣ", "οδος", None),
    ("οδοσ", "οδοσ", None),
    ("ſam", "ſam", Some(("s@x.example", "s@x.example"))),
    (
        "Sam",
        "sam",
        Some(("s\u{200b}@x.example", "s\u{200b}@x.example")),
    ),
    ("s\u{200b}am", "s\u{200b}am", None),
    // One's username and another's address are one name space.
    ("ß@x.example", "ß@x.example", None),
    ("other", "other", Some(("ss@x.example", "ss@x.example"))),
];

/// The younger of each two, and what of them collides with which older one.
const YOUNGER: [(&str, &str, &str); 7] = [
    ("STRASSE", "username", "Straße"),
    ("STRASSE", "email", "Straße"),
    ("strasse2", "username", "STRAẞE2"),
    ("οδοσ", "username", "ΟΔΟΣ"),
    ("Sam", "username", "ſam"),
    ("Sam", "email", "ſam"),
    ("s\u{200b}am", "username", "ſam"),
];
const BY_ADDRESS: (&str, &str, &str) = ("other", "email", "ß@x.example");
const GROUPS: [(&str, &str); 2] = [("Größe", "größe"), ("GRÖSSE", "grösse")];

fn id_of(index: usize) -> String {
    format!("0190a1b2-0000-7000-8000-0000000000{index:02x}")
}

fn fill(connection: &Connection, schema: i64) {
    for (index, (name, key, address)) in USERS.into_iter().enumerate() {
        let (email, email_key) = address.unzip();
        let sql = "INSERT INTO users (id, username, username_key, email, email_key, email_verified, display_name, role,
                                      status, created_at, updated_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'Jürgen Größe', 'user', 'active', ?7, ?7)";
        // The ids are not in the order of age.
        let id = id_of(0x40 - index);
        let verified = email.is_some();
        connection
            .execute(
                sql,
                params![id, name, key, email, email_key, verified, index as i64],
            )
            .unwrap();
    }
    let sql = "INSERT INTO deleted_users (id, username_key, deleted_at) VALUES (?1, 'weiß', 1), (?2, '', 1)";
    connection.execute(sql, [id_of(0x80), id_of(0x81)]).unwrap();
    if schema >= 2 {
        for (index, (name, key)) in GROUPS.into_iter().enumerate() {
            let sql = "INSERT INTO groups (id, name, name_key, friendly_name, created_at) VALUES (?1, ?2, ?3, ?2, ?4)";
            let id = id_of(0x60 - index);
            connection
                .execute(sql, params![id, name, key, index as i64])
                .unwrap();
            let sql = "INSERT INTO group_members (group_id, user_id) SELECT ?1, id FROM users";
            connection.execute(sql, [&id]).unwrap();
        }
        let sql = "INSERT INTO user_claims (user_id, key, value) SELECT id, 'room', '7' FROM users WHERE true
                   ON CONFLICT DO NOTHING";
        connection.execute(sql, []).unwrap();
    }
    if schema >= 4 {
        for (key, index) in [("straße", 0), ("strasse", 1), ("οδος", 4), ("οδοσ", 4)] {
            let sql = "INSERT INTO plan_users (name_key, user_id) VALUES (?1, ?2)";
            connection
                .execute(sql, [key, &id_of(0x40 - index)])
                .unwrap();
        }
    }
}

fn counts(path: &Path) -> BTreeMap<String, i64> {
    let connection = raw(path);
    // P2: `open` makes the day's sealing key.
    let mut tables = connection
        .prepare(
            r"
            SELECT name
            FROM sqlite_schema
            WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'sealing_keys'",
        )
        .unwrap();
    let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let count = |name: &str| {
        let sql = format!("SELECT count(*) FROM {name}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    names
        .map(Result::unwrap)
        .map(|name| (name.clone(), count(&name)))
        .collect()
}

fn open(path: &Path) -> Keyplate {
    Keyplate::open(Config {
        username_policy: Some(UsernamePolicy::AnyScript),
        ..config(path)
    })
    .unwrap()
}

fn file(folder: &Path, schema: i64, fixture: &str) -> std::path::PathBuf {
    let path = folder.join("id.db");
    let connection = raw(&path);
    connection.execute_batch(fixture).unwrap();
    fill(&connection, schema);
    drop(connection);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn told(keyplate: &Keyplate) -> Vec<AuditEvent> {
    let query = AuditQuery {
        kind: Some(EventKind::NamesCollide),
        limit: Some(100),
        ..AuditQuery::default()
    };
    keyplate.list_audit_events(query).unwrap().items
}

/// Whom this name finds.
fn found(keyplate: &Keyplate, name: &str) -> String {
    let by_username = keyplate.find_user_by_username(name).unwrap();
    let user = by_username.or_else(|| keyplate.find_user_by_email(name).unwrap());
    user.map(|user| user.username).unwrap_or_default()
}

fn id(index: usize) -> UserId {
    UserId::parse(&id_of(0x40 - index)).unwrap()
}

fn rename(keyplate: &Keyplate, index: usize, name: &str) -> keyplate::Result<keyplate::User> {
    let changes = UserChanges {
        username: Some(name.to_owned()),
        ..UserChanges::default()
    };
    keyplate.update_user(&id(index), changes)
}

fn problems(keyplate: &Keyplate) -> Vec<String> {
    let report = keyplate.check_integrity().unwrap();
    assert_eq!(report.ok, report.problems.is_empty());
    assert_eq!(report.name_collisions, report.problems.len() as i64);
    report.problems
}

/// D2, A1: of each schema.
#[test]
fn names_that_are_one_now_are_kept_and_told() {
    for (schema, fixture) in FIXTURES {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), schema, fixture);
        let before = counts(&path);
        let keyplate = open(&path);
        let mut expected: Vec<_> = YOUNGER.into_iter().chain([BY_ADDRESS]).collect();
        if schema >= 2 {
            expected.push(("GRÖSSE", "name", "Größe"));
        }

        let mut after = counts(&path);
        let rows = expected.len() as i64;
        *after.get_mut("audit").unwrap() -= rows;
        for (table, count) in &before {
            assert_eq!(after.get(table), Some(count), "{table} of schema {schema}");
        }

        let mut rows: Vec<_> = told(&keyplate)
            .into_iter()
            .map(|event| {
                let detail = |name: &str| {
                    let found = event.details.iter().find(|detail| detail.name == name);
                    found.unwrap().value.clone()
                };
                assert_eq!(event.user_id.is_some(), event.username.is_some());
                assert_eq!(detail("older_id").len(), 36);
                let younger = event.username.clone().or(event.subject_name.clone());
                (younger.unwrap(), detail("field"), detail("older_name"))
            })
            .collect();
        rows.sort();
        let mut expected: Vec<_> = expected
            .into_iter()
            .map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()))
            .collect();
        expected.sort();
        assert_eq!(rows, expected, "schema {schema}");

        let problems = problems(&keyplate);
        assert_eq!(problems.len(), expected.len());
        for (younger, _, older) in &expected {
            let names = |line: &&String| {
                line.contains(&format!("{younger:?}")) && line.contains(&format!("{older:?}"))
            };
            assert!(
                problems.iter().any(|line| names(&line)),
                "{younger} {older}"
            );
        }
        // It is said once, and stays true.
        drop(keyplate);
        let keyplate = open(&path);
        assert_eq!(told(&keyplate).len(), expected.len());
        assert_eq!(keyplate.check_integrity().unwrap().problems, problems);
        for (name, older) in [
            ("straße", "Straße"),
            ("STRASSE", "Straße"),
            ("ann@bücher.example", "Straße"),
            ("ann@xn--bcher-kva.example", "Straße"),
            ("οδος", "ΟΔΟΣ"),
            ("SAM", "ſam"),
            ("ss@x.example", "ß@x.example"),
        ] {
            assert_eq!(found(&keyplate, name), older, "{name} of schema {schema}");
        }
    }
}

/// U1: whatever else is done to them, nobody steals and nobody is in the way.
#[test]
fn everything_else_works_until_one_is_renamed() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), 4, SCHEMA_4);
    let keyplate = open(&path);
    let count = problems(&keyplate).len();

    // Another field, the same name again, another spelling of it, and what else stores a user.
    for (index, (name, ..)) in USERS.into_iter().enumerate() {
        let changes = UserChanges {
            username: Some(name.to_owned()),
            first_name: Some("Ann".to_owned()),
            ..UserChanges::default()
        };
        keyplate.update_user(&id(index), changes).unwrap();
        keyplate.disable_user(&id(index)).unwrap();
        keyplate.enable_user(&id(index)).unwrap();
    }
    rename(&keyplate, 1, "Strasse").unwrap();
    assert_eq!(problems(&keyplate).len(), count);
    assert_eq!(found(&keyplate, "strasse"), "Straße");
    let search = UserQuery {
        search: Some("strasse".to_owned()),
        ..UserQuery::default()
    };
    assert_eq!(
        keyplate.list_users(search).unwrap().total,
        4,
        "both are listed"
    );

    // Nobody else gets the name.
    let taken = |result: keyplate::Result<keyplate::User>| {
        assert_eq!(result.unwrap_err().reason_code().as_deref(), Some("taken"));
    };
    taken(keyplate.create_user(new_user("sTRASSE")));
    taken(rename(&keyplate, 4, "strasse"));
    let open_to_all = keyplate::SettingsChanges {
        signup_mode: Some(SignupMode::Open),
        ..Default::default()
    };
    keyplate.update_settings(open_to_all).unwrap();
    let stranger = keyplate.anonymous(client()).unwrap();
    let signup = |name: &str| keyplate::NewSignup {
        username: name.to_owned(),
        ..Default::default()
    };
    assert!(stranger.sign_up(signup("strasse")).is_err());
    assert!(stranger.sign_up(signup("weiss")).is_err(), "a deleted name");

    // The younger gets another name.
    rename(&keyplate, 1, "gasse").unwrap();
    assert_eq!(found(&keyplate, "GASSE"), "gasse");
    assert_eq!(found(&keyplate, "strasse"), "Straße");
    assert_eq!(problems(&keyplate).len(), count - 1);
    // The older one does: the name is the younger's at once.
    rename(&keyplate, 2, "weg").unwrap();
    assert_eq!(found(&keyplate, "STRASSE2"), "strasse2");
    assert_eq!(problems(&keyplate).len(), count - 2);
    taken(rename(&keyplate, 2, "straße2"));
    // The older one goes: of two who waited, the older gets the name, and the address.
    keyplate.delete_user(&id(6)).unwrap();
    assert_eq!(found(&keyplate, "sam"), "Sam");
    assert_eq!(found(&keyplate, "s@x.example"), "Sam");
    assert_eq!(problems(&keyplate).len(), count - 4);
    // An address that is given up.
    let without = UserChanges {
        email: Some(String::new()),
        ..UserChanges::default()
    };
    keyplate.update_user(&id(0), without).unwrap();
    assert_eq!(found(&keyplate, "ann@bücher.example"), "gasse");
    // The other name of a user is nobody's way to a key.
    rename(&keyplate, 9, "eszett").unwrap();
    assert_eq!(found(&keyplate, "ss@x.example"), "other");
    rename(&keyplate, 5, "odos").unwrap();
    rename(&keyplate, 8, "samuel").unwrap();
    assert_eq!(problems(&keyplate).len(), 1, "the groups are left");
}

/// G1.
#[test]
fn groups_whose_names_are_one() {
    for free_by_deleting in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), 2, SCHEMA_2);
        let keyplate = open(&path);
        let [older, younger] = [0, 1].map(|n| keyplate::GroupId::parse(&id_of(0x60 - n)).unwrap());
        let changes = |name: Option<&str>, friendly: Option<&str>| GroupChanges {
            name: name.map(str::to_owned),
            friendly_name: friendly.map(str::to_owned),
        };
        for id in [older, younger] {
            let changes = changes(None, Some("Alle"));
            keyplate.update_group(&id, changes).unwrap();
        }
        let respelt = keyplate.update_group(&younger, changes(Some("Grösse"), None));
        assert_eq!(
            respelt.unwrap().member_count,
            keyplate.get_group(&older).unwrap().member_count
        );
        let of_groups = |line: &String| line.contains("Grösse");
        assert!(problems(&keyplate).iter().any(of_groups));
        match free_by_deleting {
            true => keyplate.delete_group(&older).unwrap(),
            false => {
                let changes = changes(Some("Maß"), None);
                keyplate.update_group(&older, changes).unwrap();
            }
        }
        assert!(!problems(&keyplate).iter().any(of_groups));
        let again = keyplate.create_group(keyplate::NewGroup {
            name: "größe".to_owned(),
            friendly_name: None,
        });
        assert_eq!(again.unwrap_err().reason_code().as_deref(), Some("taken"));
    }
}

/// B6: a plan that named both gives neither what was meant for the other.
#[test]
fn a_plan_does_not_take_one_for_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), 4, SCHEMA_4);
    let keyplate = open(&path);
    let apply = |plan: &str| keyplate.bootstrap(plan).map(drop);
    for name in ["STRASSE", "Straße"] {
        let plan = format!(r#"{{"users": [{{"username": "{name}", "role": "administrator"}}]}}"#);
        let reason = InputReason::NotOfPlan {
            what: keyplate::Thing::User,
        };
        assert!(
            matches!(apply(&plan), Err(KeyplateError::InvalidInput { reason: found, .. }) if found == reason),
            "{name}"
        );
    }
    // One whom it knew by two spellings is known by both.
    apply(r#"{"users": [{"username": "ΟΔΟΣ", "display_name": "Odos"}]}"#).unwrap();
    let odos = keyplate.get_user(&id(4)).unwrap();
    assert_eq!(odos.display_name.as_deref(), Some("Odos"));
}
