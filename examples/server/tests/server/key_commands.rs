//! API keys from the command line, while the server runs on the same folder.

use serde_json::Value;

use crate::{
    commands::{fails, printed, run},
    support::{Server, text},
};

#[test]
fn keys_are_made_listed_and_revoked_beside_a_running_server() {
    let server = Server::start();
    let (_, first) = server.claim_with_key();
    server.user_with_session(&first, "bob");
    let create = [
        "api-key",
        "create",
        "--owner",
        "admin",
        "--name",
        "nightly",
        "--scope",
        "users:read",
        "--scope",
        "groups:read",
        "--expires",
        "90d",
    ];
    let output = run(&server, &create);
    let (id, key) = (printed(&output, "id: "), printed(&output, "key: "));
    assert_eq!(server.get("/api/users").key(&key).send().status, 200);
    let forbidden = server.get("/api/signup-tokens").key(&key).send();
    assert_eq!(forbidden.status, 403);
    let own = [
        "api-key", "create", "--owner", "bob", "--name", "own", "--scope", "*",
    ];
    printed(&run(&server, &own), "key: ");

    let list = |more: &[&str]| {
        let options = [&["api-key", "list"], more].concat();
        let output = run(&server, &options);
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    let table = list(&[]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[0].starts_with("NAME        OWNER  SCOPES "),
        "{table}"
    );
    assert!(lines[1].starts_with("own         bob    * "), "{table}");
    assert!(lines[2].starts_with("nightly     admin  "), "{table}");
    assert!(lines[2].contains("users:read") && lines[2].ends_with(&id));
    assert_eq!(lines.len(), 4);
    assert!(!table.contains(&key), "shown once");
    let listed: Value = serde_json::from_str(&list(&["--owner", "bob", "--json"])).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(
        (text(&listed[0]["name"]).as_str(), &listed[0]["expiresAt"]),
        ("own", &Value::Null)
    );

    let revoke = |id: &str| run(&server, &["api-key", "revoke", id]);
    assert_eq!(printed(&revoke(&id), "revoked "), id);
    assert_eq!(server.get("/api/users").key(&key).send().status, 401);
    printed(&revoke(&id), "revoked "); // again
    assert!(!list(&[]).contains("nightly"));
    for unknown in ["nightly", "0190a1b2-0000-7000-8000-00000000abcd"] {
        fails(&revoke(unknown), "there is no such API key");
    }
    let with = |owner: &'static str, scope: &'static str| {
        let options = [
            "api-key", "create", "--owner", owner, "--name", "x", "--scope", scope,
        ];
        run(&server, &options)
    };
    fails(&with("eve", "*"), "there is no such user");
    let refused = with("bob", "no scope");
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(error.starts_with("keyplate-server: --scope "), "{error}");
    for wrong in [
        &["api-key", "create", "--owner", "bob", "--name", "x"][..],
        &["api-key", "create", "--name", "x", "--scope", "*"],
        &["api-key", "revoke"],
    ] {
        assert_eq!(run(&server, wrong).status.code(), Some(2), "{wrong:?}");
    }
}
