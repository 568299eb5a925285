//! Second processes: the test binary itself, started again with a job in its environment.

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use keyplate::Keyplate;

const JOB: &str = "KEYPLATE_TEST_JOB";
const DATABASE: &str = "KEYPLATE_TEST_DATABASE";
/// Before whatever a worker says. Nothing that the harness prints holds it; a test's path does hold colons.
const MARK: &str = "=> ";

/// In a process that was started by `start`: its job, and the database opened.
pub fn job() -> Option<(String, Keyplate)> {
    let job = env::var(JOB).ok()?;
    let path = env::var(DATABASE).unwrap();
    Some((
        job,
        Keyplate::open(super::config(Path::new(&path))).unwrap(),
    ))
}

/// Starts this test binary again to run its test `worker` alone, which asks for its `job`.
pub fn start<W: Fn()>(_worker: W, job: &str, database: &Path) -> Child {
    // The harness knows a test by its path without the crate's name.
    let (_crate, test) = std::any::type_name::<W>().split_once("::").unwrap();
    Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(JOB, job)
        .env(DATABASE, database)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What a worker says in this line. The harness may have begun it.
pub fn said_in(line: &str) -> Option<String> {
    line.split_once(MARK).map(|(_, said)| said.to_owned())
}

/// All that a worker says.
pub fn said(child: &mut Child) -> Vec<String> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines
        .map_while(Result::ok)
        .filter_map(|line| said_in(&line))
        .collect()
}

/// Kills a worker so many microseconds after it has said so many lines; gives all that it said. Counted in lines, not in
/// time alone, so that a slow machine kills at the same places.
pub fn kill_after(child: &mut Child, lines: usize, micros: u64) -> Vec<String> {
    let mut reader = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    let mut line = || {
        let line = reader.find_map(|line| said_in(&line.ok()?));
        line.map(|line| said.push(line)).is_some()
    };
    for _ in 0..lines {
        line();
    }
    std::thread::sleep(std::time::Duration::from_micros(micros));
    child.kill().unwrap();
    while line() {}
    child.wait().unwrap();
    said
}

/// Says a line to whoever started this process. `println!` would be lost in a kill.
pub fn say(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{MARK}{text}").unwrap();
    out.flush().unwrap();
}
