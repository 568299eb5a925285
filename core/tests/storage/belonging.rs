//! D1, D8: what lies beside the file, and whose it is.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command},
};

use keyplate::{Config, ConfigurationReason, Keyplate, KeyplateError, UserQuery};

use crate::{
    common::{
        process::{kill_after, said, say, start},
        *,
    },
    open, raw,
};

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

fn users(keyplate: &Keyplate) -> i64 {
    keyplate.list_users(UserQuery::default()).unwrap().total
}

fn refused(result: keyplate::Result<Keyplate>) -> ConfigurationReason {
    match result {
        Err(KeyplateError::Configuration { reason, .. }) => reason,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was opened"),
    }
}

fn lost<T: std::fmt::Debug>(result: keyplate::Result<T>) -> PathBuf {
    match result {
        Err(KeyplateError::StorageLost { path }) => path.into(),
        other => panic!("{other:?}"),
    }
}

fn open_shared(path: &Path) -> keyplate::Result<Keyplate> {
    Keyplate::open(Config {
        allow_shared_file: true,
        busy_timeout_ms: Some(200),
        ..config(path)
    })
}

#[test]
fn another_process() {
    let Ok(job) = std::env::var("KEYPLATE_TEST_JOB") else {
        return;
    };
    let path = PathBuf::from(std::env::var("KEYPLATE_TEST_DATABASE").unwrap());
    let (verb, rest) = job.split_once(' ').unwrap_or((&job, ""));
    let keyplate = match open_shared(&path) {
        Ok(keyplate) => keyplate,
        Err(error) => {
            return say(&format!(
                "{:?}",
                error.reason_code().unwrap_or_else(|| error.to_string())
            ));
        }
    };
    match verb {
        "write" => {
            for n in 0.. {
                let written = keyplate.create_user(new_user(&format!("{rest}{n}")));
                written.unwrap_or_else(|_| std::process::abort());
                say("written");
            }
        }
        "hold" => {
            for n in 0..rest.parse().unwrap() {
                keyplate.create_user(new_user(&format!("held{n}"))).unwrap();
            }
            say("written");
            std::thread::sleep(std::time::Duration::from_secs(60));
        }
        _ => say(&users(&keyplate).to_string()),
    }
}

/// Writes until it is killed; how many users there are then.
fn written_by_who_is_killed(path: &Path, name: &str, lines: usize) -> usize {
    let mut writer = start(another_process, &format!("write {name}"), path);
    kill_after(&mut writer, lines, 0).len()
}

/// A process that has written so many and has the file open.
fn holder(path: &Path, users: usize) -> Child {
    use std::io::{BufRead, BufReader};
    let mut child = start(another_process, &format!("hold {users}"), path);
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("=> written")));
    drop(lines);
    child
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn others_find(path: &Path) -> Vec<String> {
    let mut other = start(another_process, "look", path);
    let found = said(&mut other);
    other.wait().unwrap();
    found
}

/// How somebody puts a file in the place of another.
fn put(from: &Path, to: &Path, renamed: bool) {
    if renamed {
        let beside = with_suffix(to, ".new");
        fs::copy(from, &beside).unwrap();
        fs::rename(beside, to).unwrap();
    } else {
        fs::copy(from, to).unwrap();
    }
}

/// D8: the log is of the database that was there before.
#[test]
fn an_old_log_beside_a_restored_back_up_is_refused() {
    for run in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.db");
        let copy = folder.path().join("copy.db");
        let keyplate = open(&path).unwrap();
        for n in 0..run {
            keyplate
                .create_user(new_user(&format!("before{n}")))
                .unwrap();
        }
        keyplate.back_up_to(copy.to_str().unwrap()).unwrap();
        drop(keyplate);
        written_by_who_is_killed(&path, "after", 1 + run * 7);
        put(&copy, &path, run % 2 == 0);
        if run % 4 < 2 {
            fs::remove_file(with_suffix(&path, "-shm")).unwrap();
        }
        let log = fs::read(with_suffix(&path, "-wal")).unwrap();
        for _ in 0..2 {
            assert_eq!(refused(open(&path)), ConfigurationReason::OtherLog, "{run}");
        }
        assert!(fs::read(&path).unwrap() == fs::read(&copy).unwrap());
        assert!(fs::read(with_suffix(&path, "-wal")).unwrap() == log);
        fs::remove_file(with_suffix(&path, "-wal")).unwrap();
        let _ = fs::remove_file(with_suffix(&path, "-shm"));
        let keyplate = open(&path).unwrap();
        assert_eq!(users(&keyplate), run as i64);
        assert!(keyplate.check_integrity().unwrap().ok);
        drop(keyplate);

        // The same back-up once more, beside the log of the time since it was restored.
        written_by_who_is_killed(&path, "again", 3);
        put(&copy, &path, run % 2 == 0);
        assert_eq!(refused(open(&path)), ConfigurationReason::OtherLog, "{run}");
    }
}

/// D8: a plain copy has no mark, but it counts.
#[test]
fn a_log_of_another_time_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    let old = folder.path().join("old.db");
    let (newer, log) = (folder.path().join("newer.db"), with_suffix(&path, "-wal"));
    open(&path).unwrap().create_user(new_user("ann")).unwrap();
    fs::copy(&path, &old).unwrap();
    open(&path).unwrap().create_user(new_user("bob")).unwrap();
    written_by_who_is_killed(&path, "user", 5);
    let killed = (fs::read(&path).unwrap(), fs::read(&log).unwrap());

    // An older file, one that was emptied, one that is gone.
    put(&old, &path, false);
    assert_eq!(refused(open(&path)), ConfigurationReason::OtherLog);
    fs::write(&path, "").unwrap();
    assert_eq!(refused(open(&path)), ConfigurationReason::OtherLog);
    fs::remove_file(&path).unwrap();
    assert_eq!(refused(open(&path)), ConfigurationReason::OtherLog);
    assert!(fs::read(&log).unwrap() == killed.1, "nothing was lost");

    // Back where it belongs.
    fs::write(&path, &killed.0).unwrap();
    let keyplate = open(&path).unwrap();
    assert!(users(&keyplate) >= 7);
    keyplate.create_user(new_user("later")).unwrap();
    drop(keyplate);
    fs::copy(&path, &newer).unwrap();

    // A newer file beside that log.
    fs::write(&log, &killed.1).unwrap();
    fs::set_permissions(&log, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(refused(open(&path)), ConfigurationReason::OtherLog);
    fs::remove_file(&log).unwrap();
    assert!(open(&path).is_ok());
}

/// Whoever is killed leaves a log that belongs, at whatever moment, with whatever was brought into the file meanwhile.
#[test]
fn a_log_that_belongs_is_never_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    let mut least = 0;
    for run in 0..12 {
        let name = format!("run{run}x");
        let mut writer = start(another_process, &format!("write {name}"), &path);
        if run % 3 == 1 {
            std::thread::sleep(std::time::Duration::from_millis(40));
            let other = raw(&path);
            other
                .busy_timeout(std::time::Duration::from_secs(5))
                .unwrap();
            for kind in ["PASSIVE", "RESTART", "TRUNCATE"] {
                let pragma = format!("PRAGMA wal_checkpoint({kind})");
                other.query_row(&pragma, [], |_| Ok(())).unwrap();
            }
        }
        least += kill_after(&mut writer, 3 + run * 5, run as u64 * 137).len() as i64;
        let keyplate = open(&path).unwrap();
        assert!(users(&keyplate) >= least, "{run}");
        if run % 4 == 2 {
            keyplate
                .create_user(new_user(&format!("between{run}")))
                .unwrap();
        }
        assert!(keyplate.check_integrity().unwrap().ok);
        // Another handle, and another process, come while it is in use.
        assert!(open(&path).is_ok());
        assert_eq!(others_find(&path), [users(&keyplate).to_string()]);
    }
}

/// D5: the log of an open database was removed.
#[test]
fn a_log_that_was_removed_is_noticed_and_nothing_is_lost() {
    for gone in [&["-wal", "-shm"][..], &["-wal"], &["-shm"]] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("id.db");
        let keyplate = open(&path).unwrap();
        for n in 0..20 {
            keyplate.create_user(new_user(&format!("user{n}"))).unwrap();
        }
        for suffix in gone {
            fs::remove_file(with_suffix(&path, suffix)).unwrap();
        }
        // Nobody else begins another log meanwhile.
        let others = others_find(&path);
        match *gone {
            ["-shm"] => assert!(others[0].contains("busy"), "{others:?}"),
            _ => assert_eq!(others, [r#""open_elsewhere""#], "{gone:?}"),
        }
        for _ in 0..2 {
            let named = lost(keyplate.create_user(new_user("late")));
            assert_eq!(named, with_suffix(&path, gone[0]));
        }
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        assert_eq!(
            lost(keyplate.find_user_by_username("user1")),
            with_suffix(&path, gone[0])
        );
        drop(keyplate);
        let keyplate = open(&path).unwrap();
        assert_eq!(users(&keyplate), 20, "{gone:?}");
        assert!(keyplate.check_integrity().unwrap().ok);
        keyplate.create_user(new_user("late")).unwrap();
    }
}

/// The same, when whoever has it open is killed after they have noticed.
#[test]
fn a_log_that_was_removed_is_saved_before_its_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    // They write until they fail, and then end at once.
    let mut writer = start(another_process, "write user", &path);
    std::thread::sleep(std::time::Duration::from_millis(100));
    let log = with_suffix(&path, "-wal");
    while fs::remove_file(&log).is_err() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let _ = fs::remove_file(with_suffix(&path, "-shm"));
    let written = said(&mut writer);
    let written = written.iter().filter(|said| *said == "written").count() as i64;
    writer.wait().unwrap();
    let keyplate = open(&path).unwrap();
    let found = users(&keyplate);
    assert!(found >= written, "{found} of {written}");
}

/// D1: two names have two logs.
#[test]
fn a_file_with_two_names_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, second) = (folder.path().join("id.db"), folder.path().join("second.db"));
    let first = holder(&path, 5);
    fs::hard_link(&path, &second).unwrap();
    for name in [&path, &second] {
        assert_eq!(refused(open(name)), ConfigurationReason::SeveralNames);
    }
    // Whoever allows it is told when it does harm.
    assert_eq!(
        refused(open_shared(&second)),
        ConfigurationReason::OpenElsewhere
    );
    end(first);
    fs::remove_file(&second).unwrap();

    let keyplate = open(&path).unwrap();
    keyplate.create_user(new_user("ann")).unwrap();
    fs::hard_link(&path, &second).unwrap();
    let named = path.to_str().unwrap();
    let refused = keyplate.create_user(new_user("bob")).unwrap_err();
    assert!(
        matches!(&refused, KeyplateError::StorageFailed { path, .. } if path == named),
        "{refused}"
    );
    fs::remove_file(&second).unwrap();
    keyplate.create_user(new_user("bob")).unwrap();
    assert_eq!(users(&keyplate), 7);
}

/// D1: a single file that was mounted has its log where it is mounted.
#[test]
fn a_file_that_was_mounted_by_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (outside, inside) = (folder.path().join("id.db"), folder.path().join("in/id.db"));
    let first = holder(&outside, 5);
    fs::create_dir(folder.path().join("in")).unwrap();
    fs::write(&inside, "").unwrap();
    let mount = Command::new("mount")
        .arg("--bind")
        .args([&outside, &inside])
        .status();
    if !mount.is_ok_and(|status| status.success()) {
        assert!(
            std::env::var("CI").is_err(),
            "CI must be able to mount a file"
        );
        eprintln!("skipped: no right to mount a file");
        return end(first);
    }
    let (refused_at_once, told) = (open(&inside), open_shared(&inside));
    end(first);
    let umount = Command::new("umount").arg("-l").arg(&inside).status();
    assert!(umount.unwrap().success());
    assert_eq!(refused(refused_at_once), ConfigurationReason::MountedFile);
    assert_eq!(refused(told), ConfigurationReason::OpenElsewhere);
    assert_eq!(users(&open(&outside).unwrap()), 5);
    assert_eq!(fs::metadata(&inside).unwrap().size(), 0);
}
