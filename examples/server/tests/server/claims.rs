use serde_json::{Value, json};

use crate::support::{Reply, Server, text};

/// U5.
#[test]
fn claims_are_replaced_as_a_whole() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let user = text(&server.made(&key, "/api/users", json!({ "username": "bob" }))["id"]);
    let group = text(&server.made(&key, "/api/user-groups", json!({ "name": "friends" }))["id"]);
    let put = |kind: &str, id: &str, body: Value| -> Reply {
        let path = format!("/api/custom-claims/{kind}/{id}");
        server.request("PUT", &path).key(&key).json(&body).send()
    };
    let keys = || {
        server
            .get("/api/custom-claims/suggestions")
            .key(&key)
            .send()
            .json()
    };
    assert_eq!(keys(), json!([]));
    let two = json!([{ "key": "quota", "value": "10" }, { "key": "room", "value": "" }]);
    for (kind, id, path) in [
        ("user", &user, format!("/api/users/{user}")),
        ("user-group", &group, format!("/api/user-groups/{group}")),
    ] {
        let claims = || server.get(&path).key(&key).send().json()["customClaims"].clone();
        assert_eq!(put(kind, id, two.clone()).json(), two);
        assert_eq!(claims(), two);
        assert_eq!(keys(), json!(["quota", "room"]));
        for (body, code) in [
            (json!([{ "key": "sub", "value": "x" }]), "reserved_claim"),
            (json!([{ "key": "groups", "value": "x" }]), "reserved_claim"),
            (
                json!([{ "key": "a", "value": "1" }, { "key": "a", "value": "2" }]),
                "duplicate_claim",
            ),
            (json!([{ "key": "", "value": "1" }]), "validation_failed"),
            (json!([{ "value": "1" }]), "validation_failed"),
            (json!([{ "key": "a b", "value": "1" }]), "validation_failed"),
            (
                json!([{ "key": "x".repeat(101), "value": "1" }]),
                "validation_failed",
            ),
            (
                json!([{ "key": "a", "value": "x".repeat(1_001) }]),
                "validation_failed",
            ),
            (
                json!(
                    (0..101)
                        .map(|n| json!({ "key": format!("k{n}"), "value": "" }))
                        .collect::<Vec<_>>()
                ),
                "validation_failed",
            ),
        ] {
            let reply = put(kind, id, body);
            assert_eq!(
                reply.refusal(),
                (400, code.to_owned(), "claims".to_owned()),
                "{}",
                reply.body
            );
        }
        put(kind, id, json!([{ "key": 3 }])).refuses_field("[0].key");
        for body in [json!({}), json!(null), json!("x")] {
            put(kind, id, body).is_refused(400, "invalid_request_body");
        }
        let empty = server
            .request("PUT", &format!("/api/custom-claims/{kind}/{id}"))
            .key(&key);
        empty.send().is_refused(400, "invalid_request_body");
        assert_eq!(claims(), two, "what was refused changed nothing");
        assert_eq!(put(kind, id, json!([])).json(), json!([]));
        assert_eq!(keys(), json!([]));
        put(kind, "42", json!([])).is_refused(404, "not_found");
        put(kind, "0190a1b2-0000-7000-8000-00000000abcd", json!([])).is_refused(404, "not_found");
    }
}
