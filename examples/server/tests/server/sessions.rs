use serde_json::json;

use crate::support::Server;

#[test]
fn sessions_are_listed_and_ended() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (id, first) = server.user_with_session(&key, "bob");
    let id = keyplate::UserId::parse(&id).unwrap();
    let client = keyplate::ClientInfo {
        address: Some("203.0.113.9".into()),
        user_agent: Some("a browser".into()),
        device_name: Some("telephone".into()),
    };
    let second = server
        .library()
        .create_session(&id, client, None)
        .unwrap()
        .secret
        .reveal();
    let list = server.get("/api/sessions").bearer(&first).send().json();
    assert_eq!(list["pagination"]["totalItems"], 2);
    let sessions = list["data"].as_array().unwrap();
    let other = sessions
        .iter()
        .find(|session| session["current"] == false)
        .unwrap();
    assert_eq!(other["deviceName"], "telephone");
    assert_eq!(other["ipAddress"], "203.0.113.9");
    assert_eq!(other["userAgent"], "a browser");
    assert_eq!(other["method"], "host");
    assert!(!list.to_string().contains(&second));

    let path = format!("/api/sessions/{}", other["id"].as_str().unwrap());
    assert_eq!(
        server.request("DELETE", &path).bearer(&first).send().status,
        204
    );
    server
        .get("/api/users/me")
        .bearer(&second)
        .send()
        .is_refused(401, "token_invalid_or_expired");
    server
        .request("DELETE", "/api/sessions/42")
        .bearer(&first)
        .send()
        .is_refused(404, "not_found");

    // Another's session does not exist for them.
    let (_, eve) = server.user_with_session(&key, "eve");
    let list = server.get("/api/sessions").bearer(&first).send().json();
    let path = format!("/api/sessions/{}", list["data"][0]["id"].as_str().unwrap());
    server
        .request("DELETE", &path)
        .bearer(&eve)
        .send()
        .is_refused(404, "not_found");
    assert_eq!(
        server.get("/api/users/me").bearer(&first).send().status,
        200
    );
}

#[test]
fn logging_out_ends_the_session_and_takes_the_cookie() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let reply = server.post("/api/webauthn/logout").cookie(&session).send();
    assert_eq!(reply.status, 204);
    let cookie = reply.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("keyplate-1411-access_token=; ") && cookie.contains("Max-Age=0"),
        "{cookie}"
    );
    server
        .get("/api/users/me")
        .cookie(&session)
        .send()
        .is_refused(401, "token_invalid_or_expired");
    server
        .post("/api/webauthn/logout")
        .send()
        .is_refused(401, "not_signed_in");
    assert_eq!(
        server.post("/api/webauthn/logout").key(&key).send().status,
        204
    );
    assert_eq!(
        server.get("/api/users/me").key(&key).send().status,
        200,
        "a key is revoked elsewhere"
    );
}

#[test]
fn the_audit_log_tells_who_did_what() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (id, session) = server.user_with_session(&key, "bob");
    let me = server.request("PUT", "/api/users/me").bearer(&session);
    let changed = me
        .header("User-Agent", "a browser")
        .json(&json!({ "firstName": "Bob" }))
        .send();
    assert_eq!(changed.status, 200, "{}", changed.body);

    let own = server.get("/api/audit-logs").bearer(&session).send().json();
    let newest = &own["data"][0];
    assert_eq!(newest["event"], "USER_UPDATED");
    assert_eq!(newest["ipAddress"], "127.0.0.1");
    assert_eq!(newest["device"], "a browser");
    assert_eq!(newest["userID"], json!(id));
    assert_eq!(
        (&newest["username"], &newest["actorUsername"]),
        (&json!("bob"), &json!("bob"))
    );
    assert_eq!(newest["data"]["fields"], "display_name first_name");
    let events = own["data"].as_array().unwrap();
    assert!(events.iter().all(|event| event["username"] == "bob"));

    let all = server.get("/api/audit-logs/all").key(&key).send().json();
    let kinds: Vec<&str> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["kind"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"SETUP_CLAIMED") && kinds.contains(&"API_KEY_CREATED"),
        "{kinds:?}"
    );
    let filtered = server
        .get(&format!("/api/audit-logs/all?filters[userId]={id}"))
        .key(&key)
        .send()
        .json();
    assert_eq!(
        filtered["pagination"]["totalItems"],
        own["pagination"]["totalItems"]
    );
    let wrong = server
        .get("/api/audit-logs/all?filters[userId]=42")
        .key(&key)
        .send();
    wrong.refuses_field("filters[userId]");
}

#[test]
fn the_address_is_the_clients_behind_a_trusted_proxy_only() {
    for (options, expected) in [
        (
            &["--trusted-proxy", "10.0.0.0/8,127.0.0.0/8"][..],
            "203.0.113.9",
        ),
        (&["--trusted-proxy", "10.0.0.0/8"], "127.0.0.1"),
        (&[], "127.0.0.1"),
    ] {
        let server = Server::with(options);
        let (_, key) = server.claim_with_key();
        let create = server
            .post("/api/users")
            .key(&key)
            .json(&json!({ "username": "bob" }));
        let reply = create
            .header("X-Forwarded-For", "192.0.2.1, 203.0.113.9, 10.0.0.3")
            .send();
        assert_eq!(reply.status, 201);
        let log = server.get("/api/audit-logs/all").key(&key).send().json();
        assert_eq!(log["data"][0]["ipAddress"], expected);
    }
}

#[test]
fn all_others_of_ones_own_are_ended_at_once() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (id, first) = server.user_with_session(&key, "bob");
    let (_, eve) = server.user_with_session(&key, "eve");
    let id = keyplate::UserId::parse(&id).unwrap();
    let open = || {
        let library = server.library();
        let signed_in = library.create_session(&id, Default::default(), None);
        signed_in.unwrap().secret.reveal()
    };
    let (second, third) = (open(), open());
    let end = |request: crate::support::Request<'_>| request.send().status;
    assert_eq!(
        end(server.request("DELETE", "/api/sessions").bearer(&first)),
        204
    );
    for ended in [&second, &third] {
        let reply = server.get("/api/users/me").bearer(ended).send();
        reply.is_refused(401, "token_invalid_or_expired");
    }
    for kept in [&first, &eve] {
        assert_eq!(server.get("/api/users/me").bearer(kept).send().status, 200);
    }
    let own_key = server.make_key(&first, "script", None);
    assert_eq!(
        end(server.request("DELETE", "/api/sessions").key(&own_key)),
        204
    );
    let reply = server.get("/api/users/me").bearer(&first).send();
    reply.is_refused(401, "token_invalid_or_expired");
}

#[test]
fn administrators_see_and_end_the_sessions_of_others() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (id, session) = server.user_with_session(&key, "bob");
    let path = format!("/api/users/{id}/sessions");
    let list = server.get(&path).key(&key).send().json();
    assert_eq!(list["pagination"]["totalItems"], 1);
    assert_eq!(list["data"][0]["current"], false);
    // One of them is ended as one's own are.
    let one = format!("/api/sessions/{}", list["data"][0]["id"].as_str().unwrap());
    assert_eq!(server.request("DELETE", &one).key(&key).send().status, 204);
    let me = server.get("/api/users/me").bearer(&session).send();
    me.is_refused(401, "token_invalid_or_expired");

    let (id, session) = server.user_with_session(&key, "eve");
    let path = format!("/api/users/{id}/sessions");
    for method in ["GET", "DELETE"] {
        let by_eve = server.request(method, &path).bearer(&session).send();
        by_eve.is_refused(403, "forbidden");
        let of_nobody = server.request(method, "/api/users/42/sessions").key(&key);
        of_nobody.send().is_refused(404, "not_found");
    }
    assert_eq!(server.request("DELETE", &path).key(&key).send().status, 204);
    let me = server.get("/api/users/me").bearer(&session).send();
    me.is_refused(401, "token_invalid_or_expired");
}

#[test]
fn an_administrator_who_ends_their_own_sessions_keeps_the_one_that_asks() {
    let server = Server::start();
    let session = server.claim();
    let me = server.get("/api/users/me").bearer(&session).send().json();
    let id = me["id"].as_str().unwrap();
    let parsed = keyplate::UserId::parse(id).unwrap();
    let library = server.library();
    let other = library.create_session(&parsed, keyplate::ClientInfo::default(), None);
    let other = other.unwrap().secret.reveal();
    let path = format!("/api/users/{id}/sessions");
    let ended = server.request("DELETE", &path).bearer(&session).send();
    assert_eq!(ended.status, 204);
    assert_eq!(
        server.get("/api/users/me").bearer(&session).send().status,
        200
    );
    let gone = server.get("/api/users/me").bearer(&other).send();
    gone.is_refused(401, "token_invalid_or_expired");
}
