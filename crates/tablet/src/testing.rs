//! What the unit tests share: a clock that is set by hand, a small ward, a tablet that has joined it.

use crate::clock::Clock;
use crate::file::{bodies, lock};
use crate::identity::{Identity, OwnAuthor, Secret};
use crate::sign_in::argon2id;
use crate::tablet::{Options, Tablet};
use lamplight_domain::chain::{Credential, Endorser, SigningKey};
use lamplight_domain::ids::*;
use lamplight_domain::kinds::{Check, Event, Order, StayOpened};
use lamplight_domain::level::Level;
use lamplight_domain::record::{Auth, Body, Envelope, Record};
use lamplight_domain::roster::*;
use lamplight_domain::time::{Clocks, Ms};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// 2026-11-22 02:47:10 in New York.
pub const START: Ms = Ms(1_795_333_630_000);
pub const PIN: &str = "472913";

pub struct HandClock(Mutex<Clocks>);

impl HandClock {
    pub fn new() -> Arc<HandClock> {
        Arc::new(HandClock(Mutex::new(Clocks { wall: START, boot_id: Uuid::from_u128(1), boot_ms: 1_000 })))
    }
    pub fn pass(&self, ms: i64) {
        let mut clocks = lock(&self.0);
        clocks.wall = clocks.wall + ms;
        clocks.boot_ms += ms;
    }
    /// The machine was off for a while and starts with this on its wall clock.
    pub fn reboot(&self, wall: Ms) {
        let mut clocks = lock(&self.0);
        let boot_id = Uuid::from_u128(clocks.boot_id.as_u128() + 1);
        *clocks = Clocks { wall, boot_id, boot_ms: 1_000 };
    }
    pub fn set_wall(&self, wall: Ms) {
        lock(&self.0).wall = wall;
    }
}

impl Clock for HandClock {
    fn read(&self) -> Clocks {
        *lock(&self.0)
    }
}

pub fn facility_key() -> SigningKey {
    SigningKey::from_seed(&[9; 32])
}
pub fn facility() -> FacilityId {
    FacilityId(Uuid::from_u128(0xFA))
}
pub fn ward() -> WardId {
    WardId(Uuid::from_u128(0xAA))
}
pub fn technician() -> StaffId {
    StaffId(Uuid::from_u128(0x71))
}
pub fn nurse() -> StaffId {
    StaffId(Uuid::from_u128(0x72))
}
pub fn charge_nurse() -> StaffId {
    StaffId(Uuid::from_u128(0x74))
}
pub fn manager() -> StaffId {
    StaffId(Uuid::from_u128(0x73))
}
pub fn stay() -> StayId {
    StayId(Uuid::from_u128(0x51))
}

pub fn roster() -> Roster {
    let salt = [7; 16];
    let pin = PinVerifier { salt, argon2id: *argon2id(PIN, &salt).unwrap() };
    let person = |id, family: &str, role| Staff {
        id,
        family: family.into(),
        given: "Maya".into(),
        number: "MHT 2304".into(),
        role,
        wards: vec![ward()],
        active: true,
        until: None,
        pin: Some(pin.clone()),
    };
    let item = |code: &str, makes| ListItem {
        code: code.into(),
        label: code.into(),
        hint: String::new(),
        tone: Tone::Plain,
        makes,
        common: true,
        short: String::new(),
    };
    let bed = |label: &str| Bed { label: label.into(), room: label.into(), area: "East hallway".into() };
    Roster {
        version: 1,
        facility: Facility { id: facility(), name: "Alder".into(), zone: chrono_tz::America::New_York, demo: true },
        wards: vec![Ward { id: ward(), name: "Willow".into(), beds: vec![bed("101A"), bed("102A")] }],
        staff: vec![
            person(technician(), "Okafor", Role::Technician),
            person(nurse(), "Lindqvist", Role::Nurse),
            person(manager(), "Sato", Role::Manager),
            person(charge_nurse(), "Ahmed", Role::ChargeNurse),
        ],
        tablets: vec![],
        lists: Lists {
            version: 1,
            places: vec![item("bedroom", Makes::Check), item("hallway", Makes::Check)],
            activities: vec![item("resting", Makes::Check)],
            not_done: vec![item("emergency", Makes::Check)],
            ..Lists::default()
        },
        // No station is heard here, unless a test says so.
        settings: Settings { offline_sign_in_hours: 0, ..Settings::default() },
    }
}

/// An identity whose keys come from `seed`: two tablets with one seed are clones.
pub fn identity(seed: u8) -> Identity {
    let key = SigningKey::from_seed(&[seed; 32]);
    let tablet = TabletId(Uuid::from_u128(u128::from(seed)));
    let credential = Credential::sign(&facility_key(), Endorser::Facility, facility(), key.public(), Some(tablet));
    Identity {
        facility: facility(),
        facility_key: facility_key().public(),
        successions: vec![],
        url: "https://127.0.0.1:1".into(),
        ca_pem: vec![],
        tablet,
        name: format!("W-{seed}"),
        ward: ward(),
        device_secret: Secret([3; 32]),
        joined_at: START,
        trust: None,
        renewed: None,
        authors: vec![OwnAuthor { seed: Secret([seed; 32]), credential }],
    }
}

/// The files of a tablet's folder, as an image of it holds them.
pub fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

pub fn open(dir: &Path, clock: &Arc<HandClock>) -> Tablet {
    Tablet::open(dir, Options { clock: clock.clone(), ..Options::default() }).unwrap()
}

/// A tablet that has joined without a server; it knows its ward and no patient.
pub fn joined(dir: &Path, clock: &Arc<HandClock>, seed: u8) -> Tablet {
    let tablet = open(dir, clock);
    tablet.0.set_identity(identity(seed)).unwrap();
    tablet.0.take_roster(roster()).unwrap();
    *lock(&tablet.0.pen) = tablet.0.pick_up().unwrap();
    tablet
}

/// The same with one patient in 101A on Q15, as the station wrote it down.
pub fn with_patient(dir: &Path, clock: &Arc<HandClock>, seed: u8) -> Tablet {
    let tablet = joined(dir, clock, seed);
    admitted(&tablet, 0xCE00, stay());
    tablet
}

/// One more patient, whose records have the ids from `first` on.
pub fn admitted(tablet: &Tablet, first: u128, stay: StayId) {
    for (n, event) in (first..).zip(census()) {
        let bytes = foreign_of(stay, n, event, START - 60_000);
        tablet.0.records.write(|to| bodies::insert(to, &bytes)).unwrap();
        let record = Record::parse(&bytes, AuthorId(Uuid::nil()), 1, Some(START - 59_000)).unwrap();
        tablet.0.known_mut().records.take(record);
    }
}

pub fn census() -> Vec<Event> {
    let opened = StayOpened {
        patient: PatientId(Uuid::from_u128(0x99)),
        mrn: "00114471".into(),
        family: "Garcia".into(),
        given: "Mateo".into(),
        born: chrono::NaiveDate::from_ymd_opt(1991, 3, 12).unwrap(),
    };
    let order = Order {
        level: Level::Intermittent { limit_minutes: 15 },
        ordered_by: "Dr A. Patel".into(),
        reason: "new leaving risk".into(),
        until: None,
        replaces: vec![],
    };
    vec![Event::StayOpened(opened), Event::StayPlaced { bed: "101A".into(), from: None }, Event::Order(order)]
}

pub fn check() -> Event {
    Event::Check(Check { place: "bedroom".into(), activity: "resting".into(), evidence: vec![] })
}

/// The bytes of somebody else's record.
pub fn foreign(id: u128, event: Event, at: Ms) -> Vec<u8> {
    foreign_of(stay(), id, event, at)
}

fn foreign_of(stay: StayId, id: u128, event: Event, at: Ms) -> Vec<u8> {
    let envelope = Envelope {
        v: 1,
        id: RecordId(Uuid::from_u128(id)),
        kind: String::new(),
        kind_v: 1,
        facility: facility(),
        ward: ward(),
        stay: Some(stay),
        by: Some(nurse()),
        auth: Auth::Station,
        tablet: None,
        observed_at: at,
        recorded_at: at,
        boot_id: None,
        boot_ms: None,
        order: None,
        list_v: Some(1),
    };
    Body::new(envelope, event).to_bytes().unwrap()
}

/// A command with its refusal's code as the error.
pub async fn call(tablet: &Tablet, command: &str, args: Value) -> Result<Value, String> {
    tablet.call(command, args).await.map_err(|r| r.code)
}

pub async fn sign_in(tablet: &Tablet, staff: StaffId) {
    call(tablet, "sign_in", json!({ "staff": staff, "pin": PIN })).await.unwrap();
}
