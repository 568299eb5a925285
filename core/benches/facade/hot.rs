//! Credentials that are in use: few of many, by several threads, and beside somebody who writes.

use std::{
    hint::black_box,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use keyplate::{Keyplate, NewGroup};

use crate::{data::Data, floor::Floor, in_turns};

/// How many are in use.
const FEW: usize = 1_000;
const CALLS: usize = 400_000;

pub(crate) fn verify_api_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut data = Data::with_keys(folder.path(), 100_000);
    let (keyplate, floor) = (data.open(), Floor::open(&data.path));
    // Each call another one: nothing is used again before it was forgotten.
    in_turns(
        "verify_api_key_spread",
        20_000,
        |n| drop(black_box(keyplate.verify_api_key(data.secret(n)).unwrap())),
        |n| drop(black_box(floor.verify_api_key(data.secret(n)))),
    );
    data.secrets.truncate(FEW);
    in_turns(
        "verify_api_key_hot",
        20_000,
        |n| drop(black_box(keyplate.verify_api_key(data.secret(n)).unwrap())),
        |n| drop(black_box(floor.verify_api_key(data.secret(n)))),
    );
    for threads in [1, 4, 16] {
        let took = by_threads(threads, |n| {
            drop(black_box(keyplate.verify_api_key(data.secret(n)).unwrap()));
        });
        tell(&format!("verify_api_key_hot_by_{threads}"), took);
    }
    let took = beside_a_writer(&keyplate, || {
        by_threads(1, |n| {
            drop(black_box(keyplate.verify_api_key(data.secret(n)).unwrap()));
        })
    });
    tell("verify_api_key_hot_beside_a_writer", took);
}

pub(crate) fn verify_session() {
    let folder = tempfile::tempdir().unwrap();
    let mut data = Data::with_sessions(folder.path(), 10_000);
    data.secrets.truncate(FEW);
    let (keyplate, floor) = (data.open(), Floor::open(&data.path));
    in_turns(
        "verify_session_hot",
        20_000,
        |n| drop(black_box(keyplate.verify_session(data.secret(n)).unwrap())),
        |n| drop(black_box(floor.verify_session(data.secret(n)))),
    );
}

/// How long all calls take, which the threads share.
fn by_threads(threads: usize, call: impl Fn(usize) + Sync) -> Duration {
    let began = Instant::now();
    thread::scope(|scope| {
        for thread in 0..threads {
            let call = &call;
            scope.spawn(move || (0..CALLS / threads).for_each(|n| call(n * 7 + thread)));
        }
    });
    began.elapsed()
}

/// The same while somebody commits a hundred times a second.
fn beside_a_writer(keyplate: &Keyplate, work: impl FnOnce() -> Duration) -> Duration {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0;
            while !done.load(Ordering::Relaxed) {
                let group = NewGroup {
                    name: format!("group {n}"),
                    ..NewGroup::default()
                };
                keyplate.create_group(group).unwrap();
                n += 1;
                thread::sleep(Duration::from_millis(10));
            }
        });
        let took = work();
        done.store(true, Ordering::Relaxed);
        took
    })
}

fn tell(case: &str, took: Duration) {
    let us_per_op = took.as_secs_f64() * 1e6 / CALLS as f64;
    println!("{{\"case\":\"{case}\",\"us_per_op\":{us_per_op:.3},\"n\":{CALLS}}}");
}

/// What a process holds: after `open`, and after all of the cache was filled.
pub(crate) fn memory() {
    let folder = tempfile::tempdir().unwrap();
    let data = Data::with_keys(folder.path(), 100_000);
    for (case, bytes) in [("off", 0), ("full", 4 << 20)] {
        let keyplate = data.open_with_cache(bytes);
        for n in 0..100_000 {
            keyplate.verify_api_key(data.secret(n)).unwrap();
        }
        let mib = resident_kib(Path::new("/proc/self/status")) as f64 / 1024.0;
        println!("{{\"case\":\"memory_cache_{case}\",\"mib\":{mib:.2}}}");
    }
}

fn resident_kib(status: &Path) -> usize {
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_ascii_whitespace().nth(1));
    kib.unwrap().parse().unwrap()
}
