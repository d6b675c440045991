//! How a connection is opened: key first, then what keeps a file sound, then the gate for newer files.

use super::{Broken, Schema, meta, upgrade};
use crate::keys::DeviceKey;
use lamplight_domain::refusal::Refusal;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// SQLCipher 4.14 carries SQLite 3.51.3, which mends a fault of the write-ahead log.
const CIPHER_AT_LEAST: (u32, u32) = (4, 14);

/// In table `meta` of the records file: the oldest schema whose program understands the tables of links and bodies as
/// they are here. An older program than the file's reads and sends from it, down to this one.
const READABLE_SINCE: &str = "compatible_from";
const COMPATIBLE_FROM: i64 = 1;

pub enum Failure {
    Broken(Broken),
    Refused(Refusal),
}

impl Failure {
    pub fn refusal(self) -> Refusal {
        match self {
            Failure::Broken(broken) => broken.refusal(),
            Failure::Refused(refusal) => refusal,
        }
    }
    pub fn broken(self) -> Broken {
        match self {
            Failure::Broken(broken) => broken,
            Failure::Refused(refusal) => Broken::Refused(refusal),
        }
    }
}

/// A file's two connections.
pub struct Pair {
    pub writer: Connection,
    pub reader: Connection,
    /// A newer program wrote it: both connections only read.
    pub is_newer: bool,
}

/// The writing and the reading connection, with the file brought to this program's schema. A file of a newer program is
/// opened for reading, where that program says that this one understands links and bodies.
pub fn pair(path: &Path, key: &DeviceKey, schema: Schema) -> Result<Pair, Failure> {
    match brought_up(path, key, schema) {
        // Damaged by the step to this schema, made just now or by a start that was cut off before it could look.
        Err(Failure::Broken(damage)) if damage.is_damage() => match upgrade::go_back(path, key) {
            Ok(true) => Err(Failure::Refused(upgrade::not_brought_up(path))),
            Ok(false) => Err(Failure::Broken(damage)),
            Err(refusal) => Err(Failure::Refused(refusal)),
        },
        other => other,
    }
}

fn brought_up(path: &Path, key: &DeviceKey, schema: Schema) -> Result<Pair, Failure> {
    let broken = |e: rusqlite::Error| Failure::Broken(Broken::of(&e, path));
    let mut writer =
        connect(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).map_err(broken)?;
    assert_cipher(&writer).map_err(Failure::Refused)?;
    let version: i64 = writer.query_row("PRAGMA user_version", (), |row| row.get(0)).map_err(broken)?;
    if version > schema.version() {
        drop(writer);
        return only_reading(path, key, schema);
    }
    settle(&writer).map_err(broken)?;
    match version {
        0 => schema.bring_up(&mut writer).map_err(broken)?,
        _ if version < schema.version() => {
            upgrade::bring_up(&mut writer, path, key, schema).map_err(|failure| match failure {
                Failure::Broken(Broken::Other(_)) => Failure::Refused(upgrade::not_brought_up(path)),
                failure => failure,
            })?;
        }
        _ => {}
    }
    check(&writer, schema).map_err(broken)?;
    upgrade::done(path);
    if schema.is_of_records() && meta::get::<i64>(&writer, READABLE_SINCE).map_err(broken)? != Some(COMPATIBLE_FROM) {
        // On a full disk without it: the next start writes it.
        let _ = meta::set(&writer, READABLE_SINCE, &COMPATIBLE_FROM);
    }
    let reader = connect(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(broken)?;
    reader.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF").map_err(broken)?;
    Ok(Pair { writer, reader, is_newer: false })
}

fn only_reading(path: &Path, key: &DeviceKey, schema: Schema) -> Result<Pair, Failure> {
    let broken = |e: rusqlite::Error| Failure::Broken(Broken::of(&e, path));
    let open = || {
        let connection = read_only(path, key)?;
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY")?;
        Ok(connection)
    };
    let (writer, reader) = (open().map_err(broken)?, open().map_err(broken)?);
    let is_understood = match schema.is_of_records() {
        true => meta::get::<i64>(&reader, READABLE_SINCE).ok().flatten().is_some_and(|from| from <= schema.version()),
        false => reader.prepare("SELECT value FROM identity").is_ok(),
    };
    match is_understood {
        true => Ok(Pair { writer, reader, is_newer: true }),
        false => Err(Failure::Refused(newer(path))),
    }
}

/// For salvage: changes nothing on the disk.
pub fn read_only(path: &Path, key: &DeviceKey) -> rusqlite::Result<Connection> {
    connect(path, key, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// For checking: nothing on the disk is written, not even beside the file. With a log (`has_log`) the file must be a
/// copy; without one it is read as it stands.
pub fn read_untouched(path: &Path, key: &DeviceKey, has_log: bool) -> rusqlite::Result<Connection> {
    let connection = if has_log {
        connect(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE)?
    } else {
        let name: String = path.to_string_lossy().chars().map(escaped).collect();
        let uri = format!("file:{name}?immutable=1");
        connect(Path::new(&uri), key, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)?
    };
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY")?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(()))?;
    Ok(connection)
}

/// Of a file's name in a URI.
fn escaped(c: char) -> String {
    match c {
        '%' | '?' | '#' => format!("%{:02x}", c as u32),
        c => c.to_string(),
    }
}

pub(super) fn connect(path: &Path, key: &DeviceKey, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.pragma_update(None, "key", key.pragma().as_str())?;
    // SQLCipher would write page errors to stderr; ours are reported by name.
    connection.pragma_update(None, "cipher_log_level", "NONE")?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA temp_store = MEMORY;
         -- What was pruned is not left standing in free pages.
         PRAGMA secure_delete = ON;
         -- So that INSERT OR REPLACE meets the triggers that forbid DELETE.
         PRAGMA recursive_triggers = ON;",
    )
}

/// The small file is read whole. Of the large one only the beginning of every table: a start must not take longer
/// with the years, and damage elsewhere is met by the page's own HMAC when it is read.
fn check(connection: &Connection, schema: Schema) -> rusqlite::Result<()> {
    if schema == Schema::Identity {
        return match is_sound(connection)? {
            true => Ok(()),
            false => {
                Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), None))
            }
        };
    }
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let names: Vec<String> = tables.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
    for name in names {
        connection.query_row(&format!("SELECT count(*) FROM (SELECT 1 FROM \"{name}\" LIMIT 1)"), (), |_| Ok(()))?;
    }
    Ok(())
}

/// Reads every page.
pub fn is_sound(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA quick_check(1)", (), |row| row.get::<_, String>(0)).map(|answer| answer == "ok")
}

fn assert_cipher(connection: &Connection) -> Result<(), Refusal> {
    let missing = || {
        Refusal::new(
            "cipher.missing",
            "This program was built without sound encryption, so it opens no file.",
            "Install the Lamplight that your facility gives out.",
        )
    };
    let text = |pragma: &str| {
        connection.query_row(&format!("PRAGMA {pragma}"), (), |row| row.get::<_, String>(0)).map_err(|_| missing())
    };
    let version = text("cipher_version")?;
    let mut numbers = version.split(['.', ' ']).map(|n| n.parse::<u32>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let hmac_on = text("cipher_use_hmac")? == "1";
    if found >= CIPHER_AT_LEAST && hmac_on { Ok(()) } else { Err(missing()) }
}

pub fn newer(path: &Path) -> Refusal {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Refusal::new(
        "file.newer",
        format!("This tablet's file {name} was written by a newer Lamplight than this one."),
        "Install the newer Lamplight again; the file was not touched.",
    )
}
