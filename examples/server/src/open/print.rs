//! What goes to standard output.

use std::io::{self, Write};

use keyplate::CreatedSetupToken;

use crate::options::Options;

/// The line with the setup link.
pub(crate) fn setup_link(options: &Options, token: &CreatedSetupToken) -> String {
    let (origin, token) = (&options.origin, token.secret.as_str());
    format!("setup link: {origin}/setup#token={token}\n")
}

/// Writes to standard output.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}
