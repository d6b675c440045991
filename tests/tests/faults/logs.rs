//! Everything that both programs log while something goes wrong, and a search of it for what must not be there.

use crate::house::CANARY;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once, PoisonError};

static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// Facilities of this process that will look when they go.
static LISTENING: AtomicUsize = AtomicUsize::new(0);

struct Logged;

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// To all that is said in this process from now on, down to the finest, until [`assert_clean`].
pub fn listen() {
    LISTENING.fetch_add(1, Ordering::SeqCst);
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let filter = tracing_subscriber::EnvFilter::new("trace,hyper=debug,h2=debug,rustls=debug");
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Logged).with_ansi(false).init();
    });
}

/// Must be in no log either.
pub fn keep_secret(secret: String) {
    SECRETS.lock().unwrap_or_else(PoisonError::into_inner).push(secret);
}

/// For each [`listen`] once. What the last one has searched is let go: what a test of thousands of tablets says would be
/// searched again for each of its facilities.
pub fn assert_clean(folder: &Path) {
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(!logged.is_empty(), "the logs were heard");
    assert_nothing_of_it(&logged, folder);
    if LISTENING.fetch_sub(1, Ordering::SeqCst) == 1 {
        logged.clear();
        SECRETS.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The patient's name and words, codes of invites, and every key under this folder, as text and as bytes.
pub fn assert_nothing_of_it(logged: &[u8], folder: &Path) {
    let mut secrets = vec![CANARY.as_bytes().to_vec(), b"slept well".to_vec()];
    secrets.extend(SECRETS.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|s| s.as_bytes().to_vec()));
    keys(folder, &mut secrets);
    for secret in secrets {
        let is_in = memchr::memmem::find(logged, &secret).is_some();
        assert!(!is_in, "logged: {}", String::from_utf8_lossy(&secret));
    }
}

fn keys(folder: &Path, into: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            keys(&path, into);
        } else if path.file_name().is_some_and(|name| name == "device.key" || name == "server.key") {
            let key = std::fs::read(&path).unwrap();
            into.push(key.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes());
            into.push(key);
        }
    }
    into.retain(|secret| secret.len() >= 8);
}

#[test]
fn what_must_not_be_logged_is_found_where_it_is() {
    let folder = crate::house::folder();
    std::fs::write(folder.path().join("device.key"), [0xA7; 32]).unwrap();
    assert_nothing_of_it(b"all is well", folder.path());
    for bad in [format!("family={CANARY}"), "a7".repeat(32)] {
        let found = std::panic::catch_unwind(|| assert_nothing_of_it(bad.as_bytes(), folder.path()));
        assert!(found.is_err(), "{bad}");
    }
}
