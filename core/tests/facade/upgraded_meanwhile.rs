//! D2: a newer library upgrades the file while an older one has it open. The older one is told at its next call, whatever
//! that is, and nothing that it said was done is lost.

use std::{
    io::{BufRead, BufReader},
    path::Path,
};

use keyplate::{ErrorCode, Keyplate, KeyplateError, Result, UserQuery};
use rusqlite::Connection;

use crate::common::{
    process::{job, said_in, say, start},
    *,
};

/// What a migration of the future might do.
const UPGRADE: &str = "
    BEGIN IMMEDIATE;
    ALTER TABLE users ADD COLUMN pronouns TEXT;
    DROP INDEX users_by_creation;
    UPDATE instance SET schema = 99;
    PRAGMA user_version = 99;
    COMMIT;";

/// A back-up that is refused.
const NEVER_MADE: &str = "never-made.db";

/// How each kind of call ends: reads, writes, the hot paths, ceremonies, what counts refusals, upkeep.
fn calls(
    keyplate: &Keyplate,
    folder: &Path,
    session: &str,
    key: &str,
) -> Vec<(&'static str, Result<()>)> {
    let stranger = keyplate.anonymous(client()).unwrap();
    let copy = folder.join(NEVER_MADE);
    vec![
        ("verify_session", keyplate.verify_session(session).map(drop)),
        ("verify_api_key", keyplate.verify_api_key(key).map(drop)),
        ("authenticate", keyplate.authenticate(session).map(drop)),
        (
            "list_users",
            keyplate.list_users(UserQuery::default()).map(drop),
        ),
        (
            "create_user",
            keyplate.create_user(new_user("late")).map(drop),
        ),
        ("get_setup_state", stranger.get_setup_state().map(drop)),
        (
            "begin_passkey_login",
            stranger.begin_passkey_login().map(drop),
        ),
        (
            "redeem_one_time_token",
            stranger.redeem_one_time_token("0000-0000").map(drop),
        ),
        ("purge_expired", keyplate.purge_expired().map(drop)),
        ("reset_clock", keyplate.reset_clock().map(drop)),
        ("get_clock_state", keyplate.get_clock_state().map(drop)),
        (
            "back_up_to",
            keyplate.back_up_to(copy.to_str().unwrap()).map(drop),
        ),
        ("check_integrity", keyplate.check_integrity().map(drop)),
    ]
}

fn is_too_new<T>(result: &Result<T>) -> bool {
    matches!(result, Err(KeyplateError::SchemaTooNew { found: 99, .. }))
}

/// The job of another process; without a job there is nothing to do.
#[test]
fn worker() {
    let Some((job, keyplate)) = job() else { return };
    let [session, key, folder] = job.splitn(3, ' ').collect::<Vec<_>>()[..] else {
        panic!("no such job: {job}");
    };
    for number in 0.. {
        let name = format!("user{number}");
        let made = keyplate.create_user(new_user(&name));
        let verified = keyplate.verify_session(session);
        for result in [&made.as_ref().map(drop), &verified.as_ref().map(drop)] {
            assert!(result.is_ok() || result.is_err_and(|e| e.code() == ErrorCode::SchemaTooNew));
        }
        if made.is_ok() {
            say(&name);
        }
        if is_too_new(&verified) {
            break;
        }
    }
    for (call, result) in calls(&keyplate, Path::new(folder), session, key) {
        assert!(is_too_new(&result), "{call}: {result:?}");
    }
    drop(keyplate); // which writes when credentials were last used, if it may
    say("told");
}

/// Everything that the file holds, as text.
fn contents(path: &Path) -> Vec<String> {
    let connection = raw(path);
    let rows = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(rusqlite::Result::unwrap).collect()
    };
    let tables = rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    let of = |table: &String| {
        let columns = rows(&format!("SELECT name FROM pragma_table_info('{table}')"));
        let quoted: Vec<String> = columns
            .iter()
            .map(|name| format!("quote({name})"))
            .collect();
        let quoted = quoted.join(" || ");
        rows(&format!(
            "SELECT '{table} ' || {quoted} FROM {table} ORDER BY 1"
        ))
    };
    tables.iter().flat_map(of).collect()
}

fn is_sound(connection: &Connection) -> bool {
    let found: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    found == "ok"
}

#[test]
fn an_older_process_is_told_at_its_next_call() {
    for lines in [1, 7, 20] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.db");
        let keyplate = Keyplate::open(config(&path)).unwrap();
        let user = keyplate.create_user(new_user("ann")).unwrap();
        let session = keyplate.create_session(&user.id, client(), None).unwrap();
        let key = keyplate
            .create_api_key(new_key(Some(&user), &["a:b"]))
            .unwrap();
        drop(keyplate);
        let (session, key) = (session.secret.as_str(), key.secret.as_str());
        let job = format!("{session} {key} {}", folder.path().display());
        let mut child = start(worker, &job, &path);
        let mut reader = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || reader.find_map(|line| said_in(&line.ok()?));
        let mut said: Vec<String> = (0..lines).map(|_| line().unwrap()).collect();
        let newer = raw(&path);
        newer
            .busy_timeout(std::time::Duration::from_secs(10))
            .unwrap();
        newer.execute_batch(UPGRADE).unwrap();
        let upgraded = contents(&path);
        while let Some(name) = line() {
            said.push(name);
        }
        assert!(child.wait().unwrap().success());
        assert_eq!(said.pop().as_deref(), Some("told"));
        assert_eq!(contents(&path), upgraded, "it wrote into the newer file");
        assert!(is_sound(&newer));
        for name in said {
            let sql = "SELECT count(*) FROM users WHERE username = ?1";
            let found: i64 = newer.query_row(sql, [&name], |row| row.get(0)).unwrap();
            assert_eq!(found, 1, "{name} is lost");
        }
        assert!(!folder.path().join(NEVER_MADE).exists());
    }
}

#[test]
fn so_is_somebodys_handle_in_the_same_process() {
    let f = Fixture::on_disk();
    let ann = f.administrator("ann");
    let session = f.session(&ann);
    let key = f.key(&ann, &["users:read"]);
    let acting = f.acting(session.secret.as_str());
    // Waits in memory, to be written with the next change.
    f.keyplate.verify_api_key(key.secret.as_str()).unwrap();
    raw(&f.path()).execute_batch(UPGRADE).unwrap();
    let upgraded = contents(&f.path());
    assert!(is_too_new(&acting.get_user(&ann.id)));
    assert!(is_too_new(&acting.create_user(new_user("bob"))));
    for (call, result) in calls(
        &f.keyplate,
        f.folder.path(),
        session.secret.as_str(),
        key.secret.as_str(),
    ) {
        assert!(is_too_new(&result), "{call}: {result:?}");
    }
    let path = f.path();
    let Fixture {
        keyplate, folder, ..
    } = f;
    drop((acting, keyplate));
    assert_eq!(contents(&path), upgraded);
    assert!(is_sound(&raw(&path)));
    assert!(!folder.path().join(NEVER_MADE).exists());
}
