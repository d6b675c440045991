//! A patient's day: every entry, its gap, and totals that equal the rows.

use crate::ground::*;
use lamplight_domain::kinds::*;
use lamplight_domain::time::{HOUR_MS, day_bounds};
use lamplight_domain::views::{DayRowKind, StripKind};
use lamplight_domain::ward::{self, Viewpoint};

#[test]
fn every_kind_has_its_row_in_plain_words() {
    let (mut ground, stay) = Ground::with_patient(15);
    let mood = Mood {
        source: MoodSource::Patient,
        score: Some(3),
        affect: vec!["flat".into()],
        words: "tired of it".into(),
        harm: Some(HarmTalk::AskedSaidNo),
    };
    let behaviour = Behaviour { what: vec!["threats".into()], words: "at the door".into(), ..Behaviour::default() };
    let emergency = Event::Emergency { what: EmergencyKind::Danger, place: "hallway".into() };
    let cases: Vec<(Event, DayRowKind, &str)> = vec![
        (seen("bedroom", "eyes_closed"), DayRowKind::Check, "Bedroom · breathing seen"),
        (seen("hallway", "shouting"), DayRowKind::Check, "Hallway · shouting, threatening"),
        (seen("attic", "juggling"), DayRowKind::Check, "attic · juggling"),
        (Event::Heard { place: "bathroom_heard".into() }, DayRowKind::Heard, "Bathroom · only heard, not seen"),
        (Event::CantTell { place: "bedroom".into() }, DayRowKind::CantTell, "Bedroom · could not tell"),
        (not_done("fight in 109"), DayRowKind::NotDone, "Not done: emergency elsewhere: fight in 109"),
        (
            Event::Mood(mood),
            DayRowKind::Mood,
            "3 of 10, as the patient said · Flat · “tired of it” · asked about hurting self or others: said no",
        ),
        (Event::Behaviour(behaviour), DayRowKind::Behaviour, "Threats · at the door"),
        (Event::Note { words: "asked for a blanket".into() }, DayRowKind::Note, "asked for a blanket"),
        (Event::Concern { words: "gave away shoes".into() }, DayRowKind::Concern, "gave away shoes"),
        (emergency, DayRowKind::Emergency, "Hurting self, danger now: hallway"),
        (Event::WatchStarted { watcher: JR }, DayRowKind::Watch, "J. Reyes is with the patient from now on"),
        (Event::StayPlaced { bed: "104B".into(), from: None }, DayRowKind::Census, "In bed 104B from now on"),
        (
            Event::Precautions { codes: vec!["fall".into(), "suicide".into()] },
            DayRowKind::Census,
            "Precautions: Suicide, Fall",
        ),
        (Event::StayClosed { reason: "home".into() }, DayRowKind::Census, "Left the hospital: home"),
    ];
    for (i, (event, kind, words)) in cases.into_iter().enumerate() {
        let id = ground.tech(at(i as i64), stay, event);
        let row = ground.row(stay, id, at(100));
        assert_eq!((row.kind, row.words.as_str()), (kind, words));
        assert_eq!((row.by.as_str(), row.by_full.as_str()), ("MO", "M. Okafor, MHT 2304"));
        assert_eq!((row.late_entry.as_str(), row.doubt.as_str(), row.confirmed), ("", "", true));
    }
}

#[test]
fn a_kind_from_the_future_is_shown_and_never_hidden() {
    let (mut ground, stay) = Ground::with_patient(15);
    let id = ground.check(stay, at(0));
    ground.last().body.event = None;
    let row = ground.row(stay, id, at(1));
    assert_eq!(
        (row.kind, row.words.as_str()),
        (DayRowKind::Unknown, "A kind of record that this version does not know")
    );
    assert_eq!((row.gap_minutes, row.may_amend), (None, false));
}

#[test]
fn gaps_are_between_true_times_and_one_may_begin_before_the_day() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(-5));
    let rows: Vec<_> = [9, 27, 42].into_iter().map(|m| ground.check(stay, at(m))).collect();
    let day = ground.day(stay, at(0), at(60), at(60));
    let shown: Vec<_> = rows.iter().map(|id| day.rows.iter().find(|r| r.record == *id).unwrap()).collect();
    let gaps: Vec<_> = shown.iter().map(|r| (r.gap_minutes, r.late)).collect();
    assert_eq!(gaps, [(Some(14), false), (Some(18), true), (Some(15), false)]);
    let totals = &day.totals;
    assert_eq!(
        (totals.checks, totals.gaps, totals.gaps_within_limit, totals.longest_gap_minutes),
        (3, 4, 2, 18),
        "with the one that runs"
    );
    let late: Vec<_> = day.strip.iter().filter(|m| m.what == StripKind::Late).map(|m| (m.from, m.to)).collect();
    assert_eq!(late, [(at(24), at(27)), (at(57), at(60))], "and the gap that runs");
    assert_eq!(day.rows.len(), 3, "what was before is another day's");
}

#[test]
fn a_late_gap_that_no_check_closed_is_counted_and_has_its_row() {
    let one_to_one = |replaces| {
        let (ordered_by, reason) = ("Dr A. Patel".into(), String::new());
        Event::Order(Order { level: one_to_one((1, 1)), ordered_by, reason, until: None, replaces })
    };
    for what in ["pause", "continuous", "ended", "discharged"] {
        let (mut ground, stay) = Ground::with_patient(15);
        let order = ground.records[2].id();
        ground.check(stay, at(0));
        let reason = PauseReason::Court;
        let stop = match what {
            "pause" => Event::PauseStarted(Pause { reason, escort: String::new(), return_by: at(200) }),
            "continuous" => one_to_one(vec![order]),
            "ended" => Event::OrderEnded { of: order, reason: String::new() },
            _ => Event::StayClosed { reason: String::new() },
        };
        let stopped = ground.nurse(at(47), stay, stop);
        let day = ground.day(stay, at(1), at(60), at(60));
        let row = day.rows.iter().find(|r| r.record == stopped).unwrap();
        assert_eq!((row.gap_minutes, row.late), (Some(47), true), "{what}");
        assert!(row.words.contains("not seen for 47 min before it"), "{what}: {}", row.words);
        let totals = &day.totals;
        assert_eq!((totals.gaps, totals.gaps_within_limit, totals.gaps_late), (1, 0, 1), "{what}");
        assert_eq!((totals.longest_gap_minutes, day.remarks.len()), (47, 0), "{what}");
    }
}

#[test]
fn a_gap_that_still_runs_is_counted_where_it_is_late() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    ground.check(stay, at(10));
    let totals = ground.day(stay, at(1), at(22), at(22)).totals;
    assert_eq!((totals.gaps, totals.gaps_within_limit, totals.longest_gap_minutes), (1, 1, 12));
    let day = ground.day(stay, at(1), at(57), at(57));
    let totals = &day.totals;
    assert_eq!((totals.gaps, totals.gaps_within_limit, totals.gaps_late, totals.longest_gap_minutes), (2, 1, 1, 47));
    assert_eq!(day.remarks, ["at 02:57 not seen for 47 min, past the limit"]);
    // Also on a day that is over: it was late at its end.
    ground.check(stay, at(58));
    assert_eq!(ground.day(stay, at(1), at(57), at(60)).totals, day.totals);
}

#[test]
fn what_is_not_provable_is_not_within_the_limit() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    ground.check(stay, at(30));
    ground.last().received_at = Some(at(10));
    let day = ground.day(stay, at(1), at(20), at(20));
    let totals = &day.totals;
    assert_eq!((totals.gaps, totals.gaps_within_limit, totals.gaps_late, totals.not_provable), (1, 0, 0, 1));
    assert_eq!(day.remarks, ["1 gap is not provable: a clock was not certain"]);
}

#[test]
fn what_was_written_later_stands_where_it_stopped_the_clock() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.check(stay, at(0));
    let reason = PauseReason::Court;
    let pause = Event::PauseStarted(Pause { reason, escort: String::new(), return_by: at(200) });
    let paused = ground.write(at(5), Some(stay), pause, |e| (e.by, e.recorded_at) = (Some(SL), at(50)));
    for from in [1, 20] {
        let day = ground.day(stay, at(from), at(60), at(60));
        let row = day.rows.iter().find(|r| r.record == paused).unwrap();
        assert_eq!((row.late_entry.as_str(), row.gap_minutes, row.late), ("written at 02:50", Some(50), true));
        assert!(row.words.ends_with("not seen for 50 min before it was written"), "{}", row.words);
    }
}

#[test]
fn the_last_row_is_there_at_the_moment_it_was_saved() {
    let (mut ground, stay) = Ground::with_patient(15);
    let id = ground.check(stay, at(0));
    assert!(ground.day(stay, at(-60), at(0), at(0)).rows.iter().any(|r| r.record == id));
    assert!(!ground.day(stay, at(-60), at(0), at(1)).rows.iter().any(|r| r.record == id), "half open in the past");
}

#[test]
fn levels_say_from_when_who_and_why() {
    let (mut ground, stay) = Ground::with_patient(30);
    let old = ground.records[2].id();
    ground.level(stay, at(-400), q(15), vec![old]);
    let day = ground.day(stay, at(-700), at(0), at(0));
    let words: Vec<_> = day.levels.iter().map(|l| l.words.as_str()).collect();
    assert_eq!(
        words,
        ["Q30 from 16:00, Dr A. Patel: new leaving risk", "Q15 from 19:20, Dr A. Patel: new leaving risk"]
    );
    assert_eq!((day.levels[0].to, day.levels[1].to), (Some(at(-400)), None));
    assert_eq!(day.levels[1].limit_minutes, Some(15));
    let later = ground.day(stay, at(-100), at(0), at(0));
    assert_eq!(later.levels.len(), 1);
}

#[test]
fn handovers_and_verifications_stand_in_sequence() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.write(at(0), None, Event::HoldingTaken { census_count: 19 }, |_| {});
    ground.write(at(1), None, Event::Verified { note: String::new() }, |e| e.by = Some(SL));
    let words: Vec<_> = ground.day(stay, at(0), at(2), at(2)).rows.into_iter().map(|r| r.words).collect();
    assert_eq!(
        words,
        [
            "M. Okafor took over the observations and counted 19 patients",
            "S. Lindqvist verified the ward's observations"
        ]
    );
}

#[test]
fn handovers_are_those_of_the_ward_where_the_patient_was() {
    let (mut ground, stay) = Ground::with_patient(15);
    ground.write(at(5), Some(stay), Event::StayPlaced { bed: "201".into(), from: None }, |e| e.ward = OTHER_WARD);
    for (minute, ward) in [(0, WARD), (1, OTHER_WARD), (10, WARD), (11, OTHER_WARD)] {
        ground.write(at(minute), None, Event::HoldingTaken { census_count: minute as u16 }, |e| e.ward = ward);
    }
    let rows = ground.day(stay, at(-1), at(20), at(20)).rows;
    let counts: Vec<_> = rows.iter().filter(|r| r.words.contains("took over")).map(|r| r.observed_at).collect();
    assert_eq!(counts, [at(0), at(11)]);
}

#[test]
fn confirmed_means_that_the_server_has_it() {
    let (mut ground, stay) = Ground::with_patient(15);
    let own = ground.check(stay, at(0));
    ground.last().received_at = None;
    let seq = ground.last().seq;
    let others = ground.write(at(1), Some(stay), seen("hallway", "tv"), |e| e.tablet = Some(W2));
    let view = |confirmed| Viewpoint::Tablet {
        tablet: W1,
        online: false,
        last_contact: None,
        confirmed,
        silenced_until: None,
        author: Some(OWN),
        signed_in: Some(MO),
    };
    ground.view = view(seq - 1);
    assert!(!ground.row(stay, own, at(2)).confirmed);
    assert!(ground.row(stay, others, at(2)).confirmed, "it came from the server");
    ground.view = view(seq);
    assert!(ground.row(stay, own, at(2)).confirmed);
    // Filed again by a new author: the numbers of the old one say nothing about the new one's.
    let new = lamplight_domain::ids::AuthorId(uuid::Uuid::from_u128(9));
    let mut again = ground.records.iter().find(|r| r.id() == own).unwrap().clone();
    (again.author, again.seq) = (new, seq + 6);
    ground.records.push(again);
    for (author, confirmed, is_confirmed) in [
        (Some(new), seq + 5, false),
        (Some(new), seq + 6, true),
        (Some(OWN), seq - 1, false),
        (Some(OWN), seq, true),
        (None, 1_000, false),
    ] {
        ground.view = view(confirmed);
        let Viewpoint::Tablet { author: by, .. } = &mut ground.view else { unreachable!() };
        *by = author;
        assert_eq!(ground.row(stay, own, at(2)).confirmed, is_confirmed, "{author:?} {confirmed}");
    }
}

#[test]
fn the_head_of_the_day_is_the_patient() {
    let (ground, stay) = Ground::with_patient(15);
    let (from, to) = day_bounds(at(0).date(chrono_tz::America::New_York), chrono_tz::America::New_York);
    let day = ground.day(stay, from, to, to);
    assert_eq!((day.name.as_str(), day.bed.as_str(), day.mrn.as_str()), ("Garcia, Mateo", "104A", "0044471"));
    assert_eq!((day.born.as_str(), day.demo, day.date.as_str()), ("1991-03-12", true, "Sunday 22 November 2026"));
    let day = ground.day(stay, at(0) - 24 * HOUR_MS, at(0), at(0));
    assert_eq!(day.date, "Saturday 21 November 2026 02:00 to Sunday 22 November 2026 02:00");
    let unknown = ward::day(
        &ground.taken(),
        &ground.roster,
        lamplight_domain::ids::StayId(uuid::Uuid::nil()),
        from,
        to,
        Viewpoint::Station,
        lamplight_domain::time::Now::of_wall(at(0)),
    );
    assert_eq!(unknown.unwrap_err().code, "stay.unknown");
}

#[test]
fn the_pad_has_the_newest_first() {
    let (mut ground, stay) = Ground::with_patient(15);
    for minute in 0..8 {
        ground.check(stay, at(minute * 10));
    }
    let mood = |score| {
        Event::Mood(Mood {
            source: MoodSource::Patient,
            score: Some(score),
            affect: vec![],
            words: String::new(),
            harm: None,
        })
    };
    let first = ground.tech(at(71), stay, mood(3));
    ground.tech(at(72), stay, mood(5));
    let now = lamplight_domain::time::Now::of_wall(at(75));
    let pad = || ward::pad_parts(&ground.taken(), &ground.roster, stay, ground.view, now).unwrap();
    let parts = pad();
    assert_eq!(parts.moods, ["5 at 03:12", "3 at 03:11"]);
    assert_eq!((parts.mrn.as_str(), parts.born.as_str()), ("MRN …4471", "born 1991-03-12"));
    assert_eq!(parts.level, "Q15 since 16:00, Dr A. Patel");
    let clocks: Vec<_> = parts.recent.iter().map(|r| r.clock.as_str()).collect();
    assert_eq!(clocks, ["03:12", "03:11", "03:10", "03:00", "02:50", "02:40"]);
    ground.amend(stay, at(74), first, AmendmentAction::Retract);
    let parts = ward::pad_parts(&ground.taken(), &ground.roster, stay, ground.view, now).unwrap();
    assert_eq!(parts.moods, ["5 at 03:12"]);
}
