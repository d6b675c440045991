//! One look at one patient, and what is recorded of it: a check, a door that stayed closed, a covered face, a slip of
//! the finger and its amendment.

use super::days::Stretch;
use super::dice::Dice;
use super::plan::Slip;
use super::walk::{Ground, Walk};
use lamplight_domain::ids::RecordId;
use lamplight_domain::kinds::{Amendment, AmendmentAction, AmendmentReason, Check, Event};
use lamplight_domain::time::{Ms, SECOND_MS};

/// Longest stretch from a look to the last record of its amendment: nobody slips nearer to the end than this.
const LONGEST_SLIP_MS: i64 = 60 * SECOND_MS;

impl Walk {
    /// Walks to the patient and looks.
    pub(super) fn look_after(&mut self, ground: Ground, walker: usize, patient: usize) {
        let begun = self.walker(walker).free_at;
        // Patients move too: on arriving where one was, go on to where that one is.
        let mut at = begun + self.dice_ms(0, 1_500);
        let stretch = loop {
            let (to, way) = self.way(ground, walker, patient, at);
            if to == self.walker(walker).spot {
                break ground.plan.days[patient].at(at);
            }
            self.walker(walker).spot = to;
            at = at + way;
        };
        let last = ground.plan.last_record();
        if at + 15 * SECOND_MS > last {
            self.walker(walker).free_at = last;
            return;
        }
        // Gone to leave or to the ED meanwhile.
        if !self.is_walked_to(ground, patient, at + LONGEST_SLIP_MS) {
            self.walker(walker).free_at = at;
            self.tried(patient, at + LONGEST_SLIP_MS);
            return;
        }
        let asleep = stretch.activity == "eyes_closed";
        at = at + self.dice.range(4_500, if asleep { 9_500 } else { 7_500 });
        let near_the_end = at + LONGEST_SLIP_MS > last;
        if let Some(order) = self.unacknowledged[patient].take() {
            let read = at - self.dice_ms(1_800, 3_000);
            self.enter(ground, walker, patient, read, Event::OrderAcknowledged { of: order });
        }
        let slip = if near_the_end { None } else { self.slip(ground, patient, at, stretch.place, asleep) };
        let free_at = match slip {
            Some(Slip::Heard) => {
                self.enter(ground, walker, patient, at, Event::Heard { place: "bathroom_heard".into() });
                let again = at + self.dice_ms(100_000, 170_000);
                self.tried(patient, again);
                at
            }
            Some(Slip::CantTell) => {
                self.enter(ground, walker, patient, at, Event::CantTell { place: "bedroom".into() });
                let closer = at + self.dice_ms(13_000, 28_000);
                self.check(ground, walker, patient, closer, "bedroom", stretch.activity);
                closer
            }
            Some(Slip::Undo) => {
                let wrong = self.other_activity(stretch.activity);
                let of = self.check(ground, walker, patient, at, stretch.place, wrong);
                let undone = at + self.dice_ms(3_000, 7_500);
                self.amend(ground, walker, patient, undone, of, AmendmentAction::Retract, AmendmentReason::Undo);
                let again = undone + self.dice_ms(4_500, 7_000);
                self.check(ground, walker, patient, again, stretch.place, stretch.activity);
                again
            }
            Some(Slip::Correct) => {
                let wrong = self.other_activity(stretch.activity);
                let of = self.check(ground, walker, patient, at, stretch.place, wrong);
                let corrected = at + self.dice_ms(14_000, 40_000);
                let action =
                    AmendmentAction::CorrectCheck { place: stretch.place.into(), activity: stretch.activity.into() };
                self.amend(ground, walker, patient, corrected, of, action, AmendmentReason::MisTap);
                corrected
            }
            Some(Slip::WrongPatient) => match namesake(ground, patient) {
                Some(other) => self.mistaken(ground, walker, patient, other, at, stretch),
                None => at,
            },
            None => {
                self.check(ground, walker, patient, at, stretch.place, stretch.activity);
                at
            }
        };
        self.walker(walker).free_at = free_at + self.dice_ms(500, 2_500);
    }

    /// The check went to the namesake; it is taken back, and the right one looked at again and recorded.
    fn mistaken(
        &mut self,
        ground: Ground,
        walker: usize,
        patient: usize,
        other: usize,
        at: Ms,
        stretch: Stretch,
    ) -> Ms {
        let check = Event::Check(Check {
            place: stretch.place.into(),
            activity: stretch.activity.into(),
            evidence: self.evidence(walker, at),
        });
        let of = self.enter(ground, walker, other, at, check);
        let noticed = at + self.dice_ms(16_000, 34_000);
        self.amend(ground, walker, other, noticed, of, AmendmentAction::Retract, AmendmentReason::WrongPatient);
        let again = noticed + self.dice_ms(5_000, 9_000);
        self.check(ground, walker, patient, again, stretch.place, stretch.activity);
        again
    }

    pub(super) fn check(
        &mut self,
        ground: Ground,
        walker: usize,
        patient: usize,
        at: Ms,
        place: &str,
        activity: &str,
    ) -> RecordId {
        self.saw(patient, at);
        let evidence = self.evidence(walker, at);
        let check = Event::Check(Check { place: place.into(), activity: activity.into(), evidence });
        self.enter(ground, walker, patient, at, check)
    }

    #[allow(clippy::too_many_arguments)]
    fn amend(
        &mut self,
        ground: Ground,
        walker: usize,
        patient: usize,
        at: Ms,
        of: RecordId,
        action: AmendmentAction,
        reason: AmendmentReason,
    ) {
        let amendment = Event::Amendment(Amendment { of, action, reason, words: String::new() });
        self.enter(ground, walker, patient, at, amendment);
    }

    /// What goes otherwise than a plain check: planned slips at the first fitting look, others by chance.
    fn slip(&mut self, ground: Ground, patient: usize, at: Ms, place: &str, asleep: bool) -> Option<Slip> {
        let fits = |slip: Slip| match slip {
            Slip::Heard => place == "bathroom",
            Slip::CantTell => asleep && place == "bedroom",
            Slip::WrongPatient => namesake(ground, patient).is_some(),
            Slip::Undo | Slip::Correct => true,
        };
        if let Some(i) = self.slips.iter().position(|(from, slip)| *from <= at && fits(*slip)) {
            return Some(self.slips.remove(i).1);
        }
        let by_chance = match self.dice.range(1, 1_000) {
            1..=3 => Slip::Undo,
            4..=5 => Slip::Correct,
            6..=15 => Slip::CantTell,
            16..=465 => Slip::Heard,
            _ => return None,
        };
        fits(by_chance).then_some(by_chance)
    }

    fn other_activity(&mut self, activity: &str) -> &'static str {
        let tapped_by_mistake = ["resting", "calm", "with_peers", "tv"];
        let others: Vec<&'static str> = tapped_by_mistake.into_iter().filter(|a| *a != activity).collect();
        others[self.dice.index(others.len())]
    }

    pub(super) fn dice_ms(&mut self, from: i64, to: i64) -> i64 {
        Dice::range(&mut self.dice, from, to)
    }
}

/// Another patient of the same family name, still on the ward.
fn namesake(ground: Ground, patient: usize) -> Option<usize> {
    let family = ground.patients[patient].family();
    (0..ground.patients.len()).find(|p| *p != patient && ground.patients[*p].family() == family)
}
