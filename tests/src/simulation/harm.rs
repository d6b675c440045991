//! What becomes of a tablet's files while it is off.

use super::story::Harm;
use std::fs::OpenOptions;
use std::io::Result;
use std::os::unix::fs::FileExt;
use std::path::Path;

const RECORDS: &str = "records.db";
const LOG: &str = "records.db-wal";
const SECOND_COPY: &str = "second-copy";
const IDENTITY: &str = "identity.db";

/// `at` chooses where in the file. A file that is not there stays so.
pub fn harm(dir: &Path, what: Harm, at: u16) -> Result<()> {
    match what {
        Harm::LogLost => lose(dir, LOG),
        Harm::LogBent => bend(dir, LOG, at),
        Harm::LogCut => cut(dir, LOG, at),
        Harm::RecordsLost => lose(dir, RECORDS).and_then(|()| lose(dir, LOG)),
        Harm::RecordsBent => bend(dir, RECORDS, at),
        Harm::RecordsCut => cut(dir, RECORDS, at),
        Harm::SecondCopyLost => lose(dir, SECOND_COPY),
        Harm::SecondCopyBent => bend(dir, SECOND_COPY, at),
        Harm::SecondCopyCut => cut(dir, SECOND_COPY, at),
        Harm::IdentityBent => bend(dir, IDENTITY, at),
    }
}

/// Whether only the second of a tablet's two copies is harmed: then nothing at all may be missing afterwards.
pub fn spares_the_records(what: Harm) -> bool {
    matches!(what, Harm::SecondCopyLost | Harm::SecondCopyBent | Harm::SecondCopyCut | Harm::IdentityBent)
}

fn lose(dir: &Path, name: &str) -> Result<()> {
    match std::fs::remove_file(dir.join(name)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// One bit is another one.
fn bend(dir: &Path, name: &str, at: u16) -> Result<()> {
    let Ok(file) = OpenOptions::new().read(true).write(true).open(dir.join(name)) else { return Ok(()) };
    let size = written(&file, name)?;
    if size == 0 {
        return Ok(());
    }
    let place = u64::from(at) * size / (u64::from(u16::MAX) + 1);
    let mut byte = [0];
    file.read_exact_at(&mut byte, place)?;
    file.write_all_at(&[byte[0] ^ (1 << (at % 8))], place)
}

fn cut(dir: &Path, name: &str, at: u16) -> Result<()> {
    let Ok(file) = OpenOptions::new().write(true).read(true).open(dir.join(name)) else { return Ok(()) };
    let size = written(&file, name)?;
    file.set_len(u64::from(at) * size / (u64::from(u16::MAX) + 1))
}

/// The second copy is written full of zeros first: what matters is where they begin.
fn written(file: &std::fs::File, name: &str) -> Result<u64> {
    let size = file.metadata()?.len();
    if name != SECOND_COPY {
        return Ok(size);
    }
    let mut bytes = vec![0; size as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last as u64 + 1))
}
