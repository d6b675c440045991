//! What this crate asks of the disk beside SQLite, in one place: so that a test can see what was written and synced in
//! which order, take the power away after any of it, and let any of it fail. A release program has only the calls.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Result;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

/// Before it is done. Data and length are durable after a sync of the file, names after a sync of their folder.
#[derive(Debug)]
pub enum Act<'a> {
    Create(&'a Path),
    MakeFolder(&'a Path),
    Write { file: &'a File, at: u64, bytes: &'a [u8] },
    Sync(&'a File),
    Rename { from: &'a Path, to: &'a Path },
    Remove(&'a Path),
    SyncFolder(&'a Path),
}

/// An empty file for this user only, in place of what stood there.
pub(crate) fn create(path: &Path) -> Result<File> {
    told(Act::Create(path))?;
    OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// A folder for this user only. Errors: also where it is there already.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    told(Act::MakeFolder(path))?;
    DirBuilder::new().mode(0o700).create(path)
}

pub(crate) fn write_at(file: &File, bytes: &[u8], at: u64) -> Result<()> {
    told(Act::Write { file, at, bytes })?;
    file.write_all_at(bytes, at)
}

/// Data and all that is needed to read it again; not the times.
pub(crate) fn sync_data(file: &File) -> Result<()> {
    told(Act::Sync(file))?;
    rustix::fs::fdatasync(file).map_err(std::io::Error::from)
}

pub(crate) fn sync(file: &File) -> Result<()> {
    told(Act::Sync(file))?;
    file.sync_all()
}

pub(crate) fn rename(from: &Path, to: &Path) -> Result<()> {
    told(Act::Rename { from, to })?;
    std::fs::rename(from, to)
}

pub(crate) fn remove(path: &Path) -> Result<()> {
    told(Act::Remove(path))?;
    std::fs::remove_file(path)
}

/// What was made, renamed and removed in it.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    told(Act::SyncFolder(path))?;
    File::open(path)?.sync_all()
}

#[cfg(not(debug_assertions))]
fn told(_: Act<'_>) -> Result<()> {
    Ok(())
}

#[cfg(debug_assertions)]
use watched::told;
#[cfg(debug_assertions)]
pub use watched::{Watch, watch};

#[cfg(debug_assertions)]
mod watched {
    use super::Act;
    use std::io::Result;
    use std::sync::OnceLock;

    /// Hears of every act before it is done; an error takes its place.
    pub type Watch = dyn Fn(&Act<'_>) -> Result<()> + Send + Sync;

    static WATCH: OnceLock<Box<Watch>> = OnceLock::new();

    /// From now on, for the whole process; once.
    pub fn watch(watch: Box<Watch>) {
        assert!(WATCH.set(watch).is_ok(), "the disk is watched once");
    }

    pub(super) fn told(act: Act<'_>) -> Result<()> {
        WATCH.get().map_or(Ok(()), |watch| watch(&act))
    }
}
