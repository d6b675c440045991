//! How many batches are under way. Where they are many (the network is back for a whole hospital), pages of feeds wait a
//! little: what is not confirmed yet comes before what is only read.

use std::time::Duration;
use tokio::sync::watch;

/// So many beside each other are every day's.
const FEW: usize = 2;
/// A page waits no longer than this, however many there are: boards go on, a little behind.
const PATIENCE: Duration = Duration::from_secs(1);

pub struct Pushes(watch::Sender<usize>);

/// Counted until it is dropped.
pub struct UnderWay<'a>(&'a Pushes);

impl Pushes {
    pub fn new() -> Pushes {
        Pushes(watch::Sender::new(0))
    }

    pub fn begin(&self) -> UnderWay<'_> {
        self.0.send_modify(|n| *n += 1);
        UnderWay(self)
    }

    /// Returns when there are few, or it is time all the same.
    pub async fn few(&self) {
        self.few_within(PATIENCE).await;
    }

    async fn few_within(&self, patience: Duration) {
        let mut seen = self.0.subscribe();
        let _ = tokio::time::timeout(patience, seen.wait_for(|n| *n <= FEW)).await;
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|n| *n -= 1);
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
        assert_eq!(*pushes.0.borrow(), 0);
    }
}
