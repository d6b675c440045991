//! What can be wrong with a file, sorted by what must be done about it.

use lamplight_domain::refusal::Refusal;
use rusqlite::ErrorCode;
use std::path::Path;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// No room. Nothing was saved; the file is sound.
    Full,
    /// The disk gave an error. Whether the transaction was kept is open: look it up.
    Io(String),
    /// What stands in the file is not what was written.
    Damaged(String),
    /// A fault of this program or an odd state of the file.
    Other(String),
    /// An earlier fault closed the file.
    Closed,
    Refused(Refusal),
}

/// Below this a disk counts as full when it answers with an I/O error: SQLite says IOERR, not FULL, where it cannot
/// grow its shared-memory file.
const NO_ROOM_BYTES: u64 = 64 * 1024;

impl Broken {
    pub fn of(error: &rusqlite::Error, path: &Path) -> Broken {
        let rusqlite::Error::SqliteFailure(failure, message) = error else {
            return Broken::Other(kind_of(error));
        };
        let named = format!("SQLite {}", failure.extended_code);
        match failure.code {
            ErrorCode::DiskFull => Broken::Full,
            ErrorCode::SystemIoFailure if free_bytes(path).is_some_and(|free| free < NO_ROOM_BYTES) => Broken::Full,
            ErrorCode::SystemIoFailure => Broken::Io(named),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Broken::Damaged(named),
            // A page whose HMAC does not fit: SQLCipher's codec gives nothing back, which SQLite's pager takes for a
            // want of memory.
            ErrorCode::OutOfMemory => Broken::Damaged(named),
            // And once it has failed so, a plain error without words of its own. A mistake in a statement has words.
            ErrorCode::Unknown if message.as_deref().is_none_or(is_of_the_cipher) => Broken::Damaged(named),
            _ => Broken::Other(named),
        }
    }

    /// Of a file that SQLite does not keep.
    pub fn of_io(error: &std::io::Error) -> Broken {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Broken::Full,
            _ => Broken::Io(error.raw_os_error().map_or("input or output".to_owned(), |n| format!("system error {n}"))),
        }
    }

    pub fn is_damage(&self) -> bool {
        matches!(self, Broken::Damaged(_))
    }

    /// In the words of somebody who looks at a screen.
    pub fn refusal(&self) -> Refusal {
        const NEXT: &str = "Try again; if it fails again, use another tablet or paper and tell the charge nurse.";
        match self {
            Broken::Full => Refusal::new(
                "disk.full",
                "This tablet's disk is full.",
                "Tell the charge nurse; use another tablet or paper until there is room.",
            ),
            Broken::Refused(refusal) => refusal.clone(),
            Broken::Damaged(name) => {
                Refusal::new("file.damaged", format!("This tablet's file is damaged ({name})."), NEXT)
            }
            Broken::Io(name) | Broken::Other(name) => {
                Refusal::new("disk.failed", format!("This tablet's disk does not work as it should ({name})."), NEXT)
            }
            Broken::Closed => Refusal::new("disk.failed", "This tablet's file cannot be used any more.", NEXT),
        }
    }

    /// The same in the words of somebody who has just tapped "save": first of all, it is not saved.
    pub fn not_saved(&self) -> Refusal {
        let refusal = self.refusal();
        let next = match self {
            Broken::Full => {
                "Leave the entry open and write it on paper too; tell the charge nurse, and save again when there is room."
                    .to_owned()
            }
            _ => refusal.next,
        };
        Refusal { what: format!("NOT saved. {}", refusal.what), next, ..refusal }
    }
}

impl From<Broken> for Refusal {
    fn from(broken: Broken) -> Refusal {
        broken.refusal()
    }
}

fn is_of_the_cipher(message: &str) -> bool {
    message == "SQL logic error" || message.contains("decrypt") || message.contains("hmac")
}

/// Free bytes of the disk under `path` for this user; None where the system does not say.
pub fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path.parent()?).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The sort of error without its values: they may be patient data.
fn kind_of(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::QueryReturnedNoRows => "a row is missing",
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..) => "a value of another type",
        _ => "a fault of the program",
    }
    .to_owned()
}
