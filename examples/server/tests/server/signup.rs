//! Strangers become users, or do not.

use std::{collections::HashMap, thread, time::Duration};

use serde_json::{Value, json};

use crate::support::{Reply, Server, attributes, text};

/// One token of each state in which there can be one, by name; none for no token at all.
fn tokens(server: &Server, key: &str) -> Vec<(&'static str, Option<String>)> {
    let update = |id: &str, body: Value| {
        let path = format!("/api/signup-tokens/{id}");
        let reply = server.request("PUT", &path).key(key).json(&body).send();
        assert_eq!(reply.status, 200, "{}", reply.body);
    };
    let many = || server.invitation(key, json!({ "usageLimit": null }));
    let (_, valid) = many();
    let (_, expired) = server.invitation(key, json!({ "ttl": 1 }));
    let (_, exhausted) = server.invitation(key, json!({ "usageLimit": 1 }));
    assert_eq!(server.sign_up("first", &exhausted).status, 201);
    let (paused_id, paused) = many();
    update(&paused_id, json!({ "enabled": false }));
    let (revoked_id, revoked) = many();
    let path = format!("/api/signup-tokens/{revoked_id}");
    let gone = server.request("DELETE", &path).key(key).send();
    assert_eq!(gone.status, 204);
    let bound = json!({ "usageLimit": null, "email": "ann@mail.example" });
    let (_, bound) = server.invitation(key, bound);
    let elsewhere = Server::start();
    let unknown = elsewhere.library().create_signup_token(Default::default());
    let unknown = unknown.unwrap().secret.reveal();
    let last = if valid.ends_with('a') { "b" } else { "a" };
    let wrong = format!("{}{last}", &valid[..valid.len() - 1]);
    thread::sleep(Duration::from_millis(1_100));
    vec![
        ("none", None),
        ("valid", Some(valid)),
        ("expired", Some(expired)),
        ("exhausted", Some(exhausted)),
        ("paused", Some(paused)),
        ("revoked", Some(revoked)),
        ("bound to another address", Some(bound)),
        ("unknown", Some(unknown)),
        ("malformed", Some("kp_inv_short".to_owned())),
        ("of another kind", Some(key.to_owned())),
        ("wrong checksum", Some(wrong)),
    ]
}

/// S1; S6: whatever is wrong with a token, the answer is the same.
#[test]
fn each_mode_with_each_token_with_and_without_approval() {
    let (server, key) = Server::inviting(&[]);
    let tokens = tokens(&server, &key);
    let mut number = 0;
    let mut refusals: HashMap<&str, Vec<Reply>> = HashMap::new();
    for mode in ["disabled", "withToken", "open"] {
        for approval in [false, true] {
            let wanted = json!({ "allowUserSignups": mode, "signupRequiresApproval": approval });
            server.configure(&key, wanted);
            for (state, token) in &tokens {
                number += 1;
                let name = format!("guest{number}");
                let body = json!({ "username": name, "email": format!("{name}@b.example"), "token": token });
                let reply = server.post("/api/signup").json(&body).send();
                let expected = match (mode, *state) {
                    ("disabled", _) | ("withToken", "none") => 403,
                    (_, "valid") | ("open", "none") if approval => 202,
                    (_, "valid") | ("open", "none") => 201,
                    _ => 401,
                };
                let case = format!("{mode}, token {state}, approval {approval}");
                assert_eq!(reply.status, expected, "{case}: {}", reply.body);
                check(&server, &key, &name, &reply, &case);
                let inspected = token.as_ref().map(|token| {
                    let body = json!({ "token": token });
                    server.post("/api/signup/inspect").json(&body).send()
                });
                // Whom it is bound to is what its holder may see.
                if let Some(inspected) = inspected.filter(|_| !state.starts_with("bound")) {
                    let expected = if expected < 300 { 200 } else { expected };
                    assert_eq!(inspected.status, expected, "{case}: {}", inspected.body);
                    if expected == 401 {
                        refusals.entry("inspected").or_default().push(inspected);
                    }
                }
                if expected == 401 {
                    refusals.entry("signed up").or_default().push(reply);
                }
            }
        }
    }
    assert_eq!(number, 66);
    // To the outside, all bad tokens are one.
    assert_eq!(refusals["signed up"].len(), 36);
    for replies in refusals.values() {
        for reply in replies {
            assert_eq!(reply.outward(), replies[0].outward());
        }
    }
}

/// Somebody is there and signed in, or nobody is and no cookie was set.
#[track_caller]
fn check(server: &Server, key: &str, name: &str, reply: &Reply, case: &str) {
    let found = server.get(&format!("/api/users?search={name}@")).key(key);
    let found = found.send().json();
    if reply.status >= 300 {
        let code = if reply.status == 401 {
            "token_invalid_or_expired"
        } else {
            "open_signup_disabled"
        };
        reply.is_refused(reply.status, code);
        assert_eq!(reply.header("set-cookie"), None, "{case}");
        assert_eq!(found["pagination"]["totalItems"], 0, "{case}");
        return;
    }
    let status = if reply.status == 202 {
        "pending"
    } else {
        "active"
    };
    assert_eq!(found["data"], json!([reply.json()]), "{case}");
    assert_eq!(reply.json()["status"], status, "{case}");
    let me = server.get("/api/users/me").cookie(&reply.cookie_value());
    assert_eq!(me.send().json(), reply.json(), "{case}");
}

/// S4, C4.
#[test]
fn sixty_at_once_on_five_uses_are_five() {
    let (server, key) = Server::inviting(&[]);
    let (id, token) = server.invitation(&key, json!({ "usageLimit": 5 }));
    let replies: Vec<Reply> = thread::scope(|scope| {
        let sign_up = |n: usize| server.sign_up(&format!("guest{n}"), &token);
        let tries: Vec<_> = (0..60).map(|n| scope.spawn(move || sign_up(n))).collect();
        tries.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let of = |status: u16| replies.iter().filter(|r| r.status == status).count();
    assert_eq!(of(201), 5, "{replies:?}");
    assert_eq!(of(401) + of(429), 55, "{replies:?}");
    let users = server.get("/api/users?search=guest").key(&key).send();
    assert_eq!(users.json()["pagination"]["totalItems"], 5);
    let path = format!("/api/signup-tokens/{id}");
    let shown = server.get(&path).key(&key).send().json();
    assert_eq!(
        (&shown["usageCount"], &shown["usageLimit"], &shown["state"]),
        (&json!(5), &json!(5), &json!("exhausted"))
    );
    let uses = server.get(&format!("{path}/redemptions")).key(&key).send();
    assert_eq!(uses.json()["pagination"]["totalItems"], 5);
    for reply in replies.iter().filter(|reply| reply.status == 201) {
        let me = server.get("/api/users/me").bearer(&reply.cookie_value());
        assert_eq!(me.send().json()["id"], reply.json()["id"]);
    }
}

/// S4.
#[test]
fn a_refused_sign_up_uses_nothing() {
    let (server, key) = Server::inviting(&[]);
    server.made(
        &key,
        "/api/users",
        json!({ "username": "bob", "email": "bob@mail.example" }),
    );
    let (id, token) = server.invitation(&key, json!({}));
    server.sign_up("BOB", &token).is_taken("username");
    for (field, value) in [
        ("username", json!("")),
        ("username", json!("b b")),
        ("username", json!(7)),
        ("email", json!("nobody")),
        ("firstName", json!("x".repeat(51))),
        ("lastName", json!("a\u{7}b")),
        ("displayName", json!("x".repeat(101))),
        ("locale", json!("../x")),
        ("token", json!(["x"])),
    ] {
        let mut body = json!({ "username": "carol", "token": token });
        body[field] = value;
        server
            .post("/api/signup")
            .json(&body)
            .send()
            .refuses_field(field);
    }
    // Without a good token nobody learns which names are taken.
    server
        .sign_up("bob", "kp_inv_wrong")
        .is_refused(401, "token_invalid_or_expired");
    let inspect = |body: Value| server.post("/api/signup/inspect").json(&body).send();
    inspect(json!({})).refuses_field("token");
    inspect(json!({ "token": 3 })).refuses_field("token");
    for _ in 0..3 {
        let seen = inspect(json!({ "token": token }));
        assert_eq!(seen.status, 200);
        assert_eq!(seen.json()["needsApproval"], false);
        assert_eq!(seen.header("set-cookie"), None);
    }
    let shown = server.get(&format!("/api/signup-tokens/{id}")).key(&key);
    assert_eq!(shown.send().json()["usageCount"], 0);
    assert_eq!(server.sign_up("carol", &token).status, 201);
}

/// S1.
#[test]
fn open_sign_up_is_limited_by_address() {
    let (server, key) = Server::inviting(&["--trusted-proxy", "127.0.0.1"]);
    server.configure(
        &key,
        json!({ "allowUserSignups": "open", "openSignupsPerHour": "3" }),
    );
    let from = |address: &str, name: &str, token: Option<&str>| {
        let body = json!({ "username": name, "token": token });
        let request = server.post("/api/signup").json(&body);
        request.header("X-Forwarded-For", address).send()
    };
    for n in 0..3 {
        let reply = from("203.0.113.9", &format!("guest{n}"), None);
        assert_eq!(reply.status, 201, "{}", reply.body);
    }
    let limited = from("203.0.113.9", "guest3", None);
    limited.is_refused(429, "rate_limited");
    let wait: u64 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((3_500..=3_600).contains(&wait), "{wait}");
    // Who has a token is not counted, and neither is who comes from elsewhere.
    let (_, token) = server.invitation(&key, json!({}));
    assert_eq!(from("203.0.113.9", "guest4", Some(&token)).status, 201);
    assert_eq!(from("203.0.113.10", "guest5", None).status, 201);
    // One IPv6 customer is one source.
    server.configure(&key, json!({ "openSignupsPerHour": 1 }));
    assert_eq!(from("2001:db8:1:2::1", "guest6", None).status, 201);
    from("2001:db8:1:2:3::4", "guest7", None).is_refused(429, "rate_limited");
}

/// S1.
#[test]
fn allowed_domains_let_in_only_with_approval() {
    let (server, key) = Server::inviting(&[]);
    server.configure(
        &key,
        json!({ "allowUserSignups": "open", "signupEmailDomains": ["Club.example"] }),
    );
    let sign_up = |name: &str, email: &str| {
        let body = json!({ "username": name, "email": email });
        server.post("/api/signup").json(&body).send()
    };
    let refused = sign_up("eve", "eve@elsewhere.example");
    let expected = (
        403,
        "email_domain_not_allowed".to_owned(),
        "email".to_owned(),
    );
    assert_eq!(refused.refusal(), expected);
    let let_in = sign_up("bob", "bob@club.example");
    assert_eq!(let_in.status, 202, "{}", let_in.body);
    assert_eq!(let_in.json()["emailVerified"], false);
}

/// S7.
#[test]
fn who_waits_sees_himself_and_nothing_else() {
    let (server, key) = Server::inviting(&[]);
    let group = server.made(&key, "/api/user-groups", json!({ "name": "friends" }));
    let token = json!({ "usageLimit": 2, "approval": true, "userGroupIds": [group["id"]] });
    let (_, token) = server.invitation(&key, token);
    let (bob, eve) = (server.sign_up("bob", &token), server.sign_up("eve", &token));
    assert_eq!((bob.status, eve.status), (202, 202), "{}", bob.body);
    let groups = |user: &Value| user["userGroups"].clone();
    assert_eq!(groups(&bob.json()), json!([{ "id": group["id"] }]));
    let session = bob.cookie_value();
    let bob = text(&bob.json()["id"]);
    let me = server.get("/api/users/me").cookie(&session).send();
    assert_eq!(me.json()["status"], "pending", "{}", me.body);
    for (method, path) in [
        ("PUT", "/api/users/me"),
        ("GET", "/api/api-keys"),
        ("POST", "/api/api-keys"),
        ("GET", "/api/sessions"),
        ("GET", "/api/audit-logs"),
        ("GET", "/api/users"),
        ("GET", "/api/user-groups"),
        ("GET", "/api/signup-tokens"),
        ("GET", "/api/application-configuration/all"),
        ("POST", &format!("/api/users/{bob}/approve")),
    ] {
        let body =
            json!({ "username": "bob", "name": "a key", "expiresAt": "2099-01-01T00:00:00Z" });
        let request = server.request(method, path).cookie(&session).json(&body);
        request.send().is_refused(403, "user_pending");
    }
    let pending = server.get("/api/users?status=pending").key(&key).send();
    assert_eq!(pending.json()["pagination"]["totalItems"], 2);

    let decide = |id: &str, what: &str| {
        server
            .post(&format!("/api/users/{id}/{what}"))
            .key(&key)
            .send()
    };
    let approved = decide(&bob, "approve");
    assert_eq!(approved.status, 200, "{}", approved.body);
    assert_eq!(approved.json()["status"], "active");
    let me = server.get("/api/users/me").cookie(&session).send().json();
    assert_eq!(me["status"], "active");
    assert_eq!(groups(&me)[0]["name"], "friends", "{me}");
    let keys = server.get("/api/api-keys").cookie(&session).send();
    assert_eq!(keys.status, 200);
    decide(&bob, "approve").is_refused(409, "conflict");
    decide(&bob, "reject").is_refused(409, "conflict");

    let eves_session = eve.cookie_value();
    let eve = text(&eve.json()["id"]);
    assert_eq!(decide(&eve, "reject").status, 204);
    decide(&eve, "reject").is_refused(404, "not_found");
    decide("42", "approve").is_refused(404, "not_found");
    let me = server.get("/api/users/me").cookie(&eves_session).send();
    me.is_refused(401, "token_invalid_or_expired");
    assert_eq!(server.sign_up("eve", &token).status, 401, "used up");
    for (event, name) in [("USER_APPROVED", "bob"), ("USER_REJECTED", "eve")] {
        let path = format!("/api/audit-logs/all?filters[event]={event}");
        let log = server.get(&path).key(&key).send().json();
        assert_eq!(log["pagination"]["totalItems"], 1);
        assert_eq!(log["data"][0]["username"], name);
        assert_eq!(log["data"][0]["actorUsername"], "admin");
    }
    let log = server
        .get("/api/audit-logs/all?filters[event]=USER_SIGNED_UP")
        .key(&key);
    let log = log.send().json();
    assert_eq!(log["pagination"]["totalItems"], 2);
    assert_eq!(log["data"][0]["data"]["status"], "pending", "{log}");
}

/// S7: what they need is there, and an API key of theirs does not open even that.
#[test]
fn who_waits_registers_a_passkey_and_signs_out() {
    let (server, key) = Server::inviting(&[]);
    let (_, token) = server.invitation(&key, json!({ "approval": true }));
    let bob = server.sign_up("bob", &token);
    let session = bob.cookie_value();
    let own = server
        .library()
        .create_api_key(keyplate::NewApiKey {
            name: "own".to_owned(),
            scopes: vec!["*".to_owned()],
            owner_id: Some(keyplate::UserId::parse(&text(&bob.json()["id"])).unwrap()),
            ..Default::default()
        })
        .unwrap();
    for path in ["/api/users/me", "/api/webauthn/register/start"] {
        let reply = server.get(path).cookie(&session).send();
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        let by_key = server.get(path).key(own.secret.as_str()).send();
        by_key.is_refused(403, "user_pending");
    }
    let out = server.post("/api/webauthn/logout").cookie(&session).send();
    assert_eq!(out.status, 204, "{}", out.body);
    let me = server.get("/api/users/me").cookie(&session).send();
    me.is_refused(401, "token_invalid_or_expired");
}

#[test]
fn another_sites_page_signs_nobody_up_or_in() {
    let (server, key) = Server::inviting(&[]);
    let (_, token) = server.invitation(&key, json!({ "usageLimit": 3 }));
    let bob = text(&server.made(&key, "/api/users", json!({ "username": "bob" }))["id"]);
    let path = format!("/api/users/{bob}/one-time-access-token");
    let code = text(&server.made(&key, &path, json!({}))["token"]);
    let redeem = format!("/api/one-time-access-token/{code}");
    let body = json!({ "username": "carol", "token": token });
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
    ] {
        for request in [
            server.post("/api/signup").json(&body),
            server.post("/api/signup/inspect").json(&body),
            server.post(&redeem),
        ] {
            let reply = request.header(name, value).send();
            reply.is_refused(403, "cross_origin");
            assert_eq!(reply.header("set-cookie"), None);
        }
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded"] {
        for path in ["/api/signup", "/api/signup/inspect", &redeem] {
            let form = server.post(path).header("Content-Type", kind);
            let reply = form.body(body.to_string()).send();
            reply.is_refused(415, "invalid_request_body");
        }
    }
    // Nothing was used up, and one's own page may.
    let own = ("Sec-Fetch-Site", "same-origin");
    let reply = server.post("/api/signup").json(&body).header(own.0, own.1);
    let reply = reply.send();
    assert_eq!(reply.status, 201, "{}", reply.body);
    let cookie = reply.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("keyplate-1411-access_token=kp_ses_"),
        "{cookie}"
    );
    assert_eq!(
        attributes(cookie),
        ["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Lax"]
    );
    let reply = server.post(&redeem).header(own.0, own.1).send();
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.header("set-cookie").unwrap().contains("; HttpOnly"));
}
