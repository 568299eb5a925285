//! What happens when the ground gives way: another writer, a lost file, a full or broken disk.

use std::{
    fs::{self, File, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::Path,
    process::Command,
    time::Instant,
};

use keyplate::{ErrorCode, UserQuery};

use crate::{common::*, open, raw};

/// D3, T1: readers wait for no writer.
#[test]
fn verifying_works_while_another_process_writes_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    let keyplate = open(&path).unwrap();
    let user = keyplate.create_user(new_user("ann")).unwrap();
    let key = keyplate
        .create_api_key(new_key(Some(&user), &["a:b"]))
        .unwrap();
    let session = keyplate.create_session(&user.id, client(), None).unwrap();
    let other = raw(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(keyplate.verify_api_key(key.secret.as_str()).is_ok());
    assert!(keyplate.verify_session(session.secret.as_str()).is_ok());
    assert!(keyplate.authenticate(key.secret.as_str()).is_ok());
    assert!(keyplate.list_users(UserQuery::default()).is_ok());
    let began = Instant::now();
    let error = keyplate.create_user(new_user("bob")).unwrap_err();
    assert_eq!(
        (error.code(), error.retry_after().is_some()),
        (ErrorCode::Busy, true)
    );
    assert!(
        began.elapsed().as_millis() >= 200,
        "it waited for its time-out"
    );
    // Several threads wait together, not one after the other.
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope
                .spawn(|| assert_eq!(code(keyplate.create_user(new_user("bob"))), ErrorCode::Busy));
        }
    });
    assert!(began.elapsed().as_millis() < 1_000, "{:?}", began.elapsed());
    other.execute_batch("COMMIT").unwrap();
    assert!(
        keyplate.create_user(new_user("bob")).is_ok(),
        "usable again"
    );
}

/// D5.
#[test]
fn a_removed_or_replaced_file_is_noticed() {
    let f = Fixture::on_disk();
    f.user("ann");
    fs::rename(f.path(), f.folder.path().join("moved.db")).unwrap();
    assert_eq!(
        code(f.keyplate.create_user(new_user("bob"))),
        ErrorCode::StorageLost
    );
    fs::write(f.path(), "").unwrap();
    assert_eq!(
        code(f.keyplate.create_user(new_user("bob"))),
        ErrorCode::StorageLost
    );
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert_eq!(
        code(f.keyplate.list_users(UserQuery::default())),
        ErrorCode::StorageLost,
        "reads look once a second"
    );
    fs::rename(f.folder.path().join("moved.db"), f.path()).unwrap();
    assert!(
        f.keyplate.find_user_by_username("ann").unwrap().is_some(),
        "what was acknowledged is there"
    );
    f.user("bob");
}

#[test]
fn a_page_of_zeros_is_corruption_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    let keyplate = open(&path).unwrap();
    for n in 0..300 {
        keyplate.create_user(new_user(&format!("user{n}"))).unwrap();
    }
    drop(keyplate); // check-points: everything is in the file
    let root: i64 = raw(&path)
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'users'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start((root as u64 - 1) * 4_096))
        .unwrap();
    file.write_all(&[0; 4_096]).unwrap();
    drop(file);
    let before = fs::read(&path).unwrap();
    let keyplate = open(&path).unwrap();
    assert_eq!(
        code(keyplate.find_user_by_username("user7")),
        ErrorCode::CorruptDatabase
    );
    assert_eq!(
        code(keyplate.create_user(new_user("more"))),
        ErrorCode::CorruptDatabase
    );
    assert!(
        !keyplate
            .check_integrity()
            .map_or_else(|_| false, |report| report.ok)
    );
    drop(keyplate);
    assert!(
        fs::read(&path).unwrap()[4_096..] == before[4_096..],
        "the file was touched"
    );
}

/// A small file system of its own; needs root and `mount`, as a container has them.
pub(crate) struct SmallDisk(pub(crate) tempfile::TempDir);

impl SmallDisk {
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn new(options: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "none"])
            .arg(folder.path())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(folder));
        }
        assert!(
            std::env::var("CI").is_err(),
            "CI must be able to mount a small disk"
        );
        eprintln!("skipped: no right to mount a small disk");
        None
    }

    pub(crate) fn remount(&self, options: &str) {
        assert!(
            Command::new("mount")
                .args(["-o", &format!("remount,{options}")])
                .arg(self.0.path())
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

/// D5.
#[test]
fn a_full_disk_is_an_error_and_then_it_works_again() {
    let Some(disk) = SmallDisk::new("size=2m") else {
        return;
    };
    let path = disk.0.path().join("id.db");
    let keyplate = open(&path).unwrap();
    let first = keyplate.create_user(new_user("first")).unwrap();
    let key = keyplate
        .create_api_key(new_key(Some(&first), &["a:b"]))
        .unwrap();
    let filler = disk.0.path().join("filler");
    let mut made = vec!["first".to_owned()];
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&[7; 4_096]).is_ok() {}
    let error = loop {
        let name = format!("user{}", made.len());
        match keyplate.create_user(new_user(&name)) {
            Ok(_) => made.push(name),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), ErrorCode::StorageFull);
    assert!(
        keyplate.verify_api_key(key.secret.as_str()).is_ok(),
        "nobody is logged out"
    );
    assert_eq!(
        keyplate.list_users(UserQuery::default()).unwrap().total,
        made.len() as i64,
        "nothing half done"
    );
    drop(file);
    fs::remove_file(filler).unwrap();
    // The file system may give the room back a moment later.
    let works_again = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(5));
        keyplate.create_user(new_user("after")).is_ok()
    });
    assert!(works_again);
    drop(keyplate);
    let keyplate = open(&path).unwrap();
    for name in &made {
        assert!(
            keyplate.find_user_by_username(name).unwrap().is_some(),
            "{name} is lost"
        );
    }
    assert!(keyplate.check_integrity().unwrap().ok);
}

/// A log that somebody's reading kept from beginning anew has filled the disk. When they are done, the next write takes
/// its room back.
#[test]
fn a_disk_that_our_own_log_filled_heals_by_itself() {
    let Some(disk) = SmallDisk::new("size=6m") else {
        return;
    };
    let path = disk.0.path().join("id.db");
    let keyplate = open(&path).unwrap();
    keyplate.create_user(new_user("first")).unwrap();
    drop(keyplate); // check-points: everything is in the file
    let keyplate = open(&path).unwrap();
    let reader = raw(&path);
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM users")
        .unwrap();
    // The same page again and again: the database grows no more, the log does.
    let other = raw(&path);
    while other
        .execute_batch("UPDATE users SET updated_at = updated_at + 1")
        .is_ok()
    {}
    drop(other);
    assert_eq!(
        code(keyplate.create_user(new_user("full"))),
        ErrorCode::StorageFull
    );
    let log = disk.0.path().join("id.db-wal");
    assert!(
        fs::metadata(&log).unwrap().len() > 4 << 20,
        "the log fills it"
    );
    assert_eq!(
        code(keyplate.create_user(new_user("still"))),
        ErrorCode::StorageFull,
        "the log is still needed"
    );
    drop(reader);
    keyplate.create_user(new_user("after")).unwrap();
    assert!(fs::metadata(&log).unwrap().len() < 1 << 20);
    let total = keyplate.list_users(UserQuery::default()).unwrap().total;
    assert_eq!(total, 2);
    assert!(keyplate.check_integrity().unwrap().ok);
}

/// What an upgrade that did not come to its end leaves behind.
#[test]
fn an_upgrade_on_a_disk_that_is_too_small_leaves_no_copy() {
    let Some(disk) = SmallDisk::new("size=3m") else {
        return;
    };
    let path = disk.0.path().join("id.db");
    let old = raw(&path);
    old.execute_batch(include_str!("../fixtures/schema-4.sql"))
        .unwrap();
    old.execute_batch("PRAGMA user_version = 4").unwrap();
    // Two thirds of the disk are the database: there is no room for a copy.
    old.execute_batch(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 9000)
         INSERT INTO audit (at, kind, actor_kind, details, count, user_agent)
         SELECT 1, 'user_updated', 'host', '{}', 1, hex(randomblob(80)) FROM n",
    )
    .unwrap();
    drop(old);
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let names = || {
        let mut names: Vec<String> = fs::read_dir(disk.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains("backup"))
            .collect();
        names.sort();
        names
    };
    for _ in 0..2 {
        assert_eq!(code(open(&path)), ErrorCode::StorageFull);
        assert!(names().is_empty(), "{:?}", names());
    }
    disk.remount("size=30m");
    let keyplate = open(&path).unwrap();
    assert!(keyplate.check_integrity().unwrap().ok);
    assert_eq!(names(), ["id.db.schema-4.backup"]);
}

#[test]
fn a_disk_that_turns_read_only_is_an_error() {
    let Some(disk) = SmallDisk::new("size=8m") else {
        return;
    };
    let path = disk.0.path().join("id.db");
    let keyplate = open(&path).unwrap();
    keyplate.create_user(new_user("ann")).unwrap();
    drop(keyplate);
    disk.remount("ro");
    // Nothing is at the path, and nothing can be made there.
    assert_eq!(
        reason(open(&disk.0.path().join("new.db"))),
        (
            ErrorCode::Configuration,
            Some("folder_read_only".to_owned())
        )
    );
    assert_eq!(code(open(&path)), ErrorCode::StorageReadOnly);
    disk.remount("rw");
    assert!(
        open(&path)
            .unwrap()
            .find_user_by_username("ann")
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_read_only_file_can_be_read_and_a_write_is_refused() {
    let f = Fixture::on_disk();
    let key = f.key(&f.user("ann"), &["a:b"]);
    let path = f.path();
    // Root may write any file; this attribute stops root too.
    let locked = Command::new("chattr").arg("+i").arg(&path).status();
    if !locked.is_ok_and(|status| status.success()) {
        assert!(
            std::env::var("CI").is_err(),
            "CI must be able to make a file immutable"
        );
        eprintln!("skipped: no file can be made immutable here");
        return;
    }
    let keyplate = open(&path).unwrap();
    let verified = keyplate.verify_api_key(key.secret.as_str());
    let written = keyplate.create_user(new_user("bob"));
    assert!(
        Command::new("chattr")
            .arg("-i")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    assert!(verified.is_ok());
    assert_eq!(code(written), ErrorCode::StorageReadOnly);
    assert!(
        open(&path).unwrap().create_user(new_user("bob")).is_ok(),
        "usable again"
    );
}
