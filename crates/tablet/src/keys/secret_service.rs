//! The key store of a Linux desktop (the Secret Service: GNOME Keyring, KWallet, KeePassXC) over D-Bus. Of what Linux
//! has, it is what keeps a secret over a restart without system libraries; the kernel's keyring forgets at power off.

use super::{KeyStore, StoreFault};
use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use zbus_secret_service_keyring_store::Store;
use zeroize::Zeroizing;

/// Under this service, a secret's name is the user.
const SERVICE: &str = "care.lamplight.tablet";
/// A store that is locked asks a person, who may not be there; a start waits for one answer, and for no second one.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Default)]
pub struct SecretService {
    /// It let somebody wait already.
    is_silent: AtomicBool,
}

impl KeyStore for SecretService {
    fn secret(&self, name: &str) -> Result<Option<Zeroizing<[u8; 32]>>, StoreFault> {
        let found = self.on_entry(name, |entry| entry.get_secret().map(Zeroizing::new))?;
        let odd = || StoreFault("what it holds is no secret of Lamplight".to_owned());
        found.map(|bytes| bytes.as_slice().try_into().map(Zeroizing::new).map_err(|_| odd())).transpose()
    }

    fn keep(&self, name: &str, secret: &[u8; 32]) -> Result<(), StoreFault> {
        let secret = Zeroizing::new(*secret);
        self.on_entry(name, move |entry| entry.set_secret(secret.as_ref())).map(|_| ())
    }

    fn forget(&self, name: &str) -> Result<(), StoreFault> {
        self.on_entry(name, Entry::delete_credential).map(|_| ())
    }
}

impl SecretService {
    /// None where there is no such entry. On a thread of its own, so that a store that waits for somebody holds up nobody
    /// for longer than that.
    fn on_entry<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&Entry) -> keyring_core::Result<T> + Send + 'static,
    ) -> Result<Option<T>, StoreFault> {
        let silent = || StoreFault("it does not answer; it may be locked".to_owned());
        if self.is_silent.load(Ordering::SeqCst) {
            return Err(silent());
        }
        let (done, answer) = mpsc::channel();
        let name = name.to_owned();
        let asked = move || {
            let found = Store::new().and_then(|store| store.build(SERVICE, &name, None)).and_then(|entry| work(&entry));
            // Nobody waits any more where it came too late.
            let _ = done.send(match found {
                Err(Error::NoEntry) => Ok(None),
                found => found.map(Some).map_err(|error| in_words(&error)),
            });
        };
        std::thread::Builder::new()
            .name("key store".to_owned())
            .spawn(asked)
            .map_err(|e| StoreFault(format!("it could not be asked: {e}")))?;
        answer.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            self.is_silent.store(true, Ordering::SeqCst);
            Err(silent())
        })
    }
}

/// The library's own words may hold what was stored.
fn in_words(error: &Error) -> StoreFault {
    let why = match error {
        Error::NoStorageAccess(_) => "it is locked",
        Error::PlatformFailure(_) => "it is not there, or does not work",
        _ => "it cannot be used",
    };
    StoreFault(why.to_owned())
}
