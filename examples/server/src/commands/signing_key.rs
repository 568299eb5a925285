use super::{open, printed, refused};
use crate::options::Options;

/// Lets another key sign access tokens.
pub(crate) fn rotate(options: &Options, overlap_seconds: Option<i64>) -> Result<(), String> {
    let key = open(options)?
        .rotate_signing_key(overlap_seconds)
        .map_err(refused)?;
    printed(&format!(
        "access tokens are signed by the key {}\n",
        key.key_id
    ))
}
