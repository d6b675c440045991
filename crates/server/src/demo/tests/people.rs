//! The ward as it is set up.

use super::*;
use lamplight_domain::kinds::Code;
use lamplight_domain::level::Level;
use lamplight_domain::roster::{ListItem, Makes};
use std::collections::HashSet;

#[test]
fn the_roster_is_as_promised() {
    let people = super::super::people::people(7);
    let roster = &people.roster;
    assert!(roster.facility.demo);
    assert_eq!(roster.wards[0].name, "Willow Ward");
    assert_eq!(roster.wards[0].beds.len(), 24);
    let of = |role: Role| roster.staff.iter().filter(|s| s.role == role).count();
    assert_eq!((of(Role::Technician), of(Role::Nurse) + of(Role::ChargeNurse)), (6, 3));
    assert_eq!(roster.tablets.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["W-1", "W-2", "W-3"]);
    for login in &people.logins {
        assert_eq!(login.password.is_some(), login.role != Role::Technician);
        assert!(login.password.as_ref().is_none_or(|p| p.len() >= 15));
    }
    let different = |all: Vec<String>| all.iter().collect::<HashSet<_>>().len() == all.len();
    assert!(different(roster.staff.iter().map(|s| s.initials()).collect()), "initials on paper are told apart");
    assert!(different(roster.staff.iter().map(|s| s.given.clone()).collect()), "so are names on the locked screen");
    assert!(different(people.logins.iter().map(|l| l.login.clone()).collect()));
    assert_eq!(roster.settings.emergency_steps.len(), 4);
}

#[test]
fn the_census_is_as_promised_everywhere() {
    for told in everywhere() {
        there_are_22_patients_at_mixed_levels(&told);
        every_code_that_is_used_stands_in_the_lists(&told);
    }
}

fn there_are_22_patients_at_mixed_levels(told: &Told) {
    let mut levels: BTreeMap<String, u32> = BTreeMap::new();
    let mut families: BTreeMap<String, u32> = BTreeMap::new();
    let (mut mrns, mut beds, mut pauses) = (HashSet::new(), HashSet::new(), 0);
    let mut last_level = BTreeMap::new();
    let known: HashSet<&str> = told.people.roster.wards[0].beds.iter().map(|b| b.label.as_str()).collect();
    for (_, e, event) in &told.bodies {
        match event {
            Event::StayOpened(s) => {
                *families.entry(s.family.clone()).or_default() += 1;
                assert!(mrns.insert(s.mrn.clone()));
            }
            Event::StayPlaced { bed, .. } => assert!(beds.insert(bed.clone()) && known.contains(bed.as_str())),
            Event::Order(o) => {
                if let Level::Continuous(c) = &o.level {
                    assert!(c.bathroom.is_some() && c.sleep.is_some());
                }
                last_level.insert(e.stay, o.level.label());
            }
            Event::PauseStarted(pause) => {
                assert!(e.observed_at < told.now && told.now < pause.return_by && !pause.escort.is_empty());
                pauses += 1;
            }
            _ => {}
        }
    }
    for level in last_level.values() {
        *levels.entry(level.clone()).or_default() += 1;
    }
    assert_eq!((mrns.len(), beds.len(), pauses), (22, 22, 2));
    assert_eq!((levels["1:1"], levels["Q5"]), (1, 2));
    assert!(levels["Q30"] >= 4 && levels["Q15"] >= 12, "{levels:?}");
    assert_eq!(families.values().filter(|n| **n == 2).count(), 1, "two are easily taken for each other");
}

fn every_code_that_is_used_stands_in_the_lists(told: &Told) {
    let lists = crate::lists::lists();
    let has = |items: &[ListItem], code: &Code| items.iter().any(|i| &i.code == code);
    let all = |items: &[ListItem], codes: &[Code]| codes.iter().all(|c| has(items, c));
    for (_, e, event) in &told.bodies {
        let known = match event {
            Event::Check(c) => has(&lists.places, &c.place) && has(&lists.activities, &c.activity),
            Event::Heard { place } => lists.places.iter().any(|i| &i.code == place && i.makes == Makes::Heard),
            Event::CantTell { place } => has(&lists.places, place),
            Event::NotDone { reason, .. } => has(&lists.not_done, reason),
            Event::Mood(m) => all(&lists.affect, &m.affect),
            Event::Precautions { codes } => all(&lists.precautions, codes),
            Event::Behaviour(b) => {
                all(&lists.before, &b.before)
                    && all(&lists.behaviours, &b.what)
                    && all(&lists.staff_did, &b.staff_did)
                    && all(&lists.affected, &b.affected)
                    && b.then.as_ref().is_none_or(|t| has(&lists.then, t))
            }
            _ => true,
        };
        assert!(known, "{}: {event:?}", e.kind);
    }
}

#[test]
fn codes_and_narrow_columns_are_told_apart() {
    let lists = crate::lists::lists();
    for items in [
        &lists.places,
        &lists.activities,
        &lists.precautions,
        &lists.not_done,
        &lists.affect,
        &lists.before,
        &lists.behaviours,
        &lists.staff_did,
        &lists.then,
        &lists.affected,
    ] {
        let codes: HashSet<&Code> = items.iter().map(|i| &i.code).collect();
        let shorts: HashSet<&str> = items.iter().map(|i| i.short.as_str()).collect();
        assert_eq!((codes.len(), shorts.len()), (items.len(), items.len()), "{items:?}");
    }
    // The check pad has room for nine places and "More…", and for fifteen activities.
    assert_eq!(lists.places.iter().filter(|i| i.common).count(), 9);
    assert_eq!(lists.activities.iter().filter(|i| i.common).count(), 15);
}
