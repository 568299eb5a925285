//! Showing a passkey again, for what asks for it (P5).

use serde_json::json;

use crate::{
    person::Person,
    support::{BEFORE_LONG, Server},
};

const START: &str = "/api/webauthn/reauthenticate/start";

#[test]
fn an_old_session_makes_no_administrators_key() {
    let server = Server::start();
    let mut ann = Person::administrator(&server);
    let body = json!({ "name": "a new key", "expiresAt": BEFORE_LONG });
    let make = |ann: &Person<'_>| ann.request("POST", "/api/api-keys").json(&body).send();
    assert_eq!(make(&ann).status, 201, "fresh");
    ann.grow_old();
    make(&ann).is_refused(403, "reauthentication_required");
    ann.get("/api/webauthn/register/start")
        .is_refused(403, "reauthentication_required");

    let old = ann.clone();
    let reply = ann.step_up();
    assert_eq!((reply.status, reply.body.as_str()), (204, ""), "{reply:?}");
    let cookies = reply.cookies();
    assert!(
        cookies[0].starts_with("keyplate-1411-access_token=kp_ses_"),
        "{cookies:?}"
    );
    assert!(
        cookies[1].starts_with("keyplate-1411-ceremony-reauthenticate-"),
        "{cookies:?}"
    );
    old.get("/api/users/me")
        .is_refused(401, "token_invalid_or_expired");
    assert_eq!(make(&ann).status, 201);
    let sessions = ann.get("/api/sessions").json();
    assert_eq!(
        sessions["pagination"]["totalItems"], 1,
        "it is the same session"
    );
    // The cookie ends with the session, two hours earlier than one of a new session would.
    let age = cookies[0]
        .split("Max-Age=")
        .nth(1)
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    let age: u64 = age.parse().unwrap();
    assert!(age <= 30 * 86_400 - 7_200, "{age}");
}

#[test]
fn a_code_is_no_passkey() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (id, mut bob) = Person::user(&server, &key, "bob");
    let path = format!("/api/users/{id}/one-time-access-token");
    let code = server.made(&key, &path, json!({}))["token"].clone();
    let signed_in = server.post(&format!(
        "/api/one-time-access-token/{}",
        code.as_str().unwrap()
    ));
    bob.cookies.insert(
        "keyplate-1411-access_token".into(),
        signed_in.send().cookie_value(),
    );
    bob.get("/api/webauthn/register/start")
        .is_refused(403, "reauthentication_required");
    assert_eq!(bob.step_up().status, 204);
    bob.begin("/api/webauthn/register/start");
}

#[test]
fn it_wants_ones_own_passkey_in_ones_own_session() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (_, none) = server.user_with_session(&key, "carol");
    let carol = Person::with_session(&server, &none);
    let missing = carol.get(START);
    missing.is_refused(404, "not_found");
    assert_eq!(missing.json()["error"], "Passkey not found");

    let (_, mut bob) = Person::user(&server, &key, "bob");
    let (_, mut eve) = Person::user(&server, &key, "eve");
    let options = bob.begin(START);
    let credential = bob.show(&options, &Default::default());
    eve.cookies.extend(bob.ceremonies("reauthenticate"));
    let reply = eve.finish("/api/webauthn/reauthenticate", &credential);
    reply.fails_ceremony("wrong_user");
    let mut other = bob.clone();
    assert_eq!(other.log_in().status, 200);
    let reply = other.finish("/api/webauthn/reauthenticate", &credential);
    reply.fails_ceremony("wrong_user");
    let reply = bob.finish("/api/webauthn/reauthenticate", &credential);
    assert_eq!(
        reply.status, 204,
        "it was not spent by others' trying: {}",
        reply.body
    );
}
