//! The program, as a test in another language calls it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

const CREATION: &str = r#"{
    "rp": { "id": "example.org", "name": "Example" },
    "user": { "id": "dGlt", "name": "tim", "displayName": "Tim" },
    "challenge": "AAECAwQFBgcICQoLDA0ODw",
    "pubKeyCredParams": [{ "type": "public-key", "alg": -7 }],
    "authenticatorSelection": { "residentKey": "required" }
}"#;
const REQUEST: &str = r#"{ "challenge": "AQIDBAUGBwgJCgsMDQ4PEA", "rpId": "example.org" }"#;
const ORIGIN: [&str; 2] = ["--origin", "https://example.org"];

struct Outcome {
    status: Option<i32>,
    output: String,
    message: String,
}

fn call(folder: &Path, arguments: &[&str], input: &str) -> Outcome {
    let mut child = Command::new(env!("CARGO_BIN_EXE_keyplate-testkit"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments does not read; the pipe may be closed already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Outcome {
        status: output.status.code(),
        output: String::from_utf8(output.stdout).unwrap(),
        message: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder with the authenticator `phone`.
fn folder(options: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = call(
        folder.path(),
        &[&["new", "--state", "phone"], options].concat(),
        "",
    );
    assert_eq!(
        (made.status, &*made.output),
        (Some(0), ""),
        "{}",
        made.message
    );
    folder
}

fn ceremony(folder: &TempDir, command: &str, state: &str, more: &[&str]) -> Outcome {
    let input = if command == "register" {
        CREATION
    } else {
        REQUEST
    };
    let arguments = [&[command, "--state", state], &ORIGIN[..], more].concat();
    call(folder.path(), &arguments, input)
}

fn json(outcome: &Outcome) -> Value {
    assert_eq!(outcome.status, Some(0), "{}", outcome.message);
    serde_json::from_str(&outcome.output).unwrap()
}

/// The counter that an authentication sends.
fn counter(outcome: &Outcome) -> u32 {
    let text = json(outcome)["response"]["authenticatorData"]
        .as_str()
        .unwrap()
        .to_owned();
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text);
    u32::from_be_bytes(bytes.unwrap()[33..37].try_into().unwrap())
}

#[test]
fn it_registers_and_authenticates_and_keeps_its_state() {
    let folder = folder(&[]);
    let registered = json(&ceremony(&folder, "register", "phone", &[]));
    for expected in [1, 2] {
        let outcome = ceremony(&folder, "authenticate", "phone", &[]);
        assert_eq!(counter(&outcome), expected);
        assert_eq!(json(&outcome)["id"], registered["id"]);
        assert_eq!(json(&outcome)["response"]["userHandle"], "dGlt");
    }
    assert_eq!(
        ceremony(&folder, "authenticate", "phone", &["--as", "tim"]).status,
        Some(0)
    );
    assert_eq!(
        ceremony(&folder, "authenticate", "phone", &["--as", "eva"]).status,
        Some(1)
    );
}

#[test]
fn a_state_that_becomes_shorter_is_written_whole() {
    let folder = folder(&[]);
    let long = CREATION.replace("Tim", &"Tim".repeat(999));
    let arguments = [&["register", "--state", "phone"], &ORIGIN[..]].concat();
    json(&call(folder.path(), &arguments, &long));
    json(&ceremony(&folder, "register", "phone", &[]));
    json(&ceremony(&folder, "authenticate", "phone", &[]));
}

#[test]
fn options_of_new_reach_the_authenticator() {
    let folder = folder(&[
        "--synced",
        "--no-counter",
        "--no-user-verification",
        "--aaguid",
        "00010203-0405-0607-0809-0a0b0c0d0e0f",
        "--algorithm",
        "ES384",
        "--attachment",
        "cross-platform",
        "--transport",
        "usb",
        "--related-origin",
        "https://example.net",
    ]);
    let state = std::fs::read_to_string(folder.path().join("phone")).unwrap();
    let expected = serde_json::json!({
        "aaguid": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        "algorithm": "ES384",
        "attachment": "cross-platform",
        "transports": ["usb"],
        "verifiesUser": false,
        "backup": "backedUp",
        "counts": false,
        "relatedOrigins": ["https://example.net"],
        "credentials": [],
    });
    assert_eq!(serde_json::from_str::<Value>(&state).unwrap(), expected);
}

#[test]
fn spoils_are_combined() {
    let folder = folder(&[]);
    ceremony(&folder, "register", "phone", &[]);
    let more = ["--spoil", "counter=77", "--spoil", "no-user-handle"];
    let outcome = ceremony(&folder, "authenticate", "phone", &more);
    assert_eq!(counter(&outcome), 77);
    assert_eq!(json(&outcome)["response"].get("userHandle"), None);
}

#[test]
fn a_clone_stays_behind() {
    let folder = folder(&[]);
    ceremony(&folder, "register", "phone", &["--clone-to", "clone"]);
    assert_eq!(counter(&ceremony(&folder, "authenticate", "phone", &[])), 1);
    assert_eq!(counter(&ceremony(&folder, "authenticate", "phone", &[])), 2);
    assert_eq!(counter(&ceremony(&folder, "authenticate", "clone", &[])), 1);
}

#[test]
fn calls_at_once_do_not_use_a_counter_twice() {
    let folder = folder(&[]);
    ceremony(&folder, "register", "phone", &[]);
    let mut counters: Vec<u32> = std::thread::scope(|scope| {
        let authenticate = || counter(&ceremony(&folder, "authenticate", "phone", &[]));
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(authenticate)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    counters.sort();
    assert_eq!(counters, (1..=8).collect::<Vec<u32>>());
}

#[test]
fn what_a_browser_refuses_ends_with_1_and_the_exceptions_name() {
    let folder = folder(&[]);
    let outcome = ceremony(&folder, "authenticate", "phone", &[]);
    assert_eq!((outcome.status, &*outcome.output), (Some(1), ""));
    let text =
        "keyplate-testkit: NotAllowedError: the authenticator holds no credential that fits\n";
    assert_eq!(outcome.message, text);

    let outcome = call(
        folder.path(),
        &["register", "--state", "phone", ORIGIN[0], ORIGIN[1]],
        "{}",
    );
    assert_eq!(outcome.status, Some(1));
    assert!(
        outcome.message.starts_with("keyplate-testkit: TypeError: "),
        "{}",
        outcome.message
    );
}

#[test]
fn bad_use_ends_with_2_and_one_line() {
    let folder = folder(&[]);
    let cases: &[&[&str]] = &[
        &[],
        &["sign"],
        &["new"],
        &["new", "--state", "phone"],
        &["new", "--state", "other", "--aaguid", "1"],
        &["new", "--state", "other", "--algorithm", "ES512"],
        &["register", "--state", "phone"],
        &[
            "register",
            "--state",
            "missing",
            "--origin",
            "https://example.org",
        ],
        &[
            "register",
            "--state",
            "phone",
            "--origin",
            "https://example.org",
            "--spoil",
            "mood",
        ],
        &[
            "register",
            "--state",
            "phone",
            "--origin",
            "https://example.org",
            "--spoil",
            "signature",
        ],
        &[
            "register",
            "--state",
            "phone",
            "--origin",
            "https://example.org",
            "--clone-to",
            "phone",
        ],
        &[
            "register",
            "--state",
            "phone",
            "--origin",
            "https://example.org",
            "--as",
            "tim",
        ],
    ];
    for arguments in cases {
        let outcome = call(folder.path(), arguments, CREATION);
        assert_eq!(
            (outcome.status, &*outcome.output),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert_eq!(outcome.message.lines().count(), 1, "{}", outcome.message);
        assert!(
            outcome.message.starts_with("keyplate-testkit: "),
            "{}",
            outcome.message
        );
    }
    let state = std::fs::read_to_string(folder.path().join("phone")).unwrap();
    assert!(
        state.contains("\"credentials\": []"),
        "nothing was kept: {state}"
    );
    assert!(!folder.path().join("other").exists());
}

#[test]
fn help_lists_the_spoils() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["--help"][..],
        &["register", "--help"],
        &["authenticate", "--help"],
    ] {
        let outcome = call(folder.path(), arguments, "");
        assert_eq!((outcome.status, &*outcome.message), (Some(0), ""));
        let is_ceremony = arguments.len() == 2;
        assert_eq!(outcome.output.contains("no-user-verification"), is_ceremony);
    }
}
