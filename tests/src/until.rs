//! Waiting for a condition, never for a time: a test that waits 2 s "to be sure" is slow where it could be fast and
//! wrong where the machine is slow.

use std::time::{Duration, Instant};

/// How long anything may take on a busy machine before a test gives up. Not a measure of how long it should take.
pub const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN: Duration = Duration::from_millis(25);

/// Asks again and again until there is an answer.
///
/// # Panics
/// After [`PATIENCE`], naming what did not come.
pub async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    match within(PATIENCE, ask).await {
        Some(answer) => answer,
        None => panic!("gave up after {} s waiting for: {what}", PATIENCE.as_secs()),
    }
}

/// As [`until`], with a time of its own; None when it is over.
pub async fn within<T>(patience: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask().await {
            return Some(answer);
        }
        if Instant::now() > deadline {
            return None;
        }
        tokio::time::sleep(BETWEEN).await;
    }
}

/// As [`until`], for code that runs in no async runtime.
///
/// # Panics
/// After [`PATIENCE`], naming what did not come.
pub fn until_blocking<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "gave up after {} s waiting for: {what}", PATIENCE.as_secs());
        std::thread::sleep(BETWEEN);
    }
}
