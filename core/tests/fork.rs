//! D4: processes that fork while a database is open.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod common;

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use common::{
    process::{job, said, say, start},
    *,
};
use keyplate::{Config, ErrorCode, Keyplate, TimeSource, before_fork};
use nix::{
    sys::wait::{WaitStatus, waitpid},
    unistd::{ForkResult, fork},
};

/// The jobs run in a process of their own, so that what they fork has few threads.
#[test]
fn worker() {
    let Some((job, keyplate)) = job() else { return };
    match job.as_str() {
        "open" => drop(keyplate),
        "lock" | "alone" => {
            drop(keyplate);
            let other = raw(std::env::var("KEYPLATE_TEST_DATABASE").unwrap().as_ref());
            let lock = match job.as_str() {
                "lock" => "BEGIN IMMEDIATE",
                _ => "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT",
            };
            other.execute_batch(lock).unwrap();
            say("locked");
            thread::sleep(Duration::from_secs(60));
        }
        "hooked" => the_childs_commits_survive(&keyplate, true),
        "idle" => the_childs_commits_survive(&keyplate, false),
        other => panic!("no such job: {other}"),
    }
}

/// Runs `f` in a forked child, which ends without running anything of the parent's; true when `f` says so.
fn in_child(hooked: bool, f: impl FnOnce() -> bool) -> nix::unistd::Pid {
    let guard = hooked.then(before_fork);
    // SAFETY: the child runs `f` on one thread and leaves by `_exit`; the C library keeps its allocator usable.
    match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => {
            drop(guard);
            child
        }
        ForkResult::Child => {
            drop(guard);
            let ok = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_or(false);
            // SAFETY: ends this process at once.
            unsafe { nix::libc::_exit(i32::from(!ok)) }
        }
    }
}

fn assert_well(child: nix::unistd::Pid) {
    assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0));
}

fn the_childs_commits_survive(keyplate: &Keyplate, hooked: bool) {
    let path = std::env::var("KEYPLATE_TEST_DATABASE").unwrap();
    keyplate.create_user(new_user("parent")).unwrap();
    let second = Keyplate::open(config(path.as_ref())).unwrap(); // every inherited connection counts
    second.find_user_by_username("parent").unwrap();
    let (mut here, mut there) = UnixStream::pair().unwrap();
    let child = in_child(hooked, || {
        keyplate.create_user(new_user("child1")).unwrap();
        there.write_all(b"1").unwrap();
        there.read_exact(&mut [0]).unwrap(); // the parent has closed, another process has opened and closed
        keyplate.create_user(new_user("child2")).unwrap();
        second.find_user_by_username("child2").unwrap().is_some()
    });
    here.read_exact(&mut [0]).unwrap();
    keyplate.create_user(new_user("parent2")).unwrap();
    drop(second);
    // The worker's own handle is borrowed; the process that opens and closes comes while the parent writes no more.
    let mut other = start(worker, "open", path.as_ref());
    said(&mut other);
    assert!(other.wait().unwrap().success());
    here.write_all(b"2").unwrap();
    assert_well(child);
    let mut names: Vec<String> = keyplate
        .list_users(Default::default())
        .unwrap()
        .items
        .into_iter()
        .map(|user| user.username)
        .collect();
    names.sort();
    say(&names.join(" "));
}

#[test]
fn a_childs_commits_survive_the_parent_and_others() {
    for job in ["hooked", "idle"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id.db");
        let mut worker = start(worker, job, &path);
        assert_eq!(said(&mut worker), ["child1 child2 parent parent2"], "{job}");
        assert!(worker.wait().unwrap().success());
        let keyplate = Keyplate::open(config(&path)).unwrap();
        assert_eq!(keyplate.list_users(Default::default()).unwrap().total, 4);
        assert!(keyplate.check_integrity().unwrap().ok);
    }
}

#[test]
fn a_parent_that_closes_first_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    let keyplate = Keyplate::open(config(&path)).unwrap();
    keyplate.create_user(new_user("parent")).unwrap();
    let (mut here, mut there) = UnixStream::pair().unwrap();
    let child = in_child(true, || {
        keyplate.create_user(new_user("child")).unwrap();
        there.write_all(b"1").unwrap();
        there.read_exact(&mut [0]).unwrap();
        keyplate.find_user_by_username("child").unwrap().is_some()
    });
    here.read_exact(&mut [0]).unwrap();
    drop(keyplate);
    let mut other = start(worker, "open", &path);
    said(&mut other);
    other.wait().unwrap();
    here.write_all(b"2").unwrap();
    assert_well(child);
    let keyplate = Keyplate::open(config(&path)).unwrap();
    assert_eq!(keyplate.list_users(Default::default()).unwrap().total, 2);
}

/// Stops the clock, and with it whoever asks for the time, in the middle of a call.
struct Stopping {
    stop: AtomicBool,
    stopped: AtomicBool,
}

impl TimeSource for Stopping {
    fn now(&self) -> SystemTime {
        while self.stop.load(Ordering::SeqCst) {
            self.stopped.store(true, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(1));
        }
        std::time::UNIX_EPOCH + Duration::from_secs(START)
    }
}

#[test]
fn forked_in_mid_use_without_a_hook_the_handle_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    let clock = Arc::new(Stopping {
        stop: AtomicBool::new(false),
        stopped: AtomicBool::new(false),
    });
    let keyplate = Keyplate::open(Config {
        time_source: Some(clock.clone()),
        ..config(&path)
    })
    .unwrap();
    clock.stop.store(true, Ordering::SeqCst);
    thread::scope(|scope| {
        scope.spawn(|| keyplate.create_user(new_user("slow")).unwrap());
        while !clock.stopped.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
        let child = in_child(false, || {
            clock.stop.store(false, Ordering::SeqCst);
            let forked = |error: keyplate::KeyplateError| error.code() == ErrorCode::ForkedHandle;
            keyplate.create_user(new_user("child")).is_err_and(forked)
                && keyplate.find_user_by_username("slow").is_err_and(forked)
                && Keyplate::open(config(&path)).is_err_and(forked)
        });
        assert_well(child);
        clock.stop.store(false, Ordering::SeqCst);
    });
    assert!(
        keyplate.find_user_by_username("slow").unwrap().is_some(),
        "the parent goes on"
    );
}

/// One handle in use spoils the others of its file too: none may go on with locks that it only seems to hold.
#[test]
fn a_second_handle_does_not_work_while_the_first_is_stuck() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    let clock = Arc::new(Stopping {
        stop: AtomicBool::new(false),
        stopped: AtomicBool::new(false),
    });
    let idle = Keyplate::open(config(&path)).unwrap();
    let busy = Keyplate::open(Config {
        time_source: Some(clock.clone()),
        ..config(&path)
    })
    .unwrap();
    clock.stop.store(true, Ordering::SeqCst);
    thread::scope(|scope| {
        scope.spawn(|| busy.list_users(Default::default()).unwrap());
        while !clock.stopped.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
        let child = in_child(false, || {
            clock.stop.store(false, Ordering::SeqCst);
            let forked = |error: keyplate::KeyplateError| error.code() == ErrorCode::ForkedHandle;
            (0..3).all(|n| {
                idle.create_user(new_user(&format!("child{n}")))
                    .is_err_and(forked)
            })
        });
        assert_well(child);
        clock.stop.store(false, Ordering::SeqCst);
    });
    idle.create_user(new_user("parent")).unwrap();
}

/// A child without a hook, while another thread has one: nobody in it will ever let go, so it must not wait for that.
#[test]
fn forked_without_a_hook_while_another_thread_has_one_the_handle_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    let keyplate = Keyplate::open(config(&path)).unwrap();
    let (hooked, done) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _guard = before_fork();
            hooked.wait();
            done.wait();
        });
        hooked.wait();
        let child = in_child(false, || {
            // SAFETY: ends the child if it hangs; nothing else here uses this signal.
            unsafe { nix::libc::alarm(10) };
            let forked = |error: keyplate::KeyplateError| error.code() == ErrorCode::ForkedHandle;
            keyplate.create_user(new_user("child")).is_err_and(forked)
                && Keyplate::open(config(&path)).is_err_and(forked)
        });
        let ended = waitpid(child, None).unwrap();
        done.wait();
        assert_eq!(ended, WaitStatus::Exited(child, 0));
    });
    keyplate.create_user(new_user("parent")).unwrap();
}

#[test]
fn the_hook_waits_for_handles_that_are_opened_and_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let keyplate = Keyplate::open(config(&folder.path().join("id.db"))).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 0..3 {
            let (folder, stop) = (folder.path(), &stop);
            scope.spawn(move || {
                let path = folder.join(format!("other{thread}.db"));
                while !stop.load(Ordering::SeqCst) {
                    let other = Keyplate::open(config(&path)).unwrap();
                    drop(other.list_users(Default::default()).unwrap());
                }
            });
        }
        for _ in 0..150 {
            // SQLite's own locks, too, must be free in the child.
            assert_well(in_child(true, || {
                keyplate.list_users(Default::default()).is_ok()
            }));
        }
        stop.store(true, Ordering::SeqCst);
    });
}

#[test]
fn the_hook_waits_for_calls_under_way_and_holds_others_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    let keyplate = Keyplate::open(config(&path)).unwrap();
    let user = keyplate.create_user(new_user("ann")).unwrap();
    let key = keyplate
        .create_api_key(new_key(Some(&user), &["a:b"]))
        .unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 0..4 {
            let (keyplate, key, stop) = (&keyplate, &key, &stop);
            scope.spawn(move || {
                for number in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    keyplate
                        .create_user(new_user(&format!("t{thread}n{number}")))
                        .unwrap();
                    keyplate.find_user_by_username("ann").unwrap();
                    keyplate.verify_api_key(key.secret.as_str()).unwrap();
                }
            });
        }
        for number in 0..15 {
            let child = in_child(true, || {
                keyplate.verify_api_key(key.secret.as_str()).is_ok()
                    && keyplate
                        .create_user(new_user(&format!("child{number}")))
                        .is_ok()
            });
            assert_well(child);
        }
        stop.store(true, Ordering::SeqCst);
    });
    for number in 0..15 {
        assert!(
            keyplate
                .find_user_by_username(&format!("child{number}"))
                .unwrap()
                .is_some()
        );
    }
    assert!(keyplate.check_integrity().unwrap().ok);
}

/// Waits with a hook for calls that wait themselves, and forks.
fn forks_at_once(name: &str) {
    let began = Instant::now();
    let child = in_child(true, || true);
    let waited = began.elapsed();
    assert_well(child);
    assert!(waited < Duration::from_secs(1), "{name}: {waited:?}");
}

/// How long another process holds its locks is nothing that a fork waits for.
#[test]
fn the_hook_does_not_wait_for_another_processs_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id.db");
    let patient = || Config {
        busy_timeout_ms: Some(60_000),
        ..config(&path)
    };
    let keyplate = Keyplate::open(patient()).unwrap();
    let other = locker("lock", &path);
    let begun = Barrier::new(13);
    thread::scope(|scope| {
        for n in 0..12 {
            let (keyplate, begun) = (&keyplate, &begun);
            scope.spawn(move || {
                begun.wait();
                let name = format!("user{n}");
                keyplate.create_user(new_user(&name)).unwrap();
            });
        }
        begun.wait();
        thread::sleep(Duration::from_millis(50));
        for _ in 0..3 {
            forks_at_once("writers");
            assert!(keyplate.find_user_by_username("ann").unwrap().is_none());
        }
        // The child is no worse off than anybody: it waits, and writes.
        let child = in_child(true, || keyplate.create_user(new_user("child")).is_ok());
        thread::sleep(Duration::from_millis(50));
        end(other);
        assert_well(child);
    });
    let users = keyplate.list_users(Default::default()).unwrap().total;
    assert_eq!(users, 13);
    drop(keyplate);

    // Who opens waits as well, and who reads, while another has the file to itself.
    let other = locker("alone", &path);
    thread::scope(|scope| {
        let opens = scope.spawn(|| Keyplate::open(patient()).map(drop));
        thread::sleep(Duration::from_millis(50));
        forks_at_once("open");
        end(other);
        opens.join().unwrap().unwrap();
    });
    let keyplate = Keyplate::open(patient()).unwrap();
    assert!(keyplate.check_integrity().unwrap().ok);
}

/// A process that holds a lock until it is ended.
fn locker(job: &str, path: &std::path::Path) -> std::process::Child {
    use std::io::{BufRead, BufReader};
    let mut child = start(worker, job, path);
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("=> locked")));
    drop(lines);
    child
}

fn end(mut child: std::process::Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}
