//! A small facility and tablets of flesh and bone: keys, chains, batches; no tablet crate.
#![allow(dead_code, clippy::unwrap_used)] // Each test file uses its own part; a test may fail.

pub mod browser;

use lamplight_domain::chain::{Credential, Hash, Head, SigningKey, body_hash, feed_hash, link_hash};
use lamplight_domain::ids::{FacilityId, RecordId, StaffId, StayId, TabletId, WardId};
use lamplight_domain::kinds::{Check, Event, Order, StayOpened};
use lamplight_domain::level::Level;
use lamplight_domain::record::{Auth, Body, Envelope};
use lamplight_domain::roster::{Bed, Lists, Role, Roster, Settings, Staff, Ward};
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{
    Batch, BatchHeader, Blob, Cursor, Facility, FeedAsk, FeedFrom, FeedNext, FeedPage, JoinAsk, Joined, PushAnswer,
};
use lamplight_server::facility::{Inviting, found, make_invite};
use lamplight_server::{FacilityServer, Surroundings};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use uuid::Uuid;

pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;

pub fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}
pub const WARD: WardId = WardId(Uuid::from_u128(10));
pub const OTHER_WARD: WardId = WardId(Uuid::from_u128(11));
pub const TECHNICIAN: StaffId = StaffId(Uuid::from_u128(20));
pub const NURSE: StaffId = StaffId(Uuid::from_u128(21));
pub const LEFT: StaffId = StaffId(Uuid::from_u128(22));
pub const STAY: StayId = StayId(Uuid::from_u128(30));
/// A Monday at noon, UTC.
pub const START: Ms = Ms(1_795_435_200_000);

/// What stands on every answer to a browser.
pub const GUARDS: [(&str, &str); 9] = [
    ("cache-control", "no-store"),
    (
        "content-security-policy",
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    ),
    ("strict-transport-security", "max-age=63072000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

pub fn roster() -> Roster {
    let ward = |id, name: &str| Ward {
        id,
        name: name.into(),
        beds: vec![Bed { label: "101A".into(), room: "101".into(), area: "East".into() }],
    };
    let person = |id, family: &str, role, active| Staff {
        id,
        family: family.into(),
        given: "Ann".into(),
        number: "1".into(),
        role,
        wards: vec![WARD],
        active,
        until: None,
        pin: None,
    };
    Roster {
        version: 1,
        facility: lamplight_domain::roster::Facility {
            id: FacilityId(id(1)),
            name: "Test Hospital".into(),
            zone: chrono_tz::America::New_York,
            demo: false,
        },
        wards: vec![ward(WARD, "Willow Ward"), ward(OTHER_WARD, "Oak Ward")],
        staff: vec![
            person(TECHNICIAN, "Okafor", Role::Technician, true),
            person(NURSE, "Lindqvist", Role::Nurse, true),
            person(LEFT, "Gone", Role::Technician, false),
        ],
        tablets: vec![],
        lists: Lists { version: 1, ..Lists::default() },
        settings: Settings::default(),
    }
}

/// A facility in a folder of its own, with a clock that the test moves.
pub struct House {
    _folder: TempDir,
    pub path: PathBuf,
    pub clock: Arc<AtomicI64>,
}

impl House {
    pub fn new() -> House {
        House::of(roster())
    }
    pub fn of(roster: Roster) -> House {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let house = House { _folder: folder, path, clock: Arc::new(AtomicI64::new(START.0)) };
        found(&house.path, &roster, &house.around()).unwrap();
        house
    }
    pub fn around(&self) -> Surroundings {
        let clock = self.clock.clone();
        let real = Surroundings::real();
        Surroundings::new(
            move || Ms(clock.load(Ordering::SeqCst)),
            move |bytes| {
                for chunk in bytes.chunks_mut(16) {
                    let random = real.bytes::<16>();
                    chunk.copy_from_slice(&random[..chunk.len()]);
                }
            },
        )
    }
    pub fn open(&self) -> FacilityServer {
        FacilityServer::open(&self.path, self.around()).unwrap()
    }
    pub fn now(&self) -> Ms {
        Ms(self.clock.load(Ordering::SeqCst))
    }
    pub fn wait(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }
    pub fn folder(&self) -> &Path {
        self._folder.path()
    }
    pub fn db(&self) -> rusqlite::Connection {
        let folder = lamplight_server::folder::Folder::existing(&self.path).unwrap();
        lamplight_server::store::open(&folder.database(), &folder.key().unwrap()).unwrap()
    }
    pub fn code(&self, uses: u32) -> String {
        self.code_for(WARD, uses)
    }
    pub fn code_for(&self, ward: WardId, uses: u32) -> String {
        let db = self.db();
        let identity = lamplight_server::facility::Identity::read(&db).unwrap();
        let inviting = Inviting { ward, url: "https://127.0.0.1:1", uses, good_for_ms: HOUR, by: None, replaces: None };
        make_invite(&db, &identity, &self.around(), &inviting).unwrap().code
    }
    /// The database as it is, to be put back by hand later; nobody may have it open.
    pub fn set_aside(&self) -> PathBuf {
        let to = self.folder().join(format!("aside-{}", Surroundings::real().uuid()));
        std::fs::create_dir(&to).unwrap();
        self.copy_database(&self.path, &to);
        to
    }
    pub fn put_back(&self, from: &Path) {
        self.copy_database(from, &self.path);
    }
    fn copy_database(&self, from: &Path, to: &Path) {
        let name = lamplight_server::folder::Folder::existing(&self.path).unwrap().database();
        let name = name.file_name().unwrap();
        assert!(!from.join(format!("{}-wal", name.display())).exists(), "closed, so that all of it is in one file");
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
    pub async fn tablet(&self, server: &impl Facility, seed: u8) -> Pad {
        Pad::join(server, &self.code(1), seed, "").await
    }
}

/// A tablet as the server sees it.
#[derive(Clone)]
pub struct Pad {
    pub key: SigningKey,
    pub credential: Credential,
    pub tablet: TabletId,
    pub ward: WardId,
    pub name: String,
    pub head: Head,
}

pub fn join_ask(code: &str, key: &SigningKey, name: &str) -> JoinAsk {
    JoinAsk { code: code.into(), key: key.public(), proof: key.sign(&JoinAsk::message(code)), name: name.into() }
}

impl Pad {
    pub async fn join(server: &impl Facility, code: &str, seed: u8, name: &str) -> Pad {
        let key = SigningKey::from_seed(&[seed; 32]);
        let joined = server.join(join_ask(code, &key, name)).await.unwrap();
        Pad::of(key, joined)
    }
    pub fn of(key: SigningKey, joined: Joined) -> Pad {
        Pad {
            head: Head::empty(key.author()),
            key,
            credential: joined.credential,
            tablet: joined.tablet,
            ward: joined.ward,
            name: joined.name,
        }
    }

    pub fn envelope(&self, at: Ms, stay: Option<StayId>) -> Envelope {
        let bytes: [u8; 10] = Surroundings::real().bytes();
        Envelope {
            v: 1,
            id: RecordId(uuid::Builder::from_unix_timestamp_millis(at.0 as u64, &bytes).into_uuid()),
            kind: String::new(),
            kind_v: 0,
            facility: FacilityId(id(1)),
            ward: self.ward,
            stay,
            by: Some(TECHNICIAN),
            auth: Auth::Pin,
            tablet: Some(self.tablet),
            observed_at: at,
            recorded_at: at,
            boot_id: None,
            boot_ms: None,
            order: None,
            list_v: Some(1),
        }
    }
    pub fn body(&self, at: Ms, stay: Option<StayId>, event: Event) -> Vec<u8> {
        Body::new(self.envelope(at, stay), event).to_bytes().unwrap()
    }
    pub fn note(&self, at: Ms, words: &str) -> Vec<u8> {
        self.body(at, None, Event::Note { words: words.into() })
    }
    pub fn check(&self, at: Ms) -> Vec<u8> {
        let check = Check { place: "bedroom".into(), activity: "reading".into(), evidence: vec![] };
        self.body(at, Some(STAY), Event::Check(check))
    }

    /// The next links over these blobs, signed; the head moves.
    pub fn batch_of(&mut self, bodies: Vec<Blob>) -> Batch {
        let batch = batch(&self.key, &self.head, bodies, Some(self.credential.clone()));
        self.head = end(&batch);
        batch
    }
    pub fn batch(&mut self, bodies: Vec<Vec<u8>>) -> Batch {
        self.batch_of(bodies.into_iter().map(Blob::Bytes).collect())
    }
    /// Pushes, and is sure of it.
    pub async fn push(&mut self, server: &impl Facility, bodies: Vec<Vec<u8>>) -> PushAnswer {
        let batch = self.batch(bodies);
        let answer = server.push(batch).await.unwrap();
        assert_eq!(answer.refused, None);
        assert_eq!(answer.receipt.unwrap().head, self.head);
        answer
    }

    pub fn ask(&self, from: FeedFrom) -> FeedAsk {
        FeedAsk {
            author: self.key.author(),
            ward: self.ward,
            from,
            limit: 1_000,
            wait_ms: 0,
            roster_version: u64::MAX,
            name: self.name.clone(),
            own_by_hash: false,
            trust: None,
            request: uuid::Uuid::nil(),
        }
    }
    /// The whole opening, and the cursor at its end.
    pub async fn opening(&self, server: &impl Facility, limit: u32) -> (Vec<FeedPage>, Cursor) {
        let (mut pages, mut from) = (Vec::new(), FeedFrom::Opening);
        loop {
            let page = server.feed(FeedAsk { limit, ..self.ask(from) }).await.unwrap();
            let next = page.header.next;
            assert!(page.header.rows.len() <= limit as usize);
            pages.push(page);
            match next {
                FeedNext::Opening(mark) => from = FeedFrom::OpeningNext(mark),
                FeedNext::Cursor(cursor) => return (pages, cursor),
            }
        }
    }
    /// Everything after a cursor, with the rolling hash worked out as a reader does.
    pub async fn read_from(&self, server: &impl Facility, mut cursor: Cursor) -> (Vec<Vec<u8>>, Cursor) {
        let mut bodies = Vec::new();
        loop {
            let page = server.feed(self.ask(FeedFrom::Cursor(cursor))).await.unwrap();
            let more = page.header.more;
            let (read, next) = follow(&page, cursor);
            bodies.extend(read);
            cursor = next;
            if !more {
                return (bodies, cursor);
            }
        }
    }
}

/// Reads a page by cursor: the bodies, and the cursor that the reader works out for itself.
pub fn follow(page: &FeedPage, mut cursor: Cursor) -> (Vec<Vec<u8>>, Cursor) {
    let mut bodies = Vec::new();
    for (row, blob) in page.header.rows.iter().zip(&page.bodies) {
        let Blob::Bytes(bytes) = blob else { panic!("a feed sends bytes") };
        assert_eq!(row.n, cursor.n + 1, "no row is skipped");
        let record = Body::parse(bytes).map_or(RecordId(Uuid::nil()), |b| b.envelope.id);
        cursor.hash = feed_hash(&cursor.hash, row.n, record, &body_hash(bytes));
        cursor.n = row.n;
        bodies.push(bytes.clone());
    }
    let FeedNext::Cursor(next) = page.header.next else { panic!("no page by cursor begins an opening") };
    assert_eq!(next, cursor, "the reader's own hash is the server's");
    (bodies, next)
}

pub fn bytes_of(pages: &[FeedPage]) -> Vec<Vec<u8>> {
    let blobs = pages.iter().flat_map(|p| &p.bodies);
    blobs.map(|b| if let Blob::Bytes(bytes) = b { bytes.clone() } else { panic!("a feed sends bytes") }).collect()
}

pub fn start(generation: Uuid) -> Cursor {
    Cursor { generation, n: 0, hash: Hash::ZERO, mac: None }
}

pub fn batch(key: &SigningKey, head: &Head, bodies: Vec<Blob>, credential: Option<Credential>) -> Batch {
    let mut batch = Batch {
        header: BatchHeader {
            facility: FacilityId(id(1)),
            author: key.author(),
            first_seq: head.seq + 1,
            prev: head.hash,
            signature: key.sign(b""),
            request: Surroundings::real().uuid(),
            credential,
            receipt: None,
        },
        bodies,
    };
    sign(&mut batch, key);
    batch
}

pub fn sign(batch: &mut Batch, key: &SigningKey) {
    batch.header.signature = key.sign(&end(batch).message(FacilityId(id(1))));
}

/// The head after a batch.
pub fn end(batch: &Batch) -> Head {
    let header = &batch.header;
    let mut head = Head { author: header.author, seq: header.first_seq - 1, hash: header.prev };
    for blob in &batch.bodies {
        head.seq += 1;
        head.hash = link_hash(head.author, head.seq, &head.hash, &blob.hash());
    }
    head
}

/// A patient who came in and has a level.
pub fn admission(pad: &Pad, stay: StayId, at: Ms) -> Vec<Vec<u8>> {
    let opened = StayOpened {
        patient: lamplight_domain::ids::PatientId(id(stay.0.as_u128() + 1_000)),
        mrn: "1".into(),
        family: "Garcia".into(),
        given: "Mateo".into(),
        born: chrono::NaiveDate::from_ymd_opt(1990, 1, 1).unwrap(),
    };
    let order = Order {
        level: Level::Intermittent { limit_minutes: 15 },
        ordered_by: "Dr A".into(),
        reason: "new".into(),
        until: None,
        replaces: vec![],
    };
    let events = [Event::StayOpened(opened), Event::StayPlaced { bed: "101A".into(), from: None }, Event::Order(order)];
    events.into_iter().map(|e| pad.body(at, Some(stay), e)).collect()
}
