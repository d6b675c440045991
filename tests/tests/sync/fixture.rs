//! A demo facility behind a cable, and tablets on it.

use lamplight_domain::commands::{Entry, Pad, Save, Saved};
use lamplight_domain::ids::{RecordId, StayId, WardId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::Auth;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Bed, Roster, Ward as RosterWard};
use lamplight_domain::views::{Board, Card, PatientDay};
use lamplight_tablet::{Options, Tablet};
use lamplight_tests::cable::Cable;
use lamplight_tests::facility::{Facility, lines};
use lamplight_tests::hands::people;
use lamplight_tests::sim::tablet::Walk;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use uuid::Uuid;

/// The demo's second ward, where a test needs one.
pub const OAK: &str = "Oak Ward";
pub const OAK_ID: WardId = WardId(Uuid::from_u128(0x0A4));

pub struct Ward {
    pub facility: Facility,
    pub cable: Cable,
    pub invite: String,
}

impl Ward {
    pub fn open() -> Ward {
        let facility = Facility::demo().unwrap();
        let cable = Cable::to(facility.address).unwrap();
        let invite = facility.invite(&cable.url(), 20).unwrap();
        Ward { facility, cable, invite }
    }

    /// The demo facility with a second ward, as an administrator would have set it up before the server started.
    pub fn with_oak(change: impl FnOnce(&mut Roster)) -> Ward {
        let mut ward = Ward::open();
        assert!(ward.facility.stop().unwrap().success());
        let db = ward.database();
        let newest = "SELECT version, json FROM roster ORDER BY version DESC LIMIT 1";
        let (version, text): (i64, String) = db.query_row(newest, [], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
        let mut roster: Roster = serde_json::from_str(&text).unwrap();
        roster.version += 1;
        let bed = |label: &str| Bed { label: label.into(), room: label.into(), area: "West".into() };
        roster.wards.push(RosterWard { id: OAK_ID, name: OAK.into(), beds: vec![bed("201"), bed("202")] });
        change(&mut roster);
        let text = serde_json::to_string(&roster).unwrap();
        db.execute("INSERT INTO roster (version, changed_at, json) VALUES (?1, 0, ?2)", (version + 1, text)).unwrap();
        drop(db);
        ward.facility.start().unwrap();
        ward.cable.lead_to(ward.facility.address);
        ward
    }

    /// The server's own file.
    pub fn database(&self) -> rusqlite::Connection {
        let data = self.facility.data();
        let db = rusqlite::Connection::open(data.join("server.db")).unwrap();
        let key = std::fs::read_to_string(data.join("server.key")).unwrap();
        db.pragma_update(None, "key", format!("x'{}'", key.trim())).unwrap();
        db
    }

    pub fn dir(&self, name: &str) -> PathBuf {
        self.facility.folder().join(name)
    }

    /// A tablet that has joined and knows the ward.
    pub async fn tablet(&self, name: &str) -> Tablet {
        let tablet = Tablet::open(&self.dir(name), Options::default()).unwrap();
        tablet.join(&self.invite, "").await.unwrap();
        tablet.sync_now().await.unwrap();
        tablet
    }

    /// The same tablet after its program ended and started again.
    pub fn reopen(&self, name: &str, before: Tablet) -> Tablet {
        before.stop();
        drop(before);
        Tablet::open(&self.dir(name), Options::default()).unwrap()
    }

    /// Somebody of the demo who can sign in on this tablet: (staff id, PIN).
    pub async fn login(&self, tablet: &Tablet, role: &str, nth: usize) -> (String, String) {
        let people = people(tablet, &self.facility).await.unwrap();
        let person = people.into_iter().filter(|p| p.role == role).nth(nth).unwrap();
        (person.staff, person.pin)
    }

    pub async fn sign_in(&self, tablet: &Tablet, role: &str) {
        let (staff, pin) = self.login(tablet, role, 0).await;
        tablet.call("sign_in", json!({ "staff": staff, "pin": pin })).await.unwrap();
    }

    /// Body hashes by id of everything that the server holds.
    pub fn server_holds(&self) -> Holdings {
        Holdings::of(&self.facility.export().unwrap())
    }
}

/// A tablet's records as its export says.
pub fn exported(tablet: &Tablet) -> Vec<Value> {
    let mut out = Vec::new();
    let n = tablet.export(&mut out).unwrap();
    let lines = lines(&String::from_utf8(out).unwrap()).unwrap();
    assert_eq!(lines.len() as u64, n, "export says how many lines it wrote");
    lines
}

pub fn holds(tablet: &Tablet) -> Holdings {
    Holdings::of(&exported(tablet))
}

/// (id, hash of the body) and how often; the author of each link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    pub bodies: BTreeMap<(String, String), usize>,
    /// (author, seq) to the hash of the body that the link names.
    pub links: BTreeMap<(String, u64), String>,
    /// Kind by id.
    pub kinds: BTreeMap<String, String>,
}

impl Holdings {
    pub fn of(lines: &[Value]) -> Holdings {
        let mut holdings = Holdings::default();
        // The audit is of the facility, on no tablet, and grows with every export.
        for line in lines.iter().filter(|line| line["kind"] != "audit") {
            let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
            let hash = text("hash");
            assert_eq!(hash.len(), 64, "an export line without the hash of its body: {line}");
            *holdings.bodies.entry((text("id"), hash.clone())).or_default() += 1;
            holdings.kinds.insert(text("id"), text("kind"));
            holdings.links.insert((text("author"), line["seq"].as_u64().unwrap_or_default()), hash);
        }
        holdings
    }

    /// Ids that stand for more than one body, or for one body in more than one line: something was written down twice.
    pub fn doubled(&self) -> Vec<String> {
        let mut lines: BTreeMap<&String, usize> = BTreeMap::new();
        for ((id, _), count) in self.bodies.iter().filter(|((id, _), _)| !id.is_empty()) {
            *lines.entry(id).or_default() += count;
        }
        lines.into_iter().filter(|(_, count)| *count > 1).map(|(id, _)| id.clone()).collect()
    }

    /// What is here and not in `other`.
    pub fn missing_from(&self, other: &Holdings) -> Vec<String> {
        self.bodies.keys().filter(|k| !other.bodies.contains_key(*k)).map(|(id, _)| id.clone()).collect()
    }

    /// The links of one author, in order.
    pub fn chain(&self, author: &str) -> Vec<(u64, String)> {
        self.links.iter().filter(|((a, _), _)| a == author).map(|((_, seq), hash)| (*seq, hash.clone())).collect()
    }
}

/// A command with typed arguments and reply.
pub async fn ask<R: DeserializeOwned>(tablet: &Tablet, command: &str, args: impl Serialize) -> Result<R, Refusal> {
    let reply = tablet.call(command, serde_json::to_value(args).unwrap()).await?;
    Ok(serde_json::from_value(reply).unwrap())
}

pub async fn board(tablet: &Tablet) -> Board {
    ask(tablet, "board", json!({})).await.unwrap()
}

pub async fn card(tablet: &Tablet, stay: StayId) -> Card {
    board(tablet).await.cards.into_iter().find(|c| c.stay == stay).unwrap()
}

pub async fn day(tablet: &Tablet, stay: StayId) -> PatientDay {
    ask(tablet, "day", json!({ "stay": stay, "date": null })).await.unwrap()
}

pub async fn pad(tablet: &Tablet, stay: StayId) -> Pad {
    ask(tablet, "pad", json!({ "stay": stay })).await.unwrap()
}

/// Opens the pad and saves one entry, as the screen does.
pub async fn save(tablet: &Tablet, stay: StayId, entry: Entry) -> Result<Saved, Refusal> {
    let id = pad(tablet, stay).await.draft;
    ask(tablet, "save", Save { id, stay, entry, observed_at: None, tapped_at: None }).await
}

pub fn seen() -> Entry {
    Entry::Check { place: "hallway".into(), activity: "walking".into(), evidence: vec![] }
}

/// Records a note without a session, as a program of this house may.
pub fn note(tablet: &Tablet, walk: &Walk, n: usize, words: &str) -> RecordId {
    let stay = walk.stays[n % walk.stays.len()];
    let event = Event::Note { words: words.to_owned() };
    tablet.record(Some(walk.technician), Auth::Pin, Some(stay), None, event, None).unwrap().record
}
