//! A key store for tests: one secret a file in a folder of its own. A machine's real one is reached over a session bus,
//! which a test must not need; where there is one, it is tried in `tests/tests/sync/secret_service.rs`.

use lamplight_tablet::{KeyStore, StoreFault};
use std::io::ErrorKind;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Made beforehand: where the folder is not there, the store does not work.
pub struct FolderStore(pub PathBuf);

impl FolderStore {
    fn path(&self, name: &str) -> Result<PathBuf, StoreFault> {
        match self.0.is_dir() {
            true => Ok(self.0.join(name)),
            false => Err(StoreFault("it is not there".to_owned())),
        }
    }
}

fn fault(e: &std::io::Error) -> StoreFault {
    StoreFault(e.to_string())
}

impl KeyStore for FolderStore {
    fn secret(&self, name: &str) -> Result<Option<Zeroizing<[u8; 32]>>, StoreFault> {
        match std::fs::read(self.path(name)?) {
            Ok(bytes) => Ok(bytes.try_into().ok().map(Zeroizing::new)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(fault(&e)),
        }
    }
    fn keep(&self, name: &str, secret: &[u8; 32]) -> Result<(), StoreFault> {
        std::fs::write(self.path(name)?, secret).map_err(|e| fault(&e))
    }
    fn forget(&self, name: &str) -> Result<(), StoreFault> {
        match std::fs::remove_file(self.path(name)?) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(fault(&e)),
            _ => Ok(()),
        }
    }
}
