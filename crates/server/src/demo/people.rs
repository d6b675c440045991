//! The facility, its staff with PINs and passwords, its tablets. Depends on the seed only, never on now: a tablet that
//! joined yesterday's demo ward knows today's people.

use super::dice::Dice;
use super::names::{PASSWORD_WORDS, STAFF};
use super::{DemoLogin, DemoTablet, FACILITY_NAME, WARD_NAME, ZONE, floor};
use crate::lists;
use crate::pins::verifier;
use lamplight_domain::ids::{FacilityId, StaffId, TabletId, WardId};
use lamplight_domain::pin::is_weak;
use lamplight_domain::roster::{Facility, Role, Roster, Settings, Staff, Tablet, Ward};

/// Everybody and everything that is set up, without the PINs' verifiers (they take time).
pub struct People {
    pub roster: Roster,
    pub ward: WardId,
    pub logins: Vec<DemoLogin>,
    pub tablets: Vec<DemoTablet>,
}

impl People {
    /// The first person of that role; the demo has every role that is asked for.
    pub fn first_with(&self, role: Role) -> StaffId {
        self.roster.staff.iter().find(|s| s.role == role).map_or(self.roster.staff[0].id, |s| s.id)
    }
}

pub fn people(seed: u64) -> People {
    let mut dice = Dice::new(seed, "people");
    let facility = FacilityId(dice.uuid());
    let ward = WardId(dice.uuid());
    let tablets: Vec<DemoTablet> = ["W-1", "W-2", "W-3"]
        .into_iter()
        .map(|name| DemoTablet { id: TabletId(dice.uuid()), name: name.to_owned(), seed: dice.bytes() })
        .collect();
    let mut logins: Vec<DemoLogin> = Vec::new();
    let mut staff = Vec::new();
    for (family, given, number, role) in STAFF {
        let person = Staff {
            id: StaffId(dice.uuid()),
            family: family.to_owned(),
            given: given.to_owned(),
            number: number.to_owned(),
            role,
            wards: vec![ward],
            active: true,
            until: None,
            pin: None,
        };
        let pin = loop {
            let pin = format!("{:06}", dice.range(0, 999_999));
            if !is_weak(&pin) && logins.iter().all(|l| l.pin != pin) {
                break pin;
            }
        };
        logins.push(DemoLogin {
            staff: person.id,
            name: person.short(),
            login: person.short().to_lowercase().replace(' ', ""),
            role,
            pin,
            password: (role != Role::Technician).then(|| password(&mut dice)),
        });
        staff.push(person);
    }
    let roster = Roster {
        version: 1,
        facility: Facility { id: facility, name: FACILITY_NAME.to_owned(), zone: ZONE, demo: true },
        wards: vec![Ward { id: ward, name: WARD_NAME.to_owned(), beds: floor::beds() }],
        staff,
        tablets: tablets.iter().map(|t| Tablet { id: t.id, name: t.name.clone(), ward, revoked: false }).collect(),
        lists: lists::lists(),
        settings: Settings { emergency_steps: lists::emergency_steps(), ..Settings::default() },
    };
    People { roster, ward, logins, tablets }
}

/// Works out everybody's verifier; the salts come from the seed too.
pub fn add_pin_verifiers(seed: u64, roster: &mut Roster, logins: &[DemoLogin]) {
    let mut dice = Dice::new(seed, "salts");
    for person in &mut roster.staff {
        let salt = dice.bytes();
        person.pin = logins.iter().find(|l| l.staff == person.id).and_then(|l| verifier(&l.pin, salt));
    }
}

/// Three words and two digits: at least 15 characters.
fn password(dice: &mut Dice) -> String {
    loop {
        let mut words = PASSWORD_WORDS;
        dice.shuffle(&mut words);
        let password = format!("{}-{}", words[..3].join("-"), dice.range(10, 99));
        if password.len() >= 15 {
            return password;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_of_any_seed_has_a_weak_or_a_shared_pin() {
        for seed in 0..200 {
            let people = people(seed);
            let mut pins: Vec<&str> = people.logins.iter().map(|l| l.pin.as_str()).collect();
            assert!(pins.iter().all(|p| p.len() == 6 && !is_weak(p)));
            pins.sort_unstable();
            pins.dedup();
            assert_eq!(pins.len(), people.logins.len());
        }
    }
}
