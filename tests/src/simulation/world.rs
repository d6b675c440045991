//! Who is there, and what must be true at every moment and in the end.

use super::ground::{Dice, Ground, PATIENTS_OF_A_WARD, START, TABLETS, WARDS, copy, fresh_folder, stay};
use super::ledger::{Holding, Ledger, settled};
use super::station::{Copy, Station};
use super::unit::{Flight, Unit, UnitClock};
use anyhow::{Context, Result, ensure};
use lamplight_domain::chain::{Hash, body_hash};
use lamplight_domain::ids::{RecordId, StayId};
use lamplight_domain::time::Ms;
use lamplight_domain::wire::Trouble;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;

/// Contacts of every tablet after the faults have stopped: a fork, a second one, and what others brought since.
const ROUNDS: usize = 6;
/// Questions of one contact; more is a loop.
const QUESTIONS: usize = 300;

pub struct World {
    folder: TempDir,
    folders: u32,
    devices: u64,
    pub truth: Arc<AtomicI64>,
    pub dice: Dice,
    pub station: Station,
    pub units: Vec<Unit>,
    pub images: Vec<Image>,
    pub backups: Vec<Copy>,
    pub by_hand: Vec<Copy>,
    pub ledger: Ledger,
    begun_with: BTreeSet<Hash>,
    /// Who was taken up without being in the census, and as whom the station joined them.
    pub taken_up: Vec<StayId>,
    pub joined: Vec<Joined>,
    /// Boards look back a day or two: after a month the ledger knows more than they.
    pub a_month_passed: bool,
    /// A wall clock was wrong: what counts as seen when is then the domain's own question.
    pub clocks_lied: bool,
}

/// The station wrote that two stays are one.
pub struct Joined {
    pub from: StayId,
    pub into: StayId,
    pub record: Hash,
}

/// A tablet's folder as it once was.
pub struct Image {
    pub dir: PathBuf,
    pub of: String,
    pub holding: Holding,
}

impl World {
    pub fn begin(ground: &Ground, seed: u64) -> Result<World> {
        let folder = fresh_folder()?;
        let (truth, dice) = (Arc::new(AtomicI64::new(START.0)), Dice::of(seed.wrapping_add(1)));
        let dir = folder.path().join("server");
        copy(&ground.server, &dir)?;
        let station = Station::open(dir, &truth, &dice)?;
        let begun_with = station.held.as_ref().clone();
        let mut units = Vec::new();
        for (n, template) in ground.tablets.iter().enumerate() {
            let dir = folder.path().join(format!("tablet-{n}"));
            copy(template, &dir)?;
            let name = format!("tablet {n}");
            let mut unit = Unit::open(name, dir, UnitClock::new(&truth, n as u64), &dice)?;
            unit.holding.must = unit.holds()?;
            units.push(unit);
        }
        let (images, backups, by_hand, ledger) = (Vec::new(), Vec::new(), Vec::new(), Ledger::default());
        let (folders, devices) = (0, TABLETS.len() as u64);
        let (taken_up, joined) = (Vec::new(), Vec::new());
        let (a_month_passed, clocks_lied) = (false, false);
        Ok(World {
            folder,
            folders,
            devices,
            truth,
            dice,
            station,
            units,
            images,
            backups,
            by_hand,
            ledger,
            begun_with,
            taken_up,
            joined,
            a_month_passed,
            clocks_lied,
        })
    }

    pub fn fresh_dir(&mut self) -> PathBuf {
        self.folders += 1;
        self.folder.path().join(format!("folder-{}", self.folders))
    }
    /// Of a device that was not there before: its boots are nobody else's.
    pub fn fresh_device(&mut self) -> u64 {
        self.devices += 1;
        self.devices
    }
    pub fn now(&self) -> Ms {
        Ms(self.truth.load(Ordering::SeqCst))
    }
    pub fn pass(&self, ms: i64) {
        self.truth.fetch_add(ms, Ordering::SeqCst);
    }
    /// A number that counts round; None where there is nobody.
    pub fn unit_of(&self, n: u8) -> usize {
        usize::from(n) % self.units.len()
    }

    /// What is true at every moment: a tablet that says nothing waits had everything at the server once.
    pub fn check_now(&self) -> Result<()> {
        for unit in &self.units {
            let state = unit.tablet.sync_state();
            ensure!(state.confirmed <= state.head, "I5: {} says more is confirmed than it wrote", unit.name);
            if state.waiting == 0 {
                let never = unit.holding.own.iter().find(|hash| !self.station.ever_held.contains(hash));
                if let Some(hash) = never {
                    anyhow::bail!(
                        "I5: {} says that nothing waits, and the server never had {}",
                        unit.name,
                        self.ledger.words(hash)
                    );
                }
            }
        }
        Ok(())
    }

    /// All faults stop; everybody is in touch again, and again. Then everything must be right.
    pub async fn settle(&mut self) -> Result<()> {
        for unit in &mut self.units {
            unit.hang_up().await;
        }
        let mut survived: BTreeSet<Hash> = self.station.held.as_ref().clone();
        for n in 0..self.units.len() {
            self.look(n, |_| false).context("when the faults stopped")?;
            let Holding { must, own, .. } = &self.units[n].holding;
            match self.station.has_revoked(&self.units[n].tablet) {
                // It may not read, so it hears of no restored server; what it saved itself it hands over.
                true => survived.extend(must.intersection(own)),
                false => survived.extend(must),
            }
        }
        let (mut troubles, mut before) = (Vec::new(), None);
        for round in 1..=ROUNDS {
            troubles.clear();
            // Not before the last: a clock's hourly measurement that is due in it would have nobody left to read it.
            if round < ROUNDS {
                self.pass(2_000);
            }
            for n in 0..self.units.len() {
                let (done, unit) = (self.whole(n).await?, &self.units[n]);
                if let Err(trouble) = done
                    && !(is_revoked(&trouble) && self.station.has_revoked(&unit.tablet))
                {
                    troubles.push(format!("{}: {trouble}", unit.name));
                }
                self.check_now()?;
            }
            // Until a round brings nothing new to anybody.
            let after = self.all_of_it()?;
            if troubles.is_empty() && before.replace(after) == Some(after) {
                break;
            }
        }
        ensure!(troubles.is_empty(), "I4: after {ROUNDS} rounds still {troubles:?}");
        for unit in &self.units {
            let waiting = unit.tablet.sync_state().waiting;
            ensure!(waiting == 0, "I4: {waiting} entries of {} wait for ever", unit.name);
        }
        let server = self.station.everything()?;
        settled(&self.ledger, &survived, &server, &self.begun_with)?;
        self.station.verify()?;
        self.losses_are_on_record(&server)?;
        self.replicas_agree()?;
        if !self.clocks_lied {
            self.boards_agree()?;
        }
        Ok(())
    }

    /// What everybody holds, as one hash: the same for the same history.
    pub fn all_of_it(&self) -> Result<Hash> {
        let mut all = Vec::new();
        for hash in self.station.everything()?.keys() {
            all.extend(hash.0);
        }
        for unit in &self.units {
            let state = unit.tablet.sync_state();
            all.extend(state.author.map_or([0; 16], |author| *author.0.as_bytes()));
            all.extend(state.head.to_be_bytes());
            unit.holds()?.iter().for_each(|hash| all.extend(hash.0));
        }
        Ok(body_hash(&all))
    }

    /// Looks at what a tablet holds.
    pub fn look(&mut self, n: usize, may_go: impl Fn(&Hash) -> bool) -> Result<()> {
        let unit = &mut self.units[n];
        let held = unit.holds()?;
        unit.holding.look(held, &self.ledger, &unit.name, may_go)
    }

    /// A whole contact with nothing in its way. What was under way before ends first.
    pub async fn whole(&mut self, n: usize) -> Result<Result<(), Trouble>> {
        for half in [super::story::Half::Send, super::story::Half::Listen] {
            if let Some(flight) = self.units[n].flight(half).take() {
                let _ = self.fly(n, flight).await?;
            }
        }
        let mut flight = self.units[n].begin_whole(self.station.times_restored);
        match flight.go_on().await? {
            Some(done) => Ok(done),
            None => self.fly(n, flight).await,
        }
    }

    /// Carries every question of a contact to its end.
    async fn fly(&mut self, n: usize, mut flight: Flight) -> Result<Result<(), Trouble>> {
        for _ in 0..QUESTIONS {
            let delivered = match (flight.held_up.take(), flight.ask().cloned()) {
                (Some(delivered), _) => delivered,
                (None, Some(ask)) => self.deliver(n, ask).await?,
                (None, None) => anyhow::bail!("a contact of {} asks nothing and does not end", self.units[n].name),
            };
            if let Some(done) = self.hand_over(n, &mut flight, delivered).await? {
                return Ok(done);
            }
        }
        anyhow::bail!("I4: one contact of {} asks more than {QUESTIONS} questions", self.units[n].name)
    }

    /// A backup that is put back may be older than what tablets have let go since: what is gone for good is said.
    fn losses_are_on_record(&self, server: &BTreeMap<Hash, (RecordId, String)>) -> Result<()> {
        let said = self.station.said_to_be_missing()?;
        for unit in self.readers() {
            let unsaid = |(link, hash): &(_, Hash)| !server.contains_key(hash) && !said.contains(link);
            let unsaid: Vec<_> = unit.had_confirmed()?.into_iter().filter(unsaid).collect();
            if let Some(((author, seq), hash)) = unsaid.first() {
                let (count, name, words) = (unsaid.len(), &unit.name, self.ledger.words(hash));
                anyhow::bail!(
                    "I1: {count} records that {name} had confirmed are gone and nobody says so, first {seq} of {author}: {words}"
                );
            }
        }
        Ok(())
    }

    fn replicas_agree(&self) -> Result<()> {
        for unit in self.readers() {
            let held = unit.holds()?;
            let day = self.station.feed_of_a_day(WARDS[unit.ward()])?;
            let lacks: Vec<_> = day.difference(&held).collect();
            if let Some(first) = lacks.first() {
                anyhow::bail!(
                    "{} lacks {} records of its ward, first {}",
                    unit.name,
                    lacks.len(),
                    self.ledger.words(first)
                );
            }
        }
        Ok(())
    }

    /// Those who may still read.
    fn readers(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter().filter(|unit| !self.station.has_revoked(&unit.tablet))
    }

    /// Every patient is on one ward's boards and on no other's, and all of them name the last check that the ledger
    /// knows, and the same due time.
    fn boards_agree(&self) -> Result<()> {
        let mut boards = Vec::new();
        for (number, ward) in WARDS.iter().enumerate() {
            boards.push((number, "the station".to_owned(), self.station.server.board(*ward)));
        }
        for unit in self.readers() {
            boards.push((unit.ward(), unit.name.clone(), unit.tablet.board()?));
        }
        let census = (0..WARDS.len()).flat_map(|ward| (0..PATIENTS_OF_A_WARD).map(move |n| stay(ward, n)));
        for of in census.chain(self.taken_up.iter().copied()) {
            let here = self.station.ward_of(of);
            ensure!(here.is_some() || self.taken_up.contains(&of), "I7: patient {of} is on no board of the station");
            let truth = self.last_check(of);
            for (number, whose, board) in &boards {
                let card = board.cards.iter().find(|card| card.stay == of);
                ensure!(
                    card.is_some() == (here == Some(*number)),
                    "I7: {whose}, ward {number}, {} patient {of}, who is on {here:?}",
                    if card.is_some() { "shows" } else { "lacks" }
                );
                let (Some(card), false) = (card, self.a_month_passed) else { continue };
                let seen = card.last_seen.as_ref().map(|seen| (seen.at, seen.record));
                ensure!(seen == truth, "I7: {whose} says {seen:?} of patient {of}, and it was {truth:?}");
                let due = truth.map(|(at, _)| at + 15 * 60_000);
                ensure!(
                    due.is_none() || card.due_at == due,
                    "I7: {whose} says {:?} is when patient {of} is due, and it is {due:?}",
                    card.due_at
                );
            }
        }
        Ok(())
    }

    /// By the ledger, of a patient who may be known under two stays.
    fn last_check(&self, of: StayId) -> Option<(Ms, RecordId)> {
        let held = &self.station.held;
        let also = self.joined.iter().filter(|joined| joined.into == of && held.contains(&joined.record));
        let stays = std::iter::once(of).chain(also.map(|joined| joined.from));
        stays.filter_map(|stay| self.ledger.last_check(stay, held)).max()
    }
}

fn is_revoked(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Refused(refusal) if refusal.code == "tablet.revoked")
}
