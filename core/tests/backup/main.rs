//! D8: back-ups are whole, whatever else goes on; and who restores one brings back as little as can be.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

#[path = "../common/mod.rs"]
mod common;

mod copying;
mod replacing;
mod restoring;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use keyplate::{AuditEvent, AuditQuery, Config, EventKind, Keyplate};

use crate::common::{
    process::{job, say},
    *,
};

/// The jobs of other processes; without a job there is nothing to do.
#[test]
fn worker() {
    let Some((job, keyplate)) = job() else { return };
    let (verb, rest) = job.split_once(' ').unwrap_or((&job, ""));
    match verb {
        "write" => write_until_killed(&keyplate, rest),
        "open" => say("opened"),
        "restore" => {
            drop(keyplate);
            let path = std::env::var("KEYPLATE_TEST_DATABASE").unwrap();
            say("begins");
            keyplate::restore_backup(path.as_ref(), rest.as_ref(), false).unwrap();
        }
        "back-up" => back_up_until_killed(&keyplate, Path::new(rest)),
        "relative" => {
            std::env::set_current_dir(rest).unwrap();
            let made = keyplate.back_up_to("copy.db").is_ok();
            let again = code(keyplate.back_up_to("./copy.db"));
            say(&format!("{made} {again:?}"));
        }
        other => panic!("no such job: {other}"),
    }
}

fn write_until_killed(keyplate: &Keyplate, name: &str) {
    for number in 0.. {
        let name = format!("{name}-{number}");
        keyplate.create_user(new_user(&name)).unwrap();
        say(&name);
    }
}

fn back_up_until_killed(keyplate: &Keyplate, folder: &Path) {
    for number in 0.. {
        let copy = folder.join(format!("{}-{number}.db", std::process::id()));
        keyplate.back_up_to(copy.to_str().unwrap()).unwrap();
        say(copy.to_str().unwrap());
    }
}

/// Puts a back-up in the place of a database that is gone.
fn restored(copy: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = folder();
    let path = folder.path().join("id.db");
    fs::copy(copy, &path).unwrap();
    (folder, path)
}

fn restore_events(keyplate: &Keyplate) -> Vec<AuditEvent> {
    let query = AuditQuery {
        kind: Some(EventKind::BackupRestored),
        ..AuditQuery::default()
    };
    keyplate.list_audit_events(query).unwrap().items
}

fn detail(event: &AuditEvent, name: &str) -> String {
    let found = event.details.iter().find(|detail| detail.name == name);
    found.unwrap().value.clone()
}

fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

impl Fixture {
    fn copy(&self) -> PathBuf {
        self.folder.path().join("copy.db")
    }

    fn back_up(&self) -> PathBuf {
        let copy = self.copy();
        self.keyplate.back_up_to(copy.to_str().unwrap()).unwrap();
        copy
    }

    fn open_restored(&self, path: &Path) -> (Keyplate, Arc<Heard>) {
        let heard = Arc::new(Heard::default());
        let keyplate = Keyplate::open(Config {
            time_source: Some(self.clock.clone()),
            events: Some(heard.clone()),
            ..config(path)
        });
        (keyplate.unwrap(), heard)
    }
}
