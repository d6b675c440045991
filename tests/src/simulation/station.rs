//! The server's side of a history: its folder, what it holds, its backups.

use super::ground::{Dice, NURSE, WARDS, copy, patient_of, stay, surroundings};
use super::ledger::Ledger;
use super::line::{Answer, Ask};
use super::story::Poison;
use super::unit::Delivered;
use anyhow::{Context, Result, ensure};
use lamplight_domain::chain::{Credential, Endorser, Hash, SigningKey, body_hash, link_hash};
use lamplight_domain::ids::{AuthorId, RecordId, StayId, TabletId, WardId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::Body;
use lamplight_domain::time::HOUR_MS;
use lamplight_domain::wire::{Batch, BatchHeader, Blob, Facility, Trouble};
use lamplight_server::facility::{Identity, Own};
use lamplight_server::folder::Folder;
use lamplight_server::{FacilityServer, Surroundings, commands, store};
use lamplight_tablet::Tablet;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use uuid::Uuid;

pub struct Station {
    pub dir: PathBuf,
    pub server: FacilityServer,
    around: Surroundings,
    /// Reads beside the server.
    db: Connection,
    read_up_to: i64,
    /// Hashes of the bodies that it holds.
    pub held: Arc<BTreeSet<Hash>>,
    /// And of all that it ever held.
    pub ever_held: BTreeSet<Hash>,
    pub times_restored: u32,
    dice: Dice,
}

impl Station {
    pub fn open(dir: PathBuf, truth: &Arc<AtomicI64>, dice: &Dice) -> Result<Station> {
        let around = surroundings(truth, dice);
        let server = FacilityServer::open(&dir, around.clone()).context("the server does not start")?;
        let db = beside(&dir)?;
        let (held, ever_held) = (Arc::default(), BTreeSet::new());
        let mut station =
            Station { dir, server, around, db, read_up_to: 0, held, ever_held, times_restored: 0, dice: dice.clone() };
        station.look()?;
        Ok(station)
    }

    /// Reads what came in since the last time.
    pub fn look(&mut self) -> Result<()> {
        let mut statement = self.db.prepare_cached("SELECT no, hash FROM bodies WHERE no > ?1 ORDER BY no")?;
        let mut rows = statement.query([self.read_up_to])?;
        while let Some(row) = rows.next()? {
            self.read_up_to = row.get(0)?;
            let hash = Hash(row.get(1)?);
            Arc::make_mut(&mut self.held).insert(hash);
            self.ever_held.insert(hash);
        }
        Ok(())
    }

    pub async fn deliver(&mut self, ask: Ask) -> Result<Delivered> {
        let answer = ask.at(&self.server).await;
        self.look()?;
        Ok(Delivered { answer, held: self.held.clone() })
    }

    /// A nurse writes something down at the station.
    pub async fn note(&mut self, patient: u8, ledger: &mut Ledger) -> Result<()> {
        let event = Event::Note { words: format!("station {patient}") };
        let ward = WARDS[usize::from(patient) % WARDS.len()];
        self.write(ward, patient_of(patient), event, ledger).await.map(|_| ())
    }

    /// Gives back the hash of the record.
    pub async fn write(&mut self, ward: WardId, of: StayId, event: Event, ledger: &mut Ledger) -> Result<Hash> {
        let before = self.held.clone();
        let own = Own { ward, stay: Some(of), by: Some(NURSE), event };
        self.server.record(own).await.context("the station does not write")?;
        self.wrote_beside(&before, ledger)?;
        self.held.difference(&before).next().copied().context("what the station wrote is not there")
    }

    fn wrote_beside(&mut self, before: &BTreeSet<Hash>, ledger: &mut Ledger) -> Result<()> {
        self.look()?;
        ledger.others.extend(self.held.difference(before));
        Ok(())
    }

    /// The command beside the server; what it refuses changes nothing.
    pub async fn move_or_revoke(&mut self, name: &str, to: Option<&str>, ledger: &mut Ledger) -> Result<()> {
        let before = self.held.clone();
        let _ = match to {
            Some(ward) => commands::move_tablet_at(&self.dir, name, ward, &self.around),
            None => commands::revoke_tablet_at(&self.dir, name, "lost", &self.around),
        };
        self.server.notice_changes().await.context("the server does not notice")?;
        self.wrote_beside(&before, ledger)
    }

    /// The roster of now says that this device is out of use.
    pub fn has_revoked(&self, tablet: &Tablet) -> bool {
        let roster = self.server.roster();
        let name = tablet.name();
        roster.tablets.iter().any(|known| Some(&known.name) == name.as_ref() && known.revoked)
    }

    /// Where a patient is, as the station says: the ward's number.
    pub fn ward_of(&self, of: StayId) -> Option<usize> {
        WARDS.iter().position(|ward| self.server.board(*ward).cards.iter().any(|card| card.stay == of))
    }

    /// A push that breaks every rule but those of the envelope, by an author whom the facility vouches for.
    pub async fn poison(
        &mut self,
        what: Poison,
        same_id: Option<(RecordId, StayId)>,
        ledger: &mut Ledger,
    ) -> Result<()> {
        let identity = Identity::read(&self.db)?;
        let key = SigningKey::from_seed(&self.around.bytes());
        let tablet = TabletId(self.around.uuid());
        let facility = identity.facility;
        let credential = Credential::sign(&identity.key, Endorser::Facility, facility, key.public(), Some(tablet));
        let bytes = self.poisonous(what, same_id, facility.0);
        let hash = body_hash(&bytes);
        let author = key.author();
        let head = lamplight_domain::chain::Head { author, seq: 1, hash: link_hash(author, 1, &Hash::ZERO, &hash) };
        let header = BatchHeader {
            facility,
            author,
            first_seq: 1,
            prev: Hash::ZERO,
            signature: key.sign(&head.message(facility)),
            request: self.around.uuid(),
            credential: Some(credential),
            receipt: None,
        };
        let answer = self.server.push(Batch { header, bodies: vec![Blob::Bytes(bytes)] }).await;
        let taken = answer.as_ref().is_ok_and(|answer| answer.refused.is_none());
        ensure!(taken, "what is odd must be taken and flagged, and it was answered {answer:?}");
        self.look()?;
        ledger.others.insert(hash);
        Ok(())
    }

    fn poisonous(&self, what: Poison, same_id: Option<(RecordId, StayId)>, facility: Uuid) -> Vec<u8> {
        let now = self.around.now();
        let (id, of) = same_id.unwrap_or((self.around.record_id(), stay(0, 0)));
        let id = if what == Poison::SameId { id } else { self.around.record_id() };
        let (kind, kind_v, at) = match what {
            Poison::UnknownKind => ("tea.served", 1, now),
            Poison::NewerVersion => ("check", 7, now),
            Poison::Future => ("check", 1, now + 365 * 24 * HOUR_MS),
            Poison::NotJson => return [b"\0not json ".as_slice(), &self.around.bytes::<8>()].concat(),
            Poison::SameId => ("note", 1, now),
        };
        let data = if kind == "check" {
            serde_json::json!({ "place": "moon", "activity": "\u{202e}flying" })
        } else {
            serde_json::json!({ "words": "=1+1", "sugar": [1, null] })
        };
        let body = serde_json::json!({
            "v": 1, "id": id, "kind": kind, "kind_v": kind_v, "facility": facility, "ward": WARDS[0], "stay": of,
            "auth": "pin", "observed_at": at, "recorded_at": at, "unknown": { "deep": [[[]]] }, "data": data,
        });
        serde_json::to_vec(&body).unwrap_or_default()
    }

    /// Ends without warning: what goes on is in `dir`, made from the files as they were.
    pub fn end_and_start(&mut self, dir: PathBuf, truth: &Arc<AtomicI64>) -> Result<()> {
        let held = self.held.clone();
        self.go_on_from(dir, truth)?;
        let lost = held.difference(&self.held).count();
        ensure!(lost == 0, "the server lost {lost} records that it had committed");
        Ok(())
    }

    /// Serves another folder in place of this one, which goes.
    fn go_on_from(&mut self, dir: PathBuf, truth: &Arc<AtomicI64>) -> Result<()> {
        let mut next = Station::open(dir, truth, &self.dice)?;
        next.ever_held.append(&mut self.ever_held);
        next.times_restored = self.times_restored;
        let old = std::mem::replace(self, next);
        let path = old.dir.clone();
        drop(old);
        let _ = std::fs::remove_dir_all(path);
        Ok(())
    }

    /// The folder as it is, as somebody copies it who knows no `backup`.
    pub fn copy_by_hand(&self, to: PathBuf) -> Result<Copy> {
        copy(&self.dir, &to)?;
        Ok(Copy { dir: to, held: self.held.clone() })
    }

    pub fn back_up(&self, to: PathBuf) -> Result<Copy> {
        commands::backup_at(&self.dir, &to, &self.around)?;
        Ok(Copy { dir: to, held: self.held.clone() })
    }

    /// Serves a copy in place of what there was.
    pub fn put_back(&mut self, of: &Copy, dir: PathBuf, truth: &Arc<AtomicI64>) -> Result<()> {
        copy(&of.dir, &dir)?;
        self.go_on_from(dir, truth)?;
        self.times_restored += 1;
        let missing = of.held.difference(&self.held).count();
        ensure!(missing == 0, "{missing} records of a backup are not in it");
        Ok(())
    }

    /// Every body by its hash: its id and kind.
    pub fn everything(&self) -> Result<BTreeMap<Hash, (RecordId, String)>> {
        let mut statement = self.db.prepare("SELECT hash, id, kind FROM bodies")?;
        let rows = statement
            .query_map([], |row| Ok((Hash(row.get(0)?), (RecordId(Uuid::from_bytes(row.get(1)?)), row.get(2)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What tablets put on record as lost: own links by author and number.
    pub fn said_to_be_missing(&self) -> Result<BTreeSet<(AuthorId, u64)>> {
        let mut statement = self.db.prepare("SELECT bytes FROM bodies WHERE kind = 'records.missing'")?;
        let mut said = BTreeSet::new();
        for bytes in statement.query_map([], |row| row.get::<_, Vec<u8>>(0))? {
            if let Some(Event::RecordsMissing(missing)) = Body::parse(&bytes?)?.event {
                let numbers = missing.ranges.iter().flat_map(|(first, last)| *first..=*last);
                said.extend(numbers.map(|seq| (missing.author, seq)));
            }
        }
        Ok(said)
    }

    /// What a fresh reader of a ward would be given of the last day.
    pub fn feed_of_a_day(&self, ward: WardId) -> Result<BTreeSet<Hash>> {
        let mut statement = self.db.prepare(
            "SELECT b.hash FROM feed f JOIN bodies b ON b.no = f.body JOIN wards w ON w.no = f.ward
             WHERE w.id = ?1 AND f.observed_at >= ?2",
        )?;
        let since = self.around.now() - 24 * HOUR_MS;
        let rows = statement.query_map(rusqlite::params![ward.0.as_bytes(), since.0], |row| Ok(Hash(row.get(0)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub fn verify(&self) -> Result<()> {
        commands::verify(&self.dir).context("I3")?;
        Ok(())
    }
}

/// A copy of the server's folder that is never served itself.
pub struct Copy {
    pub dir: PathBuf,
    pub held: Arc<BTreeSet<Hash>>,
}

pub fn is_receipt(answer: &Result<Answer, Trouble>) -> Option<lamplight_domain::chain::Receipt> {
    match answer {
        Ok(Answer::Push(answer)) => answer.receipt,
        _ => None,
    }
}

fn beside(dir: &std::path::Path) -> Result<Connection> {
    let folder = Folder::existing(dir)?;
    Ok(store::connect(&folder.database(), &folder.key()?)?)
}
