//! Who did what that is no observation, as records of the facility's own feed. What is changed is audited in the
//! transaction that changes it ([`super::change`]); what is only done or tried, here.

use super::own::{Own, OwnAuthor};
use super::{FacilityServer, Identity, change};
use crate::store::StoreError;
use crate::surroundings::Surroundings;
use lamplight_domain::ids::{StaffId, WardId};
use lamplight_domain::kinds::{Act, Audit, Event};
use rusqlite::{Connection, TransactionBehavior};

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

/// What was done where nobody serves, or beside whoever does, and nothing else is changed.
pub fn on_record(db: &mut Connection, around: &Surroundings, act: Act, what: &str) -> Result<(), StoreError> {
    let identity = Identity::read(db)?;
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let audit = Audit { what: what.to_owned(), ..Audit::of(act) };
    change(&tx, &identity, &OwnAuthor::new(&identity, around), around, None, |changing| Ok(changing.audit(audit)?))?;
    Ok(tx.commit()?)
}
