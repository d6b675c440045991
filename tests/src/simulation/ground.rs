//! What every history begins with: a facility of two wards and three tablets that have joined and read their ward. Made
//! once a process, and copied.

use super::line::Ask;
use super::unit::UnitClock;
use anyhow::{Context, Result};
use lamplight_domain::chain::body_hash;
use lamplight_domain::ids::{FacilityId, PatientId, StaffId, StayId, WardId};
use lamplight_domain::kinds::{Event, Order, StayOpened};
use lamplight_domain::level::Level;
use lamplight_domain::roster::{Bed, Facility, ListItem, Lists, Makes, Role, Roster, Settings, Staff, Tone, Ward};
use lamplight_domain::time::{HOUR_MS, Ms};
use lamplight_server::facility::{Inviting, Own, found, make_invite};
use lamplight_server::{FacilityServer, Surroundings};
use lamplight_tablet::{Options, Tablet};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use uuid::Uuid;

/// 2026-11-22 02:47 in New York: a night.
pub const START: Ms = Ms(1_795_333_630_000);
pub const WARDS: [WardId; 2] = [WardId(Uuid::from_u128(0xA1)), WardId(Uuid::from_u128(0xA2))];
pub const TECHNICIAN: StaffId = StaffId(Uuid::from_u128(0x71));
pub const NURSE: StaffId = StaffId(Uuid::from_u128(0x72));
pub const PATIENTS_OF_A_WARD: usize = 4;
/// The ward of each tablet.
pub const TABLETS: [usize; 3] = [0, 0, 1];
/// Is in every patient's name, and must be in no log.
pub const CANARY: &str = "Kanarienvogel";

/// The stay of the `n`-th patient of a ward.
pub fn stay(ward: usize, n: usize) -> StayId {
    StayId(Uuid::from_u128(0x5000 + (ward * 0x100 + n % PATIENTS_OF_A_WARD) as u128))
}

/// A patient of either ward; the number counts round.
pub fn patient_of(n: u8) -> StayId {
    stay(usize::from(n) % WARDS.len(), usize::from(n) / WARDS.len())
}

/// Bytes from a seed, the same for the same seed and order of asking: SHA-256 of the seed and a counter.
#[derive(Clone)]
pub struct Dice {
    seed: u64,
    thrown: Arc<AtomicU64>,
}

impl Dice {
    pub fn of(seed: u64) -> Dice {
        Dice { seed, thrown: Arc::default() }
    }
    pub fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(32) {
            let n = self.thrown.fetch_add(1, Ordering::Relaxed);
            let random = body_hash(&[self.seed.to_le_bytes(), n.to_le_bytes()].concat()).0;
            part.copy_from_slice(&random[..part.len()]);
        }
    }
}

pub fn surroundings(truth: &Arc<AtomicI64>, dice: &Dice) -> Surroundings {
    let (truth, dice) = (truth.clone(), dice.clone());
    Surroundings::new(move || Ms(truth.load(Ordering::SeqCst)), move |bytes| dice.fill(bytes))
}

pub fn open_tablet(dir: &Path, clock: &Arc<UnitClock>, dice: &Dice) -> Result<Tablet> {
    let dice = dice.clone();
    let mut options = Options::default();
    // Histories go on with a tablet that was taken out of use.
    options.lets_go = false;
    options.clock = clock.clone();
    options.chance = Arc::new(move |bytes| {
        dice.fill(bytes);
        Ok(())
    });
    Ok(Tablet::open(dir, options)?)
}

/// A folder in memory where there is one: a history waits for no disk. Power cuts have tests of their own.
pub fn fresh_folder() -> Result<TempDir> {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { TempDir::with_prefix_in("lamplight-", memory) } else { TempDir::new() };
    folder.context("no folder for the histories")
}

/// The files of a folder as they are, while somebody has them open: what is there after a kill. Without the lock, and
/// without SQLite's index of its log, which a fresh start makes anew.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else if name == "reserve" {
            // Never written, only removed: the same file does for all.
            std::fs::hard_link(&path, to.join(name))?;
        } else if name == "second-copy" {
            // Written full of zeros first: a hole reads the same.
            let bytes = std::fs::read(&path)?;
            let written = bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
            let file = std::fs::File::create(to.join(name))?;
            file.write_all_at(&bytes[..written], 0)?;
            file.set_len(bytes.len() as u64)?;
        } else if name != "in-use" && name != "serve.lock" && !name.ends_with("-shm") {
            std::fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

pub struct Ground {
    _folder: TempDir,
    pub server: PathBuf,
    pub tablets: Vec<PathBuf>,
}

impl Ground {
    pub async fn make() -> Result<Ground> {
        let folder = fresh_folder()?;
        let (truth, dice) = (Arc::new(AtomicI64::new(START.0 - HOUR_MS)), Dice::of(0));
        let around = surroundings(&truth, &dice);
        let path = folder.path().join("server");
        let (db, identity) = found(&path, &roster(), &around)?;
        let server = FacilityServer::open(&path, around.clone())?;
        for (number, ward) in WARDS.iter().enumerate() {
            for n in 0..PATIENTS_OF_A_WARD {
                for event in admission(number, n) {
                    let stay = Some(stay(number, n));
                    server.record(Own { ward: *ward, stay, by: Some(NURSE), event }).await?;
                }
            }
        }
        let mut tablets = Vec::new();
        for (n, ward) in TABLETS.iter().enumerate() {
            let dir = folder.path().join(format!("tablet-{n}"));
            let clock = UnitClock::new(&truth, n as u64);
            let tablet = open_tablet(&dir, &clock, &dice)?;
            let inviting = Inviting {
                ward: WARDS[*ward],
                url: "https://127.0.0.1:1",
                uses: 1,
                good_for_ms: HOUR_MS,
                by: None,
                replaces: None,
            };
            let invite = make_invite(&db, &identity, &around, &inviting)?;
            tablet.join_over(&server, &invite, "").await?;
            tablet.sync_over(&server).await?;
            tablets.push(dir);
        }
        drop(db);
        server.close().await;
        Ok(Ground { _folder: folder, server: path, tablets })
    }
}

/// Everything that an earlier request asked, to be asked again.
#[derive(Clone, Default)]
pub struct Asked(Arc<Mutex<Vec<Ask>>>);

impl Asked {
    pub fn note(&self, ask: &Ask) {
        if matches!(ask, Ask::Push(_) | Ask::Feed(_) | Ask::Offer(_)) {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(ask.clone());
        }
    }
    pub fn one(&self, which: u8) -> Option<Ask> {
        let asked = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if asked.is_empty() { None } else { asked.get(usize::from(which) % asked.len()).cloned() }
    }
}

fn admission(ward: usize, n: usize) -> [Event; 3] {
    let number = (ward * PATIENTS_OF_A_WARD + n) as u128;
    let opened = StayOpened {
        patient: PatientId(Uuid::from_u128(0x9000 + number)),
        mrn: format!("{number:08}"),
        family: format!("{CANARY}-{number}"),
        given: "Mateo".into(),
        born: chrono::NaiveDate::from_ymd_opt(1991, 3, 12).unwrap_or_default(),
    };
    let order = Order {
        level: Level::Intermittent { limit_minutes: 15 },
        ordered_by: "Dr A. Patel".into(),
        reason: "new leaving risk".into(),
        until: None,
        replaces: vec![],
    };
    [Event::StayOpened(opened), Event::StayPlaced { bed: format!("10{n}A"), from: None }, Event::Order(order)]
}

fn roster() -> Roster {
    let person = |id, family: &str, role| Staff {
        id,
        family: family.into(),
        given: "Maya".into(),
        number: "MHT 2304".into(),
        role,
        wards: WARDS.to_vec(),
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
    let ward = |id, name: &str| Ward {
        id,
        name: name.into(),
        beds: (0..PATIENTS_OF_A_WARD)
            .map(|n| Bed { label: format!("10{n}A"), room: format!("10{n}"), area: "East".into() })
            .collect(),
    };
    Roster {
        version: 1,
        facility: Facility {
            id: FacilityId(Uuid::from_u128(0xFA)),
            name: "Alder".into(),
            zone: chrono_tz::America::New_York,
            demo: false,
        },
        wards: vec![ward(WARDS[0], "Willow"), ward(WARDS[1], "Oak")],
        staff: vec![person(TECHNICIAN, "Okafor", Role::Technician), person(NURSE, "Lindqvist", Role::Nurse)],
        tablets: vec![],
        lists: Lists {
            version: 1,
            places: vec![item("bedroom")],
            activities: vec![item("resting")],
            not_done: vec![item("emergency")],
            ..Lists::default()
        },
        settings: Settings::default(),
    }
}
