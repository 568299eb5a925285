//! `include/keyplate.h`: cbindgen reads the sources of the C face.

use anyhow::{Context, Result};
use camino::Utf8Path;

use crate::workspace::Workspace;

/// The sources by hand, in the header's order.
pub(crate) const BY_HAND: &[&str] = &[
    "give",
    "handle",
    "error",
    "secret",
    "http",
    "events",
    "time_source",
];

/// The header of the C face whose generated part is `generated`.
pub(crate) fn header(workspace: &Workspace, generated: &str) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let folder =
        Utf8Path::from_path(folder.path()).context("a temporary folder with an odd name")?;
    // In C an enum's type takes any number; only Rust must not hold a wrong one (`Raw`).
    let generated = unwrap_raw(generated);
    std::fs::write(folder.join("generated.rs"), generated)?;
    let config = workspace.root.join("ffi/cbindgen.toml");
    let config = cbindgen::Config::from_file(config).map_err(anyhow::Error::msg)?;
    let mut builder = cbindgen::Builder::new()
        .with_config(config)
        .with_src(folder.join("generated.rs"));
    for name in BY_HAND {
        builder = builder.with_src(workspace.root.join(format!("ffi/src/{name}.rs")));
    }
    let mut header = Vec::new();
    builder.generate().context("cbindgen")?.write(&mut header);
    Ok(String::from_utf8(header)?)
}

/// `Raw<keyplate_x>` → `keyplate_x`.
fn unwrap_raw(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, after)) = rest.split_once("Raw<") {
        let (name, after) = after.split_once('>').unwrap_or((after, ""));
        out += before;
        out += name;
        rest = after;
    }
    out + rest
}
