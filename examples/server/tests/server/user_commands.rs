//! Users from the command line, while the server runs on the same folder.

use serde_json::{Value, json};

use crate::{
    commands::{fails, printed, run},
    support::{Server, text},
};

/// All that a command prints, without an error.
#[track_caller]
fn output(server: &Server, options: &[&str]) -> String {
    let output = run(server, options);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), error.as_ref()), (Some(0), ""));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn users_are_made_and_listed_beside_a_running_server() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let group = json!({ "name": "friends", "friendlyName": "Friends" });
    let group = text(&server.made(&key, "/api/user-groups", group)["id"]);
    let made = run(
        &server,
        &["user", "create", "Zoë_no", "--email", "zoe@mail.example"],
    );
    fails(
        &made,
        "the name may contain letters, digits and _ . @ - only",
    );
    for (name, groups) in [("bob", "Friends"), ("cid", group.as_str())] {
        let email = format!("{name}@mail.example");
        let options = ["user", "create", name, "--email", &email, "--group", groups];
        assert!(printed(&run(&server, &options), &format!("{name}: ")).starts_with("user, active"));
    }
    let dora = [
        "user",
        "create",
        "dora",
        "--display-name",
        "Dora D.",
        "--admin",
    ];
    assert!(printed(&run(&server, &dora), "dora: ").starts_with("administrator, active, "));

    // The server knows them at once.
    let listed = server.get("/api/users?search=bob").key(&key).send().json();
    assert_eq!(listed["data"][0]["userGroups"][0]["name"], "friends");
    let table = output(&server, &["user", "list"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("USERNAME  ROLE           STATUS  E-MAIL            LAPSES  ID"));
    assert!(
        lines[2].starts_with("bob       user           active  bob@mail.example          "),
        "{table}"
    );
    let names = |options: &[&str]| -> Vec<String> {
        let listed: Value = serde_json::from_str(&output(&server, options)).unwrap();
        let users = listed.as_array().unwrap();
        users.iter().map(|user| text(&user["username"])).collect()
    };
    assert_eq!(
        names(&["user", "list", "--json"]),
        ["admin", "bob", "cid", "dora"]
    );
    assert_eq!(
        names(&["user", "list", "--json", "--search", "mail.example"]),
        ["bob", "cid"]
    );
    assert_eq!(
        names(&["user", "list", "--json", "--search", "eve"]),
        [""; 0]
    );

    for (options, reason) in [
        (&["user", "create", "BOB"][..], "the name is in use already"),
        (
            &["user", "create", "eve", "--email", "Bob@mail.example"],
            "the e-mail address is in use already",
        ),
        (
            &["user", "create", "eve", "--email", "nowhere"],
            "--email is not an e-mail address",
        ),
        (
            &["user", "create", "eve", "--group", "foes"],
            "there is no group foes",
        ),
    ] {
        fails(&run(&server, options), reason);
    }
    for wrong in [&["user"][..], &["user", "create"], &["user", "dance"]] {
        assert_eq!(run(&server, wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn users_are_changed_beside_a_running_server() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (_, session) = server.user_with_session(&key, "bob");
    let me = || server.get("/api/users/me").cookie(&session).send();
    assert_eq!(me().status, 200);
    let told = |verb: &str| printed(&run(&server, &["user", verb, "BOB"]), "bob: ");
    assert!(told("disable").starts_with("user, disabled, "));
    me().is_refused(403, "user_disabled"); // at once
    assert!(told("enable").starts_with("user, active, "));
    assert_eq!(me().status, 200);
    assert!(told("promote").starts_with("administrator, active, "));
    assert_eq!(
        server.get("/api/users").cookie(&session).send().status,
        403,
        "a session from before gains nothing"
    );
    assert!(told("demote").starts_with("user, active, "));
    for verb in ["disable", "demote"] {
        let refused = run(&server, &["user", verb, "admin"]);
        fails(&refused, "the last administrator must stay");
    }
    for verb in ["disable", "enable", "promote", "demote"] {
        let refused = run(&server, &["user", verb, "eve"]);
        fails(&refused, "there is no such user");
        assert_eq!(run(&server, &["user", verb]).status.code(), Some(2));
    }
}

/// U1: nobody acts on whoever typed an address or calls themselves by an id, and each command says whom it has found.
#[test]
fn a_command_finds_nobody_by_what_a_stranger_chose() {
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let open = json!({ "allowUserSignups": "open" });
    let opened = server
        .request("PUT", "/api/application-configuration")
        .key(&key)
        .json(&open)
        .send();
    assert_eq!(opened.status, 200, "{}", opened.body);
    let bob = json!({ "username": "bob", "email": "bob@corp.example" });
    let bob = text(&server.made(&key, "/api/users", bob)["id"]);
    let join = |body: Value| server.post("/api/signup").json(&body).send();
    let eve = join(json!({ "username": "eve", "email": "ceo@corp.example" }));
    assert_eq!(eve.status, 201, "{}", eve.body);
    let at = join(json!({ "username": "ceo@corp.example" }));
    at.refuses_field("username");
    join(json!({ "username": bob.to_uppercase() }));

    for verb in ["promote", "demote", "disable", "enable"] {
        let typed = run(&server, &["user", verb, "ceo@corp.example"]);
        fails(&typed, "there is no such user");
    }
    for typed in [
        &["one-time-token", "ceo@corp.example"][..],
        &["api-key", "list", "--owner", "ceo@corp.example"],
    ] {
        fails(&run(&server, typed), "there is no such user");
    }
    let found = format!("bob, bob@corp.example, {bob}");
    for name in ["Bob", "bob@CORP.example", &bob] {
        let code = run(&server, &["one-time-token", name]);
        assert_eq!(printed(&code, "user: "), found);
        let options = ["--owner", name, "--name", "films", "--scope", "films:read"];
        let made = run(&server, &[&["api-key", "create"][..], &options].concat());
        assert_eq!(printed(&made, "user: "), found);
        let promoted = output(&server, &["user", "promote", name]);
        assert!(promoted.starts_with("bob: administrator"), "{promoted}");
    }
    let eves = run(&server, &["one-time-token", "eve"]);
    assert!(printed(&eves, "user: ").starts_with("eve, ceo@corp.example (typed), "));
    let listed = output(&server, &["user", "list", "--search", "eve"]);
    assert!(listed.contains("ceo@corp.example (typed)"), "{listed}");
}
