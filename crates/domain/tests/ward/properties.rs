//! What must hold of every history.

use crate::ground::*;
use lamplight_domain::ids::{AuthorId, StayId};
use lamplight_domain::kinds::*;
use lamplight_domain::record::Record;
use lamplight_domain::time::{Clocks, MINUTE_MS, Ms, Now, SECOND_MS, ServerTime};
use lamplight_domain::views::{CardState, DayRowKind, StripKind};
use lamplight_domain::ward::{self, Viewpoint};
use proptest::prelude::*;
use uuid::Uuid;

/// How long a random night is, in seconds.
const NIGHT_S: i64 = 3 * 60 * 60;

#[derive(Clone, Debug)]
enum Act {
    Check {
        by_other: bool,
    },
    /// On a tablet whose wall clock stands elsewhere; its boot clock is right.
    SkewedCheck {
        skew_seconds: i64,
    },
    LateCheck {
        seconds_ago: i64,
    },
    Heard,
    CantTell,
    NotDone,
    Note,
    Concern,
    /// Takes back, corrects or adds to an earlier record.
    Amend {
        which: prop::sample::Index,
        how: u8,
    },
    Order {
        limit: u16,
        replaces: bool,
    },
    EndOrder {
        which: prop::sample::Index,
    },
    Pause,
    EndPause {
        which: prop::sample::Index,
    },
    Watch,
    Continuous,
    /// Written down now; the nurse gives an earlier time.
    Afterwards {
        seconds_ago: i64,
        what: Afterwards,
    },
}

#[derive(Clone, Copy, Debug)]
enum Afterwards {
    Pause,
    Back,
    Lowered,
    Continuous,
    Ended,
    Discharged,
}

fn afterwards() -> impl Strategy<Value = Afterwards> {
    use Afterwards::{Back, Continuous, Discharged, Ended, Lowered, Pause};
    prop::sample::select(vec![Pause, Back, Lowered, Continuous, Ended, Discharged])
}

/// A nurse writes at `when` what happened `seconds_ago`.
fn write_afterwards(ground: &mut Ground, stay: StayId, when: Ms, seconds_ago: i64, what: Afterwards) {
    let of_stay = ground.records.iter().filter(|r| r.body.envelope.stay == Some(stay));
    let all =
        |is: fn(&Event) -> bool| of_stay.clone().filter(move |r| r.body.event.as_ref().is_some_and(is)).map(Record::id);
    let orders: Vec<_> = all(|e| matches!(e, Event::Order(_))).collect();
    let pauses: Vec<_> = all(|e| matches!(e, Event::PauseStarted(_))).collect();
    let order = |level| {
        let (ordered_by, reason) = ("Dr A. Patel".into(), String::new());
        Event::Order(Order { level, ordered_by, reason, until: None, replaces: orders.clone() })
    };
    let reason = PauseReason::EmergencyDepartment;
    let event = match what {
        Afterwards::Pause => Event::PauseStarted(Pause { reason, escort: String::new(), return_by: end() }),
        Afterwards::Back => match pauses.last() {
            Some(of) => Event::PauseEnded { of: *of },
            None => return,
        },
        Afterwards::Lowered => order(q(60)),
        Afterwards::Continuous => order(one_to_one((1, 1))),
        Afterwards::Ended => Event::OrderEnded { of: *orders.last().unwrap(), reason: String::new() },
        Afterwards::Discharged => Event::StayClosed { reason: String::new() },
    };
    ground.write(when - seconds_ago * SECOND_MS, Some(stay), event, |e| {
        (e.by, e.tablet, e.recorded_at) = (Some(SL), None, when);
    });
}

fn act() -> impl Strategy<Value = Act> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        8 => any::<bool>().prop_map(|by_other| Act::Check { by_other }),
        3 => prop_oneof![-20..20i64, -20_000..20_000i64].prop_map(|skew_seconds| Act::SkewedCheck { skew_seconds }),
        2 => (1..3_000i64).prop_map(|seconds_ago| Act::LateCheck { seconds_ago }),
        1 => Just(Act::Heard),
        1 => Just(Act::CantTell),
        2 => Just(Act::NotDone),
        1 => Just(Act::Note),
        1 => Just(Act::Concern),
        4 => (index(), 0..3u8).prop_map(|(which, how)| Act::Amend { which, how }),
        2 => (prop::sample::select(vec![5u16, 15, 30, 60]), any::<bool>()).prop_map(|(limit, replaces)| Act::Order { limit, replaces }),
        1 => index().prop_map(|which| Act::EndOrder { which }),
        1 => Just(Act::Pause),
        1 => index().prop_map(|which| Act::EndPause { which }),
        1 => Just(Act::Watch),
        1 => Just(Act::Continuous),
        2 => (1..6_000i64, afterwards()).prop_map(|(seconds_ago, what)| Act::Afterwards { seconds_ago, what }),
    ]
}

/// A night of one or two patients; every act at its own second.
fn history() -> impl Strategy<Value = Vec<(i64, bool, Act)>> {
    prop::collection::vec((0..NIGHT_S, any::<bool>(), act()), 0..40)
}

fn play(acts: &[(i64, bool, Act)]) -> (Ground, [StayId; 2]) {
    let (mut ground, one) = Ground::with_patient(15);
    let two = ground.admit("Garcia", "Ana", "104B", at(-600));
    ground.order(two, at(-600), 30);
    let mut acts: Vec<_> = acts.to_vec();
    acts.sort_by_key(|(second, ..)| *second);
    for (second, first, act) in acts {
        let (when, stay) = (at(0) + second * SECOND_MS, if first { one } else { two });
        let of_kind = |ground: &Ground, which: prop::sample::Index, is: fn(&Event) -> bool| {
            let held = ground.records.iter().filter(|r| r.body.envelope.stay == Some(stay));
            let meant: Vec<_> = held.filter(|r| r.body.event.as_ref().is_some_and(is)).map(Record::id).collect();
            if meant.is_empty() { None } else { Some(*which.get(&meant)) }
        };
        match act {
            Act::Check { by_other } => {
                ground.write(when, Some(stay), seen("hallway", "tv"), |e| {
                    if by_other {
                        e.tablet = Some(W2);
                        e.by = Some(JR);
                    }
                });
            }
            Act::SkewedCheck { skew_seconds } => {
                let wall = when + skew_seconds * SECOND_MS;
                ground.write(wall, Some(stay), seen("hallway", "tv"), |e| {
                    e.boot_id = Some(BOOT);
                    e.boot_ms = Some(booted(when));
                });
                // Some wait for the station, the others were there a minute later.
                ground.last().received_at = (second % 2 == 0).then_some(when + MINUTE_MS);
            }
            Act::LateCheck { seconds_ago } => {
                ground
                    .write(when - seconds_ago * SECOND_MS, Some(stay), seen("hallway", "tv"), |e| e.recorded_at = when);
            }
            Act::Heard => drop(ground.tech(when, stay, Event::Heard { place: "bathroom_heard".into() })),
            Act::CantTell => drop(ground.tech(when, stay, Event::CantTell { place: "bedroom".into() })),
            Act::NotDone => drop(ground.tech(when, stay, not_done(""))),
            Act::Note => drop(ground.tech(when, stay, Event::Note { words: "x".into() })),
            Act::Concern => drop(ground.tech(when, stay, Event::Concern { words: "x".into() })),
            Act::Amend { which, how } => {
                let is = |e: &Event| !matches!(e, Event::Order(_));
                if let Some(of) = of_kind(&ground, which, is) {
                    let (place, activity) = ("bedroom".into(), "eyes_closed".into());
                    let action = match how {
                        0 => AmendmentAction::Retract,
                        1 => AmendmentAction::CorrectCheck { place, activity },
                        _ => AmendmentAction::Add { words: "more".into() },
                    };
                    ground.amend(stay, when, of, action);
                }
            }
            Act::Order { limit, replaces } => {
                let all = ground.records.iter().filter(|r| r.body.envelope.stay == Some(stay));
                let orders = all.filter(|r| matches!(r.body.event, Some(Event::Order(_)))).map(Record::id);
                let replaces = if replaces { orders.collect() } else { vec![] };
                ground.level(stay, when, q(limit), replaces);
            }
            Act::EndOrder { which } => {
                if let Some(of) = of_kind(&ground, which, |e| matches!(e, Event::Order(_))) {
                    ground.nurse(when, stay, Event::OrderEnded { of, reason: String::new() });
                }
            }
            Act::Pause => {
                let reason = PauseReason::Court;
                let pause = Pause { reason, escort: String::new(), return_by: when + 30 * MINUTE_MS };
                ground.nurse(when, stay, Event::PauseStarted(pause));
            }
            Act::EndPause { which } => {
                if let Some(of) = of_kind(&ground, which, |e| matches!(e, Event::PauseStarted(_))) {
                    ground.nurse(when, stay, Event::PauseEnded { of });
                }
            }
            Act::Watch => drop(ground.tech(when, stay, Event::WatchStarted { watcher: JR })),
            Act::Continuous => drop(ground.level(stay, when, one_to_one((1, 1)), vec![])),
            // A discharged patient is on no board, and these tests look at boards.
            Act::Afterwards { what: Afterwards::Discharged, .. } => {}
            Act::Afterwards { seconds_ago, what } => write_afterwards(&mut ground, stay, when, seconds_ago, what),
        }
    }
    (ground, [one, two])
}

const BOOT: Uuid = Uuid::from_u128(0xB007);

/// This tablet's boot clock.
fn booted(when: Ms) -> i64 {
    when - at(-1_000)
}

/// Looks from the station, and from the tablet whose wall clock may be anywhere.
fn looks(now: Ms) -> [(Viewpoint, Now); 2] {
    let clocks = Clocks { wall: now + 7 * MINUTE_MS, boot_id: BOOT, boot_ms: booted(now) };
    let server = ServerTime { server: now, boot_id: BOOT, boot_ms: booted(now) };
    let own = Viewpoint::Tablet {
        tablet: W1,
        online: true,
        last_contact: Some(now),
        confirmed: 20,
        silenced_until: None,
        author: Some(OWN),
        signed_in: Some(MO),
    };
    [(Viewpoint::Station, Now::of_wall(now)), (own, Now { clocks, server: Some(server) })]
}

fn end() -> Ms {
    at(0) + NIGHT_S * SECOND_MS
}

/// The ends of every clock and calendar, and anything between.
fn wild_time() -> impl Strategy<Value = Ms> {
    prop_oneof![
        Just(Ms(i64::MIN)),
        Just(Ms(i64::MAX)),
        Just(Ms(0)),
        Just(Ms(chrono::DateTime::<chrono::Utc>::MIN_UTC.timestamp_millis())),
        Just(Ms(chrono::DateTime::<chrono::Utc>::MAX_UTC.timestamp_millis())),
        any::<i64>().prop_map(Ms),
        (-100_000i64..100_000).prop_map(|ms| end() + ms),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// A union of sets: neither the order in which records arrive nor how often says anything.
    #[test]
    fn any_order_with_repeats_gives_the_same_board_and_day(
        acts in history(),
        shuffled in any::<prop::sample::Index>().prop_map(|i| i.index(usize::MAX) as u64),
        unreceived in any::<u64>(),
    ) {
        let (mut ground, stays) = play(&acts);
        let mut records = ground.records.clone();
        // One id with other bytes, too.
        if let Some(check) = records.iter().rev().find(|r| matches!(r.body.event, Some(Event::Check(_)))).cloned() {
            records.push(other_bytes(&check, check.body.envelope.observed_at - 90 * SECOND_MS));
        }
        // A small mixer of its own: the shuffle must not depend on proptest's inner workings.
        let mut state = shuffled | 1;
        let mut next = |n: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % n.max(1)
        };
        // The same bodies again: as their author holds them, without a receipt; from another feed; filed once more
        // by another author.
        for i in 0..records.len() {
            let mut again = records[next(records.len())].clone();
            if unreceived & (1 << (i % 64)) != 0 {
                again.received_at = None;
            } else {
                again.received_at = again.received_at.map(|at| at + (next(240) as i64 - 120) * SECOND_MS);
                again.author = AuthorId(Uuid::from_u128(6 + next(3) as u128));
                again.seq = next(50) as u64;
            }
            records.push(again);
        }
        let expected = taken(records.iter().cloned());
        let mut mixed = records.clone();
        mixed.extend((0..records.len() / 3).map(|_| records[next(records.len())].clone()));
        for i in (1..mixed.len()).rev() {
            mixed.swap(i, next(i + 1));
        }
        let other = taken(mixed);
        prop_assert_eq!(other.len(), expected.len());
        for (view, now) in looks(end()) {
            ground.view = view;
            prop_assert_eq!(ground.board_of(&other, now), ground.board_of(&expected, now));
            for stay in stays {
                let day = |records| ward::day(records, &ground.roster, stay, at(-5), end(), ground.view, now).unwrap();
                prop_assert_eq!(day(&other), day(&expected));
                prop_assert_eq!(other.order_in_force(stay), expected.order_in_force(stay));
            }
        }
    }

    /// The index finds what a look at every record finds: the newest check that holds, by the time it counts from.
    #[test]
    fn the_last_check_is_the_newest_of_all(acts in history()) {
        let (mut ground, stays) = play(&acts);
        for (view, now) in looks(end()) {
            ground.view = view;
            let records = ground.taken();
            let counts_from = |r: &Record| {
                let e = &r.body.envelope;
                let at_most = r.received_at.map_or(e.observed_at, |received| received.min(e.observed_at));
                let by_boot = (e.boot_id == Some(now.clocks.boot_id))
                    .then(|| now.best() - (now.clocks.boot_ms - e.boot_ms.unwrap()))
                    .map(|t| if (t - e.observed_at).abs() <= 5_000 { e.observed_at } else { t });
                by_boot.unwrap_or(at_most).min(now.best())
            };
            let retracted = |r: &Record| ground.records.iter().any(|a| match &a.body.event {
                Some(Event::Amendment(a)) => a.of == r.id() && a.action == AmendmentAction::Retract,
                _ => false,
            });
            for stay in stays {
                let of_stay = ground.records.iter().filter(|r| r.body.envelope.stay == Some(stay));
                let counted = of_stay.filter(|r| matches!(r.body.event, Some(Event::Check(_))) && !retracted(r))
                    .filter(|r| r.body.envelope.observed_at == r.body.envelope.recorded_at)
                    .filter(|r| r.received_at.is_some() || r.body.envelope.boot_id == Some(now.clocks.boot_id) || r.body.envelope.observed_at - now.best() <= 5_000);
                let expected = counted.map(counts_from).max();
                let board = ground.board_of(&records, now);
                let card = board.cards.iter().find(|c| c.stay == stay).unwrap();
                let found = card.last_seen.as_ref().map(|l| ground.records.iter().find(|r| r.id() == l.record).unwrap());
                prop_assert_eq!(found.map(counts_from), expected);
            }
        }
    }

    #[test]
    fn a_retraction_gives_back_the_due_time_before_the_check(acts in history(), later in 1..600i64) {
        let (mut ground, [stay, _]) = play(&acts);
        let now = end() + later * SECOND_MS;
        let before = ground.card(stay, now);
        let check = ground.check(stay, end());
        ground.amend(stay, now, check, AmendmentAction::Retract);
        let after = ground.card(stay, now);
        prop_assert_eq!((after.due_at, after.state, after.last_seen), (before.due_at, before.state, before.last_seen));
    }

    /// Whatever is no check moves no due time, and corrections neither.
    #[test]
    fn only_checks_move_a_due_time(acts in history(), which in any::<prop::sample::Index>(), what in 0..7u8) {
        let (mut ground, [stay, _]) = play(&acts);
        let now = end() + MINUTE_MS;
        let before = ground.card(stay, now);
        let checks: Vec<_> = ground.records.iter().filter(|r| matches!(r.body.event, Some(Event::Check(_)))).map(Record::id).collect();
        let event = match what {
            0 => Event::Heard { place: "bathroom_heard".into() },
            1 => Event::CantTell { place: "bedroom".into() },
            2 => not_done(""),
            3 => Event::Note { words: "x".into() },
            4 => Event::Concern { words: "x".into() },
            5 if !checks.is_empty() => {
                let (of, reason) = (*which.get(&checks), AmendmentReason::MisTap);
                let action = AmendmentAction::CorrectCheck { place: "bedroom".into(), activity: "tv".into() };
                Event::Amendment(Amendment { of, action, reason, words: String::new() })
            }
            _ => {
                ground.write(end() - 1, Some(stay), seen("hallway", "tv"), |e| e.recorded_at = end());
                Event::Note { words: "x".into() }
            }
        };
        ground.tech(end(), stay, event);
        let after = ground.card(stay, now);
        prop_assert_eq!((after.due_at, after.state, after.left_percent), (before.due_at, before.state, before.left_percent));
    }

    /// Late stays late: no later correction and no later order takes a row's lateness away.
    #[test]
    fn late_stays_late(acts in history(), limit in prop::sample::select(vec![5u16, 15, 30, 60])) {
        let (mut ground, [stay, _]) = play(&acts);
        let late = |ground: &Ground| -> Vec<_> {
            let rows = ground.day(stay, at(-5), end() + MINUTE_MS, end() + MINUTE_MS).rows;
            rows.into_iter().filter(|r| r.late).map(|r| (r.record, r.gap_minutes)).collect()
        };
        let before = late(&ground);
        for (of, _) in before.clone() {
            let action = AmendmentAction::CorrectCheck { place: "bedroom".into(), activity: "tv".into() };
            ground.amend(stay, end(), of, action);
        }
        let all: Vec<_> = ground.records.iter().filter(|r| matches!(r.body.event, Some(Event::Order(_)))).map(Record::id).collect();
        ground.level(stay, end(), q(limit), all);
        for row in before {
            prop_assert!(late(&ground).contains(&row), "{row:?}");
        }
    }

    /// No time that is given afterwards takes late minutes back: what had been past the limit when it was written down
    /// stays so on the strip.
    #[test]
    fn late_minutes_stay_late(
        acts in history(),
        later in prop::collection::vec((1..10_000i64, afterwards()), 1..4),
    ) {
        let (mut ground, [stay, _]) = play(&acts);
        let now = end() + MINUTE_MS;
        let late = |ground: &Ground| -> Vec<(Ms, Ms)> {
            let strip = ground.day(stay, at(-60), end(), now).strip;
            strip.into_iter().filter(|m| m.what == StripKind::Late).map(|m| (m.from, m.to)).collect()
        };
        let before = late(&ground);
        for (i, (seconds_ago, what)) in later.into_iter().enumerate() {
            write_afterwards(&mut ground, stay, end() + i as i64, seconds_ago, what);
            let after = late(&ground);
            for (from, to) in &before {
                // Bars that follow each other without a gap cover it too.
                let mut covered = *from;
                for (start, end) in after.iter().filter(|(_, end)| end > from) {
                    if *start <= covered {
                        covered = covered.max(*end);
                    }
                }
                prop_assert!(covered >= *to, "{what:?}: {before:?} became {after:?}");
            }
        }
    }

    #[test]
    fn totals_are_those_of_the_rows(acts in history(), from in -100..100i64) {
        let (ground, stays) = play(&acts);
        for stay in stays {
            let day = ground.day(stay, at(from), end(), end());
            let (rows, totals) = (&day.rows, &day.totals);
            let holds = |r: &&lamplight_domain::views::DayRow| r.retracted.is_empty();
            let gaps: Vec<_> = rows.iter().filter(|r| r.gap_minutes.is_some()).collect();
            let running = u32::from(day.remarks.iter().any(|r| r.ends_with("past the limit")));
            prop_assert_eq!(totals.gaps as usize, gaps.len() + running as usize);
            prop_assert_eq!(totals.gaps_late as usize, gaps.iter().filter(|r| r.late).count() + running as usize);
            let doubtful = gaps.iter().filter(|r| !r.late && r.doubt.contains("gap not provable")).count();
            prop_assert_eq!(totals.not_provable as usize, doubtful);
            prop_assert_eq!(totals.gaps, totals.gaps_within_limit + totals.gaps_late + totals.not_provable);
            prop_assert!(totals.longest_gap_minutes >= gaps.iter().filter_map(|r| r.gap_minutes).max().unwrap_or(0));
            let of = |kind| rows.iter().filter(holds).filter(|r| r.kind == kind).count() as u32;
            prop_assert_eq!(totals.not_done, of(DayRowKind::NotDone));
            prop_assert_eq!(totals.heard_or_cant_tell, of(DayRowKind::Heard) + of(DayRowKind::CantTell));
            let late_entries = rows.iter().filter(holds).filter(|r| !r.late_entry.is_empty());
            prop_assert_eq!(totals.late_entries as usize, late_entries.clone().count());
            let late_checks = late_entries.filter(|r| r.kind == DayRowKind::Check).count() as u32;
            prop_assert_eq!(totals.checks + late_checks, of(DayRowKind::Check));
            for row in rows.iter().filter(|r| r.gap_minutes.is_some() && r.kind == DayRowKind::Check) {
                prop_assert!(row.retracted.is_empty() && row.late_entry.is_empty(), "{:?}", row);
            }
        }
    }

    /// Each late gap is on the strip and each late bar in the totals: bars belong to one gap until a check is seen or
    /// the clock stops. A stretch counts the gaps that end in it, also one whose bar lies before it, and shows its part
    /// of the bars.
    #[test]
    fn late_gaps_are_those_of_the_strip(acts in history(), from in -100..100i64) {
        let (ground, stays) = play(&acts);
        for stay in stays {
            // No act falls on this millisecond.
            let from = at(from) + 1;
            let day = ground.day(stay, from, end(), end());
            let whole = ground.day(stay, at(-700), end(), end());
            let marks = |what: StripKind| whole.strip.iter().filter(move |m| m.what == what);
            let limits: Vec<_> = whole.levels.iter().map(|l| (l.from, l.to, l.limit_minutes)).collect();
            let without = limits.iter().filter(|(.., limit)| limit.is_none()).map(|(from, ..)| *from);
            let lapsed = limits.iter().filter_map(|(_, to, _)| *to).filter(|to| limits.iter().all(|(from, ..)| from != to));
            let ends: std::collections::BTreeSet<Ms> = marks(StripKind::Check)
                .chain(marks(StripKind::Pause))
                .map(|m| m.from)
                .chain(without)
                .chain(lapsed)
                .collect();
            let gaps: std::collections::BTreeSet<Option<Ms>> = marks(StripKind::Late)
                .map(|bar| ends.range(bar.to..).next().copied())
                .filter(|ended| ended.is_none_or(|ended| ended >= from))
                .collect();
            prop_assert_eq!(day.totals.gaps_late as usize, gaps.len(), "{:?} {:?}", whole.strip, day.rows);
            let shown: Vec<_> = day.strip.iter().filter(|m| m.what == StripKind::Late).map(|m| (m.from, m.to)).collect();
            let part: Vec<_> = marks(StripKind::Late).filter(|m| m.to > from).map(|m| (m.from.max(from), m.to)).collect();
            prop_assert_eq!(shown, part);
        }
    }

    /// What a row says of its gap does not depend on where the day that shows it begins.
    #[test]
    fn a_row_says_the_same_in_every_stretch(acts in history(), from in -100..150i64) {
        let (ground, stays) = play(&acts);
        for stay in stays {
            let whole = ground.day(stay, at(-700), end(), end()).rows;
            for row in ground.day(stay, at(from), end(), end()).rows {
                let same = |r: &&lamplight_domain::views::DayRow| r.record == row.record && r.observed_at == row.observed_at;
                prop_assert_eq!(Some(&row), whole.iter().find(same));
            }
        }
    }

    /// Whatever times a body claims, a board and a day are made.
    #[test]
    fn no_time_makes_a_board_or_a_day_impossible(acts in history(), wild in prop::collection::vec((any::<prop::sample::Index>(), 0..6u8, wild_time()), 1..6)) {
        let (mut ground, stays) = play(&acts);
        for (which, field, time) in wild {
            let at = which.index(ground.records.len());
            let record = &mut ground.records[at];
            let envelope = &mut record.body.envelope;
            match field {
                0 => envelope.observed_at = time,
                1 => (envelope.observed_at, envelope.recorded_at) = (time, time),
                2 => envelope.recorded_at = time,
                3 => envelope.boot_ms = Some(time.0),
                4 => record.received_at = None,
                _ => match &mut record.body.event {
                    Some(Event::PauseStarted(pause)) => pause.return_by = time,
                    Some(Event::Order(order)) => order.until = Some(time),
                    _ => record.body.event = Some(Event::ClockMeasured(ClockMeasured { server: time, wall: Ms(0), round_trip_ms: 0 })),
                },
            }
        }
        for (view, now) in looks(end()) {
            ground.view = view;
            let records = ground.taken();
            ground.board_of(&records, now);
            ward::locked(&records, &ground.roster, WARD, &[], view, now, 1);
            for stay in stays {
                let _ = ward::day(&records, &ground.roster, stay, at(-5), end(), view, now);
                let _ = ward::pad_parts(&records, &ground.roster, stay, view, now);
            }
        }
    }

    /// Plain gaps, worked out a second time without the ward's own reckoning: one order, only checks.
    #[test]
    fn gaps_are_the_differences_of_neighbours(mut seconds in prop::collection::btree_set(0..NIGHT_S, 1..30)) {
        seconds.insert(0);
        let (mut ground, stay) = Ground::with_patient(15);
        ground.check(stay, at(0) - 1);
        for second in &seconds {
            ground.check(stay, at(0) + second * SECOND_MS);
        }
        let seconds: Vec<_> = seconds.into_iter().collect();
        let expected: Vec<_> = seconds.windows(2).map(|w| (Some(((w[1] - w[0]) / 60) as u32), w[1] - w[0] > 15 * 60)).collect();
        let rows = ground.day(stay, at(0) + 1, end(), end()).rows;
        let shown: Vec<_> = rows.iter().map(|r| (r.gap_minutes, r.late)).collect();
        prop_assert_eq!(shown, expected);
    }

    /// The state goes by the limit to the millisecond, for every limit.
    #[test]
    fn states_change_at_the_limit(limit in 1..240u16, past in -2..3i64) {
        let (mut ground, stay) = Ground::with_patient(limit);
        ground.check(stay, at(0));
        let limit_ms = i64::from(limit) * MINUTE_MS;
        let card = ground.card(stay, at(0) + limit_ms + past);
        prop_assert_eq!(card.due_at, Some(at(0) + limit_ms));
        prop_assert_eq!(card.state, if past > 0 { CardState::Overdue } else { CardState::Due });
        let third = at(0) + (limit_ms * 2 + 2) / 3;
        prop_assert_eq!(ground.card(stay, third).state, CardState::Due);
        prop_assert_eq!(ground.card(stay, third - 2).state, CardState::Ok);
    }

    #[test]
    fn of_orders_that_overlap_the_strictest_holds(limits in prop::collection::vec(1..240u16, 1..6)) {
        let (mut ground, stay) = Ground::with_patient(240);
        for (i, limit) in limits.iter().enumerate() {
            ground.order(stay, at(i as i64 - 100), *limit);
        }
        ground.check(stay, at(0));
        let strictest = i64::from(*limits.iter().min().unwrap());
        let card = ground.card(stay, at(0));
        prop_assert_eq!(card.due_at, Some(at(strictest)));
        prop_assert!(card.level_conflict);
    }
}
