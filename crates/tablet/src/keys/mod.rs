//! The device key that every file of this tablet is encrypted with: 32 random bytes. Where the machine has a key store,
//! `device.wrapped` holds it locked with a secret that only the store gives out; else `device.key` holds it as it is,
//! readable by this user only. `device.check` beside it tells a wrong key from a damaged file, which SQLite answers
//! alike. `device.recovery` is the same key for the facility alone ([`recovery`]). While a fresh key takes its place, that
//! one stands in `device.next` ([`next`]).

pub mod next;
pub mod recovery;
mod secret_service;
pub mod store;
#[cfg(test)]
mod tests;
mod wrapped;

pub use secret_service::SecretService;
pub use store::{KeyStore, StoreFault};

use crate::disk;
use hmac::{Hmac, KeyInit, Mac};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::{CHECK_FILE, KEY_FILE, key_check};
use sha2::Sha256;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use subtle::ConstantTimeEq;
use wrapped::Wrapped;
use zeroize::Zeroizing;

#[derive(Clone)]
pub struct DeviceKey(Zeroizing<[u8; 32]>);

/// What keeps the device key from whoever takes the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// A secret in the machine's key store.
    KeyStore,
    /// Only that other users of this machine may not read the file.
    KeyFile,
    /// The same, because the machine's key store did not take the key when it was asked: it may be locked.
    KeyFileForNow,
}

impl Protection {
    /// For the status sheet.
    pub fn words(self) -> &'static str {
        match self {
            Protection::KeyStore => "This tablet's files are protected by the machine's key store",
            Protection::KeyFile => {
                "This tablet's files are protected by a key file that only this user can read: switch on disk encryption"
            }
            Protection::KeyFileForNow => {
                "The machine's key store did not take this tablet's key, so its files are protected by a key file that \
                 only this user can read: unlock the key store and start Lamplight again, or switch on disk encryption"
            }
        }
    }
}

impl DeviceKey {
    /// [`open`] without a key store.
    pub fn of(dir: &Path, has_files: bool) -> Result<DeviceKey, Refusal> {
        open(dir, has_files, None).map(|(key, _)| key)
    }

    fn random() -> Result<DeviceKey, Refusal> {
        let mut key = Zeroizing::new([0; 32]);
        random(key.as_mut())?;
        Ok(DeviceKey(key))
    }

    pub fn is(&self, other: &DeviceKey) -> bool {
        self.0.ct_eq(&*other.0).into()
    }

    /// Is it the one with this check value?
    pub fn has_check(&self, check: &[u8; 16]) -> bool {
        key_check(&self.0).ct_eq(check).into()
    }

    /// For `PRAGMA key`: SQLCipher takes 64 hexadecimal digits as the key itself, without deriving one.
    pub fn pragma(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("x'{}'", hex::encode(self.0.as_ref())))
    }

    /// A key for another purpose: HMAC-SHA256 of `purpose` under this one.
    pub fn derive(&self, purpose: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hmac(&self.0, purpose))
    }
}

/// Reads the key of `dir`, or makes one where `dir` holds no encrypted file yet. A key that lies there as it is goes
/// into `store`, where there is one that works.
///
/// Whatever ends this program in between, a key that opens the files stands there.
/// Errors: "key.missing" (files but no key), "key.wrong" (another key than the files were made with), "key.store" (the
/// key store does not give out what the key is locked with), "disk.failed".
pub fn open(dir: &Path, has_files: bool, store: Option<&dyn KeyStore>) -> Result<(DeviceKey, Protection), Refusal> {
    let plain = read_plain(dir)?;
    let locked = Wrapped::read(dir).map_err(|e| unwritable(&e))?;
    match (locked.map(|locked| locked.open(store)), plain) {
        (Some(Ok(key)), plain) => {
            check(dir, has_files, &key)?;
            // A start was cut off between the two, perhaps in the middle of overwriting.
            if plain.is_none_or(|plain| plain.is(&key)) && dir.join(KEY_FILE).exists() {
                wrapped::forget_plain(dir).map_err(|e| unwritable(&e))?;
            }
            Ok((key, Protection::KeyStore))
        }
        (Some(Err(refusal)), None) => Err(refusal),
        (None, None) if has_files => Err(missing()),
        (locked, Some(key)) => {
            check(dir, has_files, &key).map_err(|wrong| locked.and_then(Result::err).unwrap_or(wrong))?;
            let protection = match store.map(|store| wrapped::take_over(dir, &key, store)) {
                Some(Ok(())) => Protection::KeyStore,
                Some(Err(fault)) => not_taken(&fault),
                None => Protection::KeyFile,
            };
            Ok((key, protection))
        }
        (None, None) => {
            let key = DeviceKey::random()?;
            let protection = match store.map(|store| wrapped::lock(dir, &key, store)) {
                Some(Ok(())) => Protection::KeyStore,
                found => {
                    write_private(dir, KEY_FILE, key.0.as_ref()).map_err(|e| unwritable(&e))?;
                    found.and_then(Result::err).map_or(Protection::KeyFile, |fault| not_taken(&fault))
                }
            };
            check(dir, has_files, &key)?;
            Ok((key, protection))
        }
    }
}

fn not_taken(fault: &StoreFault) -> Protection {
    tracing::warn!(%fault, "the machine's key store is not used; the key stays in a file");
    Protection::KeyFileForNow
}

/// None also for one that was overwritten and not removed yet.
fn read_plain(dir: &Path) -> Result<Option<DeviceKey>, Refusal> {
    let mut key = Zeroizing::new([0; 32]);
    match File::open(dir.join(KEY_FILE)) {
        Ok(mut file) => file.read_exact(key.as_mut()).map_err(|_| wrong())?,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(unwritable(&e)),
    }
    Ok((*key != [0; 32]).then_some(DeviceKey(key)))
}

/// No key of this folder is left in it, but the one that was sealed to the facility. Where there was none, nothing is left
/// to do. What a key store holds opens nothing without the file that goes here.
pub fn let_go(dir: &Path) -> std::io::Result<()> {
    for name in [KEY_FILE, wrapped::WRAPPED_FILE] {
        if dir.join(name).exists() {
            wrapped::overwrite(&dir.join(name))?;
        }
    }
    disk::sync_folder(dir)
}

/// Errors: "key.wrong" where the files were made with another key. While one takes the other's place, either is right.
fn check(dir: &Path, has_files: bool, key: &DeviceKey) -> Result<(), Refusal> {
    match std::fs::read(dir.join(CHECK_FILE)) {
        Ok(stored) if bool::from(stored.ct_eq(&key_check(&key.0)[..])) => Ok(()),
        // The key is written first: a power cut in between leaves a key without its check value, and no files.
        Err(e) if e.kind() == ErrorKind::NotFound && !has_files => {
            write_private(dir, CHECK_FILE, &key_check(&key.0)).map_err(|e| unwritable(&e))
        }
        _ if next::read(dir)?.is_some_and(|next| next.names(&key.0)) => Ok(()),
        _ => Err(wrong()),
    }
}

/// Where keys and identifiers come from: fills the bytes. Errors: "random.failed".
pub type Chance = dyn Fn(&mut [u8]) -> Result<(), Refusal> + Send + Sync;

/// Fills `bytes` from the system's random source. Errors: "random.failed".
pub fn random(bytes: &mut [u8]) -> Result<(), Refusal> {
    getrandom::fill(bytes).map_err(|_| {
        Refusal::new(
            "random.failed",
            "This machine gives no random numbers, so no key can be made.",
            "Restart the tablet.",
        )
    })
}

/// HMAC-SHA256 of `message` under `key`.
pub fn hmac(key: &[u8; 32], message: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in message {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Durable before it returns: file, name and folder.
pub(crate) fn write_private(dir: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = dir.join(format!("{name}.new"));
    let file = disk::create(&temporary)?;
    disk::write_at(&file, bytes, 0)?;
    disk::sync(&file)?;
    disk::rename(&temporary, &dir.join(name))?;
    disk::sync_folder(dir)
}

fn missing() -> Refusal {
    Refusal::new(
        "key.missing",
        "The key of this tablet's files is gone, so they cannot be opened.",
        "Change nothing in its folder and call whoever looks after the tablets.",
    )
}
fn wrong() -> Refusal {
    Refusal::new(
        "key.wrong",
        "The key found is not the one that this tablet's files were made with.",
        "Change nothing in its folder and call whoever looks after the tablets.",
    )
}
fn unwritable(e: &std::io::Error) -> Refusal {
    Refusal::new(
        "disk.failed",
        format!("This tablet's folder cannot be used: {e}."),
        "Check that the folder may be written and the disk is sound.",
    )
}
