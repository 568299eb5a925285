use serde_json::{Value, json};

use crate::support::{Reply, Server, text};

fn put(server: &Server, key: &str, path: &str, body: Value) -> Reply {
    server.request("PUT", path).key(key).json(&body).send()
}

#[test]
fn a_group_is_made_read_renamed_and_deleted() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let body = json!({ "name": "media_users", "friendlyName": "Media users" });
    let made = server.made(&key, "/api/user-groups", body);
    let id = text(&made["id"]);
    let mut expected = json!({
        "id": id, "name": "media_users", "friendlyName": "Media users", "customClaims": [],
        "createdAt": made["createdAt"], "ldapId": null, "userCount": 0, "users": [],
    });
    assert_eq!(made, expected);
    let path = format!("/api/user-groups/{id}");
    assert_eq!(server.get(&path).key(&key).send().json(), expected);
    let renamed = put(
        &server,
        &key,
        &path,
        json!({ "name": "media", "friendlyName": "Media" }),
    );
    expected["name"] = json!("media");
    expected["friendlyName"] = json!("Media");
    assert_eq!(renamed.json(), expected);
    expected.as_object_mut().unwrap().remove("users");
    let list = server.get("/api/user-groups").key(&key).send().json();
    assert_eq!(list["data"], json!([expected]));
    assert_eq!(list["pagination"]["totalItems"], 1);

    let again = json!({ "name": "MEDIA", "friendlyName": "Other" });
    let again = server
        .post("/api/user-groups")
        .key(&key)
        .json(&again)
        .send();
    again.is_taken("name");
    assert_eq!(again.json()["error"], "Name is already in use");
    assert_eq!(server.request("DELETE", &path).key(&key).send().status, 204);
    for reply in [
        server.get(&path).key(&key).send(),
        server.request("DELETE", &path).key(&key).send(),
        put(
            &server,
            &key,
            &path,
            json!({ "name": "media", "friendlyName": "Media" }),
        ),
        put(
            &server,
            &key,
            &format!("{path}/users"),
            json!({ "userIds": [] }),
        ),
        server.get("/api/user-groups/42").key(&key).send(),
    ] {
        reply.is_refused(404, "not_found");
        assert_eq!(reply.json()["error"], "Group not found");
    }
}

/// G1.
#[test]
fn wrong_names_name_their_field() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let made = server.made(&key, "/api/user-groups", json!({ "name": "good" }));
    let path = format!("/api/user-groups/{}", text(&made["id"]));
    for (field, value) in [
        ("name", json!("")),
        ("name", json!(null)),
        ("name", json!("x")),
        ("name", json!(" xx")),
        ("name", json!("xx ")),
        ("name", json!("x,x")),
        ("name", json!("\u{2800}\u{2800}")),
        ("name", json!("x\u{200b}x")),
        ("name", json!("x\r\nx")),
        ("name", json!("x".repeat(256))),
        ("name", json!(3)),
        ("friendlyName", json!("x")),
        ("friendlyName", json!("")),
        ("friendlyName", json!("x".repeat(51))),
        ("friendlyName", json!(["xx"])),
    ] {
        let mut body = json!({ "name": "other", "friendlyName": "Other" });
        body[field] = value;
        let create = server.post("/api/user-groups").key(&key).json(&body);
        create.send().refuses_field(field);
        put(&server, &key, &path, body).refuses_field(field);
    }
    put(&server, &key, &path, json!({ "name": "other" })).refuses_field("friendlyName");
    assert_eq!(server.get(&path).key(&key).send().json()["name"], "good");
}

#[test]
fn members_are_replaced_from_either_side() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let user =
        |name: &str| text(&server.made(&key, "/api/users", json!({ "username": name }))["id"]);
    let group =
        |name: &str| text(&server.made(&key, "/api/user-groups", json!({ "name": name }))["id"]);
    let (ann, bob) = (user("ann"), user("bob"));
    let (family, friends) = (group("family"), group("friends"));
    let members = format!("/api/user-groups/{family}/users");
    let reply = put(&server, &key, &members, json!({ "userIds": [ann, bob] }));
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.json()["userCount"], 2);
    let users = reply.json()["users"].clone();
    assert_eq!(users[0]["username"], "ann");
    assert_eq!(users[0]["userGroups"][0]["name"], "family");

    let groups = format!("/api/users/{bob}/user-groups");
    let reply = put(
        &server,
        &key,
        &groups,
        json!({ "userGroupIds": [friends, family] }),
    );
    let names = |groups: &Value| -> Vec<String> {
        let groups = groups.as_array().unwrap();
        groups.iter().map(|group| text(&group["name"])).collect()
    };
    assert_eq!(names(&reply.json()["userGroups"]), ["family", "friends"]);
    let of_bob = server
        .get(&format!("/api/users/{bob}/groups"))
        .key(&key)
        .send()
        .json();
    assert_eq!(names(&of_bob), ["family", "friends"]);
    assert_eq!(of_bob[0]["userCount"], 2);
    let by_count = "/api/user-groups?sort[column]=userCount&sort[direction]=desc&search=F";
    let list = server.get(by_count).key(&key).send().json();
    assert_eq!(names(&list["data"]), ["family", "friends"]);
    // A full replacement of the user leaves their groups alone.
    let replaced = put(
        &server,
        &key,
        &format!("/api/users/{bob}"),
        json!({ "username": "rob" }),
    );
    assert_eq!(names(&replaced.json()["userGroups"]), ["family", "friends"]);

    let reply = put(&server, &key, &members, json!({ "userIds": [] }));
    assert_eq!(reply.json()["users"], json!([]));
    let unknown = "0190a1b2-0000-7000-8000-00000000abcd";
    for (path, field) in [(&members, "userIds"), (&groups, "userGroupIds")] {
        for wrong in [
            json!(null),
            json!("x"),
            json!(["x"]),
            json!([unknown]),
            json!([3]),
        ] {
            let reply = put(&server, &key, path, json!({ field: wrong }));
            reply.refuses_field_within(field);
        }
        put(&server, &key, path, json!({})).refuses_field(field);
    }
    let of_bob = server
        .get(&format!("/api/users/{bob}/groups"))
        .key(&key)
        .send()
        .json();
    assert_eq!(
        names(&of_bob),
        ["friends"],
        "nothing was changed by what was refused"
    );
    server
        .get(&format!("/api/users/{unknown}/groups"))
        .key(&key)
        .send()
        .is_refused(404, "not_found");
    let created = json!({ "username": "carol", "userGroupIds": [family] });
    let created = server.made(&key, "/api/users", created);
    assert_eq!(names(&created["userGroups"]), ["family"]);
}

#[test]
fn groups_are_for_administrators_and_keys_that_may() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let group = text(&server.made(&key, "/api/user-groups", json!({ "name": "friends" }))["id"]);
    let (bob, bobs) = server.user_with_session(&key, "bob");
    let path = format!("/api/user-groups/{group}");
    put(
        &server,
        &key,
        &format!("{path}/users"),
        json!({ "userIds": [bob] }),
    );
    for (method, path) in [
        ("GET", "/api/user-groups".to_owned()),
        ("POST", "/api/user-groups".to_owned()),
        ("GET", path.clone()),
        ("PUT", path.clone()),
        ("DELETE", path.clone()),
        ("PUT", format!("{path}/users")),
        ("GET", format!("/api/users/{bob}/groups")),
        ("PUT", format!("/api/users/{bob}/user-groups")),
        ("GET", "/api/custom-claims/suggestions".to_owned()),
        ("PUT", format!("/api/custom-claims/user-group/{group}")),
    ] {
        let request = server.request(method, &path);
        request.clone().send().is_refused(401, "not_signed_in");
        request.bearer(&bobs).send().is_refused(403, "forbidden");
    }
    let me = server.get("/api/users/me").bearer(&bobs).send().json();
    assert_eq!(me["userGroups"][0]["name"], "friends");
    // A key for groups makes them without seeing users; one for users sees of groups that they are there.
    let groups_only = server.make_key(&session, "groups", Some(&["groups:write"]));
    let made = server.made(
        &groups_only,
        "/api/user-groups",
        json!({ "name": "others" }),
    );
    assert_eq!(made["users"], json!([]));
    let seen = server.get(&path).key(&groups_only).send().json();
    assert_eq!(
        (&seen["userCount"], &seen["users"]),
        (&json!(1), &json!(null))
    );
    let users_only = server.make_key(&session, "users", Some(&["users:write"]));
    let seen = server
        .get(&format!("/api/users/{bob}"))
        .key(&users_only)
        .send();
    assert_eq!(seen.json()["userGroups"], json!([{ "id": group }]));
    let delete = server.request("DELETE", &path).key(&users_only).send();
    delete.is_refused(403, "forbidden");
}
