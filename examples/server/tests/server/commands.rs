//! What is done from the command line: setup, one-time tokens, and what holds for all commands.

use std::process::Output;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Server, command};

pub(crate) fn run(server: &Server, options: &[&str]) -> Output {
    let data = server.folder.path().join("data");
    let origin = ["--origin", &server.origin];
    command()
        .args(options)
        .args(origin)
        .arg("--data")
        .arg(data)
        .output()
        .unwrap()
}

/// What it prints after a label.
#[track_caller]
pub(crate) fn printed(output: &Output, label: &str) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), error.as_ref()), (Some(0), ""));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(label));
    line.unwrap_or_else(|| panic!("{label}: {text}")).to_owned()
}

#[track_caller]
pub(crate) fn fails(output: &Output, reason: &str) {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text, format!("keyplate-server: {reason}\n"));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_code_beside_a_running_server() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let body = json!({ "username": "bob", "email": "bob@mail.example" });
    let bob = server.made(&key, "/api/users", body);
    for name in [
        "bob",
        "BOB",
        "bob@mail.example",
        bob["id"].as_str().unwrap(),
    ] {
        let output = run(&server, &["one-time-token", name]);
        let code = printed(&output, "code: ");
        assert_eq!(
            printed(&output, "link: "),
            format!("{}/code#{code}", server.origin)
        );
        let reply = server
            .post(&format!("/api/one-time-access-token/{code}"))
            .send();
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.json()["username"], "bob");
    }
    let output = run(&server, &["one-time-token", "bob", "--ttl", "7d"]);
    let token = printed(&output, "token: ");
    assert_eq!(
        printed(&output, "link: "),
        format!("{}/code#{token}", server.origin)
    );
    let reply = server
        .post(&format!("/api/one-time-access-token/{token}"))
        .send();
    assert_eq!(reply.status, 200);

    fails(
        &run(&server, &["one-time-token", "eve"]),
        "there is no such user",
    );
    let reason = "--ttl must be between 1 and 2678400 seconds";
    fails(
        &run(&server, &["one-time-token", "bob", "--ttl", "32d"]),
        reason,
    );
    fails(
        &run(&server, &["one-time-token", "bob", "--ttl", "0s"]),
        reason,
    );
    for wrong in [
        &["one-time-token"][..],
        &["one-time-token", "bob", "--ttl", "soon"],
    ] {
        assert_eq!(run(&server, wrong).status.code(), Some(2), "{wrong:?}");
    }
    // Seconds or days? Nothing is made of a number alone, in whichever command.
    let new_key = [
        "api-key", "create", "--owner", "bob", "--name", "x", "--scope", "a:b",
    ];
    for number in ["90", "900", "-1", "1.5"] {
        for (command, option) in [
            (&["one-time-token", "bob"][..], "--ttl"),
            (&new_key, "--expires"),
            (&["rotate-key"], "--overlap"),
        ] {
            let option = format!("{option}={number}");
            let output = run(&server, &[command, &[&option]].concat());
            let told = String::from_utf8(output.stderr).unwrap();
            assert_eq!(
                output.status.code(),
                Some(2),
                "{command:?} {option}: {told}"
            );
            let units = "s for seconds, m for minutes, h for hours or d for days";
            assert!(told.contains(units), "{command:?} {option}: {told}");
        }
    }
    let listed = run(&server, &["api-key", "list", "--owner", "bob", "--json"]);
    assert_eq!(String::from_utf8(listed.stdout).unwrap().trim(), "[]");
    let off = json!({ "username": "bob", "disabled": true });
    let path = format!("/api/users/{}", bob["id"].as_str().unwrap());
    server.request("PUT", &path).key(&key).json(&off).send();
    fails(
        &run(&server, &["one-time-token", "bob"]),
        "the account is disabled",
    );
}

#[test]
fn setup_is_opened_again() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let done = server.post("/api/setup/complete").bearer(&session).send();
    assert_eq!(done.status, 200);
    let reset = |generation: &str| run(&server, &["reset-setup", "--generation", generation]);
    fails(&reset("2"), "the present setup is --generation 1");
    let link = printed(&reset("1"), "setup link: ");
    let token = link
        .strip_prefix("http://localhost:1411/setup#token=")
        .unwrap();
    fails(&reset("1"), "the present setup is --generation 2");
    fails(&reset("2"), "setup is open already");
    assert_eq!(run(&server, &["reset-setup"]).status.code(), Some(2));

    let claim = |token: Option<&str>| {
        let body = json!({ "username": "rescuer", "token": token });
        server.post("/api/signup/setup").json(&body).send()
    };
    claim(None).is_refused(401, "token_invalid_or_expired");
    let reply = claim(Some(token));
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.json()["isAdmin"], true);
    assert_eq!(server.get("/api/users").key(&key).send().status, 200);
}

#[test]
fn a_new_setup_link_beside_a_running_server() {
    let server = Server::start();
    let old = server.setup_token.clone().unwrap();
    let link = printed(&run(&server, &["setup-token"]), "setup link: ");
    let token = link.split_once("/setup#token=").unwrap().1;
    let claim = |token: &str| {
        let body = json!({ "username": "ann", "token": token });
        server.post("/api/signup/setup").json(&body).send()
    };
    let reply = claim(token);
    assert_eq!(reply.status, 200, "{}", reply.body);
    // The server's own link is as good as before, and so is a third one: each takes it up again.
    let third = printed(&run(&server, &["setup-token"]), "setup link: ");
    let third = third.split_once("/setup#token=").unwrap().1;
    let mut session = String::new();
    for token in [&old, token, third] {
        let resume = server
            .post("/api/setup/resume")
            .header("X-Setup-Token", token);
        let reply = resume.send();
        assert_eq!(reply.status, 200, "{}", reply.body);
        session = reply.cookie_value();
    }
    let done = server.post("/api/setup/complete").bearer(&session).send();
    assert_eq!(done.status, 200);
    fails(
        &run(&server, &["setup-token"]),
        "setup is complete; reset-setup opens it again",
    );
}

#[test]
fn nothing_is_made_where_nothing_is() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    for options in [
        &["one-time-token", "bob"][..],
        &["reset-setup", "--generation", "1"],
        &["setup-token"],
        &["user", "list"],
        &["api-key", "list"],
        &["backup", "copy.db"],
        &["check"],
    ] {
        let output = command()
            .args(options)
            .arg("--data")
            .arg(&data)
            .output()
            .unwrap();
        fails(
            &output,
            &format!("there is no database {}/keyplate.db", data.display()),
        );
        assert!(!data.exists());
    }
    let server = Server::start();
    let data = server.folder.path().join("data");
    let mut wrong = command();
    wrong.args(["one-time-token", "admin", "--origin", "localhost", "--data"]);
    let output = wrong.arg(data).output().unwrap();
    let reason = "--origin must begin with https:// or http://, for example https://id.example";
    fails(&output, reason);
}

/// A second worker's start leaves the first one's link alone.
#[test]
fn two_servers_on_one_database_print_a_link_each() {
    let server = Server::start();
    let first = server.setup_token.clone().unwrap();
    let data = server.folder.path().join("data");
    let data = data.to_str().unwrap();
    let second = Server::with(&["--data", data, "--origin", "http://localhost:1412"]);
    assert_ne!(second.setup_token.as_deref(), Some(&*first));
    let claim = server
        .post("/api/signup/setup")
        .header("X-Setup-Token", &first);
    let reply = claim.json(&json!({ "username": "ann" })).send();
    assert_eq!(reply.status, 200, "{}", reply.body);
}

/// A link from a command beside a server leads to that server.
#[test]
fn links_are_of_the_origin_that_the_server_was_started_with() {
    let untold = |server: &Server, options: &[&str]| {
        let mut program = command();
        program.args(options).arg("--data");
        program
            .arg(server.folder.path().join("data"))
            .output()
            .unwrap()
    };
    let server = Server::with(&["--origin", "https://Id.example:443/"]);
    let token = server.setup_token.clone().unwrap();
    let link = |output: &Output, label: &str| {
        let link = printed(output, label);
        link.split_once('#').unwrap().0.to_owned()
    };
    let setup = ["setup-token"];
    let own = "https://id.example/setup";
    assert_eq!(link(&untold(&server, &setup), "setup link: "), own);
    let claim = server
        .post("/api/signup/setup")
        .header("X-Setup-Token", &token);
    assert_eq!(claim.json(&json!({ "username": "ann" })).send().status, 200);
    for options in [
        &["one-time-token", "ann"][..],
        &["one-time-token", "ann", "--ttl", "7d"],
        &["one-time-token", "ann", "--recovery"],
        &["one-time-token", "ann", "--origin", " "],
    ] {
        let output = untold(&server, options);
        assert_eq!(
            link(&output, "link: "),
            "https://id.example/code",
            "{options:?}"
        );
    }
    let again = ["reset-setup", "--generation", "1"];
    assert_eq!(link(&untold(&server, &again), "setup link: "), own);
    let plan = server.folder.path().join("plan.toml");
    std::fs::write(&plan, "[[signup_tokens]]\nnote = \"friends\"\n").unwrap();
    let bootstrap = ["bootstrap", "--file", plan.to_str().unwrap()];
    let invitation = untold(&server, &bootstrap);
    let label = "link of sign-up token friends: ";
    assert_eq!(link(&invitation, label), "https://id.example/signup");

    // What a command is told is its own affair, and a request names no origin.
    let told = ["setup-token", "--origin", "https://other.example:443"];
    let output = untold(&server, &told);
    assert_eq!(link(&output, "setup link: "), "https://other.example/setup");
    let evil = server
        .get("/healthz")
        .host("evil.example")
        .header("X-Forwarded-Host", "evil.example");
    assert_eq!(evil.send().status, 204);
    assert_eq!(link(&untold(&server, &setup), "setup link: "), own);

    // A database that no server has been started on has the default.
    let folder = TempDir::new().unwrap();
    let mut program = command();
    program.args(bootstrap).arg("--data").arg(folder.path());
    let invitation = program.output().unwrap();
    assert_eq!(link(&invitation, label), "http://localhost:1411/signup");
}
