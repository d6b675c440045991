//! One tablet of a history: its folder, its clocks, the contacts that are under way.

use super::ground::{Asked, Dice, TECHNICIAN, WARDS, copy, open_tablet};
use super::ledger::Holding;
use super::line::{Answer, Ask, Call, Line, cut};
use super::story::Half;
use anyhow::{Context, Result};
use lamplight_domain::chain::Hash;
use lamplight_domain::ids::{AuthorId, RecordId, StaffId, StayId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::Auth;
use lamplight_domain::time::{Clocks, Ms};
use lamplight_domain::wire::{Evidence, OwnChain, Trouble};
use lamplight_tablet::{Clock, Tablet};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Of this machine: what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// The true time, the device's wall clock beside it, and its boot clock.
pub struct UnitClock {
    truth: Arc<AtomicI64>,
    wall_error_ms: AtomicI64,
    boots: AtomicU64,
    booted_at: AtomicI64,
    device: u64,
}

impl UnitClock {
    pub fn new(truth: &Arc<AtomicI64>, device: u64) -> Arc<UnitClock> {
        let booted_at = truth.load(Ordering::SeqCst) - 1_000;
        Arc::new(UnitClock {
            truth: truth.clone(),
            wall_error_ms: AtomicI64::new(0),
            boots: AtomicU64::new(1),
            booted_at: AtomicI64::new(booted_at),
            device,
        })
    }
    pub fn jump(&self, ms: i64) {
        self.wall_error_ms.fetch_add(ms, Ordering::SeqCst);
    }
    pub fn boot(&self) {
        self.boots.fetch_add(1, Ordering::SeqCst);
        self.booted_at.store(self.truth.load(Ordering::SeqCst) - 1_000, Ordering::SeqCst);
    }
    /// A second device's clock that stands as this one's does.
    pub fn of_clone(&self, device: u64) -> Arc<UnitClock> {
        let clock = UnitClock::new(&self.truth, device);
        clock.jump(self.wall_error_ms.load(Ordering::SeqCst));
        clock
    }
}

impl Clock for UnitClock {
    fn read(&self) -> Clocks {
        let truth = self.truth.load(Ordering::SeqCst);
        Clocks {
            wall: Ms(truth + self.wall_error_ms.load(Ordering::SeqCst)),
            boot_id: Uuid::from_u64_pair(self.device + 1, self.boots.load(Ordering::SeqCst)),
            boot_ms: truth - self.booted_at.load(Ordering::SeqCst),
        }
    }
}

/// A contact that is under way: it waits at its next question, or for its answer.
pub struct Flight {
    task: JoinHandle<Result<(), Trouble>>,
    tablet: Tablet,
    calls: mpsc::UnboundedReceiver<Call>,
    call: Option<Call>,
    pub half: Half,
    /// How often the server had been put back when it began.
    pub times_restored: u32,
    /// What the server said to it, on its way.
    pub held_up: Option<Delivered>,
}

#[derive(Clone)]
pub struct Delivered {
    pub answer: Result<Answer, Trouble>,
    /// What the server held when it answered.
    pub held: Arc<BTreeSet<Hash>>,
}

impl Flight {
    fn begin(tablet: &Tablet, half: Half, whole: bool, times_restored: u32) -> Flight {
        let (line, calls) = mpsc::unbounded_channel();
        let (tablet, of, line) = (tablet.clone(), tablet.clone(), Line(line));
        let task = tokio::spawn(async move {
            match half {
                _ if whole => tablet.sync_over(&line).await.map(|_| ()),
                Half::Send => tablet.send_over(&line, true).await.map(|_| ()),
                Half::Listen => tablet.listen_over(&line).await.map(|_| ()),
            }
        });
        Flight { task, tablet: of, calls, call: None, half, times_restored, held_up: None }
    }

    pub fn ask(&self) -> Option<&Ask> {
        self.call.as_ref().map(|call| &call.ask)
    }

    /// Hands the answer over.
    pub fn answer(&mut self, answer: Result<Answer, Trouble>) {
        if let Some(call) = self.call.take() {
            let _ = call.answer.send(answer);
        }
    }

    /// Goes on to the next question: None where there is one, else how the contact ended. Nothing else of the tablet
    /// runs meanwhile, so a history is the same however the threads are scheduled.
    pub async fn go_on(&mut self) -> Result<Option<Result<(), Trouble>>> {
        let next = tokio::time::timeout(PATIENCE, self.calls.recv()).await;
        match next.context("a contact neither asks nor ends")? {
            Some(call) => {
                self.call = Some(call);
                // What is made ready while the question is under way is ready before anything else happens.
                while self.tablet.is_at_work() {
                    tokio::task::yield_now().await;
                }
                Ok(None)
            }
            None => Ok(Some((&mut self.task).await.context("a contact panicked")?)),
        }
    }

    pub async fn abandon(mut self) {
        self.answer(Err(cut()));
        self.task.abort();
        let _ = self.task.await;
    }
}

pub struct Unit {
    pub name: String,
    pub dir: PathBuf,
    pub clock: Arc<UnitClock>,
    pub dice: Dice,
    pub tablet: Tablet,
    pub send: Option<Flight>,
    pub listen: Option<Flight>,
    pub asked: Asked,
    /// The newest answer of each sort, for whoever asks next.
    pub answered: Vec<Answer>,
    /// What it must hold.
    pub holding: Holding,
    /// Patients whom its census did not have.
    pub took_up: Vec<StayId>,
    /// The last entry saved on it: of whom, by whom, what.
    pub last: Option<(RecordId, StayId, Event)>,
}

impl Unit {
    pub fn open(name: String, dir: PathBuf, clock: Arc<UnitClock>, dice: &Dice) -> Result<Unit> {
        let tablet = open_tablet(&dir, &clock, dice).with_context(|| format!("{name} does not start"))?;
        Ok(Unit {
            name,
            dir,
            clock,
            dice: dice.clone(),
            tablet,
            send: None,
            listen: None,
            asked: Asked::default(),
            answered: Vec::new(),
            holding: Holding::default(),
            took_up: Vec::new(),
            last: None,
        })
    }

    /// Of its ward's number; a tablet that was moved goes over at its next contact.
    pub fn ward(&self) -> usize {
        let ward = self.tablet.ward();
        WARDS.iter().position(|id| Some(*id) == ward).unwrap_or_default()
    }

    pub fn flight(&mut self, half: Half) -> &mut Option<Flight> {
        match half {
            Half::Send => &mut self.send,
            Half::Listen => &mut self.listen,
        }
    }
    pub fn begin(&self, half: Half, times_restored: u32) -> Flight {
        Flight::begin(&self.tablet, half, false, times_restored)
    }
    pub fn begin_whole(&self, times_restored: u32) -> Flight {
        Flight::begin(&self.tablet, Half::Send, true, times_restored)
    }

    /// What it was doing over the network ends there.
    pub async fn hang_up(&mut self) {
        for flight in [self.send.take(), self.listen.take()].into_iter().flatten() {
            flight.abandon().await;
        }
    }

    /// Its files as they are this moment, in a folder of their own.
    pub fn image(&self, to: &Path) -> Result<()> {
        copy(&self.dir, to)
    }

    /// Ends without warning: what goes on is in `dir`, made from the files as they were.
    pub async fn end_and_start(&mut self, dir: PathBuf) -> Result<()> {
        self.hang_up().await;
        self.dir = dir;
        self.tablet = open_tablet(&self.dir, &self.clock, &self.dice)
            .with_context(|| format!("{} does not start again", self.name))?;
        Ok(())
    }

    /// Hash and id of every body that it holds.
    pub fn holds(&self) -> Result<BTreeSet<Hash>> {
        let mut held = BTreeSet::new();
        for line in self.export()? {
            if line["pruned"] != true {
                held.insert(serde_json::from_value(line["hash"].clone()).context("an export's line names no hash")?);
            }
        }
        Ok(held)
    }

    /// What it can prove that the server had of it: own links by author and number, with their bodies' hashes.
    pub fn had_confirmed(&self) -> Result<BTreeMap<(AuthorId, u64), Hash>> {
        let last = self.export()?.pop().unwrap_or_default();
        let Some(Evidence { chains, receipts, .. }) = serde_json::from_value(last["evidence"].clone())? else {
            return Ok(BTreeMap::new());
        };
        let upto = |author| receipts.iter().map(|r| r.head).filter(|h| h.author == author).map(|h| h.seq).max();
        let of_chain = |OwnChain { author, bodies }| {
            let links = (1..=upto(author).unwrap_or(0)).zip(bodies);
            links.map(move |(seq, hash)| ((author, seq), hash))
        };
        Ok(chains.into_iter().flat_map(of_chain).collect())
    }

    fn export(&self) -> Result<Vec<serde_json::Value>> {
        let mut lines = Vec::new();
        if self.tablet.export(&mut lines).is_err_and(|refusal| refusal.code == "file.damaged") {
            // Met while reading, and mended.
            lines.clear();
            self.tablet.export(&mut lines)?;
        }
        let lines = lines.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).context("an export's line is no JSON")).collect()
    }

    /// Records something as a technician does. None where it was refused: then it is not saved.
    pub fn save(&self, stay: StayId, id: Option<RecordId>, event: Event, at: Option<Ms>) -> Option<RecordId> {
        let by: Option<StaffId> = Some(TECHNICIAN);
        self.tablet.record(by, Auth::Pin, Some(stay), id, event, at).ok().map(|saved| saved.record)
    }
}
