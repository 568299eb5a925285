//! The facade as a host in Rust sees it: one file or folder a noun.
//!
//! Binaries of their own are `storage` and `backup`, which mount small disks; `fork`, as its hook holds up every handle of
//! the process; `cache`, for the same reason; and `scenarios`. A test that wants other processes starts this binary again for one test of its file, the
//! `worker` (`common/process.rs`): it may stand here.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

#[path = "../common/mod.rs"]
mod common;

mod access_tokens;
mod api_keys;
mod app_passwords;
mod audit;
mod bootstrap;
mod claims;
mod concurrency;
mod credentials;
mod devices;
mod groups;
mod lists;
mod migrations;
mod one_time;
mod passkeys;
mod reasons;
mod recovery;
mod relying_party;
#[cfg(feature = "postgres")]
mod server;
mod service_sessions;
mod services;
mod sessions;
mod settings;
mod setup;
mod signup;
mod step_up;
mod text;
mod time;
mod times;
mod upgraded_meanwhile;
mod upkeep;
mod users;
mod walk;

use std::{fs, path::Path};

/// A file that no `mod` names is not compiled, and nobody would miss its tests.
#[test]
fn every_file_is_a_module() {
    assert_modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"));
}

fn assert_modules(folder: &Path) {
    let heads = [
        folder.join("main.rs"),
        folder.join("mod.rs"),
        folder.with_extension("rs"),
    ];
    let head = heads.iter().find(|file| file.exists());
    let named = head.map(|file| fs::read_to_string(file).unwrap());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_modules(&path);
        }
        let is_module = path.extension().is_some_and(|end| end == "rs") && !heads.contains(&path);
        if let (true, Some(text)) = (is_module, &named) {
            let line = format!("mod {};", path.file_stem().unwrap().display());
            let has = text
                .lines()
                .any(|other| other.trim_start_matches("pub ") == line);
            assert!(has, "no `{line}` for {}", path.display());
        }
    }
}
