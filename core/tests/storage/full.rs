//! D5: what works on a disk that was full before anybody came.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use keyplate::{Config, ErrorCode, Keyplate, KeyplateError, UserQuery};

use crate::{
    common::{
        process::{kill_after, said, say, start},
        *,
    },
    ground::SmallDisk,
    open,
};

/// Fills it to the last byte.
fn fill(folder: &Path) {
    let mut file = File::create(folder.join("filler")).unwrap();
    for size in [4_096, 1] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
}

fn is_full(result: keyplate::Result<impl Sized>, path: &Path) -> bool {
    let expected = path.to_str().unwrap();
    matches!(result.map(drop), Err(KeyplateError::StorageFull { path }) if path == expected)
}

/// What another process finds.
#[test]
fn another_process() {
    let Ok(job) = std::env::var("KEYPLATE_TEST_JOB") else {
        return;
    };
    let path = std::env::var("KEYPLATE_TEST_DATABASE").unwrap();
    match job.as_str() {
        "open" => say(&match open(Path::new(&path)) {
            Ok(keyplate) => keyplate
                .list_users(UserQuery::default())
                .unwrap()
                .total
                .to_string(),
            Err(error) => format!("{:?}", error.code()),
        }),
        "write" => {
            let keyplate = open(Path::new(&path)).unwrap();
            for n in 0.. {
                keyplate.create_user(new_user(&format!("user{n}"))).unwrap();
                say("written");
            }
        }
        _ => {}
    }
}

fn others_find(path: &Path) -> Vec<String> {
    let mut other = start(another_process, "open", path);
    let found = said(&mut other);
    other.wait().unwrap();
    found
}

#[test]
fn an_existing_database_opens_and_is_read_on_a_full_disk() {
    let Some(disk) = SmallDisk::new("size=2m") else {
        return;
    };
    let path = disk.0.path().join("id.db");
    let clock = Arc::new(TestClock::at(START));
    let open_in_boot = || {
        let config = Config {
            time_source: Some(clock.clone()),
            encryption_key: Some(Arc::new(keyplate::Secret::new("k".repeat(40)))),
            busy_timeout_ms: Some(200),
            ..config(&path)
        };
        Keyplate::open_with_boot_clock(config, clock.clone())
    };
    let keyplate = open_in_boot().unwrap();
    let ann = keyplate.create_user(new_user("ann")).unwrap();
    let key = keyplate
        .create_api_key(new_key(Some(&ann), &["a:b"]))
        .unwrap();
    let session = keyplate.create_session(&ann.id, client(), None).unwrap();
    drop(keyplate);
    assert!(!path.with_extension("db-wal").exists());
    fill(disk.0.path());

    // The first to open it in a boot wants to store its time, too.
    clock.reboot();
    let keyplate = open_in_boot().unwrap();
    for _ in 0..3 {
        keyplate.verify_api_key(key.secret.as_str()).unwrap();
        keyplate.verify_session(session.secret.as_str()).unwrap();
        keyplate.authenticate(key.secret.as_str()).unwrap();
        let users = keyplate.list_users(UserQuery::default()).unwrap();
        assert_eq!(users.total, 1);
        assert!(keyplate.check_integrity().unwrap().ok);
        keyplate.get_public_settings().unwrap();
        keyplate.get_setup_state().unwrap();
        assert!(is_full(keyplate.create_user(new_user("bob")), &path));
        assert!(is_full(keyplate.revoke_api_key(&key.api_key.id), &path));
    }
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (keyplate, secret) = (keyplate.clone(), key.secret.reveal());
            std::thread::spawn(move || {
                for _ in 0..50 {
                    keyplate.verify_api_key(&secret).unwrap();
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    // Without the index that processes share, it is this process's alone.
    assert_eq!(others_find(&path), ["Busy"]);

    fs::remove_file(disk.0.path().join("filler")).unwrap();
    let began = Instant::now();
    while keyplate.create_user(new_user("bob")).is_err() {
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "it heals by itself"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(1_100));
    keyplate.create_user(new_user("carl")).unwrap();
    assert_eq!(others_find(&path), ["3"], "and is shared again");
    keyplate.create_user(new_user("dora")).unwrap();
    drop(keyplate);
    let keyplate = open_in_boot().unwrap();
    assert_eq!(keyplate.list_users(UserQuery::default()).unwrap().total, 4);
    assert!(keyplate.check_integrity().unwrap().ok);
}

/// What was acknowledged is in the log of somebody who was killed.
#[test]
fn the_last_commits_are_there_on_a_full_disk() {
    let Some(disk) = SmallDisk::new("size=4m") else {
        return;
    };
    for index_stayed in [true, false] {
        let path = disk.0.path().join(format!("{index_stayed}.db"));
        let mut writer = start(another_process, "write", &path);
        let written = kill_after(&mut writer, 20, 0).len() as i64;
        if !index_stayed {
            fs::remove_file(path.with_extension("db-shm")).unwrap();
        }
        fill(disk.0.path());
        let keyplate = open(&path).unwrap();
        let total = keyplate.list_users(UserQuery::default()).unwrap().total;
        assert!(
            (written..=written + 1).contains(&total),
            "{total} of {written}"
        );
        drop(keyplate);
        fs::remove_file(disk.0.path().join("filler")).unwrap();
        let keyplate = open(&path).unwrap();
        let found = keyplate.list_users(UserQuery::default()).unwrap().total;
        assert_eq!(found, total);
    }
}

/// Not even an empty file can be made: nothing is possible, and that is said.
#[test]
fn without_room_for_a_name_the_disk_is_full() {
    let Some(disk) = SmallDisk::new("size=4m,nr_inodes=8") else {
        return;
    };
    let path = disk.0.path().join("id.db");
    drop(open(&path).unwrap());
    let names = || (0..).map(|n| disk.0.path().join(n.to_string()));
    let last = names().find(|name| File::create(name).is_err()).unwrap();
    assert!(is_full(open(&path), &path));
    let new = disk.0.path().join("new.db");
    assert!(is_full(open(&new), &new));
    for name in names().take_while(|name| *name != last) {
        fs::remove_file(name).unwrap();
    }
    open(&path).unwrap().create_user(new_user("ann")).unwrap();
}

/// A back-up that nobody has opened yet is not opened without its settlement: sessions that were ended since would live.
#[test]
fn a_restored_back_up_waits_for_room() {
    let Some(disk) = SmallDisk::new("size=2m") else {
        return;
    };
    let f = Fixture::on_disk();
    let session = f.session(&f.user("ann"));
    let path = disk.0.path().join("id.db");
    f.keyplate.back_up_to(path.to_str().unwrap()).unwrap();
    fill(disk.0.path());
    assert_eq!(code(open(&path)), ErrorCode::StorageFull);
    fs::remove_file(disk.0.path().join("filler")).unwrap();
    let keyplate = open(&path).unwrap();
    let ended = keyplate.verify_session(session.secret.as_str());
    assert_eq!(code(ended), ErrorCode::InvalidCredential);
}
