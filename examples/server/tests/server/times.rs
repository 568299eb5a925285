//! Times to the end of the year 9999, which half the world's clients take for never: in and out, by each way in.

use serde_json::{Value, json};

use crate::{
    commands::run,
    support::{Server, text},
};

/// The last second as most clients write it, the last millisecond, and the same with an offset.
const LAST: [(&str, &str); 4] = [
    ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"),
    ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999Z"),
    ("9999-12-31T19:59:59-04:00", "9999-12-31T23:59:59.000Z"),
];

const OUTSIDE: [&str; 8] = [
    "9999-12-31T23:59:59-00:01",
    "10000-01-01T00:00:00Z",
    "+10000-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "0000-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59",
    "9999-12-31",
    "never",
];

#[test]
fn each_route_that_takes_a_time_takes_all_that_it_gives() {
    let server = Server::start();
    let (session, key) = server.claim_with_key();
    let user = server.made(&key, "/api/users", json!({ "username": "ann" }));
    let renewed = json!({ "name": "own", "expiresAt": LAST[0].0 });
    let own = server
        .post("/api/api-keys")
        .bearer(&session)
        .json(&renewed)
        .send()
        .json();
    let (user, own) = (text(&user["id"]), text(&own["apiKey"]["id"]));
    let mut made = 0;
    let mut send = |route: &str, time: &str| {
        made += 1;
        let (method, path, body) = match route {
            "create a user" => {
                let body = json!({ "username": format!("user{made}"), "expiresAt": time });
                ("POST", "/api/users".to_owned(), body)
            }
            "change a user" => {
                let body = json!({ "username": "ann", "expiresAt": time });
                ("PUT", format!("/api/users/{user}"), body)
            }
            "create a key" => {
                let body = json!({ "name": format!("key{made}"), "expiresAt": time });
                ("POST", "/api/api-keys".to_owned(), body)
            }
            _ => {
                let path = format!("/api/api-keys/{own}/renew");
                ("POST", path, json!({ "expiresAt": time }))
            }
        };
        server
            .request(method, &path)
            .bearer(&session)
            .json(&body)
            .send()
    };
    for route in [
        "create a user",
        "change a user",
        "create a key",
        "renew a key",
    ] {
        for (time, shown) in LAST {
            let reply = send(route, time);
            assert!(
                [200, 201].contains(&reply.status),
                "{route}: {}",
                reply.body
            );
            let body = reply.json();
            let given = body.get("apiKey").unwrap_or(&body);
            assert_eq!(given["expiresAt"], shown, "{route}");
        }
        for time in OUTSIDE {
            send(route, time).refuses_field("expiresAt");
        }
    }
    // Nothing that a list shows is empty.
    for path in ["/api/users?limit=100", "/api/api-keys?all=true&limit=100"] {
        let list = server.get(path).bearer(&session).send().json();
        let times = |name: &'static str| {
            let items: Vec<Value> = list["data"].as_array().unwrap().clone();
            items.into_iter().map(move |item| item[name].clone())
        };
        assert!(
            times("expiresAt").any(|time| time == "9999-12-31T23:59:59.999Z"),
            "{path}"
        );
        assert!(
            times("expiresAt")
                .chain(times("createdAt"))
                .all(|time| time != ""),
            "{path}"
        );
    }
}

/// A plan's times are the same, as text and as TOML's own.
#[test]
fn a_plan_takes_the_last_time_and_it_is_shown() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let apply = |name: &str, plan: String| {
        let file = server.folder.path().join(name);
        std::fs::write(&file, plan).unwrap();
        run(&server, &["bootstrap", "--file", file.to_str().unwrap()])
    };
    let plan = |time: &str| format!("[[users]]\nusername = \"eva\"\nexpires_at = {time}\n");
    for (time, shown) in LAST {
        for time in [time.to_owned(), format!("\"{time}\"")] {
            let output = apply("plan.toml", plan(&time));
            assert_eq!(output.status.code(), Some(0), "{time}: {output:?}");
            let users = server.get("/api/users?search=eva").key(&key).send().json();
            assert_eq!(users["data"][0]["expiresAt"], shown, "{time}");
        }
    }
    for time in OUTSIDE.into_iter().filter(|time| *time != "never") {
        let output = apply("plan.toml", plan(&format!("\"{time}\"")));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{time}: {error}");
        assert!(error.contains("users[0].expires_at"), "{time}: {error}");
    }
    let output = run(&server, &["user", "list", "--json"]);
    let users: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        users
            .as_array()
            .unwrap()
            .iter()
            .any(|user| user["expiresAt"] == LAST[3].1)
    );
}

/// However long a length is, there is an answer and no panic.
#[test]
fn a_key_that_would_end_after_the_year_9999_is_refused() {
    let server = Server::start();
    server.claim();
    for length in [
        "3000000d",
        "99999999999999d",
        "106751991167300d",
        "9223372036854775807s",
    ] {
        let options = [
            "api-key",
            "create",
            "--owner",
            "admin",
            "--name",
            "x",
            "--scope",
            "a:b",
            "--expires",
            length,
        ];
        let output = run(&server, &options);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{length}: {error}");
        assert!(
            error.contains("9999") && !error.contains("panicked"),
            "{length}: {error}"
        );
    }
}
