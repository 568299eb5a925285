use serde_json::json;

use crate::support::Server;

#[test]
fn the_first_credential_decides() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let me = || server.get("/api/users/me");
    let good = [
        me().cookie(&session),
        me().bearer(&session),
        me().key(&session),
        me().bearer(&key),
        me().key(&key),
        me().header("x-api-key", &key),
        me().header("authorization", &format!("bearer {key}")),
        me().cookie(&session).bearer("wrong").key("wrong"),
        me().bearer(&session).key("wrong"),
        // Neither is one of ours: another cookie, another scheme, an empty value.
        me().header("Cookie", "theme=dark; other=1").key(&key),
        me().header("Cookie", "keyplate-1411-access_token=")
            .key(&key),
        me().header("Authorization", "Basic YTpi").key(&key),
        me().header("Authorization", "Bearer ").key(&key),
        // What another application on this host sets need not be ASCII.
        me().header(
            "Cookie",
            &format!("name=Zoë; keyplate-1411-access_token={session}"),
        ),
        me().header(
            "Cookie",
            &format!("a=b; keyplate-1411-access_token={session}; c=d"),
        ),
        // What says nothing, or is no pair, is passed over; lines go on where the last one ended.
        me().header(
            "Cookie",
            &format!("keyplate-1411-access_token=; keyplate-1411-access_token={session}"),
        ),
        me().header(
            "Cookie",
            &format!("lonely;;=x; keyplate-1411-access_token = {session} ;"),
        ),
        me().header("Cookie", "a=b")
            .cookie(&session)
            .cookie("wrong"),
    ];
    for request in good {
        let reply = request.send();
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let bad = [
        me().cookie("wrong").bearer(&session),
        me().bearer("wrong").key(&key),
        me().cookie("wrong"),
        me().cookie("wrong").cookie(&session),
        me().cookie(&format!("wrong; keyplate-1411-access_token={session}")),
        me().cookie(&format!("\"{session}\"")),
        me().cookie("schlüssel"),
        me().bearer("schlüssel"),
        me().key(&format!("{key}x")),
    ];
    for request in bad {
        request.send().is_refused(401, "token_invalid_or_expired");
    }
    // Never from a query string, nor a cookie of another name.
    let query = format!("/api/users/me?access_token={session}&api_key={key}&X-API-Key={key}");
    server.get(&query).send().is_refused(401, "not_signed_in");
    for other in [
        "__Host-access_token",
        "access_token",
        "keyplate-1412-access_token",
    ] {
        let other = me().header("Cookie", &format!("{other}={session}"));
        other.send().is_refused(401, "not_signed_in");
    }
}

#[test]
fn a_cookie_is_not_used_across_sites() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let create = |n: u32| {
        server
            .post("/api/users")
            .json(&json!({ "username": format!("u{n}") }))
    };
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", ""),
        ("Origin", "https://evil.example"),
        ("Origin", "http://localhost:1412"),
        ("Origin", "https://localhost:1411"),
        ("Origin", "null"),
    ] {
        create(0)
            .cookie(&session)
            .header(name, value)
            .send()
            .is_refused(403, "cross_origin");
        let out = server
            .post("/api/webauthn/logout")
            .cookie(&session)
            .header(name, value);
        out.send().is_refused(403, "cross_origin");
        // Reading is harmless: no other page gets to see the answer.
        let read = server
            .get("/api/users")
            .cookie(&session)
            .header(name, value);
        assert_eq!(read.send().status, 200);
    }
    // A header is nothing that another site's page can send.
    let by_key = create(1).key(&key).header("Sec-Fetch-Site", "cross-site");
    assert_eq!(by_key.send().status, 201);
    for (n, headers) in [
        (2, vec![]),
        (3, vec![("Sec-Fetch-Site", "same-origin")]),
        (4, vec![("Sec-Fetch-Site", "none")]),
        (5, vec![("Origin", "http://localhost:1411")]),
        (
            6,
            vec![("Sec-Fetch-Site", "same-origin"), ("Origin", "null")],
        ),
    ] {
        let mut request = create(n).cookie(&session);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        assert_eq!(request.send().status, 201, "{n}");
    }
}

#[test]
fn a_cookie_wants_json() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let body = r#"{"username":"bob"}"#;
    let types = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
    ];
    for kind in types {
        let typed = server
            .post("/api/users")
            .header("Content-Type", kind)
            .body(body);
        typed
            .clone()
            .cookie(&session)
            .send()
            .is_refused(415, "invalid_request_body");
        typed.send().is_refused(401, "not_signed_in");
    }
    let untyped = server.post("/api/users").cookie(&session).body(body).send();
    untyped.is_refused(415, "invalid_request_body");
    for (n, kind) in types.iter().enumerate() {
        let body = format!(r#"{{"username":"b{n}"}}"#);
        let by_key = server
            .post("/api/users")
            .key(&key)
            .header("Content-Type", kind)
            .body(body);
        assert_eq!(by_key.send().status, 201, "{kind}");
    }
    let with_charset = server
        .post("/api/users")
        .cookie(&session)
        .header("Content-Type", "Application/JSON; charset=utf-8")
        .body(body);
    assert_eq!(with_charset.send().status, 201);
}

#[test]
fn a_form_sets_nothing_up() {
    let server = Server::start();
    for path in ["/api/signup/setup", "/api/one-time-access-token/setup"] {
        for kind in [
            "application/x-www-form-urlencoded",
            "text/plain",
            "multipart/form-data; boundary=x",
        ] {
            for body in ["", "username=eve", r#"{"username":"eve"}"#] {
                let form = server.post(path).header("Content-Type", kind).body(body);
                form.send().is_refused(415, "invalid_request_body");
            }
        }
    }
    assert_eq!(server.get("/api/signup/setup").send().status, 204);
}

#[test]
fn browser_routes_refuse_keys() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let list = server.get("/api/api-keys").key(&key).send().json();
    let renew = format!(
        "/api/api-keys/{}/renew",
        list["data"][0]["id"].as_str().unwrap()
    );
    for path in ["/api/api-keys", &renew] {
        let body = json!({ "name": "another", "expiresAt": "2098-01-01T00:00:00Z" });
        for request in [server.post(path).key(&key), server.post(path).bearer(&key)] {
            let reply = request.json(&body).send();
            reply.is_refused(403, "api_key_auth_not_allowed");
            let message = "API key authentication is not allowed for this endpoint";
            assert_eq!(reply.json()["error"], message);
        }
        let status = server.post(path).key(&session).json(&body).send().status;
        assert!(matches!(status, 200 | 201), "{status}");
    }
}

#[test]
fn what_an_ordinary_user_may() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (id, session) = server.user_with_session(&key, "bob");
    let own = format!("/api/users/{id}");
    for (method, path) in [
        ("GET", "/api/users"),
        ("POST", "/api/users"),
        ("GET", own.as_str()),
        ("PUT", &own),
        ("DELETE", &own),
        ("GET", "/api/audit-logs/all"),
    ] {
        let request = server
            .request(method, path)
            .bearer(&session)
            .body(r#"{"username":"bob","isAdmin":true}"#);
        request.send().is_refused(403, "forbidden");
    }
    for path in [
        "/api/users/me",
        "/api/api-keys",
        "/api/sessions",
        "/api/audit-logs",
        "/api/version/current",
    ] {
        assert_eq!(
            server.get(path).bearer(&session).send().status,
            200,
            "{path}"
        );
    }
    let all = server.get("/api/api-keys?all=true").bearer(&session).send();
    assert_eq!(
        all.json()["pagination"]["totalItems"],
        0,
        "their own, which are none"
    );
}

#[test]
fn a_disabled_user_is_told_so() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (id, session) = server.user_with_session(&key, "bob");
    let put = server.request("PUT", &format!("/api/users/{id}")).key(&key);
    let reply = put
        .json(&json!({ "username": "bob", "disabled": true }))
        .send();
    assert_eq!(reply.json()["disabled"], true, "{}", reply.body);
    assert_eq!(reply.json()["status"], "disabled");
    server
        .get("/api/users/me")
        .bearer(&session)
        .send()
        .is_refused(403, "user_disabled");
}

#[test]
fn a_key_can_do_what_its_scopes_say() {
    let server = Server::start();
    let session = server.claim();
    let reader = server.make_key(&session, "reader", Some(&["users:read"]));
    assert_eq!(server.get("/api/users").key(&reader).send().status, 200);
    let create = server
        .post("/api/users")
        .key(&reader)
        .json(&json!({ "username": "bob" }))
        .send();
    create.is_refused(403, "forbidden");
    server
        .get("/api/audit-logs")
        .key(&reader)
        .send()
        .is_refused(403, "forbidden");
}

/// Browsers send the cookies of a host to all of its ports.
#[test]
fn two_servers_of_one_host_leave_each_others_people_signed_in() {
    let first = Server::start();
    let second = Server::with(&["--origin", "http://localhost:1412"]);
    let plain = Server::with(&["--origin", "http://media.localhost"]);
    let mut jar = Vec::new();
    for (server, port) in [(&first, 1411), (&second, 1412), (&plain, 80)] {
        let token = server.setup_token.clone().unwrap();
        let claim = server
            .post("/api/signup/setup")
            .header("X-Setup-Token", &token);
        let claimed = claim
            .json(&json!({ "username": format!("of{port}") }))
            .send();
        let (name, value) = claimed.cookies()[0].split_once('=').unwrap();
        assert_eq!(name, format!("keyplate-{port}-access_token"));
        jar.push(format!("{name}={}", value.split(';').next().unwrap()));
        let start = server.get("/api/webauthn/login/start").send();
        let begun = format!("keyplate-{port}-ceremony-login-");
        assert!(start.cookies()[0].starts_with(&begun), "{start:?}");
    }
    let jar = jar.join("; ");
    for (server, name) in [(&first, "of1411"), (&second, "of1412"), (&plain, "of80")] {
        let me = server.get("/api/users/me").header("Cookie", &jar).send();
        assert_eq!(me.json()["username"], name, "{}", me.body);
        let out = server
            .post("/api/webauthn/logout")
            .header("Cookie", &jar)
            .send();
        assert_eq!(out.status, 204, "{}", out.body);
    }
}
