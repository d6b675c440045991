//! Tablets in processes of their own, so that their memory is theirs alone: `lamplight-sim`.

use anyhow::{Context, Result};
use lamplight_tests::facility::lines;
use lamplight_tests::{process, programs};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// What one verb of `lamplight-sim tablet` printed last.
pub fn tablet(dir: &Path, arguments: &[&str]) -> Result<Value> {
    let mut command = Command::new(programs::path("lamplight-sim"));
    command.arg("tablet").arg("--dir").arg(dir).args(arguments);
    let (status, out, err) = process::run(command)?;
    anyhow::ensure!(status.success(), "lamplight-sim {}: {status}: {err}{out}", arguments.join(" "));
    lines(&out)?.pop().with_context(|| format!("lamplight-sim {} printed nothing", arguments.join(" ")))
}
