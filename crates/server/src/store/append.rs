//! The only way into the chains: a batch of one author's links, whole or not at all. Envelopes only: nothing that a
//! body says can stop a batch.

use super::StoreError;
use super::authors::{self, Author};
use super::filing::Filing;
use super::{bodies, heads, links, meta};
use lamplight_domain::chain::{Credential, Endorser, Hash, Head, Receipt, SigningKey, link_hash, verify};
use lamplight_domain::ids::{AuthorId, FacilityId, TabletId, WardId};
use lamplight_domain::record::{BODY_MAX_BYTES, Body, Record};
use lamplight_domain::roster::Roster;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{BATCH_MAX_BYTES, BATCH_MAX_LINKS, Batch, BatchHeader, Blob, PushRefused};
use rusqlite::Connection;
use std::sync::Arc;

/// What the facility is, as far as a batch is concerned.
#[derive(Clone)]
pub struct Facts {
    pub facility: FacilityId,
    pub key: SigningKey,
    pub roster: Arc<Roster>,
}

/// A batch with everything worked out that needs no database: hashes and parsed bodies.
pub struct Prepared {
    header: BatchHeader,
    links: Vec<PreparedLink>,
    /// Known already without looking anything up.
    refused: Option<PushRefused>,
}

pub struct PreparedLink {
    pub seq: u64,
    pub hash: Hash,
    pub body_hash: Hash,
    /// None where the body is only named.
    pub bytes: Option<Vec<u8>>,
    /// None where it is only named, or cannot be read.
    pub body: Option<Body>,
}

impl Prepared {
    /// Hashing and parsing happen here, outside the writer's turn.
    pub fn new(batch: Batch, facility: FacilityId) -> Prepared {
        let Batch { header, bodies } = batch;
        let sizes = || bodies.iter().map(|b| if let Blob::Bytes(b) = b { b.len() } else { 0 });
        let too_big = bodies.len() > BATCH_MAX_LINKS
            || sizes().sum::<usize>() > BATCH_MAX_BYTES
            || sizes().any(|s| s > BODY_MAX_BYTES);
        let numbers_hold = header.first_seq > 0 && header.first_seq < i64::MAX as u64 - BATCH_MAX_LINKS as u64;
        let refused = if header.facility != facility {
            Some(PushRefused::WrongFacility)
        } else if too_big {
            Some(PushRefused::TooBig)
        } else if !numbers_hold {
            Some(PushRefused::DoesNotAttach)
        } else {
            None
        };
        let mut prev = header.prev;
        let links = if refused.is_some() { Vec::new() } else { bodies }
            .into_iter()
            .zip(header.first_seq..)
            .map(|(blob, seq)| {
                let body_hash = blob.hash();
                let hash = link_hash(header.author, seq, &prev, &body_hash);
                prev = hash;
                let bytes = if let Blob::Bytes(bytes) = blob { Some(bytes) } else { None };
                let body = bytes.as_deref().and_then(|b| Body::parse(b).ok());
                PreparedLink { seq, hash, body_hash, bytes, body }
            })
            .collect();
        Prepared { header, links, refused }
    }

    pub fn author(&self) -> AuthorId {
        self.header.author
    }
    pub fn credential(&self) -> Option<&Credential> {
        self.header.credential.as_ref()
    }

    /// The head that the author signed.
    fn end(&self) -> Head {
        let author = self.header.author;
        match self.links.last() {
            Some(last) => Head { author, seq: last.seq, hash: last.hash },
            None => Head { author, seq: self.header.first_seq.saturating_sub(1), hash: self.header.prev },
        }
    }
}

/// What a batch has come to.
#[derive(Debug, Default)]
pub struct Appended {
    pub refused: Option<PushRefused>,
    /// None for an author that is not known.
    pub receipt: Option<Receipt>,
    pub tablet: Option<TabletId>,
    /// In the order of their numbers.
    pub rows: Vec<NewRow>,
    /// The batch came with a receipt of this facility for links that were not held any more: when it had them.
    pub lost: Option<Ms>,
    /// The roster, where the batch let somebody in.
    pub roster: Option<Arc<Roster>>,
}

/// A row that the batch added to a feed.
#[derive(Debug)]
pub struct NewRow {
    pub ward: WardId,
    pub n: u64,
    /// None where the body cannot be read, or where it is too old for the boards.
    pub record: Option<Record>,
}

/// For the writer, inside a transaction. Leaves nothing behind where it refuses, except the author that it came to
/// know.
pub fn append(db: &Connection, facts: &Facts, batch: &Prepared, now: Ms) -> Result<Appended, StoreError> {
    let header = &batch.header;
    let not_taken = |refused| Appended { refused: Some(refused), ..Appended::default() };
    if batch.refused == Some(PushRefused::WrongFacility) {
        return Ok(not_taken(PushRefused::WrongFacility));
    }
    let author = match author_of_batch(db, facts, batch, now)? {
        Ok(author) => author,
        Err(refused) => return Ok(not_taken(refused)),
    };
    let before = links::head(db, author.no, author.id)?;
    let (head, since) = before.unwrap_or((Head::empty(author.id), now));
    let is_forged = header.receipt.is_some_and(|r| !r.holds(&facts.key.public(), facts.facility));
    if is_forged {
        // It proves nothing, and the links are as good without it.
        tracing::warn!(author = %author.id, "a tablet showed a receipt that this facility did not sign");
    }
    // Beyond what is held, signed by this facility's own key.
    let shown = header.receipt.filter(|r| {
        r.head.author == author.id && r.head.seq > head.seq && r.holds(&facts.key.public(), facts.facility)
    });
    let lost = shown.map(|r| r.received_at);
    let mut done = Appended { refused: batch.refused, tablet: author.tablet, lost, ..Appended::default() };
    if done.refused.is_none() {
        done.refused = attach(db, facts, batch, &author, &head)?;
    }
    let fresh: Vec<&PreparedLink> = batch.links.iter().filter(|l| l.seq > head.seq).collect();
    if done.refused.is_some() || fresh.is_empty() {
        done.receipt = Some(Receipt::sign(&facts.key, facts.facility, head, since, header.request));
        return Ok(done);
    }
    let proven = shown.filter(|r| proves(r, batch, now));
    let mut filing = Filing::new(db, facts, &author, now);
    for link in fresh {
        filing.take(link, proven.filter(|r| link.seq <= r.head.seq).map_or(now, |r| r.received_at))?;
    }
    (done.rows, done.roster) = filing.finish()?;
    if let Some(before) = &proven {
        meta::note_came_again(db, before.received_at, now)?;
    }
    let end = batch.end();
    let received_at = proven.filter(|r| end.seq <= r.head.seq).map_or(now, |r| r.received_at);
    let receipt = Receipt::sign(&facts.key, facts.facility, end, received_at, header.request);
    heads::insert(db, author.no, &header.signature, &receipt, proven.as_ref())?;
    done.receipt = Some(receipt);
    Ok(done)
}

/// The author of the batch: known, or vouched for by the credential that came along.
fn author_of_batch(
    db: &Connection,
    facts: &Facts,
    batch: &Prepared,
    now: Ms,
) -> Result<Result<Author, PushRefused>, StoreError> {
    if let Some(author) = authors::find(db, batch.header.author)? {
        return Ok(Ok(author));
    }
    let Some(credential) = &batch.header.credential else { return Ok(Err(PushRefused::UnknownAuthor)) };
    let endorser = match credential.endorser {
        Endorser::Facility => Some((facts.key.public(), credential.tablet)),
        // A fork: the former author vouches, and only for its own tablet.
        Endorser::Author(by) => authors::find(db, by)?.map(|a| (a.key, a.tablet)),
    };
    let holds = credential.facility == facts.facility
        && credential.author == batch.header.author
        && endorser.is_some_and(|(key, tablet)| credential.tablet == tablet && credential.holds(&key));
    if !holds {
        return Ok(Err(PushRefused::BadCredential));
    }
    // Whoever shows a credential must also hold its key.
    if !verify(&credential.key, &batch.end().message(facts.facility), &batch.header.signature) {
        return Ok(Err(PushRefused::BadSignature));
    }
    Ok(Ok(authors::insert(db, credential, now)?))
}

/// Does the batch fit the chain that is held, and are all its bodies at hand?
fn attach(
    db: &Connection,
    facts: &Facts,
    batch: &Prepared,
    author: &Author,
    head: &Head,
) -> Result<Option<PushRefused>, StoreError> {
    let header = &batch.header;
    if !verify(&author.key, &batch.end().message(facts.facility), &header.signature) {
        return Ok(Some(PushRefused::BadSignature));
    }
    let Some(last) = batch.links.last() else { return Ok(None) };
    let fits = if header.first_seq > head.seq {
        header.first_seq == head.seq + 1 && header.prev == head.hash
    } else {
        // A link hash holds everything before it, so one equal hash makes all the overlap equal.
        let shared = last.seq.min(head.seq);
        let held = links::hash_at(db, author.no, shared)?;
        batch.links.iter().find(|l| l.seq == shared).map(|l| l.hash) == held
    };
    if !fits {
        return Ok(Some(PushRefused::DoesNotAttach));
    }
    for (i, link) in batch.links.iter().enumerate().filter(|(_, l)| l.bytes.is_none() && l.seq > head.seq) {
        let in_batch = batch.links[..i].iter().any(|l| l.bytes.is_some() && l.body_hash == link.body_hash);
        if !in_batch && bodies::find(db, &link.body_hash)?.is_none() {
            return Ok(Some(PushRefused::BodyMissing));
        }
    }
    Ok(None)
}

/// Does an older receipt of this facility show an earlier time of receipt? Only where its head is a link of the batch
/// itself: about another chain's links it says nothing.
fn proves(receipt: &Receipt, batch: &Prepared, now: Ms) -> bool {
    receipt.received_at <= now
        && batch.links.iter().find(|l| l.seq == receipt.head.seq).is_some_and(|l| l.hash == receipt.head.hash)
}
