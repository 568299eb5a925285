//! `cargo xtask bench`: prints one JSON object a line for each case of DESIGN's targets.

use anyhow::{Result, bail};

use crate::workspace::Workspace;

pub(crate) fn run(_workspace: &Workspace, _cases: &[String]) -> Result<()> {
    bail!("no case is measured yet")
}
