//! A stretch of one patient's time: every entry at its true time, the gaps between checks, the levels that held.

use super::log::Shelf;
use super::look::{Look, Patient};
use super::rows::{GapShown, minutes};
use super::strip::see;
use super::timeline::{OrderHeld, Timeline};
use super::words;
use crate::chain::Hash;
use crate::ids::{RecordId, StayId};
use crate::kinds::Event;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::time::{MINUTE_MS, Ms, day_bounds};
use crate::views::{DayRow, DayRowKind, DayTotals, HourTick, LevelSpan, PatientDay};
use chrono::Timelike;
use std::collections::HashMap;
use std::sync::Arc;

/// Zones stand at multiples of a quarter of an hour from UTC, so whole hours are found by looking at every quarter.
const QUARTER_MS: i64 = 15 * MINUTE_MS;

type Gaps = HashMap<(RecordId, Hash), GapShown>;

impl<'a> Look<'a> {
    /// Errors: "stay.unknown".
    pub fn day(&self, stay: StayId, from: Ms, to: Ms) -> Result<PatientDay, Refusal> {
        let patient = self.records.patient(stay).ok_or_else(super::may::stay_unknown)?;
        let line = self.records.timeline(patient.log, self.roster, self.frame);
        let rows = self.rows(&patient, &line, from, to);
        Ok(PatientDay {
            stay,
            name: patient.name(),
            bed: patient.bed_label().to_owned(),
            mrn: patient.person.mrn.clone(),
            born: patient.person.born.to_string(),
            demo: self.roster.facility.demo,
            precautions: words::precautions(self.roster, patient.precautions),
            date: self.date_words(from, to),
            from,
            to,
            levels: self.levels(&line, from, to),
            strip: self.strip(patient.log, &line, from, to),
            totals: totals(&rows),
            rows,
            hours: self.hours(from, to),
        })
    }

    /// Oldest first. An amendment stands in the row that it amends, unless that is not held here.
    pub fn rows(&self, patient: &Patient<'a>, line: &Timeline, from: Ms, to: Ms) -> Vec<DayRow> {
        let ward_log = self.ward_log(patient.ward);
        let of_ward = [Shelf::Holding, Shelf::Verified].into_iter().filter_map(|s| Some((ward_log?, s)));
        let of_stay = Shelf::ALL.into_iter().filter(|s| *s != Shelf::Machine).map(|s| (patient.log, s));
        let mut found: Vec<(Ms, &Arc<Record>)> =
            of_stay.chain(of_ward).flat_map(|(log, shelf)| self.frame.within(log, shelf, from, to)).collect();
        found.retain(|(_, r)| match &r.body.event {
            Some(Event::Amendment(amendment)) => self.records.held(amendment.of).is_empty(),
            _ => true,
        });
        found.sort_by_key(|(at, r)| (*at, r.body.envelope.recorded_at, r.id(), r.hash));
        let gaps = self.gaps(patient, line, from, to);
        let gap = |r: &Record| gaps.get(&(r.id(), r.hash)).copied().unwrap_or_default();
        found.into_iter().map(|(at, record)| self.row(at, record, gap(record))).collect()
    }

    /// What each check that closed a gap says of it, and each pause or order that stopped the clock of a late one.
    fn gaps(&self, patient: &Patient<'a>, line: &Timeline, from: Ms, to: Ms) -> Gaps {
        let mut gaps = Gaps::new();
        let (begun, mut clock) = self.gap_clock(patient.log, line, from);
        let before = self.records.last_counted(patient.log, self.frame, from - 1);
        let mut base_in_doubt = before.is_some_and(|(_, r)| self.is_doubtful(r));
        let mut changes = line.after(begun, to.min(self.now())).peekable();
        let mut note = |record: &Record, shown: GapShown| gaps.insert((record.id(), record.hash), shown);
        let checks = self.records.counted(patient.log, self.frame, from, to);
        let ends = checks.iter().map(|(at, r)| (*at, Some(*r))).chain([(to.min(self.now()), None)]);
        for (at, check) in ends {
            while let Some((at, standing)) = changes.next_if(|(change, _)| *change <= at) {
                if let Some(ended) = clock.change(at, standing.limit_ms()).filter(|ended| ended.late && at >= from)
                    && let Some(record) = line.stopped_by(at)
                {
                    let unseen = Some(minutes(at - ended.from));
                    note(record, GapShown { unseen, late: true, ..GapShown::default() });
                }
                if standing.limit_ms().is_none() {
                    base_in_doubt = false;
                }
            }
            let Some(record) = check else { break };
            let in_doubt = self.is_doubtful(record);
            if let Some(ended) = see(&mut clock, line, at, record) {
                let minutes = Some(minutes(at - ended.from));
                let not_provable = in_doubt || base_in_doubt;
                note(record, GapShown { minutes, late: ended.late, not_provable, unseen: None });
            }
            base_in_doubt = in_doubt;
        }
        gaps
    }

    /// The levels that held in `from..to`, each with its own beginning.
    fn levels(&self, line: &Timeline, from: Ms, to: Ms) -> Vec<LevelSpan> {
        let mut spans: Vec<LevelSpan> = Vec::new();
        let mut last: Option<(RecordId, Hash)> = None;
        for (i, (at, standing)) in line.changes.iter().enumerate() {
            let until = line.changes.get(i + 1).map(|(next, _)| *next);
            let held = standing.order.map(|o| (o.record.id(), o.record.hash));
            match (standing.order, spans.last_mut()) {
                (None, _) => {}
                (Some(_), Some(span)) if held == last => span.to = until,
                (Some(order), _) => spans.push(self.span(order, *at, until)),
            }
            last = held;
        }
        spans.retain(|s| s.from < to && s.to.is_none_or(|end| end > from));
        spans
    }

    fn span(&self, held: OrderHeld, from: Ms, to: Option<Ms>) -> LevelSpan {
        let order = held.order;
        let why = if order.reason.is_empty() { String::new() } else { format!(": {}", order.reason) };
        let level = words::level(&order.level);
        let lapsed = match order.until {
            Some(until) if until < self.now() && to.is_none() => {
                format!(" (was to be reviewed by {})", self.clock(until))
            }
            _ => String::new(),
        };
        LevelSpan {
            from,
            to,
            level: order.level.label(),
            limit_minutes: order.level.limit_ms().map(|ms| u16::try_from(ms / MINUTE_MS).unwrap_or(u16::MAX)),
            words: format!("{level} from {}, {}{why}{lapsed}", self.clock(from), order.ordered_by),
        }
    }

    fn hours(&self, from: Ms, to: Ms) -> Vec<HourTick> {
        let zone = self.zone();
        let first = from.0.div_euclid(QUARTER_MS) * QUARTER_MS;
        let quarters = (0..).map(|n| Ms(first + n * QUARTER_MS)).take_while(|at| *at < to).filter(|at| *at >= from);
        let whole = quarters.filter(|at| {
            let local = at.utc().with_timezone(&zone);
            local.minute() == 0 && local.second() == 0
        });
        whole.map(|at| HourTick { at, label: words::clock(at, zone) }).collect()
    }

    /// "Sunday 22 November 2026"; both ends where it is not one calendar day.
    fn date_words(&self, from: Ms, to: Ms) -> String {
        let zone = self.zone();
        let date = |at: Ms, format: &str| at.utc().with_timezone(&zone).format(format).to_string();
        if day_bounds(from.date(zone), zone) == (from, to) {
            return date(from, "%A %-d %B %Y");
        }
        let end = |at: Ms| format!("{} {}", date(at, "%A %-d %B %Y"), words::clock(at, zone));
        format!("{} to {}", end(from), end(to))
    }
}

/// Everything here is counted from the rows, so that what a sheet adds up is what it shows.
fn totals(rows: &[DayRow]) -> DayTotals {
    let count = |is: &dyn Fn(&DayRow) -> bool| rows.iter().filter(|r| is(r)).count() as u32;
    let holds = |r: &DayRow| r.retracted.is_empty();
    let gap = |r: &DayRow| r.gap_minutes.is_some();
    DayTotals {
        checks: count(&|r| r.kind == DayRowKind::Check && holds(r) && r.late_entry.is_empty()),
        gaps: count(&gap),
        gaps_within_limit: count(&|r| gap(r) && !r.late),
        longest_gap_minutes: rows.iter().filter_map(|r| r.gap_minutes).max().unwrap_or(0),
        not_done: count(&|r| r.kind == DayRowKind::NotDone && holds(r)),
        heard_or_cant_tell: count(&|r| matches!(r.kind, DayRowKind::Heard | DayRowKind::CantTell) && holds(r)),
        late_entries: count(&|r| !r.late_entry.is_empty() && holds(r)),
        retracted: count(&|r| !holds(r)),
    }
}
