//! When the database cannot be used: 503, and nobody is logged out by it.

use std::{fs, thread};

use rusqlite::Connection;
use serde_json::json;

use crate::support::Server;

#[expect(
    clippy::disallowed_methods,
    reason = "it stands for a process that is not ours"
)]
fn foreign_connection(server: &Server) -> Connection {
    Connection::open(server.database()).unwrap()
}

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
