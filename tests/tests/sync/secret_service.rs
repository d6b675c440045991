//! The real key store of a Linux desktop: GNOME Keyring on a session bus of its own, unlocked and locked. Where the two
//! programs are not installed (`scripts/install-deps test`) this says so and tries nothing.

use lamplight_tests::facility::lines;
use lamplight_tests::process::run;
use lamplight_tests::programs;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Ends whatever hangs, in seconds.
const PATIENCE: &str = "60";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Store {
    /// Opened with a password, as at a log-in.
    Unlocked,
    /// Nobody has given one.
    Locked,
    /// Takes the question and never answers, as one that asks somebody who is not there. Ends with its bus.
    Silent,
}
use Store::{Locked, Silent, Unlocked};

/// What the bus starts in place of a store that answers.
const SILENT: &str = "[D-BUS Service]\nName=org.freedesktop.secrets\n\
                      Exec=/bin/sh -c 'while kill -0 $PPID; do sleep 1; done'\n";

/// A machine that is switched on, with what its users keep in `home`.
struct Desk<'a> {
    home: &'a Path,
    store: Store,
}

impl Desk<'_> {
    /// One start of a tablet, on a machine that starts for it and is switched off afterwards: what the status sheet says
    /// of its protection, or why it did not start.
    fn start(&self, dir: &Path) -> Result<String, String> {
        std::fs::create_dir_all(self.home.join("run")).unwrap();
        let services = self.home.join("share/dbus-1/services");
        std::fs::create_dir_all(&services).unwrap();
        if self.store == Silent {
            std::fs::write(services.join("org.freedesktop.secrets.service"), SILENT).unwrap();
        }
        let daemon = match self.store {
            Unlocked => "printf %s 'a password for tests' | gnome-keyring-daemon --unlock --components=secrets",
            Locked => "gnome-keyring-daemon --start --components=secrets",
            Silent => "true",
        };
        // The last line decides what the whole ends with.
        let script = format!("{daemon} >/dev/null 2>&1\n\"$0\" tablet --dir \"$1\" --secret-service status");
        let mut command = Command::new("timeout");
        command.args([PATIENCE, "dbus-run-session", "--", "sh", "-c", &script]);
        command.arg(programs::path("lamplight-sim")).arg(dir);
        command.env("HOME", self.home).env("XDG_DATA_HOME", self.home.join("share"));
        command.env("XDG_RUNTIME_DIR", self.home.join("run")).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        said(command)
    }
}

fn said(command: Command) -> Result<String, String> {
    let (status, out, err) = run(command).unwrap();
    if !status.success() {
        return Err(err);
    }
    Ok(lines(&out).unwrap()[0]["protection"].as_str().unwrap().to_owned())
}

fn without_a_store(dir: &Path) -> Result<String, String> {
    let mut command = Command::new(programs::path("lamplight-sim"));
    command.arg("tablet").arg("--dir").arg(dir).arg("status");
    said(command)
}

/// The keys of a folder, as they stand in it.
fn keys(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let is_key = |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("device."));
    files.filter(is_key).map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

fn is_missing(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version");
    run(command).is_err()
}

#[test]
fn a_real_key_store_locks_a_tablets_key_and_is_named_where_it_is_locked_or_lost_it() {
    if let Some(program) = ["dbus-run-session", "gnome-keyring-daemon"].into_iter().find(|p| is_missing(p)) {
        eprintln!("SKIPPED: {program} is not installed, so no real key store was tried (scripts/install-deps test)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (home, tablet) = (folder.path().join("home"), folder.path().join("tablet"));
    let on = |home, store| Desk { home, store };

    let protected = "This tablet's files are protected by the machine's key store";
    let words = on(&home, Unlocked).start(&tablet).unwrap();
    assert!(words.starts_with(protected), "{words}");
    assert!(!tablet.join("device.key").exists() && tablet.join("device.wrapped").exists());
    let kept = keys(&tablet);
    let refused = without_a_store(&tablet).unwrap_err();
    assert!(refused.contains("key.store"), "the folder alone opens nothing: {refused}");
    assert!(on(&home, Unlocked).start(&tablet).unwrap().starts_with(protected), "after a restart of the machine");

    let refused = on(&home, Locked).start(&tablet).unwrap_err();
    assert!(refused.contains("key.store") && refused.contains("locked"), "{refused}");
    assert!(refused.contains("with the key store unlocked"), "what to do: {refused}");

    // A store that was wiped, or another user's.
    let another = folder.path().join("another");
    let refused = on(&another, Unlocked).start(&tablet).unwrap_err();
    assert!(refused.contains("key.store") && refused.contains("it does not hold it"), "{refused}");
    assert!(refused.contains("lamplight-server recover"), "what to do: {refused}");
    assert_eq!(keys(&tablet), kept, "nothing was written over");
    assert!(on(&home, Unlocked).start(&tablet).unwrap().starts_with(protected), "and it is opened where it is held");

    // A new tablet does not wait for somebody to come with the password; it says so, and locks its key once it can.
    let second = folder.path().join("second");
    let words = on(&home, Locked).start(&second).unwrap();
    assert!(words.contains("did not take this tablet's key") && words.contains("unlock the key store"), "{words}");
    assert!(second.join("device.key").exists());

    // Neither of them waits for ever for a store that never answers.
    let silent = folder.path().join("silent");
    let refused = on(&silent, Silent).start(&tablet).unwrap_err();
    assert!(refused.contains("key.store") && refused.contains("it does not answer; it may be locked"), "{refused}");
    let words = on(&silent, Silent).start(&second).unwrap();
    assert!(words.contains("did not take this tablet's key"), "{words}");

    assert_eq!(keys(&tablet), kept);
    assert!(on(&home, Unlocked).start(&second).unwrap().starts_with(protected));
    assert!(!second.join("device.key").exists());
}
