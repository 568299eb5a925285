//! PUT of what GET gave is accepted, for every resource, and changes nothing: no value, and no row in the log.

use serde_json::{Value, json};

use crate::support::{Server, text};

/// A resource with as much in it as there can be: where it is read, and where it is written.
struct Resource {
    get: String,
    put: String,
}

/// Every route of the router that takes PUT, and what it takes is what another gives.
fn resources(server: &Server, key: &str) -> Vec<Resource> {
    let made = |path: &str, body: Value| text(&server.made(key, path, body)["id"]);
    let same = |path: String| Resource {
        get: path.clone(),
        put: path,
    };
    let group = made(
        "/api/user-groups",
        json!({ "name": "family", "friendlyName": "The family" }),
    );
    let user = made(
        "/api/users",
        json!({
            "username": "Ann", "email": "Ann@X.example", "emailVerified": true, "firstName": "Ann", "lastName": "Bell",
            "locale": "de-CH", "userGroupIds": [group], "expiresAt": "2099-01-31T12:00:00.5Z",
        }),
    );
    let bare = made("/api/users", json!({ "username": "bare" }));
    let disabled = made(
        "/api/users",
        json!({ "username": "off", "disabled": true, "isAdmin": false }),
    );
    let admin = text(
        &server
            .get("/api/users?filters[isAdmin]=true")
            .key(key)
            .send()
            .json()["data"][0]["id"],
    );
    let service = made(
        "/api/services",
        json!({ "slug": "films", "name": "Films", "origins": ["https://films.example"], "userGroupIds": [group] }),
    );
    let closed = made("/api/services", json!({ "slug": "closed" }));
    let open = made(
        "/api/services",
        json!({ "slug": "open", "isOpenToEveryone": true }),
    );
    let token = made(
        "/api/signup-tokens",
        json!({
            "ttl": "1.5h", "usageLimit": 7, "note": "cousins", "approval": true, "accountLifetime": "30d",
            "email": "@x.example", "userGroupIds": [group],
        }),
    );
    let endless = made(
        "/api/signup-tokens",
        json!({ "ttl": null, "usageLimit": null }),
    );
    let claims = json!([{ "key": "quota", "value": "5" }, { "key": "a", "value": "" }]);
    for path in [
        format!("/api/custom-claims/user/{user}"),
        format!("/api/custom-claims/user-group/{group}"),
    ] {
        let put = server.request("PUT", &path).key(key).json(&claims).send();
        assert_eq!(put.status, 200, "{}", put.body);
    }
    let grants =
        json!({ "customClaims": [{ "key": "b", "value": "2" }, { "key": "a", "value": "1" }] });
    let put = server
        .request("PUT", &format!("/api/signup-tokens/{token}"))
        .key(key)
        .json(&grants);
    assert_eq!(put.send().status, 200);
    // Made by the host for more than can be given here, and by now without use.
    let library = server.library();
    let many = keyplate::NewSignupToken {
        uses: Some(keyplate::Limit::AtMost { most: 5_000 }),
        ..Default::default()
    };
    let many = library
        .create_signup_token(many)
        .unwrap()
        .signup_token
        .id
        .to_string();
    let revoked = made("/api/signup-tokens", json!({}));
    let gone = server
        .request("DELETE", &format!("/api/signup-tokens/{revoked}"))
        .key(key)
        .send();
    assert_eq!(gone.status, 204);
    server.configure(
        key,
        json!({
            "appName": "Media", "signupDefaultUserGroupIDs": [group], "signupEmailDomains": ["x.example"],
            "signupDefaultCustomClaims": [{ "key": "quota", "value": "5" }], "sessionDuration": 90.5,
        }),
    );
    let mut all: Vec<Resource> = Vec::new();
    all.extend([user, bare, disabled, admin].map(|id| same(format!("/api/users/{id}"))));
    all.push(same(format!("/api/user-groups/{group}")));
    all.extend([&service, &closed, &open].map(|id| same(format!("/api/services/{id}"))));
    all.extend([service, closed, open].map(|id| Resource {
        get: format!("/api/services/{id}"),
        put: format!("/api/services/{id}/access"),
    }));
    all.extend([token, endless, many, revoked].map(|id| same(format!("/api/signup-tokens/{id}"))));
    all.push(same("/api/users/me".to_owned()));
    all.push(Resource {
        get: "/api/application-configuration/all".to_owned(),
        put: "/api/application-configuration".to_owned(),
    });
    all.push(Resource {
        get: "/api/application-configuration".to_owned(),
        put: "/api/application-configuration".to_owned(),
    });
    all
}

#[test]
fn put_of_what_get_gave_changes_nothing() {
    let (server, key) = Server::inviting(&[]);
    for Resource { get, put } in resources(&server, &key) {
        let read = || server.get(&get).key(&key).send();
        let rows = || {
            let log = server.get("/api/audit-logs/all?limit=1").key(&key).send();
            log.json()["pagination"]["totalItems"].clone()
        };
        let (before, logged) = (read(), rows());
        assert_eq!(before.status, 200, "{get}: {}", before.body);
        for _ in 0..2 {
            let reply = server
                .request("PUT", &put)
                .key(&key)
                .json(&before.json())
                .send();
            assert_eq!(reply.status, 200, "{put}: {}", reply.body);
            // The configuration is answered whole, whoever asks for a part.
            if get == put && put != "/api/application-configuration" {
                assert_eq!(reply.json(), before.json(), "{put}");
            }
            assert_eq!(read().json(), before.json(), "{put}");
        }
        assert_eq!(rows(), logged, "{put}");
    }
}

/// The parts that have routes of their own.
#[test]
fn put_of_members_groups_and_claims_as_they_are_changes_nothing() {
    let (server, key) = Server::inviting(&[]);
    let made = |path: &str, body: Value| text(&server.made(&key, path, body)["id"]);
    let groups: Vec<String> = ["one", "two"]
        .map(|name| made("/api/user-groups", json!({ "name": name })))
        .to_vec();
    let user = made(
        "/api/users",
        json!({ "username": "ann", "userGroupIds": groups }),
    );
    let claims = json!([{ "key": "b", "value": "2" }, { "key": "a", "value": "1" }]);
    let routes = [
        (format!("/api/custom-claims/user/{user}"), claims.clone()),
        (
            format!("/api/custom-claims/user-group/{}", groups[0]),
            claims,
        ),
        (
            format!("/api/users/{user}/user-groups"),
            json!({ "userGroupIds": [groups[1], groups[0]] }),
        ),
        (
            format!("/api/user-groups/{}/users", groups[0]),
            json!({ "userIds": [user] }),
        ),
    ];
    let put = || {
        for (path, body) in &routes {
            let reply = server.request("PUT", path).key(&key).json(body).send();
            assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        }
        let log = server.get("/api/audit-logs/all?limit=1").key(&key).send();
        log.json()["pagination"]["totalItems"].clone()
    };
    assert_eq!(put(), put());
    // Every route with PUT is in one of these tests.
    let router = include_str!("../../src/routes/router.rs");
    let routes = router.matches("put(").count();
    assert_eq!(routes, 11, "a new route with PUT belongs into these tests");
}
