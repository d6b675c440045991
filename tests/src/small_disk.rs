//! A small file system for one program, gone with it.

use crate::process::run;
use std::process::Command;

/// The command that gives what follows a view of the file systems of its own, in which it may mount; None where this
/// machine does not permit that.
pub fn unshare() -> Option<&'static [&'static str]> {
    const AS_ROOT: &[&str] = &["unshare", "--mount"];
    const AS_ANYBODY: &[&str] = &["unshare", "--mount", "--map-root-user"];
    [AS_ROOT, AS_ANYBODY].into_iter().find(|words| {
        let mut probe = Command::new(words[0]);
        probe.args(&words[1..]).args(["sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt"]);
        run(probe).is_ok_and(|(status, _, _)| status.success())
    })
}

/// `sh -c script` with such a view.
pub fn shell(script: &str) -> Option<Command> {
    let words = unshare()?;
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(["sh", "-c", script]);
    Some(command)
}
