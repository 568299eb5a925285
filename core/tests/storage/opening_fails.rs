//! D5: what the operating system says to `open`, and to calls on an open database, is told with the path and the reason.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
};

use keyplate::{Config, ConfigurationReason, ErrorCode, Keyplate, KeyplateError, UserQuery};
use nix::{
    sys::resource::{Resource, setrlimit},
    unistd::{Uid, setuid},
};

use crate::{
    common::{
        process::{said, say, start},
        *,
    },
    ground::SmallDisk,
    open,
};

const NOBODY: u32 = 65_534;

fn open_shared(path: &Path) -> keyplate::Result<Keyplate> {
    Keyplate::open(Config {
        allow_shared_file: true,
        busy_timeout_ms: Some(200),
        ..config(path)
    })
}

fn reason_of<T>(result: keyplate::Result<T>) -> ConfigurationReason {
    match result.map(drop).unwrap_err() {
        KeyplateError::Configuration { option, reason } if option == "path" => reason,
        error => panic!("{error}"),
    }
}

fn failed(path: &Path, reason: &str) -> KeyplateError {
    KeyplateError::StorageFailed {
        path: path.to_str().unwrap().to_owned(),
        reason: reason.to_owned(),
    }
}

#[test]
fn what_cannot_be_a_path_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("file"), "").unwrap();
    fs::create_dir(at("folder")).unwrap();
    symlink("nothing", at("dangling.db")).unwrap();
    symlink("loop.db", at("loop.db")).unwrap();
    symlink(at("round"), at("round")).unwrap();
    let long = "x".repeat(100);
    let deep: PathBuf = std::iter::repeat_n(&long, 5).collect();
    fs::create_dir_all(folder.path().join(&deep)).unwrap();
    let too_long = ConfigurationReason::PathTooLong { most: 504 };
    for (path, expected) in [
        (at("none/id.db"), ConfigurationReason::NoFolder),
        (at("file/id.db"), ConfigurationReason::NoFolder),
        (at("folder"), ConfigurationReason::NotAFile),
        (at("dangling.db"), ConfigurationReason::LeadsNowhere),
        (at("loop.db"), ConfigurationReason::LeadsNowhere),
        (at("round/id.db"), ConfigurationReason::LeadsNowhere),
        (at(&"n".repeat(256)), too_long.clone()),
        // Such a name can be made, and SQLite cannot add to it.
        (at(&"n".repeat(250)), too_long.clone()),
        (folder.path().join(&deep).join("id.db"), too_long),
        ("/dev/null".into(), ConfigurationReason::NotAFile),
    ] {
        assert_eq!(reason_of(open_shared(&path)), expected, "{path:?}");
        let here = open(&path).map(drop).unwrap_err();
        assert_eq!(here.code(), ErrorCode::Configuration, "{path:?}");
    }
    assert!(!at(&"n".repeat(250)).exists());
    assert!(open(&at(&"n".repeat(240))).is_ok());
}

#[test]
fn what_lies_in_the_way_of_the_log_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("id.db");
    for suffix in ["-wal", "-shm"] {
        let beside = PathBuf::from(format!("{}{suffix}", path.display()));
        fs::create_dir(&beside).unwrap();
        let error = open_shared(&path).map(drop).unwrap_err();
        assert_eq!(error, failed(&beside, "is a directory"), "{suffix}");
        fs::remove_dir(&beside).unwrap();
    }
    assert!(open_shared(&path).is_ok());
}

/// In a process of its own, which may have no more files open than it has.
#[test]
fn too_many_open_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    open(&path).unwrap();
    let mut child = start(worker, "files", &path);
    let said = said(&mut child);
    assert!(child.wait().unwrap().success());
    let expected = failed(&path, "too many open files").to_string();
    assert_eq!(said, [expected.as_str(), expected.as_str(), "1"]);
}

/// Only root is stopped by no rights, so it gives them up.
#[test]
fn missing_rights_are_named_at_each_call_and_heal() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    if Uid::effective().is_root() {
        fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
        chown(&home, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let mut child = start(worker, "rights", &home.join("id.db"));
    let said = said(&mut child);
    assert!(child.wait().unwrap().success(), "{said:?}");
    assert_eq!(said, ["done"]);
}

#[test]
fn worker() {
    let Ok(job) = std::env::var("KEYPLATE_TEST_JOB") else {
        return;
    };
    let path = PathBuf::from(std::env::var("KEYPLATE_TEST_DATABASE").unwrap());
    match job.as_str() {
        "files" => {
            let keyplate = open(&path).unwrap();
            keyplate.create_user(new_user("ann")).unwrap();
            setrlimit(Resource::RLIMIT_NOFILE, 64, 64).unwrap();
            let mut files: Vec<_> = std::iter::repeat_with(|| File::open("/dev/null"))
                .map_while(Result::ok)
                .collect();
            say(&open(&path).map(drop).unwrap_err().to_string());
            files.pop();
            say(&open(&path).map(drop).unwrap_err().to_string());
            drop(files);
            let keyplate = open(&path).unwrap();
            let users = keyplate.list_users(UserQuery::default()).unwrap();
            say(&users.total.to_string());
        }
        "rights" => without_rights(&path),
        _ => {}
    }
}

fn without_rights(path: &Path) {
    if Uid::effective().is_root() {
        setuid(Uid::from_raw(NOBODY)).unwrap();
    }
    let folder = path.parent().unwrap();
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let keyplate = open(path).unwrap();
    let ann = keyplate.create_user(new_user("ann")).unwrap();
    let key = keyplate.create_api_key(new_key(Some(&ann), &["a:b"]));
    let key = key.unwrap().secret.reveal();
    let denied = failed(path, "permission denied");
    let mut number = 0;
    let mut each_call = |expected: &KeyplateError| {
        std::thread::sleep(std::time::Duration::from_millis(1_050));
        for _ in 0..2 {
            number += 1;
            let user = new_user(&format!("user{number}"));
            assert_eq!(keyplate.create_user(user).unwrap_err(), *expected);
            for error in [
                keyplate.find_user_by_username("ann").map(drop).unwrap_err(),
                keyplate.verify_api_key(&key).map(drop).unwrap_err(),
            ] {
                assert_eq!(error, *expected);
            }
        }
    };
    // The file, its folder, one that is gone and one that is something else.
    mode(path, 0o000);
    each_call(&denied);
    assert_eq!(open(path).map(drop).unwrap_err(), denied);
    mode(path, 0o600);
    mode(folder, 0o000);
    each_call(&denied);
    assert_eq!(open(path).map(drop).unwrap_err(), denied);
    mode(folder, 0o700);
    let lost = KeyplateError::StorageLost {
        path: path.to_str().unwrap().to_owned(),
    };
    let aside = folder.join("aside");
    fs::rename(path, &aside).unwrap();
    each_call(&lost);
    fs::create_dir(path).unwrap();
    each_call(&lost);
    fs::remove_dir(path).unwrap();
    symlink(path, path).unwrap();
    each_call(&lost);
    fs::remove_file(path).unwrap();
    fs::rename(&aside, path).unwrap();
    // It may be read, and not be written.
    mode(path, 0o400);
    let read_only = KeyplateError::StorageReadOnly {
        path: path.to_str().unwrap().to_owned(),
    };
    std::thread::sleep(std::time::Duration::from_millis(1_050));
    assert_eq!(
        keyplate.create_user(new_user("bob")).unwrap_err(),
        read_only
    );
    assert!(keyplate.find_user_by_username("ann").unwrap().is_some());
    mode(path, 0o600);
    keyplate.create_user(new_user("bob")).unwrap();

    // Whoever comes anew.
    drop(keyplate);
    mode(folder, 0o500);
    let beside = KeyplateError::StorageReadOnly {
        path: folder.to_str().unwrap().to_owned(),
    };
    assert_eq!(open(path).map(drop).unwrap_err(), beside);
    let new = reason_of(open(&folder.join("new.db")));
    assert_eq!(new, ConfigurationReason::FolderReadOnly);
    mode(folder, 0o700);
    for suffix in ["-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{suffix}", path.display()));
        let keyplate = open(path).unwrap();
        mode(&file, 0o000);
        let error = open(path).map(drop);
        mode(&file, 0o600);
        // The index is opened once for all of a process.
        if suffix == "-wal" {
            assert_eq!(error.unwrap_err(), failed(&file, "permission denied"));
        }
        drop(keyplate);
    }
    assert!(open(path).is_ok());
    say("done");
}

/// There is a log to be made, and no room to make it.
#[test]
fn a_read_only_disk_is_named() {
    let Some(disk) = SmallDisk::new("size=4m") else {
        return;
    };
    let path = disk.0.path().join("id.db");
    open(&path).unwrap();
    disk.remount("ro");
    let error = open(&path).map(drop).unwrap_err();
    disk.remount("rw");
    assert!(
        matches!(&error, KeyplateError::StorageReadOnly { path } if Path::new(path) == disk.0.path()),
        "{error}"
    );
}
