//! After a fork (this tablet was restored or copied, or its file was damaged): a fresh author, endorsed by the old
//! one, writes down again every own body that the server lacks. Nothing is lost, nothing doubled.

use super::push::{Pushing, Stands, local, not_taken};
use crate::agree::{self, HEALING};
use crate::failpoint::failpoint;
use crate::file::{Broken, links, lock, meta};
use crate::tablet::Inner;
use crate::trouble;
use lamplight_domain::ids::AuthorId;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::{Facility, PushRefused, Trouble};
use std::sync::Arc;

/// A fresh author can only be forked by a copy made since; more than one in a row is some other fault.
const FORKS_MAX: usize = 3;

impl Inner {
    pub(super) fn is_healing(&self) -> Result<bool, Trouble> {
        self.records.look(agree::is_healing).map_err(local)
    }

    /// Takes a fresh author in place of the one whose chain the server does not share, and writes down under it what
    /// was not confirmed, so that it goes on being counted as waiting. Does nothing where that has happened already.
    /// `why` is shown to a person.
    pub(super) async fn begin_healing(self: &Arc<Self>, forked: AuthorId, why: Refusal) -> Result<(), Trouble> {
        self.blocking(move |inner| {
            let mut hand = lock(&inner.pen);
            let identity = inner.identity().ok_or_else(|| Trouble::Refused(crate::record::join_first()))?;
            if identity.author().is_none_or(|own| own.credential.author != forked) {
                return Ok(());
            }
            inner.take_fresh_author(&identity).map_err(local)?;
            *hand = None;
            *hand = inner.pick_up().map_err(local)?;
            tracing::warn!(code = %why.code, "this tablet writes under a fresh author from now on");
            inner.set_trouble(true, why);
            inner.changed();
            Ok(())
        })
        .await
    }

    pub(super) fn has_former_authors(&self) -> bool {
        self.identity().is_some_and(|identity| identity.authors.len() > 1)
    }

    /// Whatever an author before this one wrote may not be at the server.
    pub(super) fn heal_again(&self) -> Result<(), Broken> {
        self.records.write(|to| meta::set(to, HEALING, &true))
    }

    pub(super) async fn heal<F: Facility + Sync>(
        self: &Arc<Self>,
        facility: &F,
        pushing: &mut Pushing,
    ) -> Result<(), Trouble> {
        // The server must know the fresh author before it answers an offer of it.
        self.introduce(facility, pushing).await?;
        let own = self.blocking(|inner| inner.records.read(links::own_bodies).map_err(local)).await?;
        self.offer(facility, &own).await?;
        self.look_for_missing(facility).await?;
        failpoint!("heal.offered");
        self.blocking(|inner| inner.records.write(|to| meta::set(to, HEALING, &false)).map_err(local)).await
    }

    /// One batch with the credential along, so that the server knows the newest author; the authors before it where
    /// the server does not know who vouches.
    pub(super) async fn introduce<F: Facility + Sync>(
        self: &Arc<Self>,
        facility: &F,
        pushing: &mut Pushing,
    ) -> Result<(), Trouble> {
        let (mut forks, mut former_are_known) = (0, false);
        loop {
            let most = pushing.most_links;
            let mut sent = self.blocking(move |inner| inner.next_batch(most, true)).await?;
            let author = sent.author();
            match self.exchange(facility, pushing, &mut sent).await? {
                // Known is known, wherever its chain stands there.
                (Stands::Confirmed(_), None | Some(PushRefused::DoesNotAttach)) => return Ok(()),
                (Stands::Fork, _) if forks < FORKS_MAX => {
                    forks += 1;
                    self.begin_healing(author, trouble::fork()).await?;
                }
                (Stands::Unknown, Some(PushRefused::BadCredential)) if !former_are_known => {
                    former_are_known = true;
                    self.introduce_former(facility).await?;
                }
                (_, refused) => return Err(Trouble::Refused(not_taken(refused))),
            }
        }
    }

    /// Every author before the newest one, oldest first: each is vouched for by the one before, the first by the
    /// facility. Where their chains stand there does not matter any more.
    pub(super) async fn introduce_former<F: Facility + Sync>(self: &Arc<Self>, facility: &F) -> Result<(), Trouble> {
        let identity = self.identity().ok_or_else(|| Trouble::Refused(crate::record::join_first()))?;
        let Some((_, former)) = identity.authors.split_last() else { return Ok(()) };
        for own in former {
            let request = self.request_id().map_err(Trouble::Refused)?;
            facility.push(super::push::introduction(&identity, own, request)).await?;
        }
        Ok(())
    }
}
