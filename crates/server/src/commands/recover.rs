//! `recover`: opens a copy of a tablet's folder whose own way to its key is gone. The tablet sealed its key to the
//! facility while it worked; here it is put back beside the files, and a tablet's program does the rest.

use super::open_beside;
use crate::facility::{Identity, damaged};
use crate::folder::replace_private;
use crate::surroundings::Surroundings;
use lamplight_domain::chain::DecryptionKey;
use lamplight_domain::ids::TabletId;
use lamplight_domain::kinds::Act;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::{CHECK_FILE, KEY_FILE, NEXT_FILE, NextKey, RECOVERY_FILE, Recovery, key_check};
use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// Of a recovery file: it has a few hundred bytes.
const MOST_BYTES: u64 = 64 * 1024;
const TABLET_FILES: [&str; 2] = ["records.db", "identity.db"];
const IN_USE: &str = "in-use";

#[derive(Debug, Serialize)]
pub struct Recovered {
    pub tablet: TabletId,
    /// As the roster has it; empty where it knows no such tablet (any more).
    pub name: String,
    /// The folder that opens now.
    pub folder: String,
}

/// Puts the key back into `copy`, a copy of the tablet's folder, for this user only. The files themselves are not
/// touched. Errors: "recovery.no_tablet", "recovery.not_needed", "recovery.missing", "recovery.unreadable",
/// "recovery.other_facility", "recovery.other_key", "recovery.damaged", "recovery.does_not_fit", "tablet.in_use",
/// "folder.unwritable", and those of a facility's folder that cannot be used.
pub fn recover(path: &Path, copy: &Path) -> Result<Recovered, Refusal> {
    let mut db = open_beside(path)?;
    let broken = |e| damaged(path, &e);
    let identity = Identity::read(&db).map_err(broken)?;
    if !TABLET_FILES.iter().any(|name| copy.join(name).is_file()) {
        return Err(Refusal::new(
            "recovery.no_tablet",
            format!("There are no files of a tablet in the folder {}.", copy.display()),
            "Name the folder into which the tablet's whole folder was copied.",
        ));
    }
    let _claim = claimed(copy)?;
    let check = read(copy, CHECK_FILE)?;
    // While a fresh key takes its place, the tablet's program goes on with either.
    let next = read(copy, NEXT_FILE)?.and_then(|text| NextKey::read(&text));
    let fits = |key: &[u8; 32]| {
        let is_checked = check.as_ref().is_none_or(|check| check.as_slice() == key_check(key).as_slice());
        is_checked || next.as_ref().is_some_and(|next| next.names(key))
    };
    let plain = read(copy, KEY_FILE)?;
    let there = plain.as_ref().and_then(|key| <&[u8; 32]>::try_from(key.as_slice()).ok());
    if there.is_some_and(|key| check.is_some() && fits(key)) {
        return Err(Refusal::new(
            "recovery.not_needed",
            "The key that belongs to these files lies beside them.",
            "Start Lamplight with this folder as it is.",
        ));
    }
    let kept = recovery(copy)?;
    let key = opened(&kept, &identity)?;
    if !fits(&key) {
        return Err(Refusal::new(
            "recovery.does_not_fit",
            "The key that was sealed is not the one that these files were made with.",
            "Copy the tablet's whole folder once more, as it is, and try with that copy.",
        ));
    }
    let roster = crate::store::roster::newest(&db).map_err(broken)?;
    let named = roster.tablets.iter().find(|t| t.id == kept.tablet).map(|t| t.name.clone());
    // On record before the files open.
    let what = named.clone().unwrap_or_else(|| kept.tablet.to_string());
    super::audit_beside(path, &mut db, &Surroundings::real(), Act::Recovered, &what)?;
    let put = || -> std::io::Result<()> {
        if plain.is_some() {
            keep_aside(copy)?;
        }
        replace_private(&copy.join(KEY_FILE), key.as_ref())?;
        if check.is_none() {
            replace_private(&copy.join(CHECK_FILE), &key_check(&key))?;
        }
        Ok(())
    };
    put().map_err(|e| unwritable(copy, &e))?;
    Ok(Recovered { tablet: kept.tablet, name: named.unwrap_or_default(), folder: copy.display().to_string() })
}

fn opened(kept: &Recovery, identity: &Identity) -> Result<Zeroizing<[u8; 32]>, Refusal> {
    if kept.facility != identity.facility {
        return Err(Refusal::new(
            "recovery.other_facility",
            "These files are of a tablet of another facility.",
            "Recover them with that facility's folder.",
        ));
    }
    let is_its = |key: &&DecryptionKey| key.public() == kept.to;
    let with = identity.opening.iter().find(is_its).ok_or_else(|| {
        Refusal::new(
            "recovery.other_key",
            "This facility holds no key that the tablet sealed its own to.",
            "Try with a later backup of the facility; it may have been restored to a time before that key was made.",
        )
    })?;
    kept.open(with).ok_or_else(|| {
        Refusal::new(
            "recovery.damaged",
            format!("The file {RECOVERY_FILE} was changed since the tablet wrote it."),
            "Copy it once more from the tablet, or from a backup of its folder.",
        )
    })
}

fn recovery(copy: &Path) -> Result<Recovery, Refusal> {
    let text = read(copy, RECOVERY_FILE)?.ok_or_else(|| {
        Refusal::new(
            "recovery.missing",
            format!("There is no file {RECOVERY_FILE} in the folder {}.", copy.display()),
            "Copy the tablet's whole folder. One that never met a server of this release has none, and cannot be opened.",
        )
    })?;
    let kept: Option<Recovery> = serde_json::from_slice(&text).ok();
    kept.filter(|kept| kept.v == 1).ok_or_else(|| {
        Refusal::new(
            "recovery.unreadable",
            format!("The file {RECOVERY_FILE} cannot be read: it is damaged, or of a newer Lamplight."),
            "Copy it once more from the tablet, or use the newer lamplight-server.",
        )
    })
}

/// Nobody may write there meanwhile. None where no tablet's program ever ran in it.
fn claimed(copy: &Path) -> Result<Option<File>, Refusal> {
    let Ok(file) = File::open(copy.join(IN_USE)) else { return Ok(None) };
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        Refusal::new(
            "tablet.in_use",
            "A Lamplight is using that folder.",
            "Close it first, or name a copy of the folder.",
        )
    })?;
    Ok(Some(file))
}

fn read(copy: &Path, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Refusal> {
    let mut bytes = Zeroizing::new(Vec::new());
    match File::open(copy.join(name)).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes)) {
        Ok(_) => Ok(Some(bytes)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(unwritable(copy, &e)),
    }
}

/// A key that does not fit is kept all the same: somebody may know what it is of.
fn keep_aside(copy: &Path) -> std::io::Result<()> {
    let free = (1..).map(|n| copy.join(format!("{KEY_FILE}.not-fitting-{n}"))).find(|path| !path.exists());
    free.map_or(Ok(()), |to| std::fs::rename(copy.join(KEY_FILE), to))
}

fn unwritable(copy: &Path, e: &std::io::Error) -> Refusal {
    Refusal::new(
        "folder.unwritable",
        format!("The folder {} cannot be used ({e}).", copy.display()),
        "Copy the tablet's folder to where this user may read and write.",
    )
}
