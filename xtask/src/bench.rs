//! `cargo xtask bench`: prints one JSON object a line for each case, and a table beside the targets to standard error.

mod faces;
mod report;

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use camino::Utf8PathBuf;

use crate::workspace::Workspace;
use faces::FACES;
use report::{Line, Report};

/// Measures the named cases, or all.
pub(crate) fn run(workspace: &Workspace, cases: &[String]) -> Result<()> {
    let mut report = Report::default();
    let (of_faces, of_core): (Vec<&String>, Vec<&String>) = cases
        .iter()
        .partition(|case| FACES.iter().any(|(face, _)| face == case));
    if cases.is_empty() || !of_core.is_empty() {
        let output = core_bench(workspace)?.args(of_core).output()?;
        ensure!(output.status.success(), "the core's benchmark failed");
        for line in String::from_utf8(output.stdout)?.lines() {
            report.add(serde_json::from_str(line).with_context(|| line.to_owned())?);
        }
    }
    let wanted: Vec<_> = FACES
        .iter()
        .filter(|(face, _)| cases.is_empty() || of_faces.iter().any(|case| case == face))
        .collect();
    if !wanted.is_empty() {
        let prepared = Prepared::make(workspace)?;
        for (_, measure) in wanted {
            for line in measure(workspace, &prepared)? {
                report.add(line);
            }
        }
    }
    report.print_table();
    Ok(())
}

/// The data that all faces are measured on.
struct Prepared {
    folder: tempfile::TempDir,
}

impl Prepared {
    fn make(workspace: &Workspace) -> Result<Self> {
        let folder = tempfile::tempdir_in(workspace.target())?;
        let status = core_bench(workspace)?
            .arg("--prepare")
            .arg(folder.path())
            .status()?;
        ensure!(status.success(), "the data cannot be made");
        Ok(Self { folder })
    }

    fn path(&self) -> &str {
        self.folder
            .path()
            .to_str()
            .expect("the target folder's name is text")
    }
}

/// The core's benchmark, built; its arguments are still to come.
fn core_bench(workspace: &Workspace) -> Result<Command> {
    let mut command = workspace.cargo();
    command
        .args(["bench", "--quiet", "--package", "keyplate"])
        .args(["--bench", "facade", "--"])
        .stderr(Stdio::inherit());
    Ok(command)
}

/// The C library as it is given out.
fn c_library(workspace: &Workspace) -> Result<Utf8PathBuf> {
    let status = workspace
        .cargo()
        .args(["build", "--quiet", "--profile", "dist"])
        .args(["--package", "keyplate-ffi"])
        .status()?;
    ensure!(
        status.success(),
        "cargo build --package keyplate-ffi failed"
    );
    let name = format!(
        "{}keyplate{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    Ok(workspace.target().join("dist").join(name))
}

/// One measured case.
fn line(case: &str, us_per_op: f64, n: usize) -> Line {
    Line {
        case: case.to_owned(),
        us_per_op: Some(us_per_op),
        n: Some(n),
        mib: None,
    }
}

/// A size.
fn size(case: &str, bytes: f64) -> Line {
    Line {
        case: case.to_owned(),
        us_per_op: None,
        n: None,
        mib: Some(bytes / 1024.0 / 1024.0),
    }
}
