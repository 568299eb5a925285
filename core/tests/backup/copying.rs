//! Making one: whole, private, and refused where it cannot be.

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    os::unix::fs::{MetadataExt, symlink},
    path::Path,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use keyplate::{ErrorCode, EventKind, Keyplate, UserQuery};

use crate::{
    common::{
        process::{kill_after, said, start},
        *,
    },
    files, restore_events, restored, worker,
};

#[test]
fn a_back_up_is_one_private_file() {
    let f = Fixture::on_disk();
    f.user("ann");
    let copy = f.copy();
    let report = f.keyplate.back_up_to(copy.to_str().unwrap()).unwrap();
    let metadata = fs::metadata(&copy).unwrap();
    assert_eq!(metadata.mode() & 0o777, 0o600);
    assert_eq!(
        (report.bytes, report.made_at),
        (metadata.len() as i64, f.now()),
        "what it tells"
    );
    assert_eq!(
        files(f.folder.path()),
        ["copy.db", "id.db", "id.db-shm", "id.db-wal"]
    );
    assert_eq!(f.heard.kinds().last(), Some(&EventKind::BackedUp));
    let mark = |path: &Path| -> Option<i64> {
        let sql = "SELECT backed_up_at FROM instance";
        raw(path).query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(mark(&copy), Some(START as i64 * 1_000));
    assert_eq!(mark(&f.path()), None, "the original is not marked");
    f.user("bob"); // and goes on
}

#[test]
fn a_path_that_is_no_good_is_refused_and_nothing_is_made() {
    let f = Fixture::new();
    let here = |name: &str| f.folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(here("taken"), "mine").unwrap();
    symlink("nowhere", here("link")).unwrap();
    fs::create_dir(here("folder")).unwrap();
    let before = files(f.folder.path());
    for taken in ["taken", "link", "folder"] {
        assert_eq!(
            code(f.keyplate.back_up_to(&here(taken))),
            ErrorCode::Conflict
        );
    }
    assert_eq!(fs::read_to_string(here("taken")).unwrap(), "mine");
    for wrong in [
        String::new(),
        "/".to_owned(),
        "..".to_owned(),
        "a\0b".to_owned(),
        here("new/"),
        here("new/."),
        here("no/such/copy.db"),
        here("taken/copy.db"),
        here("id.db"),
        here("id.db-wal"),
        here("id.db-journal"),
        here("folder/../id.db-shm"),
        "/proc/copy.db".to_owned(),
    ] {
        assert_eq!(
            refusal(f.keyplate.back_up_to(&wrong)),
            (ErrorCode::InvalidInput, Some("path".to_owned())),
            "{wrong}"
        );
    }
    assert_eq!(files(f.folder.path()), before);
    let f = Fixture::on_disk();
    let folder = folder();
    let mut child = start(
        worker,
        &format!("relative {}", folder.path().display()),
        &f.path(),
    );
    assert_eq!(said(&mut child), ["true Conflict"]);
    child.wait().unwrap();
    assert_eq!(files(folder.path()), ["copy.db"]);
}

#[test]
fn while_threads_write_it_ends_and_holds_what_was_acknowledged() {
    let f = Fixture::on_disk();
    for n in 0..400 {
        f.user(&format!("first{n}"));
    }
    let (done, over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let copies: Vec<_> = thread::scope(|scope| {
        for thread in 0..4 {
            let (keyplate, done, over) = (&f.keyplate, &done, &over);
            scope.spawn(move || {
                for n in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    let name = format!("t{thread}n{n}");
                    keyplate.create_user(new_user(&name)).unwrap();
                    done.lock().unwrap().push(name);
                }
            });
        }
        let copies = (0..5).map(|n| {
            let acknowledged = done.lock().unwrap().clone();
            let copy = f.folder.path().join(format!("copy{n}.db"));
            let result = f.keyplate.back_up_to(copy.to_str().unwrap());
            let meanwhile = done.lock().unwrap().len() - acknowledged.len();
            (copy, acknowledged, result, meanwhile)
        });
        let copies = copies.collect(); // nothing may fail before the writers are told to end
        over.store(true, Ordering::Relaxed);
        copies
    });
    let meanwhile: usize = copies.iter().map(|copy| copy.3).sum();
    assert!(meanwhile > 0, "writers were held up");
    for (copy, acknowledged, result, _) in &copies {
        assert!(result.is_ok(), "{result:?}");
        let (_folder, path) = restored(copy);
        let keyplate = Keyplate::open(config(&path)).unwrap();
        assert!(keyplate.check_integrity().unwrap().ok);
        for name in acknowledged {
            assert!(
                keyplate.find_user_by_username(name).unwrap().is_some(),
                "{name}"
            );
        }
    }
}

#[test]
fn while_processes_write_too() {
    let f = Fixture::on_disk();
    let mut writers = ["a", "b"].map(|name| start(worker, &format!("write {name}"), &f.path()));
    let total = || f.keyplate.list_users(UserQuery::default()).unwrap().total;
    while total() < 20 {
        thread::sleep(Duration::from_millis(5));
    }
    let mut copies = Vec::new();
    for n in 0..5 {
        let before = total();
        let copy = f.folder.path().join(format!("copy{n}.db"));
        f.keyplate.back_up_to(copy.to_str().unwrap()).unwrap();
        copies.push((copy, before));
    }
    let after = total();
    for writer in &mut writers {
        writer.kill().unwrap();
        writer.wait().unwrap();
    }
    assert!(after > copies[0].1, "they went on writing");
    for (copy, before) in &copies {
        let (_folder, path) = restored(copy);
        let keyplate = Keyplate::open(config(&path)).unwrap();
        assert!(keyplate.check_integrity().unwrap().ok);
        let query = UserQuery::default();
        assert!(keyplate.list_users(query).unwrap().total >= *before);
    }
}

#[test]
fn killed_at_any_moment_it_is_whole_or_not_there() {
    let f = Fixture::on_disk();
    for n in 0..50 {
        f.user(&format!("user{n}"));
    }
    let copies = f.folder.path().join("copies");
    fs::create_dir(&copies).unwrap();
    let mut said = Vec::new();
    for round in 0..60_u64 {
        let mut child = start(worker, &format!("back-up {}", copies.display()), &f.path());
        let random = round.wrapping_mul(2_654_435_761);
        said.extend(kill_after(&mut child, (round % 3) as usize, random % 9_000));
    }
    let made = files(&copies);
    let (unfinished, whole): (Vec<_>, Vec<_>) = made.iter().partition(|name| name.contains(".db."));
    assert!(whole.len() >= 40, "only {} were made", whole.len());
    for copy in said {
        assert!(Path::new(&copy).exists(), "said to be done: {copy}");
    }
    for name in &whole {
        let (_folder, path) = restored(&copies.join(name));
        let keyplate = Keyplate::open(config(&path)).unwrap();
        assert!(keyplate.check_integrity().unwrap().ok);
        assert_eq!(restore_events(&keyplate).len(), 1, "{name} has no mark");
        assert!(keyplate.find_user_by_username("user49").unwrap().is_some());
    }
    for name in unfinished {
        assert!(name.contains(".partial"), "{name}");
        let mode = fs::metadata(copies.join(name)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert!(f.keyplate.check_integrity().unwrap().ok);
}

/// A small file system of its own; needs root and `mount`, as a container has them.
fn small_disk() -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=100k", "none"])
        .arg(folder.path())
        .status();
    if mounted.is_ok_and(|status| status.success()) {
        return Some(folder);
    }
    assert!(
        std::env::var("CI").is_err(),
        "CI must be able to mount a small disk"
    );
    eprintln!("skipped: no right to mount a small disk");
    None
}

#[test]
fn a_full_disk_leaves_nothing_behind() {
    let Some(disk) = small_disk() else { return };
    let f = Fixture::new();
    f.user("ann");
    let copy = disk.path().join("copy.db");
    let result = f.keyplate.back_up_to(copy.to_str().unwrap());
    let left = files(disk.path());
    let unmounted = Command::new("umount").arg("-l").arg(disk.path()).status();
    assert!(unmounted.unwrap().success());
    assert_eq!(code(result), ErrorCode::StorageFull);
    assert!(left.is_empty(), "{left:?}");
    f.back_up(); // elsewhere there is room
}

#[test]
fn a_damaged_database_is_not_passed_off_as_a_back_up() {
    let f = Fixture::on_disk();
    for n in 0..200 {
        f.user(&format!("user{n}"));
    }
    let path = f.path();
    let Fixture {
        keyplate, folder, ..
    } = f;
    drop(keyplate); // everything is in the file
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'users'";
    let root: u32 = raw(&path).query_row(sql, [], |row| row.get(0)).unwrap();
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(u64::from(root - 1) * 4_096))
        .unwrap();
    file.write_all(&[0; 4_096]).unwrap();
    drop(file);
    let keyplate = Keyplate::open(config(&path)).unwrap();
    let copy = folder.path().join("copy.db");
    let refused = keyplate.back_up_to(copy.to_str().unwrap());
    assert_eq!(code(refused), ErrorCode::CorruptDatabase);
    drop(keyplate);
    assert_eq!(files(folder.path()), ["id.db"]);
}

#[test]
fn the_host_alone_makes_them() {
    let f = Fixture::new();
    let ann = f.administrator("ann");
    let key = f.key(&ann, &["*", "roles:write"]);
    let copy = f.copy();
    for handle in [f.acting(key.secret.as_str()), f.stranger()] {
        let refused = handle.back_up_to(copy.to_str().unwrap());
        assert_eq!(code(refused), ErrorCode::PermissionDenied);
    }
    assert!(!copy.exists());
}

#[test]
fn a_newer_schema_is_not_backed_up() {
    let f = Fixture::on_disk();
    raw(&f.path())
        .execute_batch("PRAGMA user_version = 99; UPDATE instance SET schema = 99")
        .unwrap();
    let refused = f.keyplate.back_up_to(f.copy().to_str().unwrap());
    assert_eq!(code(refused), ErrorCode::SchemaTooNew);
    assert!(!f.copy().exists());
}
