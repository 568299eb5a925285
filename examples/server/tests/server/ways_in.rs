//! App passwords and devices over HTTP (W1–W4, V1–V5).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    person::Person,
    support::{Server, text},
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A server with an administrator's key and a user's session.
fn world() -> (Server, String, String) {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (_, session) = server.user_with_session(&key, "bob");
    (server, key, session)
}

fn open_service(server: &Server, key: &str, slug: &str) -> String {
    let body = json!({ "slug": slug, "isOpenToEveryone": true });
    text(&server.made(key, "/api/services", body)["id"])
}

fn make(server: &Server, session: &str, body: Value) -> Value {
    let made = server
        .post("/api/app-passwords")
        .bearer(session)
        .json(&body)
        .send();
    assert_eq!(made.status, 201, "{}", made.body);
    made.json()
}

#[test]
fn an_app_password_is_made_verified_listed_and_revoked() {
    let (server, key, session) = world();
    let films = open_service(&server, &key, "films");
    let made = make(
        &server,
        &session,
        json!({ "name": "Kodi", "service": "films" }),
    );
    let (id, password) = (text(&made["id"]), text(&made["password"]));
    assert_eq!((password.len(), &made["serviceId"]), (19, &json!(films)));
    let verify = |body: Value, key: &str| {
        server
            .post("/api/app-passwords/verify")
            .key(key)
            .json(&body)
            .send()
    };
    let right = json!({
        "username": "BOB", "password": password.to_uppercase(), "service": "films", "client": "192.0.2.7",
    });
    let found = verify(right.clone(), &key);
    assert_eq!(found.status, 200, "{}", found.body);
    let found = found.json();
    assert_eq!(found["user"]["username"], "bob");
    assert_eq!(
        (&found["service"], &found["administrator"]),
        (&json!("films"), &json!(false))
    );
    for (field, value) in [("username", "eve"), ("password", "0000-0000-0000-0000")] {
        let mut wrong = right.clone();
        wrong[field] = json!(value);
        verify(wrong, &key).is_refused(401, "app_password_refused");
    }
    let mut elsewhere = right.clone();
    elsewhere.as_object_mut().unwrap().remove("service");
    verify(elsewhere, &key).is_refused(401, "app_password_refused");
    verify(right.clone(), &session).is_refused(403, "forbidden");
    verify(json!({ "username": "bob" }), &key).refuses_field("password");
    verify(json!({ "password": "x" }), &key).refuses_field("username");

    let listed = server.get("/api/app-passwords").bearer(&session).send();
    assert!(!listed.body.contains(&password), "shown once");
    let listed = listed.json();
    assert_eq!(listed["data"][0]["name"], "Kodi");
    let owner = text(&listed["data"][0]["userID"]);
    let of_bob = server
        .get(&format!("/api/app-passwords?user={owner}"))
        .key(&key)
        .send();
    assert_eq!(of_bob.json()["data"][0]["id"], json!(id));
    let path = format!("/api/app-passwords/{id}");
    let delete = || server.request("DELETE", &path).key(&key).send();
    assert_eq!(delete().status, 204);
    assert_eq!(delete().status, 404);
    verify(right, &key).is_refused(401, "app_password_refused");
    // C2: in no spelling does the log tell it, nor the audit log.
    let audit = server.get("/api/audit-logs/all").key(&key).send();
    assert_eq!(audit.status, 200, "{}", audit.body);
    let told = (server.log() + &audit.body).to_lowercase();
    assert!(told.contains("app_password_created"), "{told}");
    for spelling in [password.clone(), password.replace('-', "")] {
        assert!(!told.contains(&spelling), "{told}");
    }
}

/// W2: over HTTP too, and told when to come again.
#[test]
fn wrong_ones_are_limited_and_the_right_one_passes() {
    let (server, key, session) = world();
    let made = make(&server, &session, json!({ "name": "Kodi" }));
    let ask = |password: &str, client: &str| {
        let body = json!({ "username": "bob", "password": password, "client": client });
        server
            .post("/api/app-passwords/verify")
            .key(&key)
            .json(&body)
            .send()
    };
    for _ in 0..20 {
        ask("wrong", "192.0.2.7").is_refused(401, "app_password_refused");
    }
    let limited = ask("wrong", "192.0.2.7");
    limited.is_refused(429, "rate_limited");
    assert!(limited.header("retry-after").is_some());
    ask("wrong", "192.0.2.8").is_refused(401, "app_password_refused");
    let right = ask(made["password"].as_str().unwrap(), "192.0.2.7");
    assert_eq!(right.status, 200);
}

/// Every route with every method, as the router's own file names them.
fn routes() -> Vec<(String, String)> {
    let files = [
        include_str!("../../src/routes/router.rs"),
        include_str!("../../src/routes/pages.rs"),
    ];
    let mut routes = Vec::new();
    for file in files {
        for part in file.split(".route(").skip(1) {
            let Some(path) = part.split('"').nth(1).filter(|path| path.starts_with('/')) else {
                continue;
            };
            let end = part.find("\n        .route(").unwrap_or(part.len());
            for method in ["get", "post", "put", "patch", "delete"] {
                let calls = [
                    format!(" {method}("),
                    format!(".{method}("),
                    format!("\n{method}("),
                ];
                if calls.iter().any(|call| part[..end].contains(call.as_str())) {
                    let nobody = "0190a1b2-0000-7000-8000-000000000000";
                    let path = path.split('/').map(|part| match part.starts_with('{') {
                        true => nobody,
                        false => part,
                    });
                    let path = path.collect::<Vec<_>>().join("/");
                    routes.push((method.to_uppercase(), path));
                }
            }
        }
    }
    routes
}

/// W3: an app password is nobody's credential here. It changes no answer, wherever it stands.
#[test]
fn no_route_takes_an_app_password_for_a_credential() {
    let (server, _, session) = world();
    let made = make(
        &server,
        &session,
        json!({ "name": "Kodi", "scopes": ["*"] }),
    );
    let password = text(&made["password"]);
    let basic = format!("Basic {}", base64(&format!("bob:{password}")));
    let routes = routes();
    assert!(routes.len() >= 90, "{}", routes.len());
    let mut tried = BTreeMap::new();
    for (method, path) in &routes {
        let plain = || server.request(method, path).json(&json!({}));
        let without = plain().send().status;
        for (place, shown) in [
            ("bearer", plain().bearer(&password)),
            ("key", plain().key(&password)),
            ("cookie", plain().cookie(&password)),
            ("basic", plain().header("Authorization", &basic)),
        ] {
            let reply = shown.send();
            let told = format!("{method} {path} by {place}: {}", reply.body);
            // A credential that does not work is 401 where none is 401; what is public stays as it is.
            let same = reply.status == without || without == 401 && reply.status == 401;
            assert!(same || reply.status == 401, "{without}, {told}");
            assert!(without < 300 || reply.status >= 300, "{told}");
            *tried.entry(reply.status).or_insert(0) += 1;
        }
    }
    assert!(tried[&401] > 200, "{tried:?}");
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    out
}

fn form(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| {
        let value = value.replace(':', "%3A").replace(' ', "+");
        format!("{name}={value}")
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn post_form(server: &Server, path: &str, pairs: &[(&str, &str)]) -> crate::support::Reply {
    server
        .post(path)
        .header(
            "Content-Type",
            "application/x-www-form-urlencoded; charset=utf-8",
        )
        .body(form(pairs))
        .send()
}

fn poll(server: &Server, code: &str) -> crate::support::Reply {
    let pairs = [
        ("grant_type", GRANT),
        ("device_code", code),
        ("client_id", "tv"),
        ("scope", "openid"),
    ];
    post_form(server, "/api/device/token", &pairs)
}

fn decide(server: &Server, session: &str, what: &str, code: &str) -> crate::support::Reply {
    server
        .post(&format!("/api/device/{what}"))
        .bearer(session)
        .json(&json!({ "userCode": code }))
        .send()
}

/// RFC 8628, as form and as JSON.
#[test]
fn a_device_is_signed_in_as_the_rfc_has_it() {
    let (server, key, session) = world();
    let begun = post_form(
        &server,
        "/api/device/code",
        &[("client_id", "tv"), ("scope", "openid")],
    );
    assert_eq!(begun.status, 200, "{}", begun.body);
    let begun = begun.json();
    let (device, code) = (text(&begun["device_code"]), text(&begun["user_code"]));
    assert_eq!(
        (&begun["expires_in"], &begun["interval"]),
        (&json!(600), &json!(5))
    );
    let page = text(&begun["verification_uri"]);
    assert!(page.ends_with("/device"));
    assert_eq!(begun["verification_uri_complete"], format!("{page}#{code}"));
    let error = |reply: crate::support::Reply| (reply.status, text(&reply.json()["error"]));
    let expected = |error: &str| (400, error.to_owned());
    assert_eq!(
        error(poll(&server, &device)),
        expected("authorization_pending")
    );
    assert_eq!(error(poll(&server, &device)), expected("slow_down"));
    decide(&server, &session, "approve", &code).is_refused(403, "forbidden");
    let seen = decide(&server, &session, "inspect", &code.to_lowercase()).json();
    assert_eq!(
        (&seen["deviceName"], &seen["wants"]),
        (&json!("tv"), &json!("session"))
    );
    assert_eq!(seen["ipAddress"], "127.0.0.1");
    decide(&server, &key, "inspect", &code).is_refused(403, "api_key_auth_not_allowed");
    decide(&server, &session, "inspect", "0000-0000").is_refused(404, "device_code_unknown");
    assert_eq!(decide(&server, &session, "approve", &code).status, 204);
    decide(&server, &session, "approve", &code).is_refused(409, "conflict");
    let granted = poll(&server, &device);
    assert_eq!(granted.status, 200, "{}", granted.body);
    let granted = granted.json();
    assert_eq!(granted["token_type"], "Bearer");
    assert!(granted["expires_in"].as_i64().unwrap() > 86_400);
    let token = text(&granted["access_token"]);
    let me = server.get("/api/users/me").bearer(&token).send().json();
    assert_eq!(me["username"], "bob");
    assert_eq!(error(poll(&server, &device)), expected("invalid_grant"));
    let sessions = server.get("/api/sessions").bearer(&session).send().json();
    assert_eq!(sessions["data"][0]["method"], "device");
    // V3: it counts as no sign-in.
    let body = json!({ "name": "Kodi" });
    let refused = server.post("/api/app-passwords").bearer(&token).json(&body);
    refused.send().is_refused(403, "forbidden");

    let begun = server
        .post("/api/device/code")
        .json(&json!({ "client_name": "TV", "six_digits": true }))
        .send()
        .json();
    let (device, code) = (text(&begun["device_code"]), text(&begun["user_code"]));
    assert_eq!(code.len(), 6);
    decide(&server, &session, "inspect", &code);
    assert_eq!(decide(&server, &session, "deny", &code).status, 204);
    let body = json!({ "grant_type": GRANT, "device_code": device });
    let denied = server.post("/api/device/token").json(&body).send();
    assert_eq!(error(denied), expected("access_denied"));
    for (pairs, expected_error) in [
        (&[("device_code", "x")][..], "invalid_request"),
        (&[("grant_type", GRANT)], "invalid_request"),
        (&[("grant_type", "password")], "unsupported_grant_type"),
        (
            &[("grant_type", GRANT), ("device_code", "x")],
            "invalid_grant",
        ),
    ] {
        let reply = post_form(&server, "/api/device/token", pairs);
        assert_eq!(error(reply), expected(expected_error), "{pairs:?}");
    }
    let twice = post_form(
        &server,
        "/api/device/code",
        &[("client_id", "a"), ("client_id", "b")],
    );
    twice.is_refused(400, "invalid_request_body");
    let odd = server
        .post("/api/device/code")
        .json(&json!({ "wants": "all" }));
    odd.send().refuses_field("wants");
}

#[test]
fn a_device_gets_an_app_password_for_one_service() {
    let (server, key, session) = world();
    open_service(&server, &key, "books");
    let body = json!({ "client_name": "Reader", "wants": "app_password", "service": "books" });
    let begun = server.post("/api/device/code").json(&body).send().json();
    let code = text(&begun["user_code"]);
    let seen = decide(&server, &session, "inspect", &code).json();
    assert_eq!(seen["wants"], "app_password");
    assert_eq!(decide(&server, &session, "approve", &code).status, 204);
    let granted = poll(&server, &text(&begun["device_code"])).json();
    assert_eq!(granted["username"], "bob");
    let body = json!({
        "username": "bob", "password": granted["app_password"], "service": "books",
    });
    let found = server
        .post("/api/app-passwords/verify")
        .key(&key)
        .json(&body)
        .send();
    assert_eq!(found.status, 200, "{}", found.body);
}

/// V5: it wants a step-up, and links are one's own.
#[test]
fn a_link_for_another_device_wants_a_step_up() {
    let (server, key, session) = world();
    let path = "/api/device/links";
    let made = server.post(path).bearer(&session).send();
    made.is_refused(403, "reauthentication_required");
    server
        .post(path)
        .key(&key)
        .send()
        .is_refused(403, "api_key_auth_not_allowed");
    let listed = server.get(path).bearer(&session).send();
    assert_eq!((listed.status, listed.json()), (200, json!([])));
    let nobody = format!("{path}/0190a1b2-0000-7000-8000-000000000000");
    let gone = server.request("DELETE", &nobody).bearer(&session).send();
    assert_eq!(gone.status, 404);
}

/// V5: what the page of a new device begins with, and all that it is told.
#[test]
fn a_session_is_told_what_it_is_and_nobody_elses() {
    let (server, key, session) = world();
    let path = "/api/sessions/current";
    let current = |session: &str| server.get(path).bearer(session).send();
    let own = current(&session).json();
    let listed = server.get("/api/sessions").bearer(&session).send().json();
    assert_eq!(own, listed["data"][0]);
    assert_eq!(own["current"], json!(true));
    server
        .get(path)
        .key(&key)
        .send()
        .is_refused(403, "api_key_auth_not_allowed");
    server.get(path).send().is_refused(401, "not_signed_in");
    let out = server.request("DELETE", &format!("/api/sessions/{}", text(&own["id"])));
    assert_eq!(out.bearer(&session).send().status, 204);
    current(&session).is_refused(401, "token_invalid_or_expired");

    // Of a device that came by a link it is the only one that it sees.
    let (_, mut cleo) = Person::user(&server, &key, "cleo");
    let made = server
        .post("/api/device/links")
        .bearer(&cleo.session())
        .send();
    assert_eq!(made.status, 201, "{}", made.body);
    let token = text(&made.json()["token"]);
    assert_eq!(
        made.json()["url"],
        format!("{}/code#{token}", server.origin)
    );
    let opened = server
        .post(&format!("/api/one-time-access-token/{token}"))
        .send();
    let phone = opened.cookie_value();
    let seen = current(&phone).json();
    assert_eq!(
        (&seen["method"], &seen["current"]),
        (&json!("deviceLink"), &json!(true))
    );
    let all = server.get("/api/sessions").bearer(&phone).send();
    assert_eq!(all.status, 403, "{}", all.body);
    let mut phone = Person::with_session(&server, &phone);
    assert_eq!(phone.register().status, 200);
    assert_eq!(current(&phone.session()).json()["method"], "passkey");
    let link = format!("/api/device/links/{}", text(&made.json()["link"]["id"]));
    let disowned = server.request("DELETE", &link).bearer(&cleo.session());
    assert_eq!(disowned.send().status, 204);
    current(&phone.session()).is_refused(401, "token_invalid_or_expired");
    phone.log_in().is_refused(401, "passkey_unknown");
    assert_eq!(cleo.log_in().status, 200);
}
