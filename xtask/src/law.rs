//! The law of the house: which floor of a crate may name which.
//!
//! Core and the example server are houses. Their folders stand on floors, and whoever stands on a floor names what is
//! below it, never what is above. A file and the folder of its name are one room (`engine.rs` and `engine/`), whose files
//! may name each other; rooms of one floor may name each other as long as nobody comes back to where they began.
//!
//! What is read is every path of every file: `use` declarations, paths in code, types, patterns and attributes, and the
//! tokens of macro calls and of `macro_rules!` ([`mentions`], [`tokens`]). A path is followed through re-exports to the file
//! that defines what it ends at ([`names`]), so that nobody gets around the law by a second name. Tests that stand in a file
//! keep the law of that file: one that wants a higher floor is a test of that floor, and has its place there.
//!
//! `cargo xtask law` prints what the houses look like, without building them, and fails on a breach; `cargo xtask check`
//! fails on one as well.

mod graph;
mod mentions;
mod names;
mod summary;
#[cfg(test)]
mod tests;
mod tokens;
mod tree;
mod verdict;

use anyhow::{Result, ensure};
use camino::Utf8Path;

use crate::workspace::Workspace;
use graph::Graph;
use tree::Tree;

/// A crate, and the law that it keeps.
pub(crate) struct House {
    /// The folder of its sources, seen from the workspace.
    pub(crate) src: &'static str,
    /// The file of its crate.
    pub(crate) root: &'static str,
    /// From the highest to the lowest. On one floor stand files and folders beside each other, without `.rs`. One that ends
    /// with a slash is a folder of rooms, of which each is a file or folder; the others are one room each.
    pub(crate) floors: &'static [&'static [&'static str]],
    /// Who may name whom of those that stand beside each other.
    pub(crate) beside: &'static [(&'static str, &'static str)],
    /// Floors within a folder of rooms: the folder, and its rooms from the highest to the lowest. The rooms that are not
    /// named stand above these.
    pub(crate) within: &'static [(&'static str, &'static [&'static str])],
    /// Files in the folder of a room that are rooms of their own.
    pub(crate) apart: &'static [&'static str],
    /// Arrows between rooms of one floor that may be part of a circle.
    pub(crate) circles: &'static [(&'static str, &'static str)],
}

/// `rules -> gate -> db -> model -> {values, crypto} -> {error, secret, clock}`; nobody names `lib.rs`.
pub(crate) const CORE: House = House {
    src: "core/src",
    root: "lib.rs",
    floors: &[
        &["rules/"],
        &["gate/"],
        &["db/"],
        &["model/"],
        &["values/", "crypto/"],
        &["error", "secret", "clock"],
    ],
    beside: &[
        // Codes and tokens are made of its randomness.
        ("values", "crypto"),
        // A time that cannot be is an error.
        ("clock", "error"),
    ],
    within: &[("db", &["engine", "value"])],
    apart: &[
        // What is a good user, and who may change what of them: the other nouns ask it, and it asks none of them.
        "rules/users/checks",
        // Whose a name is, likewise.
        "rules/users/names",
    ],
    circles: &[],
};

/// `main -> {serve, command_line} -> plan -> commands -> routes -> json -> {http, open} -> {options, log}`; `duration` and
/// `network` stand beside the options, which use them.
pub(crate) const SERVER: House = House {
    src: "examples/server/src",
    root: "main.rs",
    floors: &[
        &["main"],
        &["serve/", "command_line"],
        &["plan/"],
        &["commands"],
        &["routes/"],
        &["json/"],
        &["http/", "open/"],
        &["options", "log", "duration", "network"],
    ],
    beside: &[
        ("options", "duration"),
        ("options", "network"),
        // A failure of the database is said in one way, by a command and in the log.
        ("http", "open"),
    ],
    within: &[],
    apart: &[],
    circles: &[],
};

/// Fails with every breach of the law in core and in the server.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut breaches = Vec::new();
    for house in [CORE, SERVER] {
        breaches.extend(verdict::breaches(&house, &survey(&workspace.root, &house)?));
    }
    ensure!(
        breaches.is_empty(),
        "breaches of the law: {}\n  {}",
        breaches.len(),
        breaches.join("\n  ")
    );
    Ok(())
}

/// What the houses look like, for `cargo xtask law`.
pub(crate) fn report(workspace: &Workspace) -> Result<String> {
    let mut out = String::new();
    for house in [CORE, SERVER] {
        out += &summary::summary(&house, &survey(&workspace.root, &house)?);
    }
    Ok(out)
}

/// Who names whom in a house.
fn survey(root: &Utf8Path, house: &House) -> Result<Graph> {
    let tree = Tree::read(root, house.src, house.root)?;
    Graph::of(&tree)
}
