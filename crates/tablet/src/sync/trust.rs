//! What the facility says of its own keys, with a page: whom to trust from now on, and what to seal this tablet's key
//! to. Signed by the facility, so that nobody between changes it; the later word holds.

use super::client::not_the_server;
use super::push::local;
use crate::file::lock;
use crate::tablet::Inner;
use lamplight_domain::chain::{Trust, pem};
use lamplight_domain::wire::Trouble;

impl Inner {
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
