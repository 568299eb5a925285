use serde_json::{Value, json};

use crate::support::{Reply, Server, text};

const PATH: &str = "/api/services";
const NOBODY: &str = "0190a1b2-0000-7000-8000-00000000abcd";

fn put(server: &Server, key: &str, path: &str, body: &Value) -> Reply {
    server.request("PUT", path).key(key).json(body).send()
}

fn group(server: &Server, key: &str, name: &str) -> String {
    text(&server.made(key, "/api/user-groups", json!({ "name": name }))["id"])
}

/// How often each of these was written to the audit log.
fn count(server: &Server, key: &str, event: &str) -> Value {
    let path = format!("/api/audit-logs/all?filters[event]={event}");
    server.get(&path).key(key).send().json()["pagination"]["totalItems"].clone()
}

fn slugs(list: &Value) -> Vec<String> {
    let services = list["data"].as_array().unwrap();
    services
        .iter()
        .map(|service| text(&service["slug"]))
        .collect()
}

#[test]
fn a_service_is_made_read_replaced_and_deleted() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let friends = group(&server, &key, "friends");
    let made = server.made(&key, PATH, json!({ "slug": "films" }));
    let id = text(&made["id"]);
    let path = format!("{PATH}/{id}");
    let mut expected = json!({
        "id": id, "slug": "films", "name": "films", "origins": [], "isOpenToEveryone": false,
        "userGroups": [], "wantsToken": false, "createdAt": made["createdAt"],
    });
    assert_eq!(made, expected, "closed at first");
    assert_eq!(server.get(&path).key(&key).send().json(), expected);

    let whole = json!({
        "slug": "cinema", "name": "Films & series", "origins": ["https://films.example"],
        "isOpenToEveryone": false, "userGroupIds": [friends],
    });
    let replaced = put(&server, &key, &path, &whole);
    assert_eq!(replaced.status, 200, "{}", replaced.body);
    expected["slug"] = json!("cinema");
    expected["name"] = json!("Films & series");
    expected["origins"] = json!(["https://films.example"]);
    expected["userGroups"] = replaced.json()["userGroups"].clone();
    assert_eq!(expected["userGroups"][0]["name"], "friends");
    assert_eq!(replaced.json(), expected);
    let list = server.get(PATH).key(&key).send().json();
    assert_eq!(list["data"], json!([expected]));
    assert_eq!(list["pagination"]["totalItems"], 1);

    let mut wanting = whole.clone();
    wanting["wantsToken"] = json!(true);
    expected["wantsToken"] = json!(true);
    assert_eq!(put(&server, &key, &path, &wanting).json(), expected);
    // What is left out stays: who knows nothing of it takes nothing away.
    let updates = count(&server, &key, "SERVICE_UPDATED");
    let again = put(&server, &key, &path, &whole);
    assert_eq!(again.json(), expected);
    assert_eq!(count(&server, &key, "SERVICE_UPDATED"), updates);
    assert_eq!(count(&server, &key, "SERVICE_ACCESS_CHANGED"), 1);

    let access = json!({ "isOpenToEveryone": true, "userGroupIds": [] });
    let opened = put(&server, &key, &format!("{path}/access"), &access).json();
    assert_eq!(opened["isOpenToEveryone"], true);
    assert_eq!(opened["userGroups"], json!([]));
    assert_eq!(server.request("DELETE", &path).key(&key).send().status, 204);
    for reply in [
        server.get(&path).key(&key).send(),
        server.request("DELETE", &path).key(&key).send(),
        put(&server, &key, &path, &whole),
        put(&server, &key, &format!("{path}/access"), &access),
        server.get(&format!("{path}/authorize")).key(&key).send(),
        server
            .get("/api/services/cinema/authorize")
            .key(&key)
            .send(),
        server.get("/api/services/42").key(&key).send(),
    ] {
        reply.is_refused(404, "not_found");
        assert_eq!(reply.json()["error"], "Service not found");
    }
}

#[test]
fn wrong_fields_are_named_and_nothing_is_left_half_done() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let friends = group(&server, &key, "friends");
    server.made(&key, PATH, json!({ "slug": "taken" }));
    let good = json!({
        "slug": "films", "name": "Films", "origins": ["https://films.example"],
        "isOpenToEveryone": false, "userGroupIds": [friends],
    });
    let path = format!(
        "{PATH}/{}",
        text(&server.made(&key, PATH, good.clone())["id"])
    );
    let before = server.get(&path).key(&key).send().json();
    assert_eq!(before["userGroups"][0]["id"], json!(friends));
    for (field, value) in [
        ("slug", json!("")),
        ("slug", json!("Films")),
        ("slug", json!("users")),
        ("slug", json!(3)),
        ("name", json!("")),
        ("name", json!("x".repeat(101))),
        ("origins", json!(["https://films.example/path"])),
        ("origins", json!(["javascript:alert(1)"])),
        ("origins", json!([3])),
        ("isOpenToEveryone", json!("yes")),
        ("userGroupIds", json!(["x"])),
        ("userGroupIds", json!([NOBODY])),
        ("userGroupIds", json!([friends, NOBODY])),
    ] {
        let mut body = json!({
            "slug": "other", "name": "Other", "origins": ["https://other.example"],
            "isOpenToEveryone": true, "userGroupIds": [],
        });
        body[field] = value;
        let made = server.post(PATH).key(&key).json(&body).send();
        made.refuses_field_within(field);
        put(&server, &key, &path, &body).refuses_field_within(field);
        let list = server.get(PATH).key(&key).send().json();
        assert_eq!(slugs(&list), ["films", "taken"], "{body}");
        assert_eq!(list["data"][0], before, "{body}");
    }
    // What replaces is said in full: nothing closes, opens or moves because it was left out.
    for field in [
        "slug",
        "name",
        "origins",
        "isOpenToEveryone",
        "userGroupIds",
    ] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(field);
        put(&server, &key, &path, &body).refuses_field(field);
    }
    for field in ["isOpenToEveryone", "userGroupIds"] {
        let mut body = json!({ "isOpenToEveryone": true, "userGroupIds": [] });
        body.as_object_mut().unwrap().remove(field);
        put(&server, &key, &format!("{path}/access"), &body).refuses_field(field);
    }
    let unknown = json!({ "isOpenToEveryone": true, "userGroupIds": [NOBODY] });
    put(&server, &key, &format!("{path}/access"), &unknown).refuses_field("userGroupIds");

    let mut taken = good;
    taken["slug"] = json!("taken");
    taken["isOpenToEveryone"] = json!(true);
    for reply in [
        server.post(PATH).key(&key).json(&taken).send(),
        put(&server, &key, &path, &taken),
    ] {
        reply.is_taken("slug");
        assert_eq!(reply.json()["error"], "Slug is already in use");
    }
    assert_eq!(server.get(&path).key(&key).send().json(), before);
}

/// A service closed to all, one for a group, one for everyone; the group.
fn three(server: &Server, key: &str) -> String {
    let friends = group(server, key, "friends");
    for body in [
        json!({ "slug": "closed" }),
        json!({ "slug": "films", "userGroupIds": [friends] }),
        json!({ "slug": "library", "isOpenToEveryone": true }),
    ] {
        server.made(key, PATH, body);
    }
    friends
}

#[test]
fn who_may_use_what() {
    let (server, admin) = Server::inviting(&[]);
    let friends = three(&server, &admin);
    let (member, members) = server.user_with_session(&admin, "member");
    let (disabled, of_disabled) = server.user_with_session(&admin, "disabled");
    let (_, strangers) = server.user_with_session(&admin, "stranger");
    put(
        &server,
        &admin,
        &format!("/api/user-groups/{friends}/users"),
        &json!({ "userIds": [member, disabled] }),
    );
    put(
        &server,
        &admin,
        &format!("/api/users/{disabled}"),
        &json!({ "username": "disabled", "disabled": true }),
    );
    let (_, token) = server.invitation(&admin, json!({ "approval": true }));
    let pending = server.sign_up("pending", &token);
    assert_eq!(pending.status, 202);
    let of_pending = pending.cookie_value();
    let key = |name: &str, scopes: &[&str]| server.make_key(&members, name, Some(scopes));
    let (all, films) = (key("all", &["*"]), key("films", &["films:watch"]));
    let (library, none) = (
        key("library", &["library:stream"]),
        key("none", &["services:read"]),
    );

    let missing = "missing_scope";
    let waits = "account_pending";
    for (who, credential, reasons) in [
        ("a member", &members, ["closed", "group", "everyone"]),
        ("a stranger", &strangers, ["closed", "no_group", "everyone"]),
        (
            "an administrator's key",
            &admin,
            ["closed", "no_group", "everyone"],
        ),
        ("a pending user", &of_pending, [waits, waits, waits]),
        ("a key with *", &all, ["closed", "group", "everyone"]),
        ("a key of films", &films, [missing, "group", missing]),
        (
            "a key of the library",
            &library,
            [missing, missing, "everyone"],
        ),
        ("a key of neither", &none, [missing, missing, missing]),
    ] {
        for (slug, reason) in ["closed", "films", "library"].into_iter().zip(reasons) {
            let path = format!("{PATH}/{slug}/authorize");
            let reply = server.get(&path).bearer(credential).send();
            let allowed = matches!(reason, "everyone" | "group");
            let status = if allowed { 200 } else { 403 };
            assert_eq!(reply.status, status, "{who}, {slug}: {}", reply.body);
            let decision = reply.json();
            assert_eq!(
                (&decision["allowed"], &decision["reason"]),
                (&json!(allowed), &json!(reason)),
                "{who}, {slug}"
            );
        }
    }
    let path = format!("{PATH}/films/authorize");
    // Whose credential does not work is told so before anything else, as everywhere.
    let refused = server.get(&path).bearer(&of_disabled).send();
    refused.is_refused(403, "user_disabled");
    let refused = server.get(&path).bearer("kp_key_nonsense").send();
    refused.is_refused(401, "token_invalid_or_expired");
    server.get(&path).send().is_refused(401, "not_signed_in");
    let unknown = server.get("/api/services/nothing/authorize");
    unknown.key(&admin).send().is_refused(404, "not_found");

    let decision = server.get(&path).bearer(&members).send().json();
    let films = text(&decision["serviceId"]);
    let by_id = format!("{PATH}/{films}/authorize");
    assert_eq!(server.get(&by_id).key(&all).send().json(), decision);
    assert_eq!(decision["userID"], json!(member));
}

#[test]
fn everybody_sees_what_he_may_use_and_administrators_all() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let friends = three(&server, &key);
    let (member, members) = server.user_with_session(&key, "member");
    let (_, strangers) = server.user_with_session(&key, "stranger");
    put(
        &server,
        &key,
        &format!("/api/user-groups/{friends}/users"),
        &json!({ "userIds": [member] }),
    );
    let list = |credential: &str, query: &str| {
        let reply = server.get(&format!("{PATH}{query}")).bearer(credential);
        slugs(&reply.send().json())
    };
    assert_eq!(list(&key, ""), ["closed", "films", "library"]);
    assert_eq!(list(&members, ""), ["films", "library"]);
    assert_eq!(list(&strangers, ""), ["library"]);
    assert_eq!(list(&key, "?search=ILM"), ["films"]);
    assert_eq!(list(&key, "?search=%25"), [""; 0]);
    assert_eq!(
        list(&key, "?pagination[page]=2&pagination[limit]=2"),
        ["library"]
    );
    assert_eq!(list(&key, &format!("?user={member}")), ["films", "library"]);
    assert_eq!(
        list(&members, &format!("?user={member}")),
        ["films", "library"]
    );
    let others = server.get(&format!("{PATH}?user={member}"));
    others
        .bearer(&strangers)
        .send()
        .is_refused(403, "forbidden");
    let wrong = server.get(&format!("{PATH}?user=42")).key(&key).send();
    wrong.refuses_field("user");

    let services = server.get(PATH).key(&key).send().json();
    let path = |number: usize| format!("{PATH}/{}", text(&services["data"][number]["id"]));
    let status = |credential: &str, number| {
        let request = server.get(&path(number)).bearer(credential);
        request.send().status
    };
    assert_eq!([0, 1, 2].map(|n| status(&members, n)), [404, 200, 200]);
    assert_eq!([0, 1, 2].map(|n| status(&strangers, n)), [404, 404, 200]);

    let whole = json!({
        "slug": "mine", "name": "Mine", "origins": [], "isOpenToEveryone": true, "userGroupIds": [],
    });
    let reader = server.make_key(&session, "reader", Some(&["services:read"]));
    let writer = server.make_key(&session, "writer", Some(&["services:write"]));
    for (method, path) in [
        ("POST", PATH.to_owned()),
        ("PUT", path(1)),
        ("PUT", format!("{}/access", path(1))),
        ("DELETE", path(1)),
    ] {
        let request = server.request(method, &path).json(&whole);
        request.clone().send().is_refused(401, "not_signed_in");
        for credential in [&members, &reader] {
            let reply = request.clone().bearer(credential).send();
            reply.is_refused(403, "forbidden");
        }
    }
    server.get(PATH).send().is_refused(401, "not_signed_in");
    // A key for services makes them without seeing groups.
    let body = json!({ "slug": "series", "userGroupIds": [friends] });
    let made = server.made(&writer, PATH, body);
    assert_eq!(made["userGroups"], json!([{ "id": friends }]));
}

#[test]
fn what_is_deleted_leaves_nothing_dangling() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let friends = three(&server, &key);
    let (member, session) = server.user_with_session(&key, "member");
    let members = format!("/api/user-groups/{friends}/users");
    put(&server, &key, &members, &json!({ "userIds": [member] }));
    let reason = || {
        let path = format!("{PATH}/films/authorize");
        text(&server.get(&path).bearer(&session).send().json()["reason"])
    };
    assert_eq!(reason(), "group");
    let path = format!("/api/user-groups/{friends}");
    assert_eq!(server.request("DELETE", &path).key(&key).send().status, 204);
    assert_eq!(reason(), "closed", "not open to everyone by that");
    let list = server.get(PATH).key(&key).send().json();
    assert_eq!(list["data"][1]["userGroups"], json!([]));

    let films = text(&list["data"][1]["id"]);
    let path = format!("{PATH}/{films}");
    assert_eq!(server.request("DELETE", &path).key(&key).send().status, 204);
    let authorize = format!("{PATH}/films/authorize");
    let gone = server.get(&authorize).bearer(&session).send();
    gone.is_refused(404, "not_found");
    let again = server.made(&key, PATH, json!({ "slug": "films" }));
    assert_eq!(again["userGroups"], json!([]));
    assert_eq!(reason(), "closed");

    for (event, times) in [
        ("SERVICE_CREATED", 4),
        ("SERVICE_ACCESS_CHANGED", 2),
        ("SERVICE_DELETED", 1),
    ] {
        assert_eq!(count(&server, &key, event), times, "{event}");
    }
    let path = "/api/audit-logs/all?filters[event]=SERVICE_DELETED";
    let row = &server.get(path).key(&key).send().json()["data"][0];
    assert_eq!(row["data"]["subject"], "films");
    assert_eq!(row["actorUsername"], "admin");
}
