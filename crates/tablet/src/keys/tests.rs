//! The key stays what it is, whoever keeps it and whatever is cut off.

use super::wrapped::WRAPPED_FILE;
use super::*;
use crate::file::lock;
use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// A machine's key store as a tablet sees it.
#[derive(Default)]
struct Fake {
    held: Mutex<HashMap<String, [u8; 32]>>,
    is_locked: AtomicBool,
    /// Says that it has kept it, and has not.
    forgets: AtomicBool,
}

impl KeyStore for Fake {
    fn secret(&self, name: &str) -> Result<Option<Zeroizing<[u8; 32]>>, StoreFault> {
        match self.is_locked.load(Ordering::SeqCst) {
            true => Err(StoreFault("it is locked".to_owned())),
            false => Ok(lock(&self.held).get(name).copied().map(Zeroizing::new)),
        }
    }
    fn keep(&self, name: &str, secret: &[u8; 32]) -> Result<(), StoreFault> {
        if self.is_locked.load(Ordering::SeqCst) {
            return Err(StoreFault("it is locked".to_owned()));
        }
        if !self.forgets.load(Ordering::SeqCst) {
            lock(&self.held).insert(name.to_owned(), *secret);
        }
        Ok(())
    }
    fn forget(&self, name: &str) -> Result<(), StoreFault> {
        lock(&self.held).remove(name);
        Ok(())
    }
}

fn code<T>(found: Result<T, Refusal>) -> String {
    found.err().unwrap().code
}

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
    assert_eq!(code(DeviceKey::of(dir.path(), true)), "key.wrong");
    std::fs::remove_file(dir.path().join(KEY_FILE)).unwrap();
    assert_eq!(code(DeviceKey::of(dir.path(), true)), "key.missing");
}

#[test]
fn a_cut_between_key_and_check_value_is_mended() {
    for store in [None, Some(Fake::default())] {
        let dir = tempfile::tempdir().unwrap();
        let store = store.as_ref().map(|s| s as &dyn KeyStore);
        let (first, _) = open(dir.path(), false, store).unwrap();
        std::fs::remove_file(dir.path().join(CHECK_FILE)).unwrap();
        assert!(open(dir.path(), false, store).unwrap().0.is(&first));
        assert!(open(dir.path(), true, store).is_ok());
    }
}

#[test]
fn with_a_key_store_neither_folder_nor_store_alone_opens_anything() {
    let (dir, store) = (tempfile::tempdir().unwrap(), Fake::default());
    let (key, protection) = open(dir.path(), false, Some(&store)).unwrap();
    assert_eq!(protection, Protection::KeyStore);
    for entry in std::fs::read_dir(dir.path()).unwrap().map(Result::unwrap) {
        let bytes = std::fs::read(entry.path()).unwrap();
        assert!(!bytes.windows(32).any(|w| w == key.0.as_slice()), "{:?} holds the key", entry.path());
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(lock(&store.held).values().all(|secret| secret != &*key.0));
    assert!(open(dir.path(), true, Some(&store)).unwrap().0.is(&key));
    assert_eq!(code(open(dir.path(), true, None)), "key.store");
    assert_eq!(code(open(dir.path(), true, Some(&Fake::default()))), "key.store", "another user's store");
    store.is_locked.store(true, Ordering::SeqCst);
    let refusal = open(dir.path(), true, Some(&store)).err().unwrap();
    assert_eq!(refusal.code, "key.store");
    assert!(refusal.what.contains("it is locked") && refusal.next.contains("recover"), "{refusal}");
    store.is_locked.store(false, Ordering::SeqCst);
    let mut bent = std::fs::read(dir.path().join(WRAPPED_FILE)).unwrap();
    *bent.last_mut().unwrap() ^= 1;
    std::fs::write(dir.path().join(WRAPPED_FILE), bent).unwrap();
    assert_eq!(code(open(dir.path(), true, Some(&store))), "key.store");
}

#[test]
fn a_key_file_is_taken_over_once_and_stays_where_the_store_does_not_work() {
    let dir = tempfile::tempdir().unwrap();
    let key = DeviceKey::of(dir.path(), false).unwrap();
    let fails: [fn(&Fake); 2] =
        [|s| s.is_locked.store(true, Ordering::SeqCst), |s| s.forgets.store(true, Ordering::SeqCst)];
    for fail in fails {
        let store = Fake::default();
        fail(&store);
        let (found, protection) = open(dir.path(), true, Some(&store)).unwrap();
        assert!(found.is(&key) && protection == Protection::KeyFileForNow);
        assert!(protection.words().contains("unlock the key store"));
        assert!(dir.path().join(KEY_FILE).exists(), "the only key there is");
    }
    let store = Fake::default();
    let (found, protection) = open(dir.path(), true, Some(&store)).unwrap();
    assert!(found.is(&key) && protection == Protection::KeyStore);
    assert!(!dir.path().join(KEY_FILE).exists());
    assert!(open(dir.path(), true, Some(&store)).unwrap().0.is(&key));
    assert_eq!(lock(&store.held).len(), 1, "and not again at every start");
}

#[test]
fn wherever_a_taking_over_is_cut_off_a_key_is_found_at_the_next_start() {
    let (dir, store) = (tempfile::tempdir().unwrap(), Fake::default());
    let key = DeviceKey::of(dir.path(), false).unwrap();
    wrapped::lock(dir.path(), &key, &store).unwrap();
    // Cut off before the plain one went: either opens it.
    assert!(open(dir.path(), true, None).unwrap().0.is(&key));
    assert!(open(dir.path(), true, Some(&Fake::default())).unwrap().0.is(&key), "also with a store that was wiped");
    let (dir, store) = (tempfile::tempdir().unwrap(), Fake::default());
    let key = DeviceKey::of(dir.path(), false).unwrap();
    wrapped::lock(dir.path(), &key, &store).unwrap();
    // Cut off in the middle of overwriting it.
    std::fs::write(dir.path().join(KEY_FILE), [0; 32]).unwrap();
    assert!(open(dir.path(), true, Some(&store)).unwrap().0.is(&key));
    assert!(!dir.path().join(KEY_FILE).exists());
    // What was put back by hand and does not fit does not stand in the way, and is not thrown away.
    std::fs::write(dir.path().join(KEY_FILE), [7; 32]).unwrap();
    assert!(open(dir.path(), true, Some(&store)).unwrap().0.is(&key));
    assert!(dir.path().join(KEY_FILE).exists());
    assert_eq!(code(open(dir.path(), true, None)), "key.store", "the store is what is missing, not the key");
}
