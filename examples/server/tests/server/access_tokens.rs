use std::collections::BTreeSet;

use keyplate::NewService;
use serde_json::json;

use crate::{
    commands::{fails, printed, run},
    support::{Server, text},
};

/// A server with a service `films` that is open to everyone, and a user's session.
fn films() -> (Server, String) {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let library = server.library();
    for slug in ["films", "closed"] {
        let service = NewService {
            slug: slug.to_owned(),
            ..NewService::default()
        };
        let service = library.create_service(service).unwrap();
        library
            .set_service_access(&service.id, slug == "films", &[])
            .unwrap();
    }
    let (_, session) = server.user_with_session(&key, "bob");
    (server, session)
}

#[test]
fn a_token_is_issued_to_whom_the_service_is_open() {
    let (server, session) = films();
    let issue = |service: &str| server.post(&format!("/api/services/{service}/access-token"));
    let reply = issue("films")
        .cookie(&session)
        .json(&json!({ "ttl": "10m" }))
        .send();
    assert_eq!(reply.status, 201, "{}", reply.body);
    let made = reply.json();
    let library = server.library();
    let seen = library
        .verify_access_token(made["token"].as_str().unwrap(), "films")
        .unwrap();
    assert_eq!(seen.username, "bob");
    assert_eq!(made["serviceId"], seen.service_id.to_string());
    assert_eq!(
        seen.expires_at
            .duration_since(seen.issued_at)
            .unwrap()
            .as_secs()
            / 60,
        10
    );
    assert_eq!(issue("films").bearer(&session).send().status, 201);

    issue("closed")
        .bearer(&session)
        .send()
        .is_refused(403, "forbidden");
    assert_eq!(issue("none").bearer(&session).send().status, 404);
    issue("films").send().is_refused(401, "not_signed_in");
    let long = issue("films")
        .bearer(&session)
        .json(&json!({ "ttl": "2h" }));
    long.send().refuses_field("ttl");
}

#[test]
fn everybody_may_read_the_keys() {
    let server = Server::start();
    let reply = server.get("/.well-known/jwks.json").send();
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let keys = &reply.json()["keys"];
    assert_eq!((&keys[0]["kty"], keys[0].get("d")), (&json!("OKP"), None));
    assert_eq!(
        server.get("/.well-known/jwks.json").send().json()["keys"],
        *keys
    );
}

#[test]
fn the_key_is_rotated_beside_a_running_server() {
    let (server, session) = films();
    let token = || {
        let issue = server.post("/api/services/films/access-token");
        text(&issue.bearer(&session).send().json()["token"])
    };
    let ids = || -> Vec<String> {
        let keys = server.get("/.well-known/jwks.json").send().json();
        let keys = keys["keys"].as_array().unwrap().clone();
        keys.iter().map(|key| text(&key["kid"])).collect()
    };
    let before = token();
    let first = ids();
    let rotated = run(&server, &["rotate-key"]);
    let second = printed(&rotated, "access tokens are signed by the key ");
    assert_eq!(ids(), [second, first[0].clone()]);
    let library = server.library();
    library.verify_access_token(&before, "films").unwrap();
    assert!(
        run(&server, &["rotate-key", "--overlap", "0"])
            .status
            .success()
    );
    assert_eq!(ids().len(), 1);
    assert!(library.verify_access_token(&before, "films").is_err());
    library.verify_access_token(&token(), "films").unwrap();
    fails(
        &run(&server, &["rotate-key", "--overlap", "8d"]),
        "--overlap must be between 0 and 604800",
    );
}

/// J1: whoever a service is may not use what it was shown.
#[test]
fn a_token_is_no_credential_on_any_route() {
    let (server, session) = films();
    let issued = server
        .post("/api/services/films/access-token")
        .bearer(&session)
        .send()
        .json();
    let token = issued["token"].as_str().unwrap();
    let mut protected = 0;
    for path in routes() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let path = path
                .replace("{id}", "x")
                .replace("{proxy}", "nginx")
                .replace("{token}", "x")
                .replace("{credential_id}", "x");
            let reply = server
                .request(method, &path)
                .bearer(token)
                .body("{}")
                .send();
            match reply.status {
                401 => {
                    reply.is_refused(401, "token_invalid_or_expired");
                    protected += 1;
                }
                405 => {}
                status => assert!(
                    is_public(method, &path),
                    "{method} {path}: {status} {}",
                    reply.body
                ),
            }
        }
    }
    assert!(protected > 40, "{protected}");
}

/// Every path in the list of routes.
fn routes() -> BTreeSet<&'static str> {
    let source = include_str!("../../src/routes/router.rs");
    source
        .split('"')
        .filter(|text| text.starts_with("/api/"))
        .collect()
}

/// Where no credential is asked for.
fn is_public(method: &str, path: &str) -> bool {
    let public = [
        "/api/version/latest",
        "/api/signup",
        "/api/setup/resume",
        "/api/one-time-access-token",
        "/api/webauthn/login",
        "/api/application-configuration",
        "/api/device/code",
        "/api/device/token",
        "/api/openapi.json",
        "/api/forward-auth/", // where whoever asks is a proxy, and gets 403 here
    ];
    let read_only = ["/api/version/latest", "/api/application-configuration"];
    public.iter().any(|start| path.starts_with(start))
        && (method == "GET" || method == "HEAD" || !read_only.contains(&path))
        && path != "/api/signup-tokens"
        && path != "/api/application-configuration/all"
}
