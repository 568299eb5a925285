//! `cargo xtask check`: what is generated is current, the faces agree with the facade, the law of the house is kept, and rules
//! that are cited stand in their book.

use std::{collections::BTreeSet, process::Command};

use anyhow::{Context, Result, bail, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::{
    citations,
    facade::{Code, Facade},
    generated::{FOLDERS, Generated},
    law,
    names::{lower_camel, screaming},
    numbers,
    scenarios::is_runners,
    uniffi_face,
    workspace::{Files, Workspace},
};

/// Runs every check, and fails with all that they found.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let Generated {
        facade,
        files,
        hosts,
    } = Generated::make(workspace)?;
    let checks = [
        drift(workspace, &files),
        marked(workspace, &files),
        codes(&files, &hosts, &facade.codes),
        versions(workspace),
        symbols(workspace),
        scenarios(workspace, &facade),
        numbers::check(workspace),
        law::check(workspace),
        citations::check(workspace, &facade),
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
    let drifted = |path: &&Utf8PathBuf| workspace.read(path).ok().as_ref() != files.get(*path);
    let strays = workspace.strays(FOLDERS, files)?;
    let names: Vec<&str> = files
        .keys()
        .filter(drifted)
        .chain(&strays)
        .map(|path| path.as_str())
        .collect();
    ensure!(
        names.is_empty(),
        "not as generated; run `cargo xtask generate`: {}",
        names.join(", ")
    );
    Ok(())
}

/// `.gitattributes` says of each committed file that it is generated, so that reviews fold it.
fn marked(workspace: &Workspace, files: &Files) -> Result<()> {
    let missing = unmarked(&workspace.read(".gitattributes")?, files);
    ensure!(
        missing.is_empty(),
        ".gitattributes does not mark as linguist-generated: {}",
        missing.join(", ")
    );
    Ok(())
}

/// The files that no line of this `.gitattributes` marks.
fn unmarked<'a>(attributes: &str, files: &'a Files) -> Vec<&'a str> {
    let marked = attributes
        .lines()
        .filter_map(|line| line.strip_suffix(" linguist-generated"));
    let patterns: Vec<&str> = marked.map(str::trim_end).collect();
    let is_marked = |path: &Utf8Path| {
        let mut patterns = patterns.iter();
        patterns.any(|pattern| match pattern.strip_suffix("/**") {
            Some(folder) => path.starts_with(folder),
            None => path == *pattern,
        })
    };
    let missing = files.keys().filter(|path| !is_marked(path));
    missing.map(|path| path.as_str()).collect()
}

/// Every face has every error code with its number.
fn codes(files: &Files, hosts: &Files, codes: &[Code]) -> Result<()> {
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
        (uniffi_face::KOTLIN, |code| {
            format!("{}({})", screaming(&code.name), code.number)
        }),
        (uniffi_face::SWIFT, |code| {
            format!("case {} = {}", lower_camel(&code.name), code.number)
        }),
    ];
    let mut missing = Vec::new();
    for (path, line) in faces {
        let path = Utf8Path::new(path);
        let text = files.get(path).or_else(|| hosts.get(path));
        let text = text.with_context(|| format!("{path} is not generated"))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Files {
        let files = files.iter();
        files
            .map(|(path, text)| ((*path).into(), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn a_committed_file_that_is_not_marked_is_named() {
        let files = files(&[("a/b.rs", ""), ("a/c/d.rs", ""), ("ab.rs", ""), ("e.h", "")]);
        let attributes = "# Words.\na/** linguist-generated\ne.h linguist-generated\nab.rs text\n";
        assert_eq!(unmarked(attributes, &files), ["ab.rs"]);
        assert_eq!(unmarked("", &files).len(), 4);
    }

    #[test]
    fn a_face_without_an_error_code_is_named() {
        let code = Code {
            name: "NotFound".into(),
            number: 2,
            doc: String::new(),
        };
        let committed = [
            ("include/keyplate.h", "    KEYPLATE_STATUS_NOT_FOUND = 2,"),
            (crate::python_face::ERRORS, "    NOT_FOUND = 2"),
        ];
        let committed = files(&committed);
        let kotlin = (uniffi_face::KOTLIN, "    NOT_FOUND(2),");
        let swift = (uniffi_face::SWIFT, "    case notFound = 2");
        let codes =
            |hosts: &[(&str, &str)]| codes(&committed, &files(hosts), std::slice::from_ref(&code));
        assert!(codes(&[kotlin, swift]).is_ok());
        let other = (uniffi_face::SWIFT, "    case notFound = 3");
        let error = codes(&[kotlin, other]).unwrap_err().to_string();
        assert!(
            error.contains("KeyplateKit.swift: case notFound = 2"),
            "{error}"
        );
        let error = codes(&[swift]).unwrap_err().to_string();
        assert!(error.contains("keyplate.kt is not generated"), "{error}");
    }
}
