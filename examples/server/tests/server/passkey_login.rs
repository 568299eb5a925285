//! Signing in by a passkey, and the ceremonies' cookies.

use std::thread;

use keyplate_testkit::{SignatureSpoil, Spoil, UserHandleSpoil};
use serde_json::{Value, json};

use crate::{
    person::Person,
    support::{self, Reply, Server},
};

const START: &str = "/api/webauthn/login/start";
const FINISH: &str = "/api/webauthn/login/finish";

/// Of that name, and empty from now on.
fn is_taken_away(cookie: &str, prefix: &str) -> bool {
    cookie.starts_with(prefix) && cookie.contains("=; ") && cookie.contains("Max-Age=0")
}

/// P1.
#[test]
fn nobody_says_who_he_is() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (id, mut bob) = Person::user(&server, &key, "bob");
    bob.cookies.clear();
    let begun = bob.request("GET", START);
    let begun = bob.send(begun);
    let options = begun.json();
    assert_eq!(options["rpId"], "localhost");
    assert_eq!(options["userVerification"], "required");
    let listed = options
        .get("allowCredentials")
        .unwrap_or(&json!([]))
        .clone();
    assert_eq!(listed, json!([]));
    let credential = bob.show(&begun.body, &Spoil::default());
    let reply = bob.finish(FINISH, &credential);
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(
        (&reply.json()["id"], &reply.json()["username"]),
        (&json!(id), &json!("bob"))
    );
    let cookies = reply.cookies();
    assert!(
        cookies[0].starts_with("keyplate-1411-access_token=kp_ses_"),
        "{cookies:?}"
    );
    assert_eq!(
        support::attributes(cookies[0]),
        ["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Lax"]
    );
    assert!(
        is_taken_away(cookies[1], "keyplate-1411-ceremony-login-"),
        "{cookies:?}"
    );
    let sessions = bob.get("/api/sessions").json();
    assert_eq!(sessions["data"][0]["method"], "passkey");
    assert_eq!(sessions["data"][0]["current"], true);
    assert_ne!(bob.passkeys()[0]["lastUsedAt"], Value::Null);
}

#[test]
fn an_answer_works_once() {
    let server = Server::start();
    let mut ann = Person::administrator(&server);
    let options = ann.begin(START);
    let credential = ann.show(&options, &Spoil::default());
    let before = ann.cookies.clone();
    assert_eq!(ann.finish(FINISH, &credential).status, 200);
    ann.finish(FINISH, &credential)
        .fails_ceremony("unknown_ceremony");
    ann.cookies = before;
    ann.finish(FINISH, &credential)
        .fails_ceremony("spent_challenge");
    // A try that fails leaves it for the next one.
    let options = ann.begin(START);
    let wrong = Spoil {
        signature: Some(SignatureSpoil::Corrupted),
        ..Spoil::default()
    };
    let bad = ann.show(&options, &wrong);
    let good = ann.show(&options, &Spoil::default());
    ann.finish(FINISH, &bad).fails_ceremony("bad_signature");
    assert_eq!(ann.finish(FINISH, &good).status, 200);
}

/// P2.
#[test]
fn of_many_who_send_the_same_answer_one_is_signed_in() {
    let server = Server::start();
    let mut ann = Person::administrator(&server);
    let options = ann.begin(START);
    let credential = ann.show(&options, &Spoil::default());
    let request = ann.request("POST", FINISH).json(&credential);
    let replies: Vec<Reply> = thread::scope(|scope| {
        let tries: Vec<_> = (0..12).map(|_| scope.spawn(|| request.send())).collect();
        tries.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let (won, lost): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|r| r.status == 200);
    assert_eq!(won.len(), 1, "{replies:?}");
    for reply in lost {
        reply.fails_ceremony("spent_challenge");
    }
}

#[test]
fn what_is_wrong_is_told() {
    let server = Server::start();
    let mut ann = Person::administrator(&server);
    let wrong = Spoil::default;
    for (spoil, reason) in [
        (
            Spoil {
                origin: Some("https://evil.example".into()),
                ..wrong()
            },
            "wrong_origin",
        ),
        (
            Spoil {
                challenge: Some(vec![0; 32]),
                ..wrong()
            },
            "wrong_challenge",
        ),
        (
            Spoil {
                client_data_type: Some("webauthn.create".into()),
                ..wrong()
            },
            "wrong_type",
        ),
        (
            Spoil {
                rp_id: Some("evil.example".into()),
                ..wrong()
            },
            "wrong_rp_id",
        ),
        (
            Spoil {
                no_user_verification: true,
                ..wrong()
            },
            "user_not_verified",
        ),
        (
            Spoil {
                user_handle: Some(UserHandleSpoil::Removed),
                ..wrong()
            },
            "wrong_user_handle",
        ),
        (
            Spoil {
                truncated: 1,
                ..wrong()
            },
            "malformed",
        ),
    ] {
        let reply = ann.log_in_with(&spoil);
        reply.fails_ceremony(reason);
        let advice = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(advice.len() > 40 && !advice.contains('_'), "{advice}");
        assert!(reply.cookies().is_empty());
    }
    let unknown = Spoil {
        credential_id: Some(vec![7; 16]),
        ..wrong()
    };
    let reply = ann.log_in_with(&unknown);
    reply.is_refused(401, "passkey_unknown");
    assert_eq!(reply.json()["details"]["reason"], "unknown_credential");
    for (body, reason) in [(json!({}), "malformed"), (json!({ "id": 3 }), "malformed")] {
        ann.begin(START);
        ann.finish(FINISH, &body).fails_ceremony(reason);
    }
    // What is no JSON costs no ceremony.
    let options = ann.begin(START);
    for body in ["", "[]", "{", "{}{}", "text"] {
        let request = ann
            .request("POST", FINISH)
            .header("Content-Type", "application/json");
        request
            .body(body)
            .send()
            .is_refused(400, "invalid_request_body");
    }
    let credential = ann.show(&options, &Spoil::default());
    assert_eq!(ann.finish(FINISH, &credential).status, 200);
    let log = ann
        .get("/api/audit-logs/all?filters[event]=SIGN_IN_REFUSED")
        .json();
    assert_ne!(log["pagination"]["totalItems"], 0);
}

#[test]
fn a_ceremony_is_of_its_kind() {
    let server = Server::start();
    let mut ann = Person::administrator(&server);
    ann.finish(FINISH, &json!({}))
        .fails_ceremony("unknown_ceremony");
    for (path, kind) in [
        ("/api/webauthn/register/finish", "register"),
        ("/api/webauthn/reauthenticate", "reauthenticate"),
        ("/api/signup/passkey/finish", "signup"),
    ] {
        let options = ann.begin(START);
        let answer = ann.show(&options, &Spoil::default());
        ann.finish(path, &answer).fails_ceremony("unknown_ceremony");
        let (name, login) = ann.ceremonies("login").remove(0);
        ann.cookies.insert(name.replace("login", kind), login);
        ann.finish(path, &answer).fails_ceremony("wrong_kind");
    }
    let options = ann.begin(START);
    let answer = ann.show(&options, &Spoil::default());
    for (name, _) in ann.ceremonies("login") {
        for forged in ["9999999999.login.forged", "login.forged", "9999999999"] {
            ann.cookies.insert(name.clone(), forged.into());
        }
    }
    ann.finish(FINISH, &answer)
        .fails_ceremony("unknown_ceremony");
}

#[test]
fn a_ceremonys_cookie_is_kept_from_others() {
    // Twice as long as the ceremony, so that who comes too late is told so.
    let plain = ["HttpOnly", "Max-Age=600", "Path=/", "SameSite=Strict"];
    let secure = [
        "HttpOnly",
        "Max-Age=600",
        "Path=/",
        "SameSite=Strict",
        "Secure",
    ];
    for (options, prefix, expected) in [
        (&[][..], "keyplate-1411-", &plain[..]),
        (&["--origin", "https://id.example"], "__Host-", &secure),
    ] {
        let server = Server::with(options);
        let token = server.setup_token.clone().unwrap();
        let claim = server
            .post("/api/signup/setup")
            .header("X-Setup-Token", &token);
        let session = claim
            .json(&json!({ "username": "ann" }))
            .send()
            .cookie_value();
        let mut ann = Person::with_session(&server, &session);
        assert_eq!(ann.register().status, 200);
        for (path, kind) in [
            ("/api/webauthn/register/start", "register"),
            ("/api/webauthn/reauthenticate/start", "reauthenticate"),
            (START, "login"),
        ] {
            let reply = ann.request("GET", path).send();
            let cookies = reply.cookies();
            let (name, value) = cookies[0].split_once('=').unwrap();
            let value = value.split("; ").next().unwrap();
            let id = name.strip_prefix(&format!("{prefix}ceremony-{kind}-"));
            assert_eq!(id.map(str::len), Some(16), "{name}");
            assert!(
                !value.is_empty() && !value.contains('=') && value.len() < 150,
                "{value}"
            );
            assert_eq!(support::attributes(cookies[0]), expected);
            assert_eq!(cookies.len(), 1);
            assert!(!server.log().contains(value));
        }
        assert_eq!(ann.log_in().status, 200);
    }
}

#[test]
fn another_sites_page_ends_no_ceremony() {
    let server = Server::start();
    let mut ann = Person::administrator(&server);
    for path in [
        "/api/webauthn/register/finish",
        FINISH,
        "/api/webauthn/reauthenticate",
        "/api/signup/passkey/start",
        "/api/signup/passkey/finish",
    ] {
        let cookie = format!("keyplate-1411-access_token={}", ann.session());
        let from = |name: &str, value: &str| {
            let request = server
                .post(path)
                .header("Cookie", &cookie)
                .header(name, value);
            request.json(&json!({})).send()
        };
        from("Sec-Fetch-Site", "cross-site").is_refused(403, "cross_origin");
        from("Sec-Fetch-Site", "same-site").is_refused(403, "cross_origin");
        from("Origin", "https://evil.example").is_refused(403, "cross_origin");
        let form = server.post(path).header("Cookie", &cookie);
        let form = form.header("Content-Type", "text/plain").body("{}");
        form.send().is_refused(415, "invalid_request_body");
    }
    assert_eq!(ann.log_in().status, 200);
}

#[test]
fn who_may_not_sign_in_is_told() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (id, mut bob) = Person::user(&server, &key, "bob");
    let body = json!({ "username": "bob", "disabled": true });
    let off = server.request("PUT", &format!("/api/users/{id}")).key(&key);
    assert_eq!(off.json(&body).send().status, 200);
    bob.log_in().is_refused(403, "user_disabled");
}

/// P3.
#[test]
fn a_counter_that_goes_back() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let strong = server.make_key(&session, "strong", Some(&["*", "roles:write"]));
    let (_, mut bob) = Person::user(&server, &key, "bob");
    let mut copy = bob.clone();
    assert_eq!((bob.log_in().status, bob.log_in().status), (200, 200));
    assert_eq!(copy.log_in().status, 200, "it is noted");
    let path = "/api/audit-logs/all?filters[event]=PASSKEY_COUNTER_WENT_BACK";
    let log = server.get(path).key(&key).send().json();
    assert_eq!(log["data"][0]["username"], "bob", "{log}");
    server.configure(&strong, json!({ "counterPolicy": "deny" }));
    assert_eq!(bob.log_in().status, 200);
    assert_eq!(bob.log_in().status, 200);
    copy.log_in().fails_ceremony("counter_went_back");
}
