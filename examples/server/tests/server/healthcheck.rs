//! The command that asks a running server for its health.

use std::{fs, io::Write, net::TcpListener, process::Output, thread};

use tempfile::TempDir;

use crate::support::{Server, command, wait_until};

fn healthcheck(listen: &str, more: &[&str]) -> Output {
    let mut command = command();
    command.args(["healthcheck", "--listen", listen]);
    command.args(more).output().unwrap()
}

#[track_caller]
fn is_unhealthy(output: &Output, why: &str) {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains(why), "{text}");
}

#[test]
fn it_tells_by_its_exit_status() {
    let server = Server::with(&["--listen", "127.0.0.1:0", "--origin", "https://id.example"]);
    let healthy = |listen: &str| {
        let output = healthcheck(listen, &["--origin", "https://other.example"]);
        assert_eq!(output.status.code(), Some(0), "{listen}: {output:?}");
        assert_eq!(output.stdout, b"healthy\n");
        assert!(output.stderr.is_empty());
    };
    healthy(&server.address);
    let port = server.address.rsplit_once(':').unwrap().1;
    for listen in [
        port,
        &format!("localhost:{port}"),
        &format!("0.0.0.0:{port}"),
        // The first that can be known.
        &format!("0,127.0.0.1:{port}"),
    ] {
        healthy(listen);
    }
    let from_environment = command()
        .arg("healthcheck")
        .env("KEYPLATE_LISTEN", format!("\"{}\"", server.address))
        .output()
        .unwrap();
    assert_eq!(from_environment.status.code(), Some(0));

    let away = server.folder.path().join("away.db");
    fs::rename(server.database(), away).unwrap();
    wait_until(|| !healthcheck(&server.address, &[]).status.success());
    let output = healthcheck(&server.address, &[]);
    is_unhealthy(&output, "not healthy: 503, storage_lost");
}

#[test]
fn it_asks_at_a_unix_socket() {
    let folder = TempDir::new().unwrap();
    let listen = format!("unix:{}", folder.path().join("socket").display());
    let mut server = Server::in_folder(folder, &["--listen", &listen]);
    let output = healthcheck(&format!("{listen}?mode=0600"), &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    server.stop("-KILL");
    is_unhealthy(
        &healthcheck(&listen, &[]),
        &format!("no answer from {listen}"),
    );
}

#[test]
fn who_is_no_server_of_ours_is_not_healthy() {
    is_unhealthy(&healthcheck("127.0.0.1:0", &[]), "nobody knows which port");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    for (answer, why) in [
        (&b"SSH-2.0-OpenSSH\r\n"[..], "speaks no HTTP"),
        (b"", "speaks no HTTP"),
        (
            b"HTTP/1.1 404 Not Found\r\n\r\n{\"code\": \"not_found\"}",
            "not healthy: 404, not_found",
        ),
        (b"HTTP/1.1 301 Moved\r\n\r\n", "not healthy: 301"),
    ] {
        thread::scope(|scope| {
            let asked = scope.spawn(|| healthcheck(&address, &[]));
            let (mut stream, _) = listener.accept().unwrap();
            let _ = std::io::Read::read(&mut stream, &mut [0; 500]);
            stream.write_all(answer).unwrap();
            drop(stream);
            is_unhealthy(&asked.join().unwrap(), why);
        });
    }
    drop(listener);
    is_unhealthy(&healthcheck(&address, &[]), "no answer from");
}
