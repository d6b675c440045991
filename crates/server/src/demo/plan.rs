//! What is going to happen in the twelve hours, before anybody walks: days of the patients, duties, errands that keep
//! the holder from walking, times when a second technician walks along, changes of level, absences.

use super::census::{LevelChange, Patient, Turn};
use super::clock;
use super::days::Day;
use super::diary::Diary;
use super::dice::Dice;
use super::duty::{self, Duty};
use super::names::PRESCRIBERS;
use super::people::People;
use super::{HISTORY_MS, Writer};
use lamplight_domain::ids::RecordId;
use lamplight_domain::kinds::{Event, Order, Pause, PauseReason};
use lamplight_domain::level::Level;
use lamplight_domain::time::{HOUR_MS, MINUTE_MS, Ms, SECOND_MS};

/// Something that keeps the holder from walking.
#[derive(Clone, Copy, Debug)]
pub struct Errand {
    pub from: Ms,
    pub to: Ms,
    pub what: ErrandKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrandKind {
    /// The phone, a door, a question, a cup of water.
    Asked,
    /// With one patient for long while the second technician is on a break.
    Alone,
    /// A patient shouts and threatens in the day room.
    Shouting { patient: usize },
    /// A patient has fallen: help is called, and others wait.
    Fall { patient: usize },
}

/// A slip of the finger that is amended: it happens at the first fitting look from that moment on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    WrongPatient,
    Undo,
    Correct,
    CantTell,
    Heard,
}

#[derive(Clone)]
pub struct Plan {
    pub begin: Ms,
    pub now: Ms,
    /// A day for each patient.
    pub days: Vec<Day>,
    pub duties: Vec<Duty>,
    /// In order, without overlap.
    pub errands: Vec<Errand>,
    /// When the float walks too, in order, without overlap.
    pub joins: Vec<(Ms, Ms)>,
    /// In order.
    pub levels: Vec<LevelChange>,
    /// For each patient: off the ward from, to.
    pub away: Vec<Option<(Ms, Ms)>>,
    /// In order.
    pub slips: Vec<(Ms, Slip)>,
    pub fall: Errand,
    pub shouting: Errand,
}

impl Plan {
    /// No record is newer: it takes a moment to reach the server.
    pub fn last_record(&self) -> Ms {
        self.now - 2 * SECOND_MS
    }
}

/// Makes the plan and writes the parts of it that the station writes: orders and pauses.
pub fn plan(
    seed: u64,
    now: Ms,
    people: &People,
    patients: &[Patient],
    standing: Vec<LevelChange>,
    diary: &mut Diary,
) -> Plan {
    let mut dice = Dice::new(seed, &format!("plan {}", now.0));
    let begin = now - HISTORY_MS;
    let who = |turn: Turn| patients.iter().position(|p| p.turn == turn).unwrap_or(0);
    let duties = duty::duties(people, &mut dice, begin, now);
    let mut calendar = Calendar { from: begin + 25 * MINUTE_MS, to: now - 32 * MINUTE_MS, taken: Vec::new() };
    for duty in &duties {
        calendar.taken.push((duty.from - 2 * MINUTE_MS, duty.from + 9 * MINUTE_MS));
    }
    let mut days: Vec<Day> = patients
        .iter()
        .map(|p| Day::of(p, &mut Dice::new(seed, &format!("day {} {}", p.stay, now.0)), begin - HOUR_MS, now))
        .collect();

    let fall = {
        let from = calendar.find(now - dice.range(182, 196) * MINUTE_MS, 24 * MINUTE_MS);
        Errand {
            from,
            to: from + dice.range(570, 660) * SECOND_MS,
            what: ErrandKind::Fall { patient: who(Turn::Falls) },
        }
    };
    let shouting = {
        let from = calendar.find(begin + dice.range(120, 190) * MINUTE_MS, 26 * MINUTE_MS);
        let what = ErrandKind::Shouting { patient: who(Turn::Raised) };
        Errand { from, to: from + dice.range(290, 400) * SECOND_MS, what }
    };
    let alone = {
        let from = calendar.find(begin + dice.range(330, 420) * MINUTE_MS, 20 * MINUTE_MS);
        Errand { from, to: from + dice.range(600, 720) * SECOND_MS, what: ErrandKind::Alone }
    };
    let ed_at = fall.from + dice.range(19, 23) * MINUTE_MS;
    let joins = joins(&mut dice, &mut calendar, begin);
    let errands = errands(&mut dice, &mut calendar, [fall, shouting, alone], begin, now);

    let fallen = &mut days[who(Turn::Falls)];
    fallen.put(fall.from - 4 * MINUTE_MS, fall.from, "bathroom", "hygiene");
    fallen.put(fall.from, ed_at, "bedroom", "with_staff");
    let shouter = &mut days[who(Turn::Raised)];
    shouter.put(shouting.from - MINUTE_MS, shouting.from + 6 * MINUTE_MS, "day_room", "shouting");
    shouter.put(shouting.from + 6 * MINUTE_MS, shouting.from + 21 * MINUTE_MS, "quiet_room", "pacing");
    shouter.put(shouting.from + 21 * MINUTE_MS, shouting.from + 48 * MINUTE_MS, "quiet_room", "calm");

    let mut station = Station { diary, people, patients, now };
    let mut levels = standing;
    let before = |i: usize| levels.iter().rfind(|l| l.patient == i).map(|l| l.order);
    let (raised, lowered) = (who(Turn::Raised), who(Turn::Lowered));
    let (before_raised, before_lowered) = (before(raised), before(lowered));
    let doctor = *dice.pick(&PRESCRIBERS);
    let raised_at = shouting.to + dice.range(6, 10) * MINUTE_MS + dice.range(0, 59_999);
    levels.push(station.order(
        raised_at,
        raised,
        5,
        doctor,
        "shouting and threats to a peer in the day room",
        before_raised,
    ));
    let lowered_at = lowering_time(&mut dice, begin, now);
    levels.push(station.order(
        lowered_at,
        lowered,
        30,
        doctor,
        "settled for four days, agreed on the ward round",
        before_lowered,
    ));
    levels.sort_by_key(|l| l.at);

    let mut away = vec![None; patients.len()];
    let leave_at = clock::last(now - 40 * MINUTE_MS, 16, 30) + dice.range(0, 599_999);
    let back = clock::next(now.max(leave_at) + 20 * MINUTE_MS, 10, 0);
    let on_leave = who(Turn::OnLeave);
    station.pause(leave_at, on_leave, PauseReason::Leave, "sister, by car", back);
    away[on_leave] = Some((leave_at, back));
    let due_back = now + dice.range(40, 70) * MINUTE_MS;
    let fallen = who(Turn::Falls);
    station.pause(
        ed_at,
        fallen,
        PauseReason::EmergencyDepartment,
        "J. Whitfield, technician of the float pool",
        due_back,
    );
    away[fallen] = Some((ed_at, due_back));

    let mut slips: Vec<(Ms, Slip)> = [
        (70, Slip::Undo),
        (200, Slip::WrongPatient),
        (290, Slip::Correct),
        (60, Slip::CantTell),
        (30, Slip::Heard),
        (500, Slip::Undo),
    ]
    .into_iter()
    .map(|(minute, slip)| (begin + (minute + dice.range(0, 60)) * MINUTE_MS, slip))
    .collect();
    slips.sort_by_key(|(at, _)| *at);
    Plan { begin, now, days, duties, errands, joins, levels, away, slips, fall, shouting }
}

/// Times at which the float walks too, at meals and in busy hours.
fn joins(dice: &mut Dice, calendar: &mut Calendar, begin: Ms) -> Vec<(Ms, Ms)> {
    let mut joins: Vec<(Ms, Ms)> = [45, 150, 250, 350, 450, 610]
        .into_iter()
        .map(|minute| {
            let length = dice.range(22, 38) * MINUTE_MS;
            let from = calendar.find(begin + (minute + dice.range(0, 25)) * MINUTE_MS, length);
            (from, from + length)
        })
        .collect();
    joins.sort();
    joins
}

/// The great ones, and a small one about every half hour.
fn errands(dice: &mut Dice, calendar: &mut Calendar, great: [Errand; 3], begin: Ms, now: Ms) -> Vec<Errand> {
    let mut errands = great.to_vec();
    let mut at = begin + dice.range(12, 25) * MINUTE_MS;
    while at < now - 35 * MINUTE_MS {
        let length = dice.weighed(&[(45, 5), (95, 4), (150, 3), (230, 1)]) * SECOND_MS + dice.range(0, 29_999);
        if calendar.is_free(at, length) {
            errands.push(Errand { from: at, to: at + length, what: ErrandKind::Asked });
        }
        at = at + dice.range(14, 38) * MINUTE_MS + dice.range(0, 59_999);
    }
    errands.sort_by_key(|e| e.from);
    errands
}

/// A time by day, where the twelve hours have one with a doctor on the ward.
fn lowering_time(dice: &mut Dice, begin: Ms, now: Ms) -> Ms {
    let by_day: Vec<Ms> = (60..10 * 60)
        .step_by(10)
        .map(|m| begin + m * MINUTE_MS)
        .filter(|t| *t < now - 45 * MINUTE_MS && (9 * 60..20 * 60).contains(&clock::minute_of_day(*t)))
        .collect();
    match by_day.as_slice() {
        [] => begin + 35 * MINUTE_MS,
        times => *dice.pick(times) + dice.range(0, 599_999),
    }
}

/// Keeps great events apart.
struct Calendar {
    from: Ms,
    to: Ms,
    taken: Vec<(Ms, Ms)>,
}

impl Calendar {
    fn is_free(&self, at: Ms, length: i64) -> bool {
        let pad = 3 * MINUTE_MS;
        at >= self.from
            && at + length <= self.to
            && self.taken.iter().all(|(from, to)| at + length + pad <= *from || *to + pad <= at)
    }

    /// The free time nearest to `wanted`, now taken; `wanted` itself where there is none.
    fn find(&mut self, wanted: Ms, length: i64) -> Ms {
        let near = (0..240).flat_map(|m| [wanted + m * MINUTE_MS, wanted - m * MINUTE_MS]);
        let at = near.into_iter().find(|at| self.is_free(*at, length)).unwrap_or(wanted);
        self.taken.push((at, at + length));
        at
    }
}

/// What the nurse writes at the station.
struct Station<'a> {
    diary: &'a mut Diary,
    people: &'a People,
    patients: &'a [Patient],
    now: Ms,
}

impl Station<'_> {
    fn order(
        &mut self,
        at: Ms,
        patient: usize,
        limit_minutes: u16,
        doctor: &str,
        reason: &str,
        before: Option<RecordId>,
    ) -> LevelChange {
        let level = Level::Intermittent { limit_minutes };
        let closer = level.strictness() > self.patients[patient].level.strictness();
        let limit_ms = level.limit_ms();
        let event = Event::Order(Order {
            level,
            ordered_by: doctor.to_owned(),
            reason: reason.to_owned(),
            until: None,
            replaces: before.into_iter().collect(),
        });
        let by = duty::nurse(self.people, at);
        let order = self.diary.write(at, Writer::Server, Some(by), Some(self.patients[patient].stay), event);
        LevelChange { at, patient, limit_ms, order, closer }
    }

    fn pause(&mut self, at: Ms, patient: usize, reason: PauseReason, escort: &str, return_by: Ms) {
        debug_assert!(at < self.now);
        let event = Event::PauseStarted(Pause { reason, escort: escort.to_owned(), return_by });
        let by = duty::nurse(self.people, at);
        self.diary.write(at, Writer::Server, Some(by), Some(self.patients[patient].stay), event);
    }
}
