//! Sending: what waits is what the server has not confirmed. Heads, not flags; a lost answer is met by asking again.

use super::client::{Packed, not_the_server};
use crate::SyncState;
use crate::agree;
use crate::contact::Exchange;
use crate::failpoint::failpoint;
use crate::file::{Broken, links, lock, receipts};
use crate::identity::{Identity, OwnAuthor};
use crate::pen::Pen;
use crate::tablet::Inner;
use lamplight_domain::chain::{Head, PublicKey, Receipt, SigningKey};
use lamplight_domain::ids::AuthorId;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::{
    BATCH_MAX_BYTES, BATCH_MAX_LINKS, Batch, BatchHeader, Blob, Facility, PushAnswer, PushRefused, Trouble,
};
use rusqlite::Connection;
use std::sync::Arc;
use uuid::Uuid;

/// A batch never gets smaller than this: below it a slow network is not the reason.
const LEAST_LINKS: usize = 8;

/// So few links are read by the connection that wrote them, whose pages are at hand. Each commit makes the pages of the
/// other one void: they would come through the cipher again, between a tap and its receipt.
const FEW_LINKS: u64 = 8;

/// How this process sends.
#[derive(Clone, Copy, Debug)]
pub struct Pushing {
    /// Links of a batch: halved when a batch does not get through, doubled when it does, so that a network of a few
    /// bytes a second drains too.
    pub(super) most_links: usize,
    /// The server asked who this is.
    with_credential: bool,
}

impl Default for Pushing {
    fn default() -> Self {
        Pushing { most_links: BATCH_MAX_LINKS, with_credential: false }
    }
}

/// A batch, and where the chain stands before and after it.
pub(super) struct Sent {
    pub(super) batch: Batch,
    before: u64,
    end: u64,
    /// Its message, made off the async threads; None once it was handed on.
    packed: Option<Packed>,
}

impl Sent {
    pub fn author(&self) -> AuthorId {
        self.batch.header.author
    }

    /// Is it what comes next where the chain stands now?
    fn follows(&self, stands: &SyncState, most: usize) -> bool {
        stands.author == Some(self.author())
            && stands.confirmed == self.before
            && (1..=most).contains(&self.batch.bodies.len())
    }
}

pub(super) enum Stands {
    /// The server holds own links up to here.
    Confirmed(u64),
    /// Its head is not on the own chain.
    Fork,
    /// It does not know this author.
    Unknown,
}

impl Inner {
    /// Sends all that waits and returns how many links were confirmed. With `ask`, asks where the chain stands even
    /// if nothing waits. Heals a fork on the way.
    pub async fn push_all<F: Facility + Sync>(
        self: &Arc<Self>,
        facility: &F,
        pushing: &mut Pushing,
        mut ask: bool,
    ) -> Result<u64, Trouble> {
        // One sender at a time: an older answer must never count after a newer one.
        let _sending = self.sending.lock().await;
        let begun_at = self.sync_state().confirmed;
        // What must be written down again waits for the newer program.
        let is_frozen = self.is_frozen();
        let (with_credential, most) = (pushing.with_credential, pushing.most_links);
        // One look at the file for both: between a tap and its receipt every hop counts.
        let look = move |inner: &Inner| {
            inner.write_audits();
            let first = if ask { None } else { Some(inner.next_batch(most, with_credential)?) };
            Ok((inner.is_healing()?, first))
        };
        let (is_healing, mut ready) = self.blocking(look).await?;
        if !is_frozen && is_healing {
            self.heal(facility, pushing).await?;
        }
        if ask && !is_frozen {
            self.offer_after_a_restore(facility, pushing).await?;
        }
        let (mut fruitless, mut former_are_known) = (0, false);
        loop {
            let (with_credential, most) = (pushing.with_credential, pushing.most_links);
            let stands = self.sync_state();
            if !ask && stands.waiting == 0 {
                break;
            }
            let fits = |sent: &Sent| !ask && !with_credential && sent.follows(&stands, most);
            let mut sent = match ready.take().filter(fits) {
                Some(sent) => sent,
                None => self.blocking(move |inner| inner.next_batch(most, with_credential)).await?,
            };
            if sent.batch.bodies.is_empty() && !ask {
                break;
            }
            let (author, end, only_asks) = (sent.author(), sent.end, sent.batch.bodies.is_empty());
            // While one is under way the next is made ready, as if it were confirmed: the two sides' work overlaps.
            let next = async {
                let more = self.sync_state().head > end;
                more.then(|| self.blocking(move |inner| inner.batch_after(author, end, most, false)))?.await.ok()
            };
            let (answer, next) = tokio::join!(self.exchange(facility, pushing, &mut sent), next);
            ready = next;
            let (stands, refused) = answer?;
            pushing.with_credential = false;
            ask = false;
            match (stands, refused) {
                (Stands::Unknown, Some(PushRefused::UnknownAuthor)) if !with_credential => {
                    // Nothing that it signed came with this: whose server it is, and by which key, is asked first.
                    facility.hello().await?;
                    (pushing.with_credential, ask) = (true, true);
                    // It gave this author a receipt once, so it went back to before: what stands under the authors
                    // before it may be gone there too.
                    if !is_frozen && self.has_former_authors() {
                        self.blocking(|inner| inner.heal_again().map_err(local)).await?;
                        self.heal(facility, pushing).await?;
                    }
                }
                (Stands::Unknown, Some(PushRefused::BadCredential)) if !former_are_known => {
                    former_are_known = true;
                    self.introduce_former(facility).await?;
                    (pushing.with_credential, ask) = (true, true);
                }
                (Stands::Fork, _) if is_frozen => return Err(Trouble::Refused(crate::trouble::newer_file())),
                (Stands::Fork, _) => {
                    self.begin_healing(sent.author(), crate::trouble::fork()).await?;
                    self.heal(facility, pushing).await?;
                }
                // It was restored to before what is still kept here.
                (Stands::Confirmed(_), Some(PushRefused::BodyMissing)) if !is_frozen => {
                    self.begin_healing(sent.author(), crate::trouble::went_far_back()).await?;
                    self.heal(facility, pushing).await?;
                }
                // The head went down, or an earlier batch got through unseen: send from there.
                (Stands::Confirmed(seq), Some(PushRefused::DoesNotAttach)) if seq != sent.before => {}
                (Stands::Confirmed(_), Some(PushRefused::TooBig)) if most > 1 => pushing.most_links = most / 2,
                (Stands::Confirmed(seq), None) if seq > sent.before || only_asks => {
                    pushing.most_links = (most * 2).min(BATCH_MAX_LINKS);
                    fruitless = 0;
                    continue;
                }
                (_, refused) => return Err(Trouble::Refused(not_taken(refused))),
            }
            fruitless += 1;
            if fruitless > 8 {
                return Err(Trouble::Refused(not_taken(refused)));
            }
        }
        Ok(self.sync_state().confirmed.saturating_sub(begun_at))
    }

    pub(super) async fn exchange<F: Facility + Sync>(
        self: &Arc<Self>,
        facility: &F,
        pushing: &mut Pushing,
        sent: &mut Sent,
    ) -> Result<(Stands, Option<PushRefused>), Trouble> {
        *lock(&self.packed) = sent.packed.take();
        // Given away, not copied: a batch is a megabyte, and two are in memory already.
        let (header, bodies) = (sent.batch.header.clone(), std::mem::take(&mut sent.batch.bodies));
        let links = bodies.len();
        let asked = self.clock.read();
        let answer = facility.push(Batch { header: header.clone(), bodies }).await.inspect_err(|trouble| {
            if matches!(trouble, Trouble::Unreachable(_)) && links >= pushing.most_links / 2 {
                pushing.most_links = (pushing.most_links / 2).max(LEAST_LINKS);
            }
        })?;
        let exchange = Exchange { asked, answered: self.clock.read(), server: answer.server_time, waited: false };
        let refused = answer.refused;
        let stands = self
            .blocking(move |inner| {
                let stands = inner.believe(&header, &answer)?;
                inner.heard(&exchange);
                Ok(stands)
            })
            .await?;
        Ok((stands, refused))
    }

    /// Comes back in the receipt, and is never used twice.
    pub(super) fn request_id(&self) -> Result<Uuid, Refusal> {
        let mut random = [0; 16];
        (self.chance)(&mut random)?;
        Ok(uuid::Builder::from_random_bytes(random).into_uuid())
    }

    /// The links after the confirmed head, as many as one batch may carry.
    pub(super) fn next_batch(&self, most: usize, with_credential: bool) -> Result<Sent, Trouble> {
        let author = self.identity().and_then(|identity| Some(identity.author()?.credential.author));
        let author = author.ok_or_else(|| Trouble::Refused(crate::record::join_first()))?;
        self.batch_after(author, self.sync_state().confirmed, most, with_credential)
    }

    /// The links after `confirmed`, which the server holds or will hold by then. Errors where this tablet writes as
    /// another author.
    fn batch_after(
        &self,
        author: AuthorId,
        confirmed: u64,
        most: usize,
        with_credential: bool,
    ) -> Result<Sent, Trouble> {
        let join_first = || Trouble::Refused(crate::record::join_first());
        let identity = self.identity().ok_or_else(join_first)?;
        let own = identity.author().filter(|own| own.credential.author == author).ok_or_else(join_first)?;
        let key = own.key();
        let read = |from: &Connection| {
            let prev = links::hash_at(from, author, confirmed)?.unwrap_or(lamplight_domain::chain::Hash::ZERO);
            let waiting = links::after(from, author, confirmed, most, BATCH_MAX_BYTES)?;
            let upto = waiting.last().map_or(confirmed, |(link, _)| link.seq);
            let within = receipts::furthest_within(from, author, confirmed, upto)?;
            Ok((prev, waiting, receipts::furthest(from, author)?, within))
        };
        let are_few = self.sync_state().head.saturating_sub(confirmed) <= FEW_LINKS;
        let found = if are_few { self.records.look(read) } else { self.records.read(read) };
        let (prev, mut waiting, furthest, within) = found.map_err(local)?;
        // The server had these links once. A receipt shows when only to a batch that holds its head, so the batch ends
        // there where another receipt is about what comes after.
        if let (Some(within), Some(furthest)) = (within, furthest)
            && within.head.seq < furthest.head.seq
        {
            waiting.retain(|(link, _)| link.seq <= within.head.seq);
        }
        let head = match waiting.last() {
            Some((link, _)) => Head { author, seq: link.seq, hash: link.hash() },
            None => Head { author, seq: confirmed, hash: prev },
        };
        let blob = |(link, bytes): (lamplight_domain::chain::Link, Option<Vec<u8>>)| match bytes {
            Some(bytes) => Blob::Bytes(bytes),
            None => Blob::Held(link.body_hash),
        };
        let header = BatchHeader {
            facility: identity.facility,
            author,
            first_seq: confirmed + 1,
            prev,
            signature: sign(&key, &head, identity.facility),
            request: self.request_id().map_err(Trouble::Refused)?,
            // The first contact of an author has no receipt yet.
            credential: (with_credential || furthest.is_none()).then(|| own.credential.clone()),
            receipt: within.or(furthest.filter(|r| r.head.seq > confirmed)),
        };
        let batch = Batch { header, bodies: waiting.into_iter().map(blob).collect() };
        let packed = Some(Packed::of(&batch, self.compress));
        Ok(Sent { batch, before: confirmed, end: head.seq, packed })
    }

    /// Takes a receipt for true only where it is signed by the facility, answers this very request, and names a head
    /// of the own chain. Then, and only then, links up to it are confirmed.
    pub(super) fn believe(&self, asked: &BatchHeader, answer: &PushAnswer) -> Result<Stands, Trouble> {
        let Some(receipt) = &answer.receipt else {
            return Ok(Stands::Unknown);
        };
        let facility_key = self.identity().map(|i| i.facility_key);
        if !facility_key.is_some_and(|key| is_for(receipt, asked, &key)) {
            return Err(not_the_server("its receipt does not hold"));
        }
        let own = self.records.look(|from| links::hash_at(from, asked.author, receipt.head.seq)).map_err(local)?;
        if own != Some(receipt.head.hash) {
            return Ok(Stands::Fork);
        }
        // The server's word is what confirms, and it has given it: nobody waits for this tablet's disk to be told so.
        // A receipt that is lost here with the power is asked for again.
        failpoint!("receipt.believed");
        self.confirm(asked.author, receipt.head.seq);
        self.changed();
        if !self.is_frozen() {
            self.records.write(|to| receipts::keep(to, receipt)).map_err(local)?;
            failpoint!("receipt.kept");
            self.begin_copy_anew(asked.author);
        }
        Ok(Stands::Confirmed(receipt.head.seq))
    }

    /// Takes note of how far the server holds the own chain. What it holds no more stands in the second copy again.
    pub(super) fn confirm(&self, author: AuthorId, seq: u64) {
        let mut hand = lock(&self.pen);
        if self.is_frozen() {
            // For this process only: the newer program asks again.
            if let Some(standing) = lock(&self.standing).as_mut().filter(|s| s.author == author) {
                standing.confirmed = seq;
            }
            return;
        }
        let Some(mut pen) = hand.take_if(|pen| pen.head.author == author) else { return };
        let went_back = seq < pen.confirmed;
        pen.confirmed = seq;
        if went_back {
            self.copy_anew(&mut pen);
        }
        self.lay_down(&mut hand, pen);
    }

    /// Where nothing waits, a long second copy is begun anew: after the receipt is durable, so that the two copies
    /// agree at the next start on what waits.
    fn begin_copy_anew(&self, author: AuthorId) {
        let mut hand = lock(&self.pen);
        let is_done = |pen: &mut Pen| {
            pen.head.author == author
                && pen.confirmed == pen.head.seq
                && pen.copy.is_long()
                && matches!(self.records.read(agree::is_healing), Ok(false))
        };
        let Some(mut pen) = hand.take_if(is_done) else { return };
        self.copy_anew(&mut pen);
        self.lay_down(&mut hand, pen);
    }

    fn copy_anew(&self, pen: &mut Pen) {
        match self.begin_copy(&pen.head, pen.confirmed) {
            Ok(copy) => pen.copy = copy,
            Err(broken) => {
                tracing::error!(?broken, "the second copy cannot be begun anew");
                pen.copy.doubt();
            }
        }
    }
}

/// An empty batch that shows who an author is.
pub(super) fn introduction(identity: &Identity, own: &OwnAuthor, request: Uuid) -> Batch {
    let head = Head::empty(own.credential.author);
    let header = BatchHeader {
        facility: identity.facility,
        author: head.author,
        first_seq: 1,
        prev: head.hash,
        signature: sign(&own.key(), &head, identity.facility),
        request,
        credential: Some(own.credential.clone()),
        receipt: None,
    };
    Batch { header, bodies: Vec::new() }
}

fn is_for(receipt: &Receipt, asked: &BatchHeader, facility_key: &PublicKey) -> bool {
    receipt.request == asked.request
        && receipt.head.author == asked.author
        && receipt.holds(facility_key, asked.facility)
}

fn sign(
    key: &SigningKey,
    head: &Head,
    facility: lamplight_domain::ids::FacilityId,
) -> lamplight_domain::chain::Signature {
    key.sign(&head.message(facility))
}

/// A fault of the own file stops the sync, not the recording.
pub(super) fn local(broken: Broken) -> Trouble {
    tracing::error!(?broken, "sync cannot use the records file");
    Trouble::Refused(broken.refusal())
}

pub(super) fn not_taken(refused: Option<PushRefused>) -> Refusal {
    let why = match refused {
        Some(PushRefused::UnknownAuthor) => "it does not know this tablet",
        Some(PushRefused::BadCredential) => "this tablet's credential does not hold there",
        Some(PushRefused::DoesNotAttach) => "the entries do not follow what it holds",
        Some(PushRefused::BadSignature) => "this tablet's signature does not hold there",
        Some(PushRefused::BodyMissing) => "it lacks an entry that this tablet does not keep any more",
        Some(PushRefused::TooBig) => "one entry is too big for it",
        Some(PushRefused::Unknown) => "it gives a reason that this version does not know",
        Some(PushRefused::WrongFacility) => "it belongs to another facility",
        None => "it did not take them",
    };
    Refusal::new(
        "sync.not_taken",
        format!("The station does not take this tablet's entries: {why}."),
        "Go on recording: nothing is lost. Tell whoever looks after the tablets.",
    )
}
