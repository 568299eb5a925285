use std::{thread, time::Duration};

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::support::{Reply, Server, text};

fn put(server: &Server, key: &str, id: &str, body: Value) -> Reply {
    let path = format!("/api/signup-tokens/{id}");
    server.request("PUT", &path).key(key).json(&body).send()
}

#[test]
fn a_token_is_made_listed_and_revoked() {
    let (server, key) = Server::inviting(&[]);
    let group = server.made(&key, "/api/user-groups", json!({ "name": "friends" }));
    let made = server.made(
        &key,
        "/api/signup-tokens",
        json!({
            "ttl": "24h", "usageLimit": 2, "userGroupIds": [group["id"]], "note": "cousins", "approval": false,
            "accountLifetime": "30d", "email": "@mail.example",
        }),
    );
    let (id, secret) = (text(&made["id"]), text(&made["token"]));
    assert!(
        secret.starts_with("kp_inv_") && secret.len() == 56,
        "{made}"
    );
    for (name, value) in [
        ("usageLimit", json!(2)),
        ("usageCount", json!(0)),
        ("note", json!("cousins")),
        ("approval", json!(false)),
        ("accountLifetime", json!(2_592_000)),
        ("email", json!("@mail.example")),
        ("state", json!("usable")),
    ] {
        assert_eq!(made[name], value, "{name}");
    }
    assert_eq!(made["userGroups"][0]["friendlyName"], "friends");
    let end = OffsetDateTime::parse(&text(&made["expiresAt"]), &Rfc3339).unwrap();
    let hours = (end - OffsetDateTime::now_utc()).as_seconds_f64() / 3_600.0;
    assert!((23.9..=24.0).contains(&hours), "{hours}");

    let listed = server.get("/api/signup-tokens").key(&key).send();
    assert!(!listed.body.contains(&secret), "the secret is shown once");
    let mut masked = made.clone();
    masked["token"] = json!(format!("kp_inv_…{}", &secret[secret.len() - 4..]));
    assert_eq!(listed.json()["data"], json!([masked]));

    let body = json!({ "username": "bob", "email": "bob@mail.example", "token": secret });
    let request = server.post("/api/signup").json(&body);
    let bob = request.header("User-Agent", "a browser").send();
    assert_eq!(bob.status, 201, "{}", bob.body);
    assert_eq!(bob.json()["userGroups"][0]["name"], "friends");
    assert_ne!(bob.json()["expiresAt"], json!(null));
    let path = format!("/api/signup-tokens/{id}/redemptions");
    let uses = server.get(&path).key(&key).send().json();
    let use_ = &uses["data"][0];
    assert_eq!(use_["userID"], bob.json()["id"]);
    assert_eq!(
        (&use_["username"], &use_["ipAddress"], &use_["device"]),
        (&json!("bob"), &json!("127.0.0.1"), &json!("a browser"))
    );

    let path = format!("/api/signup-tokens/{id}");
    assert_eq!(server.request("DELETE", &path).key(&key).send().status, 204);
    let total = |query: &str| {
        let list = server.get(&format!("/api/signup-tokens{query}")).key(&key);
        list.send().json()["pagination"]["totalItems"].clone()
    };
    assert_eq!((total(""), total("?all=true")), (json!(0), json!(1)));
    put(&server, &key, &id, json!({ "enabled": false })).is_refused(409, "conflict");
    let me = server
        .get("/api/users/me")
        .bearer(&bob.cookie_value())
        .send();
    assert_eq!(me.status, 200, "the account stays");
    for (method, path) in [
        ("GET", "/api/signup-tokens/42"),
        (
            "DELETE",
            "/api/signup-tokens/0190a1b2-0000-7000-8000-00000000abcd",
        ),
        (
            "GET",
            "/api/signup-tokens/0190a1b2-0000-7000-8000-00000000abcd/redemptions",
        ),
    ] {
        let reply = server.request(method, path).key(&key).send();
        reply.is_refused(404, "not_found");
        assert_eq!(reply.json()["error"], "Sign-up token not found");
    }
}

#[test]
fn without_end_and_limit_or_with_their_defaults() {
    let (server, key) = Server::inviting(&[]);
    let made = |body| server.made(&key, "/api/signup-tokens", body);
    let endless = made(json!({ "ttl": null, "usageLimit": null }));
    assert_eq!(
        (&endless["expiresAt"], &endless["usageLimit"]),
        (&json!(null), &json!(null))
    );
    let usual = made(json!({}));
    assert_eq!(usual["usageLimit"], 1);
    assert_ne!(usual["expiresAt"], json!(null));
    assert_eq!(
        (&usual["approval"], &usual["enabled"]),
        (&json!(null), &json!(true))
    );
    for ttl in [
        json!(2_678_400),
        json!("744h"),
        json!("31d"),
        json!("1h30m"),
    ] {
        made(json!({ "ttl": ttl, "usageLimit": 100 }));
    }
}

/// S2.
#[test]
fn each_change_shows_at_the_next_sign_up() {
    let (server, key) = Server::inviting(&[]);
    let group = server.made(&key, "/api/user-groups", json!({ "name": "friends" }));
    let body = json!({ "ttl": 1, "usageLimit": 2, "userGroupIds": [group["id"]] });
    let (id, token) = server.invitation(&key, body);
    let sign_up = |name: &str| server.sign_up(name, &token);
    let change = |body: Value, state: &str| {
        let reply = put(&server, &key, &id, body);
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.json()["state"], state, "{}", reply.body);
    };
    let is_refused = |name: &str| sign_up(name).is_refused(401, "token_invalid_or_expired");

    assert_eq!(sign_up("guest1").status, 201);
    thread::sleep(Duration::from_millis(1_100));
    is_refused("guest2");
    change(json!({ "ttl": "1h" }), "usable");
    assert_eq!(sign_up("guest2").status, 201, "extended");
    is_refused("guest3");
    change(json!({ "usageLimit": 4 }), "usable");
    assert_eq!(sign_up("guest3").status, 201, "raised");
    change(json!({ "usageLimit": 3 }), "exhausted");
    is_refused("guest4");
    put(&server, &key, &id, json!({ "usageLimit": 2 })).refuses_field("usageLimit");
    change(json!({ "usageLimit": null }), "usable");
    change(json!({ "enabled": false }), "paused");
    is_refused("guest4");
    change(json!({ "enabled": true }), "usable");
    let fourth = sign_up("guest4");
    assert_eq!(fourth.status, 201, "resumed");
    assert_eq!(fourth.json()["userGroups"][0]["name"], "friends");
    let path = format!("/api/user-groups/{}", text(&group["id"]));
    assert_eq!(server.request("DELETE", &path).key(&key).send().status, 204);
    let fifth = sign_up("guest5");
    assert_eq!(fifth.status, 201, "{}", fifth.body);
    assert_eq!(fifth.json()["userGroups"], json!([]), "nothing to give");

    change(json!({ "email": "ann@mail.example" }), "usable");
    is_refused("guest6");
    change(
        json!({ "email": null, "approval": true, "note": "all" }),
        "usable",
    );
    assert_eq!(sign_up("guest6").status, 202);
    change(json!({ "approval": null, "accountLifetime": 60 }), "usable");
    assert_ne!(sign_up("guest7").json()["expiresAt"], json!(null));
    let other = server.made(&key, "/api/user-groups", json!({ "name": "others" }));
    let grants = json!({
        "userGroupIds": [other["id"]], "customClaims": [{ "key": "quota", "value": "5" }], "accountLifetime": null,
    });
    change(grants, "usable");
    let eighth = sign_up("guest8").json();
    assert_eq!(eighth["userGroups"][0]["name"], "others");
    assert_eq!(
        eighth["customClaims"],
        json!([{ "key": "quota", "value": "5" }])
    );
    assert_eq!(eighth["expiresAt"], json!(null));
    let shown = server
        .get(&format!("/api/signup-tokens/{id}"))
        .key(&key)
        .send();
    assert_eq!(shown.json()["usageCount"], 8);
    assert_eq!(shown.json()["note"], "all", "what is left out stays");
}

#[test]
fn wrong_values_name_their_field() {
    let (server, key) = Server::inviting(&[]);
    let (id, _) = server.invitation(&key, json!({}));
    for (field, value) in [
        ("ttl", json!("soon")),
        ("ttl", json!(0.5)),
        ("ttl", json!(-5)),
        ("ttl", json!("32d")),
        ("ttl", json!(2_678_401)),
        ("ttl", json!(99_999_999_999_u64)),
        ("ttl", json!(true)),
        ("usageLimit", json!(0)),
        ("usageLimit", json!(101)),
        ("usageLimit", json!(-1)),
        ("usageLimit", json!("many")),
        ("note", json!("x".repeat(501))),
        ("note", json!("a\u{7}b")),
        ("approval", json!("perhaps")),
        ("accountLifetime", json!(0)),
        ("accountLifetime", json!("long")),
        ("email", json!("nobody")),
        ("email", json!("@")),
        ("userGroupIds", json!(["42"])),
        ("userGroupIds", json!("42")),
        (
            "userGroupIds",
            json!(["0190a1b2-0000-7000-8000-00000000abcd"]),
        ),
    ] {
        let body = json!({ field: value });
        let create = server.post("/api/signup-tokens").key(&key).json(&body);
        create.send().refuses_field(field);
        put(&server, &key, &id, body).refuses_field(field);
    }
    for nothing in [json!(0), json!("0s")] {
        // Of what is there, no default is asked for.
        put(&server, &key, &id, json!({ "ttl": nothing })).refuses_field("ttl");
    }
    put(&server, &key, &id, json!({ "enabled": "no" })).refuses_field("enabled");
    let claims = json!({ "customClaims": [{ "key": "sub", "value": "x" }] });
    let create = server.post("/api/signup-tokens").key(&key).json(&claims);
    create.send().refuses_field("customClaims");
    let refusal = put(&server, &key, &id, claims).refusal();
    assert_eq!((refusal.0, refusal.1.as_str()), (400, "reserved_claim"));
    let list = server.get("/api/signup-tokens").key(&key).send().json();
    assert_eq!(list["pagination"]["totalItems"], 1);
}

/// S2, K2.
#[test]
fn nobody_gives_what_he_may_not_give() {
    let (server, key) = Server::inviting(&[]);
    let group = server.made(&key, "/api/user-groups", json!({ "name": "friends" }));
    let admin = server.get("/api/users/me").key(&key).send().json();
    let id = keyplate::UserId::parse(admin["id"].as_str().unwrap()).unwrap();
    let weak_key = |scopes: &[&str]| {
        let key = keyplate::NewApiKey {
            name: "weak".into(),
            scopes: scopes.iter().map(|&scope| scope.into()).collect(),
            owner_id: Some(id),
            ..Default::default()
        };
        server
            .library()
            .create_api_key(key)
            .unwrap()
            .secret
            .reveal()
    };
    let weak = weak_key(&["signup_tokens:write"]);
    let with_group = json!({ "userGroupIds": [group["id"]] });
    let create =
        |key: &str, body: &Value| server.post("/api/signup-tokens").key(key).json(body).send();
    create(&weak, &with_group).is_refused(403, "forbidden");
    let plain = create(&weak, &json!({}));
    assert_eq!(plain.status, 201, "{}", plain.body);
    let id = text(&plain.json()["id"]);
    put(&server, &weak, &id, with_group.clone()).is_refused(403, "forbidden");
    // Nor makes one work again that gives it.
    let (given, _) = server.invitation(&key, with_group.clone());
    put(&server, &weak, &given, json!({ "ttl": "1h" })).is_refused(403, "forbidden");
    // What they may not look at has no name for them.
    let list = server.get("/api/signup-tokens").key(&weak).send().json();
    assert_eq!(
        list["data"][0]["userGroups"],
        json!([{ "id": group["id"] }])
    );
    let stronger = weak_key(&["signup_tokens:write", "groups:write"]);
    let made = create(&stronger, &with_group);
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.json()["userGroups"][0]["name"], "friends");
    let reader = weak_key(&["signup_tokens:read"]);
    create(&reader, &json!({})).is_refused(403, "forbidden");
    let users_only = weak_key(&["users:write"]);
    let body = json!({ "username": "bob", "userGroupIds": [group["id"]] });
    let user = server
        .post("/api/users")
        .key(&users_only)
        .json(&body)
        .send();
    user.is_refused(403, "forbidden");
    let path = "/api/application-configuration";
    let defaults = json!({ "signupDefaultUserGroupIDs": [group["id"]] });
    let settings = weak_key(&["settings:write"]);
    let request = server.request("PUT", path).key(&settings).json(&defaults);
    request.send().is_refused(403, "forbidden");
    let total = server.get("/api/users").key(&key).send().json();
    assert_eq!(total["pagination"]["totalItems"], 1);
}
