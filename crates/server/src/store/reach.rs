//! Which wards' feeds a record of a stay belongs to beside its own ward's. A patient is put on another ward, or a stay is
//! joined to another one: then whoever reads the other feed must know what the board there rests on.
//!
//! - What says who a stay is and where goes to every ward that the stay was ever on, or that wrote something standing
//!   about it: no ward takes for its own what belongs to a patient elsewhere.
//! - Everything else goes to the ward on which the patient is now. So what a tablet of the old ward wrote while it was
//!   out of touch goes to both.
//! - What ends, answers or amends a record goes wherever that record is.
//! - A ward on which the patient is new gets what stands, and what was observed since 24 hours before.

use super::StoreError;
use super::bodies::BodyNo;
use super::feed::{self, WardNo};
use lamplight_domain::chain::Hash;
use lamplight_domain::ids::{AuthorId, RecordId, StayId, WardId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::Record;
use lamplight_domain::time::{HOUR_MS, Ms};
use lamplight_domain::ward::WardRecords;
use rusqlite::{Connection, params};
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// How far back a ward is told of a patient who is new there.
const LAST_MS: i64 = 24 * HOUR_MS;

/// Says who a stay is, where, or with which other it is one.
pub fn is_census(event: &Event) -> bool {
    matches!(
        event,
        Event::StayOpened(_)
            | Event::StayProvisional(_)
            | Event::StayPlaced { .. }
            | Event::StayClosed { .. }
            | Event::StayJoined { .. }
            | Event::PatientMerged(_)
            | Event::JoinEnded { .. }
    )
}

/// Kinds of [`is_census`].
const CENSUS: &str = "'stay.opened', 'stay.provisional', 'stay.placed', 'stay.closed', 'stay.joined', 'patient.merged',
    'join.ended'";

/// The stay that a record makes its own one with.
fn joined(event: &Event) -> Option<StayId> {
    if let Event::StayJoined { into } = event { Some(*into) } else { None }
}

/// Where a stay is and was, as far as the census says.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// The stays that were ever joined with this one, itself too.
    pub stays: BTreeSet<StayId>,
    /// The ward where the patient is now; None for a stay that nobody has opened.
    pub now: Option<WardId>,
    /// Since when, ms UTC.
    pub since: Option<Ms>,
    /// Every ward where any of these stays was, or in whose feed something of them stands; sorted.
    pub wards: Vec<WardId>,
    records: WardRecords,
}

impl Reach {
    /// Of what is held, and of one record more that is not in any feed yet.
    pub fn of(db: &Connection, stay: StayId, more: Option<&Record>) -> Result<Reach, StoreError> {
        let mut reach = Reach::default();
        let mut next = vec![stay];
        if let Some(record) = more {
            next.extend(record.body.event.as_ref().and_then(joined));
            reach.records.take(record.clone());
        }
        while let Some(stay) = next.pop() {
            if !reach.stays.insert(stay) {
                continue;
            }
            for record in census(db, stay)? {
                next.extend(record.body.envelope.stay);
                next.extend(record.body.event.as_ref().and_then(joined));
                reach.records.take(record);
            }
        }
        let mut wards: BTreeSet<WardId> = reach.stays.iter().flat_map(|s| reach.records.wards_of(*s)).collect();
        for stay in &reach.stays {
            wards.extend(standing_in(db, *stay)?);
        }
        // Who is known by another number has to be known where that other one is.
        if let Some(Event::PatientMerged(merged)) = more.and_then(|r| r.body.event.as_ref()) {
            wards.extend(Reach::of(db, merged.with, None)?.wards);
        }
        reach.wards = wards.into_iter().collect();
        reach.now = reach.records.ward_of(stay);
        reach.since = reach.records.placed_at(stay);
        Ok(reach)
    }

    /// Records of two transfers from the same ward to different ones, where nobody knew of the other's.
    pub fn disagreeing(&self) -> Vec<RecordId> {
        self.stays.iter().flat_map(|stay| self.records.disagreeing_transfers(*stay)).collect()
    }
}

/// What says who a stay is, where, and with which others it is one.
fn census(db: &Connection, stay: StayId) -> Result<Vec<Record>, StoreError> {
    let sql = format!(
        "SELECT DISTINCT b.bytes, a.id, b.seq, l.received_at FROM standing s
           JOIN feed f ON f.ward = s.ward AND f.n = s.n JOIN bodies b ON b.no = f.body
           JOIN authors a ON a.no = b.author JOIN links l ON l.author = b.author AND l.seq = b.seq
         WHERE (s.stay = ?1 AND s.kind IN ({CENSUS})) OR (s.about = ?1 AND s.kind = 'stay.joined')"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([stay.0.as_bytes()])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let author = AuthorId(Uuid::from_bytes(row.get(1)?));
        let (seq, received_at) = (row.get::<_, i64>(2)? as u64, Ms(row.get(3)?));
        records.extend(Record::parse(&row.get::<_, Vec<u8>>(0)?, author, seq, Some(received_at)));
    }
    Ok(records)
}

fn standing_in(db: &Connection, stay: StayId) -> rusqlite::Result<Vec<WardId>> {
    db.prepare_cached("SELECT DISTINCT w.id FROM standing s JOIN wards w ON w.no = s.ward WHERE s.stay = ?1")?
        .query_map([stay.0.as_bytes()], |r| Ok(WardId(Uuid::from_bytes(r.get(0)?))))?
        .collect()
}

/// The reaches of one batch's stays, by the ward that asks.
#[derive(Default)]
pub struct Reaches(HashMap<(StayId, WardNo), Option<Reach>>);

impl Reaches {
    /// None where everything of the stay is in the feed of this one ward and nowhere else.
    pub fn beyond(&mut self, db: &Connection, stay: StayId, home: WardNo) -> Result<Option<&Reach>, StoreError> {
        let reach = match self.0.entry((stay, home)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let reach = if is_only_in(db, stay, home)? { None } else { Some(Reach::of(db, stay, None)?) };
                new.insert(reach)
            }
        };
        Ok(reach.as_ref())
    }

    /// The census says something else from here on.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}

/// Nothing of the stay stands in another ward's feed. Its census is in every feed that it reaches, so this says it all.
pub fn is_only_in(db: &Connection, stay: StayId, ward: WardNo) -> rusqlite::Result<bool> {
    let elsewhere = db
        .prepare_cached("SELECT 1 FROM standing WHERE stay = ?1 AND ward <> ?2 LIMIT 1")?
        .exists(params![stay.0.as_bytes(), ward.0])?;
    Ok(!elsewhere)
}

/// The feeds that hold a record.
pub fn holding(db: &Connection, record: RecordId) -> rusqlite::Result<Vec<WardId>> {
    db.prepare_cached(
        "SELECT DISTINCT w.id FROM bodies b JOIN feed f ON f.body = b.no JOIN wards w ON w.no = f.ward WHERE b.id = ?1",
    )?
    .query_map([record.0.as_bytes()], |r| Ok(WardId(Uuid::from_bytes(r.get(0)?))))?
    .collect()
}

/// A body of some feed that another one is to have too.
pub struct Found {
    pub body: BodyNo,
    pub id: RecordId,
    pub hash: Hash,
    pub observed_at: Ms,
}

/// What the feed of ward `?1` does not have, in the order in which it came.
fn found(db: &Connection, which: &str, values: impl rusqlite::Params) -> rusqlite::Result<Vec<Found>> {
    let sql = format!(
        "SELECT DISTINCT b.no, b.id, b.hash, b.observed_at FROM feed f JOIN bodies b ON b.no = f.body
         WHERE {which} AND NOT EXISTS (SELECT 1 FROM feed t WHERE t.body = b.no AND t.ward = ?1) ORDER BY b.no"
    );
    let row = |r: &rusqlite::Row<'_>| {
        Ok(Found {
            body: BodyNo(r.get(0)?),
            id: RecordId(Uuid::from_bytes(r.get(1)?)),
            hash: Hash(r.get(2)?),
            observed_at: Ms(r.get(3)?),
        })
    };
    db.prepare_cached(&sql)?.query_map(values, row)?.collect()
}

/// What a ward lacks of the stays that it was on: all census, and where the patient is there now, what stands at `now`
/// and what was observed since 24 hours before the patient came.
pub fn lacking(
    db: &Connection,
    reach: &Reach,
    ward: WardNo,
    is_there: bool,
    now: Ms,
) -> Result<Vec<Found>, StoreError> {
    let mut lacks: Vec<Found> = Vec::new();
    let since = reach.since.unwrap_or(now).min(now);
    // Nothing stands until later than for ever.
    let stood = if is_there { since } else { Ms(i64::MAX) };
    let standing = format!(
        "(f.ward, f.n) IN (SELECT s.ward, s.n FROM standing s
           WHERE (s.stay = ?2 AND (s.until > ?3 OR s.kind IN ({CENSUS}))) OR (s.about = ?2 AND s.kind IN ({CENSUS})))"
    );
    for stay in &reach.stays {
        lacks.extend(found(db, &standing, params![ward.0, stay.0.as_bytes(), stood.0])?);
        for other in reach.wards.iter().filter(|_| is_there) {
            let Some(other) = feed::ward(db, *other)? else { continue };
            let recent = "f.ward = ?3 AND f.observed_at >= ?4 AND b.stay = ?2";
            let from = since - LAST_MS;
            lacks.extend(found(db, recent, params![ward.0, stay.0.as_bytes(), other.0, from.0])?);
        }
    }
    lacks.sort_by_key(|f| f.body.0);
    lacks.dedup_by_key(|f| f.body.0);
    Ok(lacks)
}

/// What ends, answers or amends a record and is not in the feed of this ward, which is to have the record.
pub fn about(db: &Connection, record: RecordId, ward: WardNo) -> Result<Vec<Found>, StoreError> {
    let came_before = db
        .prepare_cached("SELECT 1 FROM standing WHERE about = ?1 AND id <> ?1 AND ward <> ?2 LIMIT 1")?
        .exists(params![record.0.as_bytes(), ward.0])?;
    if !came_before {
        return Ok(Vec::new());
    }
    let which = "(f.ward, f.n) IN (SELECT s.ward, s.n FROM standing s WHERE s.about = ?2 AND s.id <> ?2)";
    Ok(found(db, which, params![ward.0, record.0.as_bytes()])?)
}

/// A body that is held, with the link that brought it. None where it cannot be read.
pub fn record(db: &Connection, no: BodyNo) -> rusqlite::Result<Option<Record>> {
    db.prepare_cached(
        "SELECT b.bytes, a.id, b.seq, l.received_at FROM bodies b
         JOIN authors a ON a.no = b.author JOIN links l ON l.author = b.author AND l.seq = b.seq WHERE b.no = ?1",
    )?
    .query_row([no.0], |r| {
        let author = AuthorId(Uuid::from_bytes(r.get(1)?));
        Ok(Record::parse(r.get_ref(0)?.as_blob()?, author, r.get::<_, i64>(2)? as u64, Some(Ms(r.get(3)?))).ok())
    })
}
