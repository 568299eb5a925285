//! D6: what is a server's alone. The rest of the suite runs on one as well, by `KEYPLATE_TEST_SERVER` (`common/server.rs`), and so
//! do these tests, which are not there without the feature.

mod answers;
mod connections;
mod tables;

use std::path::PathBuf;

use keyplate::{Config, Keyplate};

use crate::common::{server, *};

/// A database on the server, with the server's own time.
struct OnServer {
    folder: tempfile::TempDir,
}

impl OnServer {
    fn new() -> Self {
        Self { folder: folder() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("id.db")
    }

    fn url(&self) -> String {
        server::url(&self.path()).expect("KEYPLATE_TEST_SERVER names a server")
    }

    fn open(&self) -> Keyplate {
        open(&self.url()).unwrap()
    }

    /// Past the library.
    fn client(&self) -> postgres::Client {
        server::connect(&self.path()).unwrap()
    }
}

fn open(url: &str) -> keyplate::Result<Keyplate> {
    Keyplate::open(Config {
        path: String::new(),
        database: Some(secret(url)),
        ..config(std::path::Path::new("none"))
    })
}
