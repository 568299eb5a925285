//! Registering passkeys, and those that there are.

use keyplate_testkit::{Authenticator, Backup, Spoil};
use serde_json::json;

use crate::{
    person::Person,
    support::{Server, text},
};

const START: &str = "/api/webauthn/register/start";
const FINISH: &str = "/api/webauthn/register/finish";

#[test]
fn the_first_passkey_completes_setup() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let mut ann = Person::with_session(&server, &session);
    ann.authenticator = Authenticator {
        backup: Backup::BackedUp,
        transports: vec!["hybrid".to_owned(), "internal".to_owned()],
        ..Authenticator::new()
    };
    let options = ann.begin(START);
    let begun: serde_json::Value = serde_json::from_str(&options).unwrap();
    assert!(begun.get("publicKey").is_none(), "{begun}");
    assert_eq!(begun["rp"]["id"], "localhost");
    assert_eq!(begun["rp"]["name"], "Keyplate");
    assert_eq!(begun["user"]["name"], "admin");
    assert_eq!(begun["authenticatorSelection"]["residentKey"], "required");
    let credential = ann.create(&options, &Spoil::default());
    let done = ann.finish(FINISH, &credential);
    assert_eq!(done.status, 200, "{}", done.body);

    let passkey = done.json();
    let listed = ann.passkeys();
    let expected = json!({
        "id": listed[0]["id"], "name": "Passkey", "credentialID": credential["id"], "attestationType": "none",
        "transport": ["hybrid", "internal"], "backupEligible": true, "backupState": true, "usable": true,
        "createdAt": listed[0]["createdAt"], "lastUsedAt": null,
    });
    assert_eq!(json!(listed), json!([expected]));
    assert_eq!(passkey["id"], listed[0]["id"]);
    assert_eq!(passkey["setup"]["apiKeys"][0]["name"], "automation");
    // The session comes first, so that scripts find it.
    let cookies = done.cookies();
    assert!(
        cookies[0].starts_with("keyplate-1411-access_token=kp_ses_"),
        "{cookies:?}"
    );
    assert!(
        cookies[1].starts_with("keyplate-1411-ceremony-register-"),
        "{cookies:?}"
    );
    assert_eq!(cookies.len(), 2);

    // B4: the setup session and the link are dead, what was made before is not.
    let old = server.get("/api/users/me").cookie(&session).send();
    old.is_refused(401, "token_invalid_or_expired");
    let token = server.setup_token.as_deref().unwrap();
    let resume = server
        .post("/api/setup/resume")
        .header("X-Setup-Token", token);
    resume.send().is_refused(409, "setup_already_completed");
    assert_eq!(server.get("/api/users").key(&key).send().status, 200);
    let sessions = ann.get("/api/sessions").json();
    assert_eq!(sessions["data"][0]["method"], "passkey", "{sessions}");

    // Nobody else's setup is completed by a passkey.
    let (_, bob) = server.user_with_session(&key, "bob");
    let mut bob = Person::with_session(&server, &bob);
    assert_eq!(bob.register().json().get("setup"), None);
}

#[test]
fn another_passkey_of_the_same_session() {
    let server = Server::start();
    let mut ann = Person::administrator(&server);
    let session = ann.session();
    let first = ann.authenticator.clone();
    let options = ann.begin(START);
    let again = ann
        .authenticator
        .register(&server.origin, &options, &Spoil::default());
    assert!(again.is_err(), "it is excluded: {again:?}");
    ann.authenticator = Authenticator::new();
    let credential = ann.create(&options, &Spoil::default());
    let done = ann.finish(FINISH, &credential);
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(done.json()["name"], "Passkey 2");
    assert_eq!(done.cookies().len(), 1, "only the ceremony's");
    assert_eq!(ann.session(), session);
    assert_eq!(ann.passkeys().len(), 2);
    for authenticator in [first, ann.authenticator.clone()] {
        let mut elsewhere = Person::at(&server);
        elsewhere.authenticator = authenticator;
        assert_eq!(elsewhere.log_in().status, 200);
    }
}

#[test]
fn the_token_of_a_header_is_replaced_too() {
    let server = Server::start();
    let session = server.claim();
    let options = server.get(START).bearer(&session).send();
    assert_eq!(options.status, 200, "{}", options.body);
    let ceremony = options.cookies()[0].split(';').next().unwrap();
    let mut authenticator = Authenticator::new();
    let credential = authenticator.register(&server.origin, &options.body, &Spoil::default());
    // As `fetch` sends a text.
    let request = server.post(FINISH).bearer(&session);
    let request = request.header("Content-Type", "text/plain;charset=UTF-8");
    let request = request.header("Cookie", ceremony);
    let done = request.body(credential.unwrap()).send();
    assert_eq!(done.status, 200, "{}", done.body);
    let me = server.get("/api/users/me").bearer(&done.cookie_value());
    assert_eq!(me.send().status, 200);
    let me = server.get("/api/users/me").bearer(&session);
    me.send().is_refused(401, "token_invalid_or_expired");
}

#[test]
fn ones_own_are_renamed_and_deleted() {
    let (server, key) = Server::inviting(&[]);
    let (bob_id, mut bob) = Person::user(&server, &key, "bob");
    let (_, eve) = Person::user(&server, &key, "eve");
    let id = text(&bob.passkeys()[0]["id"]);
    let path = format!("/api/webauthn/credentials/{id}");
    let named = |name| {
        bob.request("PATCH", &path)
            .json(&json!({ "name": name }))
            .send()
    };
    let renamed = named(" the phone ");
    assert_eq!(renamed.status, 200, "{}", renamed.body);
    assert_eq!(renamed.json()["name"], "the phone");
    assert_eq!(renamed.json(), bob.passkeys()[0]);
    named("").refuses_field("name");
    named(&"x".repeat(101)).refuses_field("name");

    // Another's is nothing that one knows of, and neither is what is no id.
    for path in [path.as_str(), "/api/webauthn/credentials/42"] {
        let body = json!({ "name": "mine" });
        let patch = eve.request("PATCH", path).json(&body);
        patch.send().is_refused(404, "not_found");
        let delete = eve.request("DELETE", path);
        delete.send().is_refused(404, "not_found");
        let by_administrator = server.request("DELETE", path).key(&key).send();
        by_administrator.is_refused(404, "not_found");
        let by_administrator = server.request("PATCH", path).key(&key).json(&body);
        by_administrator.send().is_refused(404, "not_found");
    }
    // P4
    let last = bob.request("DELETE", &path).send();
    last.is_refused(409, "last_passkey");
    bob.authenticator = Authenticator::new();
    assert_eq!(bob.register().status, 200);
    assert_eq!(bob.request("DELETE", &path).send().status, 204);
    bob.request("DELETE", &path)
        .send()
        .is_refused(404, "not_found");

    // An administrator may take the last one away.
    let path = format!("/api/users/{bob_id}/webauthn-credentials");
    let list = server.get(&path).key(&key).send().json();
    assert_eq!(list, json!(bob.passkeys()));
    let one = format!("{path}/{}", text(&list[0]["id"]));
    bob.request("GET", &path)
        .send()
        .is_refused(403, "forbidden");
    bob.request("DELETE", &one)
        .send()
        .is_refused(403, "forbidden");
    let of_eve = format!("{path}/{}", text(&eve.passkeys()[0]["id"]));
    let delete = |path: &str| server.request("DELETE", path).key(&key).send();
    delete(&of_eve).is_refused(404, "not_found");
    assert_eq!(delete(&one).status, 204);
    assert_eq!(server.get(&path).key(&key).send().json(), json!([]));
    bob.log_in().is_refused(401, "passkey_unknown");
    let log = server.get("/api/audit-logs/all?filters[event]=PASSKEY_DELETED");
    let log = log.key(&key).send().json();
    assert_eq!(log["pagination"]["totalItems"], 2, "{log}");
    assert_eq!(log["data"][0]["username"], "bob");
}

/// P4.
#[test]
fn who_may_not_register() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    for (method, path) in [
        ("GET", START),
        ("POST", FINISH),
        ("GET", "/api/webauthn/reauthenticate/start"),
        ("POST", "/api/webauthn/reauthenticate"),
    ] {
        let request = server.request(method, path).body("{}");
        let by_key = request.clone().key(&key).send();
        by_key.is_refused(403, "api_key_auth_not_allowed");
        let nobody = request.header("Content-Type", "application/json");
        nobody.send().is_refused(401, "not_signed_in");
    }
    // An administrator's passkeys may be looked at by their key, but a key has none.
    let own = server.get("/api/webauthn/credentials").key(&key).send();
    assert_eq!(own.json(), json!([]));
}

/// P3.
#[test]
fn a_credential_is_one_users() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (_, bob) = Person::user(&server, &key, "bob");
    let (_, eves_session) = server.user_with_session(&key, "eve");
    let mut eve = Person::with_session(&server, &eves_session);
    let options = eve.begin(START);
    let taken = Spoil {
        credential_id: Some(bob.authenticator.credentials[0].id.clone()),
        ..Spoil::default()
    };
    let credential = eve.create(&options, &taken);
    let refused = eve.finish(FINISH, &credential);
    refused.is_refused(409, "passkey_ceremony_failed");
    assert_eq!(
        refused.json()["details"],
        json!({ "reason": "credential_taken" })
    );
    assert!(eve.passkeys().is_empty());
}
