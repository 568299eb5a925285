//! Origins, the RP id, and what others look for (P6, P7).

use std::process::{Command, Output, Stdio};

use keyplate_testkit::Spoil;
use serde_json::{Value, json};

use crate::{
    person::Person,
    support::{Server, command, text},
};

const WEBAUTHN: &str = "/.well-known/webauthn";

/// Claims setup with the token and registers a passkey.
fn administrator(server: &Server) -> Person<'_> {
    let token = server.setup_token.clone().unwrap();
    let claim = server
        .post("/api/signup/setup")
        .header("X-Setup-Token", &token);
    let session = claim
        .json(&json!({ "username": "ann" }))
        .send()
        .cookie_value();
    let mut ann = Person::with_session(server, &session);
    assert_eq!(ann.register().status, 200);
    ann
}

/// The program in that folder, which is expected to refuse.
fn refused(folder: &std::path::Path, options: &[&str]) -> String {
    let mut program: Command = command();
    program.args(["--listen", "127.0.0.1:0", "--data"]);
    let mut child = program
        .arg(folder.join("data"))
        .args(options)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..1_000 {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let _ = child.kill();
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    assert_eq!(status.code(), Some(1));
    let text = String::from_utf8(stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text.strip_prefix("keyplate-server: ")
        .unwrap()
        .trim_end()
        .to_owned()
}

#[test]
fn where_passkeys_cannot_work_the_flag_is_named() {
    let folder = tempfile::TempDir::new().unwrap();
    for (origin, reason) in [
        (
            "http://192.0.2.1:1411",
            "--origin is an IP address, where passkeys cannot work: use a host name, or --allow-insecure-origin to do without",
        ),
        (
            "http://media.lan",
            "--origin is neither https nor localhost, where passkeys cannot work: use https, or --allow-insecure-origin to do without",
        ),
    ] {
        assert_eq!(refused(folder.path(), &["--origin", origin]), reason);
        let options = ["--origin", origin, "--allow-insecure-origin"];
        let server = Server::with(&options);
        assert!(
            server
                .log()
                .contains("warning: passkeys cannot work: --origin "),
            "{}",
            server.log()
        );
        server
            .get("/api/webauthn/login/start")
            .send()
            .fails_ceremony("unavailable");
        // All else does: the first administrator, and codes.
        let token = server.setup_token.clone().unwrap();
        let claim = server
            .post("/api/signup/setup")
            .header("X-Setup-Token", &token);
        let claim = claim.json(&json!({ "username": "ann" })).send();
        assert_eq!(claim.status, 200, "{}", claim.body);
        let start = server
            .get("/api/webauthn/register/start")
            .cookie(&claim.cookie_value());
        start.send().fails_ceremony("unavailable");
    }
    for (options, reason) in [
        (
            &["--origin", "https://id.example", "--rp-id", "other.example"][..],
            "--rp-id must be the origin's host, or a domain above it",
        ),
        (
            &[
                "--origin",
                "https://id.example",
                "--extra-origin",
                "https://other.example",
            ],
            "--extra-origin must be https or localhost, and of the RP id; others are --related-origin",
        ),
        (
            &[
                "--origin",
                "https://id.example",
                "--native-origin",
                "android:x",
            ],
            "--native-origin must be android:apk-key-hash:",
        ),
    ] {
        let text = refused(folder.path(), options);
        assert!(text.starts_with(reason), "{text}");
    }
}

#[test]
fn another_rp_id_is_refused_until_it_is_meant() {
    let mut server = Server::with(&["--origin", "https://old.example"]);
    let mut ann = administrator(&server);
    let authenticator = ann.authenticator.clone();
    assert_eq!(ann.log_in().status, 200);
    drop(ann);
    assert_eq!(server.stop("-TERM"), Some(0));
    let text = refused(server.folder.path(), &["--origin", "https://new.example"]);
    for part in [
        "old.example",
        "new.example",
        "--accept-rp-id-change",
        "--origin",
        "--rp-id",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Commands work all the same.
    let output = command()
        .args([
            "one-time-token",
            "ann",
            "--origin",
            "https://new.example",
            "--data",
        ])
        .arg(server.folder.path().join("data"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let code = printed
        .lines()
        .find_map(|line| line.strip_prefix("code: "))
        .unwrap()
        .to_owned();

    let folder = std::mem::replace(&mut server.folder, tempfile::TempDir::new().unwrap());
    let server = Server::in_folder(
        folder,
        &["--origin", "https://new.example", "--accept-rp-id-change"],
    );
    let signed_in = server
        .post(&format!("/api/one-time-access-token/{code}"))
        .send();
    let mut ann = Person::with_session(&server, &signed_in.cookie_value());
    assert_eq!(ann.passkeys()[0]["usable"], false);
    assert_eq!(ann.register().status, 200);
    assert_eq!(ann.log_in().status, 200);
    let mut old = Person::at(&server);
    old.authenticator = authenticator;
    let options = old.begin("/api/webauthn/login/start");
    assert!(
        old.authenticator
            .authenticate(&server.origin, &options, &Spoil::default())
            .is_err()
    );
}

#[test]
fn further_origins_are_admitted() {
    let server = Server::with(&[
        "--origin",
        "https://home.example",
        "--extra-origin",
        "https://tv.home.example,https://tv.home.example:8443",
        "--extra-origin",
        "https://disk.home.example",
        "--rp-name",
        "Home",
    ]);
    let ann = administrator(&server);
    for host in [
        "home.example",
        "tv.home.example",
        "tv.home.example:8443",
        "disk.home.example",
    ] {
        let mut ann = ann.clone();
        ann.origin = format!("https://{host}");
        ann.cookies.clear();
        let reply = ann.log_in();
        assert_eq!(reply.status, 200, "{host}: {}", reply.body);
        let put = ann
            .request("PUT", "/api/users/me")
            .json(&json!({ "firstName": "Ann" }));
        assert_eq!(put.send().status, 200);
        // An older browser sends no Sec-Fetch-Site.
        let put = server.request("PUT", "/api/users/me").host(host);
        let put = put.header("Cookie", &format!("__Host-access_token={}", ann.session()));
        let put = put.json(&json!({ "firstName": "Ann" }));
        let own = put.clone().header("Origin", &ann.origin).send();
        assert_eq!(own.status, 200, "{}", own.body);
        let foreign = put.header("Origin", "https://other.home.example").send();
        foreign.is_refused(403, "cross_origin");
    }
    for host in ["other.home.example", "tv.home.example:8444", "example"] {
        let request = server.get("/api/version/latest").host(host);
        request.send().is_refused(421, "misdirected_request");
    }
    let mut ann = ann;
    ann.origin = "https://other.home.example".to_owned();
    let options = server.get("/api/webauthn/login/start").send();
    let shown = ann
        .authenticator
        .authenticate(&ann.origin, &options.body, &Spoil::default());
    let finish = server.post("/api/webauthn/login/finish");
    let ceremony = options.cookies()[0].split(';').next().unwrap();
    assert!(ceremony.starts_with("__Host-ceremony-login-"), "{ceremony}");
    let finish = finish.header("Cookie", ceremony);
    let shown: Value = serde_json::from_str(&shown.unwrap()).unwrap();
    finish.json(&shown).send().fails_ceremony("wrong_origin");
    let begun = ann.clone();
    let mut begun = begun;
    begun.origin = server.origin.clone();
    let options: Value =
        serde_json::from_str(&begun.begin("/api/webauthn/register/start")).unwrap();
    assert_eq!(options["rp"]["name"], "Home");
}

#[test]
fn related_origins_are_listed_and_used() {
    let server = Server::start();
    server.get(WEBAUTHN).send().is_refused(404, "not_found");
    let server = Server::with(&[
        "--origin",
        "https://media.home.example",
        "--rp-id",
        "home.example",
        "--related-origin",
        "https://other.example",
    ]);
    let expected = json!({ "origins": ["https://media.home.example", "https://other.example"] });
    // Browsers ask at the RP id.
    for host in [
        "media.home.example",
        "home.example",
        "home.example:443",
        "other.example",
    ] {
        let reply = server.get(WEBAUTHN).host(host).send();
        assert_eq!(
            (reply.status, reply.json()),
            (200, expected.clone()),
            "{host}"
        );
    }
    let elsewhere = server.get("/api/version/latest").host("home.example");
    elsewhere.send().is_refused(421, "misdirected_request");
    let evil = server.get(WEBAUTHN).host("evil.example");
    evil.send().is_refused(421, "misdirected_request");

    let mut ann = administrator(&server);
    ann.cookies.clear();
    ann.origin = "https://other.example".to_owned();
    ann.authenticator.related_origins = vec![ann.origin.clone()];
    let reply = ann.log_in();
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(ann.get("/api/users/me").status, 200);
}

#[test]
fn android_applications_are_origins_too() {
    let app = format!("android:apk-key-hash:{}", "a".repeat(43));
    let server = Server::with(&["--origin", "https://id.example", "--native-origin", &app]);
    let mut ann = administrator(&server);
    let spoil = Spoil {
        origin: Some(app),
        ..Spoil::default()
    };
    assert_eq!(ann.log_in_with(&spoil).status, 200);
}

#[test]
fn password_managers_find_the_page() {
    let server = Server::with(&["--origin", "https://id.example"]);
    let reply = server.get("/.well-known/passkey-endpoints").send();
    let page = "https://id.example/account";
    assert_eq!(reply.json(), json!({ "enroll": page, "manage": page }));
}

#[test]
fn browsers_are_told_what_there_is() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (_, mut bob) = Person::user(&server, &key, "bob");
    let path = "/api/webauthn/signals";
    server.get(path).send().is_refused(401, "not_signed_in");
    let id = text(&bob.passkeys()[0]["credentialID"]);
    let signals = bob.get(path).json();
    let accepted = &signals["allAcceptedCredentials"];
    assert_eq!(accepted["allAcceptedCredentialIds"], json!([id]));
    let details = &signals["currentUserDetails"];
    let expected = json!({ "rpId": "localhost", "userId": accepted["userId"], "name": "bob", "displayName": "bob" });
    assert_eq!(*details, expected);
    assert_eq!(signals.get("unknownCredential"), None);
    // Who has none has nothing to tell.
    let (_, eve) = server.user_with_session(&key, "eve");
    let none = server.get(path).bearer(&eve).send().json();
    assert_eq!(
        none,
        json!({ "allAcceptedCredentials": null, "currentUserDetails": null })
    );

    let unknown = json!({ "rpId": "localhost", "credentialId": "BwcH" });
    let asked = |id: &str| server.get(&format!("{path}?credential={id}"));
    // Also who is no longer signed in.
    for request in [asked("BwcH"), asked("BwcH").cookie("kp_ses_old")] {
        let signals = request.send();
        assert_eq!(signals.status, 200, "{}", signals.body);
        assert_eq!(signals.json()["unknownCredential"], unknown);
        assert_eq!(signals.json()["allAcceptedCredentials"], Value::Null);
    }
    let known = asked(&id).send().json();
    assert_eq!(known["unknownCredential"], Value::Null);
    assert!(known.as_object().unwrap().contains_key("unknownCredential"));
    asked("!").send().refuses_field("credential");
    // What was deleted is unknown.
    bob.authenticator = keyplate_testkit::Authenticator::new();
    assert_eq!(bob.register().status, 200);
    let own = bob.get(path).json()["allAcceptedCredentials"].clone();
    assert_eq!(own["allAcceptedCredentialIds"].as_array().unwrap().len(), 2);
}
