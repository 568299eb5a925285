//! What clients and proxies do to requests on their way.

use serde_json::json;

use crate::support::{Reply, Server};

#[test]
fn a_head_of_no_content_has_no_length() {
    let server = Server::start();
    for method in ["GET", "HEAD"] {
        let reply = server.request(method, "/healthz").send();
        assert_eq!((reply.status, reply.body.as_str()), (204, ""), "{method}");
        assert_eq!(reply.header("content-length"), None, "{method}: {reply:?}");
    }
    let reply = server.request("HEAD", "/api/signup/setup").send();
    assert_eq!((reply.status, reply.header("content-length")), (204, None));
    // What has a body says how long it would be.
    let head = server.request("HEAD", "/api/version/latest").send();
    let body = server.get("/api/version/latest").send().body;
    assert_eq!(head.body, "");
    assert_eq!(
        head.header("content-length"),
        Some(body.len().to_string().as_str())
    );
}

#[test]
fn a_slash_at_the_end_is_passed_over() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    for path in [
        "/api/users/",
        "/api/users/me/",
        "/api/users/?limit=1",
        "/api/application-configuration/",
        "/setup/",
        "/signup/",
        "/.well-known/jwks.json/",
    ] {
        let without = path.replacen("/?", "?", 1);
        let without = without.strip_suffix('/').unwrap_or(&without);
        let (one, other) = (
            server.get(path).key(&key).send(),
            server.get(without).key(&key).send(),
        );
        assert_eq!(
            (one.status, &one.body),
            (other.status, &other.body),
            "{path}"
        );
        assert_eq!(one.status, 200, "{path}");
    }
    assert_eq!(server.get("/healthz/").send().status, 204);
    assert_eq!(server.get("/").send().status, 200);
    let made = server
        .post("/api/users/")
        .key(&key)
        .json(&json!({ "username": "bob" }))
        .send();
    assert_eq!(made.status, 201, "{}", made.body);
    server
        .get("/api/users//")
        .key(&key)
        .send()
        .is_refused(404, "not_found");
    server.get("//").send();
    server
        .request("DELETE", "/api/users/")
        .key(&key)
        .send()
        .is_refused(405, "method_not_allowed");
}

#[test]
fn a_body_may_begin_with_a_mark_and_must_be_plain_utf_8() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let with_mark = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let made = server
        .post("/api/users")
        .key(&key)
        .body(with_mark(r#"{"username":"bob"}"#))
        .send();
    assert_eq!(made.status, 201, "{}", made.body);
    let bob = made.json()["id"].as_str().unwrap().to_owned();
    let put = |body: Vec<u8>| {
        let path = format!("/api/custom-claims/user/{bob}");
        server.request("PUT", &path).key(&key).body(body).send()
    };
    assert_eq!(put(with_mark("[]")).status, 200);
    let sent = server
        .request("PUT", "/api/application-configuration")
        .key(&key)
        .body(with_mark(r#"{"appName":"Media"}"#));
    assert_eq!(sent.send().status, 200);
    let says = |reply: Reply, word: &str| {
        reply.is_refused(400, "invalid_request_body");
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(word), "{error}");
    };
    let utf_16: Vec<u8> = "\u{feff}{\"username\":\"eva\"}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for body in [
        utf_16,
        b"{\"username\":\"\xe9va\"}".to_vec(),
        b"\xff".to_vec(),
    ] {
        says(
            server
                .post("/api/users")
                .key(&key)
                .body(body.clone())
                .send(),
            "UTF-8",
        );
        says(put(body), "UTF-8");
    }
    for path in [
        "/api/webauthn/login/finish",
        "/api/webauthn/register/finish",
    ] {
        let request = server
            .post(path)
            .bearer(&session)
            .header("Content-Type", "application/json");
        let reply = request.body(b"{\"id\":\"\xff\"}".to_vec()).send();
        assert_eq!(reply.status, 400, "{path}: {}", reply.body);
    }
    for (encoding, status) in [
        ("gzip", 415),
        ("GZIP", 415),
        ("identity, br", 415),
        ("zstd", 415),
        ("identity", 201),
        ("", 201),
    ] {
        let body = json!({ "username": format!("u{}", encoding.len() + usize::from(status)) });
        let request = server
            .post("/api/users")
            .key(&key)
            .header("Content-Encoding", encoding);
        let reply = request.json(&body).send();
        assert_eq!(reply.status, status, "{encoding}: {}", reply.body);
        if status == 415 {
            reply.is_refused(415, "unsupported_content_encoding");
        }
    }
    let nothing = server
        .get("/api/users")
        .key(&key)
        .header("Content-Encoding", "gzip");
    assert_eq!(
        nothing.send().status,
        200,
        "there is nothing that is packed"
    );
}

#[test]
fn blanks_around_tokens_are_cut_off() {
    let (server, key) = Server::inviting(&[]);
    let (_, token) = server.invitation(&key, json!({ "usageLimit": 3 }));
    let padded = format!(" \t{token}\r\n");
    let inspect = server
        .post("/api/signup/inspect")
        .json(&json!({ "token": padded }));
    assert_eq!(inspect.send().status, 200);
    assert_eq!(server.sign_up("bob", &padded).status, 201);
    server
        .sign_up("eve", "  ")
        .is_refused(403, "open_signup_disabled");
    let bob = server.get("/api/users?search=bob").key(&key).send().json();
    let bob = bob["data"][0]["id"].as_str().unwrap().to_owned();
    for ttl in ["15m", "16m"] {
        let made = server.made(
            &key,
            &format!("/api/users/{bob}/one-time-access-token"),
            json!({ "ttl": ttl }),
        );
        let code = made["token"].as_str().unwrap();
        let redeem = format!("/api/one-time-access-token/%20{code}%0A");
        assert_eq!(server.post(&redeem).send().status, 200, "{ttl}");
    }
    let padded = format!("  {key}  ");
    assert_eq!(server.get("/api/users/me").key(&padded).send().status, 200);
    assert_eq!(
        server.get("/api/users/me").bearer(&padded).send().status,
        200
    );

    let fresh = Server::with(&["--origin", "https://id.example"]);
    let token = fresh.setup_token.clone().unwrap();
    let body = json!({ "username": "root", "token": format!("\n{token} ") });
    let claimed = fresh.post("/api/signup/setup").json(&body).send();
    assert_eq!(claimed.status, 200, "{}", claimed.body);
}

/// Links that older bots and operators send: the page answers, the secret is in no line of the log, and nothing is used up.
#[test]
fn old_links_of_codes_lead_to_the_page() {
    let (server, key) = Server::inviting(&[]);
    let (bob, _) = server.user_with_session(&key, "bob");
    let made = server.made(
        &key,
        &format!("/api/users/{bob}/one-time-access-token"),
        json!({}),
    );
    let code = made["token"].as_str().unwrap();
    // The addresses in it differ: they are relative.
    let is_the_page = |body: &str| {
        body.contains("<title>Sign in with a code</title>") && body.contains("doors/code.js")
    };
    assert!(is_the_page(&server.get("/code").send().body));
    for path in [
        format!("/lc/{code}"),
        format!("/lc/{code}/"),
        format!("/lc/{code}?redirect=/account"),
        format!("/login/alternative/code?code={code}"),
        "/login/alternative/code".to_owned(),
        "/lc".to_owned(),
    ] {
        let reply = server.get(&path).send();
        assert_eq!(reply.status, 200, "{path}");
        assert!(is_the_page(&reply.body), "{path}: {}", reply.body);
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    }
    assert!(!server.log().contains(code), "{}", server.log());
    let redeem = format!("/api/one-time-access-token/{code}");
    assert_eq!(
        server.post(&redeem).send().status,
        200,
        "opening has not used it"
    );
}
