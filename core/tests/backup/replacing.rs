//! D8: putting a back-up in the place of a database, beside whatever was left there.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use keyplate::{
    ErrorCode, InputReason, Keyplate, KeyplateError, RestoredBackup, UserQuery, restore_backup,
};

use crate::{
    common::{
        process::{kill_after, start},
        *,
    },
    files, restore_events, worker,
};

fn restore(path: &Path, copy: &Path) -> keyplate::Result<RestoredBackup> {
    restore_backup(path, copy, false)
}

fn open(path: &Path) -> Keyplate {
    Keyplate::open(config(path)).unwrap()
}

fn names(keyplate: &Keyplate) -> Vec<String> {
    let query = UserQuery {
        limit: Some(200),
        ..UserQuery::default()
    };
    let users = keyplate.list_users(query).unwrap().items;
    let mut names: Vec<_> = users.into_iter().map(|user| user.username).collect();
    names.sort();
    names
}

/// A folder with a database of `ann`, and a back-up of that time.
fn backed_up() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("id.db");
    let copy = path.with_file_name("copy.db");
    let keyplate = open(&path);
    keyplate.create_user(new_user("ann")).unwrap();
    keyplate.back_up_to(copy.to_str().unwrap()).unwrap();
    (folder, path, copy)
}

#[test]
fn a_back_up_takes_the_place_and_the_former_is_kept() {
    let (folder, path, copy) = backed_up();
    let session = {
        let keyplate = open(&path);
        let bob = keyplate.create_user(new_user("bob")).unwrap();
        keyplate.create_session(&bob.id, client(), None).unwrap()
    };
    // Somebody was killed: what they wrote is in their log.
    kill_after(&mut start(worker, "write carl", &path), 3, 0);
    assert!(path.with_extension("db-wal").exists());

    let restored = restore(&path, &copy).unwrap();
    let former = restored.former.unwrap();
    let former_name = former.file_name().unwrap().to_str().unwrap();
    assert!(former_name.starts_with("id.db.before-20"), "{former_name}");
    let mut expected = vec![
        "copy.db".to_owned(),
        "id.db".to_owned(),
        former_name.to_owned(),
    ];
    expected.sort();
    assert_eq!(files(folder.path()), expected, "no log, nothing unfinished");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);

    let keyplate = open(&path);
    assert_eq!(names(&keyplate), ["ann"]);
    assert_eq!(restore_events(&keyplate).len(), 1);
    assert!(keyplate.check_integrity().unwrap().ok);
    drop(keyplate);
    // The former has all that was acknowledged.
    let keyplate = open(&former);
    assert_eq!(names(&keyplate)[..3], ["ann", "bob", "carl-0"]);
    assert!(keyplate.verify_session(session.secret.as_str()).is_ok());
    drop(keyplate);

    // Again, within the same second: nothing is overwritten. And back: the former is a plain copy, and marked by that.
    let second = restore(&path, &copy).unwrap().former.unwrap();
    assert_ne!(second, former);
    restore(&path, &former).unwrap();
    let keyplate = open(&path);
    assert_eq!(names(&keyplate)[..2], ["ann", "bob"]);
    let ended = keyplate.verify_session(session.secret.as_str());
    assert_eq!(code(ended), ErrorCode::InvalidCredential);
    assert_eq!(restore_events(&keyplate).len(), 1);
}

#[test]
fn without_a_database_it_is_put_there() {
    let (folder, path, copy) = backed_up();
    kill_after(&mut start(worker, "write carl", &path), 3, 0);
    fs::remove_file(&path).unwrap();
    assert_eq!(restore(&path, &copy).unwrap().former, None);
    assert_eq!(names(&open(&path)), ["ann"]);
    // A log without its file is nobody's, and not thrown away.
    assert!(
        files(folder.path())
            .iter()
            .any(|name| name.contains(".before-") && name.ends_with("-wal"))
    );
}

/// The reason why somebody restores.
#[test]
fn a_database_that_cannot_be_read_is_set_aside_with_its_log() {
    for damage in ["zeros", "nonsense", "other log"] {
        let (_folder, path, copy) = backed_up();
        kill_after(&mut start(worker, "write carl", &path), 3, 0);
        let log = fs::read(path.with_extension("db-wal")).unwrap();
        match damage {
            "zeros" => fs::write(&path, [0; 8_192]).unwrap(),
            "nonsense" => fs::write(&path, "no database".repeat(1_000)).unwrap(),
            // They have put it there themselves, and left the log.
            _ => drop(fs::copy(&copy, &path).unwrap()),
        }
        let damaged = fs::read(&path).unwrap();
        let former = restore(&path, &copy).unwrap().former.unwrap();
        assert!(fs::read(&former).unwrap() == damaged, "{damage}");
        let mut former_log = former.into_os_string();
        former_log.push("-wal");
        assert!(fs::read(former_log).unwrap() == log, "{damage}");
        assert!(!path.with_extension("db-wal").exists());
        assert_eq!(names(&open(&path)), ["ann"], "{damage}");
    }
}

#[test]
fn a_database_in_use_is_left_alone() {
    let (folder, path, copy) = backed_up();
    let before = files(folder.path());
    let here = open(&path);
    assert_eq!(
        code(restore(&path, &copy)),
        ErrorCode::Busy,
        "by this process"
    );
    drop(here);
    let mut other = start(worker, "write carl", &path);
    std::thread::sleep(std::time::Duration::from_millis(300));
    let refused = code(restore(&path, &copy));
    let written = kill_after(&mut other, 5, 0);
    assert_eq!(refused, ErrorCode::Busy, "by another");
    let keyplate = open(&path);
    let is_there = |name: &str| keyplate.find_user_by_username(name).unwrap().is_some();
    assert!(written.iter().all(|name| is_there(name)));
    drop(keyplate);
    assert_eq!(files(folder.path()), before);
}

#[test]
fn what_is_no_back_up_changes_nothing() {
    let (folder, path, copy) = backed_up();
    let at = |name: &str| path.with_file_name(name);
    fs::write(at("empty"), "").unwrap();
    fs::write(at("text"), "no database".repeat(1_000)).unwrap();
    let mut torn = fs::read(&copy).unwrap();
    for page in torn.chunks_mut(4_096).skip(3).step_by(5) {
        page.fill(0x5a);
    }
    fs::write(at("torn"), torn).unwrap();
    fs::copy(&copy, at("newer")).unwrap();
    raw(&at("newer"))
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    fs::copy(&copy, at("others")).unwrap();
    raw(&at("others"))
        .execute_batch("PRAGMA application_id = 7")
        .unwrap();
    fs::copy(&copy, at("used")).unwrap();
    fs::write(at("used-wal"), "something").unwrap();
    fs::create_dir(at("all")).unwrap();
    fs::set_permissions(at("all"), fs::Permissions::from_mode(0o777)).unwrap();
    fs::copy(&copy, at("all/copy")).unwrap();
    drop(open(&at("opened")));
    let input = |reason| KeyplateError::InvalidInput {
        field: "backup".to_owned(),
        reason,
    };
    let before = (files(folder.path()), fs::read(&path).unwrap());
    let opened = open(&at("opened"));
    for (name, expected) in [
        ("none", input(InputReason::NotAFile)),
        ("all", input(InputReason::NotAFile)),
        ("id.db", input(InputReason::OwnFile)),
        ("used", input(InputReason::InUse)),
        ("opened", input(InputReason::InUse)),
        ("all/copy", input(InputReason::SharedFolder)),
    ] {
        assert_eq!(restore(&path, &at(name)).unwrap_err(), expected, "{name}");
    }
    for (name, expected) in [
        ("empty", ErrorCode::ForeignDatabase),
        ("text", ErrorCode::ForeignDatabase),
        ("others", ErrorCode::ForeignDatabase),
        ("torn", ErrorCode::CorruptDatabase),
        ("newer", ErrorCode::SchemaTooNew),
    ] {
        assert_eq!(code(restore(&path, &at(name))), expected, "{name}");
    }
    assert_eq!(
        code(restore(&at("none/id.db"), &copy)),
        ErrorCode::Configuration
    );
    assert_eq!(code(restore(&at("all"), &copy)), ErrorCode::Configuration);
    drop(opened);
    assert_eq!(files(folder.path()), before.0);
    assert!(fs::read(&path).unwrap() == before.1);
    assert!(restore_backup(&path, &at("all/copy"), true).is_ok());
}

/// A back-up of any schema, also of those that knew no mark: nobody's session lives on.
#[test]
fn a_back_up_of_an_older_schema_is_restored() {
    for (schema, fixture) in [
        (2, include_str!("../fixtures/schema-2.sql")),
        (5, include_str!("../fixtures/schema-5.sql")),
    ] {
        let (folder, path, _) = backed_up();
        let old = path.with_file_name("old.db");
        let file = raw(&old);
        file.execute_batch(fixture).unwrap();
        let id = 0x4b45_5950;
        let head = format!("PRAGMA user_version = {schema}; PRAGMA application_id = {id}");
        file.execute_batch(&head).unwrap();
        drop(file);
        restore(&path, &old).unwrap();
        assert!(
            !files(folder.path())
                .iter()
                .any(|name| name.contains("partial"))
        );
        let keyplate = open(&path);
        assert_eq!(restore_events(&keyplate).len(), 1, "{schema}");
        assert_eq!(keyplate.list_sessions(Default::default()).unwrap().total, 0);
    }
}

/// Whoever is killed at any step leaves the one or the other.
#[test]
fn a_killed_restore_leaves_a_whole_database() {
    let (folder, path, copy) = backed_up();
    drop(open(&path));
    let mut restored = 0;
    for run in 0..30 {
        kill_after(&mut start(worker, &format!("write run{run}"), &path), 2, 0);
        let job = format!("restore {}", copy.display());
        let mut child = start(worker, &job, &path);
        // The worker says when it begins. A restore takes some milliseconds.
        let said = kill_after(&mut child, 1, run * 2_500);
        assert_eq!(said[0], "begins");
        let keyplate = open(&path);
        let users = names(&keyplate);
        let former = format!("run{run}-0");
        if users.contains(&former) {
            assert!(users.contains(&format!("run{run}-1")), "{run}");
        } else {
            restored += 1;
            assert_eq!(users, ["ann"], "{run}");
        }
        assert!(keyplate.check_integrity().unwrap().ok);
    }
    assert!(restored > 0, "some came to their end");
    for name in files(folder.path()) {
        let known = name == "id.db" || name == "copy.db" || name.contains(".before-");
        assert!(known || name.contains(".partial"), "{name}");
    }
}
