//! B2: of the users of this machine, only the server's own sets it up without the link. Other users' processes are this
//! program, started again by root for another user id.

use std::{
    env,
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::{net::UnixStream, process::CommandExt},
    process::{Child, Command, Stdio},
    thread,
};

use keyplate::{EventKind, SetupStage};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Reply, Request, Server, command, read_all};

const CLAIM: &str = "/api/signup/setup";
const SCRIPT: &str = "/api/one-time-access-token/setup";
/// Neither root's nor anybody's here.
const OTHER_USER: u32 = 54_321;

const JOB: &str = "KEYPLATE_TEST_JOB";
const ADDRESS: &str = "KEYPLATE_TEST_ADDRESS";
/// Before what a worker says; the harness prints lines of its own.
const MARK: &str = "=> ";

/// Does the job of a process that `start` has started; by itself it does nothing.
#[test]
fn worker() {
    let Ok(job) = env::var(JOB) else { return };
    let address = env::var(ADDRESS).unwrap();
    let mut request = Vec::new();
    if job != "forward" {
        io::stdin().read_to_end(&mut request).unwrap();
    }
    match job.as_str() {
        "ask" => {
            let mut stream = TcpStream::connect(&address).unwrap();
            stream.write_all(&request).unwrap();
            say(&json!(read_all(&mut stream)).to_string());
        }
        "ask at a socket" => {
            let path = address.strip_prefix("unix:").unwrap();
            let mut stream = UnixStream::connect(path).unwrap();
            stream.write_all(&request).unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            say(&json!(text).to_string());
        }
        "ask and go" => {
            let mut stream = TcpStream::connect(&address).unwrap();
            stream.write_all(&request).unwrap();
        }
        "forward" => forward(&address),
        job => panic!("no such job: {job}"),
    }
}

#[expect(clippy::print_stdout, reason = "that is how a worker answers")]
fn say(text: &str) {
    println!("{MARK}{text}");
}

fn forward(to: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    say(&listener.local_addr().unwrap().to_string());
    for near in listener.incoming() {
        let (mut near, mut far) = (near.unwrap(), TcpStream::connect(to).unwrap());
        let (mut from_near, mut to_far) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        thread::spawn(move || {
            let _ = io::copy(&mut from_near, &mut to_far);
            let _ = to_far.shutdown(Shutdown::Write);
        });
        let _ = io::copy(&mut far, &mut near);
        let _ = near.shutdown(Shutdown::Both);
    }
}

/// A process that does not outlive its test.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts this program again for a job, with what comes before it.
fn start(before: &[&str], user: Option<u32>, job: &str, address: &str) -> Worker {
    let program = env::current_exe().unwrap();
    let mut line = before
        .iter()
        .map(|word| (*word).to_owned())
        .collect::<Vec<_>>();
    line.push(program.to_str().unwrap().to_owned());
    let mut command = Command::new(&line[0]);
    command
        .args(&line[1..])
        .args(["--exact", "local_users::worker", "--nocapture"])
        .args(["--test-threads=1"])
        .env(JOB, job)
        .env(ADDRESS, address)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    Worker(command.spawn().unwrap())
}

fn said(Worker(child): &mut Worker) -> Option<String> {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    lines.find_map(|line| line.split_once(MARK).map(|(_, said)| said.to_owned()))
}

/// Sends this request from a process of that user's.
fn ask(before: &[&str], user: u32, server: &Server, request: &Request<'_>) -> Option<Reply> {
    let job = match server.address.starts_with("unix:") {
        true => "ask at a socket",
        false => "ask",
    };
    let mut child = start(before, Some(user), job, &server.address);
    let _ = child.0.stdin.take().unwrap().write_all(&request.bytes());
    said(&mut child).map(|text| {
        let text: String = serde_json::from_str(&text).unwrap();
        Reply::parse(&text)
    })
}

fn asked_by_another(server: &Server, request: &Request<'_>) -> Reply {
    ask(&[], OTHER_USER, server, request).expect("an answer")
}

/// Can this make processes of other users?
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !is_root {
        assert!(env::var("CI").is_err(), "CI must be root");
        eprintln!("skipped: only root can be two users");
    }
    is_root
}

fn claim(server: &Server) -> Request<'_> {
    server.post(CLAIM).json(&json!({ "username": "eve" }))
}

fn stage(server: &Server) -> SetupStage {
    server.library().get_setup_state().unwrap().stage
}

const REFUSED: (u16, &str) = (401, "token_invalid_or_expired");

#[test]
fn another_users_process_needs_the_link() {
    if !is_root() {
        return;
    }
    let server = Server::start();
    for request in [claim(&server), server.post(SCRIPT)] {
        asked_by_another(&server, &request).is_refused(REFUSED.0, REFUSED.1);
    }
    assert_eq!(stage(&server), SetupStage::Uninitialised);
    // The server's own user goes from nothing to a key, again and again.
    let (_, key) = server.claim_with_key();
    for _ in 0..3 {
        assert_eq!(server.post(SCRIPT).send().status, 200);
    }
    asked_by_another(&server, &server.post(SCRIPT)).is_refused(REFUSED.0, REFUSED.1);
    // With the link anybody may.
    let token = server.setup_token.clone().unwrap();
    let with_link = server.post(SCRIPT).header("X-Setup-Token", &token);
    assert_eq!(asked_by_another(&server, &with_link).status, 200);
    assert_eq!(server.get("/api/users").key(&key).send().status, 200);
}

/// Whoever may connect to a socket is not for that the one who owns it.
#[test]
fn another_users_process_needs_the_link_at_a_unix_socket_too() {
    use std::os::unix::fs::PermissionsExt;

    if !is_root() {
        return;
    }
    let folder = TempDir::new().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let listen = format!("unix:{}?mode=0666", folder.path().join("socket").display());
    let options = ["--listen", &listen, "--origin", "http://localhost:1411"];
    let server = Server::in_folder(folder, &options);
    for request in [claim(&server), server.post(SCRIPT)] {
        asked_by_another(&server, &request).is_refused(REFUSED.0, REFUSED.1);
    }
    assert_eq!(stage(&server), SetupStage::Uninitialised);
    let own = ask(&[], 0, &server, &server.post(SCRIPT)).unwrap();
    assert_eq!(own.status, 200, "{}", own.body);
    asked_by_another(&server, &server.post(SCRIPT)).is_refused(REFUSED.0, REFUSED.1);
}

/// A neighbour who forwards connections is the one who asks.
#[test]
fn a_forwarder_of_another_user_needs_the_link() {
    if !is_root() {
        return;
    }
    let server = Server::start();
    let mut forwarder = start(&[], Some(OTHER_USER), "forward", &server.address);
    let near = said(&mut forwarder).unwrap();
    for request in [claim(&server), server.post(SCRIPT)] {
        let mut stream = TcpStream::connect(&near).unwrap();
        stream.write_all(&request.bytes()).unwrap();
        let reply = Reply::parse(&read_all(&mut stream));
        reply.is_refused(REFUSED.0, REFUSED.1);
    }
    assert_eq!(stage(&server), SetupStage::Uninitialised);
    // One of the same user's is that user: the documents say so.
    let mut own = start(&[], None, "forward", &server.address);
    let near = said(&mut own).unwrap();
    let mut stream = TcpStream::connect(&near).unwrap();
    stream.write_all(&claim(&server).bytes()).unwrap();
    assert_eq!(Reply::parse(&read_all(&mut stream)).status, 200);
}

/// What the kernel keeps of a connection whose process has gone it calls root's.
#[test]
fn who_has_gone_is_nobody() {
    if !is_root() {
        return;
    }
    let server = Server::start();
    for round in 0..20 {
        let path = if round % 2 == 0 { CLAIM } else { SCRIPT };
        let request = match path {
            CLAIM => claim(&server),
            _ => server.post(path),
        };
        let mut child = start(&[], Some(OTHER_USER), "ask and go", &server.address);
        // What comes after it keeps the server from seeing at once that nobody waits for the answer.
        let bytes = [request.bytes(), request.bytes()].concat();
        let mut to_child = child.0.stdin.take().unwrap();
        to_child.write_all(&bytes).unwrap();
        drop(to_child);
        assert!(child.0.wait().unwrap().success());
    }
    // Whatever came of them has come by now.
    let own = server.post(SCRIPT).header("Via", "1.1 proxy").send();
    own.is_refused(REFUSED.0, REFUSED.1);
    assert_eq!(stage(&server), SetupStage::Uninitialised);
}

#[test]
fn mapped_and_ipv6_addresses_make_no_difference() {
    for listen in ["[::ffff:127.0.0.1]:0", "[::1]:0"] {
        if TcpListener::bind(listen).is_err() {
            eprintln!("skipped: no {listen} here");
            continue;
        }
        let server = Server::with(&["--listen", listen]);
        if is_root() {
            for request in [claim(&server), server.post(SCRIPT)] {
                asked_by_another(&server, &request).is_refused(REFUSED.0, REFUSED.1);
            }
        }
        assert_eq!(stage(&server), SetupStage::Uninitialised, "{listen}");
        assert_eq!(server.post(SCRIPT).send().status, 200, "{listen}");
    }
}

/// As a container without root has one: its root is an ordinary user outside.
#[test]
fn root_of_another_users_namespace_is_that_user() {
    if !is_root() {
        return;
    }
    let server = Server::start();
    let namespace = ["unshare", "--user", "--map-root-user"];
    match ask(&namespace, OTHER_USER, &server, &server.post(SCRIPT)) {
        Some(reply) => reply.is_refused(REFUSED.0, REFUSED.1),
        None => eprintln!("skipped: others make no user namespaces here"),
    }
    assert_eq!(stage(&server), SetupStage::Uninitialised);
}

/// And to a server in such a namespace everybody outside of it is the same unknown user.
#[test]
fn whom_a_namespace_does_not_know_is_nobody() {
    let namespace = ["--user", "--map-root-user"];
    let probe = Command::new("unshare").args(namespace).arg("true").output();
    if !is_root() || !probe.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no user namespace here");
        return;
    }
    let program = command();
    let mut inside = Command::new("unshare");
    inside.args(namespace).arg(program.get_program());
    for (name, _) in env::vars().filter(|(name, _)| name.starts_with("KEYPLATE_")) {
        inside.env_remove(name);
    }
    let server = Server::by(inside, TempDir::new().unwrap(), &[]);
    asked_by_another(&server, &server.post(SCRIPT)).is_refused(REFUSED.0, REFUSED.1);
    assert_eq!(stage(&server), SetupStage::Uninitialised);
    assert_eq!(
        server.post(SCRIPT).send().status,
        200,
        "root is root there too"
    );
}

/// B2: what was claimed with the link is resumed with it alone, by whomever.
#[test]
fn without_the_link_nobody_resumes_what_was_claimed_with_it() {
    for options in [&[][..], &["--open-setup"]] {
        let server = Server::with(options);
        let token = server.setup_token.clone().unwrap();
        let claimed = claim(&server).header("X-Setup-Token", &token).send();
        assert_eq!(claimed.status, 200, "{}", claimed.body);
        server.post(SCRIPT).send().is_refused(REFUSED.0, REFUSED.1);
        if options.is_empty() && is_root() {
            asked_by_another(&server, &server.post(SCRIPT)).is_refused(REFUSED.0, REFUSED.1);
        }
        let resumed = server.post(SCRIPT).header("X-Setup-Token", &token).send();
        assert_eq!(resumed.json()["id"], claimed.json()["id"]);
        let query = keyplate::AuditQuery {
            kind: Some(EventKind::SetupRefused),
            ..Default::default()
        };
        let refused = server.library().list_audit_events(query).unwrap();
        assert!(refused.total >= 1, "it is in the log");
    }
}
