//! The unit for systemd.

use std::{fs, io, process::Command};

use tempfile::TempDir;

use crate::support::command;

const UNIT: &str = include_str!("../../keyplate.service");

#[test]
fn systemd_takes_the_unit() {
    // What is not installed is not looked for.
    let program = "/usr/local/bin/keyplate-server";
    assert!(UNIT.contains(&format!("ExecStart={program} serve\n")));
    let unit = UNIT.replace(program, env!("CARGO_BIN_EXE_keyplate-server"));
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keyplate.service");
    fs::write(&path, unit).unwrap();
    let verified = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&path)
        .output();
    let output = match verified {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            assert!(std::env::var("CI").is_err(), "CI must have systemd-analyze");
            eprintln!("skipped: there is no systemd-analyze");
            return;
        }
        output => output.unwrap(),
    };
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), text.as_ref()), (Some(0), ""));
}

#[test]
fn the_unit_names_variables_that_there_are() {
    let help = command().arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let names = UNIT
        .split(|c: char| !(c.is_ascii_uppercase() || c == '_'))
        .filter(|name| name.starts_with("KEYPLATE_"));
    assert!(names.clone().count() >= 3);
    for name in names {
        assert!(help.contains(&format!("[env: {name}]")), "{name}");
    }
}

/// Which of its lines the program depends on.
#[test]
fn the_unit_waits_for_the_servers_word() {
    for line in [
        "Type=notify",
        "TimeoutStartSec=infinity",
        "Restart=on-failure",
        "RestartSec=5",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    ] {
        assert!(UNIT.lines().any(|other| other == line), "{line}");
    }
}
