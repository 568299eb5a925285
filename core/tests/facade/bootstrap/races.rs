//! B6 with processes: several that start with the same plan at once, and some that are killed in the middle.

use std::path::Path;

use keyplate::{AuditQuery, EventKind, Keyplate};

use crate::common::{
    plans::{OPERATORS, WHOLE},
    process::{job, kill_after, said, say, start},
    *,
};

/// The processes have the system's clock: nothing of theirs may end.
fn plan() -> String {
    WHOLE.replace("2027-01-31T18:00:00+01:00", "never")
}

/// The jobs of other processes; without a job there is nothing to do.
#[test]
fn worker() {
    let Some((_, keyplate)) = job() else { return };
    say("open");
    let report = keyplate.bootstrap(&plan()).unwrap();
    let secrets = report.api_keys.iter().map(|key| key.secret.reveal());
    let secrets: Vec<String> = secrets.collect();
    say(&format!("{} {}", report.changes.len(), secrets.join(" ")));
}

fn bootstrapped(keyplate: &Keyplate) -> u64 {
    let query = AuditQuery {
        kind: Some(EventKind::Bootstrapped),
        ..AuditQuery::default()
    };
    keyplate.list_audit_events(query).unwrap().total
}

#[test]
fn of_eight_processes_on_an_empty_file_one_applies_the_plan() {
    for _ in 0..4 {
        let folder = folder();
        let path = folder.path().join("id.db");
        let mut children: Vec<_> = (0..8).map(|_| start(worker, "apply", &path)).collect();
        let lines: Vec<String> = children.iter_mut().flat_map(said).collect();
        for child in &mut children {
            assert!(child.wait().unwrap().success());
        }
        let mut reports: Vec<&String> = lines.iter().filter(|line| *line != "open").collect();
        reports.sort();
        assert_eq!(reports.len(), 8);
        assert!(
            reports[..7].iter().all(|report| *report == "0 "),
            "{reports:?}"
        );
        let (changes, secret) = reports[7].split_once(' ').unwrap();
        assert_eq!(changes, "10");
        let keyplate = Keyplate::open(config(&path)).unwrap();
        keyplate.verify_api_key(secret).unwrap();
        keyplate.verify_api_key(OPERATORS).unwrap();
        assert_eq!(bootstrapped(&keyplate), 1);
    }
}

/// What an unfinished plan left: all of it or nothing.
fn is_applied(path: &Path) -> bool {
    let keyplate = Keyplate::open(config(path)).unwrap();
    let counts = [
        keyplate.list_groups(Default::default()).unwrap().total,
        keyplate.list_services(Default::default()).unwrap().total,
        keyplate.list_users(Default::default()).unwrap().total,
        keyplate.list_api_keys(Default::default()).unwrap().total,
        2 * bootstrapped(&keyplate),
    ];
    assert!(counts == [0; 5] || counts == [2; 5], "{counts:?}");
    counts == [2; 5]
}

#[test]
fn a_kill_in_the_middle_leaves_all_or_nothing() {
    let mut applied = 0;
    for round in 0..60_u64 {
        let folder = folder();
        let path = folder.path().join("id.db");
        drop(Keyplate::open(config(&path)).unwrap());
        let mut child = start(worker, "apply", &path);
        let random = round.wrapping_mul(2_654_435_761);
        kill_after(&mut child, 1, random % 8_000);
        applied += u32::from(is_applied(&path));
    }
    assert!(applied < 60, "none was killed in time");
}
