use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::support::Server;

fn put(server: &Server, credential: &str, id: &str, body: &Value) -> crate::support::Reply {
    server
        .request("PUT", &format!("/api/users/{id}"))
        .key(credential)
        .json(body)
        .send()
}

#[test]
fn a_user_is_made_read_replaced_and_deleted() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let id = "0190A1B2-0000-7000-8000-00000000ABCD";
    let body = json!({
        "id": id, "username": "bob", "email": "bob@mail.example", "emailVerified": true, "firstName": "Bob",
        "lastName": "Bow", "displayName": "Bob Bow", "isAdmin": false, "locale": "de-CH", "disabled": false,
        "userGroupIds": [],
    });
    let made = server.post("/api/users").key(&key).json(&body).send();
    assert_eq!(made.status, 201, "{}", made.body);
    let expected = json!({
        "id": id.to_lowercase(), "username": "bob", "email": "bob@mail.example", "emailVerified": true,
        "firstName": "Bob", "lastName": "Bow", "displayName": "Bob Bow", "isAdmin": false, "locale": "de-CH",
        "customClaims": [], "userGroups": [], "ldapId": null, "disabled": false, "status": "active",
        "expiresAt": null,
    });
    assert_eq!(made.json(), expected);
    let path = format!("/api/users/{}", id.to_lowercase());
    assert_eq!(server.get(&path).key(&key).send().json(), expected);

    // A full replacement: what is left out is gone.
    let replaced = put(&server, &key, id, &json!({ "username": "bobby" }));
    assert_eq!(replaced.status, 200, "{}", replaced.body);
    let replaced = replaced.json();
    assert_eq!(replaced["username"], "bobby");
    assert_eq!(
        (&replaced["email"], &replaced["locale"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(
        (&replaced["firstName"], &replaced["displayName"]),
        (&json!(""), &json!(""))
    );

    assert_eq!(server.request("DELETE", &path).key(&key).send().status, 204);
    for method in ["GET", "DELETE"] {
        let reply = server.request(method, &path).key(&key).send();
        reply.is_refused(404, "not_found");
        assert_eq!(reply.json()["error"], "User not found");
    }
    put(&server, &key, id, &json!({ "username": "bobby" })).is_refused(404, "not_found");
    let again = server.post("/api/users").key(&key).json(&body).send();
    again.is_taken("id");
    assert_eq!(again.json()["error"], "ID is already in use");
}

#[test]
fn ids_that_are_none_are_not_found() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    for id in [
        "42",
        "x",
        "%00",
        "%2e%2e",
        "0190a1b2-0000-7000-8000-00000000abcd",
        "%ff",
    ] {
        let reply = server.get(&format!("/api/users/{id}")).key(&key).send();
        reply.is_refused(404, "not_found");
    }
}

/// U1.
#[test]
fn names_are_unique() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let create = |body: Value| server.post("/api/users").key(&key).json(&body).send();
    assert_eq!(
        create(json!({ "username": "bob", "email": "bob@mail.example" })).status,
        201
    );
    create(json!({ "username": "BOB" })).is_taken("username");
    let email = create(json!({ "username": "rob", "email": "BOB@mail.example" }));
    email.is_taken("email");
    assert_eq!(email.json()["error"], "Email is already in use");
}

#[test]
fn roles_and_status_change_only_when_they_change() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let admin = server.get("/api/users/me").key(&key).send().json();
    let admin_id = admin["id"].as_str().unwrap();
    // What is as it was asks for no more rights than the rest.
    let same = json!({ "username": "admin", "firstName": "Ann", "isAdmin": true });
    assert_eq!(
        put(&server, &session, admin_id, &same).json()["firstName"],
        "Ann"
    );

    let (id, _) = server.user_with_session(&key, "bob");
    let promote = json!({ "username": "bob", "isAdmin": true });
    put(&server, &key, &id, &promote).is_refused(403, "forbidden");
    put(&server, &session, &id, &promote).is_refused(403, "reauthentication_required");
    let strong = server.make_key(&session, "strong", Some(&["*", "roles:write"]));
    assert_eq!(put(&server, &strong, &id, &promote).json()["isAdmin"], true);
    // A refused role changes nothing else either.
    let demote = json!({ "username": "robert" });
    put(&server, &key, &id, &demote).is_refused(403, "forbidden");
    let path = format!("/api/users/{id}");
    assert_eq!(server.get(&path).key(&key).send().json()["username"], "bob");
    assert_eq!(put(&server, &strong, &id, &demote).json()["isAdmin"], false);

    let off = json!({ "username": "robert", "disabled": true });
    assert_eq!(put(&server, &key, &id, &off).json()["status"], "disabled");
    assert_eq!(put(&server, &key, &id, &off).json()["status"], "disabled");
    assert_eq!(put(&server, &key, &id, &demote).json()["status"], "active");
}

/// U3.
#[test]
fn the_last_administrator_stays() {
    let server = Server::start();
    let session = server.claim();
    let strong = server.make_key(&session, "strong", Some(&["*", "roles:write"]));
    let admin = server.get("/api/users/me").key(&strong).send().json();
    let id = admin["id"].as_str().unwrap();
    let replies = [
        put(&server, &strong, id, &json!({ "username": "admin" })),
        put(
            &server,
            &strong,
            id,
            &json!({ "username": "admin", "isAdmin": true, "disabled": true }),
        ),
        server
            .request("DELETE", &format!("/api/users/{id}"))
            .key(&strong)
            .send(),
    ];
    for reply in replies {
        reply.is_refused(409, "last_administrator");
    }
    assert_eq!(
        server.get("/api/users/me").key(&strong).send().json(),
        admin
    );
}

/// U6.
#[test]
fn ones_own_profile() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (_, session) = server.user_with_session(&key, "bob");
    let put = |body: Value| {
        server
            .request("PUT", "/api/users/me")
            .bearer(&session)
            .json(&body)
            .send()
    };
    let reply = put(json!({
        "username": "bob", "firstName": "Bob", "email": "bob@mail.example", "emailVerified": true,
        "isAdmin": true, "disabled": true,
    }));
    assert_eq!(reply.status, 200, "{}", reply.body);
    let me = reply.json();
    assert_eq!(
        (&me["firstName"], &me["email"]),
        (&json!("Bob"), &json!("bob@mail.example"))
    );
    assert_eq!(
        (&me["isAdmin"], &me["disabled"], &me["emailVerified"]),
        (&json!(false), &json!(false), &json!(false))
    );
    assert_eq!(put(json!({ "displayName": "B" })).json()["username"], "bob");
    put(json!({ "username": "robert" })).is_refused(403, "forbidden");
    put(json!({ "email": "nobody" })).refuses_field("email");
}

/// U2.
#[test]
fn an_account_lapses_and_is_extended() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (id, session) = server.user_with_session(&key, "bob");
    let me = || server.get("/api/users/me").bearer(&session).send();
    let soon = OffsetDateTime::now_utc() + Duration::milliseconds(1_500);
    let lapse = json!({ "username": "bob", "expiresAt": soon.format(&Rfc3339).unwrap() });
    assert_eq!(put(&server, &key, &id, &lapse).status, 200);
    assert_eq!(me().status, 200);
    std::thread::sleep(std::time::Duration::from_millis(1_600));
    me().is_refused(403, "user_disabled");
    // A client that knows nothing of it changes nothing about it.
    let other = put(
        &server,
        &key,
        &id,
        &json!({ "username": "bob", "firstName": "B" }),
    );
    assert_ne!(other.json()["expiresAt"], json!(null), "{}", other.body);
    me().is_refused(403, "user_disabled");
    for (end, shown) in [
        (
            json!("2099-01-01T00:00:00Z"),
            json!("2099-01-01T00:00:00.000Z"),
        ),
        (json!(null), json!(null)),
    ] {
        let extend = json!({ "username": "bob", "expiresAt": end });
        assert_eq!(put(&server, &key, &id, &extend).json()["expiresAt"], shown);
        assert_eq!(me().status, 200, "the same session again");
    }
    for wrong in [json!("2001-01-01T00:00:00Z"), json!("tomorrow"), json!(5)] {
        let body = json!({ "username": "bob", "expiresAt": wrong });
        put(&server, &key, &id, &body).refuses_field("expiresAt");
        let body = json!({ "username": "new", "expiresAt": wrong });
        let create = server.post("/api/users").key(&key).json(&body).send();
        create.refuses_field("expiresAt");
    }
}

/// U1: between the look at an address and the word that it is proved, its owner may have typed another one.
#[test]
fn another_address_than_the_one_that_stands_there_is_not_proved() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (id, session) = server.user_with_session(&key, "bob");
    let typed = |email: &str| {
        let body = json!({ "email": email });
        let mine = server.request("PUT", "/api/users/me").bearer(&session);
        assert_eq!(mine.json(&body).send().status, 200);
    };
    typed("bob@mail.example");
    let body = json!({ "username": "bob", "email": "bob@mail.example", "emailVerified": true });
    typed("victim@mail.example");
    let refused = put(&server, &key, &id, &body);
    let expected = (409, "conflict".to_owned(), "email".to_owned());
    assert_eq!(refused.refusal(), expected, "{}", refused.body);
    let own = server.get("/api/users/me").bearer(&session).send().json();
    assert_eq!(
        (&own["email"], &own["emailVerified"]),
        (&json!("victim@mail.example"), &json!(false))
    );
    typed("bob@mail.example");
    assert_eq!(put(&server, &key, &id, &body).json()["emailVerified"], true);
    let unnamed = json!({ "username": "bob", "emailVerified": true });
    let refused = put(&server, &key, &id, &unnamed);
    refused.refuses_field("emailVerified");
    let field = &refused.json()["details"]["fields"][0];
    assert_eq!(
        (&field["code"], &field["otherField"]),
        (&json!("needs"), &json!("email"))
    );
}
