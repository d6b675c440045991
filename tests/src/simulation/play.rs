//! How a step is played.

use super::ground::{CANARY, Dice, WARDS, patient_of, stay};
use super::harm::{harm, spares_the_records};
use super::ledger::Saved;
use super::line::{Answer, Ask, trouble_of};
use super::station::is_receipt;
use super::story::{Half, How, Step, What};
use super::unit::{Delivered, Flight, Unit};
use super::world::{Image, Joined, World};
use anyhow::{Context, Result, ensure};
use lamplight_domain::chain::Hash;
use lamplight_domain::ids::{RecordId, StayId};
use lamplight_domain::kinds::{Amendment, AmendmentAction, AmendmentReason, Check, Event, StayProvisional};
use lamplight_domain::time::{HOUR_MS, MINUTE_MS, Ms};
use lamplight_domain::wire::Trouble;
use std::collections::btree_map::Entry;
use uuid::Uuid;

/// Tablets at once, clones among them.
const UNITS_MAX: usize = 6;

impl World {
    pub async fn play(&mut self, step: Step) -> Result<()> {
        self.pass(500);
        match step {
            Step::Save { unit, patient, what } => self.save(self.unit_of(unit), patient, what)?,
            Step::Station { patient } => self.station.note(patient, &mut self.ledger).await?,
            Step::Poison { what } => {
                let last = self.units.iter().find_map(|unit| unit.last.as_ref().map(|(id, of, _)| (*id, *of)));
                self.station.poison(what, last, &mut self.ledger).await?;
            }
            Step::Sync { unit } => {
                let _ = self.whole(self.unit_of(unit)).await?;
            }
            Step::Carry { unit, half, how } => self.carry(self.unit_of(unit), half, how).await?,
            Step::Again { unit, which } => {
                if let Some(ask) = self.units[self.unit_of(unit)].asked.one(which) {
                    let _ = self.station.deliver(ask).await?;
                }
            }
            Step::Wait { seconds } => self.pass(i64::from(seconds) * 1_000),
            Step::Jump { unit, seconds } => {
                self.clocks_lied = true;
                self.units[self.unit_of(unit)].clock.jump(i64::from(seconds) * 1_000);
            }
            Step::Kill { unit, boots } => {
                let n = self.unit_of(unit);
                self.end_and_start(n, |unit| {
                    if boots {
                        unit.clock.boot();
                    }
                })
                .await?;
                self.look(n, |_| false).context("after a kill")?;
            }
            Step::Harm { unit, what, at } => {
                let n = self.unit_of(unit);
                self.look(n, |_| false).context("before harm")?;
                self.end_and_start(n, |unit| {
                    // In memory nothing fails; a harm that is not done would only make the story weaker.
                    let _ = harm(&unit.dir, what, at);
                })
                .await
                .with_context(|| format!("after {what:?}"))?;
                let holding = self.units[n].holding.clone();
                let spared = spares_the_records(what);
                self.look(n, |hash| !spared && (holding.told.contains(hash) || !holding.own.contains(hash)))
                    .with_context(|| format!("after {what:?}"))?;
                // An entry that is at the server only is not recognised here when it is saved once more.
                let unit = &mut self.units[n];
                if let Some((id, ..)) = unit.last
                    && unit.tablet.saved_hash(id)?.is_none()
                {
                    unit.last = None;
                }
            }
            Step::Image { unit } => {
                let n = self.unit_of(unit);
                self.look(n, |_| false).context("before an image")?;
                let dir = self.fresh_dir();
                let unit = &self.units[n];
                unit.image(&dir)?;
                self.images.push(Image { dir, of: unit.name.clone(), holding: unit.holding.clone() });
            }
            Step::PutBack { image } => self.put_back(image).await?,
            Step::Clone { unit } if self.units.len() < UNITS_MAX => {
                let n = self.unit_of(unit);
                self.look(n, |_| false).context("before a clone")?;
                let dir = self.fresh_dir();
                self.units[n].image(&dir)?;
                let number = self.fresh_device();
                let of = &self.units[n];
                let name = format!("{}, clone {number}", of.name);
                let mut clone = Unit::open(name, dir, of.clock.of_clone(number), &self.dice)?;
                clone.holding = of.holding.clone();
                clone.last.clone_from(&of.last);
                self.units.push(clone);
            }
            Step::Destroy { unit } if self.units.len() > 1 => {
                let mut lost = self.units.remove(self.unit_of(unit));
                lost.hang_up().await;
                let _ = std::fs::remove_dir_all(&lost.dir);
            }
            Step::Clone { .. } | Step::Destroy { .. } => {}
            Step::Transfer { patient } => {
                let of = patient_of(patient);
                if let Some(from) = self.station.ward_of(of) {
                    let event = Event::StayPlaced { bed: format!("20{patient}"), from: Some(WARDS[from]) };
                    let to = WARDS[(from + 1) % WARDS.len()];
                    self.station.write(to, of, event, &mut self.ledger).await?;
                }
            }
            Step::TakeUp { unit } => self.take_up(self.unit_of(unit))?,
            Step::Join { who, patient } => self.join(who, patient).await?,
            Step::Move { unit } => {
                let unit = &self.units[self.unit_of(unit)];
                let to = ["Oak", "Willow"][unit.ward()];
                if let Some(name) = unit.tablet.name() {
                    self.station.move_or_revoke(&name, Some(to), &mut self.ledger).await?;
                }
            }
            Step::Revoke { unit } => {
                if let Some(name) = self.units[self.unit_of(unit)].tablet.name() {
                    self.station.move_or_revoke(&name, None, &mut self.ledger).await?;
                }
            }
            Step::Month => self.month(),
            Step::Prune { unit } => self.prune(self.unit_of(unit))?,
            Step::QuietMonth => {
                self.month();
                for n in 0..self.units.len() {
                    let _ = self.whole(n).await?;
                }
                self.back_up()?;
                self.pass(HOUR_MS);
                for n in 0..self.units.len() {
                    let _ = self.whole(n).await?;
                    self.prune(n)?;
                }
            }
            Step::KillServer => {
                let dir = self.fresh_dir();
                super::ground::copy(&self.station.dir, &dir)?;
                let truth = self.truth.clone();
                self.station.end_and_start(dir, &truth)?;
            }
            Step::BackUp => self.back_up()?,
            Step::CopyByHand => {
                let dir = self.fresh_dir();
                self.by_hand.push(self.station.copy_by_hand(dir)?);
            }
            Step::Restore { backup } => {
                let (dir, truth) = (self.fresh_dir(), self.truth.clone());
                if let Some(of) = pick(&self.backups, backup) {
                    self.station.put_back(of, dir, &truth)?;
                }
            }
            Step::RestoreByHand { copy } => {
                let (dir, truth) = (self.fresh_dir(), self.truth.clone());
                if let Some(of) = pick(&self.by_hand, copy) {
                    self.station.put_back(of, dir, &truth)?;
                }
            }
        }
        self.check_now()
    }

    fn month(&mut self) {
        self.a_month_passed = true;
        self.pass(31 * 24 * HOUR_MS);
    }

    fn back_up(&mut self) -> Result<()> {
        let dir = self.fresh_dir();
        self.backups.push(self.station.back_up(dir)?);
        Ok(())
    }

    fn prune(&mut self, n: usize) -> Result<()> {
        self.look(n, |_| false).context("before pruning")?;
        self.units[n].tablet.prune()?;
        let (ledger, now) = (&self.ledger, self.now());
        let is_old = |hash: &Hash| ledger.saved.get(hash).is_none_or(|s| now - s.observed_at > 30 * 24 * HOUR_MS);
        let backed_up: Vec<_> = self.backups.iter().map(|backup| backup.held.clone()).collect();
        let may_go = |hash: &Hash| is_old(hash) && backed_up.iter().any(|held| held.contains(hash));
        let unit = &mut self.units[n];
        let held = unit.holds()?;
        unit.holding.look(held, ledger, &unit.name, may_go).context("after pruning")
    }

    fn save(&mut self, n: usize, patient: u8, what: What) -> Result<()> {
        let unit = &mut self.units[n];
        // Whoever was taken up on this tablet is cared for on it too.
        let own = unit.took_up.get(usize::from(patient)).copied();
        let of = own.unwrap_or(stay(unit.ward(), patient.into()));
        let check = || Event::Check(Check { place: "bedroom".into(), activity: "resting".into(), evidence: vec![] });
        let now = lamplight_tablet::Clock::read(&*unit.clock).wall;
        let (of, id, event, at) = match (what, unit.last.clone()) {
            (What::Check, _) => (of, None, check(), None),
            (What::Late, _) => (of, None, check(), Some(now - i64::from(patient) * MINUTE_MS / 8 - 1_000)),
            (What::Undo, Some((id, of, Event::Check(_) | Event::Note { .. }))) => (of, None, undo(id), None),
            (What::Twice, Some((id, of, event))) => (of, Some(id), event, None),
            _ => (of, None, Event::Note { words: format!("note {}", self.ledger.saved.len()) }, None),
        };
        let had_one = unit.last.is_some();
        let Some((id, is_new)) = self.saved(n, of, id, event.clone(), at)? else { return Ok(()) };
        ensure!(!is_new || what != What::Twice || !had_one, "a repeated save made a second entry");
        ensure!(is_new || what == What::Twice, "two entries have one body");
        self.units[n].last = Some((id, of, event));
        Ok(())
    }

    /// Saves on a tablet and writes it into the ledger: its id, and whether the ledger did not have it yet. None where
    /// it was refused.
    fn saved(
        &mut self,
        n: usize,
        of: StayId,
        id: Option<RecordId>,
        event: Event,
        at: Option<Ms>,
    ) -> Result<Option<(RecordId, bool)>> {
        let unit = &mut self.units[n];
        let observed_at = at.unwrap_or(lamplight_tablet::Clock::read(&*unit.clock).wall);
        let Some(id) = unit.save(of, id, event.clone(), at) else { return Ok(None) };
        let hash = unit.tablet.saved_hash(id)?.with_context(|| format!("{} does not hold what it saved", unit.name))?;
        unit.holding.must.insert(hash);
        unit.holding.own.insert(hash);
        let saved = Saved { id, by: unit.name.clone(), stay: of, event, observed_at, is_late: at.is_some() };
        match self.ledger.saved.entry(hash) {
            Entry::Vacant(new) => {
                new.insert(saved);
                Ok(Some((id, true)))
            }
            Entry::Occupied(before) => {
                ensure!(before.get().event == saved.event, "two entries have one body");
                Ok(Some((id, false)))
            }
        }
    }

    /// A patient whom nobody has in the census.
    fn take_up(&mut self, n: usize) -> Result<()> {
        let of = StayId(uuid_of(&self.dice));
        let event =
            Event::StayProvisional(StayProvisional { words: format!("{CANARY}, about 30"), bed: String::new() });
        if self.saved(n, of, None, event, None)?.is_some() {
            self.units[n].took_up.push(of);
            self.taken_up.push(of);
        }
        Ok(())
    }

    /// Both must be known on one ward.
    async fn join(&mut self, who: u8, patient: u8) -> Result<()> {
        let Some(from) = pick(&self.taken_up, who).copied() else { return Ok(()) };
        let into = patient_of(patient);
        let is_one_already = self.joined.iter().any(|joined| joined.from == from);
        let (Some(ward), false) = (self.station.ward_of(from), is_one_already) else { return Ok(()) };
        if self.station.ward_of(into) == Some(ward) {
            let event = Event::StayJoined { into };
            let record = self.station.write(WARDS[ward], from, event, &mut self.ledger).await?;
            self.joined.push(Joined { from, into, record });
        }
        Ok(())
    }

    /// One question of a contact. A contact that is not under way begins.
    async fn carry(&mut self, n: usize, half: Half, how: How) -> Result<()> {
        // A listening half that follows a move has the sending to itself.
        let listens_by_sending = |unit: &Unit| {
            let ask = unit.listen.as_ref().and_then(|flight| flight.ask());
            matches!(ask, Some(Ask::Push(_) | Ask::Offer(_)))
        };
        if half == Half::Send && listens_by_sending(&self.units[n]) {
            return Ok(());
        }
        let mut flight = match self.units[n].flight(half).take() {
            Some(flight) => flight,
            None => {
                let mut flight = self.units[n].begin(half, self.station.times_restored);
                if flight.go_on().await?.is_some() {
                    return Ok(());
                }
                flight
            }
        };
        let Some(ask) = flight.ask().cloned() else { return Ok(()) };
        let delivered = match (flight.held_up.take(), how) {
            (Some(_), How::Lost | How::AnswerLost) => self.nothing(how),
            (Some(delivered), _) => delivered,
            (None, How::Lost | How::Busy) => self.nothing(how),
            (None, How::AnswerLost) => {
                self.deliver(n, ask).await?;
                self.nothing(how)
            }
            (None, How::HeldUp) => {
                flight.held_up = Some(self.deliver(n, ask).await?);
                *self.units[n].flight(half) = Some(flight);
                return Ok(());
            }
            (None, How::Twice) => {
                self.deliver(n, ask.clone()).await?;
                self.deliver(n, ask).await?
            }
            (None, How::Mangled) => self.station.deliver(ask.mangled()).await?,
            (None, How::Stale) => match self.stale(n, &ask) {
                Some(answer) => Delivered { answer: Ok(answer), ..self.nothing(How::Lost) },
                None => self.deliver(n, ask).await?,
            },
            (None, How::Through) => self.deliver(n, ask).await?,
        };
        if self.hand_over(n, &mut flight, delivered).await?.is_none() {
            *self.units[n].flight(half) = Some(flight);
        }
        Ok(())
    }

    fn nothing(&self, how: How) -> Delivered {
        let answer = Err(trouble_of(how).unwrap_or(Trouble::Busy { retry_after_ms: 1 }));
        Delivered { answer, held: self.station.held.clone() }
    }

    /// An older answer of the same sort. HTTP binds an answer to its question; only what names its question by itself
    /// (receipts) or is checked against what is held (pages) must withstand more.
    fn stale(&self, n: usize, ask: &Ask) -> Option<Answer> {
        let answered = self.units[n].answered.iter().rev();
        answered
            .filter(|answer| matches!((ask, answer), (Ask::Push(_), Answer::Push(_)) | (Ask::Feed(_), Answer::Feed(_))))
            .nth(1)
            .cloned()
    }

    /// To the server; what it says is on its way.
    pub async fn deliver(&mut self, n: usize, ask: Ask) -> Result<Delivered> {
        self.units[n].asked.note(&ask);
        let delivered = self.station.deliver(ask).await?;
        if let Ok(answer) = &delivered.answer {
            self.units[n].answered.push(answer.clone());
        }
        Ok(delivered)
    }

    /// The answer arrives. How the contact ended, where it did.
    pub async fn hand_over(
        &mut self,
        n: usize,
        flight: &mut Flight,
        delivered: Delivered,
    ) -> Result<Option<Result<(), Trouble>>> {
        // A tablet that was moved sends everything before it goes over: the other half of its sync comes to its end.
        if matches!(&delivered.answer, Err(Trouble::Refused(refusal)) if refusal.code == "ward.not_yours")
            && let Some(sending) = self.units[n].send.take()
        {
            sending.abandon().await;
        }
        let before = self.units[n].tablet.sync_state();
        flight.answer(delivered.answer.clone());
        let done = flight.go_on().await?;
        let receipt = is_receipt(&delivered.answer);
        let unit = &mut self.units[n];
        let after = unit.tablet.sync_state();
        let believed = receipt.filter(|r| Some(r.head.author) == after.author && r.head.seq == after.confirmed);
        if believed.is_some() {
            unit.holding.told.extend(delivered.held.iter().copied());
        } else if receipt.is_none() && after.author == before.author {
            ensure!(after.confirmed <= before.confirmed, "I5: {} counts as confirmed what no receipt names", unit.name);
        }
        let had_its_say = matches!(done, Some(Ok(()))) && flight.half == Half::Send;
        if had_its_say && after.waiting == 0 && flight.times_restored == self.station.times_restored {
            let lacks =
                unit.holding.own.intersection(&unit.holding.must).find(|hash| !self.station.held.contains(hash));
            if let Some(hash) = lacks {
                anyhow::bail!(
                    "I5: {} says all is confirmed, and the server lacks {}",
                    unit.name,
                    self.ledger.words(hash)
                );
            }
        }
        Ok(done)
    }

    async fn end_and_start(&mut self, n: usize, between: impl FnOnce(&mut Unit)) -> Result<()> {
        let dir = self.fresh_dir();
        let unit = &mut self.units[n];
        unit.hang_up().await;
        unit.image(&dir)?;
        let old = std::mem::replace(&mut unit.dir, dir.clone());
        between(unit);
        unit.end_and_start(dir).await?;
        let _ = std::fs::remove_dir_all(old);
        Ok(())
    }

    /// A device gets an image of itself back; where it is gone, another device gets it.
    async fn put_back(&mut self, image: u8) -> Result<()> {
        let dir = self.fresh_dir();
        let Some(Image { dir: from, of, holding }) = pick(&self.images, image) else { return Ok(()) };
        super::ground::copy(from, &dir)?;
        let (of, holding) = (of.clone(), holding.clone());
        match self.units.iter().position(|unit| unit.name == of) {
            Some(n) => {
                let unit = &mut self.units[n];
                let old = unit.dir.clone();
                unit.end_and_start(dir).await?;
                unit.holding = holding;
                unit.last = None;
                let _ = std::fs::remove_dir_all(old);
                self.look(n, |_| false).context("after an image was put back")?;
            }
            None if self.units.len() < UNITS_MAX => {
                let number = self.fresh_device();
                let clock = self.units[0].clock.of_clone(number);
                let mut unit = Unit::open(of, dir, clock, &self.dice)?;
                unit.holding = holding;
                self.units.push(unit);
            }
            None => {}
        }
        Ok(())
    }
}

fn pick<T>(of: &[T], n: u8) -> Option<&T> {
    if of.is_empty() { None } else { of.get(usize::from(n) % of.len()) }
}

fn uuid_of(dice: &Dice) -> Uuid {
    let mut random = [0; 16];
    dice.fill(&mut random);
    uuid::Builder::from_random_bytes(random).into_uuid()
}

fn undo(of: RecordId) -> Event {
    Event::Amendment(Amendment {
        of,
        action: AmendmentAction::Retract,
        reason: AmendmentReason::Undo,
        words: String::new(),
    })
}
