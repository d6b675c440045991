//! The device key locked with a secret of the key store: XChaCha20-Poly1305, in a file of its own. Neither the file nor
//! the store alone opens anything.

use super::{DeviceKey, KeyStore, StoreFault, random, write_private};
use crate::disk;
use crate::failpoint::failpoint;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::KEY_FILE;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Result as IoResult};
use std::path::Path;
use zeroize::Zeroizing;

pub const WRAPPED_FILE: &str = "device.wrapped";
const MAGIC: &[u8; 21] = b"lamplight.wrapped.v1\0";

/// As it stands in the file: magic ‖ name of the secret (16) ‖ nonce (24) ‖ locked key (48).
pub struct Wrapped {
    name: [u8; 16],
    nonce: [u8; 24],
    locked: Vec<u8>,
}

impl Wrapped {
    /// None where there is no such file. One that cannot be understood opens with nothing.
    pub fn read(dir: &Path) -> IoResult<Option<Wrapped>> {
        let bytes = match std::fs::read(dir.join(WRAPPED_FILE)) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let parts = || {
            let rest = bytes.strip_prefix(MAGIC.as_slice())?;
            let (name, rest) = rest.split_first_chunk::<16>()?;
            let (nonce, locked) = rest.split_first_chunk::<24>()?;
            Some(Wrapped { name: *name, nonce: *nonce, locked: locked.to_vec() })
        };
        Ok(Some(parts().unwrap_or(Wrapped { name: [0; 16], nonce: [0; 24], locked: Vec::new() })))
    }

    /// Errors: "key.store".
    pub fn open(&self, store: Option<&dyn KeyStore>) -> Result<DeviceKey, Refusal> {
        let store = store.ok_or_else(|| refused("none was asked"))?;
        let secret = store.secret(&self.secret_name()).map_err(|fault| refused(&fault.0))?;
        let secret = secret.ok_or_else(|| refused("it does not hold it"))?;
        self.unlocked(&secret).ok_or_else(|| refused("what it gives does not fit"))
    }

    /// As the key store knows it.
    pub fn secret_name(&self) -> String {
        hex::encode(self.name)
    }

    fn unlocked(&self, secret: &[u8; 32]) -> Option<DeviceKey> {
        let payload = Payload { msg: &self.locked, aad: &self.about() };
        let key = XChaCha20Poly1305::new(&(*secret).into()).decrypt(&self.nonce.into(), payload).ok()?;
        let key = Zeroizing::new(key);
        Some(DeviceKey(Zeroizing::new(key.as_slice().try_into().ok()?)))
    }

    fn about(&self) -> Vec<u8> {
        [MAGIC.as_slice(), &self.name].concat()
    }

    fn of(key: &DeviceKey, secret: &[u8; 32], name: [u8; 16]) -> Result<Wrapped, StoreFault> {
        let mut wrapped = Wrapped { name, nonce: [0; 24], locked: Vec::new() };
        random(&mut wrapped.nonce).map_err(|e| StoreFault(e.what))?;
        let payload = Payload { msg: key.0.as_ref(), aad: &wrapped.about() };
        let locked = XChaCha20Poly1305::new(&(*secret).into()).encrypt(&wrapped.nonce.into(), payload);
        wrapped.locked = locked.map_err(|_| StoreFault("the key could not be locked".to_owned()))?;
        Ok(wrapped)
    }

    fn bytes(&self) -> Vec<u8> {
        [MAGIC.as_slice(), &self.name, &self.nonce, &self.locked].concat()
    }
}

/// Locks the key with a fresh secret of the store. Durable, and tried once from the disk and the store, before it
/// returns.
pub fn lock(dir: &Path, key: &DeviceKey, store: &dyn KeyStore) -> Result<(), StoreFault> {
    let (mut name, mut secret) = ([0; 16], Zeroizing::new([0; 32]));
    random(&mut name).and_then(|()| random(secret.as_mut())).map_err(|e| StoreFault(e.what))?;
    let wrapped = Wrapped::of(key, &secret, name)?;
    store.keep(&wrapped.secret_name(), &secret)?;
    if store.secret(&wrapped.secret_name())?.as_deref() != Some(&*secret) {
        return Err(StoreFault("it does not give back what it was given".to_owned()));
    }
    let on_disk = |e: std::io::Error| StoreFault(format!("the locked key could not be written: {e}"));
    write_private(dir, WRAPPED_FILE, &wrapped.bytes()).map_err(on_disk)?;
    failpoint!("key.locked");
    let read = Wrapped::read(dir).map_err(on_disk)?;
    let opened = read.and_then(|read| read.open(Some(store)).ok());
    match opened.is_some_and(|opened| opened.is(key)) {
        true => Ok(()),
        false => Err(StoreFault("the locked key does not open again".to_owned())),
    }
}

/// The same for a key that lies there as it is, which goes once the locked one was seen to open.
pub fn take_over(dir: &Path, key: &DeviceKey, store: &dyn KeyStore) -> Result<(), StoreFault> {
    lock(dir, key, store)?;
    forget_plain(dir).map_err(|e| StoreFault(format!("the key file could not be removed: {e}")))?;
    tracing::info!("this tablet's key is in the machine's key store from now on");
    Ok(())
}

pub fn forget_plain(dir: &Path) -> IoResult<()> {
    failpoint!("key.doubled");
    // From here on only the locked one is a key: it has just been seen to open.
    overwrite(&dir.join(KEY_FILE))?;
    disk::sync_folder(dir)
}

/// With zeros before it is removed. A disk that moves what it overwrites may keep it: that is what disk encryption is
/// for.
pub fn overwrite(path: &Path) -> IoResult<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    disk::write_at(&file, &vec![0; length.min(4096)], 0)?;
    disk::sync(&file)?;
    disk::remove(path)
}

fn refused(why: &str) -> Refusal {
    Refusal::new(
        "key.store",
        format!("This machine's key store does not give out what this tablet's key is locked with: {why}."),
        "Start Lamplight as the user who set this tablet up, with the key store unlocked. Where it is gone for good, \
         the facility opens a copy of this folder: lamplight-server recover.",
    )
}
