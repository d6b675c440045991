//! `verify`: walks every chain, every signature, every body and every feed, compares them with what tablets saw, and
//! says every break by its code, author and number. No patient data.

mod against;
mod bodies;
mod chains;
mod feeds;

pub use against::Restored;

use super::open_beside;
use crate::facility::{Identity, damaged};
use crate::store::{StoreError, authors};
use lamplight_domain::findings::{Finding, Findings};
use lamplight_domain::refusal::Refusal;
use rusqlite::{Connection, Row};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What was walked, and what was found. Sound where `broken` is 0.
#[derive(Debug, Serialize)]
pub struct Verified {
    pub authors: u64,
    pub links: u64,
    pub bodies: u64,
    pub feed_rows: u64,
    /// How many findings there are.
    pub broken: u64,
    /// The first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Exports that saw this server before it was restored from a backup: no finding by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restored: Vec<Restored>,
}

impl Verified {
    /// Errors: "verify.broken" with the first finding and how many there are.
    pub fn or_refuse(self) -> Result<Verified, Refusal> {
        let Some(first) = self.findings.first() else { return Ok(self) };
        let more = if self.broken > 1 { format!(" ({} findings in all)", self.broken) } else { String::new() };
        Err(Refusal::new(
            "verify.broken",
            format!("The evidence is broken: {}{more}.", first.what),
            "Keep this folder as it is, and compare it with a backup and with the tablets' exports.",
        ))
    }
}

/// Errors: "verify.broken" with the first finding, and those of opening.
pub fn verify(path: &Path) -> Result<Verified, Refusal> {
    examine(path, &[])?.or_refuse()
}

/// Walks everything, and compares it with the exports of tablets. Errors: those of opening; "against.unreadable",
/// "against.no_evidence", "against.other_facility" for an export.
pub fn examine(path: &Path, exports: &[PathBuf]) -> Result<Verified, Refusal> {
    let exports = exports.iter().map(|e| against::Export::read(e)).collect::<Result<Vec<_>, _>>()?;
    let db = open_beside(path)?;
    let walk = || -> Result<Result<Verified, Refusal>, StoreError> {
        let db = db.unchecked_transaction()?;
        let identity = Identity::read(&db)?;
        if let Some(other) = exports.iter().find(|e| e.evidence.facility != identity.facility) {
            return Ok(Err(other.of_another_facility()));
        }
        let mut found = Findings::default();
        let all = authors::all(&db)?;
        let bodies = bodies::walk(&db, &mut found)?;
        let links = chains::walk(&db, &identity, &all, &mut found)?;
        bodies::walk_origins(&db, &mut found)?;
        let feed_rows = feeds::walk(&db, &mut found)?;
        let restored = against::compare(&db, &identity, &all, &exports, &mut found)?;
        let (broken, findings) = found.into_parts();
        Ok(Ok(Verified { authors: all.len() as u64, links, bodies, feed_rows, broken, findings, restored }))
    };
    walk().map_err(|e| damaged(path, &e))?
}

/// A value of a fixed size; zeros where something else stands there, which then fits nothing.
fn fixed<const N: usize>(row: &Row<'_>, column: usize) -> rusqlite::Result<[u8; N]> {
    Ok(row.get_ref(column)?.as_blob().ok().and_then(|b| b.try_into().ok()).unwrap_or([0; N]))
}

fn count(db: &Connection, sql: &str) -> rusqlite::Result<u64> {
    db.query_row(sql, [], |r| r.get::<_, i64>(0)).map(|n| n as u64)
}
