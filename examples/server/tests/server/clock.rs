//! C5: a clock that ran ahead while the server wrote, and was put right.

use std::{thread, time::Duration};

use keyplate::NewService;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    commands::{printed, run},
    support::{Server, text, wait_until},
};

const HOURS: i64 = 20 * 3_600;

/// As if somebody had written while the clock was 20 hours ahead.
fn run_ahead(server: &Server) {
    #[expect(
        clippy::disallowed_methods,
        reason = "it stands for a clock that was wrong"
    )]
    let file = Connection::open(server.database()).unwrap();
    let sql = "UPDATE instance SET last_time = last_time + ?1";
    assert_eq!(file.execute(sql, [HOURS * 1_000]).unwrap(), 1);
}

/// A server whose service `films` is open to everyone; a key, and a session of bob's.
fn films() -> (Server, String, String) {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let library = server.library();
    let films = NewService {
        slug: "films".to_owned(),
        ..NewService::default()
    };
    let films = library.create_service(films).unwrap();
    library.set_service_access(&films.id, true, &[]).unwrap();
    let (_, session) = server.user_with_session(&key, "bob");
    (server, key, session)
}

fn issue(server: &Server, session: &str) -> crate::support::Reply {
    let issue = server.post("/api/services/films/access-token");
    issue.bearer(session).send()
}

#[test]
fn health_and_log_tell_of_it_and_codes_end() {
    let (server, key, session) = films();
    assert_eq!(issue(&server, &session).status, 201);
    run_ahead(&server);
    let health = server.get("/healthz").send();
    assert_eq!(health.status, 200);
    let told = health.json();
    let behind = told["clockBehindSeconds"].as_i64().unwrap();
    assert!((HOURS - 2..=HOURS).contains(&behind), "{told}");
    assert_eq!(told["accessTokensStopped"], true);
    issue(&server, &session).is_refused(503, "clock_behind");
    server.made(&key, "/api/users", json!({ "username": "cid" }));
    let lines = || {
        let log = server.log();
        log.matches("seconds behind the time of the last change")
            .count()
    };
    assert!(lines() >= 1, "{}", server.log());

    // A code of one second is none a second later, and whoever guessed waits no longer than that.
    let made = run(&server, &["one-time-token", "bob", "--ttl", "1s"]);
    let code = String::from_utf8(made.stdout).unwrap();
    let code = code.lines().find_map(|line| line.strip_prefix("code: "));
    let code = code.unwrap().to_owned();
    thread::sleep(Duration::from_millis(1_100));
    let late = server.post(&format!("/api/one-time-access-token/{code}"));
    assert_eq!(late.send().status, 401);
    let wait = || -> u64 {
        let wrong = || server.post("/api/one-time-access-token/0000-0000").send();
        let limited = (0..11).map(|_| wrong()).find(|reply| reply.status == 429);
        limited
            .unwrap()
            .header("retry-after")
            .unwrap()
            .parse()
            .unwrap()
    };
    let first = wait();
    wait_until(|| wait() < first);
    // What lives for a while is reckoned from the same time.
    let token = json!({ "ttl": "1h", "usageLimit": 1 });
    let made = server.made(&key, "/api/signup-tokens", token);
    assert_eq!(made["state"], "usable");
}

#[test]
fn it_is_reset_beside_a_running_server() {
    let (server, key, session) = films();
    run_ahead(&server);
    let (_, then) = server.user_with_session(&key, "cid");
    let token: Value = issue(&server, &session).json();
    assert_eq!(token["code"], "clock_behind");
    let reset = run(&server, &["reset-clock"]);
    assert!(reset.status.success());
    let told = String::from_utf8(reset.stdout).unwrap();
    let ended = |what: &str| -> String {
        let line = told.lines().find(|line| line.ends_with(what)).unwrap();
        line.split(' ').next().unwrap().to_owned()
    };
    assert!(told.starts_with("time was set back by 7"), "{told}");
    assert_eq!(
        (ended("  sessions"), ended("setup tokens")),
        ("1".into(), "0".into())
    );
    assert!(told.contains("API keys: 0, sign-up tokens: 0"));
    assert_eq!(server.get("/healthz").send().status, 204);
    let me = |session: &str| server.get("/api/users/me").cookie(session).send().status;
    assert_eq!((me(&session), me(&then)), (200, 401));
    assert!(!text(&issue(&server, &session).json()["token"]).is_empty());
    let again = run(&server, &["reset-clock"]);
    assert_eq!(
        printed(&again, "the clock is not behind"),
        ": nothing to do"
    );
}

#[test]
fn a_server_that_starts_while_it_is_behind_says_so() {
    let mut server = Server::start();
    server.claim();
    run_ahead(&server);
    drop(server.library()); // which is told first
    assert_eq!(server.stop("-TERM"), Some(0));
    let folder = std::mem::replace(&mut server.folder, tempfile::TempDir::new().unwrap());
    let server = Server::in_folder(folder, &[]);
    let log = server.log();
    assert_eq!(log.matches("seconds behind the time").count(), 1, "{log}");
    assert!(log.contains("reset-clock"), "{log}");
}
