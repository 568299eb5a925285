//! Passkey-first sign-up (S8).

use keyplate_testkit::Spoil;
use serde_json::json;

use crate::{
    person::Person,
    support::{Server, attributes, text},
};

const FINISH: &str = "/api/signup/passkey/finish";

#[test]
fn the_account_comes_with_its_passkey() {
    let (server, key) = Server::inviting(&[]);
    let (id, token) = server.invitation(&key, json!({ "usageLimit": 1 }));
    let uses = || {
        let token = server.get(&format!("/api/signup-tokens/{id}")).key(&key);
        token.send().json()["usageCount"].clone()
    };
    let mut bob = Person::at(&server);
    let begun = bob.begin_signup("bob", &token);
    assert_eq!(begun.status, 200, "{}", begun.body);
    assert_eq!(begun.json()["user"]["name"], "bob");
    assert!(begun.json().get("publicKey").is_none());
    let cookie = begun.cookies()[0].to_owned();
    assert!(
        cookie.starts_with("keyplate-1411-ceremony-signup-"),
        "{cookie}"
    );
    assert_eq!(
        attributes(&cookie),
        ["HttpOnly", "Max-Age=600", "Path=/", "SameSite=Strict"]
    );
    let nobody = server.get("/api/users?search=bob").key(&key).send().json();
    assert_eq!(nobody["pagination"]["totalItems"], 0);
    assert_eq!(uses(), 0);

    let credential = bob.create(&begun.body, &Spoil::default());
    let done = bob.finish(FINISH, &credential);
    assert_eq!(done.status, 201, "{}", done.body);
    assert_eq!(
        (&done.json()["username"], &done.json()["status"]),
        (&json!("bob"), &json!("active"))
    );
    assert_eq!(uses(), 1);
    assert!(done.cookies()[0].starts_with("keyplate-1411-access_token=kp_ses_"));
    let name = cookie.split('=').next().unwrap();
    assert!(done.cookies()[1].starts_with(&format!("{name}=; ")));
    assert_eq!(bob.passkeys().len(), 1);
    let sessions = bob.get("/api/sessions").json();
    assert_eq!(sessions["data"][0]["method"], "passkey");
    assert_eq!(bob.log_in().json()["username"], "bob");
}

#[test]
fn with_approval_he_waits() {
    let (server, key) = Server::inviting(&[]);
    let (_, token) = server.invitation(&key, json!({ "approval": true }));
    let mut bob = Person::at(&server);
    let done = bob.sign_up("bob", &token);
    assert_eq!(done.status, 202, "{}", done.body);
    assert_eq!(done.json()["status"], "pending");
    let me = bob.get("/api/users/me").json();
    assert_eq!(me["status"], "pending");
    bob.get("/api/sessions").is_refused(403, "user_pending");
    let mut elsewhere = bob.clone();
    elsewhere.log_in().is_refused(403, "user_pending");
    let approve = format!("/api/users/{}/approve", text(&me["id"]));
    assert_eq!(server.post(&approve).key(&key).send().status, 200);
    assert_eq!(elsewhere.log_in().status, 200);
    assert_eq!(bob.passkeys().len(), 1);
}

#[test]
fn who_waits_may_register_his_first_passkey() {
    let (server, key) = Server::inviting(&[]);
    let (_, token) = server.invitation(&key, json!({ "approval": true }));
    let waiting = server.sign_up("bob", &token);
    assert_eq!(waiting.status, 202);
    let mut bob = Person::with_session(&server, &waiting.cookie_value());
    let done = bob.register();
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(
        done.cookies().len(),
        1,
        "the session stays, until they are approved"
    );
    bob.get("/api/webauthn/register/start")
        .is_refused(403, "forbidden");
}

#[test]
fn refusals_are_those_of_sign_up() {
    let (server, key) = Server::inviting(&[]);
    let (_, token) = server.invitation(&key, json!({ "usageLimit": 1 }));
    let mut bob = Person::at(&server);
    bob.begin_signup("admin", &token).is_taken("username");
    bob.begin_signup("", &token).refuses_field("username");
    for wrong in ["kp_inv_x", "", &key] {
        let reply = bob.begin_signup("bob", wrong);
        let signup = server.sign_up("bob", wrong);
        assert_eq!(reply.refusal(), signup.refusal(), "{wrong}");
        assert!(reply.cookies().is_empty());
    }
    // Two begin with the last use; the second to end finds none.
    let mut eve = Person::at(&server);
    let begun = eve.begin_signup("eve", &token);
    assert_eq!(bob.sign_up("bob", &token).status, 201);
    let credential = eve.create(&begun.body, &Spoil::default());
    eve.finish(FINISH, &credential)
        .is_refused(401, "token_invalid_or_expired");
    server.configure(&key, json!({ "allowUserSignups": "disabled" }));
    eve.begin_signup("eve", &token)
        .is_refused(403, "open_signup_disabled");
}
