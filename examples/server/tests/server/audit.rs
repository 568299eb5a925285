use serde_json::{Value, json};

use crate::support::{Server, text};

#[test]
fn the_log_is_filtered() {
    let (server, key) = Server::inviting(&[]);
    let (_, token) = server.invitation(&key, json!({}));
    let bob = server.sign_up("bob", &token);
    let (session, bob) = (bob.cookie_value(), text(&bob.json()["id"]));
    server
        .sign_up("eve", &token)
        .is_refused(401, "token_invalid_or_expired");
    let events = |path: &str| -> Vec<String> {
        let reply = server.get(path).key(&key).send();
        assert_eq!(reply.status, 200, "{}", reply.body);
        let json: Value = reply.json();
        let data = json["data"].as_array().unwrap().iter();
        data.map(|event| text(&event["event"])).collect()
    };
    let all = "/api/audit-logs/all";
    assert_eq!(
        events(&format!("{all}?filters[event]=SIGNUP_REFUSED")),
        ["SIGNUP_REFUSED"]
    );
    assert_eq!(
        events(&format!("{all}?filters%5BuserId%5D={bob}")),
        ["USER_SIGNED_UP"]
    );
    assert!(events(all).len() > 5);
    for (query, field) in [
        ("filters[event]=DANCE", "filters[event]"),
        ("filters[event]=user_created", "filters[event]"),
        ("filters[userId]=42", "filters[userId]"),
    ] {
        let reply = server.get(&format!("{all}?{query}")).key(&key).send();
        reply.refuses_field(field);
    }
    let own = server
        .get("/api/audit-logs?filters[event]=USER_SIGNED_UP")
        .bearer(&session);
    let own = own.send().json();
    assert_eq!(own["pagination"]["totalItems"], 1);
    let row = &own["data"][0];
    assert_eq!(
        (&row["userID"], &row["username"], &row["ipAddress"]),
        (&json!(bob), &json!("bob"), &json!("127.0.0.1"))
    );
    assert_eq!(row["actorUsername"], json!(null), "a stranger did it");

    let path = "/api/audit-logs/filters/users";
    let users = server.get(path).key(&key).send().json();
    assert_eq!(users.as_object().unwrap().len(), 2);
    assert_eq!(users[&bob], "bob");
    server
        .get(path)
        .bearer(&session)
        .send()
        .is_refused(403, "forbidden");
    server.get(path).send().is_refused(401, "not_signed_in");

    let path = "/api/audit-logs/filters/events";
    let events = server.get(path).key(&key).send().json();
    assert!(events.as_array().unwrap().contains(&json!("USER_CREATED")));
    server
        .get(path)
        .bearer(&session)
        .send()
        .is_refused(403, "forbidden");
}

#[test]
fn a_user_who_is_disabled_by_replacing_him_is_found_as_such() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let bob = text(&server.made(&key, "/api/users", json!({ "username": "bob" }))["id"]);
    let count = |event: &str| {
        let path = format!("/api/audit-logs/all?filters[event]={event}&filters[userId]={bob}");
        server.get(&path).key(&key).send().json()["pagination"]["totalItems"].clone()
    };
    for (disabled, counts) in [(true, [1, 0]), (true, [1, 0]), (false, [1, 1])] {
        let body = json!({ "username": "bob", "disabled": disabled });
        let path = format!("/api/users/{bob}");
        let reply = server.request("PUT", &path).key(&key).json(&body).send();
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(["USER_DISABLED", "USER_ENABLED"].map(count), counts);
    }
}

/// A1: that an administrator did it, and neither who nor from where.
#[test]
fn ones_own_log_tells_nothing_of_administrators() {
    let (server, key) = Server::inviting(&[]);
    let (bob, session) = server.user_with_session(&key, "bob");
    let path = format!("/api/users/{bob}");
    let body = json!({ "username": "bob", "displayName": "Bob" });
    server.request("PUT", &path).key(&key).json(&body).send();
    let row = |path: &str, credential: &str| {
        let path = format!("{path}?filters[event]=USER_UPDATED");
        let log = server.get(&path).bearer(credential).send().json();
        log["data"][0].clone()
    };
    let own = row("/api/audit-logs", &session);
    assert_eq!(own["username"], "bob", "{own}");
    for name in ["actorUsername", "ipAddress", "device"] {
        assert_eq!(own[name], json!(null), "{own}");
    }
    assert_eq!(own["data"]["by_api_key"], json!(null), "{own}");
    let whole = row("/api/audit-logs/all", &key);
    assert_eq!(whole["actorUsername"], "admin", "{whole}");
    assert_eq!(whole["ipAddress"], "127.0.0.1");
    assert!(whole["data"]["by_api_key"].is_string(), "{whole}");
}
