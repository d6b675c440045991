//! The power cut. From the row of calls (`disk`) it works out what a disk would hold if the power had gone after any of
//! them: what was synced is there; of what was written since the last sync of its file, each sector is there, is not,
//! or is torn. Names are kept by folder syncs, in the order in which they were made; a rename is one step.

use super::disk::Call;
use rand::{Rng, RngExt};
use std::collections::BTreeMap;
use std::io::Result;
use std::path::{Path, PathBuf};

/// The smallest that a disk writes at once.
const SECTOR: usize = 512;

/// What becomes of writes that no sync has covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nothing of them reached the disk.
    AllLost,
    /// All did: a program that was killed, and no power cut.
    AllKept,
    /// Each sector was written, or not, or half.
    Torn,
}

#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

#[derive(Clone, Debug, Default)]
struct File {
    durable: Vec<u8>,
    since: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Naming {
    Make(PathBuf, usize),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    Folder(PathBuf),
}

/// A disk as it is being written to.
#[derive(Clone, Debug, Default)]
pub struct Plug {
    files: Vec<File>,
    /// As a running program sees them.
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    folders: Vec<PathBuf>,
    /// Not covered by a sync of their folder yet.
    since: Vec<Naming>,
}

impl Plug {
    /// A folder whose files are all on the disk; nobody has them open.
    pub fn of(folder: &Path) -> Result<Plug> {
        let mut plug = Plug::default();
        plug.take_in(folder)?;
        Ok(plug)
    }

    fn take_in(&mut self, folder: &Path) -> Result<()> {
        self.folders.push(folder.to_owned());
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.take_in(&path)?;
            } else {
                self.names.insert(path.clone(), self.files.len());
                self.durable_names.insert(path.clone(), self.files.len());
                self.files.push(File { durable: std::fs::read(&path)?, since: Vec::new() });
            }
        }
        Ok(())
    }

    pub fn take(&mut self, call: &Call) {
        match call {
            Call::Create(path) => {
                // One that is there already keeps its name and loses its content.
                if let Some(file) = self.names.get(path) {
                    self.files[*file].since.push(Change::Truncate(0));
                    return;
                }
                self.names.insert(path.clone(), self.files.len());
                self.since.push(Naming::Make(path.clone(), self.files.len()));
                self.files.push(File::default());
            }
            Call::MakeFolder(path) => self.since.push(Naming::Folder(path.clone())),
            Call::Write { path, at, bytes } => {
                self.change(path, Change::Write { at: *at as usize, bytes: bytes.clone() });
            }
            Call::Truncate { path, to } => self.change(path, Change::Truncate(*to as usize)),
            Call::Sync(path) => {
                if let Some(file) = self.names.get(path) {
                    self.files[*file].settle();
                }
            }
            Call::Rename { from, to } => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.clone(), file);
                    self.since.push(Naming::Rename(from.clone(), to.clone()));
                }
            }
            Call::Remove(path) => {
                self.names.remove(path);
                self.since.push(Naming::Remove(path.clone()));
            }
            Call::SyncFolder(folder) => {
                for naming in std::mem::take(&mut self.since) {
                    if naming.is_in(folder) { self.name(&naming) } else { self.since.push(naming) }
                }
            }
        }
    }

    fn change(&mut self, path: &Path, change: Change) {
        // SQLite's files that were there before it was watched begin as they are.
        if let Some(file) = self.names.get(path) {
            self.files[*file].since.push(change);
        }
    }

    fn name(&mut self, naming: &Naming) {
        match naming {
            Naming::Make(path, file) => {
                self.durable_names.insert(path.clone(), *file);
            }
            Naming::Rename(from, to) => {
                if let Some(file) = self.durable_names.remove(from) {
                    self.durable_names.insert(to.clone(), file);
                }
            }
            Naming::Remove(path) => {
                self.durable_names.remove(path);
            }
            Naming::Folder(path) => self.folders.push(path.clone()),
        }
    }

    /// Writes down at `to` what stands under `from` on this disk after the cut.
    pub fn pull(&self, cut: Cut, dice: &mut impl Rng, from: &Path, to: &Path) -> Result<()> {
        let mut disk = self.clone();
        let kept = match cut {
            Cut::AllLost => 0,
            Cut::AllKept => disk.since.len(),
            Cut::Torn => dice.random_range(0..=disk.since.len()),
        };
        for naming in std::mem::take(&mut disk.since).iter().take(kept) {
            disk.name(naming);
        }
        for file in &mut disk.files {
            match cut {
                Cut::AllLost => file.since.clear(),
                Cut::AllKept => file.settle(),
                Cut::Torn => file.tear(dice),
            }
        }
        std::fs::create_dir_all(to)?;
        if !disk.folders.iter().any(|folder| folder == from) {
            // The folder's own name was lost.
            return Ok(());
        }
        for folder in disk.folders.iter().filter_map(|folder| folder.strip_prefix(from).ok()) {
            std::fs::create_dir_all(to.join(folder))?;
        }
        for (path, file) in &disk.durable_names {
            let Ok(within) = path.strip_prefix(from) else { continue };
            let path = to.join(within);
            // A folder whose name was lost takes what is in it along.
            if path.parent().is_some_and(Path::exists) {
                std::fs::write(&path, &disk.files[*file].durable)?;
            }
        }
        Ok(())
    }
}

impl Naming {
    fn is_in(&self, folder: &Path) -> bool {
        match self {
            Naming::Make(path, _) | Naming::Remove(path) | Naming::Folder(path) => path.parent() == Some(folder),
            Naming::Rename(from, to) => from.parent() == Some(folder) || to.parent() == Some(folder),
        }
    }
}

impl File {
    fn settle(&mut self) {
        for change in std::mem::take(&mut self.since) {
            match change {
                Change::Write { at, bytes } => self.put(at, &bytes),
                Change::Truncate(to) => self.durable.resize(to, 0),
            }
        }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        if self.durable.len() < end {
            self.durable.resize(end, 0);
        }
        self.durable[at..end].copy_from_slice(bytes);
    }

    fn tear(&mut self, dice: &mut impl Rng) {
        for change in std::mem::take(&mut self.since) {
            match change {
                Change::Truncate(to) => {
                    if dice.random_bool(0.5) {
                        self.durable.resize(to, 0);
                    }
                }
                Change::Write { at, bytes } => {
                    let mut from = 0;
                    while from < bytes.len() {
                        let next = ((at + from) / SECTOR + 1) * SECTOR - at;
                        let to = next.min(bytes.len());
                        match dice.random_range(0..4) {
                            0 => self.put(at + from, &bytes[from..from + (to - from) / 2]),
                            1 => {}
                            _ => self.put(at + from, &bytes[from..to]),
                        }
                        from = to;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::dice;

    fn after(calls: &[Call], cut: Cut) -> BTreeMap<String, Vec<u8>> {
        let dir = tempfile::tempdir().unwrap();
        let mut plug = Plug::default();
        plug.folders.push("/d".into());
        calls.iter().for_each(|call| plug.take(call));
        plug.pull(cut, &mut dice(1, 1), Path::new("/d"), dir.path()).unwrap();
        let files = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap());
        files.map(|f| (f.file_name().into_string().unwrap(), std::fs::read(f.path()).unwrap())).collect()
    }

    fn path(name: &str) -> PathBuf {
        Path::new("/d").join(name)
    }

    #[test]
    fn only_what_was_synced_is_there_under_a_name_that_was_synced() {
        let write = |at, byte: u8| Call::Write { path: path("a"), at, bytes: vec![byte; 4] };
        let mut calls = vec![Call::Create(path("a")), write(0, 1), Call::Sync(path("a"))];
        assert!(after(&calls, Cut::AllLost).is_empty(), "nobody synced the folder");
        calls.push(Call::SyncFolder("/d".into()));
        calls.push(write(4, 2));
        assert_eq!(after(&calls, Cut::AllLost)["a"], [1; 4]);
        assert_eq!(after(&calls, Cut::AllKept)["a"], [1, 1, 1, 1, 2, 2, 2, 2]);
        calls.push(Call::Rename { from: path("a"), to: path("b") });
        assert!(after(&calls, Cut::AllLost).contains_key("a"));
        calls.push(Call::Sync(path("b")));
        calls.push(Call::SyncFolder("/d".into()));
        let files = after(&calls, Cut::AllLost);
        assert_eq!((files.len(), files["b"].len()), (1, 8));
        calls.extend([Call::Truncate { path: path("b"), to: 2 }, Call::Sync(path("b")), Call::Remove(path("b"))]);
        assert_eq!(after(&calls, Cut::AllLost)["b"], [1, 1]);
        calls.push(Call::SyncFolder("/d".into()));
        assert!(after(&calls, Cut::AllLost).is_empty());
    }

    #[test]
    fn a_torn_write_leaves_sectors_of_both() {
        let write = |byte: u8| Call::Write { path: path("a"), at: 0, bytes: vec![byte; 64 * SECTOR] };
        let before = [Call::Create(path("a")), write(1), Call::Sync(path("a")), Call::SyncFolder("/d".into())];
        let calls = [&before[..], &[write(2)]].concat();
        let bytes = &after(&calls, Cut::Torn)["a"];
        let ends: Vec<(u8, u8)> = bytes.chunks(SECTOR).map(|s| (s[0], s[SECTOR - 1])).collect();
        assert!([(1, 1), (2, 2), (2, 1)].iter().all(|kind| ends.contains(kind)), "lost, kept and torn ones: {ends:?}");
    }
}
