//! Moved to another ward at the station: the tablet hears that its ward's feed is not its own any more, sends all that
//! it has, and goes over to the ward that the roster names. Nobody needs to touch it, and nothing half-made is lost.

use super::pull::Pulled;
use super::push::{Pushing, local};
use crate::file::{lock, meta};
use crate::known::{CONTACTS, Known};
use crate::tablet::Inner;
use crate::trouble;
use lamplight_domain::ids::WardId;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::Roster;
use lamplight_domain::wire::{ContactMark, Facility, FeedAsk, FeedFrom, OWN_WARD, Trouble};
use std::sync::Arc;

/// The server said so when it was asked last; for the screens, also after a restart.
const REVOKED: &str = "revoked";

impl Inner {
    /// After "ward.not_yours", which comes back where the tablet was not moved.
    pub(super) async fn follow_a_move<F: Facility + Sync>(
        self: &Arc<Self>,
        facility: &F,
        asked: FeedAsk,
        refusal: Refusal,
    ) -> Result<Pulled, Trouble> {
        // Everything was seen on the ward on which it was recorded.
        self.push_all(facility, &mut Pushing::default(), true).await?;
        let ask = FeedAsk {
            ward: OWN_WARD,
            from: FeedFrom::Opening,
            // Only the roster is wanted: the new ward's feed is read from where this tablet stands in it.
            limit: 1,
            wait_ms: 0,
            roster_version: 0,
            own_by_hash: false,
            ..asked
        };
        let page = match self.page_of(facility, ask).await {
            Err(Trouble::Refused(other)) if other.code == refusal.code => return Err(Trouble::Refused(refusal)),
            page => page?,
        };
        let Some(roster) = page.header.roster else { return Err(Trouble::Refused(refusal)) };
        self.blocking(move |inner| {
            let tablet = inner.identity().map(|i| i.tablet);
            let placed = roster.tablets.iter().find(|t| Some(t.id) == tablet).map(|t| t.ward);
            match placed.filter(|ward| *ward != asked.ward) {
                Some(ward) => inner.go_over(ward, roster),
                None => Err(Trouble::Refused(refusal)),
            }
        })
        .await?;
        Ok(Pulled { rows: 0, more: true, ask_heads: true })
    }

    /// The roster first: a crash after it finds the old ward refused once more, and comes here again.
    fn go_over(&self, ward: WardId, roster: Roster) -> Result<(), Trouble> {
        let name = roster.ward(ward).map(|w| w.name.clone()).unwrap_or_default();
        // Nothing is recorded between the two wards.
        let _hand = lock(&self.pen);
        let identity = self.identity().ok_or_else(|| Trouble::Refused(crate::record::join_first()))?;
        self.take_roster_of(roster, true)?;
        let mut moved = identity.as_ref().clone();
        moved.ward = ward;
        self.set_identity(moved).map_err(local)?;
        self.records.write(|to| meta::set(to, CONTACTS, &Vec::<ContactMark>::new())).map_err(local)?;
        let known = Known::load(&self.records, &self.identity_file, self.now().best()).map_err(local)?;
        *self.known_mut() = known;
        tracing::warn!(%ward, "this tablet was moved to another ward");
        self.set_trouble(true, trouble::moved(&name));
        self.changed();
        Ok(())
    }

    /// The server reads no more to this tablet, or does again.
    pub(super) fn note_revoked(&self, is_revoked: bool) {
        if lock(&self.troubles).has(trouble::REVOKED) == is_revoked {
            return;
        }
        self.set_trouble(is_revoked, trouble::revoked());
        if let Err(broken) = self.records.write(|to| meta::set(to, REVOKED, &is_revoked)) {
            tracing::warn!(?broken, "whether this tablet is in use could not be written down");
        }
        self.changed();
    }

    pub(crate) fn tell_of_revoking(&self) -> Result<(), crate::file::Broken> {
        if self.records.read(|from| meta::get::<bool>(from, REVOKED))?.unwrap_or(false) {
            lock(&self.troubles).add(trouble::revoked());
        }
        Ok(())
    }
}
