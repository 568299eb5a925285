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
        ["ACCOUNT_CREATED"]
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

/// Exporters count events by the names that Pocket ID gives them, and scripts of ours by the library's.
#[test]
fn events_have_two_names_and_are_found_by_either() {
    let (server, key) = Server::inviting(&[]);
    let (_, token) = server.invitation(&key, json!({ "usageLimit": 9 }));
    let bob = text(&server.sign_up("bob", &token).json()["id"]);
    let code = server.made(
        &key,
        &format!("/api/users/{bob}/one-time-access-token"),
        json!({}),
    );
    let code = format!("/api/one-time-access-token/{}", text(&code["token"]));
    assert_eq!(server.post(&code).send().status, 200);
    let (carol, _) = server.user_with_session(&key, "carol");
    let list = |query: &str| -> Vec<(String, String)> {
        let path = format!("/api/audit-logs/all?limit=100&{query}");
        let reply = server.get(&path).key(&key).send();
        assert_eq!(reply.status, 200, "{query}: {}", reply.body);
        let page = reply.json();
        let rows = page["data"].as_array().unwrap();
        assert_eq!(page["pagination"]["totalItems"], rows.len(), "{query}");
        let pairs = rows
            .iter()
            .map(|row| (text(&row["event"]), text(&row["kind"])));
        pairs.collect()
    };
    let pair = |event: &str, kind: &str| (event.to_owned(), kind.to_owned());
    for (event, expected) in [
        ("SIGN_IN", vec![pair("SIGN_IN", "SESSION_CREATED")]),
        (
            "TOKEN_SIGN_IN",
            vec![pair("TOKEN_SIGN_IN", "ONE_TIME_TOKEN_REDEEMED")],
        ),
        (
            "USER_SIGNED_UP",
            vec![pair("ACCOUNT_CREATED", "USER_SIGNED_UP")],
        ),
        (
            "ACCOUNT_CREATED",
            vec![
                pair("ACCOUNT_CREATED", "USER_CREATED"),
                pair("ACCOUNT_CREATED", "USER_SIGNED_UP"),
                pair("ACCOUNT_CREATED", "SETUP_CLAIMED"),
            ],
        ),
        (
            "SIGNUP_TOKEN_CREATED",
            vec![pair("SIGNUP_TOKEN_CREATED", "SIGNUP_TOKEN_CREATED")],
        ),
        ("CLIENT_AUTHORIZATION", vec![]),
    ] {
        assert_eq!(
            list(&format!("filters[event]={event}")),
            expected,
            "{event}"
        );
        assert_eq!(
            list(&format!("filters[event][0]={event}")),
            expected,
            "{event}"
        );
    }
    let several = "filters[event][0]=SIGN_IN&filters[event][1]=USER_CREATED&filters[event][2]=CLIENT_AUTHORIZATION";
    assert_eq!(list(several).len(), 2);
    let of_both = format!(
        "filters[userID][0]={bob}&filters[userID][1]={carol}&filters[event]=ACCOUNT_CREATED"
    );
    assert_eq!(list(&of_both).len(), 2);
    assert_eq!(list("filters[clientName]=Grafana"), []);
    let times = |query: &str| -> Vec<String> {
        let path = format!("/api/audit-logs/all?limit=100&{query}");
        let page = server.get(&path).key(&key).send().json();
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| text(&row["createdAt"])).collect()
    };
    // Texts of one width: exporters compare them as they are.
    let newest_first = times("");
    assert!(
        newest_first
            .iter()
            .all(|time| time.len() == 24 && time.ends_with('Z'))
    );
    assert!(times("sort[column]=createdAt&sort[direction]=ASC").is_sorted());
    assert_eq!(
        times("sort[column]=createdAt&sort[direction]=desc").first(),
        newest_first.first()
    );
    let kinds = list("sort[column]=event");
    assert!(
        kinds.is_sorted_by_key(|(_, kind)| kind.clone()),
        "{kinds:?}"
    );

    let path = "/api/audit-logs/filters/client-names";
    assert_eq!(server.get(path).key(&key).send().json(), json!([]));
    let clients = server
        .get("/api/oidc/clients?limit=5&sort[column]=name")
        .key(&key)
        .send();
    let expected = json!({
        "data": [],
        "pagination": { "totalPages": 1, "totalItems": 0, "currentPage": 1, "itemsPerPage": 5 },
    });
    assert_eq!(clients.json(), expected);
    server
        .get("/api/oidc/clients")
        .send()
        .is_refused(401, "not_signed_in");
}
