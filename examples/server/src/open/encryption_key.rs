//! The key that makes what is stored worthless without it: from a file or the environment, never from the command line,
//! where other users of the machine would see it.

use std::sync::Arc;

use keyplate::Secret;

use crate::{open::secret_file, options::Options};

/// The variable that holds the key itself.
const VARIABLE: &str = "KEYPLATE_ENCRYPTION_KEY";

/// What the library is to be given.
pub(super) fn read(options: &Options) -> Result<Option<Arc<Secret>>, String> {
    let in_variable = std::env::var_os(VARIABLE).filter(|key| !key.is_empty());
    let key = match (&options.encryption_key_file, in_variable) {
        (None, None) => None,
        (None, Some(key)) => {
            let key = key.into_string();
            let key = key.map_err(|_| format!("{VARIABLE} must be UTF-8"))?;
            Some(secret_file::without_line_end(&key).to_owned())
        }
        (Some(_), Some(_)) => {
            return Err(format!("--encryption-key-file and {VARIABLE}: give one"));
        }
        (Some(path), None) => {
            let refused = |reason| format!("--encryption-key-file {}: {reason}", path.display());
            Some(secret_file::read(path, options.allow_shared_file).map_err(refused)?)
        }
    };
    Ok(key.map(|key| Arc::new(Secret::new(key))))
}
