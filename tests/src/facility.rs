//! A facility with a real server process: made, started, killed, restarted on the same port, asked.

use crate::process::{self, Process};
use crate::programs;
use anyhow::{Context, Result};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;
use tempfile::TempDir;

pub const WARD: &str = "Willow Ward";
/// Read by debug builds of the server alone.
const AHEAD: &str = "LAMPLIGHT_CLOCK_AHEAD_MS";

/// A demo facility in a folder of its own, which goes when this is dropped.
pub struct Facility {
    program: PathBuf,
    folder: TempDir,
    /// All lines that `demo` printed: the logins and PINs.
    pub logins: Vec<Value>,
    pub address: SocketAddr,
    /// The one-time code that a facility prints which nobody has set up.
    pub set_up: Option<String>,
    serving: Option<Process>,
    starts: u32,
    /// Of every program that is started from now on, beside what this one has.
    pub environment: Vec<(String, String)>,
}

impl Facility {
    /// Makes the demo ward and serves it on a free port.
    pub fn demo() -> Result<Facility> {
        Facility::demo_with(&["--seed", "7"])
    }

    pub fn demo_with(arguments: &[&str]) -> Result<Facility> {
        Facility::demo_by(&programs::path("lamplight-server"), arguments)
    }

    /// As [`Facility::demo_with`], by the given server program.
    pub fn demo_by(program: &Path, arguments: &[&str]) -> Result<Facility> {
        let mut facility = Facility {
            program: program.to_owned(),
            folder: tempfile::Builder::new().prefix("lamplight-facility-").tempdir()?,
            logins: Vec::new(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            set_up: None,
            serving: None,
            starts: 0,
            environment: Vec::new(),
        };
        facility.logins = facility.command_with("demo", arguments)?;
        facility.start()?;
        Ok(facility)
    }

    /// Serves an empty folder: a facility that nobody has set up.
    pub fn unset() -> Result<Facility> {
        Facility::of(tempfile::Builder::new().prefix("lamplight-facility-").tempdir()?)
    }

    /// Serves the facility that stands in `folder/data` already.
    pub fn of(folder: TempDir) -> Result<Facility> {
        Facility::at(folder, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// The same at this address.
    pub fn at(folder: TempDir, listen: SocketAddr) -> Result<Facility> {
        let mut facility = Facility {
            program: programs::path("lamplight-server"),
            folder,
            logins: Vec::new(),
            address: listen,
            set_up: None,
            serving: None,
            starts: 0,
            environment: Vec::new(),
        };
        facility.start()?;
        Ok(facility)
    }

    /// From the next start on the server's clock, and that of every command, is so far ahead of this machine's.
    pub fn set_ahead(&mut self, ms: i64) {
        self.environment.retain(|(name, _)| name != AHEAD);
        self.environment.push((AHEAD.to_owned(), ms.to_string()));
    }
    pub fn ahead_ms(&self) -> i64 {
        let told = self.environment.iter().find(|(name, _)| name == AHEAD);
        told.and_then(|(_, ms)| ms.parse().ok()).unwrap_or(0)
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
    pub fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }
    pub fn pid(&self) -> Option<u32> {
        self.serving.as_ref().map(Process::pid)
    }

    /// Serves, on the port that it had before, if it had one.
    pub fn start(&mut self) -> Result<()> {
        self.starts += 1;
        let mut command = Command::new(&self.program);
        command.envs(self.environment.iter().cloned());
        command.args(["serve", "--data"]).arg(self.data()).args(["--listen", &self.address.to_string()]);
        let mut process = Process::start(&format!("server-{}", self.starts), command, &self.logs())?;
        let line = process.first_line(Duration::from_secs(60))?;
        let line: Value = serde_json::from_str(&line).with_context(|| format!("not JSON: {line}"))?;
        let url = line["listening"].as_str().context("the first line names no address")?;
        self.set_up = line["set_up"].as_str().map(str::to_owned);
        self.address = url.trim_start_matches("https://").trim_end_matches('/').parse()?;
        self.serving = Some(process);
        Ok(())
    }

    /// SIGTERM, and what it ended with.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        let mut process = self.serving.take().context("it does not serve")?;
        process.stop(Duration::from_secs(30))
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.serving.take();
    }

    /// An invite that leads to `url` (a cable, or the server itself).
    pub fn invite(&self, url: &str, uses: u32) -> Result<String> {
        let answer = self.command_with("invite", &["--ward", WARD, "--url", url, "--uses", &uses.to_string()])?;
        let invite = answer.first().and_then(|a| a["invite"].as_str()).context("no invite was printed")?;
        Ok(invite.to_owned())
    }

    pub fn export(&self) -> Result<Vec<Value>> {
        self.command_with("export", &[])
    }

    /// Walks every chain: what it printed, or an error with the first break.
    pub fn verify(&self) -> Result<Vec<Value>> {
        self.command_with("verify", &[])
    }

    /// A command of the server's command line on this facility's data: its lines of JSON.
    pub fn command_with(&self, name: &str, arguments: &[&str]) -> Result<Vec<Value>> {
        let (status, out, err) = self.run(name, arguments)?;
        anyhow::ensure!(status.success(), "lamplight-server {name}: {status}: {err}{out}");
        lines(&out)
    }

    /// As [`Facility::command_with`], also where it refuses: (status, stdout, stderr).
    pub fn run(&self, name: &str, arguments: &[&str]) -> Result<(ExitStatus, String, String)> {
        let mut command = Command::new(&self.program);
        command.envs(self.environment.iter().cloned());
        command.arg(name).arg("--data").arg(self.data()).args(arguments);
        process::run(command)
    }

    /// Everybody whom `demo` printed, whether a line each or one line with a list.
    pub fn people(&self) -> Vec<Value> {
        fn gather(value: &Value, into: &mut Vec<Value>) {
            match value {
                Value::Object(fields) if fields.contains_key("pin") => into.push(value.clone()),
                Value::Object(fields) => fields.values().for_each(|v| gather(v, into)),
                Value::Array(items) => items.iter().for_each(|v| gather(v, into)),
                _ => {}
            }
        }
        let mut people = Vec::new();
        self.logins.iter().for_each(|line| gather(line, &mut people));
        people
    }
}

/// Reads output of one JSON object a line.
pub fn lines(out: &str) -> Result<Vec<Value>> {
    out.lines()
        .filter(|l| !l.trim().is_empty())
        .map(|line| serde_json::from_str(line).with_context(|| format!("not a line of JSON: {line}")))
        .collect()
}
