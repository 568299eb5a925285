//! The program: how it starts, how it fails to, how it ends, and what it writes.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Output},
    thread,
    time::Duration,
};

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Reply, Server, command, read_all, wait_until};

fn run(folder: &Path, options: &[&str]) -> Output {
    run_in(&folder.join("data"), options)
}

fn run_in(data: &Path, options: &[&str]) -> Output {
    let mut command = command();
    if !options.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    command
        .arg("--data")
        .arg(data)
        .args(options)
        .output()
        .unwrap()
}

/// It says why in one line, and prints no link.
#[track_caller]
fn fails(output: &Output, reason: &str) {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.starts_with("keyplate-server: ") && text.contains(reason),
        "{text}"
    );
    assert!(output.stdout.is_empty());
}

#[expect(
    clippy::disallowed_methods,
    reason = "it makes files that are not ours"
)]
fn database(folder: &Path, sql: &str) {
    use std::os::unix::fs::PermissionsExt;

    fs::create_dir_all(folder.join("data")).unwrap();
    let path = folder.join("data/keyplate.db");
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn each_way_of_failing_is_one_line() {
    let folder = TempDir::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(folder.path(), &["--listen", &address]);
    fails(&output, "something listens there already");

    for origin in [
        "ftp://id.example",
        "id.example",
        "https://",
        "https://id.example/x",
        "https://id.example?",
        "https://a b",
    ] {
        fails(&run(folder.path(), &["--origin", origin]), "--origin ");
    }
    fs::write(folder.path().join("file"), "").unwrap();
    let inside = folder.path().join("file/data");
    fails(&run_in(&inside, &[]), "cannot make the data folder");
}

#[test]
fn a_folder_that_cannot_be_written_is_one_line() {
    // Also for root, whom no permission stops.
    fails(
        &run_in(Path::new("/proc/keyplate"), &[]),
        "cannot make the data folder",
    );
    fails(
        &run_in(Path::new("/sys"), &[]),
        "cannot open /sys/keyplate.db: ",
    );
}

#[test]
fn each_database_that_is_not_ours_is_one_line() {
    let foreign = TempDir::new().unwrap();
    database(
        foreign.path(),
        "PRAGMA application_id = 42; CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1);",
    );
    let before = fs::read(foreign.path().join("data/keyplate.db")).unwrap();
    fails(&run(foreign.path(), &[]), "not a keyplate database");
    assert_eq!(
        fs::read(foreign.path().join("data/keyplate.db")).unwrap(),
        before,
        "untouched"
    );

    let mut newer = Server::start();
    newer.stop("-TERM");
    database(newer.folder.path(), "PRAGMA user_version = 4000;");
    fails(&run(newer.folder.path(), &[]), "schema 4000");

    let corrupt = TempDir::new().unwrap();
    fs::create_dir(corrupt.path().join("data")).unwrap();
    fs::write(corrupt.path().join("data/keyplate.db"), [b'x'; 9_000]).unwrap();
    use std::os::unix::fs::PermissionsExt;
    let file = corrupt.path().join("data/keyplate.db");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fails(&run(corrupt.path(), &[]), "cannot open");
}

#[test]
fn mistakes_on_the_command_line_are_told() {
    let folder = TempDir::new().unwrap();
    for options in [
        &["--orign", "https://id.example"][..],
        &["--listen", "here"],
        &["--trusted-proxy", "10.0.0.0/40"],
        &["dance"],
    ] {
        let output = run(folder.path(), options);
        assert_eq!(output.status.code(), Some(2), "{options:?}");
        assert!(!output.stderr.is_empty());
    }
    let help = command().arg("--help").output().unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    for word in [
        "--data",
        "--origin",
        "--listen",
        "--open-setup",
        "--trusted-proxy",
        "--extra-origin",
        "--rp-id",
        "--rp-name",
        "--related-origin",
        "--native-origin",
        "--allow-insecure-origin",
        "--accept-rp-id-change",
        "--encryption-key-file",
        "KEYPLATE_ENCRYPTION_KEY_FILE",
        "KEYPLATE_ORIGIN",
        "KEYPLATE_EXTRA_ORIGIN",
        "KEYPLATE_RP_ID",
        "KEYPLATE_RP_NAME",
        "KEYPLATE_RELATED_ORIGIN",
        "KEYPLATE_NATIVE_ORIGIN",
        "KEYPLATE_ALLOW_INSECURE_ORIGIN",
        "KEYPLATE_ACCEPT_RP_ID_CHANGE",
        "keyplate-data",
    ] {
        assert!(text.contains(word), "{word}");
    }
    let version = command().arg("--version").output().unwrap();
    let expected = format!("keyplate-server {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(version.stdout).unwrap(), expected);
}

#[test]
fn options_come_from_the_environment_too() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let mut child = command()
        .arg("serve")
        .env("KEYPLATE_DATA", folder.path().join("elsewhere/deep"))
        .env("KEYPLATE_ORIGIN", "https://id.example")
        .env("KEYPLATE_LISTEN", "127.0.0.1:0")
        .env("KEYPLATE_OPEN_SETUP", "\"true\"\r")
        .env("KEYPLATE_TRUSTED_PROXY", "127.0.0.1,::1")
        // What is empty says nothing, and an environment file keeps quotes and carriage returns.
        .env("KEYPLATE_RP_ID", "")
        .env("KEYPLATE_RP_NAME", " \r")
        .env("KEYPLATE_EXTRA_ORIGIN", " , ")
        .env("KEYPLATE_RELATED_ORIGIN", "")
        .env("KEYPLATE_NATIVE_ORIGIN", "")
        .env("KEYPLATE_ALLOW_INSECURE_ORIGIN", "")
        .env("KEYPLATE_ACCEPT_RP_ID_CHANGE", "'false'")
        .env("KEYPLATE_ENCRYPTION_KEY", " ")
        .env("KEYPLATE_ENCRYPTION_KEY_FILE", "")
        .stdout(fs::File::create(&out).unwrap())
        .stderr(fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    wait_until(|| {
        fs::read_to_string(&out)
            .unwrap()
            .contains("setup link: https://id.example/setup#token=kp_set_")
    });
    child.kill().unwrap();
    child.wait().unwrap();
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &str| {
        fs::metadata(folder.path().join(path))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(
        (mode("elsewhere/deep"), mode("elsewhere/deep/keyplate.db")),
        (0o700, 0o600)
    );
    assert!(
        fs::read_to_string(folder.path().join("log"))
            .unwrap()
            .contains("--open-setup")
    );
}

/// A word that is neither yes nor no opens nothing: the start ends, and names the variable.
#[test]
fn a_start_ends_with_a_variable_that_cannot_be_read() {
    let help = command().arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let words = "must be yes or no, true or false, on or off, 1 or 0";
    let folder = TempDir::new().unwrap();
    let mut switches = 0;
    for part in help.split("[env: ").skip(1) {
        let variable = part.split(']').next().unwrap();
        let (values, reason): (&[&str], &str) = match variable {
            "KEYPLATE_LISTEN" => (&["here"], "is not an address and port"),
            "KEYPLATE_KEEP_ALIVE" => (&["0s", "2d"], "must be from 1s to 1d"),
            "KEYPLATE_TRUSTED_PROXY" => (&["10.0.0.0/40"], "is not an address or a network"),
            "KEYPLATE_ORIGIN" => (&["ftp://id.example"], "must begin with https:// or http://"),
            "KEYPLATE_EXTRA_ORIGIN" | "KEYPLATE_RELATED_ORIGIN" => {
                (&["id.example"], "must begin with https:// or http://")
            }
            "KEYPLATE_RP_ID" => (&["other.example"], "must be the origin's host"),
            "KEYPLATE_NATIVE_ORIGIN" => (&["android:x"], "must be android:apk-key-hash:"),
            "KEYPLATE_ENCRYPTION_KEY_FILE" | "KEYPLATE_WEB_DIR" => {
                (&["/nowhere/at-all"], "/nowhere/at-all: ")
            }
            "KEYPLATE_DATA" | "KEYPLATE_BOOTSTRAP_FILE" | "KEYPLATE_RP_NAME" => continue,
            _ => {
                switches += 1;
                (&["2", "disabled", "never", "\"nope\"", "falsch\r"], words)
            }
        };
        for value in values {
            let mut program = command();
            program
                .args(["--listen", "127.0.0.1:0", "--data"])
                .arg(folder.path().join("data"));
            if variable == "KEYPLATE_LISTEN" {
                program = command();
            }
            let output = program.env(variable, value).output().unwrap();
            assert!(!output.status.success(), "{variable}={value}");
            let text = String::from_utf8(output.stderr).unwrap();
            assert!(text.contains(&format!("{variable} {reason}")), "{text}");
        }
    }
    assert_eq!(switches, 4, "all of them are told of");
}

#[test]
fn it_listens_where_people_say() {
    for listen in ["localhost:0", ":0", "0"] {
        let server = Server::with(&["--listen", listen]);
        assert!(
            server.address.starts_with("127.0.0.1:"),
            "{}",
            server.address
        );
        assert_eq!(server.get("/healthz").send().status, 204);
    }
    let folder = TempDir::new().unwrap();
    fails(
        &run(folder.path(), &["--listen", "no-such-host.invalid:0"]),
        "cannot listen on no-such-host.invalid:0",
    );
}

/// People of this machine reach it at the port that it has, whichever was asked for.
#[test]
fn without_an_origin_it_is_that_of_the_port() {
    for listen in ["localhost:0", "127.0.0.1:0", "0", "[::1]:0"] {
        if listen.starts_with('[') && TcpListener::bind("[::1]:0").is_err() {
            continue;
        }
        let server = Server::with(&["--listen", listen]);
        let port = server.address.rsplit_once(':').unwrap().1;
        assert_eq!(server.origin, format!("http://localhost:{port}"));
        server.claim();
        // Commands make links to it too.
        let data = server.folder.path().join("data");
        let output = command()
            .args(["one-time-token", "admin", "--data"])
            .arg(data)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let link = format!("link: {}/code#", server.origin);
        assert!(text.contains(&link), "{text}");
    }
    // Who is reached from elsewhere is reached by another name.
    let server = Server::with(&["--listen", "0.0.0.0:0"]);
    assert_eq!(server.origin, "http://localhost:1411");
    let server = Server::with(&["--listen", "localhost:0", "--origin", "https://id.example"]);
    assert_eq!(server.origin, "https://id.example");
}

#[test]
fn the_origin_is_the_one_that_browsers_write() {
    for (written, origin) in [
        ("https://id.example:443/", "https://id.example"),
        ("HTTPS://ID.Example", "https://id.example"),
        (
            "\"https://B\u{fc}cher.example\"",
            "https://xn--bcher-kva.example",
        ),
    ] {
        let server = Server::with(&["--origin", written]);
        assert_eq!(server.origin, origin);
        let out = fs::read_to_string(server.folder.path().join("out")).unwrap();
        assert!(
            out.contains(&format!("setup link: {origin}/setup#token=")),
            "{out}"
        );
        let claim = server
            .post("/api/signup/setup")
            .header("Origin", origin)
            .header("X-Setup-Token", &server.setup_token.clone().unwrap())
            .json(&json!({ "username": "ann" }));
        assert_eq!(claim.send().status, 200);
    }
}

#[test]
fn a_link_is_printed_until_setup_is_complete() {
    let mut server = Server::start();
    let first = server.setup_token.clone().unwrap();
    let session = server.claim();
    assert_eq!(server.stop("-TERM"), Some(0));
    let folder = std::mem::replace(&mut server.folder, TempDir::new().unwrap());
    drop(server);

    let mut server = Server::in_folder(folder, &[]);
    let second = server.setup_token.clone().expect("claimed is not complete");
    assert_ne!(first, second);
    assert_eq!(
        server.get("/api/users/me").bearer(&session).send().status,
        200,
        "still signed in"
    );
    assert_eq!(
        server
            .post("/api/setup/complete")
            .bearer(&session)
            .send()
            .status,
        200
    );
    assert_eq!(server.stop("-INT"), Some(0));
    let folder = std::mem::replace(&mut server.folder, TempDir::new().unwrap());
    drop(server);

    let server = Server::in_folder(folder, &[]);
    assert_eq!(server.setup_token, None);
    server
        .post("/api/signup/setup")
        .send()
        .is_refused(409, "setup_already_completed");
}

#[test]
fn a_signal_lets_what_is_under_way_end() {
    let mut server = Server::start();
    let (_, key) = server.claim_with_key();
    let body = r#"{"username":"bob"}"#;
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let head = format!(
        "POST /api/users HTTP/1.1\r\nHost: localhost:1411\r\nX-API-Key: {key}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let idle = TcpStream::connect(&server.address).unwrap();
    thread::sleep(Duration::from_millis(200));
    let address = server.address.clone();
    thread::scope(|scope| {
        let stopping = scope.spawn(|| server.stop("-TERM"));
        wait_until(|| TcpStream::connect(&address).is_err());
        stream.write_all(body.as_bytes()).unwrap();
        assert_eq!(Reply::parse(&read_all(&mut stream)).status, 201);
        drop(idle);
        assert_eq!(stopping.join().unwrap(), Some(0));
    });
    assert!(
        !server.folder.path().join("data/keyplate.db-wal").exists(),
        "closed in good order"
    );
    let users = server.library().list_users(Default::default()).unwrap();
    assert_eq!(users.total, 2);
}

/// Of the log, as of standard output, somebody may hold the other end and read nothing.
#[test]
fn a_log_that_nobody_reads_stops_neither_answers_nor_a_signal() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let mut child = command()
        .args(["--origin", "http://localhost:1411"])
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path().join("data"))
        .stdout(fs::File::create(&out).unwrap())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    wait_until(|| fs::read_to_string(&out).is_ok_and(|text| text.contains("address: ")));
    let text = fs::read_to_string(&out).unwrap();
    let address = text
        .lines()
        .find_map(|line| line.strip_prefix("listening on "))
        .unwrap();

    // A pipe holds 64 KiB, and the queue a thousand lines.
    const REQUESTS: usize = 4_000;
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let request = b"GET /api/signup/setup HTTP/1.1\r\nHost: localhost:1411\r\n\r\n";
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    for n in 0..REQUESTS {
        stream.write_all(request).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        answers.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 2"), "{n}: {line:?}");
        loop {
            line.clear();
            answers.read_line(&mut line).unwrap();
            if let Some(number) = line.to_lowercase().strip_prefix("content-length: ") {
                length = number.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        answers.read_exact(&mut vec![0; length]).unwrap();
    }

    // Once somebody reads again they are told what they missed, and every line is there or counted.
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let stopped = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(stopped.success());
    let mut read = String::new();
    let reader = thread::spawn(move || {
        log.read_to_string(&mut read).unwrap();
        read
    });
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let read = reader.join().unwrap();
    let lost: usize = read
        .lines()
        .filter_map(|line| {
            line.strip_prefix("warning: ")?
                .split_once(" lines were not")
        })
        .map(|(count, _)| count.parse::<usize>().unwrap())
        .sum();
    let written = read.matches("/api/signup/setup").count();
    assert!(lost > 0 && written + lost == REQUESTS, "{written} {lost}");
}

/// Nobody ever reads, and it ends all the same.
#[test]
fn a_signal_ends_a_server_whose_log_nobody_reads() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let mut child = command()
        .args(["--origin", "http://localhost:1411"])
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path().join("data"))
        .stdout(fs::File::create(&out).unwrap())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    wait_until(|| fs::read_to_string(&out).is_ok_and(|text| text.contains("address: ")));
    let text = fs::read_to_string(&out).unwrap();
    let address = text
        .lines()
        .find_map(|line| line.strip_prefix("listening on "))
        .unwrap();
    for _ in 0..2_500 {
        let mut stream = TcpStream::connect(address).unwrap();
        let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request).unwrap();
        assert!(read_all(&mut stream).starts_with("HTTP/1.1 2"));
    }
    let kill = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    wait_until(|| child_ended(child.id()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

fn child_ended(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

#[test]
fn no_secret_is_written_anywhere_but_in_the_link() {
    let mut server = Server::start();
    let (session, key) = server.claim_with_key();
    let (_, bobs) = server.user_with_session(&key, "bob");
    let setup = server.setup_token.clone().unwrap();
    let renewed = {
        let list = server.get("/api/api-keys").key(&key).send().json();
        let path = format!(
            "/api/api-keys/{}/renew",
            list["data"][0]["id"].as_str().unwrap()
        );
        let body = json!({ "expiresAt": "2098-01-01T00:00:00Z" });
        let reply = server.post(&path).bearer(&session).json(&body).send();
        reply.json()["token"].as_str().unwrap().to_owned()
    };
    // Wherever a careless client may put one.
    for secret in [&session, &key, &setup] {
        server
            .get(&format!("/api/users?token={secret}"))
            .key(secret)
            .send();
        server.get(&format!("/st/{secret}")).send();
        server.get(&format!("/api/users/{secret}")).key(&key).send();
        server
            .get(&format!("/api/one-time-access-token/{secret}"))
            .send();
        server
            .get("/api/users")
            .header("Referer", &format!("http://x/{secret}"))
            .send();
        server
            .post("/api/users")
            .key(&key)
            .body(format!("{{\"{secret}"))
            .send();
        server
            .post("/api/signup/setup")
            .json(&json!({ "token": secret }))
            .send();
    }
    let log = server.log();
    assert!(
        log.contains(" GET /api/users 200 ") && !log.contains('?'),
        "{log}"
    );
    let out = fs::read_to_string(server.folder.path().join("out")).unwrap();
    assert_eq!(out.matches(&setup).count(), 1, "in the link");
    let mut files = vec![("log".to_owned(), log.into_bytes())];
    for stage in ["running", "stopped"] {
        for file in fs::read_dir(server.folder.path().join("data")).unwrap() {
            let path = file.unwrap().path();
            files.push((
                format!("{stage} {}", path.display()),
                fs::read(&path).unwrap(),
            ));
        }
        if stage == "running" {
            server.stop("-TERM");
        }
    }
    assert!(
        files.iter().any(|(name, _)| name.ends_with("-wal")),
        "{:?}",
        files.len()
    );
    for secret in [session, key, bobs, setup, renewed] {
        // Without the kind, which is no secret and stands in masked forms.
        let bytes = &secret.as_bytes()[7..];
        for (name, text) in &files {
            assert!(
                !text.windows(bytes.len()).any(|part| part == bytes),
                "{name}"
            );
        }
    }
}
