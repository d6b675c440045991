//! People who walk. One holder all the time, at times a second technician: from patient to patient on the floor plan,
//! with seconds for every metre, every look and every tap. Lateness is not made up: it is what walking and errands
//! leave undone.

use super::Writer;
use super::census::Patient;
use super::diary::Diary;
use super::dice::Dice;
use super::floor::{Spot, metres, spot};
use super::people::People;
use super::plan::{Plan, Slip};
use lamplight_domain::ids::{RecordId, StaffId};
use lamplight_domain::kinds::{Event, Evidence};
use lamplight_domain::time::{MINUTE_MS, Ms, SECOND_MS};

/// Unhurried, in metres a second.
const PACE: f64 = 1.35;

/// One walking technician, with a tablet in hand.
#[derive(Clone, Copy)]
pub struct Walker {
    pub staff: StaffId,
    pub tablet: Writer,
    pub spot: Spot,
    /// Between two checks from then on.
    pub free_at: Ms,
    /// On a round, and which way along the corridor.
    pub(super) round: Option<bool>,
    /// Starts the next round when somebody has used up so many percent of the limit.
    pub(super) eager_percent: i64,
}

impl Walker {
    pub fn new(staff: StaffId, tablet: Writer, free_at: Ms) -> Walker {
        Walker { staff, tablet, spot: spot("nurses_station", 0), free_at, round: None, eager_percent: 50 }
    }
}

/// What everybody on the ward goes by; the same in every copy of a walk.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    pub people: &'a People,
    pub patients: &'a [Patient],
    pub plan: &'a Plan,
}

/// A change of parts that has happened.
#[derive(Clone, Copy)]
pub struct Handed {
    pub float: StaffId,
    pub taken_at: Ms,
}

/// The walk so far. A copy of it can be walked on differently.
#[derive(Clone)]
pub struct Walk {
    pub diary: Diary,
    pub dice: Dice,
    pub holder: Walker,
    pub second: Walker,
    /// For each patient: last check that counts.
    pub seen: Vec<Option<Ms>>,
    /// For each patient: the running gap's beginning where no check has been since; None before any order.
    pub since: Vec<Option<Ms>>,
    /// For each patient; None for continuous.
    pub limit_ms: Vec<Option<i64>>,
    pub unacknowledged: Vec<Option<RecordId>>,
    pub handed: Vec<Handed>,
    pub(super) at_once: Vec<bool>,
    /// For each patient: tried without seeing; not again before.
    pub(super) not_before: Vec<Ms>,
    /// For each walker: who is still owed a look in the round.
    owed: [Vec<bool>; 2],
    pub(super) levels_done: usize,
    pub(super) errands_done: usize,
    pub(super) slips: Vec<(Ms, Slip)>,
    /// The outgoing holder walks along until then.
    pub(super) walks_along: Option<(StaffId, Ms)>,
    /// The next parts are agreed; the observations are taken over from then on.
    pub(super) taking: Option<Ms>,
    pub(super) watch: Option<(RecordId, StaffId)>,
    /// Who was with the 1:1, each since when.
    pub watches: Vec<(Ms, StaffId)>,
    /// A round begins when somebody has used up so many percent of the limit: from, to.
    pub eager_percent: (i64, i64),
    /// Patients that nobody comes to after a moment, for the last minutes.
    pub passed_by: Vec<(usize, Ms)>,
}

impl Walk {
    /// Walks on until everybody's next look begins at `until` or later. Nothing is recorded after
    /// [`Plan::last_record`].
    pub fn on(&mut self, ground: Ground, until: Ms) {
        loop {
            let at = self.holder.free_at;
            let join = ground.plan.joins.iter().find(|(_, to)| *to > self.second.free_at);
            let second_at = join.map(|(from, _)| self.second.free_at.max(*from));
            match second_at {
                Some(second_at) if second_at < at && second_at < until => {
                    if second_at > self.second.free_at {
                        self.second.spot = spot("day_room", 0);
                    }
                    self.second.free_at = second_at;
                    self.step(ground, 1);
                }
                _ if at >= until => return,
                _ if self.holder_is_kept(ground) => {}
                _ => self.step(ground, 0),
            }
        }
    }

    /// To the next patient, or a little rest.
    fn step(&mut self, ground: Ground, walker: usize) {
        let at = self.walker(walker).free_at;
        match self.choose(ground, walker, at) {
            Some(patient) => self.look_after(ground, walker, patient),
            None => {
                let rest = self.dice.range(15, 40) * SECOND_MS;
                let w = self.walker(walker);
                w.free_at = at + rest;
            }
        }
    }

    pub(super) fn walker(&mut self, walker: usize) -> &mut Walker {
        if walker == 0 { &mut self.holder } else { &mut self.second }
    }

    /// The beginning of a patient's running gap.
    pub fn gap_from(&self, patient: usize) -> Option<Ms> {
        self.since[patient].map(|since| self.seen[patient].map_or(since, |seen| seen.max(since)))
    }

    /// Whether the patient is one to walk to at that moment.
    pub fn is_walked_to(&self, ground: Ground, patient: usize, at: Ms) -> bool {
        self.since[patient].is_some()
            && self.limit_ms[patient].is_some()
            && ground.plan.away[patient].is_none_or(|(from, to)| at < from || to <= at)
            && self.passed_by.iter().all(|(p, from)| *p != patient || at < *from)
    }

    /// Seconds of walking for this walker, from where they are now, to where the patient is.
    pub(super) fn way(&mut self, ground: Ground, walker: usize, patient: usize, at: Ms) -> (Spot, i64) {
        let place = ground.plan.days[patient].at(at).place;
        let to = spot(place, ground.patients[patient].bed);
        (to, (metres(self.walker(walker).spot, to) / PACE * 1_000.0) as i64)
    }

    fn choose(&mut self, ground: Ground, walker: usize, at: Ms) -> Option<usize> {
        let hurry = self.dice.range(100, 160);
        let mine = self.mine(ground, walker, at);
        // Whoever runs out first, as long as a look is due before the way there is walked at leisure.
        let mut urgent: Vec<(i64, usize)> = Vec::new();
        let mut many = 0;
        for &patient in &mine {
            let (Some(limit), Some(gap_from)) = (self.limit_ms[patient], self.gap_from(patient)) else { continue };
            let (_, way) = self.way(ground, walker, patient, at);
            let left = if self.at_once[patient] { 0 } else { limit - (at - gap_from) };
            let close = limit < 10 * MINUTE_MS;
            // A quarter of a close limit, an eighth of a wider one, more or less.
            let margin = if close { limit / 5 } else { limit / 8 } * hurry / 100;
            if left < way + margin {
                many += u32::from(!close);
                urgent.push((left, patient));
            }
        }
        // Where many run out at once, only a round in walking order catches up: no running to and fro.
        if many > 3 {
            urgent.retain(|(_, p)| self.at_once[*p] || self.limit_ms[*p].is_some_and(|limit| limit < 10 * MINUTE_MS));
        }
        if let Some((_, patient)) = urgent.into_iter().min() {
            return Some(patient);
        }
        self.begin_round(ground, walker, &mine, at);
        let forward = self.walker(walker).round?;
        let next = mine.iter().copied().filter(|p| self.owed[walker][*p]).min_by_key(|p| {
            let to = spot(ground.plan.days[*p].at(at).place, ground.patients[*p].bed);
            let order = (to.along * 1_000.0) as i64 * if forward { 1 } else { -1 };
            (order, (to.across * 1_000.0) as i64, *p)
        });
        if next.is_none() {
            self.walker(walker).round = None;
            let (from, to) = self.eager_percent;
            let eager = self.dice.range(from, to);
            self.walker(walker).eager_percent = eager;
        }
        next
    }

    /// Patients whom this walker looks after now: all, or their half of the ward while two walk.
    fn mine(&mut self, ground: Ground, walker: usize, at: Ms) -> Vec<usize> {
        let two = ground.plan.joins.iter().any(|(from, to)| *from <= at && at < *to)
            && !ground.plan.errands.iter().any(|e| e.from <= at && at < e.to);
        (0..ground.patients.len())
            .filter(|p| self.is_walked_to(ground, *p, at) && self.not_before[*p] <= at)
            .filter(|p| {
                let along = spot(ground.plan.days[*p].at(at).place, ground.patients[*p].bed).along;
                !two || (along < 34.5) == (walker == 0)
            })
            .collect()
    }

    fn begin_round(&mut self, ground: Ground, walker: usize, mine: &[usize], at: Ms) {
        let eager = self.walker(walker).eager_percent;
        let used = |walk: &Walk, p: usize| match (walk.limit_ms[p], walk.gap_from(p)) {
            (Some(limit), Some(from)) => (at - from) * 100 / limit,
            _ => 0,
        };
        if self.walker(walker).round.is_none() && mine.iter().any(|p| used(self, *p) >= eager) {
            for patient in 0..ground.patients.len() {
                self.owed[walker][patient] = mine.contains(&patient) && used(self, patient) >= 33;
            }
            // From the side that waits longest, but not always: a patient should not be able to tell.
            let oldest = mine.iter().copied().max_by_key(|p| used(self, *p)).unwrap_or(0);
            let along = spot(ground.plan.days[oldest].at(at).place, ground.patients[oldest].bed).along;
            let forward = (along < 34.0) != self.dice.chance(7);
            self.walker(walker).round = Some(forward);
        }
    }

    /// A counted look.
    pub(super) fn saw(&mut self, patient: usize, at: Ms) {
        self.seen[patient] = Some(at);
        self.at_once[patient] = false;
        for owed in &mut self.owed {
            owed[patient] = false;
        }
    }

    /// A look that did not see: not again at once.
    pub(super) fn tried(&mut self, patient: usize, again: Ms) {
        self.not_before[patient] = again;
    }

    /// At the beginning of the history, with nothing seen yet.
    pub fn begin(ground: Ground, diary: Diary, dice: Dice, tablets: [Writer; 2]) -> Walk {
        let count = ground.patients.len();
        let first = ground.plan.duties[0];
        let begin = ground.plan.begin;
        Walk {
            diary,
            dice,
            holder: Walker::new(first.holder, tablets[0], begin + 20 * SECOND_MS),
            second: Walker::new(first.float, tablets[1], begin + 20 * MINUTE_MS),
            seen: vec![None; count],
            since: vec![None; count],
            limit_ms: vec![None; count],
            unacknowledged: vec![None; count],
            handed: Vec::new(),
            at_once: vec![false; count],
            not_before: vec![Ms(i64::MIN); count],
            owed: [vec![false; count], vec![false; count]],
            levels_done: 0,
            errands_done: 0,
            slips: ground.plan.slips.clone(),
            walks_along: None,
            taking: None,
            watch: None,
            watches: Vec::new(),
            eager_percent: (50, 61),
            passed_by: Vec::new(),
        }
    }

    /// Both sign for the handover's round.
    pub(super) fn evidence(&self, walker: usize, at: Ms) -> Vec<Evidence> {
        match self.walks_along {
            Some((staff, until)) if walker == 0 && at < until => vec![Evidence::SecondPerson { staff }],
            _ => Vec::new(),
        }
    }

    /// Writes with the walker's tablet.
    pub(super) fn enter(&mut self, ground: Ground, walker: usize, patient: usize, at: Ms, event: Event) -> RecordId {
        let Walker { staff, tablet, .. } = *self.walker(walker);
        self.diary.write(at, tablet, Some(staff), Some(ground.patients[patient].stay), event)
    }
}
