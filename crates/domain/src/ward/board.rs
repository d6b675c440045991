//! The board: every open stay's card, the round, who holds the observations, what is open.

use super::card::{is_away, last_seen};
use super::records::{StayRecords, WardRecords};
use super::situation::{order_at, seen_at};
use super::{Scene, emergencies, names, signal, words};
use crate::ids::StayId;
use crate::kinds::Event;
use crate::roster::Role;
use crate::time::{HOUR_MS, MINUTE_MS, Ms};
use crate::views::{Board, Card, CardState, Contact, Holder, OpenConcern, Verification};
use crate::wire::SILENT_AFTER_MS;
use std::collections::{BTreeMap, BTreeSet};

/// A round is looked for this far back: longer than any walk takes.
const ROUND_LOOKED_AT_MS: i64 = 2 * HOUR_MS;

pub(super) fn board(records: &WardRecords, scene: &Scene<'_>) -> Board {
    let (best, zone) = (scene.now.best(), scene.zone());
    let mut cards: Vec<Card> = records.open().map(|(id, stay)| scene.card(records, id, stay)).collect();
    cards.sort_by_cached_key(|c| (scene.walk_position(&c.bed), c.bed.clone(), c.stay));
    names::mark_similar(&mut cards);
    let (round_of, round_seen) = round(records, scene);
    let count = |state: CardState| cards.iter().filter(|c| c.state == state).count() as u32;
    let emergencies = emergencies::open(records, scene, &cards);
    let holder = holder(records, scene);
    Board {
        ward: scene.ward_id,
        ward_name: scene.ward.map(|w| w.name.clone()).unwrap_or_default(),
        facility_name: scene.roster.facility.name.clone(),
        demo: scene.roster.facility.demo,
        now: best,
        clock: words::clock(best, zone),
        round_of,
        round_seen,
        overdue: count(CardState::Overdue),
        due: count(CardState::Due),
        not_known: count(CardState::NotKnown),
        next: next(&cards, last_walked(records, scene, &cards)),
        concerns: concerns(records, scene),
        signal: signal::signal(&cards, &emergencies, holder.is_some(), scene),
        contacts: contacts(scene),
        verification: verification(records, scene),
        holder,
        emergencies,
        cards,
    }
}

/// A round is one walk. It begins with the first check after every patient that was owed a look had been seen, or with
/// the second check of a patient at the ward's commonest limit; so patients who are seen more often do not restart it,
/// and one who was missed does not keep it open for ever. Gives (owed, seen).
fn round(records: &WardRecords, scene: &Scene<'_>) -> (u32, u32) {
    let best = scene.now.best();
    let mut owed: BTreeMap<StayId, i64> = BTreeMap::new();
    let mut checks: Vec<(Ms, StayId)> = Vec::new();
    for (id, stay) in records.open() {
        let limit = order_at(&stay.orders(), best).0.and_then(|o| o.order.level.limit_ms());
        let Some(limit) = limit.filter(|_| !is_away(stay, best)) else { continue };
        owed.insert(id, limit);
        let recent = stay.counted_checks().take_while(|(k, _)| k.0 > best - ROUND_LOOKED_AT_MS);
        checks.extend(recent.map(|(k, r)| (seen_at(k, r, scene.own(), scene.now), id)));
    }
    checks.sort_unstable();
    let mut of_limit: BTreeMap<i64, u32> = BTreeMap::new();
    owed.values().for_each(|limit| *of_limit.entry(*limit).or_default() += 1);
    let commonest = of_limit.into_iter().max_by_key(|(_, n)| *n).map(|(limit, _)| limit);
    let mut seen = BTreeSet::new();
    for (_, id) in checks {
        let again = seen.contains(&id) && owed.get(&id).copied() == commonest;
        if again || seen.len() == owed.len() {
            seen.clear();
        }
        seen.insert(id);
    }
    (owed.len() as u32, seen.len() as u32)
}

/// Where the walk is: the position of the patient who was seen last.
fn last_walked(records: &WardRecords, scene: &Scene<'_>, cards: &[Card]) -> usize {
    let seen = records.open().filter_map(|(id, stay)| Some((last_seen(stay, scene)?, id)));
    let last = seen.max().map(|(_, id)| id);
    cards.iter().position(|c| Some(c.stay) == last).unwrap_or(0)
}

/// Whom to look at next: the most urgent of those past their limit; else the first who is due, walking on from where
/// the walk is; else whoever is due soonest.
fn next(cards: &[Card], from: usize) -> Option<StayId> {
    let late = |c: &&Card| matches!(c.state, CardState::Overdue | CardState::NotKnown);
    let walking = || cards.iter().cycle().skip(from + 1).take(cards.len());
    let soonest = || cards.iter().filter(|c| c.due_at.is_some()).min_by_key(|c| c.due_at);
    let found = cards.iter().filter(late).min_by_key(|c| c.urgency);
    found.or_else(|| walking().find(|c| c.state == CardState::Due)).or_else(soonest).map(|c| c.stay)
}

pub(super) fn holder(records: &WardRecords, scene: &Scene<'_>) -> Option<Holder> {
    let ward = records.stays.get(&None)?;
    let best = scene.now.best();
    let key = ward.holdings.iter().rev().find(|k| k.0 <= best)?;
    let staff = ward.records.get(key)?.body.envelope.by?;
    let name = scene.roster.person(staff).map_or_else(|| "somebody not on this list".to_owned(), |p| p.short());
    let longest = i64::from(scene.roster.settings.holder_max_minutes) * MINUTE_MS;
    let since_clock = words::clock_near(key.0, best, scene.zone());
    Some(Holder { staff, name, since: key.0, since_clock, too_long: best - key.0 > longest })
}

/// A technician's word does not clear a concern: only a nurse's does.
fn concerns(records: &WardRecords, scene: &Scene<'_>) -> Vec<OpenConcern> {
    let is_nurse = |record: &crate::record::Record| {
        let role = record.body.envelope.by.and_then(|id| scene.roster.person(id)).map(|p| p.role);
        matches!(role, Some(Role::Nurse | Role::ChargeNurse))
    };
    let taken = |r: &crate::record::Record| match &r.body.event {
        Some(Event::Acknowledged { .. }) => is_nurse(r),
        Some(Event::Amendment(a)) => a.action == crate::kinds::AmendmentAction::Retract,
        _ => false,
    };
    let mut open: Vec<OpenConcern> = records
        .concerns
        .iter()
        .filter(|(_, key)| !records.answers(key.1).any(taken))
        .filter_map(|at| {
            let record = records.get(at)?;
            let Some(Event::Concern { words }) = &record.body.event else { return None };
            let bed = at.0.and_then(|s| records.stay(s)).and_then(|s| super::card::bed_of(s, scene.now.best()));
            Some(OpenConcern {
                record: record.id(),
                stay: at.0,
                bed: bed.unwrap_or_default(),
                at: at.1.0,
                clock: words::clock_near(at.1.0, scene.now.best(), scene.zone()),
                words: words.clone(),
                by: words::short(scene.roster, record),
            })
        })
        .collect();
    open.sort_by_key(|c| (c.at, c.record));
    open
}

fn contacts(scene: &Scene<'_>) -> Vec<Contact> {
    let best = scene.now.best();
    let all = scene.roster.tablets.iter().filter(|t| t.ward == scene.ward_id);
    all.map(|tablet| {
        let mark = scene.contacts.iter().find(|c| c.tablet == tablet.id);
        let last = mark.and_then(|m| m.last);
        Contact {
            tablet: tablet.id,
            name: tablet.name.clone(),
            last,
            last_clock: last.map(|at| words::clock_near(at, best, scene.zone())).unwrap_or_default(),
            silent: !tablet.revoked && last.is_none_or(|at| best - at > SILENT_AFTER_MS),
            revoked: tablet.revoked,
            confirmed: mark.map_or(0, |m| m.confirmed),
        }
    })
    .collect()
}

fn verification(records: &WardRecords, scene: &Scene<'_>) -> Verification {
    let best = scene.now.best();
    let last = records.stays.get(&None).and_then(|ward: &StayRecords| {
        let key = ward.verified.iter().rev().find(|k| k.0 <= best)?;
        Some((key.0, ward.records.get(key)?))
    });
    let every = i64::from(scene.roster.settings.verification_minutes) * MINUTE_MS;
    let due_at = last.map(|(at, _)| at + every);
    let near = |at: Ms| words::clock_near(at, best, scene.zone());
    Verification {
        last_clock: last.map(|(at, _)| near(at)).unwrap_or_default(),
        last_by: last.map(|(_, r)| words::short(scene.roster, r)).unwrap_or_default(),
        due_clock: due_at.map(near).unwrap_or_default(),
        overdue: due_at.is_none_or(|at| best > at),
        due_at,
    }
}
