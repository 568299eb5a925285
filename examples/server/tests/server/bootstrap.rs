//! Plans: the command, at each start, and the files that they are read from.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use keyplate::SetupStage;
use tempfile::TempDir;

use crate::support::{Server, command};

const OPERATORS: &str = "operators-own-secret-0123456789-abcdef";
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plan.toml");

/// anna, and an API key of theirs with a secret from somewhere.
fn plan(secret: &str) -> String {
    format!(
        r#"
        [[users]]
        username = "anna"
        role = "administrator"
        expires_at = "never"

        [[api_keys]]
        owner = "anna"
        name = "operator"
        scopes = ["*", "roles:write"]
        expires_at = 2099-01-01T00:00:00+01:00
        {secret}
        "#
    )
}

fn written(folder: &TempDir, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn bootstrap(folder: &TempDir, file: &Path) -> Command {
    let mut command = command();
    command.args(["bootstrap", "--origin", "https://id.example", "--data"]);
    command.arg(folder.path().join("data"));
    command.arg("--file").arg(file);
    command
}

#[track_caller]
fn printed(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), error.as_ref()), (Some(0), ""));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Fails with one line; gives it without the program's name.
#[track_caller]
fn failed(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(output.stdout.is_empty());
    assert_eq!(text.lines().count(), 1, "{text}");
    let line = text.trim_end().strip_prefix("keyplate-server: ");
    line.unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
fn from_an_empty_folder_to_a_list_of_users_without_a_click() {
    let folder = TempDir::new().unwrap();
    let file = written(
        &folder,
        "plan.toml",
        &plan(r#"secret_env = "OPERATORS_KEY""#),
        0o644,
    );
    let mut command = bootstrap(&folder, &file);
    command.env("OPERATORS_KEY", format!("{OPERATORS}\n"));
    let expected = "created user anna\ncreated API key anna/operator\n";
    assert_eq!(printed(&command.output().unwrap()), expected);
    assert_eq!(printed(&command.output().unwrap()), "no change\n");

    let server = Server::in_folder(folder, &[]);
    assert_eq!(server.setup_token, None, "setup is complete");
    for request in [
        server.get("/api/users").key(OPERATORS),
        server.get("/api/users").bearer(OPERATORS),
    ] {
        let reply = request.send();
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.json()["data"][0]["username"], "anna");
    }
    let wrong = OPERATORS.replace('a', "b");
    assert_eq!(server.get("/api/users").key(&wrong).send().status, 401);
    // Beside the running server, with effect at its next request.
    let file = server.folder.path().join("plan.toml");
    let other = "another-secret-of-the-operator-012345";
    let mut command = bootstrap(&server.folder, &file);
    let output = command.env("OPERATORS_KEY", other).output().unwrap();
    assert_eq!(printed(&output), "updated API key anna/operator\n");
    assert_eq!(server.get("/api/users").key(OPERATORS).send().status, 401);
    assert_eq!(server.get("/api/users").key(other).send().status, 200);
    assert!(!server.log().contains("secret"));
}

#[test]
fn at_each_start_before_a_setup_link_is_printed() {
    let folder = TempDir::new().unwrap();
    written(&folder, "operator.key", &format!("{OPERATORS}\n"), 0o600);
    let secret = r#"secret_file = "operator.key""#;
    let file = written(&folder, "plan.toml", &plan(secret), 0o644);
    let options = ["--bootstrap-file", file.to_str().unwrap()];
    let mut server = Server::in_folder(folder, &options);
    assert_eq!(server.setup_token, None);
    let out = |server: &Server| fs::read_to_string(server.folder.path().join("out")).unwrap();
    assert!(
        out(&server).starts_with("created user anna\ncreated API key anna/operator\nlistening")
    );
    assert_eq!(server.get("/api/users").key(OPERATORS).send().status, 200);
    assert_eq!(server.stop("-TERM"), Some(0));

    let folder = std::mem::replace(&mut server.folder, TempDir::new().unwrap());
    let server = Server::in_folder(folder, &options);
    assert!(out(&server).starts_with("listening"), "nothing to say");
    assert_eq!(server.get("/api/users").key(OPERATORS).send().status, 200);
}

#[test]
fn what_a_start_makes_is_in_a_file_and_not_in_the_journal() {
    let folder = TempDir::new().unwrap();
    let text = r#"
        [settings]
        signup_mode = "with_token"

        [[signup_tokens]]
        note = "friends"
        "#;
    let text = plan("generate = true") + text;
    let file = written(&folder, "plan.toml", &text, 0o644);
    let options = ["--bootstrap-file", file.to_str().unwrap()];
    let out = |server: &Server| fs::read_to_string(server.folder.path().join("out")).unwrap();
    let kept = folder.path().join("data/bootstrap-secrets");
    let hint = format!(
        "secrets that the plan made are in {}: read them and delete it\n",
        kept.display()
    );

    let server = Server::in_folder(folder, &options);
    let text = out(&server);
    assert_eq!(text.matches(&hint).count(), 1, "{text}");
    assert!(text.contains("created API key anna/operator\n"));
    assert!(!(text + &server.log()).contains("kp_"));
    let mode = fs::metadata(&kept).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let secrets = fs::read_to_string(&kept).unwrap();
    let lines: Vec<&str> = secrets.lines().collect();
    let key = lines[0].strip_prefix("secret of API key anna/operator: ");
    let link = lines[1].strip_prefix("link of sign-up token friends: ");
    let token = link.unwrap().split_once("/signup#token=").unwrap().1;
    assert_eq!(lines.len(), 2);
    assert_eq!(
        server.get("/api/users").key(key.unwrap()).send().status,
        200
    );
    assert_eq!(server.sign_up("bob", token).status, 201);

    // Nothing is made again; what nobody has read stays.
    let again = |mut server: Server| {
        assert_eq!(server.get("/healthz").send().status, 204);
        assert_eq!(server.stop("-TERM"), Some(0));
        let folder = std::mem::replace(&mut server.folder, TempDir::new().unwrap());
        let server = Server::in_folder(folder, &options);
        assert!(out(&server).starts_with("listening"));
        server
    };
    let server = again(server);
    assert_eq!(fs::read_to_string(&kept).unwrap(), secrets);
    fs::remove_file(&kept).unwrap();
    let _server = again(server);
    assert!(!kept.exists(), "no empty file");
}

#[test]
fn a_start_that_could_not_keep_secrets_makes_none() {
    let folder = TempDir::new().unwrap();
    let file = written(&folder, "plan.toml", &plan("generate = true"), 0o644);
    let data = folder.path().join("data");
    let kept = data.join("bootstrap-secrets");
    let other = written(&folder, "other", "", 0o600);
    let start = || {
        let mut command = command();
        command
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(&data);
        let output = command.arg("--bootstrap-file").arg(&file).output().unwrap();
        failed(&output)
    };
    fs::create_dir(&data).unwrap();
    let refused = |reason| format!("cannot open {}: {reason}", kept.display());

    std::os::unix::fs::symlink(&other, &kept).unwrap();
    assert_eq!(start(), refused("it is no file"));
    fs::remove_file(&kept).unwrap();
    std::os::unix::fs::symlink(folder.path().join("nowhere"), &kept).unwrap();
    assert_eq!(start(), refused("it is no file"));
    assert!(!folder.path().join("nowhere").exists());
    fs::remove_file(&kept).unwrap();
    for mode in [0o644, 0o640, 0o620, 0o400] {
        fs::write(&kept, "").unwrap();
        fs::set_permissions(&kept, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(start(), refused("it has other rights than 600"));
        fs::remove_file(&kept).unwrap();
    }
    assert_eq!(fs::read_to_string(&other).unwrap(), "");

    // A plan that is refused leaves nothing either.
    let bad = plan("generate = true").replace("anna", "a b");
    fs::write(&file, bad).unwrap();
    assert!(start().contains("users[0].username"));
    assert!(!kept.exists());
    let server = Server::in_folder(folder, &[]);
    assert!(server.setup_token.is_some());
    let users = server.library().list_users(Default::default()).unwrap();
    assert_eq!(users.total, 0);
}

#[test]
fn the_variable_names_a_plan_too_and_a_bad_one_stops_the_start() {
    let folder = TempDir::new().unwrap();
    let file = written(
        &folder,
        "plan.json",
        r#"{"users": [{"username": "a b"}]}"#,
        0o644,
    );
    let start = |file: &Path| {
        let mut command = command();
        command.args(["--listen", "127.0.0.1:0", "--data"]);
        command.arg(folder.path().join("data"));
        command
            .env("KEYPLATE_BOOTSTRAP_FILE", file)
            .output()
            .unwrap()
    };
    let reason = "users[0].username may contain letters, digits and _ . @ - only";
    let expected = format!("{}: {reason}", file.display());
    assert_eq!(failed(&start(&file)), expected);
    let missing = failed(&start(&folder.path().join("none.toml")));
    assert!(missing.starts_with("cannot read "), "{missing}");
}

#[test]
fn what_people_did_since_does_not_keep_the_server_down() {
    let folder = TempDir::new().unwrap();
    let text = r#"
        [settings]
        app_name = "Home"

        [[users]]
        username = "anna"
        role = "administrator"

        [[users]]
        username = "bob"
        email = "bob@mail.example"
        "#;
    let file = written(&folder, "plan.toml", text, 0o644);
    let options = ["--bootstrap-file", file.to_str().unwrap()];
    let mut server = Server::in_folder(folder, &options);
    let library = server.library();
    let bob = library.find_user_by_username("bob").unwrap().unwrap();
    let moved = keyplate::UserChanges {
        email: Some("robert@mail.example".to_owned()),
        ..Default::default()
    };
    library.update_user(&bob.id, moved).unwrap();
    let other = keyplate::NewUser {
        username: "eve".to_owned(),
        email: Some("bob@mail.example".to_owned()),
        ..Default::default()
    };
    library.create_user(other).unwrap();
    drop(library);
    assert_eq!(server.get("/healthz").send().status, 204);
    assert_eq!(server.stop("-TERM"), Some(0));
    fs::write(&file, text.replace("Home", "House")).unwrap();

    let folder = std::mem::replace(&mut server.folder, TempDir::new().unwrap());
    let mut server = Server::in_folder(folder, &options);
    let warning = "warning: the plan was not applied: users[1].email is taken\n";
    assert_eq!(server.log(), warning);
    assert_eq!(server.setup_token, None);
    assert_eq!(server.get("/healthz").send().status, 204);
    let library = server.library();
    assert_eq!(library.get_settings().unwrap().app_name, "Home");
    let bob = library.get_user(&bob.id).unwrap();
    assert_eq!(bob.email.as_deref(), Some("robert@mail.example"));
    assert!(!server.folder.path().join("data/bootstrap-secrets").exists());
    let strict = bootstrap(&server.folder, &file).output().unwrap();
    let reason = format!("{}: users[1].email is taken", file.display());
    assert_eq!(failed(&strict), reason);

    // A file that is no plan is the operator's, not theirs; and so is setup that is open.
    let start = || {
        let mut command = command();
        command.args(["--listen", "127.0.0.1:0"]).args(options);
        command.arg("--data").arg(server.folder.path().join("data"));
        failed(&command.output().unwrap())
    };
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(start().ends_with("can be written by others: chmod go-w it"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    library.reset_setup(1).unwrap();
    assert_eq!(start(), reason);
    drop(library);
    fs::write(&file, "users = [").unwrap();
    assert!(start().ends_with("is no TOML at line 1"));
    assert_eq!(server.stop("-TERM"), Some(0));
}

#[test]
fn one_bad_entry_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let bad = plan("generate = true") + "\n[[users]]\nusername = \"bob\"\nemail = \"bob\"\n";
    let file = written(&folder, "plan.toml", &bad, 0o644);
    let reason = format!(
        "{}: users[1].email is not an e-mail address",
        file.display()
    );
    assert_eq!(failed(&bootstrap(&folder, &file).output().unwrap()), reason);
    let server = Server::in_folder(folder, &[]);
    assert!(server.setup_token.is_some());
    let library = server.library();
    assert_eq!(library.list_users(Default::default()).unwrap().total, 0);
    let events = library.list_audit_events(Default::default()).unwrap().items;
    let kinds: Vec<_> = events.iter().rev().map(|event| event.kind).collect();
    let of_the_start = [
        keyplate::EventKind::SettingsChanged, // the origin
        keyplate::EventKind::SetupTokenCreated,
    ];
    assert_eq!(kinds, of_the_start);
}

#[test]
fn the_sample_plan_is_the_story_of_twenty_friends() {
    let folder = TempDir::new().unwrap();
    let run = || printed(&bootstrap(&folder, Path::new(SAMPLE)).output().unwrap());
    let text = run();
    let after = |label: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(label));
        line.unwrap_or_else(|| panic!("{label}: {text}")).to_owned()
    };
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("created "))
            .count(),
        8
    );
    assert!(text.contains("updated settings\ncreated service films\n"));
    let key = after("secret of API key anna/operator: ");
    let link = after("link of sign-up token twenty friends: ");
    let token = link
        .strip_prefix("https://id.example/signup#token=")
        .unwrap();
    assert_eq!(run(), "no change\n");

    let server = Server::in_folder(folder, &[]);
    assert_eq!(server.setup_token, None);
    assert_eq!(server.sign_up("bob", token).status, 201);
    let library = server.library();
    let bob = library.find_user_by_username("bob").unwrap().unwrap();
    let of_bob = keyplate::ServiceQuery {
        user_id: Some(bob.id),
        ..Default::default()
    };
    let services = library.list_services(of_bob).unwrap().items;
    let slugs: Vec<&str> = services
        .iter()
        .map(|service| service.slug.as_str())
        .collect();
    assert_eq!(slugs, ["films", "wiki"]);
    assert!(bob.expires_at.is_some());
    assert_eq!(server.get("/api/users").key(&key).send().status, 200);
}

#[test]
fn secrets_are_for_their_owner_only() {
    let folder = TempDir::new().unwrap();
    let secret = format!("secret = \"{OPERATORS}\"");
    let run = |file: &Path| bootstrap(&folder, file).output().unwrap();
    for mode in [0o644, 0o640, 0o604] {
        let file = written(&folder, "plan.toml", &plan(&secret), mode);
        let reason = "holds a secret (api_keys[0]) and can be read by others: chmod 600 it";
        assert_eq!(failed(&run(&file)), format!("{} {reason}", file.display()));
    }
    for mode in [0o646, 0o664, 0o620] {
        let file = written(&folder, "open.toml", &plan("generate = true"), mode);
        let reason = "can be written by others: chmod go-w it";
        assert_eq!(failed(&run(&file)), format!("{} {reason}", file.display()));
    }

    let file = written(
        &folder,
        "by_file.toml",
        &plan("secret_file = \"key\""),
        0o644,
    );
    for mode in [0o644, 0o604, 0o620, 0o602] {
        written(&folder, "key", OPERATORS, mode);
        let reason = "api_keys[0].secret_file names key: others can read or write it (chmod 600)";
        assert_eq!(failed(&run(&file)), format!("{}: {reason}", file.display()));
    }
    assert!(!folder.path().join("data").exists(), "nothing was begun");
    // As systemd lays out credentials.
    for mode in [0o400, 0o440, 0o640] {
        fs::remove_file(folder.path().join("key")).unwrap();
        written(&folder, "key", &format!("{OPERATORS}\r\n\n"), mode);
        let text = printed(&run(&file));
        assert_eq!(text == "no change\n", mode != 0o400, "{text}");
    }
    let file = written(&folder, "plan.toml", &plan(&secret), 0o600);
    assert_eq!(printed(&run(&file)), "no change\n", "it is the same secret");
}

#[test]
fn a_secret_that_is_not_there_names_its_entry() {
    let folder = TempDir::new().unwrap();
    written(&folder, "empty", "\n", 0o600);
    written(&folder, "long", &OPERATORS.repeat(200), 0o600);
    for (source, reason) in [
        (
            "secret_env = \"NOT_SET_AT_ALL\"",
            "secret_env names NOT_SET_AT_ALL, which is not set",
        ),
        (
            "secret_env = \"SET_AND_EMPTY\"",
            "secret_env names SET_AND_EMPTY, which is empty",
        ),
        ("secret_env = 7", "secret_env must be a string"),
        (
            "secret_file = \"empty\"",
            "secret_file names empty: it is empty",
        ),
        (
            "secret_file = \"none\"",
            "secret_file names none: No such file",
        ),
        (
            "secret_file = \"long\"",
            "secret_file names long: it is too long to be a secret",
        ),
        (
            "secret_env = \"TOO_SHORT\"",
            "secret must have at least 32 characters",
        ),
        (
            "secret = \"x\"\nsecret_env = \"TOO_SHORT\"",
            "secret_env stands beside another secret",
        ),
        (
            "generate = true\nsecret_env = \"TOO_SHORT\"",
            "secret must be given, or `generate` in its place",
        ),
        ("", "secret must be given, or `generate` in its place"),
    ] {
        let file = written(&folder, "plan.toml", &plan(source), 0o600);
        let mut command = bootstrap(&folder, &file);
        command.env("SET_AND_EMPTY", "\n").env("TOO_SHORT", "short");
        let line = failed(&command.output().unwrap());
        let expected = format!("{}: api_keys[0].{reason}", file.display());
        assert!(line.starts_with(&expected), "{line}");
    }
}

#[test]
fn a_secret_that_is_null_is_none() {
    let folder = TempDir::new().unwrap();
    let text = r#"{
        "users": [{"username": "anna"}],
        "api_keys": [{
            "owner": "anna", "name": "a", "scopes": ["*"], "generate": true,
            "secret": null, "secret_env": null, "secret_file": null
        }]
    }"#;
    let file = written(&folder, "plan.json", text, 0o644);
    let output = bootstrap(&folder, &file).output().unwrap();
    assert!(printed(&output).contains("secret of API key anna/a: "));
}

#[test]
fn what_is_no_plan_is_said_without_its_words() {
    let folder = TempDir::new().unwrap();
    for (name, text, reason) in [
        (
            "a.toml",
            "[users]\n\nx = sssecret\n",
            " is no TOML at line 3",
        ),
        (
            "a.toml",
            "users = \"sssecret\"\nusers = 1\n",
            " is no TOML at line 2",
        ),
        (
            "a.json",
            "{\"users\": sssecret}",
            " is no JSON at line 1, column 11",
        ),
        (
            "a.yaml",
            "users: sssecret",
            " must be a .toml or .json file",
        ),
        ("a.json", "[\"sssecret\"]", ": plan must be an object"),
        (
            "a.json",
            r#"{"users": [{"username": "a", "email": "a@b.c", "email": "sssecret"}]}"#,
            ": users[0].email stands there twice",
        ),
        (
            "a.toml",
            "[[signup_tokens]]\nnote = \"a\"\nmax_uses = inf\n",
            ": signup_tokens[0].max_uses is inf or nan, which are no numbers here",
        ),
        (
            "a.toml",
            "users = [\"sssecret\"]",
            ": users[0] must be an object",
        ),
    ] {
        let file = written(&folder, name, text, 0o600);
        let line = failed(&bootstrap(&folder, &file).output().unwrap());
        assert_eq!(line, format!("{}{reason}", file.display()));
    }
}

#[test]
fn a_generated_key_is_fit_for_a_plan() {
    let generate = || printed(&command().arg("generate-key").output().unwrap());
    let key = generate();
    assert_ne!(key, generate());
    assert!(key.starts_with("kp_key_") && key.trim_end().len() == "kp_key_".len() + 49);
    let folder = TempDir::new().unwrap();
    written(&folder, "key", &key, 0o600);
    let file = written(&folder, "plan.toml", &plan("secret_file = \"key\""), 0o600);
    printed(&bootstrap(&folder, &file).output().unwrap());
    let server = Server::in_folder(folder, &[]);
    assert_eq!(
        server.get("/api/users").key(key.trim_end()).send().status,
        200
    );
    let state = server.library().get_setup_state().unwrap();
    assert_eq!(state.stage, SetupStage::Complete);
}
