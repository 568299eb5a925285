//! Where the secrets go that a plan makes at a start: what a service prints stays in the journal for good (C2).

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::open::secret_file;

const NAME: &str = "bootstrap-secrets";
/// Only the owner reads and writes.
const MODE: u32 = 0o600;
const RIGHTS: u32 = 0o7777;

/// The file, open and locked against other servers that start at the same time. It does not stay behind empty.
#[derive(Debug)]
pub(super) struct BootstrapSecrets {
    path: PathBuf,
    file: File,
}

impl BootstrapSecrets {
    /// Opens it before a plan is applied: what cannot be kept must not be made.
    pub(super) fn open(folder: &Path, allow_shared_file: bool) -> Result<Self, String> {
        let path = folder.join(NAME);
        if !allow_shared_file {
            secret_file::check_ownership(&path)
                .map_err(|reason| format!("cannot open {}: {reason}", path.display()))?;
        }
        let failed = |error| format!("cannot open {}: {error}", path.display());
        loop {
            if let Some(file) = try_to_open(&path).map_err(failed)? {
                return Ok(Self { path, file });
            }
        }
    }

    /// Appends what was made, so that it outlives the machine's end too.
    pub(super) fn keep(&mut self, secrets: &str) -> Result<(), String> {
        let written = self
            .file
            .write_all(secrets.as_bytes())
            .and_then(|()| self.file.sync_all())
            .and_then(|()| File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all());
        written.map_err(|error| {
            let path = self.path.display();
            format!("the secrets that the plan made are lost: cannot write {path}: {error}")
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for BootstrapSecrets {
    fn drop(&mut self) {
        if self.file.metadata().is_ok_and(|found| found.len() == 0) {
            // It is in nobody's way; the next start deletes it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// None if somebody has deleted the file meanwhile.
fn try_to_open(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.append(true).mode(MODE);
    // What is made new goes through no link.
    let file = match options.clone().create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if find(path)?.is_none() {
                return Ok(None);
            }
            match options.open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                file => file?,
            }
        }
        file => file?,
    };
    file.lock()?;
    let Some(found) = find(path)? else {
        return Ok(None);
    };
    let opened = file.metadata()?;
    let is_same = (opened.dev(), opened.ino()) == (found.dev(), found.ino());
    Ok(is_same.then_some(file))
}

/// The file itself, if it is there: a link, or what others may read or write, is refused.
fn find(path: &Path) -> io::Result<Option<Metadata>> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    if !found.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    if found.mode() & RIGHTS != MODE {
        return Err(io::Error::other("it has other rights than 600"));
    }
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;

    #[test]
    fn of_two_that_start_at_once_neither_takes_the_file_from_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let first = BootstrapSecrets::open(folder.path(), false).unwrap();
        thread::scope(|scope| {
            let second = scope.spawn(|| {
                let mut second = BootstrapSecrets::open(folder.path(), false).unwrap();
                second.keep("a secret\n").unwrap();
            });
            thread::sleep(Duration::from_millis(100));
            assert!(!second.is_finished(), "it waits");
            drop(first); // deletes the empty file that the second has open
        });
        assert_eq!(fs::read_to_string(&path).unwrap(), "a secret\n");
        let mut third = BootstrapSecrets::open(folder.path(), false).unwrap();
        third.keep("another\n").unwrap();
        drop(third);
        drop(BootstrapSecrets::open(folder.path(), false));
        assert_eq!(fs::read_to_string(&path).unwrap(), "a secret\nanother\n");
    }
}
