//! Table `standing`: the feed rows that a fresh tablet needs whatever their age (who is here, at which level, who was
//! last seen when). It is derived, so it may change; it makes the cost of an opening independent of how much the
//! server holds.

use super::bodies::BodyNo;
use super::feed::WardNo;
use lamplight_domain::ids::{RecordId, StaffId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Body, Envelope};
use lamplight_domain::roster::Roster;
use lamplight_domain::time::{HOUR_MS, Ms};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;
use uuid::Uuid;

pub const FOREVER: i64 = i64::MAX;
/// What has ended is still sent for so long: the last 24 hours must be understood, and a little more.
pub const KEEP_MS: i64 = 36 * HOUR_MS;
/// Of checks, takings over and verifications the newest few stand, so that one retracted does not leave nothing.
const NEWEST: u32 = 3;

/// All but the newest of a kind, with what was said about them. By its index: left to itself SQLite reads every row that
/// stands in the ward, once for each check that comes in.
const DROP_OLDER: &str = "DELETE FROM standing INDEXED BY standing_by_about
    WHERE ward = ?3 AND about IN (SELECT id FROM standing
      WHERE stay = ?1 AND kind = ?2 AND ward = ?3 ORDER BY at DESC, n DESC LIMIT -1 OFFSET ?4)";

/// What a row of the feed is to a fresh reader.
enum Part {
    /// Holds until something ends it. `replaces`: an older one of its kind for the stay ends.
    Begins {
        replaces: bool,
    },
    /// Ends the record and everything said about it.
    Ends(RecordId),
    /// Belongs to the record and lives as long as it.
    Answers(RecordId),
    /// Says that two stays or patients are one, or takes that back: stands as long as the stay. `about` is the other stay,
    /// or the join that is taken back, so that it is found from there too.
    Joins {
        about: RecordId,
    },
    /// Only the newest of its kind stand, for the stay or for the ward.
    Newest,
    EndsStay,
    None,
}

fn part(envelope: &Envelope, event: &Event) -> Part {
    match event {
        Event::StayOpened(_) | Event::StayProvisional(_) | Event::Order(_) | Event::PauseStarted(_) => {
            Part::Begins { replaces: false }
        }
        Event::StayJoined { into } => Part::Joins { about: RecordId(into.0) },
        Event::PatientMerged(merged) => Part::Joins { about: RecordId(merged.with.0) },
        Event::JoinEnded { of, .. } => Part::Joins { about: *of },
        Event::StayPlaced { .. } | Event::Precautions { .. } | Event::WatchStarted { .. } => {
            Part::Begins { replaces: true }
        }
        Event::Concern { .. } | Event::Emergency { .. } => Part::Begins { replaces: false },
        Event::OrderEnded { of, .. }
        | Event::PauseEnded { of }
        | Event::WatchEnded { of }
        | Event::EmergencyEnded { of, .. } => Part::Ends(*of),
        Event::OrderAcknowledged { of } | Event::Acknowledged { of, .. } | Event::Claimed { of } => Part::Answers(*of),
        Event::Amendment(a) => Part::Answers(a.of),
        // A late entry closes no gap, and neither does what nobody signed: never what a patient was last seen by.
        Event::Check(_) if !envelope.is_late_entry() && envelope.by.is_some() => Part::Newest,
        Event::HoldingTaken { .. } | Event::Verified { .. } => Part::Newest,
        Event::StayClosed { .. } => Part::EndsStay,
        _ => Part::None,
    }
}

/// Where a row stands in which feed, and when the server had it.
#[derive(Clone, Copy)]
pub struct Place {
    pub ward: WardNo,
    pub n: u64,
    pub received_at: Ms,
    /// Nobody has opened the stay yet: until then it cannot be told which ward needs this, so all of it stands.
    pub stay_unknown: bool,
}

/// Rows of which only the newest of their kind stand. Of a batch's, all but a few would be taken out again at once, so
/// they wait for the next row that is not of their sort, or for the batch's end.
#[derive(Default)]
pub struct Later(HashMap<(WardNo, Uuid, String), Vec<Newest>>);

struct Newest {
    place: Place,
    id: RecordId,
    at: Ms,
}

impl Later {
    fn put(&mut self, place: Place, stay: Uuid, kind: &str, newest: Newest) {
        let waiting = self.0.entry((place.ward, stay, kind.to_owned())).or_default();
        waiting.push(newest);
        waiting.sort_by_key(|one| std::cmp::Reverse((one.at, one.place.n)));
        waiting.truncate(NEWEST as usize);
    }

    /// Takes in what waits.
    pub fn settle(&mut self, db: &Connection) -> rusqlite::Result<()> {
        for ((ward, stay, kind), rows) in self.0.drain() {
            let over = is_closed(db, stay)?;
            for Newest { place, id, at } in rows {
                let until = if over { (place.received_at + KEEP_MS).0 } else { FOREVER };
                insert(db, &Row { place, id, kind: &kind, about: id, stay, at, until })?;
            }
            db.prepare_cached(DROP_OLDER)?.execute(params![stay.as_bytes(), kind, ward.0, NEWEST])?;
        }
        Ok(())
    }
}

/// Takes a new feed row in, at once or `later`, which is to be settled before the transaction ends. For the writer,
/// inside the transaction that numbers the row.
pub fn take(db: &Connection, roster: &Roster, place: Place, body: &Body, later: &mut Later) -> rusqlite::Result<()> {
    let Body { envelope, event: Some(event) } = body else { return Ok(()) };
    let (id, stay, received_at) = (envelope.id, envelope.stay.map_or(Uuid::nil(), |s| s.0), place.received_at);
    let at = envelope.observed_at.min(received_at);
    let soon = received_at + KEEP_MS;
    let kind = envelope.kind.as_str();
    let add = |about: RecordId, until: i64| insert(db, &Row { place, id, kind, about, stay, at, until });
    let part = part(envelope, event);
    if !matches!(part, Part::None | Part::Newest) || place.stay_unknown {
        later.settle(db)?;
    }
    match part {
        Part::None if place.stay_unknown => add(id, FOREVER)?,
        Part::None => {}
        Part::Joins { about } => add(about, if is_closed(db, stay)? { soon.0 } else { FOREVER })?,
        Part::Begins { replaces } => {
            let settled = matches!(event, Event::Concern { .. }) && is_acknowledged(db, roster, id)?;
            let over = settled || is_ended(db, id)? || is_closed(db, stay)?;
            add(id, if over { soon.0 } else { FOREVER })?;
            if !over {
                // What was said about it and came before it.
                db.prepare_cached("UPDATE standing SET until = ?2 WHERE about = ?1")?
                    .execute(params![id.0.as_bytes(), FOREVER])?;
            }
            if replaces {
                db.prepare_cached(
                    "UPDATE standing SET until = min(until, ?4) WHERE stay = ?1 AND kind = ?2 AND at < ?3",
                )?
                .execute(params![stay.as_bytes(), envelope.kind, at.0, soon.0])?;
            }
            if let Event::Order(order) = event {
                for old in &order.replaces {
                    end(db, *old, soon)?;
                }
            }
        }
        Part::Ends(of) => {
            add(of, soon.0)?;
            end(db, of, soon)?;
        }
        Part::Answers(of) => {
            let answered = of_record(db, of)?;
            let until = answered.as_ref().map_or(soon.0, |a| a.until);
            add(of, until)?;
            // A concern stays on top until a nurse takes notice.
            let settled = matches!(event, Event::Acknowledged { .. }) && roster.is_nurse(envelope.by);
            if settled && answered.as_ref().is_some_and(|a| a.kind == "concern") {
                end(db, of, soon)?;
            }
        }
        Part::Newest => later.put(place, stay, kind, Newest { place, id, at }),
        Part::EndsStay => {
            add(id, soon.0)?;
            db.prepare_cached("UPDATE standing SET until = min(until, ?2) WHERE stay = ?1")?
                .execute(params![stay.as_bytes(), soon.0])?;
        }
    }
    Ok(())
}

/// A body that stands in some feed stands in the same way as row `n` of this one.
pub fn copy(db: &Connection, ward: WardNo, n: u64, body: BodyNo) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO standing (ward, n, id, about, stay, kind, at, until)
         SELECT ?1, ?2, s.id, s.about, s.stay, s.kind, s.at, s.until FROM feed f
           JOIN standing s ON s.ward = f.ward AND s.n = f.n WHERE f.body = ?3 AND f.ward <> ?1 LIMIT 1",
    )?
    .execute(params![ward.0, n as i64, body.0])?;
    Ok(())
}

/// Does the row stand at `at`?
pub fn holds(db: &Connection, ward: WardNo, n: u64, at: Ms) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM standing WHERE ward = ?1 AND n = ?2 AND until > ?3")?
        .exists(params![ward.0, n as i64, at.0])
}

/// Is there such a stay, and when was it closed? Nobody can take a closing back: a return is a new stay.
pub fn stay_state(db: &Connection, stay: Uuid) -> rusqlite::Result<(bool, Option<Ms>)> {
    let mut statement = db.prepare_cached(
        "SELECT kind, min(at) FROM standing WHERE stay = ?1
           AND kind IN ('stay.opened', 'stay.provisional', 'stay.closed') GROUP BY kind",
    )?;
    let mut rows = statement.query([stay.as_bytes()])?;
    let (mut opened, mut closed) = (false, None);
    while let Some(row) = rows.next()? {
        match row.get::<_, String>(0)?.as_str() {
            "stay.opened" | "stay.provisional" => opened = true,
            _ => closed = Some(Ms(row.get(1)?)),
        }
    }
    Ok((opened, closed))
}

struct Row<'a> {
    place: Place,
    id: RecordId,
    kind: &'a str,
    about: RecordId,
    stay: Uuid,
    at: Ms,
    until: i64,
}

fn insert(db: &Connection, row: &Row<'_>) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO standing (ward, n, id, about, stay, kind, at, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        row.place.ward.0,
        row.place.n as i64,
        row.id.0.as_bytes(),
        row.about.0.as_bytes(),
        row.stay.as_bytes(),
        row.kind,
        row.at.0,
        row.until
    ])?;
    Ok(())
}

fn end(db: &Connection, of: RecordId, soon: Ms) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE standing SET until = min(until, ?2) WHERE about = ?1")?
        .execute(params![of.0.as_bytes(), soon.0])?;
    Ok(())
}

/// This person has said that the call for help was theirs.
pub fn is_claimed_by(db: &Connection, call: RecordId, person: StaffId) -> rusqlite::Result<bool> {
    is_answered(db, call, "claimed", |by| by == Some(person))
}

fn is_ended(db: &Connection, id: RecordId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM standing WHERE about = ?1 AND kind LIKE '%.ended'")?.exists([id.0.as_bytes()])
}

/// A nurse's acknowledgement of this concern came before it.
fn is_acknowledged(db: &Connection, roster: &Roster, concern: RecordId) -> rusqlite::Result<bool> {
    is_answered(db, concern, "acknowledged", |by| roster.is_nurse(by))
}

/// Does an answer of this kind stand that such a person wrote?
fn is_answered(
    db: &Connection,
    about: RecordId,
    kind: &str,
    is: impl Fn(Option<StaffId>) -> bool,
) -> rusqlite::Result<bool> {
    let mut statement = db.prepare_cached(
        "SELECT b.bytes FROM standing s JOIN feed f ON f.ward = s.ward AND f.n = s.n JOIN bodies b ON b.no = f.body
           WHERE s.about = ?1 AND s.kind = ?2",
    )?;
    let mut rows = statement.query(params![about.0.as_bytes(), kind])?;
    while let Some(row) = rows.next()? {
        if Body::parse(row.get_ref(0)?.as_blob()?).is_ok_and(|body| is(body.envelope.by)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_closed(db: &Connection, stay: Uuid) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM standing WHERE stay = ?1 AND kind = 'stay.closed'")?.exists([stay.as_bytes()])
}

struct Standing {
    kind: String,
    until: i64,
}

fn of_record(db: &Connection, id: RecordId) -> rusqlite::Result<Option<Standing>> {
    db.prepare_cached("SELECT kind, until FROM standing WHERE id = ?1 AND about = ?1 LIMIT 1")?
        .query_row([id.0.as_bytes()], |r| Ok(Standing { kind: r.get(0)?, until: r.get(1)? }))
        .optional()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::fresh;

    /// The steps of a statement's plan, as SQLite tells them.
    fn plan(db: &Connection, sql: &str) -> Vec<String> {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        for parameter in 1..=statement.parameter_count() {
            statement.raw_bind_parameter(parameter, 0).unwrap();
        }
        statement.raw_query().mapped(|row| row.get(3)).collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn a_check_that_comes_in_does_not_read_all_that_stands_in_its_ward() {
        let (_dir, db) = fresh();
        let read: Vec<String> = plan(&db, DROP_OLDER).into_iter().filter(|step| step.contains("standing")).collect();
        assert_eq!(read.len(), 2, "{read:?}");
        assert!(read[0].contains("standing_by_about (about=?"), "{read:?}");
        assert!(read[1].contains("standing_by_stay (stay=? AND kind=? AND ward=?"), "{read:?}");
    }
}
