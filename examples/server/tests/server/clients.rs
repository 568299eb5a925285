//! What public clients of Pocket ID's API send, in their order, from their source: an operator, an exporter, and Terraform.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::support::{Server, text};

/// An operator: claims setup, makes itself a key without scopes, and gives a user a key of a year.
#[test]
fn an_operator_makes_a_user_and_a_key_for_them() {
    let server = Server::start();
    let admin = json!({
        "username": "operator", "firstName": "Operator", "lastName": "", "email": "op@x.example",
    });
    let setup = server.post("/api/signup/setup").json(&admin).send();
    assert_eq!(setup.status, 200, "{}", setup.body);
    assert_eq!(setup.json()["displayName"], "Operator");
    let end = |days| {
        let end = OffsetDateTime::now_utc() + Duration::days(days);
        end.format(&Rfc3339).unwrap()
    };
    let make_key = |session: &str, name: &str, days| {
        let body = json!({ "name": name, "expiresAt": end(days), "description": "made by it" });
        server
            .post("/api/api-keys")
            .cookie(session)
            .json(&body)
            .send()
    };
    let key = make_key(&setup.cookie_value(), "operator", 3_650);
    assert_eq!(key.status, 201, "{}", key.body);
    let key = text(&key.json()["token"]);
    for round in 0..2 {
        let found = server.get("/api/users?search=ann").key(&key).send().json();
        assert_eq!(found["pagination"]["totalItems"], round);
        let input = json!({
            "username": "ann", "firstName": "Ann", "lastName": "Bell", "email": "ann@x.example",
            "displayName": "Ann Bell", "isAdmin": false, "disabled": false, "locale": "en",
        });
        let user = match found["data"].get(0) {
            None => server.made(&key, "/api/users", input),
            Some(user) => {
                let path = format!("/api/users/{}", text(&user["id"]));
                let updated = server.request("PUT", &path).key(&key).json(&input).send();
                assert_eq!(updated.json(), *user, "the second time nothing changes");
                updated.json()
            }
        };
        let path = format!("/api/users/{}/one-time-access-token", text(&user["id"]));
        let body = json!({ "userId": user["id"], "ttl": "15m0s" });
        let code = text(&server.made(&key, &path, body)["token"]);
        let redeem = format!("/api/one-time-access-token/{code}");
        let signed_in = server.post(&redeem).send();
        assert_eq!(signed_in.status, 200, "{}", signed_in.body);
        let made = make_key(&signed_in.cookie_value(), "of the user", 365);
        assert_eq!(made.status, 201, "{}", made.body);
        let me = server
            .get("/api/users/me")
            .key(&text(&made.json()["token"]))
            .send();
        assert_eq!(me.json()["username"], "ann");
    }
}

/// An exporter: counts users, clients and groups, and events by name since the last time, comparing times as text.
#[test]
fn an_exporter_counts_users_groups_and_events() {
    let (server, key) = Server::inviting(&[]);
    let (_, token) = server.invitation(&key, json!({ "usageLimit": 3 }));
    for name in ["ann", "bob"] {
        server.sign_up(name, &token);
    }
    server.made(&key, "/api/user-groups", json!({ "name": "family" }));
    let get = |path: &str| {
        let reply = server.get(path).key(&key).send();
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.json()
    };
    assert!(get("/api/version/current")["currentVersion"].is_string());
    let total = |path: &str| {
        let page = get(&format!(
            "{path}?pagination%5Bpage%5D=1&pagination%5Blimit%5D=1"
        ));
        page["pagination"]["totalItems"].as_i64().unwrap()
    };
    let counts = ["/api/users", "/api/oidc/clients", "/api/user-groups"].map(total);
    assert_eq!(counts, [3, 0, 1]);
    let poll = |since: &str| {
        let mut events: BTreeMap<String, i64> = BTreeMap::new();
        let mut latest = since.to_owned();
        for page in 1.. {
            let list = get(&format!(
                "/api/audit-logs/all?pagination[page]={page}&pagination[limit]=3&sort[column]=createdAt&sort[direction]=asc"
            ));
            for row in list["data"].as_array().unwrap() {
                let at = text(&row["createdAt"]);
                if at.as_str() > since {
                    *events.entry(text(&row["event"])).or_default() += 1;
                    latest = latest.max(at);
                }
            }
            if page >= list["pagination"]["totalPages"].as_i64().unwrap() {
                break;
            }
        }
        (events, latest)
    };
    let (events, latest) = poll("2020-01-01T00:00:00.000Z");
    assert_eq!(events["ACCOUNT_CREATED"], 3, "{events:?}");
    assert_eq!(poll(&latest).0, BTreeMap::new(), "nothing is counted twice");
}

/// Terraform: what its provider sends for a user, a group, the membership, claims and the configuration: created, read, planned
/// and applied again, changed, and destroyed.
#[test]
fn terraform_applies_twice_without_change() {
    let (server, key) = Server::inviting(&[]);
    let send = |method: &str, path: &str, body: Option<&Value>| {
        let request = server.request(method, path).header("X-API-KEY", &key);
        let reply = match body {
            Some(body) => request.json(body).send(),
            None => request.header("Content-Type", "application/json").send(),
        };
        assert!(
            (200..300).contains(&reply.status),
            "{method} {path}: {}",
            reply.body
        );
        reply
    };
    let group = json!({ "name": "family", "friendlyName": "The family" });
    let group_id = text(&send("POST", "/api/user-groups", Some(&group)).json()["id"]);
    // What is not set is left out, the display name among it.
    let user = json!({
        "username": "ann", "email": "ann@x.example", "firstName": "Ann", "lastName": "Bell", "isAdmin": false,
        "disabled": false,
    });
    let user_id = text(&send("POST", "/api/users", Some(&user)).json()["id"]);
    let (group_path, user_path) = (
        format!("/api/user-groups/{group_id}"),
        format!("/api/users/{user_id}"),
    );
    let groups_path = format!("{user_path}/user-groups");
    let claims_path = format!("/api/custom-claims/user/{user_id}");
    let configuration = "/api/application-configuration";
    let apply = |wanted: &Value| {
        send("PUT", &group_path, Some(&group));
        send("PUT", &user_path, Some(&user));
        send(
            "PUT",
            &groups_path,
            Some(&json!({ "userGroupIds": [group_id] })),
        );
        send(
            "PUT",
            &claims_path,
            Some(&json!([{ "key": "quota", "value": "5" }])),
        );
        // All that the provider knows, as the server has it; what it has not is empty.
        let all = send("GET", &format!("{configuration}/all"), None).json();
        let mut body = json!({ "smtpHost": "", "smtpTls": "", "ldapEnabled": "", "homePageUrl": "", "accentColor": "" });
        for setting in all.as_array().unwrap() {
            body[text(&setting["key"])] = setting["value"].clone();
        }
        for (key, value) in wanted.as_object().unwrap() {
            body[key] = value.clone();
        }
        send("PUT", configuration, Some(&body));
    };
    let state = || {
        let rows = send("GET", "/api/audit-logs/all?limit=1", None).json();
        let read = [&user_path, &group_path].map(|path| send("GET", path, None).json());
        let all = send("GET", &format!("{configuration}/all"), None).json();
        (read, all, rows["pagination"]["totalItems"].clone())
    };
    let wanted =
        json!({ "requireUserEmail": "true", "sessionDuration": "120", "emailsVerified": "true" });
    apply(&wanted);
    let first = state();
    assert_eq!(first.0[0]["displayName"], "Ann Bell");
    assert_eq!(first.0[0]["userGroups"][0]["id"], json!(group_id));
    apply(&wanted);
    assert_eq!(
        state(),
        first,
        "the second time nothing changes, not even the log"
    );
    apply(&json!({ "requireUserEmail": "false" }));
    assert_ne!(state(), first);
    // What cannot hold is an error of the plan, which names it.
    let refused = server
        .request("PUT", configuration)
        .key(&key)
        .json(&json!({ "ldapEnabled": "true" }));
    refused.send().refuses_field("ldapEnabled");
    for path in [&user_path, &group_path] {
        send("DELETE", path, None);
        server
            .get(path)
            .key(&key)
            .send()
            .is_refused(404, "not_found");
    }
}
