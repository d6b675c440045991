//! Patients who move between wards, whom nobody knows yet, who turn out to be one: whatever the order in which the
//! records come, every ward's feed has what its board rests on.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::*;
use lamplight_domain::ids::{RecordId, StayId, WardId};
use lamplight_domain::kinds::*;
use lamplight_domain::level::Level;
use lamplight_domain::record::{Body, Record};
use lamplight_domain::roster::{Bed, Roster, Ward};
use lamplight_domain::time::{Ms, Now};
use lamplight_domain::views::Board;
use lamplight_domain::ward::{self, Viewpoint, WardRecords, refers_to};
use lamplight_domain::wire::{Blob, Facility, FeedAsk, FeedFrom, FeedPage};
use lamplight_server::FacilityServer;
use lamplight_server::commands::verify;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

const THIRD_WARD: WardId = WardId(Uuid::from_u128(12));
const WARDS: [WardId; 3] = [WARD, OTHER_WARD, THIRD_WARD];
const UNKNOWN: StayId = StayId(Uuid::from_u128(31));

fn three_wards() -> Roster {
    let mut roster = roster();
    let bed = |label: &str| Bed { label: label.into(), room: label.into(), area: "East".into() };
    let name = "Elm Ward".into();
    roster.wards.push(Ward { id: THIRD_WARD, name, beds: vec![bed("301A"), bed("302A")] });
    roster
}

/// A record that somebody wrote on a ward, `minutes` from the beginning of the test.
fn on(pad: &Pad, ward: WardId, minutes: i64, stay: StayId, event: Event) -> (RecordId, Vec<u8>) {
    let mut envelope = pad.envelope(START + minutes * MINUTE, Some(stay));
    envelope.ward = ward;
    if !matches!(event, Event::Check(_) | Event::Note { .. } | Event::Concern { .. }) {
        envelope.by = Some(NURSE);
    }
    (envelope.id, Body::new(envelope, event).to_bytes().unwrap())
}

fn seen() -> Event {
    Event::Check(Check { place: "bedroom".into(), activity: "reading".into(), evidence: vec![] })
}

fn opened(n: u128) -> Event {
    Event::StayOpened(StayOpened {
        patient: lamplight_domain::ids::PatientId(id(n)),
        mrn: n.to_string(),
        family: "Garcia".into(),
        given: "Mateo".into(),
        born: chrono::NaiveDate::from_ymd_opt(1990, 1, 1).unwrap(),
    })
}

fn q(limit_minutes: u16) -> Event {
    let (ordered_by, reason) = ("Dr A".into(), "new".into());
    Event::Order(Order {
        level: Level::Intermittent { limit_minutes },
        ordered_by,
        reason,
        until: None,
        replaces: vec![],
    })
}

fn moved(from: WardId, bed: &str) -> Event {
    Event::StayPlaced { bed: bed.into(), from: Some(from) }
}

fn unknown_woman() -> Event {
    Event::StayProvisional(StayProvisional { words: "woman, about 30".into(), bed: String::new() })
}

fn records_of(pages: &[FeedPage]) -> Vec<Record> {
    let rows = pages.iter().flat_map(|p| p.header.rows.iter().zip(&p.bodies));
    rows.map(|(row, blob)| {
        let Blob::Bytes(bytes) = blob else { panic!("a feed sends bytes") };
        Record::parse(bytes, row.author, row.seq, Some(row.received_at)).unwrap()
    })
    .collect()
}

fn taken(records: impl IntoIterator<Item = Record>) -> WardRecords {
    let mut taken = WardRecords::default();
    records.into_iter().for_each(|record| {
        taken.take(record);
    });
    taken
}

/// One reader a ward, and what it reads.
struct Readers(BTreeMap<WardId, Pad>);

impl Readers {
    async fn of(house: &House, server: &FacilityServer) -> Readers {
        let mut pads = BTreeMap::new();
        for (n, ward) in WARDS.into_iter().enumerate() {
            pads.insert(ward, Pad::join(server, &house.code_for(ward, 1), 40 + n as u8, "").await);
        }
        for pad in pads.values_mut() {
            pad.push(server, vec![]).await;
        }
        Readers(pads)
    }

    /// The whole feed of a ward from its first row, every row in its place.
    async fn feed(&self, server: &FacilityServer, ward: WardId) -> Vec<Record> {
        let pad = &self.0[&ward];
        let generation = pad.opening(server, 1_000).await.1.generation;
        let (mut cursor, mut pages) = (start(generation), Vec::new());
        loop {
            let page = server.feed(FeedAsk { limit: 7, ..pad.ask(FeedFrom::Cursor(cursor)) }).await.unwrap();
            (_, cursor) = follow(&page, cursor);
            let more = page.header.more;
            pages.push(page);
            if !more {
                return records_of(&pages);
            }
        }
    }

    async fn opening(&self, server: &FacilityServer, ward: WardId) -> Vec<Record> {
        records_of(&self.0[&ward].opening(server, 5).await.0)
    }
}

fn board(records: &WardRecords, roster: &Roster, ward: WardId, now: Ms) -> Board {
    ward::board(records, roster, ward, &[], Viewpoint::Station, Now::of_wall(now))
}

fn live(server: &FacilityServer, ward: WardId, now: Ms) -> Board {
    server.live().ward(ward).with(|records| board(records, &server.roster(), ward, now))
}

async fn push_all(server: &FacilityServer, bodies: Vec<Vec<u8>>, pad: &mut Pad) {
    for body in bodies {
        pad.push(server, vec![body]).await;
    }
}

fn stays_on(board: &Board) -> Vec<StayId> {
    board.cards.iter().map(|c| c.stay).collect()
}

#[tokio::test]
async fn a_patient_comes_to_the_new_ward_with_everything_and_late_checks_go_to_both() {
    let house = House::of(three_wards());
    let server = house.open();
    let readers = Readers::of(&house, &server).await;
    let mut pad = readers.0[&WARD].clone();
    let day = 24 * 60;
    let (order, order_bytes) = on(&pad, WARD, -3 * day, STAY, q(15));
    let concern = on(&pad, WARD, -2 * day, STAY, Event::Concern { words: "gave things away".into() });
    let old_note = on(&pad, WARD, -2 * day, STAY, Event::Note { words: "old".into() });
    let note = on(&pad, WARD, -90, STAY, Event::Note { words: "new".into() });
    let before = vec![
        on(&pad, WARD, -3 * day, STAY, opened(1)).1,
        on(&pad, WARD, -3 * day, STAY, moved(WARD, "101A")).1,
        order_bytes,
        concern.1,
        old_note.1,
        on(&pad, WARD, -40, STAY, seen()).1,
        note.1,
    ];
    push_all(&server, before, &mut pad).await;
    assert!(readers.feed(&server, OTHER_WARD).await.iter().all(|r| r.body.envelope.stay.is_none()));
    push_all(&server, vec![on(&pad, OTHER_WARD, -20, STAY, moved(WARD, "101A")).1], &mut pad).await;

    let ids = |records: &[Record]| records.iter().map(Record::id).collect::<Vec<_>>();
    let new = readers.feed(&server, OTHER_WARD).await;
    let kinds: Vec<&str> =
        new.iter().map(|r| r.body.envelope.kind.as_str()).filter(|k| *k != "tablet.joined").collect();
    let comes_last = kinds.last().copied();
    assert_eq!(comes_last, Some("stay.placed"), "whoever reads on sees the patient come with everything: {kinds:?}");
    for id in [order, concern.0, note.0] {
        assert!(ids(&new).contains(&id));
    }
    assert!(!ids(&new).contains(&old_note.0), "of what has passed only the last 24 hours");

    // What a tablet of the old ward had not sent: one check before the move, one after it.
    let late = [on(&pad, WARD, -25, STAY, seen()), on(&pad, WARD, -10, STAY, seen())];
    push_all(&server, late.iter().map(|(_, bytes)| bytes.clone()).collect(), &mut pad).await;
    for ward in [WARD, OTHER_WARD] {
        let held = ids(&readers.feed(&server, ward).await);
        assert!(late.iter().all(|(id, _)| held.iter().filter(|h| *h == id).count() == 1), "{ward}");
    }
    let now = house.now();
    assert_eq!(stays_on(&live(&server, WARD, now)), []);
    let there = live(&server, OTHER_WARD, now);
    assert_eq!(stays_on(&there), [STAY]);
    // The gap clock never stopped: it runs on from the last true check, wherever that was made.
    assert_eq!(there.cards[0].due_at, Some(START + 5 * MINUTE));
    assert_eq!(there.concerns.len(), 1);
    let flagged = |id: RecordId| {
        let db = house.db();
        let no = lamplight_server::store::bodies::of_id(&db, id).unwrap();
        lamplight_server::store::flags::of(&db, no[0]).unwrap().contains(&"moved_stay".to_owned())
    };
    assert_eq!([flagged(late[0].0), flagged(late[1].0)], [false, true]);
    // What the new ward writes from now on is its own.
    let (next, bytes) = on(&pad, OTHER_WARD, 0, STAY, seen());
    push_all(&server, vec![bytes], &mut pad).await;
    assert!(!ids(&readers.feed(&server, WARD).await).contains(&next));
    server.close().await;
    verify(&house.path).unwrap();
}

#[tokio::test]
async fn what_is_ended_on_the_new_ward_is_over_on_the_old_one() {
    let house = House::of(three_wards());
    let server = house.open();
    let readers = Readers::of(&house, &server).await;
    let mut pad = readers.0[&WARD].clone();
    let emergency = Event::Emergency { what: EmergencyKind::NeedHelp, place: String::new() };
    let (raised, bytes) = on(&pad, WARD, -60, STAY, emergency);
    let begun = vec![
        on(&pad, WARD, -90, STAY, opened(1)).1,
        on(&pad, WARD, -90, STAY, q(15)).1,
        bytes,
        on(&pad, OTHER_WARD, -50, STAY, moved(WARD, "101A")).1,
    ];
    push_all(&server, begun, &mut pad).await;
    let open = |ward| live(&server, ward, house.now()).emergencies.len();
    assert_eq!([open(WARD), open(OTHER_WARD)], [1, 1]);
    let ended = Event::EmergencyEnded { of: raised, words: "over".into() };
    push_all(&server, vec![on(&pad, OTHER_WARD, -40, STAY, ended).1], &mut pad).await;
    assert_eq!([open(WARD), open(OTHER_WARD)], [0, 0]);
}

#[tokio::test]
async fn of_two_transfers_that_disagree_the_later_one_holds_and_both_are_flagged() {
    for turned in [false, true] {
        let house = House::of(three_wards());
        let server = house.open();
        let readers = Readers::of(&house, &server).await;
        let mut pad = readers.0[&WARD].clone();
        let one = on(&pad, OTHER_WARD, -50, STAY, moved(WARD, "101A"));
        let two = on(&pad, THIRD_WARD, -40, STAY, moved(WARD, "301A"));
        let mut all = vec![on(&pad, WARD, -90, STAY, opened(1)).1, on(&pad, WARD, -90, STAY, q(15)).1];
        all.extend(if turned { [two.1, one.1] } else { [one.1, two.1] });
        push_all(&server, all, &mut pad).await;
        let boards = WARDS.map(|ward| live(&server, ward, house.now()));
        assert_eq!(boards.each_ref().map(|b| b.cards.len()), [0, 0, 1]);
        assert!(boards[2].cards[0].census.contains("also sent to Oak Ward"), "{}", boards[2].cards[0].census);
        let db = house.db();
        for id in [one.0, two.0] {
            let no = lamplight_server::store::bodies::of_id(&db, id).unwrap();
            assert!(lamplight_server::store::flags::of(&db, no[0]).unwrap().contains(&"transfers_disagree".to_owned()));
        }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Seen {
        ward: usize,
    },
    Note {
        ward: usize,
    },
    Concern {
        ward: usize,
    },
    /// Ends, answers or amends what came before.
    Answer {
        ward: usize,
        which: prop::sample::Index,
    },
    Order {
        ward: usize,
        limit: u16,
    },
    Move {
        to: usize,
        knows: bool,
    },
    Join,
    Part,
    Closed {
        ward: usize,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let ward = || 0..3usize;
    prop_oneof![
        8 => ward().prop_map(|ward| Act::Seen { ward }),
        2 => ward().prop_map(|ward| Act::Note { ward }),
        2 => ward().prop_map(|ward| Act::Concern { ward }),
        4 => (ward(), any::<prop::sample::Index>()).prop_map(|(ward, which)| Act::Answer { ward, which }),
        2 => (ward(), prop::sample::select(vec![5, 15, 30])).prop_map(|(ward, limit)| Act::Order { ward, limit }),
        5 => (ward(), any::<bool>()).prop_map(|(to, knows)| Act::Move { to, knows }),
        2 => Just(Act::Join),
        1 => Just(Act::Part),
        1 => ward().prop_map(|ward| Act::Closed { ward }),
    ]
}

/// What people wrote about two stays, one of them provisional, in the order in which they wrote it.
fn story(pad: &Pad, acts: &[(i64, bool, Act)]) -> Vec<Vec<u8>> {
    let mut acts = acts.to_vec();
    acts.sort_by_key(|(minute, ..)| *minute);
    let mut written: Vec<(RecordId, StayId, Event, Vec<u8>)> = Vec::new();
    let mut write = |ward: usize, minute: i64, stay: StayId, event: Event| {
        let (id, bytes) = on(pad, WARDS[ward], minute, stay, event.clone());
        written.push((id, stay, event, bytes));
        written.iter().map(|(id, stay, event, _)| (*id, *stay, event.clone())).collect::<Vec<_>>()
    };
    write(0, -40 * 60, STAY, opened(1));
    write(0, -40 * 60, STAY, Event::StayPlaced { bed: "101A".into(), from: None });
    write(0, -40 * 60, STAY, q(15));
    let mut all = write(1, -39 * 60, UNKNOWN, unknown_woman());
    let mut at = [0usize, 1];
    for (minute, of_unknown, act) in acts {
        let (nth, stay) = if of_unknown { (1, UNKNOWN) } else { (0, STAY) };
        all = match act {
            Act::Seen { ward } => write(ward, minute, stay, seen()),
            Act::Note { ward } => write(ward, minute, stay, Event::Note { words: "note".into() }),
            Act::Concern { ward } => write(ward, minute, stay, Event::Concern { words: "concern".into() }),
            Act::Order { ward, limit } => write(ward, minute, stay, q(limit)),
            Act::Move { to, knows } => {
                let from = if knows { WARDS[at[nth]] } else { WARD };
                at[nth] = to;
                write(to, minute, stay, moved(from, if to == 2 { "301A" } else { "101A" }))
            }
            Act::Join => write(at[0], minute, UNKNOWN, Event::StayJoined { into: STAY }),
            Act::Part => match all.iter().rfind(|(.., e)| matches!(e, Event::StayJoined { .. })) {
                Some((of, ..)) => write(at[0], minute, UNKNOWN, Event::JoinEnded { of: *of, reason: String::new() }),
                None => all,
            },
            // Once in a while: a patient who has left is on no board.
            Act::Closed { ward } if minute % 7 == 0 => {
                write(ward, minute, stay, Event::StayClosed { reason: String::new() })
            }
            Act::Closed { .. } => all,
            Act::Answer { ward, which } => {
                let (of, stay, event) = which.get(&all).clone();
                let retract = |of| {
                    let (action, reason) = (AmendmentAction::Retract, AmendmentReason::WrongPatient);
                    Event::Amendment(Amendment { of, action, reason, words: String::new() })
                };
                match event {
                    // More than two retracted in a row would show what an opening leaves out by design.
                    Event::Check(_) if minute % 3 == 0 => write(ward, minute, stay, retract(of)),
                    Event::Note { .. } => write(ward, minute, stay, retract(of)),
                    Event::Concern { .. } => write(ward, minute, stay, Event::Acknowledged { of, came: None }),
                    Event::Order(_) => write(ward, minute, stay, Event::OrderEnded { of, reason: String::new() }),
                    _ => all,
                }
            }
        };
    }
    written.into_iter().map(|(.., bytes)| bytes).collect()
}

async fn tell(acts: &[(i64, bool, Act)], order: &[prop::sample::Index], batches: &[usize]) {
    let house = House::of(three_wards());
    let server = house.open();
    let readers = Readers::of(&house, &server).await;
    let mut pad = readers.0[&WARD].clone();
    let mut bodies = story(&pad, acts);
    let mut shuffled = Vec::new();
    for index in order.iter().cycle() {
        if bodies.is_empty() {
            break;
        }
        shuffled.push(bodies.swap_remove(index.index(bodies.len())));
    }
    let mut sizes = batches.iter().cycle();
    while !shuffled.is_empty() {
        let size = (*sizes.next().unwrap()).clamp(1, shuffled.len());
        pad.push(&server, shuffled.drain(..size).collect()).await;
    }
    let (roster, now) = (server.roster(), house.now());
    let mut feeds: BTreeMap<WardId, Vec<Record>> = BTreeMap::new();
    for ward in WARDS {
        let feed = readers.feed(&server, ward).await;
        let distinct: BTreeSet<_> = feed.iter().map(|r| r.hash).collect();
        assert_eq!(distinct.len(), feed.len(), "no body twice in a feed");
        feeds.insert(ward, feed);
    }
    let all: BTreeMap<_, Record> = feeds.values().flatten().map(|r| (r.hash, r.clone())).collect();
    let everything = taken(all.values().cloned());
    for ward in WARDS {
        let expected = board(&everything, &roster, ward, now);
        assert_eq!(board(&taken(feeds[&ward].clone()), &roster, ward, now), expected, "the feed");
        assert_eq!(live(&server, ward, now), expected, "the live board");
        let opening = readers.opening(&server, ward).await;
        assert_eq!(board(&taken(opening), &roster, ward, now), expected, "the opening");
    }
    let is_in = |record: &Record, ward: &WardId| feeds[ward].iter().any(|r| r.hash == record.hash);
    for record in all.values().filter(|r| r.body.envelope.stay.is_some()) {
        let (stay, kind) = (record.body.envelope.stay.unwrap(), record.body.envelope.kind.as_str());
        let event = record.body.event.as_ref().unwrap();
        assert!(is_in(record, &record.body.envelope.ward), "{kind} is in its own ward's feed");
        let present = everything.ward_of(stay).unwrap();
        let came = everything.placed_at(stay).unwrap();
        if kind.starts_with("stay.") || kind == "join.ended" {
            assert!(everything.wards_of(stay).iter().all(|w| is_in(record, w)), "{kind} is in every ward's");
        } else if record.body.envelope.observed_at >= came - 24 * HOUR {
            assert!(is_in(record, &present), "{kind} is where the patient is");
        }
        if let Some(of) = refers_to(event).and_then(|of| all.values().find(|r| r.id() == of)) {
            assert!(WARDS.iter().all(|w| !is_in(of, w) || is_in(record, w)), "{kind} is where its record is");
        }
    }
    server.close().await;
    verify(&house.path).unwrap();
    // A start reads the same from the file.
    let again = house.open();
    for ward in WARDS {
        assert_eq!(live(&again, ward, now), board(&everything, &roster, ward, now), "after a start");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn in_any_order_every_feed_has_what_its_board_rests_on(
        acts in prop::collection::vec((-38 * 60..0i64, any::<bool>(), act()), 1..24),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..40),
        batches in prop::collection::vec(1..6usize, 1..5),
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(tell(&acts, &order, &batches));
    }
}
