//! Facilities that take long to make, kept in `target/bench-cache` between runs. What is measured is a copy.

use anyhow::{Context, Result};
use lamplight_domain::time::Ms;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Counts what the templates hold: raise it when `forty.rs` or this makes something else.
const MAKING: u32 = 1;

/// The folder of a template, made by `make` where it is missing or of another schema. `make` is given the folder to
/// fill, on a file system in memory where there is one: nothing in it has to survive anything before it is whole.
pub async fn of(name: &str, make: impl AsyncFnOnce(PathBuf) -> Result<()>) -> Result<PathBuf> {
    let target = std::env::current_exe()?.ancestors().nth(2).context("no target folder")?.to_owned();
    let cache = target.join("bench-cache");
    let folder = cache.join(format!("{name}-{}", schema()));
    if folder.join("whole").exists() {
        return Ok(folder);
    }
    eprintln!("making the template {name}, once");
    let begun = std::time::Instant::now();
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&cache)?;
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory } else { cache.as_path() };
    let making = tempfile::Builder::new().prefix("lamplight-bench-").tempdir_in(place)?;
    make(making.path().to_owned()).await?;
    copy(making.path(), &folder)?;
    std::fs::write(folder.join("whole"), b"")?;
    eprintln!("made {name} in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(folder)
}

/// A whole folder, beside what is there. With `cp`, which shares blocks where the file system can. On the disk when it
/// returns: what is measured over the copy does not share the disk with the copying.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    let done = Command::new("cp").args(["-a", "--reflink=auto"]).arg(from.join(".")).arg(to).status()?;
    anyhow::ensure!(done.success(), "cp -a of {} failed", from.display());
    let done = Command::new("sync").arg("--file-system").arg(to).status()?;
    anyhow::ensure!(done.success(), "sync of {} failed", to.display());
    Ok(())
}

/// When a template was made, which its files say.
pub fn made(folder: &Path) -> Result<Ms> {
    Ok(Ms(std::fs::read_to_string(folder.join("made"))?.trim().parse()?))
}

/// Of both sides' schemas and of this program's way of making templates.
fn schema() -> String {
    let root = lamplight_tests::programs::root();
    let mut all = format!("{MAKING}");
    for folder in ["crates/server/src/store", "crates/tablet/src/file"] {
        let mut steps: Vec<PathBuf> = std::fs::read_dir(root.join(folder))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|x| x == "sql"))
            .collect();
        steps.sort();
        for step in steps {
            all += &std::fs::read_to_string(step).unwrap_or_default();
        }
    }
    lamplight_domain::chain::body_hash(all.as_bytes()).to_string()[..12].to_owned()
}
