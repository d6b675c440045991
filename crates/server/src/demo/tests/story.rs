//! Each thing that a newcomer should be able to find on the demo ward is there, at every seed and hour.

use super::*;
use lamplight_domain::kinds::{AmendmentAction, AmendmentReason, EmergencyKind, Evidence, HarmTalk, MoodSource};
use lamplight_domain::time::{HOUR_MS, MINUTE_MS};
use std::collections::HashSet;

impl Told {
    fn count(&self, test: impl Fn(&Envelope, &Event) -> bool) -> usize {
        self.bodies.iter().filter(|(_, e, event)| test(e, event)).count()
    }
}

#[test]
fn the_story_is_told_everywhere() {
    for told in everywhere() {
        every_part_of_the_story_is_told(&told);
        every_order_is_acknowledged_and_a_raised_one_is_followed_by_a_look(&told);
        one_concern_is_answered_and_one_waits(&told);
        amendments_come_after_what_they_amend_and_by_the_same_person(&told);
        nobody_who_is_away_or_not_yet_there_is_seen(&told);
    }
}

fn every_part_of_the_story_is_told(told: &Told) {
    let at = told.now.clock(ZONE);
    let some = |what: &str, least: usize, test: &dyn Fn(&Envelope, &Event) -> bool| {
        let n = told.count(test);
        assert!(n >= least, "{n} {what} at {at}");
    };
    some("heard only", 1, &|_, e| matches!(e, Event::Heard { .. }));
    some("can't tell", 1, &|_, e| matches!(e, Event::CantTell { .. }));
    some("late entry", 1, &|e, event| matches!(event, Event::Check(_)) && e.is_late_entry());
    let not_done = |why: &'static str| move |_: &Envelope, e: &Event| matches!(e, Event::NotDone { reason, .. } if reason.0 == why);
    some("not done for an emergency", 1, &not_done("emergency"));
    some("not done for being alone", 1, &not_done("alone"));
    let amended =
        |reason: AmendmentReason| move |_: &Envelope, e: &Event| matches!(e, Event::Amendment(a) if a.reason == reason);
    some("undo", 1, &amended(AmendmentReason::Undo));
    some("wrong patient", 1, &amended(AmendmentReason::WrongPatient));
    some("mis-tap", 1, &amended(AmendmentReason::MisTap));
    some("mood answers", 3, &|_, e| matches!(e, Event::Mood(m) if m.source == MoodSource::Patient));
    some("yes to hurting", 1, &|_, e| matches!(e, Event::Mood(m) if m.harm == Some(HarmTalk::Yes)));
    some("behaviours", 3, &|_, e| matches!(e, Event::Behaviour(_)));
    some("notes", 3, &|_, e| matches!(e, Event::Note { .. }));
    some("verifications", 5, &|_, e| matches!(e, Event::Verified { .. }));
    some("clock measurements", 20, &|_, e| matches!(e, Event::ClockMeasured(_)));
    some("handovers", 6, &|_, e| matches!(e, Event::HoldingTaken { .. }));
    some("silenced", 1, &|_, e| matches!(e, Event::Silenced { .. }));
    some(
        "checks by two",
        3,
        &|_, e| matches!(e, Event::Check(c) if c.evidence.iter().any(|e| matches!(e, Evidence::SecondPerson { .. }))),
    );
    some("help", 1, &|_, e| matches!(e, Event::Emergency { what: EmergencyKind::NeedHelp, .. }));
    some("end of it", 1, &|_, e| matches!(e, Event::EmergencyEnded { .. }));
}

fn every_order_is_acknowledged_and_a_raised_one_is_followed_by_a_look(told: &Told) {
    let acknowledged: HashSet<_> = told
        .bodies
        .iter()
        .filter_map(|(_, _, e)| match e {
            Event::OrderAcknowledged { of } => Some(*of),
            _ => None,
        })
        .collect();
    let orders: HashSet<_> =
        told.bodies.iter().filter(|(_, _, e)| matches!(e, Event::Order(_))).map(|(_, e, _)| e.id).collect();
    assert_eq!(acknowledged, orders);
    assert_eq!(orders.len(), 24, "22, one raised, one lowered");
    let patients = told.patients();
    let raised = patients.values().find(|p| p.orders.len() == 2 && p.orders[1].1 < p.orders[0].1).unwrap();
    let lowered = patients.values().find(|p| p.orders.len() == 2 && p.orders[1].1 > p.orders[0].1).unwrap();
    assert!(lowered.orders[1].0 > told.now - HISTORY_MS);
    let next = raised.checks.iter().find(|c| c.at > raised.orders[1].0).unwrap();
    assert!(next.gap_ms < 5 * MINUTE_MS, "{}", next.gap_ms);
}

fn one_concern_is_answered_and_one_waits(told: &Told) {
    let answered: HashSet<_> = told
        .bodies
        .iter()
        .filter_map(|(_, _, e)| match e {
            Event::Acknowledged { of, .. } => Some(*of),
            _ => None,
        })
        .collect();
    let concerns: Vec<_> = told.bodies.iter().filter(|(_, _, e)| matches!(e, Event::Concern { .. })).collect();
    let (done, open): (Vec<&&(Writer, Envelope, Event)>, Vec<_>) =
        concerns.iter().partition(|(_, e, _)| answered.contains(&e.id));
    assert_eq!((done.len(), open.len()), (1, 1));
    assert!(told.now - open[0].1.recorded_at < 10 * MINUTE_MS);
    // No emergency is open at now.
    let ended = told.count(|_, e| matches!(e, Event::EmergencyEnded { .. }));
    assert_eq!(told.count(|_, e| matches!(e, Event::Emergency { .. })), ended);
}

fn amendments_come_after_what_they_amend_and_by_the_same_person(told: &Told) {
    let by_id: BTreeMap<_, _> = told.bodies.iter().map(|(w, e, event)| (e.id, (*w, e, event))).collect();
    let patients = told.patients();
    for (writer, e, event) in &told.bodies {
        let Event::Amendment(a) = event else { continue };
        let (first_writer, first, _) = by_id[&a.of];
        assert!(first_writer == *writer && first.by == e.by && first.stay == e.stay);
        let after = e.recorded_at - first.recorded_at;
        assert!(after > 0);
        match (&a.action, a.reason) {
            (AmendmentAction::Retract, AmendmentReason::Undo) => {
                assert!(after <= 10_000, "undo stands for ten seconds");
                let again = patients[&e.stay.unwrap()].checks.iter().find(|c| c.at > e.recorded_at).unwrap();
                assert!(again.at - e.recorded_at < 10_000, "the right check follows");
            }
            (AmendmentAction::Retract, _) => assert_eq!(a.reason, AmendmentReason::WrongPatient),
            (_, AmendmentReason::Other) => assert!(!a.words.is_empty()),
            _ => {}
        }
    }
}

fn nobody_who_is_away_or_not_yet_there_is_seen(told: &Told) {
    let patients = told.patients();
    for (_, e, event) in &told.bodies {
        let Some(stay) = e.stay else { continue };
        if let Event::Check(_) | Event::Heard { .. } | Event::CantTell { .. } | Event::Mood(_) = event {
            let patient = &patients[&stay];
            assert!(patient.paused.is_none_or(|from| e.observed_at < from), "{} {}", e.kind, patient.bed);
            assert!(patient.orders[0].0 <= e.observed_at);
        }
    }
    // The admission of these hours has a first check soon after its order, or after what keeps the holder.
    let begin = told.now - HISTORY_MS;
    let arrived = patients.values().find(|p| p.orders[0].0 > begin + HOUR_MS).unwrap();
    assert!(arrived.checks[0].gap_ms < 20 * MINUTE_MS);
}

#[test]
fn at_night_most_are_asleep_and_by_day_most_are_not() {
    for (now, asleep_percent) in [(NOWS[2], 55..95), (NOWS[4], 0..20)] {
        let told = told(7, now);
        let asleep = told.count(|_, e| matches!(e, Event::Check(c) if c.activity.0 == "eyes_closed"));
        let all = told.count(|_, e| matches!(e, Event::Check(_)));
        assert!(asleep_percent.contains(&(asleep * 100 / all)), "{asleep} of {all}");
    }
}
