//! What the facility says of its own keys, with a page: whom to trust from now on, and what to seal this tablet's key
//! to. Signed by the facility, so that nobody between changes it; the later word holds.

use super::client::{leads_to, not_the_server};
use super::push::local;
use crate::file::lock;
use crate::tablet::Inner;
use lamplight_domain::chain::{Trust, pem};
use lamplight_domain::wire::{HelloAnswer, Trouble};
use std::sync::{Arc, PoisonError};

impl Inner {
    /// The facility's present key, where the one that this tablet knows leads to it: durable before anything that it signed
    /// is believed, and from then on the former one signs nothing new. Errors: where nothing leads there.
    pub(crate) fn take_facility_key(&self, hello: &HelloAnswer) -> Result<(), Trouble> {
        let _hand = lock(&self.pen);
        let identity = self.identity().ok_or_else(|| Trouble::Refused(crate::record::join_first()))?;
        if !leads_to(&identity.facility_key, hello)? {
            return Ok(());
        }
        let mut next = identity.as_ref().clone();
        next.facility_key = hello.facility_key;
        next.successions = hello.known_successions();
        if self.is_frozen() {
            // For this process only: the newer program asks again.
            *self.identity.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(next));
            return Ok(());
        }
        self.set_identity(next).map_err(local)?;
        tracing::info!("the facility signs with another key now");
        Ok(())
    }

    /// Durable when it returns. Errors: where the facility did not sign it.
    pub(crate) fn take_trust(&self, said: Trust) -> Result<(), Trouble> {
        // Who this tablet is changes in one place at a time.
        let _hand = lock(&self.pen);
        let identity = self.identity().ok_or_else(|| Trouble::Refused(crate::record::join_first()))?;
        let authorities = said
            .authorities(&identity.facility_key, identity.facility)
            .ok_or_else(|| not_the_server("what it says of the facility's keys does not hold"))?;
        if identity.trust.as_ref().is_some_and(|known| known.since >= said.since) {
            return Ok(());
        }
        let mut next = identity.as_ref().clone();
        next.ca_pem = authorities.iter().map(|der| pem(der)).collect();
        next.trust = Some(said);
        let are_others = next.ca_pem != identity.ca_pem;
        let now = self.set_identity(next).map_err(local)?;
        self.begin_renewal(&now);
        if are_others {
            tracing::info!("the facility's certificate authorities are others now");
            lock(&self.client).take();
            self.new_authorities.notify_one();
        }
        Ok(())
    }
}
