//! `demo`: a new facility with the demo ward. Its history is filed like any other: by authors with keys, in signed
//! batches, through the same door.

use crate::demo::{self, DemoLogin, DemoWard, Writer};
use crate::facility::{Identity, OwnAuthor, found_with};
use crate::station::passwords;
use crate::store::append::{Facts, Prepared, append};
use crate::store::contacts::{self, Contact};
use crate::store::{StoreError, logins, roster};
use crate::surroundings::Surroundings;
use lamplight_domain::chain::SigningKey;
use lamplight_domain::ids::WardId;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Ms;
use rusqlite::Connection;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// What was made, and how to get in.
pub struct DemoMade {
    pub facility: String,
    pub ward: WardId,
    pub ward_name: String,
    pub records: u64,
    pub people: Vec<DemoLogin>,
}

/// The same for the same seed and now; now is the machine's where none is given. Errors: those of [`found`].
pub fn make_demo(path: &Path, seed: u64, now: Option<Ms>) -> Result<DemoMade, Refusal> {
    let around = Surroundings::real();
    let demo = demo::ward(seed, now.unwrap_or_else(|| around.now()));
    let file = |db: &mut Connection, identity: &Identity| file(db, identity, &demo, &around);
    let (_, _, records) = found_with(path, &demo.roster, &around, file)?;
    let ward_name = demo.roster.ward(demo.ward).map(|w| w.name.clone()).unwrap_or_default();
    Ok(DemoMade {
        facility: demo.roster.facility.name.clone(),
        ward: demo.ward,
        ward_name,
        records,
        people: demo.people,
    })
}

/// All in one transaction: a demo is whole or it is not there.
fn file(db: &mut Connection, identity: &Identity, demo: &DemoWard, around: &Surroundings) -> Result<u64, StoreError> {
    let facts = Facts { facility: identity.facility, key: identity.key.clone(), roster: Arc::new(demo.roster.clone()) };
    let mut writers = HashMap::from([(Writer::Server, OwnAuthor::new(identity, around))]);
    for tablet in &demo.tablets {
        let key = SigningKey::from_seed(&tablet.seed);
        writers.insert(Writer::Tablet(tablet.id), OwnAuthor::with_key(identity, key, Some(tablet.id)));
    }
    let tx = db.transaction()?;
    let mut last_heard: HashMap<Writer, Contact> = HashMap::new();
    // What a writer sent at one moment came in one batch.
    let mut rest = demo.records.as_slice();
    while let Some(first) = rest.first() {
        let together = rest.iter().take_while(|r| r.writer == first.writer && r.received_at == first.received_at);
        let (batch, after) = rest.split_at(together.count());
        rest = after;
        let Some(author) = writers.get(&first.writer) else {
            return Err(StoreError::Broken("a demo record has an unknown writer".into()));
        };
        for bodies in batch.chunks(500) {
            let bodies = bodies.iter().map(|r| r.bytes.clone()).collect();
            let batch = author.batch(author.head(&tx)?, bodies, around.uuid());
            let prepared = Prepared::new(batch, identity.facility);
            let done = append(&tx, &facts, &prepared, first.received_at)?;
            let Some(receipt) = done.receipt.filter(|_| done.refused.is_none()) else {
                return Err(StoreError::Broken(format!("a demo batch was not taken: {:?}", done.refused)));
            };
            if let Some(tablet) = done.tablet {
                let (author, last) = (receipt.head.author, first.received_at);
                last_heard.insert(first.writer, Contact { tablet, author, last, confirmed: receipt.head.seq });
            }
        }
    }
    for contact in last_heard.values() {
        contacts::put(&tx, contact)?;
    }
    for person in &demo.people {
        if let Some(password) = &person.password {
            logins::put(&tx, &person.login, person.staff, &passwords::hash(password, around.bytes())?)?;
        }
    }
    // The tablets of the history exist no more. Left in use they would soon be silent, and the board would rightly call
    // every late patient "not known".
    let mut handed_in = demo.roster.clone();
    handed_in.version += 1;
    handed_in.tablets.iter_mut().for_each(|t| t.revoked = true);
    roster::put(&tx, &handed_in, around.now(), None)?;
    tx.commit()?;
    Ok(demo.records.len() as u64)
}
