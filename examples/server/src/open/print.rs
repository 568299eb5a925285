//! What goes to standard output.

use std::io::{self, Write};

use keyplate::{CreatedSetupToken, Keyplate};

use crate::{open::failure, options::Options};

/// The origin for the links that a command prints: the one that it was told, or else that of the server of this database.
pub(crate) fn origin_of_links(options: &Options, keyplate: &Keyplate) -> Result<String, String> {
    if let Some(origin) = &options.given_origin {
        return Ok(origin.clone());
    }
    let settings = keyplate.get_settings();
    let settings = settings.map_err(|error| failure::told(&error))?;
    Ok(settings
        .origin
        .unwrap_or_else(|| options.origin().to_owned()))
}

/// The line with the setup link.
pub(crate) fn setup_link(origin: &str, token: &CreatedSetupToken) -> String {
    let token = token.secret.as_str();
    format!("setup link: {origin}/setup#token={token}\n")
}

/// Writes to standard output.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}
