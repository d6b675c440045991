//! A screen of its own for windows under test, so that no test opens a window on somebody's desktop.

use crate::process::Process;
use crate::programs;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Xvfb; gone when dropped.
pub struct Display {
    /// ":7"
    pub name: String,
    _process: Process,
}

impl Display {
    /// Large enough for a tablet held either way.
    const SCREEN: &str = "1400x1400x24";

    pub fn start(logs: &Path) -> Result<Display> {
        let xvfb = programs::on_machine("Xvfb").context("Xvfb is not installed (Debian package xvfb)")?;
        let mut command = Command::new(xvfb);
        command.args(["-displayfd", "1", "-screen", "0", Self::SCREEN, "-nolisten", "tcp", "-noreset"]);
        let mut process = Process::start("xvfb", command, logs)?;
        let number = process.first_line(Duration::from_secs(30))?;
        Ok(Display { name: format!(":{}", number.trim()), _process: process })
    }
}
