//! What is done from the command line, beside a running server too. It says why it cannot in one line.

use keyplate::{Keyplate, KeyplateError};

use crate::{
    options::Options,
    origin::Origin,
    start::{self, Opening, print},
};

/// Prints what signs a user in once, and the link for it.
pub(crate) fn one_time_token(
    options: &Options,
    name: &str,
    seconds: u32,
    recovery: bool,
) -> Result<(), String> {
    let keyplate = open(options)?;
    let user = keyplate
        .find_user(name)
        .map_err(|error| error.to_string())?
        .ok_or("there is no such user")?;
    let created = match recovery {
        true => keyplate.create_recovery_token(&user.id, Some(seconds)),
        false => keyplate.create_one_time_token(&user.id, Some(seconds)),
    };
    let created = created.map_err(|error| match error {
        KeyplateError::InvalidInput { reason, .. } => format!("--ttl {reason} seconds"),
        error => error.to_string(),
    })?;
    let what = if created.one_time_token.is_code {
        "code"
    } else {
        "token"
    };
    let (origin, secret) = (&options.origin, created.secret.as_str());
    printed(&format!("{what}: {secret}\nlink: {origin}/code#{secret}\n"))
}

/// Opens setup again and prints its link.
pub(crate) fn reset_setup(options: &Options, generation: u32) -> Result<(), String> {
    let keyplate = open(options)?;
    let token = keyplate
        .reset_setup(generation)
        .and_then(|_| keyplate.create_setup_token())
        .map_err(|error| refused(&keyplate, error))?;
    printed(&start::setup_link(options, &token))
}

fn refused(keyplate: &Keyplate, error: KeyplateError) -> String {
    let present = keyplate.get_setup_state().map(|state| state.generation);
    match (&error, present) {
        (KeyplateError::Conflict { what }, Ok(present)) if what == "generation" => {
            format!("the present setup is --generation {present}")
        }
        (KeyplateError::Conflict { what }, _) => what.clone(),
        _ => error.to_string(),
    }
}

/// Opens the database that is there: a new one would only be a mistake in `--data`.
fn open(options: &Options) -> Result<Keyplate, String> {
    Origin::own(options)?;
    let path = start::database(options);
    if !path.is_file() {
        return Err(format!("there is no database {}", path.display()));
    }
    start::open(options, Opening::ForMaintenance)
}

/// Who did not get to read it has to be told.
fn printed(text: &str) -> Result<(), String> {
    print(text).map_err(|error| format!("cannot print it: {error}"))
}
