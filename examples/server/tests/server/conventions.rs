use serde_json::json;

use crate::support::{Reply, Server};

#[test]
fn health_and_versions() {
    let server = Server::start();
    assert_eq!(server.get("/healthz").send().status, 204);
    assert_eq!(
        server.get("/healthz").host("10.0.0.7").send().status,
        204,
        "any host name"
    );
    let latest = server.get("/api/version/latest").send();
    assert_eq!(
        latest.json(),
        json!({ "latestVersion": env!("CARGO_PKG_VERSION") })
    );
    server
        .get("/api/version/current")
        .send()
        .is_refused(401, "not_signed_in");
    let (_, key) = server.claim_with_key();
    let current = server.get("/api/version/current").key(&key).send();
    assert_eq!(
        current.json(),
        json!({ "currentVersion": env!("CARGO_PKG_VERSION") })
    );
}

#[test]
fn every_answer_carries_its_id_and_is_not_kept() {
    let server = Server::start();
    let replies = [
        server.get("/healthz").send(),
        server.get("/api/users").send(),
        server.get("/nothing").send(),
        server.get("/api/users").host("evil.example").send(),
        server.post("/api/one-time-access-token/setup").send(),
    ];
    let mut ids: Vec<&str> = Vec::new();
    for reply in &replies {
        assert_eq!(reply.header("cache-control"), Some("private, no-store"));
        assert_eq!(reply.header("access-control-allow-origin"), None);
        let id = reply.header("x-request-id").unwrap();
        assert!(!ids.contains(&id));
        assert!(server.log().contains(id), "{id} is in the log");
        ids.push(id);
    }
    let own = server
        .get("/healthz")
        .header("X-Request-ID", "mine\u{7f}")
        .send();
    assert_ne!(
        own.header("x-request-id"),
        Some("mine"),
        "nobody chooses what is logged"
    );
}

#[test]
fn unknown_routes_and_methods_are_json() {
    let server = Server::start();
    for path in [
        "/api/nothing",
        "/api/nothing/",
        "/api",
        "/api/users/a/b/c",
        "/api/users/%ff/x",
    ] {
        server.get(path).send().is_refused(404, "not_found");
    }
    server
        .post("/api/nothing")
        .send()
        .is_refused(404, "not_found");
    for (method, path) in [
        ("DELETE", "/api/users"),
        ("PATCH", "/api/users/me"),
        ("POST", "/healthz"),
        ("OPTIONS", "/api/users"),
        ("GET", "/api/setup/complete"),
        ("PUT", "/api/signup/setup"),
    ] {
        let reply = server.request(method, path).send();
        reply.is_refused(405, "method_not_allowed");
        assert!(reply.header("allow").is_some());
    }
}

#[test]
fn errors_have_one_shape() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let reply = server.get("/api/users").send();
    let json = reply.json();
    assert_eq!(json["error"], "You are not signed in");
    assert_eq!(json["details"], json!(null));
    assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    let reply = server.get("/api/users").key("kp_key_wrong").send();
    assert_eq!(reply.json()["error"], "Token is invalid or expired");
    let reply = server
        .post("/api/users")
        .key(&key)
        .json(&json!({ "username": "-" }))
        .send();
    let field = &reply.json()["details"]["fields"][0];
    assert_eq!(field["field"], "username");
    assert_eq!(field["code"], "bad_ends");
    assert_eq!(field["message"], reply.json()["error"]);
    let reply = server
        .post("/api/users")
        .key(&key)
        .json(&json!({ "username": "ADMIN" }))
        .send();
    assert_eq!(reply.json()["error"], "Username is already in use");
    reply.is_taken("username");
}

#[test]
fn only_the_configured_host_is_answered() {
    let server = Server::start();
    for good in ["localhost:1411", "LOCALHOST:1411"] {
        assert_eq!(
            server.get("/api/version/latest").host(good).send().status,
            200
        );
    }
    for bad in [
        "localhost",
        "127.0.0.1:1411",
        "evil.example",
        "localhost:1411.evil.example",
        "",
        "@localhost:1411",
    ] {
        let reply = server.get("/api/version/latest").host(bad).send();
        assert_eq!(reply.status, 421, "{bad}");
    }
    let two = server
        .get("/api/version/latest")
        .header("Host", "evil.example")
        .send();
    assert!(two.status == 421 || two.status == 400, "{two:?}");
    let none = server.raw(b"GET /api/version/latest HTTP/1.0\r\n\r\n");
    Reply::parse(&none).is_refused(421, "misdirected_request");
    // A request to a proxy names the host in its first line, and that decides.
    let absolute = "GET http://evil.example/api/version/latest HTTP/1.1\r\nHost: localhost:1411\r\nConnection: close\r\n\r\n";
    Reply::parse(&server.raw(absolute.as_bytes())).is_refused(421, "misdirected_request");
}

#[test]
fn the_default_port_may_be_left_out() {
    let server = Server::with(&["--origin", "https://id.example"]);
    assert_eq!(
        server
            .get("/api/version/latest")
            .host("id.example:443")
            .send()
            .status,
        200
    );
    assert_eq!(
        server
            .get("/api/version/latest")
            .host("id.example:80")
            .send()
            .status,
        421
    );
}

#[test]
fn head_is_answered_like_get() {
    let server = Server::start();
    let reply = server.request("HEAD", "/api/version/latest").send();
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    let refused = server.request("HEAD", "/api/users").send();
    assert_eq!((refused.status, refused.body.as_str()), (401, ""));
}
