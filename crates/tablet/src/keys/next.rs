//! A fresh device key while it takes the present one's place. It stands in `device.next`, locked with the present one, so
//! that it needs nothing that the present one does not need: whoever has that opens the folder's files, whichever of the
//! two each of them is under. `device.former` keeps, locked with the present key, those before it that something in
//! `set-aside` may be under.

use super::wrapped::{self, Wrapped};
use super::{Chance, DeviceKey, KeyStore, Protection, StoreFault, random, unwritable, write_private};
use crate::disk;
use crate::failpoint::failpoint;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{CHECK_FILE, KEY_FILE, NEXT_FILE, NextKey, key_check};
use std::fs::OpenOptions;
use std::io::{Error, ErrorKind, Result as IoResult, Write};
use std::path::Path;
use zeroize::Zeroizing;

const FORMER_FILE: &str = "device.former";
const FORMER_TAG: &[u8] = b"lamplight.former-keys.v1\0";
const NONCE: usize = 24;

/// Durable before it returns, and seen to open. Errors: "disk.failed", "random.failed".
pub fn begin(dir: &Path, present: &DeviceKey, order: Ms, chance: &Chance) -> Result<(), Refusal> {
    let mut fresh = DeviceKey(Zeroizing::new([0; 32]));
    chance(fresh.0.as_mut())?;
    let mut next = NextKey { v: 1, from: key_check(&present.0), to: key_check(&fresh.0), order, locked: Vec::new() };
    next.locked = locked(present, &next.about(), fresh.0.as_ref()).map_err(|e| unwritable(&e))?;
    write_private(dir, NEXT_FILE, &serde_json::to_vec(&next).unwrap_or_default()).map_err(|e| unwritable(&e))?;
    let stands = read(dir)?.and_then(|stands| unlocked(&stands, present));
    match stands.is_some_and(|stands| stands.is(&fresh)) {
        true => Ok(()),
        false => Err(unwritable(&Error::other("the next key does not open again"))),
    }
}

/// None where no key is to take the present one's place. Errors: "disk.failed".
pub fn read(dir: &Path) -> Result<Option<NextKey>, Refusal> {
    match std::fs::read(dir.join(NEXT_FILE)) {
        Ok(text) => Ok(NextKey::read(&text)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        // Files that are under it would be taken for damaged ones.
        Err(e) => Err(unwritable(&e)),
    }
}

/// None where it is not locked with this key.
pub fn unlocked(next: &NextKey, with: &DeviceKey) -> Option<DeviceKey> {
    let key = DeviceKey(Zeroizing::new(unlock(with, &next.about(), &next.locked)?.as_slice().try_into().ok()?));
    (key_check(&key.0) == next.to).then_some(key)
}

/// The keys that a folder's files may be under, with the one that it holds first. Errors: "disk.failed".
pub fn all(dir: &Path, held: &DeviceKey) -> Result<Vec<DeviceKey>, Refusal> {
    let next = read(dir)?.and_then(|next| unlocked(&next, held));
    Ok(std::iter::once(held.clone()).chain(next).collect())
}

/// The next key is the folder's own from now on: all files are under it. Whatever ends this program in between, one of
/// the two stands there, and [`NextKey`] beside it. What the former one was locked with goes.
pub fn take(
    dir: &Path,
    key: &DeviceKey,
    protection: Protection,
    store: Option<&dyn KeyStore>,
) -> Result<(), StoreFault> {
    let on_disk = |e: Error| StoreFault(format!("its file could not be written: {e}"));
    match (protection, store) {
        (Protection::KeyStore, Some(store)) => {
            let former = Wrapped::read(dir).map_err(on_disk)?;
            wrapped::lock(dir, key, store)?;
            if let Some(Err(fault)) = former.map(|former| store.forget(&former.secret_name())) {
                tracing::warn!(%fault, "the key store keeps what the former key was locked with; that key opens nothing");
            }
        }
        _ => take_plain(dir, key).map_err(on_disk)?,
    }
    failpoint!("renew.taken");
    write_private(dir, CHECK_FILE, &key_check(&key.0)).map_err(on_disk)
}

fn take_plain(dir: &Path, key: &DeviceKey) -> IoResult<()> {
    // By its handle: after the renaming nothing leads to it any more.
    let former = OpenOptions::new().write(true).open(dir.join(KEY_FILE)).ok();
    write_private(dir, KEY_FILE, key.0.as_ref())?;
    if let Some(mut former) = former {
        former.write_all(&[0; 32])?;
        former.sync_all()?;
    }
    // Locked with what a key store did not give out: the former key is in it.
    let locked = dir.join(wrapped::WRAPPED_FILE);
    if locked.exists() {
        wrapped::overwrite(&locked)?;
        disk::sync_folder(dir)?;
    }
    Ok(())
}

/// The facility can open what is under it: the other key is needed no more.
pub fn done(dir: &Path) -> IoResult<()> {
    wrapped::overwrite(&dir.join(NEXT_FILE))?;
    disk::sync_folder(dir)
}

/// Ends [`done`] where it was cut off, or the disk failed, between the overwriting and the removing.
pub fn end_done(dir: &Path) {
    let is_overwritten = std::fs::read(dir.join(NEXT_FILE)).is_ok_and(|text| text.first() == Some(&0));
    if is_overwritten && let Err(e) = done(dir) {
        tracing::warn!(%e, "what is left of the key that was the next one could not be removed; the next start tries again");
    }
}

/// `from` and those before it, locked with `to` from now on. Once more is as good as once.
pub fn keep_former(dir: &Path, from: &DeviceKey, to: &DeviceKey) -> IoResult<()> {
    let mut all = former(dir, to);
    if all.is_empty() {
        all = former(dir, from);
    }
    if !all.iter().any(|key| key.is(from)) {
        all.push(from.clone());
    }
    let clear = Zeroizing::new(all.iter().flat_map(|key| *key.0).collect::<Vec<u8>>());
    write_private(dir, FORMER_FILE, &locked(to, FORMER_TAG, &clear)?)
}

/// Those that were kept under this one, oldest first.
pub fn former(dir: &Path, under: &DeviceKey) -> Vec<DeviceKey> {
    let bytes = std::fs::read(dir.join(FORMER_FILE)).unwrap_or_default();
    let clear = unlock(under, FORMER_TAG, &bytes).unwrap_or_default();
    clear.as_chunks().0.iter().map(|key| DeviceKey(Zeroizing::new(*key))).collect()
}

/// Nonce ‖ XChaCha20-Poly1305.
fn locked(under: &DeviceKey, about: &[u8], clear: &[u8]) -> IoResult<Vec<u8>> {
    let mut nonce = [0; NONCE];
    random(&mut nonce).map_err(|refusal| Error::other(refusal.what))?;
    let cipher = XChaCha20Poly1305::new(&(*under.0).into());
    let sealed = cipher.encrypt(&nonce.into(), Payload { msg: clear, aad: about });
    let sealed = sealed.map_err(|_| Error::other("nothing can be locked with this key"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn unlock(under: &DeviceKey, about: &[u8], bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
    let cipher = XChaCha20Poly1305::new(&(*under.0).into());
    cipher.decrypt(&(*nonce).into(), Payload { msg: sealed, aad: about }).ok().map(Zeroizing::new)
}
