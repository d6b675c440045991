//! What keeps the holder from walking: the phone, a patient who needs somebody for long, shouting, a fall; new orders;
//! and the handover of parts.

use super::Writer;
use super::plan::ErrandKind;
use super::walk::{Ground, Handed, Walk, Walker};
use lamplight_domain::ids::StaffId;
use lamplight_domain::kinds::{Behaviour, EmergencyKind, Event};
use lamplight_domain::time::{MINUTE_MS, Ms, SECOND_MS};

impl Walk {
    /// Takes up what is due for the holder before the next look. True where time has gone by with it.
    pub(super) fn holder_is_kept(&mut self, ground: Ground) -> bool {
        let at = self.holder.free_at;
        self.orders_come(ground, at);
        self.second_person_leaves(at);
        if self.parts_change(ground, at) {
            return true;
        }
        if let Some(errand) = ground.plan.errands.get(self.errands_done).filter(|e| e.from <= at) {
            self.errands_done += 1;
            match errand.what {
                ErrandKind::Asked => self.holder.free_at = at + (errand.to - errand.from),
                ErrandKind::Alone => {
                    self.holder.free_at = at + (errand.to - errand.from);
                    self.not_done(ground, "alone", "second technician on a break", 3);
                }
                ErrandKind::Shouting { patient } => self.shouting(ground, patient, errand.to),
                ErrandKind::Fall { patient } => self.fall(ground, patient, errand.to),
            }
            return true;
        }
        // A raised level is acknowledged where the holder stands; the look comes next.
        let raised = (0..ground.patients.len())
            .find(|p| self.at_once[*p] && self.seen[*p].is_some() && self.unacknowledged[*p].is_some());
        if let Some(order) = raised.and_then(|p| self.unacknowledged[p].take().map(|o| (p, o))) {
            let acknowledged = at + self.dice_ms(3_000, 9_000);
            if acknowledged < ground.plan.last_record() {
                self.enter(ground, 0, order.0, acknowledged, Event::OrderAcknowledged { of: order.1 });
            }
            self.holder.free_at = acknowledged + SECOND_MS;
            return true;
        }
        false
    }

    fn orders_come(&mut self, ground: Ground, at: Ms) {
        while let Some(change) = ground.plan.levels.get(self.levels_done).filter(|l| l.at <= at) {
            self.levels_done += 1;
            self.limit_ms[change.patient] = change.limit_ms;
            self.unacknowledged[change.patient] = Some(change.order);
            if change.closer {
                self.since[change.patient] = Some(change.at);
                // At the beginning everybody's order is new: that is the first round, not an alarm.
                self.at_once[change.patient] = change.at > ground.plan.begin;
            }
        }
    }

    fn second_person_leaves(&mut self, at: Ms) {
        if self.walks_along.is_some_and(|(_, until)| until <= at) {
            self.walks_along = None;
        }
    }

    /// The watch changes first; then whoever was with the 1:1 comes and takes over the observations.
    fn parts_change(&mut self, ground: Ground, at: Ms) -> bool {
        let Some(duty) = ground.plan.duties.get(self.handed.len()).copied().filter(|d| d.from <= at) else {
            return false;
        };
        let first = self.handed.is_empty();
        match self.taking {
            None => {
                let watch_from = if first { at } else { at + self.dice_ms(8_000, 25_000) };
                let taking = self.change_watch(ground, watch_from, duty.watcher);
                self.taking = Some(taking);
                // The station's parts are agreed; until taken over, the outgoing holder walks on.
                if !first {
                    return false;
                }
                self.holder.free_at = taking;
                true
            }
            Some(taking) if taking <= at => {
                self.taking = None;
                let outgoing = self.holder.staff;
                let taken_at = at + self.dice_ms(6_000, 14_000);
                let spot = self.holder.spot;
                self.holder = Walker { spot, ..Walker::new(duty.holder, self.holder.tablet, taken_at + 4 * SECOND_MS) };
                self.second = Walker::new(duty.float, self.second.tablet, taken_at + 8 * MINUTE_MS);
                if !first {
                    self.walks_along = Some((outgoing, taken_at + 7 * MINUTE_MS));
                }
                let census_count = self.census_count(ground, taken_at);
                let taken = Event::HoldingTaken { census_count };
                self.diary.write(taken_at, self.holder.tablet, Some(duty.holder), None, taken);
                self.handed.push(Handed { float: duty.float, taken_at });
                true
            }
            Some(_) => false,
        }
    }

    /// The new watcher is there before the old one goes. Answers when the old one can be at the holder's side.
    fn change_watch(&mut self, ground: Ground, at: Ms, watcher: StaffId) -> Ms {
        let Some(patient) = ground.patients.iter().position(|p| p.is_one_to_one()) else { return at };
        let stay = Some(ground.patients[patient].stay);
        let tablet = watch_tablet(ground);
        let started = self.diary.write(at, tablet, Some(watcher), stay, Event::WatchStarted { watcher });
        self.watches.push((at, watcher));
        let mut ended_at = at;
        if let Some((of, by)) = self.watch.replace((started, watcher)) {
            ended_at = at + self.dice_ms(12_000, 30_000);
            self.diary.write(ended_at, tablet, Some(by), stay, Event::WatchEnded { of });
            return ended_at + self.dice_ms(65_000, 110_000);
        }
        ended_at + self.dice_ms(4_000, 9_000)
    }

    /// How many are on the ward at that moment.
    fn census_count(&self, ground: Ground, at: Ms) -> u16 {
        let here = |p: &usize| {
            ground.patients[*p].opened_at <= at && ground.plan.away[*p].is_none_or(|(from, to)| at < from || to <= at)
        };
        (0..ground.patients.len()).filter(here).count() as u16
    }

    /// A minute of talking, a quiet room, and a behaviour entry afterwards.
    fn shouting(&mut self, ground: Ground, patient: usize, to: Ms) {
        let (spot, way) = self.way(ground, 0, patient, self.holder.free_at);
        let there = self.holder.free_at + way + self.dice_ms(5_000, 8_000);
        self.holder.spot = spot;
        let stretch = ground.plan.days[patient].at(there);
        self.check(ground, 0, patient, there, stretch.place, stretch.activity);
        let written = to.max(there + MINUTE_MS) + self.dice_ms(20_000, 40_000);
        let behaviour = Event::Behaviour(Behaviour {
            before: vec!["told_no".into(), "noise".into()],
            what: vec!["shouting".into(), "threats".into()],
            staff_did: vec!["talked".into(), "quiet_room".into(), "nurse_called".into()],
            then: Some("partly".into()),
            affected: vec!["words_only".into()],
            words: "Wanted the phone before phone time. Stood close to a peer, fists closed. Walked to the quiet room \
                    with staff."
                .to_owned(),
        });
        self.enter(ground, 0, patient, written, behaviour);
        self.holder.free_at = written + 2 * SECOND_MS;
    }

    /// Help is called from the bedside; the nurse answers at the station; others wait, and it says so.
    fn fall(&mut self, ground: Ground, patient: usize, to: Ms) {
        let (spot, way) = self.way(ground, 0, patient, self.holder.free_at);
        let there = self.holder.free_at + way + self.dice_ms(5_000, 8_000);
        self.holder.spot = spot;
        let stay = Some(ground.patients[patient].stay);
        let nurse = Some(super::duty::nurse(ground.people, there));
        let place = ground.people.roster.wards[0].beds[ground.patients[patient].bed].label.clone();
        let emergency = Event::Emergency { what: EmergencyKind::NeedHelp, place };
        let of = self.enter(ground, 0, patient, there - 2 * SECOND_MS, emergency);
        self.check(ground, 0, patient, there + 4 * SECOND_MS, "bedroom", "with_staff");
        let heard = there + self.dice_ms(18_000, 45_000);
        self.diary.write(heard, Writer::Server, nurse, stay, Event::Acknowledged { of, came: None });
        let silenced = heard + self.dice_ms(60_000, 90_000);
        self.diary.write(silenced, self.holder.tablet, Some(self.holder.staff), None, Event::Silenced { level: None });
        let ended = to.max(silenced + MINUTE_MS);
        let words = "Fell in the bathroom, awake, cut over the left eye. To the ED.".to_owned();
        self.diary.write(ended - 20 * SECOND_MS, Writer::Server, nurse, stay, Event::EmergencyEnded { of, words });
        // Whoever kneels beside the patient sees the patient.
        self.check(ground, 0, patient, ended - 2 * SECOND_MS, "bedroom", "with_staff");
        self.holder.free_at = ended;
        self.not_done(ground, "emergency", "fall, help needed at the bedside", 4);
    }

    /// Says for those who are past their limit that they were not looked at, and why. The clock runs on.
    fn not_done(&mut self, ground: Ground, reason: &str, words: &str, most: usize) {
        let at = self.holder.free_at;
        let mut late: Vec<(i64, usize)> = (0..ground.patients.len())
            .filter(|p| self.is_walked_to(ground, *p, at))
            .filter_map(|p| Some((self.limit_ms[p]? - (at - self.gap_from(p)?), p)))
            .filter(|(left, _)| *left < 0)
            .collect();
        late.sort_unstable();
        for (_, patient) in late.into_iter().take(most) {
            let at = self.holder.free_at + self.dice_ms(2_500, 5_500);
            let event = Event::NotDone { reason: reason.into(), words: words.to_owned() };
            self.enter(ground, 0, patient, at, event);
            self.holder.free_at = at;
        }
    }
}

/// The tablet that stays with the 1:1: the last.
pub fn watch_tablet(ground: Ground) -> Writer {
    ground.people.tablets.last().map_or(Writer::Server, |t| Writer::Tablet(t.id))
}
