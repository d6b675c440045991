//! Who did what that is no observation, as records of the facility's own feed. What is changed is audited in the
//! transaction that changes it ([`super::change`]); what is only done or tried, here.

use super::FacilityServer;
use super::own::Own;
use lamplight_domain::ids::{StaffId, WardId};
use lamplight_domain::kinds::{Audit, Event};

impl FacilityServer {
    /// Waits until it is durable. Where it cannot be written the log says so, and whoever wanted to look at a patient or
    /// to log in goes on: a full disk must not keep a nurse from the board.
    pub async fn audit(&self, by: Option<StaffId>, audit: Audit) {
        let act = audit.act;
        let own = Own { ward: WardId::FACILITY, stay: None, by, event: Event::Audit(audit) };
        if let Err(trouble) = self.record(own).await {
            tracing::error!(?act, %trouble, "an audit record was not written");
        }
    }
}
