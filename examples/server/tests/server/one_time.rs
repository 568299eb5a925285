//! Signing in once, by code or link.

use std::thread;

use serde_json::{Value, json};

use crate::support::{Reply, Server, text};

/// A server, a key that may do everything, and a user's id.
fn with_bob(options: &[&str]) -> (Server, String, String) {
    let (server, key) = Server::inviting(options);
    server.configure(&key, json!({ "allowUserSignups": "disabled" }));
    let bob = text(&server.made(&key, "/api/users", json!({ "username": "bob" }))["id"]);
    (server, key, bob)
}

fn make(server: &Server, key: &str, id: &str, body: Value) -> String {
    let path = format!("/api/users/{id}/one-time-access-token");
    let made = server.made(key, &path, body);
    assert_eq!(made.as_object().unwrap().len(), 1, "{made}");
    text(&made["token"])
}

fn redeem(server: &Server, token: &str) -> Reply {
    let path = format!("/api/one-time-access-token/{token}");
    server.post(&path).send()
}

#[test]
fn a_code_signs_in_once_while_sign_up_is_disabled() {
    let (server, key, bob) = with_bob(&[]);
    let code = make(&server, &key, &bob, json!({}));
    let (head, tail) = code.split_once('-').unwrap();
    assert_eq!((head.len(), tail.len()), (4, 4));
    let replies: Vec<Reply> = thread::scope(|scope| {
        let tries: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| redeem(&server, &code)))
            .collect();
        tries.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let (won, lost): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|r| r.status == 200);
    assert_eq!(won.len(), 1, "{replies:?}");
    assert_eq!(won[0].json()["username"], "bob");
    for reply in lost {
        // The used code is a wrong one, and these are limited.
        match reply.status {
            429 => reply.is_refused(429, "rate_limited"),
            _ => reply.is_refused(401, "token_invalid_or_expired"),
        }
    }
    let sessions = server.get("/api/sessions").cookie(&won[0].cookie_value());
    let sessions = sessions.send().json();
    assert_eq!(sessions["pagination"]["totalItems"], 1);
    assert_eq!(sessions["data"][0]["method"], "oneTimeToken");
}

/// C3.
#[test]
fn a_code_is_read_kindly() {
    let (server, key, bob) = with_bob(&[]);
    // Until each letter that may be mistaken has been in one.
    let mut mistaken = vec![("0", "O"), ("0", "o"), ("1", "I"), ("1", "l")];
    while let Some((digit, letter)) = mistaken.pop() {
        let code = loop {
            let code = make(&server, &key, &bob, json!({ "ttl": "15m" }));
            if code.contains(digit) {
                break code.replace(digit, letter);
            }
        };
        assert_eq!(redeem(&server, &code).status, 200, "{code}");
    }
    type Typed = fn(&str) -> String;
    let variants: [Typed; 5] = [
        |code| code.to_lowercase(),
        |code| code.replace('-', ""),
        |code| code.replace('-', "%20"),
        |code| code.chars().flat_map(|c| [c, '-']).collect(),
        |code| {
            code.replace('-', "%E2%80%93")
                .to_lowercase()
                .replace("%e2%80%93", "%E2%80%93")
        },
    ];
    for typed in variants {
        let code = typed(&make(&server, &key, &bob, json!({ "ttl": 60 })));
        let reply = redeem(&server, &code);
        assert_eq!(reply.status, 200, "{code}: {}", reply.body);
    }
}

/// C3.
#[test]
fn the_eleventh_wrong_code_has_to_wait() {
    let (server, key, bob) = with_bob(&["--trusted-proxy", "127.0.0.1"]);
    let from = |address: &str, token: &str| {
        let path = format!("/api/one-time-access-token/{token}");
        let request = server.post(&path);
        request.header("X-Forwarded-For", address).send()
    };
    let good = make(&server, &key, &bob, json!({}));
    let other = make(&server, &key, &bob, json!({}));
    let long = make(&server, &key, &bob, json!({ "ttl": "24h" }));
    assert!(
        long.starts_with("kp_otp_"),
        "beyond 15 minutes it is a token"
    );
    // Letters that no code has are no guess.
    from("203.0.113.9", "UUUU-UUUU").is_refused(401, "token_invalid_or_expired");
    let mut first = None;
    for n in 0..10 {
        let reply = from("203.0.113.9", &format!("0000-000{n}"));
        reply.is_refused(401, "token_invalid_or_expired");
        let first = first.get_or_insert_with(|| reply.outward());
        assert_eq!(reply.outward(), *first);
    }
    for code in ["0000-000A", good.as_str()] {
        let reply = from("203.0.113.9", code);
        reply.is_refused(429, "rate_limited");
        let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((590..=600).contains(&wait), "{wait}");
    }
    // Elsewhere it still works, and long tokens work here too: wrong ones are refused, good ones sign in.
    assert_eq!(from("203.0.113.10", &good).status, 200);
    for _ in 0..20 {
        let wrong = from("203.0.113.9", &long[..long.len() - 1]);
        wrong.is_refused(401, "token_invalid_or_expired");
    }
    assert_eq!(from("203.0.113.9", &long).status, 200);
    from("203.0.113.9", &other).is_refused(429, "rate_limited");
    let log = server
        .get("/api/audit-logs/all?filters[event]=ONE_TIME_TOKEN_REFUSED")
        .key(&key);
    let log = log.send().json();
    assert!(!log["data"].as_array().unwrap().is_empty());
    for secret in [&good, &other, &long] {
        assert!(!server.log().contains(secret.as_str()), "{secret}");
    }
}

#[test]
fn tokens_are_listed_and_revoked() {
    let (server, key, bob) = with_bob(&[]);
    let code = make(&server, &key, &bob, json!({}));
    let long = make(&server, &key, &bob, json!({ "ttl": 86_400 }));
    let path = format!("/api/users/{bob}/one-time-access-tokens");
    let list = server.get(&path).key(&key).send();
    assert!(!list.body.contains(&code) && !list.body.contains(&long));
    let list = list.json();
    assert_eq!(
        (&list[0]["isCode"], &list[1]["isCode"]),
        (&json!(false), &json!(true)),
        "{list}"
    );
    let id = text(&list[0]["id"]);
    let eve = text(&server.made(&key, "/api/users", json!({ "username": "eve" }))["id"]);
    let delete = |user: &str, id: &str| {
        let path = format!("/api/users/{user}/one-time-access-tokens/{id}");
        server.request("DELETE", &path).key(&key).send()
    };
    for (user, id) in [(&eve, id.as_str()), (&bob, "42"), (&bob, bob.as_str())] {
        let reply = delete(user, id);
        reply.is_refused(404, "not_found");
        assert_eq!(reply.json()["error"], "One-time token not found");
    }
    assert_eq!(delete(&bob, &id).status, 204);
    delete(&bob, &id).is_refused(404, "not_found");
    redeem(&server, &long).is_refused(401, "token_invalid_or_expired");
    assert_eq!(redeem(&server, &code).status, 200);
    assert_eq!(server.get(&path).key(&key).send().json(), json!([]));
}

/// O1.
#[test]
fn who_may_not_sign_in_does_not_use_it_up() {
    let (server, key, bob) = with_bob(&[]);
    let code = make(&server, &key, &bob, json!({}));
    let status = |disabled: bool| {
        let body = json!({ "username": "bob", "disabled": disabled });
        let request = server.request("PUT", &format!("/api/users/{bob}"));
        assert_eq!(request.key(&key).json(&body).send().status, 200);
    };
    status(true);
    redeem(&server, &code).is_refused(403, "user_disabled");
    let path = format!("/api/users/{bob}/one-time-access-token");
    let create = server.post(&path).key(&key).send();
    create.is_refused(403, "user_disabled");
    status(false);
    assert_eq!(redeem(&server, &code).status, 200);
}

#[test]
fn wrong_values_name_their_field() {
    let (server, key, bob) = with_bob(&[]);
    let path = format!("/api/users/{bob}/one-time-access-token");
    for ttl in [
        json!(-1),
        json!(1.5),
        json!("soon"),
        json!(2_678_401),
        json!("32d"),
        json!("900"),
        json!([]),
    ] {
        let request = server.post(&path).key(&key).json(&json!({ "ttl": ttl }));
        request.send().refuses_field("ttl");
    }
    make(&server, &key, &bob, json!({ "ttl": null }));
    make(&server, &key, &bob, json!({ "ttl": "31d" }));
    for id in ["42", "0190a1b2-0000-7000-8000-00000000abcd"] {
        let path = format!("/api/users/{id}/one-time-access-token");
        server
            .post(&path)
            .key(&key)
            .send()
            .is_refused(404, "not_found");
    }
    for token in [
        "x",
        "kp_otp_short",
        &key,
        &"0".repeat(500),
        "%00",
        "0000_0000",
    ] {
        redeem(&server, token).is_refused(401, "token_invalid_or_expired");
    }
    let (_, session) = server.user_with_session(&key, "carol");
    let request = server.post(&path).bearer(&session);
    request.send().is_refused(403, "forbidden");
}
