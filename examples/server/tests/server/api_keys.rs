use serde_json::json;

use crate::support::{BEFORE_LONG, Server};

#[test]
fn a_key_is_made_listed_renewed_and_revoked() {
    let server = Server::start();
    let session = server.claim();
    let body = json!({ "name": "deploy", "description": "the pipeline", "expiresAt": BEFORE_LONG });
    let made = server
        .post("/api/api-keys")
        .bearer(&session)
        .json(&body)
        .send()
        .json();
    let (key, token) = (&made["apiKey"], made["token"].as_str().unwrap());
    assert!(token.starts_with("kp_key_"));
    assert_eq!(key["description"], "the pipeline");
    assert_eq!(key["expiresAt"], BEFORE_LONG);
    assert_eq!(key["expirationEmailSent"], false);
    assert_eq!(
        key["scopes"],
        json!(["*"]),
        "as clients that know of no scopes expect"
    );
    assert_eq!(key["lastUsedAt"], json!(null));
    let me = server.get("/api/users/me").bearer(&session).send().json();
    assert_eq!(key["userID"], me["id"]);
    let path = format!("/api/api-keys/{}", key["id"].as_str().unwrap());

    let listed = server.get("/api/api-keys").key(token).send();
    assert!(!listed.body.contains(token), "shown once");
    assert_eq!(listed.json()["data"][0]["name"], "deploy");

    let renewal = json!({ "expiresAt": "2098-01-01T00:00:00.000Z" });
    let renewed = server
        .post(&format!("{path}/renew"))
        .bearer(&session)
        .json(&renewal)
        .send();
    assert_eq!(renewed.status, 200, "{}", renewed.body);
    let renewed = renewed.json();
    assert_eq!(renewed["apiKey"]["id"], key["id"]);
    assert_eq!(renewed["apiKey"]["expiresAt"], "2098-01-01T00:00:00.000Z");
    let new_token = renewed["token"].as_str().unwrap();
    for token in [token, new_token] {
        assert_eq!(
            server.get("/api/users").key(token).send().status,
            200,
            "both, for a day"
        );
    }
    for bad in [json!({}), json!({ "expiresAt": "2001-01-01T00:00:00Z" })] {
        let reply = server
            .post(&format!("{path}/renew"))
            .bearer(&session)
            .json(&bad)
            .send();
        reply.refuses_field("expiresAt");
    }

    assert_eq!(
        server
            .request("DELETE", &path)
            .bearer(&session)
            .send()
            .status,
        204
    );
    for token in [token, new_token] {
        server
            .get("/api/users")
            .key(token)
            .send()
            .is_refused(401, "token_invalid_or_expired");
    }
    let renewal = server
        .post(&format!("{path}/renew"))
        .bearer(&session)
        .json(&renewal)
        .send();
    renewal.is_refused(404, "not_found");
    assert_eq!(renewal.json()["error"], "API key not found");
}

#[test]
fn own_keys_and_all_keys() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let (_, bobs) = server.user_with_session(&key, "bob");
    let bobs_key = server.make_key(&bobs, "bob's", None);
    let names = |credential: &str, query: &str| -> Vec<String> {
        let list = server
            .get(&format!("/api/api-keys{query}"))
            .key(credential)
            .send()
            .json();
        let data = list["data"].as_array().unwrap().iter();
        data.map(|key| key["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&session, ""), ["automation"]);
    assert_eq!(names(&session, "?all=true"), ["automation", "bob's"]);
    assert_eq!(
        names(&session, "?all=true&sort[column]=name&sort[direction]=desc"),
        ["bob's", "automation"]
    );
    assert_eq!(names(&bobs_key, "?all=true"), ["bob's"]);

    let all = server.get("/api/api-keys?all=true").key(&key).send().json();
    let path = |n: usize| format!("/api/api-keys/{}", all["data"][n]["id"].as_str().unwrap());
    server
        .request("DELETE", &path(0))
        .key(&bobs_key)
        .send()
        .is_refused(404, "not_found");
    let by_admin = server.request("DELETE", &path(1)).key(&key).send();
    assert_eq!(by_admin.status, 204, "an administrator revokes any");
    server
        .get("/api/users/me")
        .key(&bobs_key)
        .send()
        .is_refused(401, "token_invalid_or_expired");
    server
        .request("DELETE", "/api/api-keys/42")
        .key(&key)
        .send()
        .is_refused(404, "not_found");
}

/// K2.
#[test]
fn no_key_of_more_than_its_maker_has() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (_, bobs) = server.user_with_session(&key, "bob");
    let bobs_key = server.make_key(&bobs, "everything", Some(&["*", "roles:write"]));
    for path in ["/api/users", "/api/audit-logs/all"] {
        server
            .get(path)
            .key(&bobs_key)
            .send()
            .is_refused(403, "forbidden");
    }
}

#[test]
fn a_key_may_last_to_the_end_of_the_year_9999() {
    let server = Server::start();
    let session = server.claim();
    for (end, given) in [
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ("9999-12-31T23:59:59.9999Z", "9999-12-31T23:59:59.999Z"),
        ("9999-12-31T22:00:00-01:59", "9999-12-31T23:59:00.000Z"),
    ] {
        let body = json!({ "name": "for ever", "expiresAt": end });
        let made = server.post("/api/api-keys").bearer(&session).json(&body);
        let made = made.send();
        assert_eq!(made.status, 201, "{end}: {}", made.body);
        assert_eq!(made.json()["apiKey"]["expiresAt"], given, "{end}");
    }
    for beyond in [
        "10000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T24:00:00Z",
    ] {
        let body = json!({ "name": "for ever", "expiresAt": beyond });
        let made = server.post("/api/api-keys").bearer(&session).json(&body);
        made.send().refuses_field("expiresAt");
    }
}
