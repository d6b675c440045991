//! The demo ward, held against what it promises. Everything is counted here from the records' bytes; only the floor
//! plan is taken from the simulation.

mod board;
mod counted;
mod people;
mod story;

use super::*;
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Body, Envelope};
use std::collections::BTreeMap;

/// Plain days at several hours, both clock-change nights, and a year's end.
pub const NOWS: [Ms; 9] = [
    Ms(1_795_376_820_000), // 2026-11-22 14:47 in New York
    Ms(1_795_333_620_000), // 02:47 that day
    Ms(1_795_348_020_000), // 06:47
    Ms(1_795_349_400_000), // 07:10, just after the day shift came
    Ms(1_795_393_800_000), // 19:30
    Ms(1_793_514_600_000), // 2026-11-01, the second 01:30
    Ms(1_793_541_600_000), // 09:00 on that 25-hour day
    Ms(1_772_953_200_000), // 2026-03-08, 03:00, right after the skipped hour
    Ms(1_798_779_600_000), // 2027-01-01 00:00
];

/// A history, read back from its bytes.
pub struct Told {
    pub people: super::people::People,
    pub now: Ms,
    pub records: Vec<DemoRecord>,
    /// In the order of the records.
    pub bodies: Vec<(Writer, Envelope, Event)>,
}

pub fn told(seed: u64, now: Ms) -> Told {
    let people = super::people::people(seed);
    let records = history(seed, now, &people);
    let bodies = records
        .iter()
        .map(|r| {
            let body = Body::parse(&r.bytes).unwrap();
            (r.writer, body.envelope, body.event.expect("a kind that this program knows"))
        })
        .collect();
    Told { people, now, records, bodies }
}

/// Another seed at each moment.
pub fn everywhere() -> impl Iterator<Item = Told> {
    NOWS.into_iter().zip([1, 42, 7, 3, 19, 2026, 5, 11, 64]).map(|(now, seed)| told(seed, now))
}

#[test]
fn the_same_seed_and_now_give_the_same_bytes() {
    let (a, b) = (ward(7, NOWS[1]), ward(7, NOWS[1]));
    assert_eq!(a.roster, b.roster);
    let logins = |w: &DemoWard| -> Vec<_> {
        w.people.iter().map(|p| (p.staff, p.login.clone(), p.pin.clone(), p.password.clone())).collect()
    };
    assert_eq!(logins(&a), logins(&b));
    let tablets = |w: &DemoWard| -> Vec<_> { w.tablets.iter().map(|t| (t.id, t.name.clone(), t.seed)).collect() };
    assert_eq!(tablets(&a), tablets(&b));
    let records =
        |w: &DemoWard| -> Vec<_> { w.records.iter().map(|r| (r.writer, r.received_at, r.bytes.clone())).collect() };
    assert!(records(&a) == records(&b));
    assert!(a.roster.staff.iter().all(|s| s.pin.is_some()), "everybody can sign in");
}

#[test]
fn another_seed_or_now_gives_another_history() {
    let bytes = |seed, now| -> Vec<Vec<u8>> { told(seed, now).records.into_iter().map(|r| r.bytes).collect() };
    assert!(bytes(7, NOWS[1]) != bytes(8, NOWS[1]));
    assert!(bytes(7, NOWS[1]) != bytes(7, NOWS[1] + 60_000));
    let (a, b) = (super::people::people(7), super::people::people(8));
    assert_ne!(a.roster.facility.id, b.roster.facility.id);
    assert_ne!(a.logins[0].pin, b.logins[0].pin);
}

#[test]
fn records_are_well_formed_everywhere() {
    for told in everywhere() {
        nothing_is_in_the_future_and_every_writer_goes_forward(&told);
        envelopes_say_who_where_and_which_order(&told);
    }
}

fn nothing_is_in_the_future_and_every_writer_goes_forward(told: &Told) {
    let mut last: BTreeMap<Writer, (Ms, Ms)> = BTreeMap::new();
    let mut ids = std::collections::HashSet::new();
    let mut received = Ms(i64::MIN);
    for (record, (writer, e, event)) in told.records.iter().zip(&told.bodies) {
        assert!(e.observed_at <= e.recorded_at && e.recorded_at <= record.received_at, "{e:?}");
        assert!(record.received_at <= told.now, "{e:?}");
        let before = last.insert(*writer, (e.recorded_at, record.received_at));
        assert!(before.is_none_or(|(recorded, got)| recorded <= e.recorded_at && got <= record.received_at));
        assert!(received <= record.received_at);
        received = record.received_at;
        assert!(ids.insert(e.id), "one id a record");
        if let Event::ClockMeasured(c) = event {
            assert!(c.server <= told.now && c.wall == e.recorded_at);
        }
    }
    assert_eq!(last.len(), 4, "the server and three tablets");
}

fn envelopes_say_who_where_and_which_order(told: &Told) {
    let mut orders: BTreeMap<_, _> = BTreeMap::new();
    let mut boots: BTreeMap<_, Ms> = BTreeMap::new();
    let mut by_time: Vec<_> = told.bodies.iter().collect();
    by_time.sort_by_key(|(_, e, _)| e.recorded_at);
    for (writer, e, event) in by_time {
        assert_eq!((e.facility, e.ward), (told.people.roster.facility.id, told.people.ward));
        assert_eq!(
            e.tablet,
            match writer {
                Writer::Server => None,
                Writer::Tablet(id) => Some(*id),
            }
        );
        assert!(e.by.is_some() || matches!(event, Event::ClockMeasured(_)), "{}", e.kind);
        assert!(e.by.is_none_or(|by| told.people.roster.person(by).is_some()));
        if let Event::Check(_) | Event::Heard { .. } | Event::NotDone { .. } = event {
            assert_eq!(e.order, orders.get(&e.stay).copied(), "the order in force");
            assert!(e.order.is_some() && e.list_v == Some(1));
        }
        if let Event::Order(_) = event {
            orders.insert(e.stay, e.id);
        }
        assert_eq!(e.boot_id.is_some(), e.tablet.is_some());
        // Within one boot the two clocks run alike.
        if let (Some(boot), Some(ms)) = (e.boot_id, e.boot_ms) {
            assert!(ms >= 0);
            assert_eq!(*boots.entry(boot).or_insert(e.recorded_at - ms), e.recorded_at - ms);
        }
    }
    assert!(boots.len() >= 3);
}
