//! Collects what happened and writes it down as records: envelope, level in force, clocks, order of receipt.

use super::dice::Dice;
use super::people::People;
use super::{DemoRecord, Writer};
use lamplight_domain::ids::{RecordId, StaffId, StayId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Auth, Body, Envelope};
use lamplight_domain::time::Ms;
use std::collections::HashMap;
use uuid::Uuid;

/// Something that is to become a record.
#[derive(Clone)]
pub struct Line {
    pub id: RecordId,
    pub writer: Writer,
    pub by: Option<StaffId>,
    pub stay: Option<StayId>,
    pub observed_at: Ms,
    /// Not before `observed_at`.
    pub recorded_at: Ms,
    pub event: Event,
}

#[derive(Clone)]
pub struct Diary {
    dice: Dice,
    pub lines: Vec<Line>,
}

impl Diary {
    pub fn new(dice: Dice) -> Diary {
        Diary { dice, lines: Vec::new() }
    }

    /// Something seen and written down at the same moment.
    pub fn write(
        &mut self,
        at: Ms,
        writer: Writer,
        by: Option<StaffId>,
        stay: Option<StayId>,
        event: Event,
    ) -> RecordId {
        self.write_late(at, at, writer, by, stay, event)
    }

    /// A late entry: seen at `observed_at`, written down at `recorded_at`.
    pub fn write_late(
        &mut self,
        observed_at: Ms,
        recorded_at: Ms,
        writer: Writer,
        by: Option<StaffId>,
        stay: Option<StayId>,
        event: Event,
    ) -> RecordId {
        let id = self.dice.record_id(recorded_at);
        self.lines.push(Line { id, writer, by, stay, observed_at, recorded_at, event });
        id
    }

    /// All records, in the order in which the server received them; each writer's own are in the order in which it
    /// wrote them.
    pub fn into_records(mut self, people: &People, net: &Net) -> Vec<DemoRecord> {
        self.lines.sort_by_key(|l| l.recorded_at);
        let mut orders: HashMap<StayId, RecordId> = HashMap::new();
        let mut last_received: HashMap<Writer, Ms> = HashMap::new();
        let mut records: Vec<DemoRecord> = Vec::new();
        for line in self.lines {
            let order = line.stay.and_then(|s| orders.get(&s).copied());
            if let (Event::Order(_), Some(stay)) = (&line.event, line.stay) {
                orders.insert(stay, line.id);
            }
            let (at, writer) = (line.recorded_at, line.writer);
            let received = net.received(writer, at, &mut self.dice);
            let received_at = last_received.get(&writer).map_or(received, |last| received.max(*last));
            last_received.insert(writer, received_at);
            let tablet = match writer {
                Writer::Server => None,
                Writer::Tablet(id) => Some(id),
            };
            let boot = tablet.and_then(|_| net.boot(writer, at));
            let envelope = Envelope {
                v: 1,
                id: line.id,
                kind: String::new(),
                kind_v: 0,
                facility: people.roster.facility.id,
                ward: people.ward,
                stay: line.stay,
                by: line.by,
                auth: match (line.by, writer) {
                    (None, _) => Auth::None,
                    (_, Writer::Server) => Auth::Station,
                    (_, Writer::Tablet(_)) => Auth::Pin,
                },
                tablet,
                observed_at: line.observed_at,
                recorded_at: at,
                boot_id: boot.map(|b| b.id),
                boot_ms: boot.map(|b| at - b.since),
                order,
                list_v: uses_lists(&line.event).then_some(people.roster.lists.version),
            };
            let bytes = Body::new(envelope, line.event).to_bytes().expect("every text of the demo is short");
            records.push(DemoRecord { writer, received_at, bytes });
        }
        records.sort_by_key(|r| r.received_at);
        records
    }
}

fn uses_lists(event: &Event) -> bool {
    matches!(
        event,
        Event::Check(_)
            | Event::Heard { .. }
            | Event::CantTell { .. }
            | Event::NotDone { .. }
            | Event::Mood(_)
            | Event::Behaviour(_)
            | Event::Precautions { .. }
            | Event::Amendment(_)
    )
}

/// When a tablet was switched on.
#[derive(Clone, Copy)]
pub struct Boot {
    pub id: Uuid,
    pub since: Ms,
}

/// The tablets' boots, and the stretches in which they were out of touch.
#[derive(Clone, Default)]
pub struct Net {
    /// Oldest first.
    pub boots: HashMap<Writer, Vec<Boot>>,
    /// From, to.
    pub silences: HashMap<Writer, Vec<(Ms, Ms)>>,
}

impl Net {
    fn boot(&self, writer: Writer, at: Ms) -> Option<Boot> {
        self.boots.get(&writer)?.iter().rfind(|b| b.since <= at).copied()
    }

    /// The server writes at once; a tablet is heard within a second and a half, or when it is back in touch.
    fn received(&self, writer: Writer, at: Ms, dice: &mut Dice) -> Ms {
        if writer == Writer::Server {
            return at;
        }
        let silence = self.silences.get(&writer).and_then(|all| all.iter().find(|(from, to)| *from <= at && at < *to));
        silence.map_or(at, |(_, to)| *to) + dice.range(180, 1_500)
    }
}
