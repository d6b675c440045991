//! Sync in the background: send after every save, listen to the feed by long poll, and after a failure try again
//! within two seconds.

use super::backoff::{Backoff, jitter};
use super::client::Client;
use super::push::{Pushing, local};
use crate::file::lock;
use crate::known::IN_MEMORY_MS;
use crate::tablet::{Inner, Tablet};
use lamplight_domain::wire::{Trouble, WAIT_MAX_MS};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Without news the chain's place and the clocks are compared this often, and what is old is pruned.
const COMPARE_EVERY: Duration = Duration::from_secs(3_600);

/// What the sending and the listening half tell each other.
#[derive(Default)]
struct Line {
    /// The connection is dead: do not wait for a long poll to notice.
    lost: Notify,
    /// The server answers again: do not wait for the back-off to end.
    back: Notify,
    /// Compare heads, also if nothing waits.
    compare: Notify,
}

impl Tablet {
    /// Keeps this tablet in sync until [`Tablet::stop`]; waits for the joining where that has not happened yet.
    pub async fn run(&self) {
        let mut stopped = self.0.stopped.subscribe();
        let inner = self.0.clone();
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => {}
            () = inner.keep_in_sync() => {}
        }
    }
}

impl Inner {
    async fn keep_in_sync(self: Arc<Self>) {
        let mut changes = self.changes.subscribe();
        while self.identity().is_none() {
            // The sender lives in `self`.
            let _ = changes.changed().await;
        }
        loop {
            let client = match self.client() {
                Ok(client) => client,
                Err(trouble) => return self.failed(&trouble),
            };
            let line = Line::default();
            tokio::select! {
                _ = async { tokio::join!(self.keep_sending(&client, &line), self.keep_listening(&client, &line)) } => return,
                // What was under way begins anew over connections that trust whom the facility names now.
                () = self.new_authorities.notified() => {}
            }
        }
    }

    async fn keep_sending(self: &Arc<Self>, client: &Client, line: &Line) {
        let (mut pushing, mut backoff, mut compare) = (Pushing::default(), Backoff::default(), true);
        let mut next_compare = Instant::now() + COMPARE_EVERY;
        loop {
            if Instant::now() >= next_compare {
                (compare, next_compare) = (true, Instant::now() + COMPARE_EVERY);
                self.forget_old();
                // A fault of the file stops no sync; the next hour tries again.
                let _ = self.blocking(|inner| inner.prune().map_err(local)).await;
            }
            let sent = match compare {
                true => self.greet_and_push(client, &mut pushing).await,
                false => self.push_all(client, &mut pushing, false).await.map(|_| ()),
            };
            match sent {
                Ok(()) => {
                    backoff.reset();
                    compare = tokio::select! {
                        () = self.to_send.notified() => false,
                        () = line.compare.notified() => true,
                        () = tokio::time::sleep_until(next_compare) => true,
                    };
                }
                Err(trouble) => {
                    self.failed(&trouble);
                    if matches!(trouble, Trouble::Unreachable(_)) {
                        line.lost.notify_one();
                    }
                    tokio::select! {
                        () = tokio::time::sleep(backoff.after(&trouble, jitter)) => {}
                        () = line.back.notified() => {}
                    }
                }
            }
        }
    }

    async fn greet_and_push(self: &Arc<Self>, client: &Client, pushing: &mut Pushing) -> Result<(), Trouble> {
        self.greet(client).await?;
        self.push_all(client, pushing, true).await.map(|_| ())
    }

    async fn keep_listening(self: &Arc<Self>, client: &Client, line: &Line) {
        if self.is_frozen() {
            // Pages could not be kept.
            return std::future::pending().await;
        }
        let (mut backoff, mut wait_ms, mut was_lost, mut ahead) = (Backoff::default(), 0, false, None);
        loop {
            let page = tokio::select! {
                page = self.pull_page(client, wait_ms, &mut ahead) => page,
                // The sending half has just met a dead connection: this one is dead too.
                () = line.lost.notified() => Err(Trouble::Unreachable("the connection broke".to_owned())),
            };
            match page {
                Ok(pulled) => {
                    backoff.reset();
                    wait_ms = if pulled.more { 0 } else { WAIT_MAX_MS };
                    if std::mem::take(&mut was_lost) {
                        line.back.notify_one();
                    }
                    if pulled.ask_heads {
                        line.compare.notify_one();
                    }
                }
                Err(trouble) => {
                    self.failed(&trouble);
                    (wait_ms, was_lost) = (0, true);
                    // It may not know this tablet (any more): the sending half introduces it.
                    if matches!(trouble, Trouble::Refused(_)) {
                        line.compare.notify_one();
                    }
                    tokio::time::sleep(backoff.after(&trouble, jitter)).await;
                }
            }
        }
    }

    /// Keeps the memory flat over weeks; the file keeps everything.
    fn forget_old(&self) {
        lock(&self.troubles).over("tablet.moved");
        let now = self.now();
        let before = now.best() - IN_MEMORY_MS;
        let mut known = self.known_mut();
        let Some(roster) = known.roster.clone() else { return };
        known.records.forget_before(before, &roster, now);
    }
}
