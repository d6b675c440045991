//! The device key that every file of this tablet is encrypted with: 32 random bytes in `device.key`, readable by this
//! user only. `device.check` beside it tells a wrong key from a damaged file, which SQLite answers alike.

use crate::disk;
use hmac::{Hmac, KeyInit, Mac};
use lamplight_domain::refusal::Refusal;
use sha2::Sha256;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const KEY_FILE: &str = "device.key";
const CHECK_FILE: &str = "device.check";
/// Of the check value: says nothing else about the key.
const CHECK_TAG: &[u8] = b"lamplight.device.check.v1";

#[derive(Clone)]
pub struct DeviceKey(Zeroizing<[u8; 32]>);

impl DeviceKey {
    /// Reads the key of `dir`, or makes one where `dir` holds no encrypted file yet.
    /// Errors: "key.missing" (files but no key), "key.wrong" (another key than the files were made with),
    /// "disk.failed".
    pub fn of(dir: &Path, has_files: bool) -> Result<DeviceKey, Refusal> {
        let mut key = Zeroizing::new([0; 32]);
        match File::open(dir.join(KEY_FILE)) {
            Ok(mut file) => file.read_exact(key.as_mut()).map_err(|_| wrong())?,
            Err(e) if e.kind() == ErrorKind::NotFound && has_files => return Err(missing()),
            Err(e) if e.kind() == ErrorKind::NotFound => {
                random(key.as_mut())?;
                write_private(dir, KEY_FILE, key.as_ref()).map_err(|e| unwritable(&e))?;
                write_private(dir, CHECK_FILE, &check(&key)).map_err(|e| unwritable(&e))?;
            }
            Err(e) => return Err(unwritable(&e)),
        }
        match std::fs::read(dir.join(CHECK_FILE)) {
            Ok(stored) if bool::from(stored.ct_eq(&check(&key)[..])) => Ok(DeviceKey(key)),
            // The key is written first: a power cut in between leaves a key without its check value, and no files.
            Err(e) if e.kind() == ErrorKind::NotFound && !has_files => {
                write_private(dir, CHECK_FILE, &check(&key)).map_err(|e| unwritable(&e))?;
                Ok(DeviceKey(key))
            }
            _ => Err(wrong()),
        }
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

fn check(key: &[u8; 32]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&hmac(key, &[CHECK_TAG])[..16]);
    out
}

/// Durable before it returns: file, name and folder.
fn write_private(dir: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_stays_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = DeviceKey::of(dir.path(), false).unwrap();
        let again = DeviceKey::of(dir.path(), true).unwrap();
        assert_eq!(*first.pragma(), *again.pragma());
        let mode = std::fs::metadata(dir.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_missing_and_a_wrong_key_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        DeviceKey::of(dir.path(), false).unwrap();
        std::fs::write(dir.path().join(KEY_FILE), [7; 32]).unwrap();
        assert_eq!(DeviceKey::of(dir.path(), true).err().unwrap().code, "key.wrong");
        std::fs::remove_file(dir.path().join(KEY_FILE)).unwrap();
        assert_eq!(DeviceKey::of(dir.path(), true).err().unwrap().code, "key.missing");
    }

    #[test]
    fn a_cut_between_key_and_check_value_is_mended() {
        let dir = tempfile::tempdir().unwrap();
        let first = DeviceKey::of(dir.path(), false).unwrap();
        std::fs::remove_file(dir.path().join(CHECK_FILE)).unwrap();
        assert_eq!(*DeviceKey::of(dir.path(), false).unwrap().pragma(), *first.pragma());
        assert!(DeviceKey::of(dir.path(), true).is_ok());
    }
}
