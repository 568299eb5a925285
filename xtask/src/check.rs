//! `cargo xtask check`: what is generated is current, and the faces agree with the facade.

use std::{collections::BTreeSet, process::Command};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{
    facade::{Code, Facade},
    generated::Generated,
    hosts,
    names::screaming,
    scenario_face::is_runners,
    workspace::{Files, Workspace},
};

/// Runs every check, and fails with all that they found.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let Generated { facade, files } = Generated::make(workspace)?;
    let checks = [
        drift(workspace, &files),
        codes(workspace, &facade.codes),
        versions(workspace),
        symbols(workspace),
        scenarios(workspace, &facade),
        crate::sql::check(workspace),
    ];
    let failures: Vec<String> = checks
        .into_iter()
        .filter_map(Result::err)
        .map(|error| format!("{error:#}"))
        .collect();
    ensure!(failures.is_empty(), "{}", failures.join("\nerror: "));
    let methods = facade.methods.len();
    println!(
        "faces are current: {methods} methods, {} error codes",
        facade.codes.len()
    );
    Ok(())
}

/// The committed files are what the facade of today gives.
fn drift(workspace: &Workspace, files: &Files) -> Result<()> {
    let drifted =
        |path: &&camino::Utf8PathBuf| workspace.read(path).ok().as_ref() != files.get(*path);
    let names: Vec<&str> = files
        .keys()
        .filter(drifted)
        .map(|path| path.as_str())
        .collect();
    ensure!(
        names.is_empty(),
        "not as generated; run `cargo xtask generate`: {}",
        names.join(", ")
    );
    Ok(())
}

/// Every face has every error code with its number.
fn codes(workspace: &Workspace, codes: &[Code]) -> Result<()> {
    type Line = fn(&Code) -> String;
    let faces: [(&str, Line); 4] = [
        ("include/keyplate.h", |code| {
            format!(
                "KEYPLATE_STATUS_{} = {}",
                screaming(&code.name),
                code.number
            )
        }),
        (crate::python_face::ERRORS, |code| {
            format!("{} = {}", screaming(&code.name), code.number)
        }),
        (hosts::KOTLIN, |code| {
            format!("{}({})", screaming(&code.name), code.number)
        }),
        (hosts::SWIFT, |code| {
            format!("case {} = {}", lower_camel(&code.name), code.number)
        }),
    ];
    let mut missing = Vec::new();
    for (path, line) in faces {
        let text = workspace.read(path)?;
        // Swift has its reserved words between back-ticks.
        let text = text.replace('`', "");
        let lines: BTreeSet<&str> = text
            .lines()
            .map(|line| line.trim().trim_end_matches([',', ';']))
            .collect();
        for code in codes {
            let wanted = line(code);
            if !lines.contains(wanted.as_str()) {
                missing.push(format!("{path}: {wanted}"));
            }
        }
    }
    ensure!(
        missing.is_empty(),
        "error codes differ from core's: {}",
        missing.join("; ")
    );
    Ok(())
}

/// `InvalidInput` → `invalidInput`.
fn lower_camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_lowercase().chain(letters).collect()
    })
}

/// Every package of every face has the workspace's version.
fn versions(workspace: &Workspace) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let wanted = [
        (
            "bindings/python/pyproject.toml",
            "dynamic = [\"version\"]".to_owned(),
        ),
        (
            "bindings/kotlin/pom.xml",
            format!("<version>{version}</version>"),
        ),
        ("ffi/keyplate.pc.in", "Version: @version@".to_owned()),
    ];
    for (path, line) in wanted {
        let text = workspace.read(path)?;
        let found = text.lines().any(|other| other.trim() == line);
        ensure!(
            found,
            "{path} has no line `{line}`: the workspace's version is {version}"
        );
    }
    Ok(())
}

/// The C library shows its own names only.
fn symbols(workspace: &Workspace) -> Result<()> {
    let library = workspace.build("keyplate-ffi", "keyplate")?;
    let output = Command::new("nm")
        .args(["-D", "--defined-only", library.as_str()])
        .output()
        .context("nm")?;
    ensure!(output.status.success(), "nm cannot read {library}");
    let listing = String::from_utf8(output.stdout)?;
    let names = listing
        .lines()
        .filter_map(|line| line.split_whitespace().last());
    let (ours, foreign): (Vec<&str>, Vec<&str>) =
        names.partition(|name| name.starts_with("keyplate_"));
    ensure!(
        foreign.is_empty(),
        "{library} exports names that are not keyplate's: {}",
        foreign.join(", ")
    );
    ensure!(!ours.is_empty(), "{library} exports nothing");
    Ok(())
}

/// Every method is called by a scenario, if a scenario can call it.
fn scenarios(workspace: &Workspace, facade: &Facade) -> Result<()> {
    let folder = workspace.root.join("tests/scenarios");
    let mut called = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).with_context(|| folder.to_string())? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let scenario: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)
                .with_context(|| path.display().to_string())?;
            let Some(steps) = scenario["steps"].as_array() else {
                bail!("{} has no list `steps`", path.display());
            };
            called.extend(
                steps
                    .iter()
                    .filter_map(|step| step["call"].as_str().map(str::to_owned)),
            );
        }
    }
    // Handles and principals are the runners' own: a step says `as`. Tests of each face call these.
    let methods = facade
        .methods
        .iter()
        .filter(|method| !method.is_constructor && !is_runners(method));
    let missing: Vec<&str> = methods
        .map(|method| method.name.as_str())
        .filter(|name| !called.contains(*name))
        .collect();
    ensure!(
        missing.is_empty(),
        "no scenario calls: {}",
        missing.join(", ")
    );
    Ok(())
}
