//! The tables that the main branch has had: what stood in one of them stands for ever.
//!
//! A branch that is not merged yet may still move what it alone has, as when another was merged first and took the number.

use std::{collections::BTreeSet, process::Command};

use anyhow::{Context, Result};
use camino::Utf8Path;

use super::{Numbers, PATH};
use crate::workspace::Workspace;

/// Names of the main branch. Both are asked: one may be behind the other.
const MAIN: &[&str] = &["main", "origin/main"];

/// Every number that the main branch has ever had is still the same variant's. Without git's history, as in an unpacked
/// archive, there is nothing to compare with.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let now = Numbers::parse(&workspace.read(PATH)?)?;
    for text in past(&workspace.root) {
        let earlier = Numbers::parse(&text).context("an earlier commit")?;
        now.keeps(&earlier)?;
    }
    Ok(())
}

/// The tables of the main branch, or of the checkout where there is no such branch.
fn past(root: &Utf8Path) -> Vec<String> {
    let mut bases: Vec<String> = MAIN
        .iter()
        .filter_map(|main| git(root, &["merge-base", "HEAD", main]))
        .collect();
    if bases.is_empty() {
        bases.push("HEAD".to_owned());
    }
    let mut commits = BTreeSet::new();
    for base in bases {
        let log = ["log", "--first-parent", "--format=%H", base.trim(), "--"];
        let log = git(root, &[&log[..], &[PATH]].concat()).unwrap_or_default();
        commits.extend(log.lines().map(str::to_owned));
    }
    let table = |commit: &String| git(root, &["show", &format!("{commit}:{PATH}")]);
    commits.iter().filter_map(table).collect()
}

/// What git says, if there is a git and it succeeds.
fn git(root: &Utf8Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(arguments);
    let output = command.output().ok()?;
    let text = output.status.success().then_some(output.stdout)?;
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with this table on its main branch.
    fn repository(root: &Utf8Path, table: &str) {
        let git = |arguments: &[&str]| git(root, arguments).expect("git works");
        git(&["init", "--quiet", "--initial-branch=main"]);
        git(&["config", "user.name", "Ann"]);
        git(&["config", "user.email", "ann@media.example"]);
        commit(root, table);
    }

    fn write(root: &Utf8Path, table: &str) {
        std::fs::create_dir_all(root.join("core")).unwrap();
        std::fs::write(root.join(PATH), table).unwrap();
    }

    fn commit(root: &Utf8Path, table: &str) {
        write(root, table);
        git(root, &["add", "."]).unwrap();
        git(root, &["commit", "--quiet", "--no-verify", "-m", "Table"]).unwrap();
    }

    #[test]
    fn a_number_of_the_main_branch_never_moves() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let workspace = Workspace::at(root);
        write(root, "Role.User = 2\n");
        assert!(check(&workspace).is_ok(), "without history");

        repository(root, "Role.User = 1\n");
        assert!(check(&workspace).is_ok());
        // Moved, and the move committed on top, on main and on a branch.
        write(root, "Role.User = 2\n");
        let moved = || format!("{:#}", check(&workspace).unwrap_err());
        assert!(moved().contains("Role.User was 1 and is 2"));
        commit(root, "Role.User = 2\n");
        assert!(moved().contains("Role.User was 1 and is 2"));
        git(root, &["checkout", "--quiet", "-b", "branch"]).unwrap();
        assert!(moved().contains("Role.User was 1 and is 2"));
    }

    #[test]
    fn a_branch_may_move_what_it_alone_has() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        repository(root, "Role.User = 1\n");
        git(root, &["checkout", "--quiet", "-b", "branch"]).unwrap();
        commit(root, "Role.User = 1\nRole.New = 2\n");
        write(root, "Role.User = 1\nRole.Other = 2\nRole.New = 3\n");
        assert!(check(&Workspace::at(root)).is_ok());
    }
}
