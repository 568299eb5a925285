//! A secret that is handed over in a file, or in a variable: read in the same way whatever it is for.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::Path,
};

use keyplate::KeyplateError;

use crate::open::spelling::spelled;

/// Reading or writing by everybody, and writing by the group. The group may read: secrets of services are often laid
/// out so, and systemd's credentials show their access list as such a right.
const SHARED_BITS: u32 = 0o026;
/// No secret is so long; the file is another by mistake.
const LONGEST: u64 = 4_096;

/// What the file holds, or why it will not do.
pub(crate) fn read(path: &Path, allow_shared_file: bool) -> Result<String, String> {
    let failed = |error: io::Error| error.to_string();
    if !allow_shared_file {
        check_ownership(path)?;
    }
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode();
    if !allow_shared_file && mode & SHARED_BITS != 0 {
        return Err("others can read or write it (chmod 600)".to_owned());
    }
    let mut text = String::new();
    let read = file.take(LONGEST + 1).read_to_string(&mut text);
    if read.map_err(failed)? as u64 > LONGEST {
        return Err("it is too long to be a secret".to_owned());
    }
    match without_line_end(&text) {
        "" => Err("it is empty".to_owned()),
        secret => Ok(secret.to_owned()),
    }
}

/// D1: whoever owns a file, or can replace it, chooses what is in it.
pub(crate) fn check_ownership(path: &Path) -> Result<(), String> {
    match keyplate::check_ownership(path) {
        Ok(()) => Ok(()),
        Err(KeyplateError::Configuration { reason, .. }) => {
            Err(format!("it {}", reason.worded(spelled)))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// What editors and `echo` put after a secret is none of it.
pub(crate) fn without_line_end(text: &str) -> &str {
    text.trim_end_matches(['\n', '\r'])
}
