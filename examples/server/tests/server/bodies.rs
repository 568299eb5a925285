//! Bad input names its field and changes nothing.

use std::{
    io::Write,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{BEFORE_LONG, Reply, Server, read_all};

#[test]
fn a_body_is_a_megabyte_at_most() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let large = vec![b'x'; 10_000_000];
    let requests = [
        server.post("/api/users").key(&key).body(large.clone()),
        server
            .post("/api/users")
            .cookie(&session)
            .body(large.clone()),
        server.post("/api/users").body(large.clone()),
        server.post("/api/signup/setup").body(large.clone()),
        server.get("/api/users").key(&key).body(large.clone()),
    ];
    for request in requests {
        request.send().is_refused(413, "request_too_large");
    }
    // In chunks nobody says beforehand how much there will be.
    let mut chunked = format!(
        "POST /api/users HTTP/1.1\r\nHost: localhost:1411\r\nX-API-Key: {key}\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for _ in 0..20 {
        chunked.extend(b"186a0\r\n");
        chunked.extend(&large[..100_000]);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    Reply::parse(&server.raw(&chunked)).is_refused(413, "request_too_large");
    // Just below it is read, and then refused for what it says.
    let fitting = format!(r#"{{"username":"{}"}}"#, "x".repeat(999_900));
    server
        .post("/api/users")
        .key(&key)
        .body(fitting)
        .send()
        .refuses_field("username");
    // With `Expect`, the answer comes before the body.
    let expecting = format!(
        "POST /api/users HTTP/1.1\r\nHost: localhost:1411\r\nX-API-Key: {key}\r\n\
         Expect: 100-continue\r\nContent-Length: 10000000\r\n\r\n"
    );
    Reply::parse(&server.raw(expecting.as_bytes())).is_refused(413, "request_too_large");
}

#[test]
fn broken_json_is_refused() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    for broken in [
        "{",
        "}",
        "[]",
        "null",
        "\"text\"",
        "3",
        "{\"username\":",
        "{\"username\":\"bob\"}x",
        "{'username':'bob'}",
        "username=bob",
        "{\"username\":\"\u{0}\"}",
        "{\"username\":\"\\ud800\"}",
        &"[".repeat(100_000),
        &format!("{{\"a\":{}", "[".repeat(100_000)),
    ] {
        let reply = server.post("/api/users").key(&key).body(broken).send();
        reply.is_refused(400, "invalid_request_body");
    }
    let reply = server
        .post("/api/users")
        .key(&key)
        .body(b"{\"username\":\"\xff\"}".to_vec())
        .send();
    assert_eq!(reply.status, 400);
    assert_eq!(
        server.get("/api/users").key(&key).send().json()["pagination"]["totalItems"],
        1
    );
}

#[test]
fn wrong_values_name_their_field() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let long = |n: usize| "x".repeat(n);
    for (field, value) in [
        ("username", json!(3)),
        ("username", json!(["bob"])),
        ("username", json!("")),
        ("username", json!(null)),
        ("username", json!(long(51))),
        ("username", json!("bob\n")),
        ("username", json!("bob\u{0}")),
        ("username", json!(" bob")),
        ("email", json!("nobody")),
        ("email", json!({})),
        ("email", json!(format!("{}@mail.example", long(250)))),
        ("firstName", json!(long(51))),
        ("firstName", json!("a\u{7}b")),
        ("lastName", json!(false)),
        ("displayName", json!(long(101))),
        ("displayName", json!("a\u{202e}b")),
        ("locale", json!("../../etc")),
        ("isAdmin", json!("yes")),
        ("disabled", json!(1)),
        ("emailVerified", json!("true")),
        ("id", json!("42")),
        ("id", json!("0190a1b2000070008000000000000000")),
        (
            "userGroupIds",
            json!(["0190a1b2-0000-7000-8000-00000000abcd"]),
        ),
    ] {
        let mut body = json!({ "username": "bob" });
        body[field] = value;
        server
            .post("/api/users")
            .key(&key)
            .json(&body)
            .send()
            .refuses_field(field);
    }
    for (field, value) in [
        ("name", json!("ab")),
        ("name", json!("  ab  ")),
        ("name", json!(long(51))),
        ("name", json!("a\tbc")),
        ("name", json!(null)),
        ("description", json!(long(501))),
        ("description", json!("a\u{0}b")),
        ("expiresAt", json!(null)),
        ("expiresAt", json!("")),
        ("expiresAt", json!("tomorrow")),
        ("expiresAt", json!("2020-01-01T00:00:00Z")),
        ("expiresAt", json!("2099-01-01")),
        ("expiresAt", json!("99999-01-01T00:00:00Z")),
        ("expiresAt", json!(4_070_908_800_u64)),
        ("scopes", json!([])),
        ("scopes", json!(["users:fly"])),
        ("scopes", json!("users:read")),
    ] {
        let mut body = json!({ "name": "a key", "expiresAt": BEFORE_LONG });
        body[field] = value;
        server
            .post("/api/api-keys")
            .bearer(&session)
            .json(&body)
            .send()
            .refuses_field(field);
    }
    assert_eq!(
        server.get("/api/users").key(&key).send().json()["pagination"]["totalItems"],
        1
    );
    assert_eq!(
        server.get("/api/api-keys").key(&key).send().json()["pagination"]["totalItems"],
        1
    );
}

#[test]
fn an_element_is_named_too_and_characters_are_counted() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let body = json!({ "name": "a key", "expiresAt": BEFORE_LONG, "scopes": ["*", 1] });
    server
        .post("/api/api-keys")
        .bearer(&session)
        .json(&body)
        .send()
        .refuses_field("scopes[1]");
    for (name, status) in [
        ("密钥匙".to_owned(), 201),
        ("密".repeat(50), 201),
        ("密".repeat(51), 400),
    ] {
        let body = json!({ "name": name, "expiresAt": "2098-01-01T02:00:00+02:00" });
        assert_eq!(
            server
                .post("/api/api-keys")
                .bearer(&session)
                .json(&body)
                .send()
                .status,
            status
        );
    }
    let names = json!({ "username": "bob", "displayName": "é".repeat(100), "unknown": { "is": "left alone" } });
    assert_eq!(
        server
            .post("/api/users")
            .key(&key)
            .json(&names)
            .send()
            .status,
        201
    );
}

#[test]
fn nobody_holds_a_connection_by_being_slow() {
    let server = Server::with(&["--keep-alive", "10s"]);
    let key = server.claim_with_key().1;
    let slow = |beginning: String| {
        let started = Instant::now();
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(40)))
            .unwrap();
        stream.write_all(beginning.as_bytes()).unwrap();
        (read_all(&mut stream), started.elapsed())
    };
    let body = format!(
        "POST /api/users HTTP/1.1\r\nHost: localhost:1411\r\nX-API-Key: {key}\r\nContent-Length: 20\r\n\r\n{{"
    );
    thread::scope(|scope| {
        let head = scope.spawn(|| slow("GET /healthz HTTP/1.1\r\nHost: local".into()));
        let nothing = scope.spawn(|| slow(String::new()));
        let idle = scope.spawn(|| slow("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".into()));
        let body = scope.spawn(|| slow(body));
        for waiting in [head, nothing, idle] {
            let (_, took) = waiting.join().unwrap();
            assert!((5..25).contains(&took.as_secs()), "{took:?}");
        }
        let (text, took) = body.join().unwrap();
        Reply::parse(&text).is_refused(408, "request_timeout");
        assert!((10..25).contains(&took.as_secs()), "{took:?}");
        // Meanwhile others are served.
        assert_eq!(server.get("/healthz").send().status, 204);
    });
}

#[test]
fn nor_by_asking_and_not_reading() {
    let server = Server::start();
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let asking = "GET /api/version/latest HTTP/1.1\r\nHost: localhost:1411\r\n\r\n".repeat(100);
    let started = Instant::now();
    while stream.write_all(asking.as_bytes()).is_ok() {
        assert!(started.elapsed() < Duration::from_secs(60));
    }
    assert!(started.elapsed() > Duration::from_secs(5));
    assert_eq!(server.get("/healthz").send().status, 204);
}

#[test]
fn a_head_has_its_limit_too() {
    let server = Server::start();
    let reply = server
        .get("/healthz")
        .header("X-Long", &"x".repeat(200_000))
        .send();
    assert_eq!(reply.status, 431);
    let many = (0..200).fold(server.get("/healthz"), |request, n| {
        request.header(&format!("X-{n}"), "1")
    });
    assert_eq!(many.send().status, 431);
    assert!(server.raw(b"rubbish\r\n\r\n").starts_with("HTTP/1.1 400"));
    assert_eq!(server.get("/healthz").send().status, 204);
}
