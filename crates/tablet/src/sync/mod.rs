//! Sync with the facility server. No network inside a transaction, no lock held across the network.

mod backoff;
pub(crate) mod client;
#[cfg(test)]
mod client_tests;
#[cfg(test)]
pub(crate) mod fake;
mod heal;
mod http;
mod join;
mod missing;
mod moved;
#[cfg(test)]
mod moved_tests;
pub(crate) mod offer;
mod over;
mod pull;
mod push;
mod run;
#[cfg(test)]
mod tests;
mod tls;
mod trust;
#[cfg(test)]
mod vector_tests;
mod witness;

use crate::contact::Exchange;
use crate::file::lock;
use crate::record::Entry;
use crate::tablet::{Inner, Tablet};
use crate::trouble;
use client::Client;
use lamplight_domain::kinds::{ClockMeasured, Event};
use lamplight_domain::record::Auth;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::MINUTE_MS;
use lamplight_domain::wire::{Facility, HelloAnswer, Trouble};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A clock that is further off makes every time on this tablet doubtful.
const CLOCK_SUSPECT_MS: i64 = MINUTE_MS;

/// What one sync did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct SyncReport {
    /// Own links that the server confirmed.
    pub pushed: u64,
    /// Rows of the feed that were taken in.
    pub pulled: u64,
    pub requests: u64,
    /// Bytes of request bodies as sent, and of answers as received.
    pub bytes_sent: u64,
    pub bytes_received: u64,
}

impl Tablet {
    /// Sends all that waits and reads the feed to its end, once, without waiting for news.
    /// Errors: [`Trouble`]; what was confirmed or read before it stays so.
    pub async fn sync_now(&self) -> Result<SyncReport, Trouble> {
        let mut report = SyncReport::default();
        let client = self.0.kept_client()?;
        let was_kept = !client.is_fresh();
        let mut done = self.0.sync_counted(&client, &mut report).await;
        if was_kept && matches!(done, Err(Trouble::Unreachable(_))) {
            // The kept connection may be of a server that was started again since.
            lock(&self.0.client).take();
            done = self.0.sync_counted(&*self.0.kept_client()?, &mut report).await;
        }
        match done {
            Ok(()) => Ok(report),
            Err(trouble) => {
                self.0.failed(&trouble);
                Err(trouble)
            }
        }
    }
}

impl Inner {
    async fn sync_counted(self: &Arc<Self>, client: &Client, report: &mut SyncReport) -> Result<(), Trouble> {
        let before = client.traffic();
        let done = self.sync_once(client, report, client.is_fresh()).await;
        let after = client.traffic();
        report.requests += after.requests - before.requests;
        report.bytes_sent += after.bytes_sent - before.bytes_sent;
        report.bytes_received += after.bytes_received - before.bytes_received;
        done
    }

    /// Push, pull to the end, push what the pull brought about (a clock measured, a server that went back).
    pub(crate) async fn sync_once<F: Facility + Sync>(
        self: &Arc<Self>,
        facility: &F,
        report: &mut SyncReport,
        is_first: bool,
    ) -> Result<(), Trouble> {
        let mut pushing = push::Pushing::default();
        if is_first {
            self.greet(facility).await?;
        }
        report.pushed += self.push_all(facility, &mut pushing, true).await?;
        if self.is_frozen() {
            return Ok(());
        }
        let (mut ask_heads, mut ahead) = (false, None);
        loop {
            let pulled = self.pull_page(facility, 0, &mut ahead).await?;
            report.pulled += pulled.rows;
            ask_heads |= pulled.ask_heads;
            if !pulled.more {
                break;
            }
        }
        report.pushed += self.push_all(facility, &mut pushing, ask_heads).await?;
        Ok(())
    }

    /// The first request of a contact: is it the right server, and what time is it there?
    async fn greet<F: Facility + Sync>(self: &Arc<Self>, facility: &F) -> Result<(), Trouble> {
        let asked = self.clock.read();
        let hello = facility.hello().await?;
        let exchange = Exchange { asked, answered: self.clock.read(), server: hello.server_time, waited: false };
        self.blocking(move |inner| {
            inner.heard(&exchange);
            Ok(())
        })
        .await
    }

    /// The client of [`Tablet::sync_now`], kept so that its connection stays warm.
    fn kept_client(self: &Arc<Self>) -> Result<Arc<Client>, Trouble> {
        if let Some(client) = lock(&self.client).clone() {
            return Ok(client);
        }
        let client = Arc::new(self.client()?);
        Ok(lock(&self.client).get_or_insert(client).clone())
    }

    /// A client that signs as any author that this tablet is or was at the time of each request.
    fn client(self: &Arc<Self>) -> Result<Client, Trouble> {
        let identity = self.identity().ok_or_else(|| Trouble::Refused(crate::record::join_first()))?;
        let floor = lock(&self.contact).last.map_or(identity.joined_at, |last| last.max(identity.joined_at));
        let (heard, signer) = (Arc::downgrade(self), Arc::downgrade(self));
        let last = Arc::new(move || lock(&heard.upgrade()?.contact).server_time);
        let time = tls::Time::new(self.clock.clone(), floor, last);
        let signer = Arc::new(move |author| signer.upgrade()?.identity()?.author_of(author).map(|own| own.key()));
        let learns = Arc::downgrade(self);
        let known_by = Arc::new(move |hello: &HelloAnswer| {
            learns.upgrade().map_or(Ok(()), |inner| inner.take_facility_key(hello))
        });
        Client::of_identity(&identity, time, known_by, signer, self.compress, self.packed.clone())
    }

    /// An answer came: contact, server time, perhaps a clock measurement as a record.
    fn heard(&self, exchange: &Exchange) {
        let (was_online, record, error_ms) = {
            let mut contact = lock(&self.contact);
            let was_online = contact.online;
            let record = contact.is_worth_recording(exchange);
            contact.heard(exchange);
            (was_online, record, contact.clock_error_ms.unwrap_or(0))
        };
        for code in ["server.not_the_facility", "sync.refused"] {
            lock(&self.troubles).over(code);
        }
        self.set_trouble(error_ms.abs() > CLOCK_SUSPECT_MS, trouble::clock(error_ms));
        if record && !self.is_frozen() {
            self.measured(exchange);
        }
        if !was_online {
            tracing::info!("in touch with the facility server");
            self.changed();
        }
    }

    fn measured(&self, exchange: &Exchange) {
        let event = Event::ClockMeasured(ClockMeasured {
            server: exchange.server,
            wall: exchange.wall(),
            round_trip_ms: exchange.round_trip_ms(),
        });
        let entry = Entry { by: None, auth: Auth::None, stay: None, id: None, event, observed_at: None };
        match self.record(entry) {
            Ok(_) => lock(&self.contact).recorded(exchange),
            Err(refusal) => tracing::warn!(code = %refusal.code, "a clock measurement was not recorded"),
        }
    }

    /// A request failed.
    fn failed(&self, trouble: &Trouble) {
        let reached = matches!(trouble, Trouble::Refused(_) | Trouble::Busy { .. });
        let was_online = {
            let mut contact = lock(&self.contact);
            let before = contact.online;
            contact.online &= reached;
            before
        };
        let known = match trouble {
            Trouble::NotTheServer(why) => Some(Refusal::new(
                "server.not_the_facility",
                format!("There is a network, but what answers is not the facility server: {why}."),
                "Check the network of this tablet, such as a login page; go on recording.",
            )),
            // It stands on the screens under its own name.
            Trouble::Refused(refusal) if refusal.code == trouble::REVOKED => None,
            Trouble::Refused(refusal) => Some(Refusal::new("sync.refused", refusal.what.clone(), refusal.next.clone())),
            Trouble::Unreachable(_) | Trouble::Busy { .. } => None,
        };
        let is_news = known.is_some_and(|refusal| lock(&self.troubles).add(refusal));
        if is_news || (was_online && !reached) {
            tracing::info!(%trouble, "sync stopped");
            self.changed();
        }
    }

    /// Runs work on the file off the async threads.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Inner) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let inner = self.clone();
        let at_work = AtWork::begin(self);
        let mended = move || {
            let _at_work = at_work;
            work(&inner).inspect_err(|trouble| {
                if let Trouble::Refused(refusal) = trouble {
                    inner.mend_after(refusal);
                }
            })
        };
        tokio::task::spawn_blocking(mended).await.unwrap_or_else(|_| {
            let fault = Refusal::new("program.fault", "Sync met a fault in this program.", "Restart Lamplight.");
            Err(Trouble::Refused(fault))
        })
    }
}

/// Counts as long as it is there.
struct AtWork(Arc<Inner>);

impl AtWork {
    fn begin(inner: &Arc<Inner>) -> AtWork {
        inner.at_work.fetch_add(1, Ordering::SeqCst);
        AtWork(inner.clone())
    }
}
impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Ordering::SeqCst);
    }
}
