//! Everything besides walking: the 1:1's own checks, moods, behaviours, notes, concerns, a late entry, verification by
//! the nurse.

use super::diary::Net;
use super::dice::Dice;
use super::duty;
use super::errands::watch_tablet;
use super::machines;
use super::plan::ErrandKind;
use super::walk::{Ground, Handed, Walk};
use super::words;
use super::{HISTORY_MS, Writer};
use lamplight_domain::ids::StaffId;
use lamplight_domain::kinds::{Amendment, AmendmentAction, AmendmentReason, Check, Event, HarmTalk, Mood, MoodSource};
use lamplight_domain::time::{HOUR_MS, MINUTE_MS, Ms, SECOND_MS};

/// Adds to a finished walk what else was recorded, and says how the tablets were in touch meanwhile.
pub fn tell(walk: &mut Walk, ground: Ground, seed: u64) -> Net {
    let dice = Dice::new(seed, &format!("story {}", ground.plan.now.0));
    let mut story = Story { walk, ground, dice };
    story.one_to_one();
    story.known_orders();
    story.late_entry();
    story.moods();
    story.behaviours();
    story.notes();
    story.concerns();
    story.verification();
    let Story { walk, mut dice, .. } = story;
    let net = machines::net(walk, ground, &mut dice);
    machines::measure_clocks(walk, ground, &mut dice, &net);
    net
}

struct Story<'a> {
    walk: &'a mut Walk,
    ground: Ground<'a>,
    dice: Dice,
}

impl Story<'_> {
    fn begin(&self) -> Ms {
        self.ground.plan.now - HISTORY_MS
    }

    fn second_tablet(&self) -> Writer {
        self.walk.second.tablet
    }

    fn parts_at(&self, at: Ms) -> Handed {
        let all = &self.walk.handed;
        all[all.partition_point(|h| h.taken_at <= at).saturating_sub(1)]
    }

    /// The float, where that person neither walks nor is taken up by something else.
    fn float_at(&self, at: Ms) -> Option<StaffId> {
        let plan = self.ground.plan;
        let parts = self.parts_at(at);
        let walks = plan.joins.iter().any(|(from, to)| *from - MINUTE_MS <= at && at <= *to + 8 * MINUTE_MS);
        let helps = [plan.fall, plan.shouting].iter().any(|e| e.from <= at && at <= e.to + 10 * MINUTE_MS);
        let changes = plan.duties.iter().any(|d| d.from - 3 * MINUTE_MS <= at && at <= d.from + 10 * MINUTE_MS);
        (!walks && !helps && !changes && at >= parts.taken_at + 8 * MINUTE_MS).then_some(parts.float)
    }

    fn is_here(&self, patient: usize, at: Ms) -> bool {
        self.ground.patients[patient].opened_at + 10 * MINUTE_MS <= at
            && self.ground.plan.away[patient].is_none_or(|(from, to)| at < from || to <= at)
    }

    /// Awake, and not the one whom everybody is about.
    fn is_awake(&self, patient: usize, at: Ms) -> bool {
        let plan = self.ground.plan;
        let about = [plan.fall, plan.shouting].iter().any(|e| match e.what {
            ErrandKind::Fall { patient: p } | ErrandKind::Shouting { patient: p } => {
                p == patient && e.from - 10 * MINUTE_MS <= at && at <= e.to + 45 * MINUTE_MS
            }
            _ => false,
        });
        let activity = plan.days[patient].at(at).activity;
        !about && !matches!(activity, "eyes_closed" | "hygiene")
    }

    /// A moment in that stretch at which the float has time for that patient, awake. None where the patient sleeps
    /// or the float walks all the time.
    fn moment(&mut self, patient: usize, from: Ms, to: Ms) -> Option<(Ms, StaffId)> {
        (0..60).find_map(|_| {
            let at = Ms(self.dice.range(from.0, to.0));
            let by = self.float_at(at)?;
            (self.is_here(patient, at) && self.is_awake(patient, at)).then_some((at, by))
        })
    }

    fn write(&mut self, at: Ms, by: StaffId, patient: usize, event: Event) -> lamplight_domain::ids::RecordId {
        let stay = self.ground.patients[patient].stay;
        let tablet = self.second_tablet();
        self.walk.diary.write(at, tablet, Some(by), Some(stay), event)
    }

    /// Whoever is with the 1:1 records a check every ten minutes or so, on the tablet that stays there.
    fn one_to_one(&mut self) {
        let Some(patient) = self.ground.patients.iter().position(|p| p.is_one_to_one()) else { return };
        let tablet = watch_tablet(self.ground);
        let stay = Some(self.ground.patients[patient].stay);
        let watches = self.walk.watches.clone();
        for (i, (from, watcher)) in watches.iter().copied().enumerate() {
            let end = watches.get(i + 1).map_or(self.ground.plan.now, |next| next.0);
            let mut at = from + self.dice.range(40_000, 100_000);
            if let Some(of) = self.walk.unacknowledged[patient].take() {
                let event = Event::OrderAcknowledged { of };
                self.walk.diary.write(at - 20 * SECOND_MS, tablet, Some(watcher), stay, event);
            }
            while at < end - 20 * SECOND_MS {
                let stretch = self.ground.plan.days[patient].at(at);
                let (place, activity) = (stretch.place.into(), stretch.activity.into());
                let check = Event::Check(Check { place, activity, evidence: Vec::new() });
                self.walk.diary.write(at, tablet, Some(watcher), stay, check);
                at = at + self.dice.range(8 * 60_000, 13 * 60_000);
            }
        }
    }

    /// Orders of patients whom nobody walks to are acknowledged by the first holder on taking over.
    fn known_orders(&mut self) {
        let first = self.ground.plan.duties[0];
        let mut at = self.walk.handed.first().map_or(self.begin(), |h| h.taken_at) + 500;
        for patient in 0..self.ground.patients.len() {
            if let Some(of) = self.walk.unacknowledged[patient].take() {
                let (tablet, stay) = (self.walk.holder.tablet, Some(self.ground.patients[patient].stay));
                let event = Event::OrderAcknowledged { of };
                self.walk.diary.write(at, tablet, Some(first.holder), stay, event);
                at = at + 900;
            }
        }
    }

    /// During the fall the float stood in for the common rooms without a tablet at hand, and wrote it down later.
    fn late_entry(&mut self) {
        let fall = self.ground.plan.fall;
        let seen_at = fall.from + self.dice.range(200, 300) * SECOND_MS;
        let written_at = fall.to + self.dice.range(100, 200) * SECOND_MS;
        let by = self.parts_at(seen_at).float;
        let met: Vec<usize> = (0..self.ground.patients.len())
            .filter(|p| self.walk.limit_ms[*p].is_some() && self.is_here(*p, seen_at) && self.is_here(*p, written_at))
            .collect();
        let in_common = |p: &usize| !matches!(self.ground.plan.days[*p].at(seen_at).place, "bedroom" | "bathroom");
        let common: Vec<usize> = met.iter().copied().filter(in_common).collect();
        let patient = *self.dice.pick(if common.is_empty() { &met } else { &common });
        let stretch = self.ground.plan.days[patient].at(seen_at);
        let check = Event::Check(Check {
            place: stretch.place.into(),
            activity: stretch.activity.into(),
            evidence: Vec::new(),
        });
        let (tablet, stay) = (self.second_tablet(), Some(self.ground.patients[patient].stay));
        self.walk.diary.write_late(seen_at, written_at, tablet, Some(by), stay, check);
    }

    /// Some are asked two or three times in these hours, where they are awake.
    fn moods(&mut self) {
        let (begin, now) = (self.begin(), self.ground.plan.now);
        let mut asked: Vec<usize> = (0..self.ground.patients.len()).collect();
        self.dice.shuffle(&mut asked);
        for patient in asked.into_iter().take(7) {
            let times = self.dice.range(2, 3);
            let mut score = self.dice.range(2, 7);
            for i in 0..times {
                let part = HISTORY_MS / times;
                let (from, to) = (begin + i * part + 20 * MINUTE_MS, begin + (i + 1) * part - 35 * MINUTE_MS);
                let Some((at, by)) = self.moment(patient, from, to.min(now - HOUR_MS)) else { continue };
                score = (score + self.dice.range(-2, 2)).clamp(0, 10);
                let mood = self.mood(score as u8);
                self.write(at, by, patient, Event::Mood(mood));
            }
        }
    }

    fn mood(&mut self, score: u8) -> Mood {
        let answer = self.dice.range(1, 100);
        let said = words::mood(score);
        match answer {
            1..=12 => Mood {
                source: MoodSource::DeclinedToSay,
                score: None,
                affect: vec![(*self.dice.pick(&["flat", "irritable"])).into()],
                words: String::new(),
                harm: Some(HarmTalk::NothingSaid),
            },
            13..=25 => Mood {
                source: MoodSource::StaffImpression,
                score: None,
                affect: vec![(*self.dice.pick(said.affect)).into()],
                words: String::new(),
                harm: Some(HarmTalk::NothingSaid),
            },
            _ => Mood {
                source: MoodSource::Patient,
                score: Some(score),
                affect: vec![(*self.dice.pick(said.affect)).into()],
                words: (*self.dice.pick(said.words)).to_owned(),
                harm: Some(*self.dice.pick(&[HarmTalk::NothingSaid, HarmTalk::AskedSaidNo, HarmTalk::AskedSaidNo])),
            },
        }
    }

    fn behaviours(&mut self) {
        let (begin, now) = (self.begin(), self.ground.plan.now);
        for (risk, behaviour) in words::behaviours() {
            let fits: Vec<usize> = (0..self.ground.patients.len())
                .filter(|p| risk.is_empty() || self.ground.patients[*p].precautions().contains(&risk))
                .collect();
            let patient = *self.dice.pick(&fits);
            if let Some((at, by)) = self.moment(patient, begin + 30 * MINUTE_MS, now - 45 * MINUTE_MS) {
                self.write(at, by, patient, Event::Behaviour(behaviour));
            }
        }
    }

    fn notes(&mut self) {
        let (begin, now) = (self.begin(), self.ground.plan.now);
        for (i, note) in words::NOTES.iter().enumerate() {
            let patient = self.dice.index(self.ground.patients.len());
            let Some((at, by)) = self.moment(patient, begin + 30 * MINUTE_MS, now - 45 * MINUTE_MS) else { continue };
            let of = self.write(at, by, patient, Event::Note { words: (*note).to_owned() });
            if i == 0 {
                let at = at + self.dice.range(80, 200) * SECOND_MS;
                let action = AmendmentAction::Add { words: words::NOTE_ADDED.to_owned() };
                let amendment =
                    Amendment { of, action, reason: AmendmentReason::Other, words: "left out the time".to_owned() };
                self.write(at, by, patient, Event::Amendment(amendment));
            }
        }
    }

    /// One that a nurse has answered, and one that waits.
    fn concerns(&mut self) {
        let (begin, now) = (self.begin(), self.ground.plan.now);
        let mut at_risk: Vec<usize> = (0..self.ground.patients.len())
            .filter(|p| self.ground.patients[*p].precautions().contains(&"suicide"))
            .collect();
        self.dice.shuffle(&mut at_risk);
        let found =
            at_risk.iter().find_map(|p| Some((*p, self.moment(*p, begin + 40 * MINUTE_MS, now - 70 * MINUTE_MS)?)));
        // Where nobody at risk is awake while the float has time, one is woken by it.
        let (patient, (at, by)) = found.unwrap_or_else(|| {
            let at = begin + 100 * MINUTE_MS;
            (at_risk[0], (at, self.parts_at(at).float))
        });
        let mood = Mood {
            source: MoodSource::Patient,
            score: Some(2),
            affect: vec!["tearful".into(), "anxious".into()],
            words: "I don't want to wake up tomorrow.".to_owned(),
            harm: Some(HarmTalk::Yes),
        };
        self.write(at, by, patient, Event::Mood(mood));
        let raised = at + self.dice.range(15, 40) * SECOND_MS;
        let of = self.write(raised, by, patient, Event::Concern { words: words::CONCERN_ANSWERED.to_owned() });
        let answered = raised + self.dice.range(100, 420) * SECOND_MS;
        let (nurse, stay) = (duty::nurse(self.ground.people, answered), self.ground.patients[patient].stay);
        let event = Event::Acknowledged { of, came: None };
        self.walk.diary.write(answered, Writer::Server, Some(nurse), Some(stay), event);

        let at = now - self.dice.range(260, 520) * SECOND_MS;
        let here: Vec<usize> = (0..self.ground.patients.len())
            .filter(|p| self.is_here(*p, at) && self.walk.limit_ms[*p].is_some())
            .collect();
        let awake: Vec<usize> = here.iter().copied().filter(|p| self.is_awake(*p, at)).collect();
        let (from, texts) = if awake.is_empty() { (&here, words::CONCERNS_ASLEEP) } else { (&awake, words::CONCERNS) };
        let patient = *self.dice.pick(from);
        let event = Event::Concern { words: (*self.dice.pick(&texts)).to_owned() };
        let by = self.parts_at(at).float;
        self.write(at, by, patient, event);
    }

    /// About every two hours; once it took longer.
    fn verification(&mut self) {
        let now = self.ground.plan.now;
        let late_one = self.dice.range(1, 3);
        let mut at = self.begin() + self.dice.range(30, 60) * MINUTE_MS;
        let mut nth = 0;
        while at < now - 2 * MINUTE_MS {
            let by = duty::nurse(self.ground.people, at);
            let note = if at > self.ground.plan.fall.to && at < self.ground.plan.fall.to + 2 * HOUR_MS {
                "late checks during the fall talked over with the holder"
            } else {
                ""
            };
            self.walk.diary.write(at, Writer::Server, Some(by), None, Event::Verified { note: note.to_owned() });
            nth += 1;
            let minutes = if nth == late_one { self.dice.range(123, 134) } else { self.dice.range(98, 117) };
            at = at + minutes * MINUTE_MS + self.dice.range(0, 59_999);
        }
    }
}
