//! The simulation's own ledger of what was shown as saved, and what must be true of it. It knows nothing of chains,
//! authors or heads: only who was told what, and which copies were destroyed.

use super::ground::START;
use anyhow::{Result, bail, ensure};
use lamplight_domain::chain::Hash;
use lamplight_domain::ids::{RecordId, StayId};
use lamplight_domain::kinds::{AmendmentAction, Event};
use lamplight_domain::time::Ms;
use std::collections::{BTreeMap, BTreeSet};

/// An entry that somebody was told is saved.
pub struct Saved {
    pub id: RecordId,
    pub by: String,
    pub stay: StayId,
    pub event: Event,
    pub observed_at: Ms,
    pub is_late: bool,
}

#[derive(Default)]
pub struct Ledger {
    pub saved: BTreeMap<Hash, Saved>,
    /// What others wrote: the station, and pushes of unknown hands.
    pub others: BTreeSet<Hash>,
}

/// What one place must hold.
#[derive(Clone, Default)]
pub struct Holding {
    /// Every body that it was seen to hold or told to have saved, and that no harm may have taken.
    pub must: BTreeSet<Hash>,
    /// Of a tablet: what it saved itself.
    pub own: BTreeSet<Hash>,
    /// Of a tablet: what the server held when it confirmed something to it.
    pub told: BTreeSet<Hash>,
}

impl Holding {
    /// Looks at what is held: nothing may be missing but what `may_go` allows.
    pub fn look(
        &mut self,
        held: BTreeSet<Hash>,
        ledger: &Ledger,
        who: &str,
        may_go: impl Fn(&Hash) -> bool,
    ) -> Result<()> {
        let gone: Vec<Hash> = self.must.difference(&held).filter(|hash| !may_go(hash)).copied().collect();
        if let Some(first) = gone.first() {
            bail!("{who} has lost {} of its records, first {}", gone.len(), ledger.words(first));
        }
        self.must = held;
        Ok(())
    }
}

impl Ledger {
    pub fn words(&self, hash: &Hash) -> String {
        match self.saved.get(hash) {
            Some(saved) => format!(
                "{} {} saved on {} at second {}",
                kind(&saved.event),
                saved.id,
                saved.by,
                (saved.observed_at - START) / 1_000
            ),
            None => format!("the body {hash}"),
        }
    }

    /// The newest check of a stay that counts, from the entries alone: seen, not given afterwards, not taken back.
    pub fn last_check(&self, stay: StayId, held: &BTreeSet<Hash>) -> Option<(Ms, RecordId)> {
        let held = || self.saved.iter().filter(|(hash, _)| held.contains(hash)).map(|(_, saved)| saved);
        let retracted: BTreeSet<RecordId> = held()
            .filter_map(|saved| match &saved.event {
                Event::Amendment(a) if a.action == AmendmentAction::Retract => Some(a.of),
                _ => None,
            })
            .collect();
        let counts = |saved: &&Saved| {
            matches!(saved.event, Event::Check(_))
                && !saved.is_late
                && saved.stay == stay
                && !retracted.contains(&saved.id)
        };
        held().filter(counts).map(|saved| (saved.observed_at, saved.id)).max()
    }
}

fn kind(event: &Event) -> &'static str {
    match event {
        Event::Check(_) => "the check",
        Event::Note { .. } => "the note",
        Event::Amendment(_) => "the amendment",
        _ => "the entry",
    }
}

/// What the server holds in the end, by the ledger: `survived` had a copy somewhere when the faults stopped.
pub fn settled(
    ledger: &Ledger,
    survived: &BTreeSet<Hash>,
    server: &BTreeMap<Hash, (RecordId, String)>,
    begun_with: &BTreeSet<Hash>,
) -> Result<()> {
    let held: BTreeSet<Hash> = server.keys().copied().collect();
    let known = |hash: &&Hash| ledger.saved.contains_key(*hash) || ledger.others.contains(*hash);
    let lost: Vec<&Hash> = survived.difference(&held).filter(known).collect();
    if let Some(first) = lost.first() {
        bail!("I1: {} entries are lost to the server, first {}", lost.len(), ledger.words(first));
    }
    let mut by_id: BTreeMap<RecordId, u32> = BTreeMap::new();
    for hash in &held {
        if let Some((id, _)) = server.get(hash).filter(|_| ledger.saved.contains_key(hash)) {
            *by_id.entry(*id).or_default() += 1;
        }
    }
    if let Some((id, _)) = by_id.iter().find(|(_, n)| **n > 1) {
        bail!("I1: {id} was saved once and is on the server twice");
    }
    let invented = held.iter().find(|hash| {
        let (_, kind) = &server[*hash];
        let of_a_machine = matches!(kind.as_str(), "clock.measured" | "tablet.joined" | "records.missing" | "audit");
        !known(hash) && !begun_with.contains(*hash) && !of_a_machine
    });
    if let Some(hash) = invented {
        bail!("I2: nobody saved the {} {} that the server holds", server[hash].1, server[hash].0);
    }
    for (hash, saved) in ledger.saved.iter().filter(|(hash, _)| held.contains(*hash)) {
        ensure!(server[hash].0 == saved.id, "I1: {} has another id on the server", ledger.words(hash));
    }
    Ok(())
}
