//! Signals at any moment, and what the service manager is told.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::{Reply, Server, command, read_all, wait_until};

fn kill(child: &Child, signal: &str) {
    let id = child.id().to_string();
    let status = Command::new("kill").args([signal, &id]).status();
    assert!(status.unwrap().success());
}

/// Ends within this time, and how.
fn ended(child: &mut Child, within: Duration) -> Option<i32> {
    let until = Instant::now() + within;
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("it did not end");
}

/// A start that waits for the lock of a process that hangs.
fn waiting(folder: &TempDir, program: Command) -> (Child, Connection) {
    let first = Server::in_folder(TempDir::new_in(folder.path()).unwrap(), &[]);
    let data = folder.path().join("data");
    fs::rename(first.folder.path().join("data"), &data).unwrap();
    drop(first);
    #[expect(
        clippy::disallowed_methods,
        reason = "it stands for a process that is not ours"
    )]
    let other = Connection::open(data.join("keyplate.db")).unwrap();
    // So that the start has something to write.
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let mut program = program;
    let child = program
        .args(["--listen", "127.0.0.1:0", "--origin", "https://id.example"])
        .arg("--listen")
        .arg(format!("unix:{}", folder.path().join("socket").display()))
        .arg("--data")
        .arg(&data)
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    (child, other)
}

/// A lock is waited for for five seconds.
#[test]
fn a_signal_ends_a_start_that_is_not_complete() {
    for signal in ["-TERM", "-INT"] {
        let folder = TempDir::new().unwrap();
        let (mut child, other) = waiting(&folder, command());
        thread::sleep(Duration::from_millis(700));
        assert!(child.try_wait().unwrap().is_none(), "it waits");
        kill(&child, signal);
        assert_eq!(ended(&mut child, Duration::from_secs(1)), Some(0));
        let log = fs::read_to_string(folder.path().join("log")).unwrap();
        assert_eq!(log, "stopped before the start was complete\n");
        assert!(!folder.path().join("socket").exists());
        other.execute_batch("ROLLBACK").unwrap();
        drop(other);
        // Nothing is half done.
        let again = Server::with(&["--data", folder.path().join("data").to_str().unwrap()]);
        assert_eq!(again.get("/healthz").send().status, 204);
    }
}

/// An upgrade of a large file takes a while, and is one transaction.
#[test]
fn a_signal_ends_an_upgrade() {
    use std::os::unix::fs::PermissionsExt;

    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let path = data.join("keyplate.db");
    #[expect(
        clippy::disallowed_methods,
        reason = "it makes a file of an older schema"
    )]
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../../../core/tests/fixtures/schema-5.sql"))
        .unwrap();
    let audit: i64 = old
        .query_row("SELECT count(*) FROM audit", [], |row| row.get(0))
        .unwrap();
    assert!(audit > 0);
    old.execute_batch(
        "PRAGMA synchronous = OFF;
         CREATE TEMP TABLE some AS SELECT * FROM audit;
         UPDATE some SET id = NULL, refusal_key = NULL;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120000)
         INSERT INTO audit SELECT some.* FROM some, n LIMIT 120000;",
    )
    .unwrap();
    drop(old);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let mut child = command()
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    // The copy that comes before an upgrade is there.
    wait_until(|| data.join("keyplate.db.schema-5.backup.tmp").exists());
    kill(&child, "-TERM");
    assert_eq!(ended(&mut child, Duration::from_secs(1)), Some(0));
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!(log, "stopped before the start was complete\n");

    // The next start does all of it, and what was left goes.
    let again = [
        "--data",
        data.to_str().unwrap(),
        "--origin",
        "https://media.example",
        "--listen",
        "127.0.0.1:0",
    ];
    let again = Server::with(&again);
    assert_eq!(again.get("/healthz").send().status, 204);
    assert!(!data.join("keyplate.db.schema-5.backup.tmp").exists());
    assert!(data.join("keyplate.db.schema-5.backup").exists());
}

/// As the first process of a container, where no signal ends a process that does not hear it.
#[test]
fn a_signal_ends_a_start_of_the_first_process() {
    let mut unshare = Command::new("unshare");
    unshare.args(["--pid", "--fork", "--kill-child"]);
    if !unshare
        .arg("true")
        .output()
        .is_ok_and(|done| done.status.success())
    {
        println!("skipped: no name space for processes");
        return;
    }
    let folder = TempDir::new().unwrap();
    let mut program = Command::new("unshare");
    program.args(["--pid", "--fork", "--kill-child"]);
    program.arg(command().get_program());
    let (mut child, _other) = waiting(&folder, program);
    thread::sleep(Duration::from_millis(700));
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let first = fs::read_to_string(children).unwrap();
    let status = Command::new("kill").args(["-TERM", first.trim()]).status();
    assert!(status.unwrap().success());
    assert_eq!(ended(&mut child, Duration::from_secs(1)), Some(0));
}

#[test]
fn a_hang_up_cuts_nothing() {
    let mut server = Server::start();
    let (_, key) = server.claim_with_key();
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let body = r#"{"username":"bob"}"#;
    let head = format!(
        "POST /api/users HTTP/1.1\r\nHost: localhost:1411\r\nX-API-Key: {key}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(200));
    for _ in 0..3 {
        kill(&server.child, "-HUP");
    }
    thread::sleep(Duration::from_millis(200));
    stream.write_all(body.as_bytes()).unwrap();
    assert_eq!(Reply::parse(&read_all(&mut stream)).status, 201);
    assert_eq!(server.get("/healthz").send().status, 204);
    assert_eq!(server.stop("-TERM"), Some(0));
}

fn told(socket: &UnixDatagram) -> String {
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut text = [0; 100];
    let length = socket.recv(&mut text).unwrap();
    String::from_utf8(text[..length].to_vec()).unwrap()
}

#[test]
fn the_service_manager_is_told_when_it_is_ready_and_when_it_stops() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("notify");
    let name = format!("keyplate-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    for (socket, name) in [
        (
            UnixDatagram::bind(&path).unwrap(),
            path.display().to_string(),
        ),
        (
            UnixDatagram::bind_addr(&address).unwrap(),
            format!("@{name}"),
        ),
    ] {
        let mut program = command();
        program.env("NOTIFY_SOCKET", name);
        let mut server = Server::by(program, TempDir::new().unwrap(), &[]);
        assert_eq!(told(&socket), "READY=1");
        assert_eq!(server.get("/healthz").send().status, 204);
        assert_eq!(server.stop("-TERM"), Some(0));
        assert_eq!(told(&socket), "STOPPING=1");
    }
}

/// One that is gone is no reason not to serve.
#[test]
fn a_service_manager_that_does_not_listen_is_a_warning() {
    let mut program = command();
    program.env("NOTIFY_SOCKET", "/nowhere/at-all");
    let server = Server::by(program, TempDir::new().unwrap(), &[]);
    wait_until(|| {
        server
            .log()
            .contains("warning: the service manager was not told")
    });
    assert_eq!(server.get("/healthz").send().status, 204);
}

/// Whoever watches a terminal that is closed ends what ran in it.
#[test]
fn a_terminal_that_closes_stops_its_server() {
    let pty = nix::pty::openpty(None, None).unwrap();
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let mut child = command()
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path().join("data"))
        .stdout(fs::File::create(&out).unwrap())
        .stderr(Stdio::from(pty.slave))
        .spawn()
        .unwrap();
    wait_until(|| fs::read_to_string(&out).is_ok_and(|text| text.contains("address: ")));
    kill(&child, "-HUP");
    assert_eq!(ended(&mut child, Duration::from_secs(5)), Some(0));
    drop(fs::File::from(pty.master).read(&mut [0; 10]));
}
