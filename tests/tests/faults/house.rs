//! A small facility served in this process, and tablets on it: everything of both runs over the disk under watch.

use crate::logs;
use lamplight_domain::ids::{FacilityId, PatientId, RecordId, StaffId, StayId, WardId};
use lamplight_domain::kinds::{Event, Order, StayOpened};
use lamplight_domain::level::Level;
use lamplight_domain::record::Auth;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Bed, Facility, ListItem, Lists, Makes, Role, Roster, Settings, Staff, Tone, Ward};
use lamplight_server::facility::{Own, found};
use lamplight_server::{Running, Surroundings, serve};
use lamplight_tablet::{Options, Tablet};
use lamplight_tests::facility::lines;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use uuid::Uuid;

pub const WARD: WardId = WardId(Uuid::from_u128(10));
pub const TECHNICIAN: StaffId = StaffId(Uuid::from_u128(20));
pub const NURSE: StaffId = StaffId(Uuid::from_u128(21));
pub const STAY: StayId = StayId(Uuid::from_u128(30));
/// In every note and as the patient's name: looked for in every log.
pub const CANARY: &str = "Quennevilleau";

pub fn roster() -> Roster {
    let person = |id, family: &str, role| Staff {
        id,
        family: family.into(),
        given: "Ann".into(),
        number: "1".into(),
        role,
        wards: vec![WARD],
        active: true,
        until: None,
        pin: None,
    };
    let item = |code: &str| ListItem {
        code: code.into(),
        label: code.into(),
        hint: String::new(),
        tone: Tone::Plain,
        makes: Makes::Check,
        common: true,
        short: String::new(),
    };
    let bed = Bed { label: "101A".into(), room: "101".into(), area: "East".into() };
    Roster {
        version: 1,
        facility: Facility {
            id: FacilityId(Uuid::from_u128(1)),
            name: "Test Hospital".into(),
            zone: chrono_tz::America::New_York,
            demo: true,
        },
        wards: vec![Ward { id: WARD, name: "Willow Ward".into(), beds: vec![bed] }],
        staff: vec![person(TECHNICIAN, "Okafor", Role::Technician), person(NURSE, "Lindqvist", Role::Nurse)],
        tablets: vec![],
        lists: Lists {
            version: 1,
            places: ["bedroom", "day_room", "hallway"].map(item).into(),
            activities: ["eyes_closed", "resting", "tv", "walking", "with_peers", "calm"].map(item).into(),
            ..Lists::default()
        },
        settings: Settings::default(),
    }
}

/// A folder that goes when the test ends; in memory where there is such a place, since no test needs the real disk.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let builder = || tempfile::Builder::new().prefix("lamplight-faults-").tempdir_in(memory);
    if memory.is_dir() { builder().or_else(|_| tempfile::tempdir()).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// A facility with one patient, in a folder of its own, and who serves it.
pub struct House {
    pub root: TempDir,
    running: Option<Running>,
    pub address: SocketAddr,
}

impl House {
    pub async fn open() -> House {
        logs::listen();
        let root = folder();
        let data = root.path().join("server");
        tokio::task::spawn_blocking(move || drop(found(&data, &roster(), &Surroundings::real()).unwrap()))
            .await
            .unwrap();
        let mut house = House { root, running: None, address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) };
        house.serve(&house.data()).await;
        house.admit().await;
        house
    }

    pub fn data(&self) -> PathBuf {
        self.root.path().join("server")
    }
    pub fn dir(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// On the address that it had before.
    pub async fn serve(&mut self, data: &Path) {
        assert!(self.running.is_none(), "one at a time");
        let running = serve(data, self.address, lamplight_server::Options::default()).await.unwrap();
        self.address = running.address;
        self.running = Some(running);
    }

    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    pub async fn back_up(&self, to: &Path) {
        let (data, to) = (self.data(), to.to_owned());
        tokio::task::spawn_blocking(move || lamplight_server::backup(&data, &to)).await.unwrap().unwrap();
    }

    /// Serves a copy of that folder from now on, as somebody who restores a backup.
    pub async fn put_back(&mut self, from: &Path) {
        self.stop().await;
        std::fs::remove_dir_all(self.data()).unwrap();
        copy(from, &self.data());
        self.serve(&self.data()).await;
    }

    async fn admit(&self) {
        let opened = StayOpened {
            patient: PatientId(Uuid::from_u128(31)),
            mrn: "1".into(),
            family: CANARY.into(),
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
        for event in
            [Event::StayOpened(opened), Event::StayPlaced { bed: "101A".into(), from: None }, Event::Order(order)]
        {
            let own = Own { ward: WARD, stay: Some(STAY), by: Some(NURSE), event };
            self.running.as_ref().unwrap().facility().record(own).await.unwrap();
        }
    }

    pub async fn invite(&self, url: &str, uses: u32) -> String {
        let (data, url) = (self.data(), url.to_owned());
        let made = tokio::task::spawn_blocking(move || lamplight_server::invite(&data, "Willow Ward", &url, uses));
        let invite = made.await.unwrap().unwrap();
        logs::keep_secret(invite.code.clone());
        invite.to_string()
    }

    /// How many tablets the facility knows.
    pub fn tablets(&self) -> usize {
        self.running.as_ref().unwrap().facility().roster().tablets.len()
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub async fn tablet(&self, name: &str) -> Tablet {
        let tablet = open(&self.dir(name)).await.unwrap();
        let invite = self.invite(&self.url(), 1).await;
        tablet.join(&invite, "").await.unwrap();
        tablet
    }
}

/// The same small facility, served by the built program.
pub async fn facility() -> lamplight_tests::facility::Facility {
    let mut house = House::open().await;
    house.stop().await;
    let root = std::mem::replace(&mut house.root, folder());
    std::fs::rename(root.path().join("server"), root.path().join("data")).unwrap();
    tokio::task::spawn_blocking(move || lamplight_tests::facility::Facility::of(root).unwrap()).await.unwrap()
}

/// Nothing of a patient, no code and no key stands in anything that was logged.
impl Drop for House {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            logs::assert_clean(self.root.path());
        }
    }
}

pub async fn open(dir: &Path) -> Result<Tablet, Refusal> {
    let dir = dir.to_owned();
    tokio::task::spawn_blocking(move || Tablet::open(&dir, Options::default())).await.unwrap()
}

/// Ends a tablet's program: its files are free when this returns.
pub async fn close(tablet: Tablet) {
    tablet.stop();
    tokio::task::spawn_blocking(move || drop(tablet)).await.unwrap();
}

pub fn new_id() -> RecordId {
    RecordId(Uuid::now_v7())
}

/// A note under an id that the form has had since it was opened.
pub async fn note(tablet: &Tablet, id: RecordId) -> Result<(), Refusal> {
    let tablet = tablet.clone();
    let event = Event::Note { words: format!("{CANARY} slept well, {id}") };
    let saved = move || tablet.record(TECHNICIAN, Auth::Pin, Some(STAY), Some(id), event, None);
    tokio::task::spawn_blocking(saved).await.unwrap().map(|_| ())
}

/// Notes by id: the hashes of the bodies that stand under it.
pub type Notes = BTreeMap<String, Vec<String>>;

pub async fn notes_of(tablet: &Tablet) -> Notes {
    notes(&exported(tablet).await)
}

/// The ids of own notes that the tablet shows as confirmed.
pub async fn confirmed_notes(tablet: &Tablet) -> Vec<String> {
    let state = tablet.sync_state();
    let author = state.author.unwrap().to_string();
    let is_confirmed = |line: &&Value| {
        line["kind"] == "note" && line["author"] == *author && line["seq"].as_u64().unwrap() <= state.confirmed
    };
    exported(tablet).await.iter().filter(is_confirmed).map(|line| line["id"].as_str().unwrap().to_owned()).collect()
}

pub async fn exported(tablet: &Tablet) -> Vec<Value> {
    let tablet = tablet.clone();
    let export = move || {
        let mut out = Vec::new();
        tablet.export(&mut out).unwrap();
        out
    };
    lines(&String::from_utf8(tokio::task::spawn_blocking(export).await.unwrap()).unwrap()).unwrap()
}

/// Of a server's folder, once every chain and feed of it was walked.
pub async fn notes_at(data: &Path) -> Notes {
    notes(&lines_at(data).await)
}

pub async fn lines_at(data: &Path) -> Vec<Value> {
    let data = data.to_owned();
    let export = move || {
        lamplight_server::verify(&data).unwrap();
        let mut out = Vec::new();
        lamplight_server::export(&data, &mut out).unwrap();
        out
    };
    lines(&String::from_utf8(tokio::task::spawn_blocking(export).await.unwrap()).unwrap()).unwrap()
}

fn notes(lines: &[Value]) -> Notes {
    let mut notes = Notes::new();
    for line in lines.iter().filter(|line| line["kind"] == "note") {
        let text = |field: &str| line[field].as_str().unwrap().to_owned();
        notes.entry(text("id")).or_default().push(text("hash"));
    }
    notes
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let into = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &into)
        } else {
            {
                std::fs::copy(entry.path(), into).unwrap();
            }
        }
    }
}
