//! The key that makes what is stored worthless without it: from a file or the environment, never from the command line,
//! where other users of the machine would see it.

use std::sync::Arc;

use keyplate::Secret;

use crate::{open::secret_file, options::Options};

/// The variable that holds the key itself.
const VARIABLE: &str = "KEYPLATE_ENCRYPTION_KEY";

/// What the library is to be given.
pub(super) fn read(options: &Options) -> Result<Option<Arc<Secret>>, String> {
    let key = match (&options.encryption_key_file, &options.encryption_key) {
        (None, None) => None,
        (None, Some(key)) => Some(secret_file::without_line_end(key.as_str()).to_owned()),
        (Some(_), Some(_)) => {
            let file = options.called("encryption-key-file");
            return Err(format!("{file} and {VARIABLE}: give one"));
        }
        (Some(path), None) => {
            let called = options.called("encryption-key-file");
            let refused = |reason| format!("{called} {}: {reason}", path.display());
            Some(secret_file::read(path, options.allow_shared_file).map_err(refused)?)
        }
    };
    Ok(key.map(|key| Arc::new(Secret::new(key))))
}
