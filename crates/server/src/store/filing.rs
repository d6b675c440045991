//! Filing the links of one batch: body, link, feed row, flags, what stands. What is the same for many of them is looked
//! up once a batch: the writer's turn is short, since nobody else has it meanwhile.

use super::StoreError;
use super::append::{Facts, NewRow, PreparedLink};
use super::authors::Author;
use super::bodies::{self, BodyNo, Columns};
use super::feed::{self, End, WardNo};
use super::{flags, links, odd, standing};
use lamplight_domain::ids::WardId;
use lamplight_domain::record::{Body, Record};
use lamplight_domain::time::Ms;
use rusqlite::Connection;
use std::collections::HashMap;

pub struct Filing<'a> {
    db: &'a Connection,
    facts: &'a Facts,
    author: &'a Author,
    now: Ms,
    /// Where the feeds of this batch end.
    feeds: HashMap<WardId, (WardNo, End)>,
    stays: odd::Stays,
    later: standing::Later,
    rows: Vec<NewRow>,
}

impl<'a> Filing<'a> {
    pub fn new(db: &'a Connection, facts: &'a Facts, author: &'a Author, now: Ms) -> Filing<'a> {
        let (feeds, stays, later) = (HashMap::new(), odd::Stays::default(), standing::Later::default());
        Filing { db, facts, author, now, feeds, stays, later, rows: Vec::new() }
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
        for code in odd::codes(db, &mut self.stays, self.facts, author, link.body.as_ref(), self.now)? {
            flags::add(db, body, code)?;
        }
        if link.body.is_some() {
            flag_twins(db, &columns, body)?;
        }
        let Some(ward) = ward_of(self.facts, author, link.body.as_ref()) else { return Ok(()) };
        let (no, end) = match self.feeds.get(&ward) {
            Some(known) => *known,
            None => {
                let no = feed::ward_or_new(db, ward)?;
                (no, feed::end(db, no)?)
            }
        };
        let end = feed::append(db, no, &end, body, columns.id, &link.body_hash, columns.observed_at)?;
        self.feeds.insert(ward, (no, end));
        if let Some(body) = &link.body {
            let place = standing::Place { ward: no, n: end.n, received_at };
            standing::take(db, &self.facts.roster, place, body, &mut self.later)?;
        }
        let record = link.body.clone().map(|body| Record {
            body,
            hash: link.body_hash,
            author: author.id,
            seq: link.seq,
            received_at: Some(received_at),
        });
        self.rows.push(NewRow { ward, n: end.n, record });
        Ok(())
    }

    /// The rows that came into a feed. What a start would not load either comes without its record.
    pub fn finish(mut self) -> Result<Vec<NewRow>, StoreError> {
        self.later.settle(self.db)?;
        for row in &mut self.rows {
            let is_old =
                row.record.as_ref().is_some_and(|r| r.body.envelope.observed_at < self.now - standing::KEEP_MS);
            if let (true, Some((no, _))) = (is_old, self.feeds.get(&row.ward))
                && !standing::holds(self.db, *no, row.n, self.now)?
            {
                row.record = None;
            }
        }
        Ok(self.rows)
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
