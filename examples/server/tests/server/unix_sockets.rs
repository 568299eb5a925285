//! Listening on Unix sockets, alone and beside addresses.

use std::{
    fs,
    io::{Read, Write},
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::Path,
    process::Output,
};

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Reply, Server, command};

/// A server at a socket in its own folder, and perhaps elsewhere.
fn server(query: &str, more: &[&str]) -> Server {
    let folder = TempDir::new().unwrap();
    let listen = listen(folder.path(), query);
    let options = [&["--listen", &listen], more].concat();
    Server::in_folder(folder, &options)
}

fn listen(folder: &Path, query: &str) -> String {
    format!("unix:{}{query}", folder.join("socket").display())
}

fn ask(server: &Server, request: &[u8]) -> Reply {
    let mut stream = UnixStream::connect(server.folder.path().join("socket")).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    Reply::parse(&answer)
}

fn start(folder: &Path) -> Output {
    let mut command = command();
    command.args(["--listen", &listen(folder, "")]);
    command.arg("--data").arg(folder.join("data2"));
    command.output().unwrap()
}

#[test]
fn a_socket_has_its_rights_and_goes_with_its_server() {
    for (query, rights) in [("", 0o660), ("?mode=0600", 0o600), ("?mode=666", 0o666)] {
        let mut server = server(query, &[]);
        let path = server.folder.path().join("socket");
        assert_eq!(server.address, format!("unix:{}", path.display()));
        let metadata = fs::symlink_metadata(&path).unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o777, rights, "{query}");
        assert_eq!(ask(&server, &server.get("/healthz").bytes()).status, 204);
        assert_eq!(server.stop("-TERM"), Some(0));
        assert!(!path.exists());
    }
}

#[test]
fn what_a_killed_server_left_is_replaced_and_nothing_else() {
    let mut killed = server("", &[]);
    let path = killed.folder.path().join("socket");
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    assert!(path.exists());
    let folder = std::mem::replace(&mut killed.folder, TempDir::new().unwrap());
    let listen = listen(folder.path(), "");
    let running = Server::in_folder(folder, &["--listen", &listen]);
    assert_eq!(ask(&running, &running.get("/healthz").bytes()).status, 204);

    let second = start(running.folder.path());
    let text = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(text.contains("something listens there already"), "{text}");
    assert_eq!(ask(&running, &running.get("/healthz").bytes()).status, 204);

    // Not a server of ours, but somebody's.
    let other = TempDir::new().unwrap();
    let _listener = UnixListener::bind(other.path().join("socket")).unwrap();
    assert_eq!(start(other.path()).status.code(), Some(1));
    let file = TempDir::new().unwrap();
    fs::write(file.path().join("socket"), "precious").unwrap();
    let refused = start(file.path());
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(text.contains("there is a file that is no socket"), "{text}");
    assert_eq!(fs::read(file.path().join("socket")).unwrap(), b"precious");
}

#[test]
fn a_server_may_listen_in_several_places() {
    let server = server("", &["--listen", "127.0.0.1:0", "--listen", "localhost:0"]);
    let out = fs::read_to_string(server.folder.path().join("out")).unwrap();
    let places: Vec<&str> = out
        .lines()
        .filter_map(|line| line.strip_prefix("listening on "))
        .collect();
    assert_eq!(places.len(), 3, "{out}");
    // The first of the ports is where people of this machine go.
    let port = places[1].strip_prefix("127.0.0.1:").unwrap();
    assert_eq!(server.origin, format!("http://localhost:{port}"));
    assert_eq!(ask(&server, &server.get("/").bytes()).status, 200);
    for place in &places[1..] {
        let mut stream = std::net::TcpStream::connect(place).unwrap();
        stream.write_all(&server.get("/").bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(Reply::parse(&answer).status, 200, "{place}");
    }
}

/// B2: the kernel keeps who connected to the socket.
#[test]
fn the_servers_own_user_sets_it_up_through_the_socket_and_a_proxy_does_not() {
    let origin = ["--origin", "http://localhost:1411"];
    for (more, header, status) in [
        (&[][..], None, 200),
        (&[][..], Some(("X-Forwarded-For", "203.0.113.9")), 401),
        (&[][..], Some(("Via", "1.1 proxy")), 401),
        (&["--trusted-proxy", "unix"][..], None, 401),
        // Somebody else gets in here.
        (&["--listen", "0.0.0.0:0"][..], None, 401),
    ] {
        let server = server("", &[&origin, more].concat());
        let body = json!({ "username": "ann" });
        let claim = server.post("/api/signup/setup").json(&body);
        let claim = match header {
            Some((name, value)) => claim.header(name, value),
            None => claim,
        };
        let reply = ask(&server, &claim.bytes());
        assert_eq!(reply.status, status, "{more:?} {header:?}: {}", reply.body);
    }
}

#[test]
fn a_proxy_at_the_socket_names_the_client() {
    for (more, address) in [
        (&["--trusted-proxy", "unix"][..], "203.0.113.9"),
        (&["--trusted-proxy", "127.0.0.1"][..], "unknown"),
    ] {
        let origin = ["--origin", "https://id.example"];
        let server = server("", &[&origin, more].concat());
        let claim = server
            .post("/api/signup/setup")
            .header("X-Setup-Token", &server.setup_token.clone().unwrap())
            .header("X-Forwarded-For", "1.1.1.1, 203.0.113.9")
            .json(&json!({ "username": "ann" }));
        let reply = ask(&server, &claim.bytes());
        assert_eq!(reply.status, 200, "{}", reply.body);
        let list = server.get("/api/sessions").bearer(&reply.cookie_value());
        let list = ask(&server, &list.bytes()).json();
        assert_eq!(list["data"][0]["ipAddress"], address, "{list}");
    }
}
