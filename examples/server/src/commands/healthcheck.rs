//! Asks a running server for its health, for images that have no other program.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::printed;
use crate::options::{Options, listen::Listen};

/// Longer than the library waits for a lock.
const PATIENCE: Duration = Duration::from_secs(10);
/// No answer of the health check is so long.
const LONGEST: usize = 64 * 1_024;

/// Ends well if the server that these options mean is healthy.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let is_known = |listen: &&Listen| !matches!(listen, Listen::Address { port: 0, .. });
    let Some(listen) = options.listen.iter().find(is_known) else {
        return Err(format!(
            "{}: nobody knows which port that is",
            options.called("listen")
        ));
    };
    let answer = ask(listen).map_err(|error| format!("no answer from {listen}: {error}"))?;
    let (status, body) = read(&answer).ok_or_else(|| format!("{listen} speaks no HTTP"))?;
    let told: Value = serde_json::from_str(body).unwrap_or_default();
    match status {
        200..=299 if told["accessTokensStopped"] == true => {
            printed("healthy, but the clock is behind: no access tokens\n")
        }
        200..=299 => printed("healthy\n"),
        _ => {
            let reason = told["details"]["reason"].as_str().or(told["code"].as_str());
            let reason = reason.map_or_else(String::new, |reason| format!(", {reason}"));
            Err(format!("not healthy: {status}{reason}"))
        }
    }
}

trait Stream: Read + Write {
    fn wait_for_at_most(&self, time: Duration) -> io::Result<()>;
}

impl Stream for TcpStream {
    fn wait_for_at_most(&self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))?;
        self.set_write_timeout(Some(time))
    }
}

impl Stream for UnixStream {
    fn wait_for_at_most(&self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))?;
        self.set_write_timeout(Some(time))
    }
}

fn ask(listen: &Listen) -> io::Result<String> {
    let until = Instant::now() + PATIENCE;
    let left = || match until.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(io::Error::from(io::ErrorKind::TimedOut)),
        left => Ok(left),
    };
    let mut stream: Box<dyn Stream> = match listen {
        Listen::Address { host, port } => {
            let mut failed = io::Error::from(io::ErrorKind::NotFound);
            let mut addresses = Listen::addresses(host, *port)?.into_iter().map(reachable);
            let connected = addresses.find_map(|address| {
                let connected = left().and_then(|left| TcpStream::connect_timeout(&address, left));
                connected.map_err(|error| failed = error).ok()
            });
            Box::new(connected.ok_or(failed)?)
        }
        Listen::Socket { path, .. } => Box::new(UnixStream::connect(path)?),
    };
    stream.wait_for_at_most(left()?)?;
    // Whatever the origin, this route answers.
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut part = [0; 1_024];
    loop {
        stream.wait_for_at_most(left()?)?;
        match stream.read(&mut part)? {
            0 => break,
            read => answer.extend_from_slice(&part[..read]),
        }
        if answer.len() > LONGEST {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Who listens at all addresses is asked at one of this machine's own.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The status and the body.
fn read(answer: &str) -> Option<(u16, &str)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let rest = head.strip_prefix("HTTP/1.")?;
    let status = rest.split(' ').nth(1)?;
    Some((status.parse().ok()?, body))
}
