//! What is written at the station or by the server itself. Every start of a server process is an author of its own,
//! whose key lives in this process only: a copied folder can never make it fork.

use super::{FacilityServer, Identity, trouble};
use crate::store::append::Prepared;
use crate::store::{StoreError, authors, links};
use crate::surroundings::Surroundings;
use lamplight_domain::chain::{Credential, Endorser, Head, SigningKey, body_hash, link_hash};
use lamplight_domain::ids::{AuthorId, FacilityId, RecordId, StaffId, StayId, WardId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Auth, Body, Envelope};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Now;
use lamplight_domain::ward::may_record;
use lamplight_domain::wire::{Batch, BatchHeader, Blob, Trouble};
use rusqlite::Connection;
use uuid::Uuid;

/// An author whose chain is written here: this process, or the tablets of a demo.
#[derive(Clone)]
pub struct OwnAuthor {
    key: SigningKey,
    credential: Credential,
    facility: FacilityId,
}

impl OwnAuthor {
    /// An author of this process.
    pub fn new(identity: &Identity, around: &Surroundings) -> OwnAuthor {
        OwnAuthor::with_key(identity, around.signing_key(), None)
    }

    pub fn with_key(
        identity: &Identity,
        key: SigningKey,
        tablet: Option<lamplight_domain::ids::TabletId>,
    ) -> OwnAuthor {
        let facility = identity.facility;
        let credential = Credential::sign(&identity.key, Endorser::Facility, facility, key.public(), tablet);
        OwnAuthor { key, credential, facility }
    }

    pub fn id(&self) -> AuthorId {
        self.credential.author
    }

    /// Where the chain stands in the file: for the writer, inside the transaction that goes on from there. Nothing
    /// else remembers it, so that no caller who goes away in the middle can leave a wrong head behind.
    pub fn head(&self, db: &Connection) -> Result<Head, StoreError> {
        let id = self.credential.author;
        let Some(author) = authors::find(db, id)? else { return Ok(Head::empty(id)) };
        Ok(links::head(db, author.no, id)?.map_or(Head::empty(id), |(head, _)| head))
    }

    /// The links after `head`, signed.
    pub fn batch(&self, head: Head, bodies: Vec<Vec<u8>>, request: Uuid) -> Batch {
        let mut end = head;
        for bytes in &bodies {
            end.seq += 1;
            end.hash = link_hash(end.author, end.seq, &end.hash, &body_hash(bytes));
        }
        Batch {
            header: BatchHeader {
                facility: self.facility,
                author: head.author,
                first_seq: head.seq + 1,
                prev: head.hash,
                signature: self.key.sign(&end.message(self.facility)),
                request,
                credential: Some(self.credential.clone()),
                receipt: None,
            },
            bodies: bodies.into_iter().map(Blob::Bytes).collect(),
        }
    }
}

/// Something that a person did at the station, or the server itself.
pub struct Own {
    pub ward: WardId,
    pub stay: Option<StayId>,
    pub by: Option<StaffId>,
    pub event: Event,
}

/// The body of something that happens now. Errors: "entry.too_long".
pub fn body_of(around: &Surroundings, facility: FacilityId, own: Own) -> Result<(RecordId, Vec<u8>), Refusal> {
    let envelope = envelope_of(around, facility, &own);
    let id = envelope.id;
    let bytes = Body::new(envelope, own.event).to_bytes().map_err(|_| {
        Refusal::new("entry.too_long", "The entry is too long to be kept.", "Shorten its words and save again.")
    })?;
    Ok((id, bytes))
}

fn envelope_of(around: &Surroundings, facility: FacilityId, own: &Own) -> Envelope {
    let now = around.now();
    Envelope {
        v: 1,
        id: around.record_id(),
        kind: String::new(),
        kind_v: 0,
        facility,
        ward: own.ward,
        stay: own.stay,
        by: own.by,
        auth: if own.by.is_some() { Auth::Station } else { Auth::None },
        tablet: None,
        observed_at: now,
        recorded_at: now,
        boot_id: None,
        boot_ms: None,
        order: None,
        list_v: None,
    }
}

impl FacilityServer {
    /// The same where the ward's rules allow it, as far as the records of `of` say; with the notice to show.
    /// Errors: those of [`may_record`].
    pub async fn record_on(&self, of: WardId, own: Own) -> Result<(RecordId, String), Trouble> {
        let envelope = envelope_of(&self.inner.around, self.inner.identity.facility, &own);
        let (roster, now) = (self.roster(), Now::of_wall(envelope.recorded_at));
        let notice =
            self.inner.live.ward(of).with(|records| may_record(records, &roster, &envelope, &own.event, now))?;
        Ok((self.record(own).await?, notice))
    }

    /// Writes a record as this process' own author. Durable when this returns; where it is dropped before, it may be
    /// written or not, and whoever comes next is not in its way.
    pub async fn record(&self, own: Own) -> Result<RecordId, Trouble> {
        let (id, bytes) = body_of(&self.inner.around, self.inner.identity.facility, own)?;
        let (own, facility, request) = (self.inner.own.clone(), self.inner.identity.facility, self.inner.around.uuid());
        let next = move |db: &Connection| {
            let batch = own.batch(own.head(db)?, vec![bytes], request);
            Ok(Prepared::new(batch, facility))
        };
        match self.append(next).await.map_err(trouble)?.refused {
            None => Ok(id),
            refused => Err(trouble(StoreError::Broken(format!("own record not taken: {refused:?}")))),
        }
    }
}
