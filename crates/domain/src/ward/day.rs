//! A stretch of one patient's time: every entry at its true time, the gaps between checks, the levels that held.

use super::gap::Ended;
use super::identity::NOT_KNOWN;
use super::log::Shelf;
use super::look::{Look, Patient, places};
use super::rows::{GapShown, minutes};
use super::strip::see;
use super::timeline::{OrderHeld, Timeline};
use super::words;
use crate::chain::Hash;
use crate::ids::{RecordId, StayId, WardId};
use crate::kinds::Event;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::time::{MINUTE_MS, Ms, day_bounds};
use crate::views::{DayRow, DayRowKind, DayTotals, HourTick, LevelSpan, PatientDay};
use chrono::Timelike;
use std::collections::HashMap;

/// Zones stand at multiples of a quarter of an hour from UTC, so whole hours are found by looking at every quarter.
const QUARTER_MS: i64 = 15 * MINUTE_MS;

/// The gaps of a stretch of time.
#[derive(Default)]
pub(super) struct Gaps<'a> {
    /// By the record that ended each: a check, or what stopped the clock.
    shown: HashMap<(RecordId, Hash), GapShown>,
    /// What stopped the clock in this stretch, though the time that it gives may lie before it.
    stops: Vec<(Ms, &'a Record)>,
    /// Every gap that ended, and the one that still runs where it is past its limit.
    counted: Vec<Counted>,
    /// How long the gap that runs at the end has lasted, minutes; None where no clock runs.
    running_minutes: Option<u32>,
    running_is_late: bool,
}

struct Counted {
    minutes: u32,
    late: bool,
    not_provable: bool,
}

impl<'a> Look<'a> {
    /// Errors: "stay.unknown".
    pub fn day(&self, stay: StayId, from: Ms, to: Ms) -> Result<PatientDay, Refusal> {
        self.day_kept_since(stay, from, to, Ms(i64::MIN))
    }

    /// Errors: "stay.unknown".
    pub fn day_kept_since(&self, stay: StayId, from: Ms, to: Ms, since: Ms) -> Result<PatientDay, Refusal> {
        let patient = self.records.patient(stay).ok_or_else(super::may::stay_unknown)?;
        let line = self.records.timeline(&patient, self.roster, self.frame);
        let lacks = self.lacks_before(&patient, from, to, since);
        // The gap that a check ended began before anything is kept: counting begins with that check.
        let counted_from = match lacks {
            None => from,
            Some(since) => {
                let first = self.records.counted(patient.log, self.frame, since, to).first().map(|(at, _)| *at + 1);
                first.unwrap_or(to)
            }
        };
        let gaps = match counted_from < to {
            true => self.gaps(&patient, &line, counted_from, to),
            false => Gaps::default(),
        };
        let rows = self.rows(&patient, from, to, &gaps);
        Ok(PatientDay {
            stay: patient.stay,
            name: patient.name(),
            bed: patient.bed_label().to_owned(),
            mrn: self.number(&patient, |mrn| mrn.to_owned()),
            born: patient.person().map_or_else(|| NOT_KNOWN.to_owned(), |p| p.born.to_string()),
            demo: self.roster.facility.demo,
            precautions: words::precautions(self.roster, &patient.precautions),
            date: self.date_words(from, to),
            from,
            to,
            levels: self.levels(&line, from, to),
            strip: match lacks {
                None => self.strip(patient.log, &line, from, to),
                Some(since) => self.strip_kept_since(patient.log, &line, since, counted_from, to),
            },
            totals: totals(&rows, &gaps),
            tolerance: self.tolerance_words(),
            joins: self.joins_shown(&patient),
            remarks: lacks.map(|since| self.not_kept(since, to)).into_iter().chain(self.remarks(&gaps, to)).collect(),
            rows,
            hours: self.hours(from, to),
        })
    }

    /// Up to when this stretch is not kept here; None where all of it is, or the patient came later.
    fn lacks_before(&self, patient: &Patient<'a>, from: Ms, to: Ms, since: Ms) -> Option<Ms> {
        let came = patient.log.all(Shelf::Census).map(|r| self.frame.seen(r)).min().unwrap_or(from);
        (from.max(came) < since).then_some(since.min(to))
    }

    /// "not kept on this tablet before 02:00: ask at the station".
    fn not_kept(&self, since: Ms, to: Ms) -> String {
        match since < to {
            true => format!("not kept on this tablet before {}: ask at the station", self.clock(since)),
            false => "not kept on this tablet: ask at the station".to_owned(),
        }
    }

    /// Oldest first. An amendment stands in the row that it amends, unless that is not held here.
    pub fn rows(&self, patient: &Patient<'a>, from: Ms, to: Ms, gaps: &Gaps<'a>) -> Vec<DayRow> {
        let of_ward = self.wards_of(patient).into_iter().flat_map(|(ward, begun, left)| {
            let stretch = (from.max(begun), left.map_or(to, |left| to.min(left)));
            let log = self.ward_log(ward).filter(|_| stretch.0 < stretch.1);
            [Shelf::Holding, Shelf::Verified].into_iter().filter_map(move |s| Some((log?, s, stretch.0, stretch.1)))
        });
        let of_stay = Shelf::ALL.into_iter().filter(|s| *s != Shelf::Machine).map(|s| (patient.log, s, from, to));
        let within = of_stay.chain(of_ward).flat_map(|(log, shelf, from, to)| self.frame.within(log, shelf, from, to));
        let mut found: Vec<(Ms, &Record)> = within.map(|(at, record)| (at, record.as_ref())).collect();
        // What was written down in this stretch of an earlier time stands where it took effect.
        let is_elsewhere = |stop: &&(Ms, &Record)| !found.iter().any(|(_, r)| std::ptr::eq(*r, stop.1));
        let elsewhere: Vec<(Ms, &Record)> = gaps.stops.iter().filter(is_elsewhere).copied().collect();
        found.extend(elsewhere);
        found.retain(|(_, r)| match &r.body.event {
            Some(Event::Amendment(amendment)) => self.records.held(amendment.of).is_empty(),
            _ => true,
        });
        found.sort_by_key(|(at, r)| (*at, r.body.envelope.recorded_at, r.id(), r.hash));
        let gap = |r: &Record| gaps.shown.get(&(r.id(), r.hash)).copied().unwrap_or_default();
        found.into_iter().map(|(at, record)| self.row(at, record, gap(record))).collect()
    }

    /// The wards on which the patient was, each from when until when. The first also before: who held the observations
    /// when the patient came is part of the day.
    fn wards_of(&self, patient: &Patient<'a>) -> Vec<(WardId, Ms, Option<Ms>)> {
        let census = patient.log.all(Shelf::Census).filter(|r| places(r));
        let mut moves: Vec<(Ms, WardId)> = census.map(|r| (self.frame.seen(r), r.body.envelope.ward)).collect();
        moves.sort();
        moves.dedup_by_key(|(_, ward)| *ward);
        let mut wards = Vec::new();
        for (i, (at, ward)) in moves.iter().enumerate() {
            let begun = if i == 0 { Ms(i64::MIN) } else { *at };
            wards.push((*ward, begun, moves.get(i + 1).map(|(next, _)| *next)));
        }
        wards
    }

    /// Every gap that ended in `from..to` or runs at its end, with the check that closed it or what stopped its clock.
    pub fn gaps<'l>(&self, patient: &Patient<'l>, line: &Timeline<'l>, from: Ms, to: Ms) -> Gaps<'l>
    where
        'a: 'l,
    {
        let mut gaps = Gaps::default();
        let (begun, mut clock) = self.gap_clock(patient.log, line, from);
        let before = self.records.last_counted(patient.log, self.frame, from - 1);
        let mut base_in_doubt = before.is_some_and(|(_, r)| self.is_doubtful(r));
        let end = to.min(self.now());
        let mut changes = line.after(begun, end).peekable();
        let checks = self.records.counted(patient.log, self.frame, from, to);
        for (at, check) in checks.iter().map(|(at, r)| (*at, Some(*r))).chain([(end, None)]) {
            while let Some((at, standing)) = changes.next_if(|(change, _)| *change <= at) {
                let stopped_by = line.stopped_by(at);
                let in_doubt = base_in_doubt || stopped_by.is_some_and(|r| self.is_doubtful(r));
                if let Some(ended) = clock.change(at, standing.limit_ms()).filter(|_| at >= from) {
                    gaps.end(at, ended, in_doubt, stopped_by, true);
                }
                if standing.limit_ms().is_none() {
                    base_in_doubt = false;
                }
            }
            let Some(record) = check else { break };
            let in_doubt = self.is_doubtful(record);
            if let Some(ended) = see(&mut clock, line, at, record) {
                gaps.end(at, ended, in_doubt || base_in_doubt, Some(record), false);
            }
            base_in_doubt = in_doubt;
        }
        clock.mark_late(end);
        if let Some(running) = clock.running().map(|gap| gap.so_far()) {
            let minutes = minutes(end - running.from);
            (gaps.running_minutes, gaps.running_is_late) = (Some(minutes), running.late);
            if running.late {
                gaps.counted.push(Counted { minutes, late: true, not_provable: false });
            }
        }
        gaps
    }

    /// What the figures do not say by themselves.
    fn remarks(&self, gaps: &Gaps, to: Ms) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Some(minutes) = gaps.running_minutes.filter(|_| gaps.running_is_late) {
            let at = self.clock(to.min(self.now()));
            remarks.push(format!("at {at} not seen for {minutes} min, past the limit"));
        }
        match gaps.counted.iter().filter(|g| g.not_provable).count() {
            0 => {}
            1 => remarks.push("1 gap is not provable: a clock was not certain".to_owned()),
            n => remarks.push(format!("{n} gaps are not provable: a clock was not certain")),
        }
        remarks
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

impl<'a> Gaps<'a> {
    /// `by` ended it: a check, or where the clock is `stopped` whatever stopped it.
    fn end(&mut self, at: Ms, ended: Ended, in_doubt: bool, by: Option<&'a Record>, stopped: bool) {
        let minutes = minutes(at - ended.from);
        let not_provable = in_doubt && !ended.late;
        self.counted.push(Counted { minutes, late: ended.late, not_provable });
        let Some(record) = by else { return };
        let unseen = (stopped && ended.late).then_some(minutes);
        let shown = GapShown { minutes: Some(minutes), late: ended.late, unseen, not_provable: in_doubt };
        self.shown.insert((record.id(), record.hash), shown);
        if stopped {
            self.stops.push((at, record));
        }
    }
}

/// Entries are counted from the rows, so that what a sheet adds up is what it shows; gaps also where no row ended them.
fn totals(rows: &[DayRow], gaps: &Gaps) -> DayTotals {
    let count = |is: &dyn Fn(&DayRow) -> bool| rows.iter().filter(|r| is(r)).count() as u32;
    let holds = |r: &DayRow| r.retracted.is_empty();
    let gaps_that = |is: &dyn Fn(&Counted) -> bool| gaps.counted.iter().filter(|g| is(g)).count() as u32;
    DayTotals {
        checks: count(&|r| r.kind == DayRowKind::Check && holds(r) && r.late_entry.is_empty()),
        gaps: gaps_that(&|_| true),
        gaps_within_limit: gaps_that(&|g| !g.late && !g.not_provable),
        gaps_late: gaps_that(&|g| g.late),
        not_provable: gaps_that(&|g| g.not_provable),
        longest_gap_minutes: gaps.counted.iter().map(|g| g.minutes).chain(gaps.running_minutes).max().unwrap_or(0),
        not_done: count(&|r| r.kind == DayRowKind::NotDone && holds(r)),
        heard_or_cant_tell: count(&|r| matches!(r.kind, DayRowKind::Heard | DayRowKind::CantTell) && holds(r)),
        late_entries: count(&|r| !r.late_entry.is_empty() && holds(r)),
        retracted: count(&|r| !holds(r)),
    }
}
