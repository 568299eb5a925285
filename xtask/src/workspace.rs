//! The workspace's folders, and the commands that are run in it.

use std::{
    collections::BTreeMap,
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};

/// Generated files: path from the root, and text.
pub(crate) type Files = BTreeMap<Utf8PathBuf, String>;

pub(crate) struct Workspace {
    pub(crate) root: Utf8PathBuf,
    target: Utf8PathBuf,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        // Cargo's at run time: a target folder that was copied holds a program of another checkout's.
        let package = std::env::var("CARGO_MANIFEST_DIR")
            .unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
        let root = Utf8Path::new(&package)
            .parent()
            .context("xtask is in the workspace")?;
        let target = std::env::var("CARGO_TARGET_DIR")
            .map_or_else(|_| root.join("target"), Utf8PathBuf::from);
        Ok(Self {
            root: root.to_owned(),
            target: root.join(target),
        })
    }

    /// One that stands elsewhere.
    #[cfg(test)]
    pub(crate) fn at(root: &Utf8Path) -> Self {
        Self {
            target: root.join("target"),
            root: root.to_owned(),
        }
    }

    /// Builds one package for development and returns its library. One package a call: features must not meet.
    pub(crate) fn build(&self, package: &str, library: &str) -> Result<Utf8PathBuf> {
        let mut command = self.cargo();
        command.args(["build", "--quiet", "--package", package]);
        ensure!(
            command.status()?.success(),
            "cargo build --package {package} failed"
        );
        let name = format!(
            "{}{library}{}",
            std::env::consts::DLL_PREFIX,
            std::env::consts::DLL_SUFFIX
        );
        Ok(self.target.join("debug").join(name))
    }

    /// The same cargo that runs this.
    pub(crate) fn cargo(&self) -> Command {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut command = Command::new(cargo);
        command.current_dir(&self.root);
        command
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> &Utf8Path {
        &self.target
    }

    pub(crate) fn read(&self, path: impl AsRef<Utf8Path>) -> Result<String> {
        let path = self.root.join(path);
        std::fs::read_to_string(&path).with_context(|| path.to_string())
    }

    pub(crate) fn write(&self, files: &Files) -> Result<()> {
        for (path, text) in files {
            let path = self.root.join(path);
            if std::fs::read_to_string(&path).is_ok_and(|old| old == *text) {
                continue; // Untouched, so that nothing is built again without need.
            }
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&path, text).with_context(|| path.to_string())?;
        }
        Ok(())
    }

    /// Files in these folders that are none of `files`.
    pub(crate) fn strays(&self, folders: &[&str], files: &Files) -> Result<Vec<Utf8PathBuf>> {
        let mut strays = Vec::new();
        for folder in folders {
            let place = self.root.join(folder);
            if !place.exists() {
                continue;
            }
            for entry in place.read_dir_utf8()? {
                let path = Utf8Path::new(folder).join(entry?.file_name());
                if !files.contains_key(&path) {
                    strays.push(path);
                }
            }
        }
        Ok(strays)
    }
}

/// Formats Rust as `cargo fmt` does.
pub(crate) fn rustfmt(source: &str) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("rustfmt")?;
    let mut stdin = child.stdin.take().context("rustfmt's input")?;
    let source = source.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(source.as_bytes()));
    let output = child.wait_with_output()?;
    ensure!(
        output.status.success(),
        "rustfmt refuses the generated source"
    );
    writer.join().expect("the writer does not panic")?;
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_longer_generated_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(Utf8Path::from_path(folder.path()).unwrap());
        let files = |paths: &[&str]| -> Files {
            let paths = paths.iter();
            paths.map(|path| ((*path).into(), String::new())).collect()
        };
        let before = files(&["a/users.rs", "a/gone.rs", "b/other.rs"]);
        workspace.write(&before).unwrap();
        let now = files(&["a/users.rs"]);
        let strays = workspace.strays(&["a", "missing"], &now).unwrap();
        assert_eq!(strays, ["a/gone.rs"]);
    }
}
