//! D7: the descriptor by which the index is read costs no handle of this process SQLite's locks, in whatever order they come
//! and go. Closing any descriptor of a file drops all locks of the process on it (POSIX).

use std::{fs, os::unix::fs::MetadataExt, path::Path, time::Duration};

use keyplate::{ErrorCode, Keyplate, before_fork};
use nix::{
    sys::wait::{WaitStatus, waitpid},
    unistd::{ForkResult, fork},
};

use crate::common::{
    process::{job, said, say, start},
    *,
};

/// The byte of the index that whoever has it open holds a shared lock on: the first after the locks of the log.
const IN_USE: u64 = 128;

/// Whether this process has the lock by which others know that the index is in use.
fn holds_lock(database: &Path) -> bool {
    let index = database.with_file_name("id.db-shm");
    let Ok(index) = fs::metadata(index) else {
        return false;
    };
    let (pid, inode) = (std::process::id().to_string(), format!(":{}", index.ino()));
    let at = IN_USE.to_string();
    // For example: `3: POSIX  ADVISORY  READ 4711 fe:00:12345 128 128`.
    let is_listed = || {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|line| {
            let words: Vec<_> = line.split_ascii_whitespace().collect();
            matches!(words[..], [_, "POSIX", _, "READ", owner, file, from, _]
                if owner == pid && file.ends_with(&inode) && from == at)
        })
    };
    // While others come and go, the list passes over some. A lock that was lost does not come back.
    (0..100).any(|_| is_listed())
}

fn in_child(f: impl FnOnce() -> bool) {
    let guard = before_fork();
    // SAFETY: the child runs `f` on one thread and leaves by `_exit`; the C library keeps its allocator usable.
    let child = match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            drop(guard);
            let ok = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_or(false);
            // SAFETY: ends this process at once.
            unsafe { nix::libc::_exit(i32::from(!ok)) }
        }
    };
    drop(guard);
    assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0));
}

/// What a test does with its handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Open,
    CloseFirst,
    CloseLast,
    Fork,
}

const STEPS: [Step; 4] = [Step::Open, Step::CloseFirst, Step::CloseLast, Step::Fork];

#[test]
fn no_handle_loses_its_locks_by_what_others_do() {
    // Every order of three steps, with two handles to begin with.
    for number in 0..STEPS.len().pow(3) {
        let steps: Vec<Step> = (0..3)
            .map(|place| STEPS[number / STEPS.len().pow(place) % STEPS.len()])
            .collect();
        run(&steps);
    }
}

fn run(steps: &[Step]) {
    let folder = folder();
    let path = folder.path().join("id.db");
    let mut handles = Vec::new();
    let mut secret = String::new();
    let open = |handles: &mut Vec<Keyplate>| {
        handles.push(Keyplate::open(config(&path)).unwrap());
    };
    open(&mut handles);
    let ann = handles[0].create_user(new_user("ann")).unwrap();
    let key = handles[0]
        .create_api_key(new_key(Some(&ann), &["*"]))
        .unwrap();
    secret.push_str(&key.secret.reveal());
    open(&mut handles);
    for step in steps {
        match step {
            Step::Open => open(&mut handles),
            Step::CloseFirst if !handles.is_empty() => drop(handles.remove(0)),
            Step::CloseLast => drop(handles.pop()),
            Step::Fork if !handles.is_empty() => {
                let handles = &handles;
                let verify = || handles.iter().all(|it| it.verify_api_key(&secret).is_ok());
                in_child(|| {
                    let is_well = verify() && holds_lock(&path);
                    let user = handles[0].create_user(new_user("child"));
                    is_well
                        && (user.is_ok() || handles[0].find_user_by_username("child").is_ok())
                        && verify()
                        && holds_lock(&path)
                });
            }
            Step::CloseFirst | Step::Fork => {}
        }
        for handle in &handles {
            handle.verify_api_key(&secret).unwrap();
            handle.verify_api_key(&secret).unwrap();
            assert!(holds_lock(&path), "{step:?} of {steps:?}");
        }
    }
}

/// Another program, which is told that the file is in use.
#[test]
fn worker() {
    let Some((_, keyplate)) = job() else { return };
    drop(keyplate);
    let path = std::env::var("KEYPLATE_TEST_DATABASE").unwrap();
    let other = raw(path.as_ref());
    other.busy_timeout(Duration::ZERO).unwrap();
    let alone = other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT");
    drop(other);
    let delete = raw(path.as_ref()).query_row("PRAGMA journal_mode = DELETE", [], |row| {
        row.get::<_, String>(0)
    });
    say(&format!(
        "{} {}",
        alone.is_ok(),
        delete.is_ok_and(|mode| mode == "delete")
    ));
}

#[test]
fn another_program_gets_no_lock_that_it_must_not_get() {
    let folder = folder();
    let path = folder.path().join("id.db");
    let first = Keyplate::open(config(&path)).unwrap();
    let second = Keyplate::open(config(&path)).unwrap();
    let ann = first.create_user(new_user("ann")).unwrap();
    let key = first.create_api_key(new_key(Some(&ann), &["*"])).unwrap();
    let secret = key.secret.reveal();
    for handle in [&first, &second, &first] {
        handle.verify_api_key(&secret).unwrap();
    }
    drop(first);
    let mut other = start(worker, "look", &path);
    assert_eq!(said(&mut other), ["false false"]);
    assert!(other.wait().unwrap().success());
    second.revoke_api_key(&key.api_key.id).unwrap();
    assert_eq!(
        code(second.verify_api_key(&secret)),
        ErrorCode::InvalidCredential
    );
    drop(second);
    let mut other = start(worker, "look", &path);
    assert_eq!(said(&mut other), ["true true"], "nobody has it");
    assert!(other.wait().unwrap().success());
}
