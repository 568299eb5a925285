//! The key that the library is given: from where, and that commands want the same one.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Output,
};

use tempfile::TempDir;

use crate::{
    commands::{fails, printed},
    support::{Server, command},
};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn file(folder: &Path, text: &str, mode: u32) -> PathBuf {
    let path = folder.join("key");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

/// Asks for a code for the administrator.
fn code(server: &Server, options: &[&str], variable: Option<&str>) -> Output {
    let mut command = command();
    command.args(["one-time-token", "admin", "--data"]);
    command.arg(server.folder.path().join("data")).args(options);
    if let Some(key) = variable {
        command.env("KEYPLATE_ENCRYPTION_KEY", key);
    }
    command.output().unwrap()
}

fn redeem(server: &Server, code: &str) -> u16 {
    let path = format!("/api/one-time-access-token/{code}");
    server.post(&path).send().status
}

/// C3.
#[test]
fn a_code_of_another_key_is_worthless() {
    let keys = TempDir::new().unwrap();
    let key = file(keys.path(), &format!("{KEY}\n"), 0o600);
    let key = key.to_str().unwrap();
    let server = Server::with(&["--encryption-key-file", key]);
    server.claim();
    let with_file = code(&server, &["--encryption-key-file", key], None);
    assert_eq!(redeem(&server, &printed(&with_file, "code: ")), 200);
    for variable in [KEY, &format!("{KEY}\r\n")] {
        let made = code(&server, &[], Some(variable));
        assert_eq!(redeem(&server, &printed(&made, "code: ")), 200);
    }
    for other in [None, Some("another key, as long as it has to be")] {
        let made = code(&server, &[], other);
        assert_eq!(redeem(&server, &printed(&made, "code: ")), 401, "{other:?}");
    }
}

#[test]
fn a_key_that_is_no_good_is_refused() {
    let server = Server::start();
    server.claim();
    let keys = TempDir::new().unwrap();
    let with = |text: &str, mode: u32, variable: Option<&str>| {
        let path = file(keys.path(), text, mode);
        let output = code(
            &server,
            &["--encryption-key-file", path.to_str().unwrap()],
            variable,
        );
        fs::remove_file(&path).unwrap();
        output
    };
    let flag = format!("--encryption-key-file {}/key:", keys.path().display());
    for mode in [0o604, 0o602, 0o620, 0o644] {
        let reason = format!("{flag} others can read or write it (chmod 600)");
        fails(&with(KEY, mode, None), &reason);
    }
    // As systemd lays out credentials.
    for mode in [0o400, 0o440, 0o640] {
        printed(&with(KEY, mode, None), "code: ");
    }
    fails(&with("\n", 0o600, None), &format!("{flag} it is empty"));
    fails(
        &with(&"k".repeat(5_000), 0o600, None),
        &format!("{flag} it is too long to be a secret"),
    );
    let short = "the encryption key must have at least 32 characters";
    fails(&with("short", 0o600, None), short);
    fails(&code(&server, &[], Some("short")), short);
    for empty in ["", "\n", " \r\n"] {
        printed(&code(&server, &[], Some(empty)), "code: ");
    }
    fails(
        &with(KEY, 0o600, Some(KEY)),
        "--encryption-key-file and KEYPLATE_ENCRYPTION_KEY: give one",
    );
    let missing = keys.path().join("missing");
    let output = code(
        &server,
        &["--encryption-key-file", missing.to_str().unwrap()],
        None,
    );
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("No such file"), "{error}");
}
