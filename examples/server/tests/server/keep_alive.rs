//! How long a connection is kept: long between two requests, since a proxy may send the next one at any time, and short
//! while the head of one is on its way.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use crate::support::Server;

const ASK: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(&server.address).unwrap();
    let patience = Some(Duration::from_secs(30));
    stream.set_read_timeout(patience).unwrap();
    stream
}

/// Asks, and reads the one answer, which has no body.
fn ask(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(ASK)?;
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        answer.push(byte[0]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 204"), "{answer:?}");
    Ok(())
}

/// Waits until the server closes, and tells how long that took.
fn closed_after(stream: &mut TcpStream, since: Instant) -> Duration {
    match stream.read(&mut [0; 100]) {
        Ok(0) => {}
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
        other => panic!("not closed: {other:?}"),
    }
    since.elapsed()
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

/// nginx keeps its connections for 60 seconds, Traefik for 90, Caddy for 120: a head's ten seconds are not theirs.
#[test]
fn an_idle_connection_is_kept_for_longer_than_a_head_may_take() {
    let server = Server::start();
    let mut stream = connect(&server);
    ask(&mut stream).unwrap();
    thread::sleep(Duration::from_secs(13));
    ask(&mut stream).unwrap();
}

#[test]
fn an_idle_connection_ends_after_the_time_that_was_given() {
    let server = Server::with(&["--keep-alive", "2s"]);
    let mut stream = connect(&server);
    for _ in 0..3 {
        ask(&mut stream).unwrap();
        // The time begins anew with each answer.
        thread::sleep(Duration::from_millis(1_200));
    }
    ask(&mut stream).unwrap();
    let took = seconds(closed_after(&mut stream, Instant::now()));
    assert!((1.9..5.0).contains(&took), "{took}");
}

/// The first head, sent slowly or not at all; and a later one, sent slowly after the connection was idle.
#[test]
fn a_head_that_trickles_is_cut() {
    let server = Server::start();
    thread::scope(|scope| {
        let silent = scope.spawn(|| {
            let began = Instant::now();
            seconds(closed_after(&mut connect(&server), began))
        });
        let mut slow = Vec::new();
        for asks_first in [false, true] {
            let server = &server;
            slow.push(scope.spawn(move || {
                let mut stream = connect(server);
                if asks_first {
                    ask(&mut stream).unwrap();
                    thread::sleep(Duration::from_secs(3));
                }
                let began = Instant::now();
                for byte in ASK.iter().cycle() {
                    if stream.write_all(&[*byte]).is_err() || began.elapsed().as_secs() > 25 {
                        break;
                    }
                    thread::sleep(Duration::from_millis(400));
                }
                seconds(began.elapsed())
            }));
        }
        let mut took: Vec<f64> = slow.into_iter().map(|slow| slow.join().unwrap()).collect();
        took.push(silent.join().unwrap());
        assert!(
            took.iter().all(|took| (9.0..14.0).contains(took)),
            "{took:?}"
        );
    });
}

/// Whatever comes before the end of the time is answered, however shortly before.
#[test]
fn a_request_at_the_last_moment_is_answered() {
    let server = Server::with(&["--keep-alive", "1s"]);
    let answered = thread::scope(|scope| {
        // As many as one client may have.
        let all = (0..60).map(|n| {
            let server = &server;
            scope.spawn(move || {
                let mut stream = connect(server);
                ask(&mut stream).unwrap();
                thread::sleep(Duration::from_millis(880 + n));
                ask(&mut stream).is_ok()
            })
        });
        let all: Vec<_> = all.collect();
        all.into_iter()
            .map(|one| one.join().unwrap())
            .filter(|ok| *ok)
            .count()
    });
    assert_eq!(answered, 60);
}

/// Nobody waits for who asks nothing.
#[test]
fn an_idle_connection_does_not_keep_a_server_from_its_end() {
    let mut server = Server::start();
    let mut idle: Vec<TcpStream> = (0..20).map(|_| connect(&server)).collect();
    idle.iter_mut().for_each(|stream| ask(stream).unwrap());
    let began = Instant::now();
    assert_eq!(server.stop("-TERM"), Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn a_body_that_is_under_way_is_not_idle() {
    let server = Server::with(&["--keep-alive", "1s"]);
    let mut stream = connect(&server);
    let host = server.origin.split_once("://").unwrap().1;
    let head = format!("POST /api/signup HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    thread::sleep(Duration::from_secs(3));
    stream.write_all(b"{}").unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 4"), "{answer:?}");
}
