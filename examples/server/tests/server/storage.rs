//! When the database cannot be used: 503, and nobody is logged out by it.

use std::{fs, thread};

use nix::{
    fcntl::{FcntlArg, fcntl},
    libc,
};
use rusqlite::Connection;
use serde_json::json;

use crate::support::{Reply, Server, wait_until};

#[expect(
    clippy::disallowed_methods,
    reason = "it stands for a process that is not ours"
)]
pub(crate) fn foreign_connection(server: &Server) -> Connection {
    Connection::open(server.database()).unwrap()
}

/// D3: readers wait for no writer.
#[test]
fn while_another_writes_reading_goes_on() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let writer = foreign_connection(&server);
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    thread::scope(|scope| {
        let write = scope.spawn(|| {
            server
                .post("/api/users")
                .key(&key)
                .json(&json!({ "username": "bob" }))
                .send()
        });
        let log_out = scope.spawn(|| server.post("/api/webauthn/logout").cookie(&session).send());
        for _ in 0..20 {
            for request in [
                server.get("/api/users").key(&key),
                server.get("/api/users/me").cookie(&session),
                server.get("/healthz"),
            ] {
                assert!(request.send().status < 300);
            }
        }
        for refused in [write, log_out] {
            let reply = refused.join().unwrap();
            reply.is_refused(503, "busy");
            assert_eq!(reply.header("retry-after"), Some("1"));
            assert_eq!(reply.header("set-cookie"), None);
        }
    });
    writer.execute_batch("ROLLBACK").unwrap();
    let create = server
        .post("/api/users")
        .key(&key)
        .json(&json!({ "username": "bob" }));
    assert_eq!(create.send().status, 201, "usable again");
    assert_eq!(
        server.get("/api/users/me").cookie(&session).send().status,
        200
    );
}

/// D5.
#[test]
fn a_lost_database_logs_nobody_out() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let away = server.folder.path().join("away.db");
    fs::rename(server.database(), &away).unwrap();
    let create = server
        .post("/api/users")
        .key(&key)
        .json(&json!({ "username": "bob" }))
        .send();
    create.is_refused(503, "storage_unavailable");
    let out = server.post("/api/webauthn/logout").cookie(&session).send();
    out.is_refused(503, "storage_unavailable");
    assert_eq!(out.header("set-cookie"), None);
    assert!(
        server
            .log()
            .contains("the database file was removed or replaced")
    );
}

/// Whoever asks, with whatever credential and host name.
fn health(server: &Server) -> [Reply; 2] {
    let plain = server.get("/healthz").host("balancer.internal");
    let bad = server.get("/healthz").key("kp_key_wrong").cookie("wrong");
    [plain.send(), bad.send()]
}

#[test]
fn health_is_that_of_the_database() {
    let server = Server::start();
    for reply in health(&server) {
        assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    }
    let away = server.folder.path().join("away.db");
    fs::rename(server.database(), &away).unwrap();
    // Reads look once a second.
    wait_until(|| server.get("/healthz").send().status == 503);
    for reply in health(&server) {
        reply.is_refused(503, "storage_unavailable");
        assert_eq!(reply.json()["details"], json!({ "reason": "storage_lost" }));
    }
    fs::rename(&away, server.database()).unwrap();
    wait_until(|| server.get("/healthz").send().status == 204);
}

#[test]
fn a_database_that_cannot_be_read_in_time_is_busy() {
    let server = Server::start();
    // What SQLite's readers lock of the shared memory, all of it, as a process would that hangs.
    let path = server.database().with_extension("db-shm");
    let file = fs::File::options().read(true).write(true).open(path);
    let file = file.unwrap();
    let lock = |kind: i32| {
        let range = libc::flock {
            l_type: kind as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: 123,
            l_len: 5,
            l_pid: 0,
        };
        fcntl(&file, FcntlArg::F_SETLK(&range)).unwrap();
    };
    lock(libc::F_WRLCK);
    thread::scope(|scope| {
        let asked = [
            scope.spawn(|| server.get("/healthz").send()),
            scope.spawn(|| server.get("/healthz").cookie("wrong").send()),
        ];
        for reply in asked.map(|asked| asked.join().unwrap()) {
            reply.is_refused(503, "busy");
            assert_eq!(reply.header("retry-after"), Some("1"));
        }
    });
    lock(libc::F_UNLCK);
    assert_eq!(server.get("/healthz").send().status, 204);
}
