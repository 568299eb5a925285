//! `plan`: microseconds per user of a plan's first run and of its second, for plans of growing length, and how long the
//! writes of somebody else wait meanwhile.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use keyplate::{Keyplate, KeyplateError, NewGroup};

use crate::data::config;

const LENGTHS: [usize; 4] = [1_250, 2_500, 5_000, 10_000];

pub(crate) fn run() {
    for length in LENGTHS {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let path = folder.path().join("id.db");
        let keyplate = Keyplate::open(config(&path)).unwrap();
        let other = Keyplate::open(config(&path)).unwrap();
        let plan = plan(length);
        for run in ["first", "again"] {
            let (took, waited) = beside_a_writer(&other, run, || {
                let report = keyplate.bootstrap(&plan).unwrap();
                assert_eq!(report.changes.is_empty(), run == "again");
            });
            let per_user = took.as_secs_f64() * 1e6 / length as f64;
            let waited = waited.as_secs_f64() * 1e6;
            println!(
                "{{\"case\":\"plan_{length}_{run}\",\"us_per_op\":{per_user:.3},\"n\":{length}}}"
            );
            println!("{{\"case\":\"plan_{length}_{run}_wait\",\"us_per_op\":{waited:.3},\"n\":1}}");
        }
    }
}

fn plan(users: usize) -> String {
    let users: Vec<String> = (0..users)
        .map(|n| {
            format!(
                r#"{{"username": "user{n}", "email": "user{n}@plan.example", "display_name": "User {n}",
                    "groups": ["group{}"], "claims": {{"quota": "{n}"}}}}"#,
                n % 10
            )
        })
        .collect();
    let groups: Vec<String> = (0..10)
        .map(|n| format!(r#"{{"name": "group{n}", "friendly_name": "Group {n}"}}"#))
        .collect();
    format!(
        r#"{{"groups": [{}], "users": [{}]}}"#,
        groups.join(","),
        users.join(",")
    )
}

/// How long `work` takes, and the longest that a write on another handle took meanwhile.
fn beside_a_writer(other: &Keyplate, name: &str, work: impl FnOnce()) -> (Duration, Duration) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            for n in 0.. {
                let began = Instant::now();
                let group = NewGroup {
                    name: format!("{name} {n}"),
                    ..NewGroup::default()
                };
                // One that gives up has waited as well.
                let made = other.create_group(group);
                assert!(matches!(made, Ok(_) | Err(KeyplateError::Busy)), "{made:?}");
                longest = longest.max(began.elapsed());
                if done.load(Ordering::Relaxed) {
                    break;
                }
                thread::sleep(Duration::from_millis(1));
            }
            longest
        });
        let began = Instant::now();
        work();
        let took = began.elapsed();
        done.store(true, Ordering::Relaxed);
        (took, writer.join().unwrap())
    })
}
