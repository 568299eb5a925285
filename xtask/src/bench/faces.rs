//! The faces' cases: each is a worker process that verifies API keys, in turns with the worker that is its floor.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use super::{Prepared, c_library, core_bench, line, report::Line, size};
use crate::workspace::Workspace;

type Measure = fn(&Workspace, &Prepared) -> Result<Vec<Line>>;

/// The cases and what measures them.
pub(super) const FACES: &[(&str, Measure)] = &[
    ("library_size", library_size),
    ("memory_after_open", memory_after_open),
    ("c_verify_api_key", c_verify_api_key),
    ("python_verify_api_key", python_verify_api_key),
    ("kotlin_verify_api_key", kotlin_verify_api_key),
    ("kotlin_authenticate", kotlin_authenticate),
    ("kotlin_list_users", kotlin_list_users),
];

/// Turns of case and floor; the median of each is told.
const TURNS: usize = 15;
/// Calls a turn.
const CALLS: usize = 20_000;
/// Of lists, each of which has 100 items.
const LISTS: usize = 400;

fn library_size(workspace: &Workspace, prepared: &Prepared) -> Result<Vec<Line>> {
    let library = c_library(workspace)?;
    let stripped = format!("{}/stripped", prepared.path());
    let status = Command::new("strip")
        .args(["-o", &stripped, library.as_str()])
        .status()
        .context("strip")?;
    ensure!(status.success(), "strip cannot read {library}");
    let bytes = std::fs::metadata(&stripped)?.len();
    Ok(vec![size("library_size", bytes as f64)])
}

fn memory_after_open(workspace: &Workspace, prepared: &Prepared) -> Result<Vec<Line>> {
    let output = c_program(workspace)?
        .args([prepared.path(), "--memory"])
        .output()?;
    ensure!(output.status.success(), "the C program failed");
    let kib: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
    Ok(vec![size("memory_after_open", kib * 1024.0)])
}

/// The floor is the core itself.
fn c_verify_api_key(workspace: &Workspace, prepared: &Prepared) -> Result<Vec<Line>> {
    let mut program = c_program(workspace)?;
    program.arg(prepared.path());
    let mut core = core_bench(workspace)?;
    core.args(["--work", prepared.path()]);
    in_turns("c_verify_api_key", program, core)
}

/// The floor is Python's own `sqlite3` and `hashlib`.
fn python_verify_api_key(workspace: &Workspace, prepared: &Prepared) -> Result<Vec<Line>> {
    let output = Command::new(workspace.root.join("bindings/python/venv.sh"))
        .arg("--release")
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "the Python face cannot be built");
    let python = String::from_utf8(output.stdout)?;
    let program = || {
        let mut command = Command::new(python.trim());
        command
            .arg(
                workspace
                    .root
                    .join("bindings/python/benches/verify_api_key.py"),
            )
            .arg(prepared.path());
        command
    };
    let mut floor = program();
    floor.arg("--floor");
    in_turns("python_verify_api_key", program(), floor)
}

/// The floor is the core itself.
fn kotlin_verify_api_key(workspace: &Workspace, prepared: &Prepared) -> Result<Vec<Line>> {
    let program = kotlin_program(workspace, prepared, "verify_api_key")?;
    let mut core = core_bench(workspace)?;
    core.args(["--work", prepared.path()]);
    in_turns("kotlin_verify_api_key", program, core)
}

fn kotlin_authenticate(workspace: &Workspace, prepared: &Prepared) -> Result<Vec<Line>> {
    let program = kotlin_program(workspace, prepared, "authenticate")?;
    alone("kotlin_authenticate", program, CALLS)
}

fn kotlin_list_users(workspace: &Workspace, prepared: &Prepared) -> Result<Vec<Line>> {
    let program = kotlin_program(workspace, prepared, "list_users")?;
    alone("kotlin_list_users", program, LISTS)
}

/// `bindings/kotlin/benches/Worker.kt`, which Maven compiles with the tests.
fn kotlin_program(workspace: &Workspace, prepared: &Prepared, what: &str) -> Result<Command> {
    let status = workspace
        .cargo()
        .args(["build", "--quiet", "--release"])
        .args(["--package", "keyplate-uniffi"])
        .status()?;
    ensure!(
        status.success(),
        "cargo build --package keyplate-uniffi failed"
    );
    let release = workspace.target().join("release");
    let paths = format!("{}/class-path", prepared.path());
    let package = workspace.root.join("bindings/kotlin");
    if !std::fs::exists(&paths)? {
        let status = Command::new("mvn")
            .args(["--batch-mode", "--quiet"])
            .arg(format!("-Dnative.dir={release}"))
            .arg(format!("-Dmdep.outputFile={paths}"))
            .args(["test-compile", "dependency:build-classpath"])
            .current_dir(&package)
            .stdout(Stdio::null())
            .status()
            .context("mvn")?;
        ensure!(status.success(), "the Kotlin face cannot be built");
    }
    let libraries = std::fs::read_to_string(&paths)?;
    let built = package.join("target");
    let mut command = Command::new("java");
    command
        .arg("-cp")
        .arg(format!("{built}/classes:{built}/test-classes:{libraries}"))
        .arg("org.keyplate.bench.WorkerKt")
        .args([prepared.path(), what]);
    Ok(command)
}

/// `ffi/benches/verify_api_key.c`, linked to the shared library as a host is.
fn c_program(workspace: &Workspace) -> Result<Command> {
    let library = c_library(workspace)?;
    let folder = library.parent().context("the library is in a folder")?;
    let program = folder.join("c_verify_api_key");
    let status = Command::new("cc")
        .args(["-std=gnu11", "-O2", "-Iinclude"])
        .args(["ffi/benches/verify_api_key.c", "-o", program.as_str()])
        .arg(format!("-L{folder}"))
        .arg(format!("-Wl,-rpath,{folder}"))
        .arg("-lkeyplate")
        .current_dir(&workspace.root)
        .status()
        .context("cc")?;
    ensure!(status.success(), "the C program cannot be built");
    let mut command = Command::new(program);
    // Cargo's own, in which the debug library would be found first.
    command
        .env_remove("LD_LIBRARY_PATH")
        .env_remove("DYLD_FALLBACK_LIBRARY_PATH");
    Ok(command)
}

/// A process that is told which keys to verify, and tells how long it took.
struct Worker {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{command:?}"))?;
        let orders = child.stdin.take().context("the worker's input")?;
        let answers = BufReader::new(child.stdout.take().context("the worker's output")?);
        Ok(Self {
            child,
            orders,
            answers,
        })
    }

    /// Microseconds a call.
    fn turn(&mut self, from: usize, calls: usize) -> Result<f64> {
        writeln!(self.orders, "{from} {calls}")?;
        self.orders.flush()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        let nanoseconds: f64 = answer.trim().parse().context("the worker has failed")?;
        Ok(nanoseconds / 1000.0 / calls as f64)
    }

    fn stop(mut self) -> Result<()> {
        drop(self.orders);
        ensure!(self.child.wait()?.success(), "the worker has failed");
        Ok(())
    }
}

fn in_turns(case: &str, program: Command, floor: Command) -> Result<Vec<Line>> {
    let mut workers = [Worker::start(program)?, Worker::start(floor)?];
    let mut times = [Vec::new(), Vec::new()];
    for turn in 0..=TURNS {
        for (worker, times) in workers.iter_mut().zip(&mut times) {
            let time = worker.turn(turn * CALLS, CALLS)?;
            // The first turn warms the caches up.
            if turn > 0 {
                times.push(time);
            }
        }
    }
    for worker in workers {
        worker.stop()?;
    }
    let [measured, floor] = &mut times;
    Ok(vec![
        line(case, median(measured), CALLS * TURNS),
        line(&format!("{case}_floor"), median(floor), CALLS * TURNS),
    ])
}

/// What has no floor.
fn alone(case: &str, program: Command, calls: usize) -> Result<Vec<Line>> {
    let mut worker = Worker::start(program)?;
    worker.turn(0, calls)?;
    let times: Result<Vec<f64>> = (1..=TURNS)
        .map(|turn| worker.turn(turn * calls, calls))
        .collect();
    let mut times = times?;
    worker.stop()?;
    Ok(vec![line(case, median(&mut times), calls * TURNS)])
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
