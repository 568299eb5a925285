//! The OpenAPI document, which all other routes' files say their parts of.

use std::sync::LazyLock;

use axum::{body::Body, http::StatusCode};

use crate::{
    http::{
        answer::{self, Answer},
        openapi::{self, Operation},
    },
    routes::{
        access_tokens, api_keys, app_passwords, audit, claims, device, forward_auth, groups,
        instance, login, oidc, one_time, passkeys, qr_code, services, sessions, settings, setup,
        signals, signup, signup_tokens, user_sessions, users, well_known,
    },
};

/// Made once: it is the same as long as the program runs.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let version = env!("CARGO_PKG_VERSION");
    openapi::document("Keyplate", version, &operations()).to_string()
});

pub(super) async fn document() -> Answer {
    Ok(answer::written(
        StatusCode::OK,
        Body::from(DOCUMENT.as_str()),
    ))
}

fn operations() -> Vec<Operation> {
    let own = openapi::public("get", "/api/openapi.json", "Gives this document")
        .gives_other("application/json");
    let mut all = vec![own];
    for operations in [
        access_tokens::operations(),
        api_keys::operations(),
        app_passwords::operations(),
        audit::operations(),
        claims::operations(),
        device::operations(),
        forward_auth::operations(),
        groups::operations(),
        instance::operations(),
        login::operations(),
        oidc::operations(),
        one_time::operations(),
        passkeys::operations(),
        qr_code::operations(),
        services::operations(),
        sessions::operations(),
        settings::operations(),
        setup::operations(),
        signals::operations(),
        signup::operations(),
        signup_tokens::operations(),
        user_sessions::operations(),
        users::operations(),
        well_known::operations(),
    ] {
        all.extend(operations);
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// The methods and paths in the text of the router: `.route(path, get(…).post(…))`.
    fn routed() -> BTreeSet<(String, String)> {
        let router = include_str!("router.rs");
        let mut found = BTreeSet::new();
        for route in router.split(".route(").skip(1) {
            let (path, methods) = route.split_once(',').unwrap();
            let path = match path.trim() {
                "HEALTH" => "/healthz",
                "WEBAUTHN" => "/.well-known/webauthn",
                literal => literal.trim_matches('"'),
            };
            for method in ["get", "post", "put", "patch", "delete"] {
                let called = format!("{method}(");
                let is_method = |(at, _): (usize, &str)| {
                    !methods[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                };
                // The rest of the file after the last route is of no route.
                let methods = methods.split("\n}").next().unwrap();
                if methods.match_indices(&called).any(is_method) {
                    found.insert((method.to_owned(), path.to_owned()));
                }
            }
        }
        found
    }

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let document: Value = serde_json::from_str(&DOCUMENT).unwrap();
        let mut described = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                described.insert((method.clone(), path.clone()));
            }
        }
        let routed = routed();
        assert!(routed.len() > 70, "{}", routed.len());
        assert_eq!(described, routed);
        assert_eq!(operations().len(), described.len(), "one is there twice");
    }

    #[test]
    fn what_it_refers_to_is_in_it() {
        let document: Value = serde_json::from_str(&DOCUMENT).unwrap();
        let text = document.to_string();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for part in text.split("\"$ref\":\"").skip(1) {
            let name = part.split('"').next().unwrap();
            let name = name.strip_prefix("#/components/schemas/").unwrap();
            assert!(schemas.contains_key(name), "{name}");
        }
        let user = &schemas["User"];
        assert_eq!(user["properties"]["emailVerified"]["type"], "boolean");
        let required: Vec<&str> = user["required"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert!(
            required.contains(&"ldapId"),
            "what is always there: {required:?}"
        );
        let create = &document["paths"]["/api/users"]["post"]["requestBody"];
        let body = &create["content"]["application/json"]["schema"];
        assert!(body["properties"]["userGroupIds"].is_object(), "{body}");
    }
}
