use std::thread;

use serde_json::json;

use crate::support::{BEFORE_LONG, Server};

const CLAIM: &str = "/api/signup/setup";
const SCRIPT: &str = "/api/one-time-access-token/setup";

#[test]
fn a_script_goes_from_nothing_to_a_working_key() {
    let server = Server::start();
    let first = server.post(SCRIPT).send();
    assert_eq!(first.status, 200);
    let admin = first.json();
    assert_eq!(
        (&admin["username"], &admin["isAdmin"]),
        (&json!("admin"), &json!(true))
    );
    let again = server.post(SCRIPT).send();
    assert_eq!(again.json()["id"], admin["id"], "the same administrator");
    let setup = again.cookie_value();

    // As `fetch` sends a text: with a type that says nothing.
    let body =
        json!({ "name": "自动化密钥", "description": "for a script", "expiresAt": BEFORE_LONG });
    let made = server
        .post("/api/api-keys")
        .bearer(&setup)
        .header("Content-Type", "text/plain;charset=UTF-8")
        .body(body.to_string())
        .send();
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.json()["apiKey"]["name"], "自动化密钥");
    let key = made.json()["token"].as_str().unwrap().to_owned();
    let users = server.get("/api/users").key(&key).send();
    assert_eq!(users.json()["pagination"]["totalItems"], 1);

    let complete = server.post("/api/setup/complete").bearer(&setup).send();
    assert_eq!(complete.status, 200, "{}", complete.body);
    assert_eq!(complete.json()["apiKeys"][0]["name"], "自动化密钥");
    server
        .get("/api/users/me")
        .bearer(&setup)
        .send()
        .is_refused(401, "token_invalid_or_expired");
    for path in [SCRIPT, CLAIM] {
        let reply = server.post(path).json(&json!({ "username": "eve" })).send();
        reply.is_refused(409, "setup_already_completed");
    }
    let over = server.get(CLAIM).send();
    over.is_refused(404, "setup_already_completed");
    assert_eq!(server.get("/api/users").key(&key).send().status, 200);
}

/// B3, C4.
#[test]
fn of_twenty_at_once_one_claims() {
    let server = Server::start();
    let body = json!({ "username": "ann", "email": "ann@mail.example" });
    let mut statuses: Vec<u16> = thread::scope(|scope| {
        let claims: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| server.post(CLAIM).json(&body).send().status))
            .collect();
        claims
            .into_iter()
            .map(|claim| claim.join().unwrap())
            .collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(
        statuses[1..].iter().all(|status| *status == 409),
        "{statuses:?}"
    );
    let users = server.library().list_users(Default::default()).unwrap();
    assert_eq!(users.total, 1);
}

#[test]
fn twenty_scripts_at_once_are_one_administrator() {
    let server = Server::start();
    let ids: Vec<String> = thread::scope(|scope| {
        let calls: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| server.post(SCRIPT).send()))
            .collect();
        let replies = calls.into_iter().map(|call| call.join().unwrap());
        replies
            .map(|reply| reply.json()["id"].to_string())
            .collect()
    });
    assert!(
        ids.iter().all(|id| id == &ids[0] && id != "null"),
        "{ids:?}"
    );
}

/// B3.
#[test]
fn a_bad_claim_leaves_setup_open() {
    let server = Server::start();
    assert_eq!(server.get(CLAIM).send().status, 204);
    let bad = json!({ "username": "ann", "email": "no address" });
    server.post(CLAIM).json(&bad).send().refuses_field("email");
    server
        .post(CLAIM)
        .json(&json!({}))
        .send()
        .refuses_field("username");
    let long = json!({ "username": "ann", "firstName": "x".repeat(51) });
    server
        .post(CLAIM)
        .json(&long)
        .send()
        .refuses_field("firstName");
    assert_eq!(server.get(CLAIM).send().status, 204);
    let good = json!({ "username": "ann", "email": "ann@mail.example", "firstName": "Ann" });
    let reply = server.post(CLAIM).json(&good).send();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["firstName"], "Ann");
    assert_eq!(
        server
            .get("/api/users/me")
            .cookie(&reply.cookie_value())
            .send()
            .status,
        200
    );
    // Claimed, and not complete: its link still helps.
    server.get(CLAIM).send().is_refused(404, "not_found");
}

#[test]
fn without_the_token_only_a_script_on_this_machine() {
    let server = Server::start();
    let claim = || server.post(CLAIM).json(&json!({ "username": "eve" }));
    for (name, value) in [
        ("Forwarded", "for=203.0.113.9"),
        ("Via", "1.1 proxy"),
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "localhost:1411"),
        ("X-Forwarded-Anything", ""),
        ("X-Real-IP", "127.0.0.1"),
        ("CF-Connecting-IP", "203.0.113.9"),
        ("CF-Ray", "1"),
    ] {
        claim()
            .header(name, value)
            .send()
            .is_refused(401, "token_invalid_or_expired");
        let older = server.post(SCRIPT).header(name, value).send();
        older.is_refused(401, "token_invalid_or_expired");
    }
    claim()
        .http_1_0()
        .send()
        .is_refused(401, "token_invalid_or_expired");
    for (name, value) in [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        claim()
            .header(name, value)
            .send()
            .is_refused(403, "cross_origin");
        server
            .post(SCRIPT)
            .header(name, value)
            .send()
            .is_refused(403, "cross_origin");
    }
    // Where `Sec-Fetch-Site` decides, a foreign `Origin` still keeps them from going without the token.
    let mixed = claim()
        .header("Sec-Fetch-Site", "same-origin")
        .header("Origin", "http://evil.example");
    mixed.send().is_refused(401, "token_invalid_or_expired");
    claim()
        .host("evil.example")
        .send()
        .is_refused(421, "misdirected_request");
    assert_eq!(server.get(CLAIM).send().status, 204, "still open");
    let own = claim()
        .header("Origin", &server.origin)
        .header("Sec-Fetch-Site", "same-origin");
    assert_eq!(own.send().status, 200);
}

#[test]
fn a_server_that_others_can_reach_wants_the_token() {
    let server = Server::with(&["--listen", "0.0.0.0:0"]);
    let body = json!({ "username": "eve" });
    let reply = server.post(CLAIM).json(&body).send();
    reply.is_refused(401, "token_invalid_or_expired");
    server
        .post(SCRIPT)
        .send()
        .is_refused(401, "token_invalid_or_expired");
    let token = server.setup_token.clone().unwrap();
    let reply = server.post(SCRIPT).header("X-Setup-Token", &token).send();
    assert_eq!(reply.json()["username"], "admin");
}

/// B2.
#[test]
fn elsewhere_the_token_is_wanted() {
    let server = Server::with(&["--origin", "https://id.example"]);
    let claim = || server.post(CLAIM).json(&json!({ "username": "ann" }));
    claim().send().is_refused(401, "token_invalid_or_expired");
    let wrong = json!({ "username": "ann", "token": "kp_set_wrong" });
    server
        .post(CLAIM)
        .json(&wrong)
        .send()
        .is_refused(401, "token_invalid_or_expired");
    server
        .post(SCRIPT)
        .send()
        .is_refused(401, "token_invalid_or_expired");
    let token = server.setup_token.clone().unwrap();
    let reply = claim().header("X-Setup-Token", &token).send();
    assert_eq!(reply.status, 200, "{}", reply.body);
    let cookie = reply.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("__Host-access_token=kp_ses_"),
        "{cookie}"
    );
    for attribute in [
        "; Path=/",
        "; HttpOnly",
        "; SameSite=Lax",
        "; Secure",
        "; Max-Age=3600",
    ] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    // It is resumed with the token, in the header or the body.
    let resumed = server.post(SCRIPT).json(&json!({ "token": token })).send();
    assert_eq!(resumed.status, 200, "{}", resumed.body);
    let old = server
        .get("/api/users/me")
        .header("Cookie", &cookie[..cookie.find(';').unwrap()])
        .send();
    old.is_refused(401, "token_invalid_or_expired");
    server
        .post(SCRIPT)
        .send()
        .is_refused(401, "token_invalid_or_expired");
}

#[test]
fn the_older_route_ends_with_the_second_user() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    assert_eq!(server.post(SCRIPT).send().status, 200);
    let body = json!({ "username": "bob" });
    assert_eq!(
        server
            .post("/api/users")
            .key(&key)
            .json(&body)
            .send()
            .status,
        201
    );
    server
        .post(SCRIPT)
        .send()
        .is_refused(409, "setup_already_completed");
}

/// B2, B3.
#[test]
fn the_link_resumes_until_setup_is_complete() {
    let server = Server::start();
    let token = server.setup_token.clone().unwrap();
    let resume = |token: &str| {
        server
            .post("/api/setup/resume")
            .json(&json!({ "token": token }))
            .send()
    };
    resume(&token).is_refused(404, "not_found");
    let (first, key) = server.claim_with_key();
    server.user_with_session(&key, "bob");
    let resumed = resume(&token);
    assert_eq!(resumed.json()["username"], "admin", "{}", resumed.body);
    let second = resumed.cookie_value();
    server
        .get("/api/users/me")
        .bearer(&first)
        .send()
        .is_refused(401, "token_invalid_or_expired");
    // Here a script on this machine wants it too: there is somebody already whom it would become.
    server
        .post("/api/setup/resume")
        .send()
        .is_refused(401, "token_invalid_or_expired");
    let foreign = server
        .post("/api/setup/resume")
        .header("Origin", "https://evil.example")
        .header("X-Setup-Token", &token);
    foreign.send().is_refused(403, "cross_origin");
    assert_eq!(
        server
            .post("/api/setup/complete")
            .bearer(&second)
            .send()
            .status,
        200
    );
    resume(&token).is_refused(409, "setup_already_completed");
}

#[test]
fn open_setup_lifts_it_but_not_after_a_reset() {
    let server = Server::with(&["--origin", "https://id.example", "--open-setup"]);
    assert!(server.log().contains("warning: --open-setup"));
    let claim = || {
        let claim = server.post(CLAIM).json(&json!({ "username": "ann" }));
        claim.header("X-Forwarded-For", "203.0.113.9")
    };
    assert_eq!(claim().send().status, 200);
    let library = server.library();
    library.reset_setup(1).unwrap();
    claim().send().is_refused(401, "token_invalid_or_expired");
    let token = library.create_setup_token().unwrap();
    let named = claim().header("X-Setup-Token", token.secret.as_str());
    named.send().is_taken("username");
}

/// B5.
#[test]
fn after_a_reset_the_claim_may_name_a_user_who_is_there() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let (bob, _) = server.user_with_session(&key, "bob");
    let complete = |session: &str| server.post("/api/setup/complete").bearer(session).send();
    assert_eq!(complete(&session).status, 200);

    let library = server.library();
    library.reset_setup(1).unwrap();
    let token = library.create_setup_token().unwrap().secret.reveal();
    let claim = |token: &str, id: &str| {
        server
            .post(CLAIM)
            .json(&json!({ "existingUserId": id, "token": token }))
            .send()
    };
    // The host's word alone is not enough any more (B5).
    claim("", &bob).is_refused(401, "token_invalid_or_expired");
    for wrong in ["bob", "01a19467-e800-7000-8000-000000000000"] {
        claim(&token, wrong).refuses_field("existingUserId");
    }
    let claimed = claim(&token, &bob);
    assert_eq!(claimed.status, 200, "{}", claimed.body);
    let administrator = claimed.json();
    assert_eq!(
        (&administrator["id"], &administrator["isAdmin"]),
        (&json!(bob), &json!(true))
    );
    claim(&token, &bob).is_refused(409, "setup_already_completed");
    assert_eq!(complete(&claimed.cookie_value()).status, 200);
    assert_eq!(library.list_users(Default::default()).unwrap().total, 2);
}

#[test]
fn the_first_claim_takes_over_nobody() {
    let server = Server::start();
    let bob = server
        .library()
        .create_user(keyplate::NewUser {
            username: "bob".into(),
            ..Default::default()
        })
        .unwrap();
    let body = json!({ "existingUserId": bob.id.to_string() });
    server
        .post(CLAIM)
        .json(&body)
        .send()
        .is_refused(403, "forbidden");
}

/// B4.
#[test]
fn the_setup_session_or_an_administrator_completes() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let complete = || server.post("/api/setup/complete");
    complete().send().is_refused(401, "not_signed_in");
    let weak = server.make_key(&session, "weak", Some(&["users:write"]));
    let bob = server.user_with_session(&key, "bob").1;
    complete().key(&weak).send().is_refused(403, "forbidden");
    complete().bearer(&bob).send().is_refused(403, "forbidden");
    let reply = complete().cookie(&session).send();
    assert_eq!(reply.status, 200);
    let cookie = reply.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("keyplate-1411-access_token=; "),
        "{cookie}"
    );
    complete()
        .key(&key)
        .send()
        .is_refused(409, "setup_already_completed");
}

#[test]
fn an_administrators_key_or_session_completes_and_stays() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    assert_eq!(
        server.post("/api/setup/complete").key(&key).send().status,
        200
    );
    server
        .get("/api/users/me")
        .bearer(&session)
        .send()
        .is_refused(401, "token_invalid_or_expired");

    let server = Server::start();
    let session = server.claim();
    let me = server.get("/api/users/me").bearer(&session).send().json();
    let id = keyplate::UserId::parse(me["id"].as_str().unwrap()).unwrap();
    let other = server
        .library()
        .create_session(&id, Default::default(), None)
        .unwrap()
        .secret
        .reveal();
    let reply = server.post("/api/setup/complete").cookie(&other).send();
    assert_eq!((reply.status, reply.header("set-cookie")), (200, None));
    let me = server.get("/api/users/me").cookie(&other).send();
    assert_eq!(me.status, 200, "{}", me.body);
}

#[test]
fn a_claim_without_the_link_is_logged_with_its_address() {
    let server = Server::start();
    let key = server.claim_with_key().1;
    let log = server
        .get("/api/audit-logs/all?filters[event]=SETUP_CLAIMED")
        .key(&key)
        .send()
        .json();
    assert_eq!(log["data"][0]["ipAddress"], "127.0.0.1", "{log}");
}
