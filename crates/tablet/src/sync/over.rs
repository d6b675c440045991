//! Sync by another way to the facility than HTTPS: a simulation's, where the server is in the same process and the
//! network is a list of things that happen to a request.

use super::SyncReport;
use super::push::Pushing;
use crate::tablet::Tablet;
use lamplight_domain::wire::{Facility, Trouble};
use std::sync::atomic::Ordering;

impl Tablet {
    /// As [`Tablet::sync_now`] over its first connection; only what went over the wire is not counted.
    pub async fn sync_over<F: Facility + Sync>(&self, facility: &F) -> Result<SyncReport, Trouble> {
        let mut report = SyncReport::default();
        self.told(self.0.sync_once(facility, &mut report, true).await)?;
        Ok(report)
    }

    /// The sending half of [`Tablet::run`], once: all that waits, and with `ask` where the chain stands even if nothing
    /// waits. Returns how many own links were confirmed.
    pub async fn send_over<F: Facility + Sync>(&self, facility: &F, ask: bool) -> Result<u64, Trouble> {
        self.told(self.0.push_all(facility, &mut Pushing::default(), ask).await)
    }

    /// The listening half of [`Tablet::run`], once: one page, without waiting for news. True where the chain's place
    /// at the server is to be asked for next.
    pub async fn listen_over<F: Facility + Sync>(&self, facility: &F) -> Result<bool, Trouble> {
        Ok(self.told(self.0.pull_page(facility, 0, &mut None).await)?.ask_heads)
    }

    /// The sync works on the files this moment. A history is the same every time only where nothing else happens
    /// meanwhile.
    pub fn is_at_work(&self) -> bool {
        self.0.at_work.load(Ordering::SeqCst) > 0
    }

    fn told<T>(&self, done: Result<T, Trouble>) -> Result<T, Trouble> {
        done.inspect_err(|trouble| self.0.failed(trouble))
    }
}
