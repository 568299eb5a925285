use serde_json::{Value, json};

use crate::support::{Reply, Server};

const PATH: &str = "/api/qr-code";
const LINK: &str = "https://id.example/signup#token=kp_inv_of_a_summer_party";

fn drawn(server: &Server, session: &str, body: &Value) -> Reply {
    server.post(PATH).cookie(session).json(body).send()
}

#[test]
fn a_link_is_drawn_and_kept_nowhere() {
    let server = Server::start();
    let session = server.claim();
    let reply = drawn(&server, &session, &json!({ "text": LINK }));
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("content-type"), Some("image/svg+xml"));
    assert_eq!(reply.header("cache-control"), Some("private, no-store"));
    // 56 bytes want 33 modules a side at level M, and four more around.
    assert!(
        reply.body.contains("viewBox=\"0 0 41 41\""),
        "{}",
        reply.body
    );
    assert!(reply.body.contains("<path fill=\"#000\"") && reply.body.ends_with("</svg>"));
    for script in ["<script", "href", "style", "on"] {
        assert!(
            !reply.body.contains(&format!(" {script}")),
            "{}",
            reply.body
        );
    }
    let other = drawn(&server, &session, &json!({ "text": format!("{LINK}s") }));
    assert_ne!(reply.body, other.body);
    assert!(!reply.body.contains("kp_inv") && !server.log().contains("kp_inv"));
}

#[test]
fn a_text_that_is_no_link_is_refused() {
    let server = Server::start();
    let session = server.claim();
    let longest = format!("https://id.example/{}", "x".repeat(381));
    let reply = drawn(&server, &session, &json!({ "text": longest }));
    assert_eq!(reply.status, 200, "{}", reply.body);
    for bad in [
        json!({}),
        json!({ "text": null }),
        json!({ "text": "" }),
        json!({ "text": 1 }),
        json!({ "text": format!("{longest}x") }),
        json!({ "text": "https://id.example/ü" }),
        json!({ "text": "two words" }),
        json!({ "text": "two\nlines" }),
    ] {
        drawn(&server, &session, &bad).refuses_field("text");
    }
}

#[test]
fn only_a_page_of_somebody_who_is_signed_in_may_ask() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let body = json!({ "text": LINK });
    let ask = || server.post(PATH).json(&body);
    ask().send().is_refused(401, "not_signed_in");
    ask()
        .key(&key)
        .send()
        .is_refused(403, "api_key_auth_not_allowed");
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "https://other.example"),
    ] {
        let asked = ask().cookie(&session).header(name, value);
        asked.send().is_refused(403, "cross_origin");
    }
    let form = server.post(PATH).cookie(&session);
    let form = form.header("Content-Type", "text/plain");
    let form = form.body(body.to_string()).send();
    form.is_refused(415, "invalid_request_body");
    // Never in an address.
    let query = server.get(&format!("{PATH}?text=x")).cookie(&session);
    query.send().is_refused(405, "method_not_allowed");
}
