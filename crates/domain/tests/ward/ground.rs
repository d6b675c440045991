//! A small ward to try the rules on: three tablets, five people, and records written by hand.

use lamplight_domain::chain::Hash;
use lamplight_domain::ids::{AuthorId, FacilityId, PatientId, RecordId, StaffId, StayId, TabletId, WardId};
use lamplight_domain::kinds::*;
use lamplight_domain::level::{Continuous, Distance, Level};
use lamplight_domain::record::{Auth, Body, Envelope, Record};
use lamplight_domain::roster::*;
use lamplight_domain::time::{MINUTE_MS, Ms, Now};
use lamplight_domain::views::{Board, Card, DayRow, PatientDay};
use lamplight_domain::ward::{self, Viewpoint, WardRecords};
use lamplight_domain::wire::ContactMark;
use uuid::Uuid;

/// 2026-11-22T02:00:00-05:00
pub const NIGHT: Ms = Ms(1_795_330_800_000);
pub const WARD: WardId = WardId(Uuid::from_u128(0xA));
pub const OTHER_WARD: WardId = WardId(Uuid::from_u128(0xB));
pub const W1: TabletId = TabletId(Uuid::from_u128(0x11));
pub const W2: TabletId = TabletId(Uuid::from_u128(0x12));
pub const W3: TabletId = TabletId(Uuid::from_u128(0x13));
/// Who numbers the links of W1.
pub const OWN: AuthorId = AuthorId(Uuid::from_u128(7));
/// Maya Okafor and Jon Reyes, technicians; Sara Lindqvist, nurse; Dina Ahmed, charge nurse.
pub const MO: StaffId = StaffId(Uuid::from_u128(0x21));
pub const JR: StaffId = StaffId(Uuid::from_u128(0x22));
pub const SL: StaffId = StaffId(Uuid::from_u128(0x23));
pub const DA: StaffId = StaffId(Uuid::from_u128(0x24));
pub const OTHER_MAYA: StaffId = StaffId(Uuid::from_u128(0x25));

/// Minutes from 02:00.
pub fn at(minutes: i64) -> Ms {
    NIGHT + minutes * MINUTE_MS
}

pub struct Ground {
    pub roster: Roster,
    pub records: Vec<Record>,
    pub marks: Option<Vec<ContactMark>>,
    pub view: Viewpoint,
}

fn person(id: StaffId, given: &str, family: &str, number: &str, role: Role) -> Staff {
    let (family, given, number) = (family.into(), given.into(), number.into());
    Staff { id, family, given, number, role, wards: vec![WARD], active: true, until: None, pin: None }
}

pub fn item(code: &str, label: &str) -> ListItem {
    ListItem {
        code: code.into(),
        label: label.into(),
        hint: String::new(),
        tone: Tone::Plain,
        makes: Makes::Check,
        common: true,
        short: String::new(),
    }
}

fn lists() -> Lists {
    Lists {
        version: 1,
        places: vec![
            item("bedroom", "Bedroom"),
            item("hallway", "Hallway"),
            item("day_room", "Day room"),
            ListItem { makes: Makes::Heard, ..item("bathroom_heard", "Bathroom") },
        ],
        activities: vec![
            ListItem { hint: "breathing seen".into(), ..item("eyes_closed", "Eyes closed") },
            item("pacing", "Pacing, restless"),
            item("tv", "TV, reading, phone"),
            ListItem { hint: "then behaviour entry".into(), ..item("shouting", "Shouting, threatening") },
            ListItem { makes: Makes::CantTell, ..item("cant_tell", "Can't tell") },
        ],
        precautions: vec![item("suicide", "Suicide"), item("leaving_risk", "Leaving risk"), item("fall", "Fall")],
        not_done: vec![item("emergency", "Emergency elsewhere"), item("other", "Other…")],
        affect: vec![item("flat", "Flat")],
        before: vec![],
        behaviours: vec![item("threats", "Threats")],
        staff_did: vec![],
        then: vec![],
        affected: vec![],
    }
}

impl Ground {
    pub fn new() -> Ground {
        let bed = |label: &str| Bed { label: label.into(), room: label[..3].into(), area: "East hallway".into() };
        let tablet = |id, name: &str| Tablet { id, name: name.into(), ward: WARD, revoked: false };
        let roster = Roster {
            version: 1,
            facility: Facility {
                id: FacilityId(Uuid::from_u128(1)),
                name: "Demo Hospital".into(),
                zone: chrono_tz::America::New_York,
                demo: true,
            },
            wards: vec![Ward {
                id: WARD,
                name: "Willow Ward".into(),
                beds: ["101A", "101B", "102A", "102B", "103A", "104A", "104B"].map(bed).into(),
            }],
            staff: vec![
                person(MO, "Maya", "Okafor", "MHT 2304", Role::Technician),
                person(JR, "Jon", "Reyes", "MHT 2217", Role::Technician),
                person(SL, "Sara", "Lindqvist", "RN 1108", Role::Nurse),
                person(DA, "Dina", "Ahmed", "RN 1001", Role::ChargeNurse),
                person(OTHER_MAYA, "Maya", "Zane", "MHT 2310", Role::Technician),
            ],
            tablets: vec![tablet(W1, "W-1"), tablet(W2, "W-2"), tablet(W3, "W-3")],
            lists: lists(),
            settings: Settings::default(),
        };
        Ground { roster, records: Vec::new(), marks: None, view: Viewpoint::Station }
    }

    /// One patient in 104A at this limit, admitted and ordered ten hours before 02:00.
    pub fn with_patient(limit_minutes: u16) -> (Ground, StayId) {
        let mut ground = Ground::new();
        let stay = ground.admit("Garcia", "Mateo", "104A", at(-600));
        ground.order(stay, at(-600), limit_minutes);
        (ground, stay)
    }

    pub fn envelope(&self, when: Ms) -> Envelope {
        Envelope {
            v: 1,
            id: RecordId(Uuid::from_u128(0x1000 + self.records.len() as u128)),
            kind: String::new(),
            kind_v: 0,
            facility: self.roster.facility.id,
            ward: WARD,
            stay: None,
            by: Some(MO),
            auth: Auth::Pin,
            tablet: Some(W1),
            observed_at: when,
            recorded_at: when,
            boot_id: None,
            boot_ms: None,
            order: None,
            list_v: Some(1),
        }
    }

    /// Writes a record; `bend` changes its envelope.
    pub fn write(
        &mut self,
        when: Ms,
        stay: Option<StayId>,
        event: Event,
        bend: impl FnOnce(&mut Envelope),
    ) -> RecordId {
        let mut envelope = Envelope { stay, ..self.envelope(when) };
        bend(&mut envelope);
        let received_at = Some(envelope.recorded_at);
        self.push(envelope, event, received_at)
    }

    pub fn push(&mut self, envelope: Envelope, event: Event, received_at: Option<Ms>) -> RecordId {
        let id = envelope.id;
        let bytes = Body::new(envelope, event).to_bytes().unwrap();
        let author = OWN;
        let seq = self.records.len() as u64 + 1;
        self.records.push(Record::parse(&bytes, author, seq, received_at).unwrap());
        id
    }

    pub fn last(&mut self) -> &mut Record {
        self.records.last_mut().unwrap()
    }

    pub fn admit(&mut self, family: &str, given: &str, bed: &str, when: Ms) -> StayId {
        let stay = StayId(Uuid::from_u128(0x500 + self.records.len() as u128));
        let opened = StayOpened {
            patient: PatientId(stay.0),
            mrn: "0044471".into(),
            family: family.into(),
            given: given.into(),
            born: chrono::NaiveDate::from_ymd_opt(1991, 3, 12).unwrap(),
        };
        self.nurse(when, stay, Event::StayOpened(opened));
        self.nurse(when, stay, Event::StayPlaced { bed: bed.into(), from: None });
        stay
    }

    pub fn nurse(&mut self, when: Ms, stay: StayId, event: Event) -> RecordId {
        self.write(when, Some(stay), event, |e| {
            e.by = Some(SL);
            e.tablet = None;
        })
    }

    pub fn tech(&mut self, when: Ms, stay: StayId, event: Event) -> RecordId {
        self.write(when, Some(stay), event, |_| {})
    }

    pub fn order(&mut self, stay: StayId, when: Ms, limit_minutes: u16) -> RecordId {
        self.level(stay, when, Level::Intermittent { limit_minutes }, vec![])
    }

    pub fn level(&mut self, stay: StayId, when: Ms, level: Level, replaces: Vec<RecordId>) -> RecordId {
        let (ordered_by, reason) = ("Dr A. Patel".into(), "new leaving risk".into());
        let id = self.nurse(when, stay, Event::Order(Order { level, ordered_by, reason, until: None, replaces }));
        self.tech(when, stay, Event::OrderAcknowledged { of: id });
        id
    }

    pub fn check(&mut self, stay: StayId, when: Ms) -> RecordId {
        self.tech(when, stay, seen("hallway", "pacing"))
    }

    pub fn amend(&mut self, stay: StayId, when: Ms, of: RecordId, action: AmendmentAction) -> RecordId {
        let amendment = Amendment { of, action, reason: AmendmentReason::WrongPatient, words: String::new() };
        self.tech(when, stay, Event::Amendment(amendment))
    }

    pub fn taken(&self) -> WardRecords {
        taken(self.records.iter().cloned())
    }

    /// By default every tablet is in touch.
    pub fn marks(&self, now: Ms) -> Vec<ContactMark> {
        let all = [W1, W2, W3].map(|tablet| ContactMark { tablet, last: Some(now - 2_000), confirmed: 1_000 });
        self.marks.clone().unwrap_or_else(|| all.into())
    }

    pub fn board(&self, now: Ms) -> Board {
        self.board_of(&self.taken(), Now::of_wall(now))
    }

    pub fn board_of(&self, records: &WardRecords, now: Now) -> Board {
        ward::board(records, &self.roster, WARD, &self.marks(now.best()), self.view, now)
    }

    pub fn card(&self, stay: StayId, now: Ms) -> Card {
        self.board(now).cards.into_iter().find(|c| c.stay == stay).unwrap()
    }

    pub fn day(&self, stay: StayId, from: Ms, to: Ms, now: Ms) -> PatientDay {
        ward::day(&self.taken(), &self.roster, stay, from, to, self.view, Now::of_wall(now)).unwrap()
    }

    pub fn row(&self, stay: StayId, record: RecordId, now: Ms) -> DayRow {
        let day = self.day(stay, at(-700), now, now);
        day.rows.into_iter().find(|r| r.record == record).unwrap()
    }

    pub fn locked(&self, now: Ms) -> lamplight_domain::views::Locked {
        let (records, marks) = (self.taken(), self.marks(now));
        ward::locked(&records, &self.roster, WARD, &marks, self.view, Now::of_wall(now), 7)
    }

    pub fn may(&self, envelope: &Envelope, event: &Event, now: Ms) -> Result<String, String> {
        let may = ward::may_record(&self.taken(), &self.roster, envelope, event, Now::of_wall(now));
        may.map_err(|refusal| {
            assert!(!refusal.what.is_empty() && !refusal.next.is_empty(), "{refusal}");
            refusal.code
        })
    }
}

pub fn taken(records: impl IntoIterator<Item = Record>) -> WardRecords {
    let mut taken = WardRecords::default();
    for record in records {
        taken.take(record);
    }
    taken
}

pub fn seen(place: &str, activity: &str) -> Event {
    Event::Check(Check { place: place.into(), activity: activity.into(), evidence: vec![] })
}

pub fn not_done(words: &str) -> Event {
    Event::NotDone { reason: "emergency".into(), words: words.into() }
}

pub fn q(limit_minutes: u16) -> Level {
    Level::Intermittent { limit_minutes }
}

pub fn one_to_one(ratio: (u8, u8)) -> Level {
    Level::Continuous(Continuous { ratio, distance: Distance::WithinArmsLength, bathroom: None, sleep: None })
}

/// A tablet's view; in touch until `last_contact`.
pub fn tablet(tablet: TabletId, online: bool, last_contact: Ms) -> Viewpoint {
    Viewpoint::Tablet {
        tablet,
        online,
        last_contact: Some(last_contact),
        confirmed: 0,
        silenced_until: None,
        author: Some(OWN),
        signed_in: Some(MO),
    }
}

/// The same record as another machine holds it: the same id, other bytes.
pub fn other_bytes(record: &Record, observed_at: Ms) -> Record {
    let mut body = record.body.clone();
    body.envelope.observed_at = observed_at;
    body.envelope.recorded_at = observed_at;
    let bytes = body.to_bytes().unwrap();
    let other = Record::parse(&bytes, AuthorId(Uuid::from_u128(8)), 1, Some(observed_at)).unwrap();
    assert_ne!(other.hash, Hash::ZERO);
    other
}
