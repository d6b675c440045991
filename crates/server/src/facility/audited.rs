//! The audit as it is read: one line a record, in words, newest first. Names no patient.

use super::FacilityServer;
use super::trouble;
use crate::store::StoreError;
use crate::store::audited::{self, Audited};
use lamplight_domain::ids::{StaffId, StayId, TabletId, WardId};
use lamplight_domain::kinds::{Act, Audit, Event};
use lamplight_domain::roster::Roster;
use lamplight_domain::station::{AuditAsk, AuditPage, AuditRow};
use lamplight_domain::time::Ms;
use lamplight_domain::wire::Trouble;
use rusqlite::Connection;
use serde::Serialize;
use std::collections::HashSet;
use uuid::Uuid;

/// A record of the audit, with the link under which it is held.
#[derive(Debug, Serialize)]
pub struct AuditLine {
    #[serde(flatten)]
    pub row: AuditRow,
    pub id: Uuid,
    pub author: Uuid,
    pub seq: u64,
    pub received_at: Option<Ms>,
    pub by_id: Option<StaffId>,
    pub staff: Option<StaffId>,
    pub tablet: Option<TabletId>,
    pub ward: Option<WardId>,
    pub what: String,
    /// In whose feed it stands; none where that is the facility's own.
    #[serde(skip)]
    home: Option<WardId>,
}

/// What a person is given of the audit who answers for some wards: what is about them, their patients of now, their
/// tablets. A line that names a ward is of that ward, whatever tablet it was written on.
struct OfWards {
    wards: Vec<WardId>,
    stays: HashSet<StayId>,
    tablets: HashSet<TabletId>,
}

impl OfWards {
    fn new(server: &FacilityServer, roster: &Roster, wards: Vec<WardId>) -> OfWards {
        let stays = |ward: &WardId| server.live().ward(*ward).with(|records| records.open_stays(roster, *ward));
        let tablets = roster.tablets.iter().filter(|t| wards.contains(&t.ward)).map(|t| t.id);
        OfWards { stays: wards.iter().flat_map(stays).collect(), tablets: tablets.collect(), wards }
    }

    fn has(&self, line: &AuditLine) -> bool {
        let mut named = [line.ward, line.home].into_iter().flatten().peekable();
        let of_tablet = named.peek().is_none() && line.tablet.is_some_and(|tablet| self.tablets.contains(&tablet));
        named.any(|ward| self.wards.contains(&ward))
            || line.row.stay.is_some_and(|stay| self.stays.contains(&stay))
            || of_tablet
    }
}

impl AuditLine {
    fn of(found: Audited, roster: &Roster) -> AuditLine {
        let Audited { record, tablet: written_on, flags } = found;
        let audit = said(&record.body.event);
        let envelope = &record.body.envelope;
        let at = envelope.recorded_at;
        let stay = audit.stay.or(envelope.stay);
        let row = AuditRow {
            at,
            clock: at.utc().with_timezone(&roster.facility.zone).format("%-d %b %H:%M").to_string(),
            act: audit.act,
            by: by(roster, envelope.by, audit.act, written_on),
            words: words(roster, &audit),
            stay,
            flags: flags.join(", "),
        };
        AuditLine {
            row,
            id: envelope.id.0,
            author: record.author.0,
            seq: record.seq,
            received_at: record.received_at,
            by_id: envelope.by,
            staff: audit.staff,
            tablet: audit.tablet.or(written_on),
            ward: audit.ward,
            what: audit.what,
            home: Some(envelope.ward).filter(|ward| *ward != WardId::FACILITY),
        }
    }

    /// Who did it, or to whom it was done.
    fn is_of(&self, staff: StaffId) -> bool {
        self.by_id == Some(staff) || self.staff == Some(staff)
    }

    /// Those that `ask` means, to `take` until it says false.
    pub fn read(
        db: &Connection,
        roster: &Roster,
        ask: &AuditAsk,
        mut take: impl FnMut(AuditLine) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let stretch = (ask.from.unwrap_or(Ms(i64::MIN)), ask.to.unwrap_or(Ms(i64::MAX)));
        audited::read(db, stretch, |found| {
            let line = AuditLine::of(found, roster);
            let is_meant =
                ask.act.is_none_or(|act| act == line.row.act) && ask.staff.is_none_or(|staff| line.is_of(staff));
            if is_meant { take(line) } else { Ok(true) }
        })
    }
}

/// What a record of whatever kind says, as an audit record says it.
fn said(event: &Option<Event>) -> Audit {
    match event {
        Some(Event::Audit(audit)) => audit.clone(),
        Some(Event::TabletJoined { tablet, name }) => {
            Audit { tablet: Some(*tablet), what: name.clone(), ..Audit::of(Act::TabletJoined) }
        }
        Some(Event::TabletMoved { tablet, to, .. }) => {
            Audit { tablet: Some(*tablet), ward: Some(*to), ..Audit::of(Act::TabletMoved) }
        }
        Some(Event::TabletRevoked { tablet, reason }) => {
            Audit { tablet: Some(*tablet), what: reason.clone(), ..Audit::of(Act::TabletRevoked) }
        }
        Some(Event::AccessGiven(given)) => {
            Audit { staff: Some(given.staff), what: given.number.clone(), ..Audit::of(Act::AccessGiven) }
        }
        _ => Audit::of(Act::Unknown),
    }
}

fn by(roster: &Roster, by: Option<StaffId>, act: Act, written_on: Option<TabletId>) -> String {
    match by {
        Some(id) => match roster.person(id) {
            Some(person) => format!("{}, {}", person.short(), person.number),
            None => "somebody who is not on the staff list".to_owned(),
        },
        None if written_on.is_some() => "nobody signed in".to_owned(),
        None if matches!(act, Act::SignInFailed | Act::LockedOut | Act::InviteRefused | Act::Refused) => {
            "nobody signed in".to_owned()
        }
        None => "the facility server".to_owned(),
    }
}

/// "let somebody in again: A. Diaz, W-3, Willow Ward (role: technician to nurse)"
fn words(roster: &Roster, audit: &Audit) -> String {
    let person = audit.staff.map(|id| roster.person(id).map_or("somebody unknown".to_owned(), |p| p.short()));
    let tablet = audit.tablet.map(|id| {
        let known = roster.tablets.iter().find(|t| t.id == id);
        known.map_or("a tablet that is not on the list".to_owned(), |t| t.name.clone())
    });
    let ward = audit.ward.map(|id| roster.ward(id).map_or("a ward that is gone".to_owned(), |w| w.name.clone()));
    let about: Vec<String> = person.into_iter().chain(tablet).chain(ward).collect();
    let mut words = audit.act.words().to_owned();
    if !about.is_empty() {
        words = format!("{words}: {}", about.join(", "));
    }
    if audit.what.is_empty() { words } else { format!("{words} ({})", audit.what) }
}

impl FacilityServer {
    /// `wards`: of which alone lines are given; None for all there is.
    pub async fn audit_page(&self, ask: AuditAsk, wards: Option<Vec<WardId>>) -> Result<AuditPage, Trouble> {
        let roster = self.roster();
        let given = wards.map(|wards| OfWards::new(self, &roster, wards));
        let read = move |db: &Connection| {
            let mut page = AuditPage { rows: Vec::new(), more: false };
            AuditLine::read(db, &roster, &ask, |line| {
                if given.as_ref().is_some_and(|given| !given.has(&line)) {
                    return Ok(true);
                }
                page.more = page.rows.len() == AuditPage::MAX;
                if !page.more {
                    page.rows.push(line.row);
                }
                Ok(!page.more)
            })?;
            Ok(page)
        };
        self.readers().read(read).await.map_err(trouble)
    }
}
