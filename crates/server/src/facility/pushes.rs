//! How many batches are under way. Where they are many (the network is back for a whole hospital), pages of feeds wait a
//! little: what is not confirmed yet comes before what is only read. And few are unpacked at once: unpacked and read, each
//! takes many times the memory that it takes packed.

use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

/// So many beside each other are every day's.
const FEW: usize = 2;
/// A page waits no longer than this, however many there are: boards go on, a little behind.
const PATIENCE: Duration = Duration::from_secs(1);

/// Big batches that are unpacked at once: they share a commit, and there is one writer.
const UNPACKED: usize = 8;
/// A packed batch of this size is an entry or a few, as they come all day: it waits for no turn.
const SMALL_BYTES: usize = 2 * 1024;

pub struct Pushes {
    under_way: watch::Sender<usize>,
    unpacked: Semaphore,
}

/// Counted until it is dropped.
pub struct UnderWay<'a>(&'a Pushes);

impl Pushes {
    pub fn new() -> Pushes {
        Pushes { under_way: watch::Sender::new(0), unpacked: Semaphore::new(UNPACKED) }
    }

    pub fn begin(&self) -> UnderWay<'_> {
        self.under_way.send_modify(|n| *n += 1);
        UnderWay(self)
    }

    /// The turn of a batch of `packed_bytes` to be unpacked: until it is dropped. None where it needs none.
    pub async fn turn(&self, packed_bytes: usize) -> Option<SemaphorePermit<'_>> {
        if packed_bytes <= SMALL_BYTES {
            return None;
        }
        // It is never closed, so it always comes.
        self.unpacked.acquire().await.ok()
    }

    /// Returns when there are few, or it is time all the same.
    pub async fn few(&self) {
        self.few_within(PATIENCE).await;
    }

    async fn few_within(&self, patience: Duration) {
        let mut seen = self.under_way.subscribe();
        let _ = tokio::time::timeout(patience, seen.wait_for(|n| *n <= FEW)).await;
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|n| *n -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_page_waits_while_there_are_many_and_never_for_ever() {
        let (pushes, long, short) = (Pushes::new(), Duration::from_secs(3_600), Duration::from_millis(20));
        let mut some: Vec<UnderWay<'_>> = (0..FEW).map(|_| pushes.begin()).collect();
        pushes.few_within(long).await;
        some.push(pushes.begin());
        let waits = tokio::time::timeout(short, pushes.few_within(long)).await.is_err();
        assert!(waits, "more hold a page up");
        pushes.few_within(short).await;
        tokio::join!(pushes.few_within(long), async { drop(some.pop()) });
        drop(some);
        assert_eq!(*pushes.under_way.borrow(), 0);
    }

    #[tokio::test]
    async fn few_big_batches_are_unpacked_at_once_and_a_small_one_waits_for_none_of_them() {
        let (pushes, short) = (Pushes::new(), Duration::from_millis(20));
        let mut turns = Vec::new();
        for _ in 0..UNPACKED {
            turns.push(pushes.turn(SMALL_BYTES + 1).await);
        }
        assert!(pushes.turn(SMALL_BYTES).await.is_none());
        let one_more = tokio::time::timeout(short, pushes.turn(SMALL_BYTES + 1)).await.is_ok();
        assert!(!one_more, "nine are unpacked");
        drop(turns.pop());
        assert!(pushes.turn(SMALL_BYTES + 1).await.is_some());
    }
}
