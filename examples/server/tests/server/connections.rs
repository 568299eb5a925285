//! Clients that keep connections, and what the others notice of them.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, socket};

use crate::support::Server;

/// A connection from this address of the loopback network.
pub(crate) fn from(server: &Server, last: u8) -> TcpStream {
    let flags = SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Inet, SockType::Stream, flags, None).unwrap();
    let raw = std::os::fd::AsRawFd::as_raw_fd(&socket);
    let own = SockaddrIn::new(127, 0, 0, last, 0);
    bind(raw, &own).unwrap();
    let SocketAddr::V4(there) = server.address.parse().unwrap() else {
        panic!("not IPv4")
    };
    assert_eq!(IpAddr::V4(*there.ip()), Ipv4Addr::LOCALHOST);
    connect(raw, &SockaddrIn::from(there)).unwrap();
    let stream = TcpStream::from(socket);
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    stream
}

/// The status of an answer; none if the connection was closed without one.
pub(crate) fn ask(mut stream: TcpStream, server: &Server, path: &str) -> Option<u16> {
    let host = server.origin.split_once("://").unwrap().1;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

pub(crate) fn is_open(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = stream.read(&mut [0]);
    read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

#[test]
fn slow_connections_of_one_address_are_nobody_elses_trouble() {
    let server = Server::start();
    let mut slow: Vec<TcpStream> = (0..500)
        .map(|_| {
            let mut stream = from(&server, 2);
            stream.write_all(b"GET / HTTP/1.1\r\nhost: ").unwrap();
            stream
        })
        .collect();
    for address in [1, 2, 3] {
        let began = Instant::now();
        assert_eq!(ask(from(&server, address), &server, "/healthz"), Some(204));
        assert_eq!(ask(from(&server, address), &server, "/"), Some(200));
        assert!(began.elapsed() < Duration::from_secs(4), "{address}");
    }
    let open = slow.iter_mut().map(is_open).filter(|open| *open).count();
    assert!(open <= 64, "{open}");
}

/// Requests whose body does not come are cut off by their own time-out and by nobody else.
#[test]
fn health_checks_are_answered_when_every_place_is_busy() {
    let server = Server::start();
    let host = server.origin.split_once("://").unwrap().1;
    let head = "POST /api/signup HTTP/1.1\r\ncontent-length: 9\r\nexpect: 100-continue\r\n";
    let mut busy: Vec<TcpStream> = (0..256)
        .map(|n| {
            let mut stream = from(&server, 10 + (n / 64) as u8);
            let request = format!("{head}host: {host}\r\n\r\n");
            stream.write_all(request.as_bytes()).unwrap();
            // The request is being answered when the body is asked for.
            let mut go_on = [0; 25];
            stream.read_exact(&mut go_on).unwrap();
            assert!(go_on.starts_with(b"HTTP/1.1 100"));
            stream
        })
        .collect();
    assert_eq!(ask(from(&server, 3), &server, "/"), Some(503));
    for address in [1, 3, 10] {
        assert_eq!(ask(from(&server, address), &server, "/healthz"), Some(204));
    }
    // Nobody was cut off: a body that comes now is answered.
    for place in [0, 255] {
        let stream: &mut TcpStream = &mut busy[place];
        stream.write_all(b"{\"a\": 1} ").unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 4"), "{answer:?}");
    }
}
