//! A facility of one ward with 40 patients on Q15, and as much history as is wanted: real records, filed through the
//! server's own door, so that everything that is derived from them is there too.

use anyhow::{Context, Result, bail};
use lamplight_domain::chain::SigningKey;
use lamplight_domain::ids::{PatientId, RecordId, StaffId, StayId, TabletId, WardId};
use lamplight_domain::kinds::{Check, Event, Order, StayOpened};
use lamplight_domain::level::Level;
use lamplight_domain::record::{Auth, Body, Envelope};
use lamplight_domain::roster::{Bed, Role, Roster};
use lamplight_domain::time::{HOUR_MS, MINUTE_MS, Ms};
use lamplight_server::Surroundings;
use lamplight_server::demo;
use lamplight_server::facility::{Identity, OwnAuthor, found};
use lamplight_server::folder::Folder;
use lamplight_server::store::append::{Facts, Prepared, append};
use lamplight_server::store::{self, roster};
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use uuid::{Builder, Uuid};

pub const PATIENTS: usize = 40;
const DAY_MS: i64 = 24 * HOUR_MS;
const EVERY_MS: i64 = 15 * MINUTE_MS;
/// A tablet sends what it wrote in so much time: 24 rounds, 960 checks.
const SHIFT_MS: i64 = 6 * HOUR_MS;
/// Who is there now came before this; before them, everybody stayed a fortnight.
const THERE_SINCE_DAYS: i64 = 70;
const STAY_DAYS: i64 = 14;
/// Checks of one day.
pub const A_DAY: usize = PATIENTS * 96;

const SEEN: [(&str, &str); 6] = [
    ("bedroom", "eyes_closed"),
    ("bedroom", "resting"),
    ("day_room", "tv"),
    ("hallway", "walking"),
    ("day_room", "with_peers"),
    ("bedroom", "calm"),
];

/// Makes the facility in a new folder, with so many records before `ends`.
pub fn make(data: &Path, records: usize, ends: Ms) -> Result<()> {
    let around = Surroundings::real();
    let mut roster = demo::ward(7, ends).roster;
    let beds = |n: usize| Bed { label: format!("{}", 100 + n), room: format!("{}", 100 + n), area: "East".into() };
    roster.wards[0].beds = (0..PATIENTS).map(beds).collect();
    let (mut db, identity) = found(data, &roster, &around)?;
    // Made in one go, and thrown away where that fails.
    db.execute_batch("PRAGMA synchronous = OFF")?;
    let begins = ends - (records as f64 / A_DAY as f64 * DAY_MS as f64) as i64;
    let mut history = History::new(&identity, &roster, ends - THERE_SINCE_DAYS * DAY_MS);
    history.admit(begins);
    history.write(&mut db, begins, ends)?;
    roster.version += 1;
    // The tablets of the history are no more.
    roster.tablets.iter_mut().for_each(|t| t.revoked = true);
    roster::put(&db, &roster, around.now(), None)?;
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// Goes on where [`make`] ended, `since` then: checks of the patients who are there.
pub fn go_on(data: &Path, made: Ms, from: Ms, to: Ms) -> Result<()> {
    let mut db = open(data)?;
    let identity = Identity::read(&db)?;
    let roster = roster::newest(&db)?;
    let mut history = History::new(&identity, &roster, made - THERE_SINCE_DAYS * DAY_MS);
    history.round = 1_000_000;
    history.write(&mut db, from, to)
}

/// A facility's file as its server opens it.
pub fn open(data: &Path) -> Result<Connection> {
    let folder = Folder::existing(data)?;
    Ok(store::open(&folder.database(), &folder.key()?)?)
}

struct History<'a> {
    identity: &'a Identity,
    roster: &'a Roster,
    there_since: Ms,
    around: Surroundings,
    server: OwnAuthor,
    tablets: Vec<(TabletId, OwnAuthor)>,
    ward: WardId,
    nurse: StaffId,
    technicians: Vec<StaffId>,
    boot: Uuid,
    round: usize,
    admissions: Vec<(Ms, Vec<Vec<u8>>)>,
}

impl<'a> History<'a> {
    fn new(identity: &'a Identity, roster: &'a Roster, there_since: Ms) -> History<'a> {
        let around = Surroundings::real();
        let with = |role: Role| roster.staff.iter().filter(move |s| s.role == role).map(|s| s.id);
        let own = |t: &lamplight_domain::roster::Tablet| {
            (t.id, OwnAuthor::with_key(identity, SigningKey::from_seed(&around.bytes()), Some(t.id)))
        };
        History {
            identity,
            roster,
            there_since,
            server: OwnAuthor::new(identity, &around),
            tablets: roster.tablets.iter().take(2).map(own).collect(),
            ward: roster.wards[0].id,
            nurse: with(Role::Nurse).next().unwrap_or(roster.staff[0].id),
            technicians: with(Role::Technician).collect(),
            boot: around.uuid(),
            around,
            round: 0,
            admissions: Vec::new(),
        }
    }

    /// Which stay in its row the beds have at a time; 0 is the one that is there now.
    fn nth_stay(&self, at: Ms) -> i64 {
        let before = self.there_since - at;
        if before <= 0 { 0 } else { before / (STAY_DAYS * DAY_MS) + 1 }
    }

    fn stay(&self, bed: usize, nth: i64) -> StayId {
        StayId(scattered(1, bed, nth))
    }
    fn order(&self, bed: usize, nth: i64) -> RecordId {
        RecordId(scattered(2, bed, nth))
    }

    /// Everybody who comes and goes from `begins` on.
    fn admit(&mut self, begins: Ms) {
        let begins = begins.min(self.there_since);
        for nth in (0..=self.nth_stay(begins)).rev() {
            let from = if nth == 0 { self.there_since } else { self.there_since - nth * STAY_DAYS * DAY_MS };
            let mut bodies = Vec::new();
            for bed in 0..PATIENTS {
                let stay = self.stay(bed, nth);
                let opened = Event::StayOpened(StayOpened {
                    patient: PatientId(scattered(3, bed, nth)),
                    mrn: format!("{:06}", nth as usize * PATIENTS + bed),
                    family: format!("Family{bed}"),
                    given: format!("Given{nth}"),
                    born: chrono::NaiveDate::from_ymd_opt(1990, 1, 1).unwrap_or_default(),
                });
                let order = Event::Order(Order {
                    level: Level::Intermittent { limit_minutes: 15 },
                    ordered_by: "Dr A. Patel".into(),
                    reason: "leaving risk".into(),
                    until: None,
                    replaces: vec![],
                });
                if nth < self.nth_stay(begins) {
                    let left = Event::StayClosed { reason: "discharged".into() };
                    bodies.push(self.body(Some(self.stay(bed, nth + 1)), self.nurse, None, from, None, left));
                }
                let placed = Event::StayPlaced { bed: self.roster.wards[0].beds[bed].label.clone(), from: None };
                for (id, event) in [(None, opened), (None, placed), (Some(self.order(bed, nth)), order)] {
                    bodies.push(self.body(Some(stay), self.nurse, id, from, None, event));
                }
            }
            self.admissions.push((from, bodies));
        }
    }

    fn body(
        &self,
        stay: Option<StayId>,
        by: StaffId,
        id: Option<RecordId>,
        at: Ms,
        tablet: Option<(TabletId, RecordId)>,
        event: Event,
    ) -> Vec<u8> {
        let fresh =
            || RecordId(Builder::from_unix_timestamp_millis(at.0.max(0) as u64, &self.around.bytes()).into_uuid());
        let envelope = Envelope {
            v: 1,
            id: id.unwrap_or_else(fresh),
            kind: String::new(),
            kind_v: 0,
            facility: self.identity.facility,
            ward: self.ward,
            stay,
            by: Some(by),
            auth: if tablet.is_some() { Auth::Pin } else { Auth::Station },
            tablet: tablet.map(|(id, _)| id),
            observed_at: at,
            recorded_at: at,
            boot_id: tablet.map(|_| self.boot),
            boot_ms: tablet.map(|_| at.0 % (30 * DAY_MS)),
            order: tablet.map(|(_, order)| order),
            list_v: Some(self.roster.lists.version),
        };
        Body::new(envelope, event).to_bytes().unwrap_or_default()
    }

    fn write(&mut self, db: &mut Connection, from: Ms, to: Ms) -> Result<()> {
        let facts = Facts {
            facility: self.identity.facility,
            key: self.identity.key.clone(),
            roster: Arc::new(self.roster.clone()),
        };
        let (mut at, mut tx) = (from, db.transaction()?);
        let mut admissions = std::mem::take(&mut self.admissions).into_iter().peekable();
        while at < to {
            let until = (at + SHIFT_MS).min(to);
            while let Some((when, bodies)) = admissions.next_if(|(when, _)| *when <= at || *when < until) {
                self.file(&tx, &facts, &self.server, bodies, when)?;
            }
            let (tablet, author) = &self.tablets[self.round % self.tablets.len()];
            let by = self.technicians[self.round % self.technicians.len()];
            let mut bodies = Vec::new();
            while at < until {
                let nth = self.nth_stay(at);
                for bed in 0..PATIENTS {
                    let seen = at + bed as i64 * 4_000;
                    let (place, activity) = SEEN[(self.round + bed) % SEEN.len()];
                    let check = Check { place: place.into(), activity: activity.into(), evidence: vec![] };
                    let from = Some((*tablet, self.order(bed, nth)));
                    bodies.push(self.body(Some(self.stay(bed, nth)), by, None, seen, from, Event::Check(check)));
                }
                at = at + EVERY_MS;
            }
            self.file(&tx, &facts, author, bodies, at)?;
            self.round += 1;
            if self.round.is_multiple_of(20) {
                tx.commit()?;
                tx = db.transaction()?;
            }
        }
        Ok(tx.commit()?)
    }

    fn file(&self, db: &Connection, facts: &Facts, author: &OwnAuthor, bodies: Vec<Vec<u8>>, now: Ms) -> Result<()> {
        for bodies in bodies.chunks(960) {
            let batch = author.batch(author.head(db)?, bodies.to_vec(), self.around.uuid());
            let done = append(db, facts, &Prepared::new(batch, self.identity.facility), now)?;
            if let Some(refused) = done.refused {
                bail!("a batch of the history was not taken: {refused:?}");
            }
            done.receipt.context("no receipt")?;
        }
        Ok(())
    }
}

/// The same for the same numbers, and as hard to compress as a random one.
fn scattered(what: u64, bed: usize, nth: i64) -> Uuid {
    let text = format!("{what} {bed} {nth}");
    let hash = lamplight_domain::chain::body_hash(text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.0[..16]);
    Builder::from_random_bytes(bytes).into_uuid()
}
