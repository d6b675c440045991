//! Emergencies: who has been told, honestly, until a named person has answered.

use super::card::name_of;
use super::records::{Key, WardRecords};
use super::situation::last_check;
use super::{Scene, Viewpoint, words};
use crate::ids::StayId;
use crate::kinds::{EmergencyKind, Event};
use crate::record::Record;
use crate::views::{Card, CardState, OpenEmergency};

const USE_YOUR_ALARM: &str = "Use your alarm or shout.";

/// Emergencies that have not ended, newest first.
pub(super) fn open(records: &WardRecords, scene: &Scene<'_>, cards: &[Card]) -> Vec<OpenEmergency> {
    let ended = |key: &Key| records.answers(key.1).any(|r| matches!(r.body.event, Some(Event::EmergencyEnded { .. })));
    let mut open: Vec<OpenEmergency> = records
        .emergencies
        .iter()
        .filter(|(_, key)| !ended(key))
        .filter_map(|at| emergency(records, scene, cards, at))
        .collect();
    open.sort_by_key(|e| (std::cmp::Reverse(e.at), e.record));
    open
}

fn emergency(
    records: &WardRecords,
    scene: &Scene<'_>,
    cards: &[Card],
    at: &(Option<StayId>, Key),
) -> Option<OpenEmergency> {
    let record = records.get(at)?;
    let Some(Event::Emergency { what, place }) = &record.body.event else { return None };
    let (best, zone) = (scene.now.best(), scene.zone());
    let stay = at.0.and_then(|id| records.stay(id));
    let card = cards.iter().find(|c| Some(c.stay) == at.0);
    let answered = answered_by(records, scene, record);
    let sent = is_sent(scene, record);
    Some(OpenEmergency {
        record: record.id(),
        what: *what,
        title: what.words().to_owned(),
        stay: at.0,
        place: if place.is_empty() { card.map(|c| c.bed.clone()).unwrap_or_default() } else { place.clone() },
        name: stay.map(name_of).unwrap_or_default(),
        last_seen: stay
            .and_then(|s| last_check(s, scene.own(), scene.now).map(|(seen, r)| (s, seen, r)))
            .map(|(s, seen, r)| format!("{} {}", words::clock_near(seen, best, zone), scene.check_words(s, r)))
            .unwrap_or_default(),
        at: at.1.0,
        clock: words::clock_near(at.1.0, best, zone),
        by: words::short(scene.roster, record),
        told: told(scene, sent, answered.as_deref()),
        acknowledged_by: answered,
        sent,
        steps: steps(scene, *what),
        others_due: cards
            .iter()
            .filter(|c| Some(c.stay) != at.0)
            .filter(|c| {
                matches!(c.state, CardState::Due | CardState::Overdue | CardState::NotKnown | CardState::Unwatched)
            })
            .map(|c| format!("{} {}", c.bed, c.words))
            .collect(),
    })
}

/// The named person who took notice: a nurse who acknowledged, or who came as the technician says.
fn answered_by(records: &WardRecords, scene: &Scene<'_>, record: &Record) -> Option<String> {
    records.answers(record.id()).find_map(|answer| match &answer.body.event {
        Some(Event::Acknowledged { came, .. }) => {
            // Who raised it cannot answer it; somebody who came can.
            let own = answer.body.envelope.by == record.body.envelope.by;
            let who = came.or(answer.body.envelope.by.filter(|_| !own))?;
            scene.roster.person(who).map(|p| p.short())
        }
        _ => None,
    })
}

fn is_sent(scene: &Scene<'_>, record: &Record) -> bool {
    match scene.view {
        Viewpoint::Station => true,
        Viewpoint::Tablet { tablet, confirmed, .. } => {
            record.received_at.is_some() || (record.body.envelope.tablet == Some(tablet) && record.seq <= confirmed)
        }
    }
}

fn told(scene: &Scene<'_>, sent: bool, answered: Option<&str>) -> String {
    match (scene.view, answered) {
        (_, Some(who)) => format!("{who} has answered."),
        (Viewpoint::Station, None) => "Nobody has answered yet.".to_owned(),
        (Viewpoint::Tablet { .. }, None) if sent => {
            format!("The nursing station has it; nobody has answered yet. {USE_YOUR_ALARM}")
        }
        (Viewpoint::Tablet { online: false, last_contact: Some(since), .. }, None) => {
            let since = words::clock_near(since, scene.now.best(), scene.zone());
            format!("This tablet has told nobody: it is offline since {since}. {USE_YOUR_ALARM}")
        }
        (Viewpoint::Tablet { .. }, None) => format!("This tablet has told nobody. {USE_YOUR_ALARM}"),
    }
}

/// The facility's own steps; where it has none, what holds everywhere.
pub(super) fn steps(scene: &Scene<'_>, what: EmergencyKind) -> Vec<String> {
    let own = scene.roster.settings.emergency_steps.iter().find(|(kind, _)| *kind == what);
    own.map(|(_, steps)| steps.clone())
        .filter(|s| !s.is_empty())
        .unwrap_or_else(|| vec!["Call for help out loud.".to_owned(), "Do not stay alone with it.".to_owned()])
}
