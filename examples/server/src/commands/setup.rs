use keyplate::{ConflictReason, Keyplate, KeyplateError};

use super::{open, printed, refused};
use crate::{open::print, options::Options};

/// Prints a new setup link; the oldest of more than ten ends.
pub(crate) fn create_token(options: &Options) -> Result<(), String> {
    let keyplate = open(options)?;
    let token = keyplate.create_setup_token().map_err(|error| match error {
        KeyplateError::SetupAlreadyComplete => {
            "setup is complete; reset-setup opens it again".to_owned()
        }
        error => refused(error),
    })?;
    let origin = print::origin_of_links(options, &keyplate)?;
    printed(&print::setup_link(&origin, &token))
}

/// Opens setup again and prints its link.
pub(crate) fn reset(options: &Options, generation: i64) -> Result<(), String> {
    let keyplate = open(options)?;
    let token = keyplate
        .reset_setup(generation)
        .and_then(|_| keyplate.create_setup_token())
        .map_err(|error| not_reset(&keyplate, error))?;
    let origin = print::origin_of_links(options, &keyplate)?;
    printed(&print::setup_link(&origin, &token))
}

fn not_reset(keyplate: &Keyplate, error: KeyplateError) -> String {
    let present = keyplate.get_setup_state().map(|state| state.generation);
    match (&error, present) {
        (
            KeyplateError::Conflict {
                what: ConflictReason::OtherGeneration,
                ..
            },
            Ok(present),
        ) => {
            format!("the present setup is --generation {present}")
        }
        _ => refused(error),
    }
}
