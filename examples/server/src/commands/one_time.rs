use keyplate::KeyplateError;

use super::{find_user, matched, open, printed};
use crate::{
    open::{failure, print},
    options::Options,
};

/// Prints what signs a user in once, and the link for it.
pub(crate) fn create(
    options: &Options,
    name: &str,
    seconds: i64,
    recovery: bool,
) -> Result<(), String> {
    let keyplate = open(options)?;
    let user = find_user(&keyplate, name)?;
    let created = match recovery {
        true => keyplate.create_recovery_token(&user.id, Some(seconds)),
        false => keyplate.create_one_time_token(&user.id, Some(seconds)),
    };
    let created = created.map_err(|error| match error {
        KeyplateError::InvalidInput { reason, .. } => format!("--ttl {reason} seconds"),
        error => failure::told(&error),
    })?;
    let what = if created.one_time_token.is_code {
        "code"
    } else {
        "token"
    };
    let origin = print::origin_of_links(options, &keyplate)?;
    let secret = created.secret.as_str();
    let matched = matched(&user);
    printed(&format!(
        "{matched}{what}: {secret}\nlink: {origin}/code#{secret}\n"
    ))
}
