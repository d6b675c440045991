//! The locked screen: overdue rooms only. No patient names, no countdowns (patients read them), no staff surnames.

use super::records::WardRecords;
use super::{Scene, board, words};
use crate::roster::{Role, Staff};
use crate::time::Ms;
use crate::views::{Board, Card, CardState, Locked, LockedEmergency, LockedPerson, LockedRoom};

pub(super) fn locked(records: &WardRecords, scene: &Scene<'_>, waiting: u64) -> Locked {
    let board: Board = board::board(records, scene);
    let best = scene.now.best();
    let mut late: Vec<&Card> = board.cards.iter().filter(|c| c.state.alarms()).collect();
    late.sort_by_key(|c| c.urgency);
    Locked {
        ward_name: board.ward_name.clone(),
        demo: board.demo,
        clock: board.clock.clone(),
        date: words::date(best, scene.zone()),
        overdue: late.into_iter().map(|c| LockedRoom { bed: c.bed.clone(), words: room_words(c, best) }).collect(),
        people: people(scene),
        waiting,
        emergencies: board
            .emergencies
            .iter()
            .map(|e| LockedEmergency {
                record: e.record,
                what: e.what,
                title: e.title.clone(),
                at: e.at,
                acknowledged: e.acknowledged_by.is_some(),
                told: if e.acknowledged_by.is_some() { "Somebody has answered.".to_owned() } else { e.told.clone() },
                steps: e.steps.clone(),
            })
            .collect(),
        signal: board.signal,
    }
}

fn room_words(card: &Card, now: Ms) -> String {
    let bed = &card.bed;
    let over = card.due_at.map_or(0, |due| words::minutes_gone(now - due));
    match card.state {
        CardState::Overdue if over == 0 => format!("Room {bed} is overdue"),
        CardState::Overdue => format!("Room {bed} is overdue by {}", words::minutes_long(over)),
        CardState::Unwatched => format!("Room {bed}: nobody recorded with the patient"),
        CardState::DueBack => format!("Room {bed}: not back in time"),
        CardState::NoLevel => format!("Room {bed}: no level ordered"),
        _ => format!("Room {bed}: {}", card.words),
    }
}

fn people(scene: &Scene<'_>) -> Vec<LockedPerson> {
    let works_here = |p: &&Staff| {
        p.active
            && p.wards.contains(&scene.ward_id)
            && matches!(p.role, Role::Technician | Role::Nurse | Role::ChargeNurse)
    };
    let here: Vec<&Staff> = scene.roster.staff.iter().filter(works_here).collect();
    let mut all: Vec<LockedPerson> = here
        .iter()
        .map(|p| LockedPerson {
            staff: p.id,
            given: p.given.clone(),
            number: if here.iter().filter(|q| q.given == p.given).count() > 1 {
                p.number.clone()
            } else {
                String::new()
            },
            role: p.role.words().to_owned(),
        })
        .collect();
    all.sort_by(|a, b| (&a.given, &a.number).cmp(&(&b.given, &b.number)));
    all
}
