//! The demo ward, held against what it promises. Everything is counted here from the records' bytes, with nothing
//! taken from the simulation but the floor plan.

use super::floor::{metres, spot};
use super::*;
use lamplight_domain::ids::{RecordId, StayId};
use lamplight_domain::kinds::{AmendmentAction, AmendmentReason, Event};
use lamplight_domain::level::Level;
use lamplight_domain::record::{Body, Envelope};
use lamplight_domain::time::{MINUTE_MS, SECOND_MS};
use std::collections::{BTreeMap, HashSet};

/// Plain days at several hours, both clock-change nights, and a year's end.
const NOWS: [Ms; 9] = [
    Ms(1_795_376_820_000), // 2026-11-22 14:47 in New York
    Ms(1_795_333_620_000), // 02:47 that day
    Ms(1_795_348_020_000), // 06:47
    Ms(1_795_349_400_000), // 07:10, just after the day shift came
    Ms(1_795_393_800_000), // 19:30
    Ms(1_793_514_600_000), // 2026-11-01, the second 01:30
    Ms(1_793_541_600_000), // 09:00 after the 25-hour night's change
    Ms(1_772_953_200_000), // 2026-03-08 03:00, the first moment after the skipped hour
    Ms(1_798_779_600_000), // 2027-01-01 00:00
];

struct Told {
    people: people::People,
    now: Ms,
    records: Vec<DemoRecord>,
    bodies: Vec<(Writer, Envelope, Event)>,
}

fn told(seed: u64, now: Ms) -> Told {
    let people = people::people(seed);
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

fn everywhere() -> impl Iterator<Item = Told> {
    NOWS.into_iter().flat_map(|now| [1, 7, 42].into_iter().map(move |seed| told(seed, now)))
}

#[test]
fn look() {
    for told in everywhere() {
        let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
        for (_, e, _) in &told.bodies {
            *kinds.entry(e.kind.clone()).or_default() += 1;
        }
        println!("{} {kinds:?}", told.now.clock(ZONE));
    }
}
