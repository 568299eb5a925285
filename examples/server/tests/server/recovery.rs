//! For users who have lost their passkey (O3).

use keyplate_testkit::Authenticator;
use serde_json::json;

use crate::{
    person::Person,
    support::{Server, command, text},
};

#[track_caller]
fn redeem<'a>(server: &'a Server, code: &str) -> Person<'a> {
    let path = format!("/api/one-time-access-token/{code}");
    let reply = server.post(&path).send();
    assert_eq!(reply.status, 200, "{}", reply.body);
    Person::with_session(server, &reply.cookie_value())
}

#[test]
fn by_the_command_line() {
    let server = Server::start();
    let lost = Person::administrator(&server);
    let id = text(&lost.passkeys()[0]["id"]);
    let data = server.folder.path().join("data");
    // Whatever the origin is that somebody in need gives.
    let output = command()
        .args(["one-time-token", "admin", "--recovery", "--ttl", "10m"])
        .args([
            "--origin",
            "http://192.0.2.1:1411",
            "--rp-id",
            "elsewhere.example",
        ])
        .arg("--data")
        .arg(data)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let code = printed
        .lines()
        .find_map(|line| line.strip_prefix("code: "))
        .unwrap();
    assert!(printed.contains(&format!("link: http://192.0.2.1:1411/code#{code}\n")));
    assert_eq!(lost.get("/api/users/me").status, 200, "nothing is used yet");

    let mut ann = redeem(&server, code);
    lost.get("/api/users/me")
        .is_refused(401, "token_invalid_or_expired");
    let sessions = ann.get("/api/sessions").json();
    assert_eq!(sessions["data"][0]["method"], "recovery", "{sessions}");
    ann.get("/api/users").is_refused(403, "forbidden");
    let path = format!("/api/webauthn/credentials/{id}");
    ann.request("DELETE", &path)
        .send()
        .is_refused(409, "last_passkey");
    let recovering = ann.clone();
    assert_eq!(ann.register().status, 200);
    recovering
        .get("/api/users/me")
        .is_refused(401, "token_invalid_or_expired");
    assert_eq!(ann.request("DELETE", &path).send().status, 204);
    assert_eq!(ann.passkeys().len(), 1);
    let mut lost = lost;
    lost.log_in().is_refused(401, "passkey_unknown");
    assert_eq!(ann.log_in().status, 200);
    for event in [
        "RECOVERY_TOKEN_CREATED",
        "RECOVERY_TOKEN_REDEEMED",
        "PASSKEY_DELETED",
    ] {
        let log = ann.get(&format!("/api/audit-logs/all?filters[event]={event}"));
        assert_eq!(log.json()["pagination"]["totalItems"], 1, "{event}");
    }
}

#[test]
fn by_an_administrator() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let mut ann = {
        // The setup session is over with the passkey.
        let library = server.library();
        let admin = library.find_user_by_username("admin").unwrap().unwrap();
        let session = library.create_session(&admin.id, Default::default(), None);
        Person::with_session(&server, &session.unwrap().secret.reveal())
    };
    assert_eq!(ann.register().status, 200);
    let (id, bob) = Person::user(&server, &key, "bob");
    let path = format!("/api/users/{id}/one-time-access-token");
    let recover = |ann: &Person<'_>, ttl: &str| {
        let body = json!({ "ttl": ttl, "recovery": true });
        ann.request("POST", &path).json(&body).send()
    };
    ann.grow_old();
    recover(&ann, "24h").is_refused(403, "reauthentication_required");
    assert_eq!(ann.step_up().status, 204);
    let made = recover(&ann, "24h");
    assert_eq!(made.status, 201, "{}", made.body);
    let token = text(&made.json()["token"]);
    assert!(token.starts_with("kp_otp_"));
    let plain = ann.request("POST", &path).json(&json!({})).send();
    assert_eq!(plain.status, 201);
    let list = ann
        .get(&format!("/api/users/{id}/one-time-access-tokens"))
        .json();
    assert_eq!(
        (&list[0]["recovery"], &list[1]["recovery"]),
        (&json!(false), &json!(true))
    );

    let mut found = redeem(&server, &token);
    bob.get("/api/users/me")
        .is_refused(401, "token_invalid_or_expired");
    found.authenticator = Authenticator::new();
    assert_eq!(found.register().status, 200);
    assert_eq!(found.passkeys().len(), 2);
    // A recovery gives no more than it says.
    found.get("/api/users").is_refused(403, "forbidden");
    let body = json!({ "recovery": true });
    let own = found.request("POST", &path).json(&body).send();
    own.is_refused(403, "forbidden");
}
