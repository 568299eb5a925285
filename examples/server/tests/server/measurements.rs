//! What strangers and neglect may cost. These are measurements, which are run by hand in a release build:
//!
//! ```sh
//! cargo test --release -p keyplate-server --test server -- --ignored --nocapture measurements
//! ```

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv6Addr, TcpStream},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use keyplate::ClientInfo;
use tempfile::TempDir;

use crate::{
    storage::foreign_connection,
    support::{Server, command, wait_until},
};

#[expect(clippy::print_stdout, reason = "that is what they are for")]
fn figure(what: &str, value: impl std::fmt::Display) {
    println!("=> {what}: {value}");
}

/// Memory of a process, in KiB: what it has now, or what it had at most.
fn memory(id: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let line = line.unwrap().trim_start_matches(':');
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn ask(stream: &mut TcpStream, answers: &mut BufReader<TcpStream>, request: &[u8]) -> String {
    stream.write_all(request).unwrap();
    let (mut status, mut line, mut length) = (String::new(), String::new(), 0);
    answers.read_line(&mut status).unwrap();
    while line != "\r\n" {
        line.clear();
        answers.read_line(&mut line).unwrap();
        if let Some(number) = line.to_lowercase().strip_prefix("content-length: ") {
            length = number.trim().parse().unwrap();
        }
    }
    answers.read_exact(&mut vec![0; length]).unwrap();
    status
}

/// A server whose log nobody reads.
#[test]
#[ignore = "a measurement: it takes minutes and prints figures for a person to read"]
fn a_hundred_thousand_requests_of_a_log_that_nobody_reads() {
    const REQUESTS: usize = 100_000;
    const AT_ONCE: usize = 4;
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let mut child = command()
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path().join("data"))
        .stdout(fs::File::create(&out).unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until(|| fs::read_to_string(&out).is_ok_and(|text| text.contains("address: ")));
    let text = fs::read_to_string(&out).unwrap();
    let address = text
        .lines()
        .find_map(|line| line.strip_prefix("listening on "))
        .unwrap();
    let before = memory(child.id(), "VmRSS");
    let began = Instant::now();
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let mut stream = TcpStream::connect(address).unwrap();
                let mut answers = BufReader::new(stream.try_clone().unwrap());
                for n in 0..REQUESTS / AT_ONCE {
                    let status = ask(&mut stream, &mut answers, request);
                    assert!(status.starts_with("HTTP/1.1 204"), "{n}: {status}");
                }
            });
        }
    });
    let took = began.elapsed();
    figure(
        "answered",
        format!("{REQUESTS} in {:.1} s", took.as_secs_f64()),
    );
    figure("memory before, KiB", before);
    figure("memory after, KiB", memory(child.id(), "VmRSS"));

    // Somebody reads again, for one more line; then nobody, until it ends.
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let (mut written, mut lost) = (0, 0);
    let mut line = String::new();
    while written + lost < REQUESTS {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "{written} {lost}");
        let count = line
            .strip_prefix("warning: ")
            .and_then(|rest| rest.split_once(" lines were not"));
        match count {
            Some((count, _)) => lost += count.parse::<usize>().unwrap(),
            None => written += usize::from(line.contains("/healthz")),
        }
        // What was dropped is told with the next line that is written.
        if written == 1 || lost > 0 && written + lost < REQUESTS {
            let mut stream = TcpStream::connect(address).unwrap();
            let mut answers = BufReader::new(stream.try_clone().unwrap());
            ask(
                &mut stream,
                &mut answers,
                b"GET /x HTTP/1.1\r\nHost: localhost:1\r\n\r\n",
            );
        }
    }
    figure("lines written", written);
    figure("lines dropped and counted", lost);
    let id = child.id().to_string();
    let asked = Instant::now();
    command_kill(&id);
    assert!(child.wait().unwrap().success());
    figure("SIGTERM, seconds", asked.elapsed().as_secs_f64());
    assert!(asked.elapsed() < Duration::from_secs(10));
}

fn command_kill(id: &str) {
    let status = std::process::Command::new("kill")
        .args(["-TERM", id])
        .status();
    assert!(status.unwrap().success());
}

fn audit_rows(server: &Server) -> i64 {
    let database = foreign_connection(server);
    let rows = database.query_row("SELECT count(*) FROM audit", [], |row| row.get(0));
    rows.unwrap()
}

fn database_bytes(server: &Server) -> u64 {
    let bytes = |suffix: &str| {
        let path = format!("{}{suffix}", server.database().display());
        fs::metadata(path).map_or(0, |metadata| metadata.len())
    };
    bytes("") + bytes("-wal")
}

/// Strangers who try codes, each network twice.
#[test]
#[ignore = "a measurement: it takes minutes and prints figures for a person to read"]
fn a_flood_of_refused_calls_of_many_addresses() {
    const ADDRESSES: u32 = 50_000;
    const CALLS: u32 = 100_000;
    let server = Server::start();
    let library = server.library();
    let (rows, bytes) = (audit_rows(&server), database_bytes(&server));
    let began = Instant::now();
    for n in 0..CALLS {
        let network = n % ADDRESSES;
        let address = Ipv6Addr::from((0x2001_0db8_u128 << 96) | (u128::from(network) << 64) | 1);
        let client = ClientInfo {
            address: Some(address.to_string()),
            ..ClientInfo::default()
        };
        let stranger = library.anonymous(client).unwrap();
        stranger.redeem_one_time_token("AAAA-AAAA").unwrap_err();
    }
    let took = began.elapsed().as_secs_f64();
    drop(library);
    figure("refused calls", format!("{CALLS} of {ADDRESSES} networks"));
    figure("seconds", format!("{took:.1}"));
    figure("rows of the audit log", audit_rows(&server) - rows);
    figure("bytes of database and log", database_bytes(&server) - bytes);
}

/// Most of them are other people's.
#[test]
#[ignore = "a measurement: it takes minutes and prints figures for a person to read"]
fn an_ordinary_users_audit_list_among_a_million_rows() {
    const ROWS: usize = 1_000_000;
    const AT_ONCE: usize = 40;
    let server = Server::start();
    let (_, key) = server.claim_with_key();
    let (id, bobs) = server.user_with_session(&key, "bob");
    let database = foreign_connection(&server);
    database
        .execute_batch(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
             INSERT INTO audit (at, kind, actor_kind, user_id, username, details, count)
             SELECT (SELECT last_time FROM instance) - {ROWS} + i, 'session_created', 'host',
                 CASE WHEN i % 1000 = 0 THEN '{id}' ELSE 'u' || (i % 5000) END, 'x', '{{}}', 1
             FROM n;"
        ))
        .unwrap();
    drop(database);
    figure("rows", audit_rows(&server));
    let list = || {
        let began = Instant::now();
        let reply = server.get("/api/audit-logs").bearer(&bobs).send();
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert!(!reply.json()["data"].as_array().unwrap().is_empty());
        began.elapsed().as_secs_f64() * 1_000.0
    };
    list();
    let mut times: Vec<f64> = (0..50).map(|_| list()).collect();
    times.sort_by(f64::total_cmp);
    figure(
        "one list, milliseconds, median",
        format!("{:.2}", times[25]),
    );
    figure(
        "one list, milliseconds, longest",
        format!("{:.2}", times[49]),
    );
    let id = server.child.id();
    figure("memory before, KiB", memory(id, "VmRSS"));
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(list);
        }
    });
    let all = began.elapsed().as_secs_f64() * 1_000.0;
    figure("40 lists at once, milliseconds", format!("{all:.1}"));
    figure("memory at most, KiB", memory(id, "VmHWM"));
}

/// Of one address; health checks and others are answered meanwhile.
#[test]
#[ignore = "a measurement: it takes minutes and prints figures for a person to read"]
fn five_hundred_slow_connections_of_one_address() {
    let server = Server::start();
    let before = memory(server.child.id(), "VmRSS");
    let mut slow: Vec<TcpStream> = (0..500)
        .map(|_| {
            let mut stream = crate::connections::from(&server, 2);
            stream.write_all(b"GET / HTTP/1.1\r\nhost: ").unwrap();
            stream
        })
        .collect();
    for (path, address) in [("/healthz", 1), ("/healthz", 2), ("/", 3)] {
        let began = Instant::now();
        let stream = crate::connections::from(&server, address);
        let status = crate::connections::ask(stream, &server, path);
        assert!(status.is_some_and(|status| status < 300), "{path}");
        let took = began.elapsed().as_secs_f64() * 1_000.0;
        figure(
            &format!("{path} from 127.0.0.{address}, milliseconds"),
            format!("{took:.1}"),
        );
    }
    let open = slow.iter_mut().map(crate::connections::is_open);
    figure("slow ones that are open", open.filter(|open| *open).count());
    figure("memory before, KiB", before);
    figure("memory after, KiB", memory(server.child.id(), "VmRSS"));
}
