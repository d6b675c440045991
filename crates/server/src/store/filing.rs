//! Filing the links of one batch: body, link, feed row, flags, what stands. What is the same for many of them is looked
//! up once a batch: the writer's turn is short, since nobody else has it meanwhile.

use super::StoreError;
use super::append::{Facts, NewRow, PreparedLink};
use super::authors::Author;
use super::bodies::{self, BodyNo, Columns};
use super::feed::{self, End, WardNo};
use super::reach::{self, Found, Reach, Reaches};
use super::{flags, given_access, links, meta, odd, standing};
use lamplight_domain::ids::{RecordId, WardId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Body, Record};
use lamplight_domain::roster::Roster;
use lamplight_domain::time::Ms;
use lamplight_domain::ward::refers_to;
use rusqlite::Connection;
use std::collections::HashMap;
use std::sync::Arc;

pub struct Filing<'a> {
    db: &'a Connection,
    /// Its roster is the one that holds after what the batch brought so far.
    facts: Facts,
    /// A record of the batch let somebody in: the roster is a new one.
    roster_is_new: bool,
    author: &'a Author,
    now: Ms,
    /// Where the feeds of this batch end.
    feeds: HashMap<WardId, (WardNo, End)>,
    stays: odd::Stays,
    later: standing::Later,
    reaches: Reaches,
    rows: Vec<NewRow>,
}

impl<'a> Filing<'a> {
    pub fn new(db: &'a Connection, facts: &'a Facts, author: &'a Author, now: Ms) -> Filing<'a> {
        let (feeds, stays, later) = (HashMap::new(), odd::Stays::default(), standing::Later::default());
        let (facts, reaches) = (facts.clone(), Reaches::default());
        Filing { db, facts, roster_is_new: false, author, now, feeds, stays, later, reaches, rows: Vec::new() }
    }

    pub fn take(&mut self, link: &PreparedLink, received_at: Ms) -> Result<(), StoreError> {
        let (db, author) = (self.db, self.author);
        let columns = Columns::of(link.body.as_ref().map(|b| &b.envelope));
        let new = match &link.bytes {
            Some(bytes) => bodies::insert(db, &link.body_hash, bytes, &columns, author.no, link.seq)?,
            None => None,
        };
        let body = match new {
            Some(no) => no,
            None => {
                bodies::find(db, &link.body_hash)?.ok_or_else(|| StoreError::Broken("a body went missing".into()))?
            }
        };
        links::insert(db, author.no, link.seq, body, &link.hash, received_at)?;
        if new.is_none() {
            // It was filed before, so every feed that needs it has it.
            return Ok(());
        }
        if let Some(Body { envelope, event: Some(Event::AccessGiven(given)) }) = &link.body {
            let home = ward_of(&self.facts, author, link.body.as_ref());
            let newest = if self.roster_is_new { None } else { Some(super::roster::newest(db)?) };
            let roster = newest.as_ref().unwrap_or(&self.facts.roster);
            let lets_in = envelope.by.and_then(|by| roster.working(by, envelope.recorded_at));
            let may = lets_in.is_some_and(|person| home.is_some_and(|ward| odd::may_let_in(person, ward)));
            let keys = if may { meta::opening(db)? } else { Vec::new() };
            let pin = || {
                let sealed = given.pin.as_ref()?;
                keys.iter().find_map(|key| sealed.open(roster.facility.id, given.staff, key))
            };
            if let Some(roster) = home.and_then(|ward| given_access::let_in(roster, ward, envelope, given, pin)) {
                (self.facts.roster, self.roster_is_new) = (Arc::new(roster), true);
            }
        }
        for code in odd::codes(db, &mut self.stays, &self.facts, author, link.body.as_ref(), self.now)? {
            flags::add(db, body, code)?;
        }
        if link.body.is_some() {
            flag_twins(db, &columns, body)?;
        }
        let found = Found { body, id: columns.id, hash: link.body_hash, observed_at: columns.observed_at };
        if link.body.as_ref().is_some_and(|b| odd::is_audit(&b.envelope)) {
            // Nobody's board, and no tablet's: nothing waits for it.
            return self.append(WardId::FACILITY, &found).map(|_| ());
        }
        let Some(home) = ward_of(&self.facts, author, link.body.as_ref()) else { return Ok(()) };
        let record = link.body.clone().map(|body| Record {
            body,
            hash: link.body_hash,
            author: author.id,
            seq: link.seq,
            received_at: Some(received_at),
        });
        let mut wards = vec![home];
        for ward in self.others(home, body, record.as_ref())? {
            if !wards.contains(&ward) {
                wards.push(ward);
            }
        }
        for ward in wards {
            self.file(ward, &found, record.as_ref(), received_at)?;
        }
        Ok(())
    }

    /// The wards beside its own whose feeds need a record (`reach`). Those that have a patient who is new to them get
    /// what they lack first, so that whoever reads on sees the patient come with everything.
    fn others(&mut self, home: WardId, body: BodyNo, record: Option<&Record>) -> Result<Vec<WardId>, StoreError> {
        let db = self.db;
        let Some((record, stay)) = record.and_then(|r| Some((r, r.body.envelope.stay?))) else { return Ok(Vec::new()) };
        if self.facts.roster.wards.len() < 2 {
            return Ok(Vec::new());
        }
        let (home_no, _) = self.end(home)?;
        let event = record.body.event.as_ref();
        if event.is_some_and(reach::is_census) {
            self.later.settle(db)?;
            self.reaches.forget();
            let mut reach = Reach::of(db, stay, Some(record))?;
            reach.wards.retain(|ward| self.facts.roster.ward(*ward).is_some());
            if reach.wards.iter().all(|ward| *ward == home) && reach::is_only_in(db, stay, home_no)? {
                return Ok(Vec::new());
            }
            for ward in &reach.wards {
                let (no, _) = self.end(*ward)?;
                for lacks in reach::lacking(db, &reach, no, reach.now == Some(*ward), self.now)? {
                    self.copy(*ward, &lacks)?;
                }
            }
            for disagreeing in reach.disagreeing() {
                for no in bodies::of_id(db, disagreeing)? {
                    flags::add(db, no, odd::TRANSFERS_DISAGREE)?;
                }
            }
            return Ok(reach.wards);
        }
        let mut wards = Vec::new();
        if let Some(reach) = self.reaches.beyond(db, stay, home_no)? {
            let has_moved = reach.now.is_some_and(|now| now != home);
            if has_moved && reach.since.is_some_and(|since| record.body.envelope.observed_at >= since) {
                flags::add(db, body, odd::MOVED_STAY)?;
            }
            wards.extend(reach.now.filter(|ward| self.facts.roster.ward(*ward).is_some()));
            let unheard = if reach.wards.contains(&home) {
                Vec::new()
            } else {
                reach::lacking(db, reach, home_no, reach.now == Some(home), self.now)?
            };
            for lacks in unheard {
                self.copy(home, &lacks)?;
            }
        }
        if let Some(of) = event.and_then(refers_to) {
            // Whatever is said of an audit record is of no ward either, but it is no audit.
            wards.extend(reach::holding(db, of)?.into_iter().filter(|ward| *ward != WardId::FACILITY));
        }
        Ok(wards)
    }

    /// Where the feed of a ward ends.
    fn end(&mut self, ward: WardId) -> Result<(WardNo, End), StoreError> {
        if let Some(known) = self.feeds.get(&ward) {
            return Ok(*known);
        }
        let no = feed::ward_or_new(self.db, ward)?;
        let end = feed::end(self.db, no)?;
        self.feeds.insert(ward, (no, end));
        Ok((no, end))
    }

    /// Gives a body the next number of a ward's feed.
    fn append(&mut self, ward: WardId, found: &Found) -> Result<(WardNo, u64), StoreError> {
        let (no, end) = self.end(ward)?;
        let end = feed::append(self.db, no, &end, found.body, found.id, &found.hash, found.observed_at)?;
        self.feeds.insert(ward, (no, end));
        Ok((no, end.n))
    }

    /// Files a body that is new, and with it whatever came before that ends, answers or amends it.
    fn file(
        &mut self,
        ward: WardId,
        found: &Found,
        record: Option<&Record>,
        received_at: Ms,
    ) -> Result<(), StoreError> {
        let (no, n) = self.append(ward, found)?;
        if let Some(Record { body, .. }) = record {
            let stay = body.envelope.stay.filter(|_| !body.event.as_ref().is_some_and(reach::is_census));
            let stay = stay.map(|stay| self.stays.state(self.db, stay.0)).transpose()?;
            let stay_unknown = stay.is_some_and(|(opened, _)| !opened);
            let place = standing::Place { ward: no, n, received_at, stay_unknown };
            standing::take(self.db, &self.facts.roster, place, body, &mut self.later)?;
        }
        self.rows.push(NewRow { ward, n, record: record.cloned() });
        self.answers(ward, found.id)
    }

    /// Files a body once more, in the feed of another ward.
    fn copy(&mut self, ward: WardId, found: &Found) -> Result<(), StoreError> {
        let (no, _) = self.end(ward)?;
        if feed::has(self.db, no, found.body)? {
            return Ok(());
        }
        let (no, n) = self.append(ward, found)?;
        standing::copy(self.db, no, n, found.body)?;
        self.rows.push(NewRow { ward, n, record: reach::record(self.db, found.body)? });
        self.answers(ward, found.id)
    }

    fn answers(&mut self, ward: WardId, of: RecordId) -> Result<(), StoreError> {
        if self.facts.roster.wards.len() < 2 {
            return Ok(());
        }
        let (no, _) = self.end(ward)?;
        for lacks in reach::about(self.db, of, no)? {
            self.copy(ward, &lacks)?;
        }
        Ok(())
    }

    /// The rows that came into a feed, and the roster where it is a new one. What a start would not load either comes
    /// without its record.
    pub fn finish(mut self) -> Result<(Vec<NewRow>, Option<Arc<Roster>>), StoreError> {
        self.later.settle(self.db)?;
        if self.roster_is_new {
            super::roster::put(self.db, &self.facts.roster, self.now, None)?;
        }
        for row in &mut self.rows {
            let is_old =
                row.record.as_ref().is_some_and(|r| r.body.envelope.observed_at < self.now - standing::KEEP_MS);
            if let (true, Some((no, _))) = (is_old, self.feeds.get(&row.ward))
                && !standing::holds(self.db, *no, row.n, self.now)?
            {
                row.record = None;
            }
        }
        Ok((self.rows, Some(self.facts.roster).filter(|_| self.roster_is_new)))
    }
}

fn flag_twins(db: &Connection, columns: &Columns<'_>, body: BodyNo) -> Result<(), StoreError> {
    let twins = bodies::twins(db, columns.id, body)?;
    for twin in &twins {
        flags::add(db, *twin, odd::SAME_ID)?;
    }
    if !twins.is_empty() {
        flags::add(db, body, odd::SAME_ID)?;
    }
    Ok(())
}

/// The ward whose readers must see it: the body's own, where the facility has it; else the tablet's, else the first.
fn ward_of(facts: &Facts, author: &Author, body: Option<&Body>) -> Option<WardId> {
    let roster = &facts.roster;
    body.map(|b| b.envelope.ward)
        .filter(|w| roster.ward(*w).is_some())
        .or_else(|| roster.tablets.iter().find(|t| Some(t.id) == author.tablet).map(|t| t.ward))
        .or_else(|| roster.wards.first().map(|w| w.id))
}
