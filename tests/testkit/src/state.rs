//! The file that keeps an authenticator between calls.

use std::{
    fs::{self, OpenOptions},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

use keyplate_testkit::Authenticator;

use crate::command::Failure;

/// An authenticator's file, locked: of two calls at once one waits, so that no counter is used twice.
pub(crate) struct File {
    path: PathBuf,
    file: fs::File,
    pub(crate) authenticator: Authenticator,
}

impl File {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let open = || {
            let mut file = OpenOptions::new().read(true).write(true).open(path)?;
            file.lock()?;
            let mut json = String::new();
            file.read_to_string(&mut json)?;
            Ok((file, serde_json::from_str(&json)?))
        };
        let (file, authenticator) = open().map_err(|error| failure(path, error))?;
        let path = path.to_owned();
        Ok(Self {
            path,
            file,
            authenticator,
        })
    }

    pub(crate) fn save(mut self) -> Result<(), Failure> {
        let mut save = || {
            self.file.rewind()?;
            self.file.set_len(0)?;
            write(&self.file, &self.authenticator)
        };
        save().map_err(|error| failure(&self.path, error))
    }
}

/// Writes a file that does not exist yet.
pub(crate) fn create(path: &Path, authenticator: &Authenticator) -> Result<(), Failure> {
    let created = fs::File::create_new(path).and_then(|file| write(&file, authenticator));
    created.map_err(|error| failure(path, error))
}

fn write(mut file: &fs::File, authenticator: &Authenticator) -> std::io::Result<()> {
    let json = serde_json::to_string_pretty(authenticator)?;
    writeln!(file, "{json}")
}

fn failure(path: &Path, error: std::io::Error) -> Failure {
    Failure::Usage(format!("{}: {error}", path.display()))
}
