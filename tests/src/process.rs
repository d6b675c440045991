//! A process that this program started, and ends. Its output goes to files: a pipe that a grandchild inherits would
//! hang the reader for ever after a kill.

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub struct Process {
    child: Child,
    name: String,
    pub stdout: PathBuf,
    pub stderr: PathBuf,
}

impl Process {
    /// Starts `command` with its output in `logs/NAME.out` and `logs/NAME.err`.
    pub fn start(name: &str, mut command: Command, logs: &Path) -> Result<Process> {
        std::fs::create_dir_all(logs)?;
        let stdout = logs.join(format!("{name}.out"));
        let stderr = logs.join(format!("{name}.err"));
        let child = command
            .stdin(Stdio::null())
            .stdout(File::create(&stdout)?)
            .stderr(File::create(&stderr)?)
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        Ok(Process { child, name: name.to_owned(), stdout, stderr })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The first whole line that it prints.
    ///
    /// Errors where it ends before, with the end of what it said on stderr, or after `patience`.
    pub fn first_line(&mut self, patience: Duration) -> Result<String> {
        let deadline = Instant::now() + patience;
        loop {
            let said = std::fs::read_to_string(&self.stdout)?;
            if let Some((line, _)) = said.split_once('\n') {
                return Ok(line.to_owned());
            }
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("{} ended with {status}: {}", self.name, self.last_words());
            }
            anyhow::ensure!(Instant::now() < deadline, "{} printed nothing: {}", self.name, self.last_words());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The end of what it wrote on stderr.
    pub fn last_words(&self) -> String {
        let said = std::fs::read_to_string(&self.stderr).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to stop (SIGTERM) and waits for it.
    pub fn stop(&mut self, patience: Duration) -> Result<ExitStatus> {
        signal(self.pid(), Signal::TERM);
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            anyhow::ensure!(Instant::now() < deadline, "{} did not stop when asked", self.name);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Pulls the plug (SIGKILL) and reaps it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        for pid in descendants(self.pid()) {
            signal(pid, Signal::KILL);
        }
        self.kill();
    }
}

/// Pulls the plug of one process that a process of ours started.
pub fn kill_pid(pid: u32) {
    signal(pid, Signal::KILL);
}

/// Asks a process that a process of ours started to end (SIGTERM).
pub fn ask_to_end(pid: u32) {
    signal(pid, Signal::TERM);
}

/// As [`kill_pid`], only where that number still belongs to a process that was started over `folder`: numbers are used
/// again.
pub fn kill_pid_of(pid: u32, folder: &Path) {
    let folder = folder.as_os_str().as_encoded_bytes();
    let ours = std::fs::read(format!("/proc/{pid}/cmdline"))
        .is_ok_and(|line| line.windows(folder.len()).any(|part| part == folder));
    if ours {
        kill_pid(pid);
    }
}

/// Is there a process of that number of which any thread has not ended? A process whose first thread is gone still holds
/// its files while another one is in the middle of a write.
pub fn alive(pid: u32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    threads
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok())
        .any(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z') && !rest.starts_with('X')))
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// Children of a process, their children, and so on, nearest first.
pub fn descendants(of: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let (_, rest) = stat.rsplit_once(") ")?;
            Some((pid, rest.split(' ').nth(1)?.parse().ok()?))
        })
        .collect();
    let mut found = vec![of];
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        found.extend(parents.iter().filter(|(_, p)| *p == parent).map(|(pid, _)| *pid));
        at += 1;
    }
    found.split_off(1)
}

/// Runs a program to its end: (status, stdout, stderr).
pub fn run(mut command: Command) -> Result<(ExitStatus, String, String)> {
    let out =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    Ok((out.status, String::from_utf8_lossy(&out.stdout).into_owned(), String::from_utf8_lossy(&out.stderr).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::until::until_blocking;

    #[test]
    fn a_process_and_what_it_started_end_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo $!; wait"]);
        let mut process = Process::start("parent", command, folder.path()).unwrap();
        let child: u32 = process.first_line(Duration::from_secs(30)).unwrap().trim().parse().unwrap();
        assert_eq!(descendants(process.pid()), vec![child]);
        assert!(alive(child));
        drop(process);
        until_blocking("the grandchild's end", || (!alive(child)).then_some(()));
    }

    #[test]
    fn one_that_ends_early_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no room >&2; exit 3"]);
        let mut process = Process::start("short", command, folder.path()).unwrap();
        let error = process.first_line(Duration::from_secs(30)).unwrap_err().to_string();
        assert!(error.contains("no room") && error.contains('3'), "{error}");
    }
}
