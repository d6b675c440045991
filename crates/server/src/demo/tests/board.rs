//! What a screen adds up equals its rows: the domain's board and days against a count over the records made here.

use super::counted::Patient;
use super::*;
use lamplight_domain::ids::{AuthorId, StayId};
use lamplight_domain::record::Record;
use lamplight_domain::time::{HOUR_MS, MINUTE_MS, Now};
use lamplight_domain::views::{Board, CardState, DayRowKind, StripKind};
use lamplight_domain::ward::{self, Viewpoint, WardRecords};
use lamplight_domain::wire::ContactMark;
use uuid::Uuid;

impl Told {
    fn ward_records(&self) -> WardRecords {
        let mut ward = WardRecords::default();
        let mut heads: BTreeMap<Writer, u64> = BTreeMap::new();
        for record in &self.records {
            let seq = heads.entry(record.writer).and_modify(|n| *n += 1).or_insert(1);
            let author = AuthorId(match record.writer {
                Writer::Server => Uuid::from_u128(1),
                Writer::Tablet(id) => id.0,
            });
            assert!(ward.take(Record::parse(&record.bytes, author, *seq, Some(record.received_at)).unwrap()));
        }
        ward
    }

    /// As the station shows it, each tablet last heard with its last record.
    fn board(&self, ward: &WardRecords) -> Board {
        let heard = |tablet| {
            let own = self.records.iter().filter(|r| r.writer == Writer::Tablet(tablet));
            let last = own.clone().map(|r| r.received_at).max();
            ContactMark { tablet, last, confirmed: own.count() as u64 }
        };
        let contacts: Vec<ContactMark> = self.people.tablets.iter().map(|t| heard(t.id)).collect();
        let now = Now::of_wall(self.now);
        ward::board(ward, &self.people.roster, self.people.ward, &contacts, Viewpoint::Station, now)
    }
}

fn state(patient: &Patient, now: Ms) -> CardState {
    let Some(limit) = patient.limit_ms(now) else { return CardState::Watched };
    match limit - (now - patient.gap_from(now)) {
        _ if patient.paused.is_some() => CardState::Paused,
        left if left < 0 => CardState::Overdue,
        left if left * 3 <= limit => CardState::Due,
        _ => CardState::Ok,
    }
}

#[test]
fn what_a_screen_adds_up_equals_its_rows() {
    for told in everywhere() {
        let ward = told.ward_records();
        let board = told.board(&ward);
        the_board_adds_up(&told, &board);
        the_board_says_who_holds_and_what_is_open(&told, &board);
        every_patient_s_day_adds_up(&told, &ward);
    }
}

fn the_board_adds_up(told: &Told, board: &Board) {
    let patients = told.patients();
    assert_eq!(board.cards.len(), 22);
    let states: Vec<CardState> = board.cards.iter().map(|c| state(&patients[&c.stay], told.now)).collect();
    for (card, expected) in board.cards.iter().zip(&states) {
        let patient = &patients[&card.stay];
        assert_eq!((card.state, &card.bed), (*expected, &patient.bed), "{}", card.words);
        let last = patient.checks.last().map(|c| c.at);
        assert_eq!(card.last_seen.as_ref().map(|l| l.at), last, "{}", card.bed);
        assert_eq!(card.level_unacknowledged, None);
        assert!(!card.level_conflict && !card.not_done_twice);
        let marks = card.strip.iter().filter(|m| m.what == StripKind::Check).count();
        let checks = patient.checks.iter().filter(|c| c.at >= told.now - 4 * HOUR_MS).count();
        assert_eq!(marks, checks, "{}", card.bed);
    }
    let count = |state: CardState| states.iter().filter(|s| **s == state).count() as u32;
    assert_eq!((board.overdue, board.due, board.not_known), (count(CardState::Overdue), count(CardState::Due), 0));
    assert_eq!((count(CardState::Paused), count(CardState::Watched)), (2, 1));
    assert!((1..=2).contains(&board.overdue));
    assert_eq!(board.cards.iter().filter(|c| c.similar_name).count(), 2);
    assert!(board.cards.windows(2).all(|w| w[0].bed < w[1].bed), "walking order");
    assert_eq!(board.round_of, 19);
}

fn the_board_says_who_holds_and_what_is_open(told: &Told, board: &Board) {
    let taken = told.bodies.iter().filter(|(_, _, e)| matches!(e, Event::HoldingTaken { .. }));
    let (_, last, _) = taken.max_by_key(|(_, e, _)| e.recorded_at).unwrap();
    let holder = board.holder.as_ref().unwrap();
    assert_eq!((Some(holder.staff), holder.since, holder.too_long), (last.by, last.recorded_at, false));
    assert_eq!((board.concerns.len(), board.emergencies.len()), (1, 0));
    assert!(!board.verification.overdue);
    assert!(board.demo && board.next.is_some());
    assert!(board.contacts.len() == 3 && board.contacts.iter().all(|c| !c.silent));
}

fn every_patient_s_day_adds_up(told: &Told, ward: &WardRecords) {
    let retracted = told.retracted();
    let (from, to) = (told.now - HISTORY_MS - HOUR_MS, told.now + 1);
    for (stay, patient) in told.patients() {
        let day = day(told, ward, stay, from, to);
        let of_stay = |test: &dyn Fn(&Envelope, &Event) -> bool| {
            let mine = |(_, e, event): &&(Writer, Envelope, Event)| {
                e.stay == Some(stay) && e.observed_at >= from && test(e, event)
            };
            told.bodies.iter().filter(mine).count() as u32
        };
        let totals = &day.totals;
        assert_eq!(totals.checks, patient.checks.len() as u32, "{}", patient.bed);
        assert_eq!(totals.not_done, of_stay(&|_, e| matches!(e, Event::NotDone { .. })));
        let tried = of_stay(&|_, e| matches!(e, Event::Heard { .. } | Event::CantTell { .. }));
        assert_eq!(totals.heard_or_cant_tell, tried);
        assert_eq!(totals.retracted, of_stay(&|e, _| retracted.contains(&e.id)));
        assert_eq!(totals.late_entries, of_stay(&|e, _| e.is_late_entry()));
        // A continuous level has a person instead of a limit.
        if patient.orders.iter().all(|(_, limit)| limit.is_some()) {
            let in_time = patient.checks.iter().filter(|c| !c.late).count() as u32;
            // A pause ends a gap too, and one that runs past its limit is none that a check closed.
            let paused = of_stay(&|_, e| matches!(e, Event::PauseStarted(_)));
            let paused_late = day.rows.iter().filter(|r| r.kind == DayRowKind::Pause && r.late).count() as u32;
            let running = day.remarks.len() as u32;
            assert_eq!(totals.gaps, patient.checks.len() as u32 + paused + running, "{}", patient.bed);
            assert_eq!(totals.gaps_within_limit, in_time + paused - paused_late, "{}", patient.bed);
            let longest = patient.checks.iter().map(|c| (c.gap_ms / MINUTE_MS) as u32).max().unwrap_or(0);
            assert!(totals.longest_gap_minutes >= longest, "{}", patient.bed);
        }
        // What is seen of the day is what was written of it: every check, also the retracted, as a row.
        let rows = day.rows.iter().filter(|r| r.kind == DayRowKind::Check).count() as u32;
        assert_eq!(rows, of_stay(&|_, e| matches!(e, Event::Check(_))));
        assert!(day.rows.iter().all(|r| r.doubt.is_empty()), "the demo's clocks are right");
    }
}

fn day(told: &Told, ward: &WardRecords, stay: StayId, from: Ms, to: Ms) -> lamplight_domain::views::PatientDay {
    let now = Now::of_wall(told.now);
    ward::day(ward, &told.people.roster, stay, from, to, Viewpoint::Station, now).unwrap()
}
