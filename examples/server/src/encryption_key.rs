//! The key that makes what is stored worthless without it: from a file or the environment, never from the command line,
//! where other users of the machine would see it.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::Path,
    sync::Arc,
};

use keyplate::Secret;

use crate::options::Options;

/// The variable that holds the key itself.
const VARIABLE: &str = "KEYPLATE_ENCRYPTION_KEY";
/// Reading or writing by everybody, and writing by the group. The group may read: secrets of services are often laid
/// out so, and systemd's credentials show their access list as such a right.
const SHARED_BITS: u32 = 0o026;
/// No key is so long; the file is another by mistake.
const LONGEST: u64 = 4_096;

/// What the library is to be given.
pub(crate) fn read(options: &Options) -> Result<Option<Arc<Secret>>, String> {
    let in_variable = std::env::var_os(VARIABLE).filter(|key| !key.is_empty());
    let key = match (&options.encryption_key_file, in_variable) {
        (None, None) => None,
        (None, Some(key)) => {
            let key = key.into_string();
            Some(key.map_err(|_| format!("{VARIABLE} must be UTF-8"))?)
        }
        (Some(_), Some(_)) => {
            return Err(format!("--encryption-key-file and {VARIABLE}: give one"));
        }
        (Some(path), None) => Some(from_file(path)?),
    };
    Ok(key.map(|key| Arc::new(Secret::new(key))))
}

fn from_file(path: &Path) -> Result<String, String> {
    let refused = |reason: &str| format!("--encryption-key-file {}: {reason}", path.display());
    let failed = |error: io::Error| refused(&error.to_string());
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.mode() & SHARED_BITS != 0 {
        return Err(refused("others can read or write it (chmod 600)"));
    }
    let mut text = String::new();
    let read = file.take(LONGEST + 1).read_to_string(&mut text);
    if read.map_err(failed)? as u64 > LONGEST {
        return Err(refused("it is too long to be a key"));
    }
    let key = text.trim_end_matches(['\n', '\r']);
    if key.is_empty() {
        return Err(refused("it is empty"));
    }
    Ok(key.to_owned())
}
