//! The disk under watch: every call that changes it, of SQLite (`vfs`) and of the tablet's other files
//! (`lamplight_tablet::disk`), in one row; and calls that fail because a test wants them to.

use super::vfs;
use lamplight_tablet::disk::Act;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

/// A call that changes what stands on the disk, or makes it stay there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    Create(PathBuf),
    MakeFolder(PathBuf),
    Write { path: PathBuf, at: u64, bytes: Vec<u8> },
    Truncate { path: PathBuf, to: u64 },
    Sync(PathBuf),
    Rename { from: PathBuf, to: PathBuf },
    Remove(PathBuf),
    SyncFolder(PathBuf),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Open,
    Write,
    Truncate,
    Sync,
    Delete,
    Rename,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The disk gives an error.
    Io,
    /// No room.
    Full,
}

/// The `nth` call of a kind fails (the first is 0), and with `on` all that come after it.
#[derive(Clone, Debug)]
pub struct Plan {
    pub under: PathBuf,
    pub kind: Kind,
    pub nth: usize,
    pub fault: Fault,
    pub on: bool,
}

#[derive(Default)]
struct Watched {
    /// What lies under this is written down.
    under: Option<PathBuf>,
    calls: Vec<Call>,
    plan: Option<(Plan, usize)>,
    failed: usize,
    /// Logs whose folder no sync has named yet.
    fresh_logs: HashSet<PathBuf>,
}

static WATCHED: Mutex<Option<Watched>> = Mutex::new(None);
/// One test at a time in a process: there is one disk.
static TURN: Mutex<()> = Mutex::new(());

fn watched() -> MutexGuard<'static, Option<Watched>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The disk of this process, for one test. Nothing fails and nothing is written down until it says so.
pub struct Watch(#[allow(dead_code)] MutexGuard<'static, ()>);

impl Watch {
    /// Before anything is opened.
    pub fn begin() -> Watch {
        static SET: Once = Once::new();
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        SET.call_once(|| {
            vfs::register();
            lamplight_tablet::disk::watch(Box::new(heard));
        });
        *watched() = Some(Watched::default());
        Watch(turn)
    }

    /// Writes down every call under this folder from now on.
    pub fn write_down(&self, under: &Path) {
        if let Some(watched) = watched().as_mut() {
            watched.under = Some(under.to_owned());
            watched.calls.clear();
        }
    }

    /// How many calls there were.
    pub fn now(&self) -> usize {
        watched().as_ref().map_or(0, |w| w.calls.len())
    }

    pub fn calls(&self) -> Vec<Call> {
        watched().as_ref().map(|w| w.calls.clone()).unwrap_or_default()
    }

    pub fn fail(&self, plan: Plan) {
        if let Some(watched) = watched().as_mut() {
            watched.plan = Some((plan, 0));
            watched.failed = 0;
        }
    }

    /// The disk is sound again: how many calls failed.
    pub fn mend(&self) -> usize {
        let mut watched = watched();
        let Some(watched) = watched.as_mut() else { return 0 };
        watched.plan = None;
        std::mem::take(&mut watched.failed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        *watched() = None;
    }
}

/// Should this call fail? Asked before it is done.
pub(super) fn asked(kind: Kind, path: &Path) -> Option<Fault> {
    let mut watched = watched();
    let watched = watched.as_mut()?;
    let (plan, seen) = watched.plan.as_mut()?;
    if plan.kind != kind || !path.starts_with(&plan.under) {
        return None;
    }
    *seen += 1;
    let hits = if plan.on { *seen > plan.nth } else { *seen == plan.nth + 1 };
    watched.failed += usize::from(hits);
    hits.then_some(plan.fault)
}

/// It was done.
pub(super) fn done(call: Call) {
    let mut watched = watched();
    let Some(watched) = watched.as_mut() else { return };
    let Some(under) = &watched.under else { return };
    if call.path().starts_with(under) {
        watched.calls.push(call);
    }
}

/// SQLite's own system calls sync the folder of a log or journal with its first sync.
pub(super) fn is_fresh_log(path: &Path, created: bool) -> bool {
    let mut watched = watched();
    let Some(watched) = watched.as_mut() else { return false };
    if created { watched.fresh_logs.insert(path.to_owned()) } else { watched.fresh_logs.remove(path) }
}

impl Call {
    pub fn path(&self) -> &Path {
        match self {
            Call::Create(path)
            | Call::MakeFolder(path)
            | Call::Sync(path)
            | Call::Remove(path)
            | Call::SyncFolder(path)
            | Call::Write { path, .. }
            | Call::Truncate { path, .. } => path,
            Call::Rename { to, .. } => to,
        }
    }
}

/// What the tablet does beside SQLite. It is told before it is done; what comes of it fails only with the disk.
fn heard(act: &Act<'_>) -> std::io::Result<()> {
    let of = |file: &std::fs::File| {
        let fd = std::os::fd::AsRawFd::as_raw_fd(file);
        std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap_or_default()
    };
    let (kind, call) = match act {
        Act::Create(path) => (Kind::Open, Call::Create(path.to_path_buf())),
        Act::MakeFolder(path) => (Kind::Open, Call::MakeFolder(path.to_path_buf())),
        Act::Write { file, at, bytes } => (Kind::Write, Call::Write { path: of(file), at: *at, bytes: bytes.to_vec() }),
        Act::Sync(file) => (Kind::Sync, Call::Sync(of(file))),
        Act::Rename { from, to } => (Kind::Rename, Call::Rename { from: from.to_path_buf(), to: to.to_path_buf() }),
        Act::Remove(path) => (Kind::Delete, Call::Remove(path.to_path_buf())),
        Act::SyncFolder(path) => (Kind::Sync, Call::SyncFolder(path.to_path_buf())),
    };
    match asked(kind, call.path()) {
        // EIO and ENOSPC, as the system gives them.
        Some(Fault::Io) => Err(std::io::Error::from_raw_os_error(5)),
        Some(Fault::Full) => Err(std::io::Error::from_raw_os_error(28)),
        None => {
            let is_there = matches!(&call, Call::MakeFolder(path) if path.exists());
            let is_gone = matches!(&call, Call::Remove(path) if !path.exists());
            if !is_there && !is_gone {
                done(call);
            }
            Ok(())
        }
    }
}
