//! Names of any script over HTTP and on the command line.

use serde_json::{Value, json};

use crate::{
    commands::{fails, printed, run},
    support::{Server, text},
};

fn listed(server: &Server, key: &str, path: &str, search: &str) -> Vec<Value> {
    let encoded: String = url::form_urlencoded::byte_serialize(search.as_bytes()).collect();
    let reply = server
        .get(&format!("{path}?search={encoded}"))
        .key(key)
        .send();
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["data"].as_array().unwrap().clone()
}

/// G1.
#[test]
fn groups_have_names_as_people_write_them() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let user = text(&server.made(&key, "/api/users", json!({ "username": "bob" }))["id"]);
    for (name, search) in [
        ("Family Müller", "MULLER"),
        ("media/admins", "ia/ad"),
        ("日本", "日"),
        ("a&b=c?d#e \"f\" %41 ;", "&b=c?d#e"),
        ("👩\u{200d}👩\u{200d}👧", "👧"),
    ] {
        let made = server.made(&key, "/api/user-groups", json!({ "name": name }));
        assert_eq!(made["name"], name);
        let path = format!("/api/user-groups/{}", text(&made["id"]));
        assert_eq!(server.get(&path).key(&key).send().json()["name"], name);
        let found = listed(&server, &key, "/api/user-groups", search);
        assert_eq!(found.len(), 1, "{search}");
        assert_eq!(found[0]["name"], name);
        let again = json!({ "name": name.to_uppercase(), "friendlyName": "Other" });
        let again = server.post("/api/user-groups").key(&key).json(&again);
        again.send().is_taken("name");
        let put = server.request("PUT", &format!("{path}/users")).key(&key);
        assert_eq!(put.json(&json!({ "userIds": [user] })).send().status, 200);
        let his = server.get(&format!("/api/users/{user}")).key(&key).send();
        let groups = his.json()["userGroups"].as_array().unwrap().clone();
        assert!(groups.iter().any(|group| group["name"] == name));
    }
    let create = |group: &str| run(&server, &["user", "create", "cid", "--group", group]);
    fails(
        &create("Familie Muller"),
        "there is no group Familie Muller",
    );
    printed(&create("family MÜLLER"), "cid: ");
    let found = listed(&server, &key, "/api/users", "cid");
    assert_eq!(found[0]["userGroups"][0]["name"], "Family Müller");
}

/// U1.
#[test]
fn what_is_wrong_with_a_name_has_a_code() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    for (field, value, code) in [
        ("username", "an\u{200b}n", "invisible_characters"),
        ("username", "аnn", "not_username"),
        ("email", "an\u{ad}n@x.example", "invisible_characters"),
        ("email", "аnn@x.example", "mixed_scripts"),
        ("email", "ann@[192.0.2.1]", "not_email"),
        ("displayName", "\u{3164}", "nothing_visible"),
        ("firstName", "Ann\u{e0041}", "invisible_characters"),
    ] {
        let mut body = json!({ "username": "ann" });
        body[field] = json!(value);
        let reply = server.post("/api/users").key(&key).json(&body).send();
        assert_eq!(reply.status, 400, "{}", reply.body);
        let fault = &reply.json()["details"]["fields"][0];
        assert_eq!(
            (&fault["field"], &fault["code"]),
            (&json!(field), &json!(code))
        );
    }
}

/// S2, U6: Chromium submits the domain of an address in ASCII.
#[test]
fn an_invitation_for_a_domain_is_used_from_a_browser() {
    let (server, key) = Server::inviting(&[]);
    let (_, token) = server.invitation(&key, json!({ "email": "@bücher.example" }));
    let body = json!({ "username": "ann", "token": token, "email": "ann@xn--bcher-kva.example" });
    let reply = server.post("/api/signup").json(&body).send();
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(reply.json()["email"], "ann@bücher.example");
    for search in ["ann@bücher", "BUCHER", "xn--bcher"] {
        assert_eq!(
            listed(&server, &key, "/api/users", search).len(),
            1,
            "{search}"
        );
    }
}

/// U1: what an upgrade found is no damage.
#[test]
fn a_check_tells_names_that_are_one_from_damage() {
    let mut server = Server::start();
    let (_, key) = server.claim_with_key();
    for name in ["strasse", "gasse"] {
        server.made(&key, "/api/users", json!({ "username": name }));
    }
    assert_eq!(server.stop("-TERM"), Some(0));
    #[expect(
        clippy::disallowed_methods,
        reason = "the test makes what an upgrade would"
    )]
    let file = rusqlite::Connection::open(server.database()).unwrap();
    let sql = "UPDATE users
               SET username = 'Straße', username_key = 'strasse' || char(1) || id
               WHERE username = 'gasse'";
    file.execute_batch(sql).unwrap();
    let check = run(&server, &["check"]);
    let said = String::from_utf8(check.stdout.clone()).unwrap();
    assert!(
        said.contains("\"Straße\"") && said.contains("\"strasse\""),
        "{said}"
    );
    let error = String::from_utf8(check.stderr).unwrap();
    assert_eq!(check.status.code(), Some(1));
    assert!(
        error.contains("the database is sound") && !error.contains("damaged"),
        "{error}"
    );
}
