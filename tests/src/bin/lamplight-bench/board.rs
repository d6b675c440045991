//! The board of 60 patients over 30 days of records, and over one: it must not grow with what lies behind it.

use crate::table::Measure;
use lamplight_domain::chain::Hash;
use lamplight_domain::ids::{AuthorId, FacilityId, PatientId, RecordId, StaffId, StayId, WardId};
use lamplight_domain::kinds::{Check, Event, Order, StayOpened};
use lamplight_domain::level::Level;
use lamplight_domain::record::{Auth, Body, Envelope, Record};
use lamplight_domain::roster::{Bed, Facility, Lists, Roster, Settings, Ward};
use lamplight_domain::time::{HOUR_MS, MINUTE_MS, Ms, Now};
use lamplight_domain::ward::{Viewpoint, WardRecords, board};
use lamplight_tests::sim::load::percentile;
use std::time::Instant;
use uuid::Uuid;

const PATIENTS: u128 = 60;
const GOAL_MS: f64 = 16.0;
const TURNS: usize = 200;
const NOW: Ms = Ms(1_790_000_000_000);

pub fn measure() -> Vec<Measure> {
    let day = one(1);
    let month = one(30);
    vec![
        Measure::new("board of 60 patients over 30 days, p50", month.0, "ms")
            .beside(day.0, "the same board over one day")
            .goal(GOAL_MS)
            .note(format!("{} records; over one day {}; worst {:.2} ms", month.2, day.2, month.1)),
    ]
}

/// (p50 ms, slowest ms, records) of a ward with this many days behind it.
fn one(days: i64) -> (f64, f64, usize) {
    let roster = roster();
    let mut records = WardRecords::default();
    let mut taken = 0;
    for patient in 0..PATIENTS {
        for record in of_patient(patient, days) {
            taken += usize::from(records.take(record));
        }
    }
    let mut times = Vec::new();
    for n in 0..TURNS {
        let now = Now::of_wall(NOW + n as i64 * 1_000);
        let begun = Instant::now();
        let shown = board(&records, &roster, ward(), &[], Viewpoint::Station, now);
        times.push(begun.elapsed());
        assert_eq!(shown.cards.len() as u128, PATIENTS);
    }
    (percentile(&mut times, 50), percentile(&mut times, 100), taken)
}

fn ward() -> WardId {
    WardId(Uuid::from_u128(2))
}

fn roster() -> Roster {
    let beds = (0..PATIENTS).map(|n| Bed { label: format!("{}", 100 + n), room: format!("{n}"), area: "East".into() });
    let none = Lists { version: 1, ..Lists::default() };
    Roster {
        version: 1,
        facility: Facility {
            id: FacilityId(Uuid::from_u128(1)),
            name: "Bench".into(),
            zone: chrono_tz::America::New_York,
            demo: true,
        },
        wards: vec![Ward { id: ward(), name: "Willow".into(), beds: beds.collect() }],
        staff: vec![],
        tablets: vec![],
        lists: none,
        settings: Settings::default(),
    }
}

/// An admission, a bed, a Q15 order, and a check every 14 minutes since.
fn of_patient(patient: u128, days: i64) -> Vec<Record> {
    let stay = StayId(Uuid::from_u128((3 << 96) + patient));
    let begun = NOW - days * 24 * HOUR_MS;
    let opened = Event::StayOpened(StayOpened {
        patient: PatientId(Uuid::from_u128((7 << 96) + patient)),
        mrn: format!("{patient:06}"),
        family: format!("Family{patient}"),
        given: "Given".into(),
        born: chrono::NaiveDate::from_ymd_opt(1990, 1, 1).unwrap_or_default(),
    });
    let order = Event::Order(Order {
        level: Level::Intermittent { limit_minutes: 15 },
        ordered_by: "Dr A. Patel".into(),
        reason: "bench".into(),
        until: None,
        replaces: vec![],
    });
    let mut events = vec![
        (begun, opened),
        (begun, Event::StayPlaced { bed: format!("{}", 100 + patient), from: None }),
        (begun, order),
    ];
    let mut at = begun + MINUTE_MS;
    while at < NOW {
        let check = Check { place: "bedroom".into(), activity: "resting".into(), evidence: vec![] };
        events.push((at, Event::Check(check)));
        at = at + 14 * MINUTE_MS;
    }
    events.into_iter().enumerate().map(|(n, (at, event))| record(stay, patient, n as u64, at, event)).collect()
}

fn record(stay: StayId, patient: u128, n: u64, at: Ms, event: Event) -> Record {
    let number = (patient << 40) + u128::from(n);
    let envelope = Envelope {
        v: 1,
        id: RecordId(Uuid::from_u128((8 << 96) + number)),
        kind: String::new(),
        kind_v: 0,
        facility: FacilityId(Uuid::from_u128(1)),
        ward: ward(),
        stay: Some(stay),
        by: Some(StaffId(Uuid::from_u128(4))),
        auth: Auth::Pin,
        tablet: None,
        observed_at: at,
        recorded_at: at,
        boot_id: None,
        boot_ms: None,
        order: None,
        list_v: Some(1),
    };
    let mut hash = [0; 32];
    hash[..16].copy_from_slice(&number.to_be_bytes());
    Record {
        body: Body::new(envelope, event),
        hash: Hash(hash),
        author: AuthorId(Uuid::from_u128(9)),
        seq: n,
        received_at: Some(at + 1_000),
    }
}
