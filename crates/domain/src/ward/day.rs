//! A patient's day: every entry at its true time, with the gaps between checks, and totals worked out from the rows.

use super::card::{bed_of, name_of, precautions};
use super::records::{Key, StayRecords, WardRecords};
use super::situation::seen_at;
use super::{Scene, Viewpoint, doubt, strip, words};
use crate::ids::StayId;
use crate::kinds::{AmendmentAction, AmendmentReason, Event};
use crate::record::Record;
use crate::refusal::Refusal;
use crate::time::{HOUR_MS, MINUTE_MS, Ms};
use crate::views::{DayRow, DayRowKind, DayTotals, HourTick, LevelSpan, PatientDay};

pub(super) fn day(
    records: &WardRecords,
    scene: &Scene<'_>,
    id: StayId,
    from: Ms,
    to: Ms,
) -> Result<PatientDay, Refusal> {
    let stay = records.stay(id).filter(|s| !s.opened.is_empty()).ok_or_else(super::may::stay_unknown)?;
    let zone = scene.zone();
    let who = stay.opened.first().and_then(|k| stay.records.get(k)).and_then(|r| match &r.body.event {
        Some(Event::StayOpened(who)) => Some(who),
        _ => None,
    });
    let until = to.min(scene.now.best());
    let rows = rows(records, scene, stay, from, to);
    Ok(PatientDay {
        stay: id,
        name: name_of(stay),
        bed: bed_of(stay, until).unwrap_or_else(|| "no bed".to_owned()),
        mrn: who.map(|w| w.mrn.clone()).unwrap_or_default(),
        born: who.map(|w| w.born.to_string()).unwrap_or_default(),
        demo: scene.roster.facility.demo,
        precautions: precautions(stay, &scene.roster.lists, until),
        date: from.utc().with_timezone(&zone).format("%A %-d %B %Y").to_string(),
        from,
        to,
        levels: levels(scene, stay, from, to),
        totals: totals(&rows),
        rows,
        strip: strip::strip(stay, scene, from, until.max(from)),
        hours: hours(from, to, scene),
    })
}

fn rows(records: &WardRecords, scene: &Scene<'_>, stay: &StayRecords, from: Ms, to: Ms) -> Vec<DayRow> {
    let gaps = strip::gaps(stay, scene, from, to);
    let tolerance = scene.tolerance_ms();
    let mut rows: Vec<(Ms, DayRow)> = stay
        .records
        .iter()
        .map(|(key, record)| (seen_at(key, record, scene.own(), scene.now), key, record))
        .filter(|(at, _, _)| *at >= from && *at < to)
        .filter_map(|(at, key, record)| {
            let (kind, words) = row_words(scene, stay, record)?;
            let gap = gaps.iter().find(|g| g.check == Some(record.id()) && stay.counts(record));
            Some((
                at,
                DayRow {
                    record: record.id(),
                    kind,
                    observed_at: record.body.envelope.observed_at,
                    clock: words::clock(at, scene.zone()),
                    words,
                    by: words::initials(scene.roster, record),
                    by_full: by_full(scene, record),
                    gap_minutes: gap.map(|g| words::minutes_gone(g.to - g.from) as u32),
                    late: gap.is_some_and(|g| g.is_late(tolerance)),
                    late_entry: late_entry(scene, record),
                    retracted: retracted(scene, stay, record),
                    amended: amended(scene, stay, record),
                    doubt: doubt::of(records, scene, key, record),
                    confirmed: confirmed(scene, record),
                    may_amend: super::may::amendable(record) && !stay.retracted.contains_key(&record.id()),
                },
            ))
        })
        .collect();
    rows.sort_by_key(|(at, row)| (*at, row.record));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn row_words(scene: &Scene<'_>, stay: &StayRecords, record: &Record) -> Option<(DayRowKind, String)> {
    let Some(event) = &record.body.event else {
        return Some((DayRowKind::Unknown, "An entry of a kind that this version does not know".to_owned()));
    };
    let kind = match event {
        Event::Check(_) => return Some((DayRowKind::Check, scene.check_words(stay, record))),
        Event::Heard { .. } => DayRowKind::Heard,
        Event::CantTell { .. } => DayRowKind::CantTell,
        Event::NotDone { .. } => DayRowKind::NotDone,
        Event::Mood(_) => DayRowKind::Mood,
        Event::Behaviour(_) => DayRowKind::Behaviour,
        Event::Note { .. } => DayRowKind::Note,
        Event::Concern { .. } => DayRowKind::Concern,
        Event::Emergency { .. } | Event::EmergencyEnded { .. } => DayRowKind::Emergency,
        Event::Order(_) | Event::OrderEnded { .. } | Event::OrderAcknowledged { .. } => DayRowKind::Level,
        Event::PauseStarted(_) | Event::PauseEnded { .. } => DayRowKind::Pause,
        Event::WatchStarted { .. } | Event::WatchEnded { .. } => DayRowKind::Watch,
        Event::Acknowledged { .. } => DayRowKind::Acknowledged,
        _ => DayRowKind::Census,
    };
    Some((kind, words::event(scene.roster, event, scene.zone())?))
}

fn by_full(scene: &Scene<'_>, record: &Record) -> String {
    match record.body.envelope.by.and_then(|id| scene.roster.person(id)) {
        Some(person) => format!("{}, {}", person.short(), person.number),
        None => words::short(scene.roster, record),
    }
}

fn late_entry(scene: &Scene<'_>, record: &Record) -> String {
    let envelope = &record.body.envelope;
    if envelope.is_late_entry() {
        format!("written at {}", words::clock_near(envelope.recorded_at, envelope.observed_at, scene.zone()))
    } else {
        String::new()
    }
}

/// The amendments of a record with one kind of action, oldest first.
fn amendments<'a>(
    stay: &'a StayRecords,
    of: &Record,
) -> impl Iterator<Item = (&'a Key, &'a Record, &'a crate::kinds::Amendment)> {
    stay.amendments.get(&of.id()).into_iter().flatten().filter_map(|k| {
        let record = stay.records.get(k)?;
        match &record.body.event {
            Some(Event::Amendment(a)) => Some((k, record, a)),
            _ => None,
        }
    })
}

fn reason(amendment: &crate::kinds::Amendment) -> String {
    match amendment.reason {
        AmendmentReason::Undo => "undone".to_owned(),
        AmendmentReason::WrongPatient => "wrong patient".to_owned(),
        AmendmentReason::MisTap => "tapped by mistake".to_owned(),
        AmendmentReason::Other => amendment.words.clone(),
    }
}

fn retracted(scene: &Scene<'_>, stay: &StayRecords, record: &Record) -> String {
    let found = amendments(stay, record).find(|(_, _, a)| a.action == AmendmentAction::Retract);
    found
        .map(|(key, by, a)| {
            let at = words::clock_near(key.0, record.body.envelope.observed_at, scene.zone());
            format!("retracted {at}: {} ({})", reason(a), words::initials(scene.roster, by))
        })
        .unwrap_or_default()
}

fn amended(scene: &Scene<'_>, stay: &StayRecords, record: &Record) -> String {
    let said = amendments(stay, record).filter_map(|(key, _, a)| {
        let at = words::clock_near(key.0, record.body.envelope.observed_at, scene.zone());
        match &a.action {
            AmendmentAction::CorrectCheck { .. } => match &record.body.event {
                Some(Event::Check(c)) => {
                    Some(format!("corrected {at}: was {}", words::check(&scene.roster.lists, &c.place, &c.activity)))
                }
                _ => None,
            },
            AmendmentAction::Add { words } => Some(format!("added {at}: {words}")),
            AmendmentAction::Retract => None,
        }
    });
    said.collect::<Vec<_>>().join(" · ")
}

fn confirmed(scene: &Scene<'_>, record: &Record) -> bool {
    match scene.view {
        Viewpoint::Station => true,
        Viewpoint::Tablet { tablet, confirmed, .. } => {
            record.received_at.is_some() || (record.body.envelope.tablet == Some(tablet) && record.seq <= confirmed)
        }
    }
}

/// "Q15 from 19:20, Dr A. Patel: new leaving risk"
fn levels(scene: &Scene<'_>, stay: &StayRecords, from: Ms, to: Ms) -> Vec<LevelSpan> {
    let orders = stay.orders();
    let shown = orders.iter().filter(|o| o.from < to && o.to.is_none_or(|end| end > from));
    shown
        .map(|o| LevelSpan {
            from: o.from,
            to: o.to,
            level: o.order.level.label(),
            limit_minutes: o.order.level.limit_ms().map(|ms| (ms / MINUTE_MS) as u16),
            words: format!(
                "{} since {}, {}: {}",
                o.order.level.label(),
                words::clock_near(o.from, scene.now.best(), scene.zone()),
                o.order.ordered_by,
                o.order.reason
            ),
        })
        .collect()
}

/// From the rows, and from nothing else.
fn totals(rows: &[DayRow]) -> DayTotals {
    let of = |kind: DayRowKind| rows.iter().filter(move |r| r.kind == kind);
    let stands = |r: &&DayRow| r.retracted.is_empty();
    let gaps: Vec<&DayRow> = rows.iter().filter(|r| r.gap_minutes.is_some()).collect();
    DayTotals {
        checks: of(DayRowKind::Check).filter(stands).filter(|r| r.late_entry.is_empty()).count() as u32,
        gaps: gaps.len() as u32,
        gaps_within_limit: gaps.iter().filter(|r| !r.late).count() as u32,
        longest_gap_minutes: gaps.iter().filter_map(|r| r.gap_minutes).max().unwrap_or(0),
        not_done: of(DayRowKind::NotDone).filter(stands).count() as u32,
        heard_or_cant_tell: of(DayRowKind::Heard).chain(of(DayRowKind::CantTell)).filter(stands).count() as u32,
        late_entries: rows.iter().filter(|r| !r.late_entry.is_empty()).count() as u32,
        retracted: rows.iter().filter(|r| !r.retracted.is_empty()).count() as u32,
    }
}

/// Whole hours of the facility's zone; at most a hundred, for a stretch of any length.
fn hours(from: Ms, to: Ms, scene: &Scene<'_>) -> Vec<HourTick> {
    let step = HOUR_MS * ((to - from) / (100 * HOUR_MS) + 1);
    let zone = scene.zone();
    let local_minute = i64::from(chrono::Timelike::minute(&from.utc().with_timezone(&zone)));
    let into_hour = local_minute * MINUTE_MS + from.0.rem_euclid(MINUTE_MS);
    let first = if into_hour == 0 { from } else { from + (HOUR_MS - into_hour) };
    (0..)
        .map(|n| first + n * step)
        .take_while(|at| *at <= to)
        .map(|at| HourTick { at, label: words::clock(at, zone) })
        .collect()
}
