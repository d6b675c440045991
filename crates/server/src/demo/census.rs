//! Who is on the ward: 22 invented patients with their levels, precautions and beds, and the standing records that say
//! so. The ward went over from paper to tablets twelve hours ago: stays were known before, orders were entered then.

use super::clock;
use super::diary::Diary;
use super::dice::Dice;
use super::floor;
use super::names::PRESCRIBERS;
use super::people::People;
use super::{HISTORY_MS, Writer};
use chrono::NaiveDate;
use lamplight_domain::ids::{PatientId, RecordId, StaffId, StayId};
use lamplight_domain::kinds::{Event, Order, StayOpened};
use lamplight_domain::level::{Continuous, Distance, Level};
use lamplight_domain::roster::Role;
use lamplight_domain::time::{HOUR_MS, MINUTE_MS, Ms, SECOND_MS};

/// What the twelve hours bring a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Nothing,
    /// Q15 raised to Q5.
    Raised,
    /// Q15 lowered to Q30.
    Lowered,
    /// A fall, then the ED.
    Falls,
    OnLeave,
    /// Admitted in these twelve hours.
    Arrives,
}

/// An invented patient as the ward's papers had it.
struct Profile {
    family: &'static str,
    given: &'static str,
    born: (i32, u32, u32),
    /// Limit in minutes; 0 for the 1:1.
    limit: u16,
    precautions: &'static [&'static str],
    why: &'static str,
    turn: Turn,
}

const fn p(
    family: &'static str,
    given: &'static str,
    born: (i32, u32, u32),
    limit: u16,
    precautions: &'static [&'static str],
    why: &'static str,
    turn: Turn,
) -> Profile {
    Profile { family, given, born, limit, precautions, why, turn }
}

#[rustfmt::skip]
const PROFILES: [Profile; 22] = [
    p("Alvarado", "Teresa", (1968, 4, 17), 15, &["fall"], "unsteady since a new medicine", Turn::Falls),
    p("Brennan", "Cormac", (1985, 9, 2), 15, &["suicide"], "thoughts of suicide, no plan said", Turn::Nothing),
    p("Cheng", "Wei-Lin", (1999, 1, 23), 0, &["suicide", "self_harm"], "tried to hurt herself on the ward", Turn::Nothing),
    p("Dubois", "Nathalie", (1977, 6, 30), 30, &[], "settled for three days", Turn::Nothing),
    p("Eriksen", "Lars", (1959, 11, 8), 15, &["seizure", "withdrawal"], "alcohol withdrawal, day 3", Turn::Nothing),
    p("Farah", "Amina", (1994, 2, 14), 15, &[], "standard level of the ward", Turn::Lowered),
    p("Garcia", "Daniel", (1991, 3, 12), 15, &["suicide", "leaving_risk"], "spoke of leaving to hurt himself", Turn::Nothing),
    p("Garcia", "Daniela", (1988, 7, 25), 15, &[], "standard level of the ward", Turn::Nothing),
    p("Hosseini", "Parisa", (2001, 5, 5), 5, &["self_harm", "suicide"], "hurt herself twice this week", Turn::Nothing),
    p("Iyer", "Anand", (1973, 10, 19), 30, &[], "settled, discharge planned", Turn::Nothing),
    p("Jefferson", "Malik", (1996, 8, 11), 15, &["safety_of_others"], "threats to a peer on admission", Turn::Raised),
    p("Kaplan", "Ruth", (1949, 12, 1), 15, &["fall"], "frail, walks with a frame", Turn::Nothing),
    p("Laurent", "Simone", (1982, 3, 27), 30, &[], "settled, back from a trial leave", Turn::Nothing),
    p("Mwangi", "Joseph", (1990, 6, 9), 15, &["leaving_risk"], "tried the ward door twice", Turn::Nothing),
    p("Nakamura", "Yuki", (2003, 9, 16), 15, &["suicide"], "new plan said to the day nurse", Turn::Nothing),
    p("Olsen", "Birgit", (1956, 1, 4), 15, &["choking", "fall"], "swallowing not safe alone", Turn::Nothing),
    p("Pereira", "Caio", (1998, 12, 20), 15, &[], "admitted from the emergency department", Turn::Arrives),
    p("Qureshi", "Nadia", (1979, 5, 13), 15, &[], "settled, overnight leave agreed", Turn::OnLeave),
    p("Sokolov", "Dmitri", (1970, 2, 28), 15, &["seizure"], "known seizures", Turn::Nothing),
    p("Tesfaye", "Selam", (1993, 4, 6), 15, &["sexual_safety"], "asked for by the ward team", Turn::Nothing),
    p("Underwood", "Grace", (1964, 8, 21), 30, &[], "settled for a week", Turn::Nothing),
    p("Vang", "Tou", (1987, 11, 29), 15, &["suicide"], "thoughts of suicide at night", Turn::Nothing),
];

/// A patient of the demo ward, with what the simulation needs to know.
#[derive(Clone)]
pub struct Patient {
    pub stay: StayId,
    /// Index into the beds in walking order.
    pub bed: usize,
    pub turn: Turn,
    /// As ordered at the beginning.
    pub level: Level,
    /// Not before this on the ward.
    pub opened_at: Ms,
    profile: usize,
}

impl Patient {
    pub fn is_one_to_one(&self) -> bool {
        matches!(self.level, Level::Continuous(_))
    }
    pub fn precautions(&self) -> &'static [&'static str] {
        PROFILES[self.profile].precautions
    }
    /// "Garcia", for finding the two who are taken for each other.
    pub fn family(&self) -> &'static str {
        PROFILES[self.profile].family
    }
}

/// Ids and beds depend on the seed only; times of admission on now.
pub fn patients(seed: u64, now: Ms) -> Vec<Patient> {
    let mut dice = Dice::new(seed, "census");
    let mut beds: Vec<usize> = (0..floor::ROOMS * 2).collect();
    loop {
        dice.shuffle(&mut beds);
        // Nobody puts two people of one name into one room.
        let namesakes: Vec<usize> = (0..PROFILES.len()).filter(|i| PROFILES[*i].family == "Garcia").collect();
        if namesakes.windows(2).all(|w| beds[w[0]] / 2 != beds[w[1]] / 2) {
            break;
        }
    }
    let mut patients: Vec<Patient> = PROFILES
        .iter()
        .enumerate()
        .map(|(i, profile)| {
            let stay = StayId(dice.uuid());
            let days = dice.range(2, 16);
            let arrived = clock::last(now - days * 24 * HOUR_MS, 23, 59) - dice.range(3 * 60, 14 * 60) * MINUTE_MS;
            let level = match profile.limit {
                0 => one_to_one(),
                limit_minutes => Level::Intermittent { limit_minutes },
            };
            let opened_at = match profile.turn {
                Turn::Arrives => now - HISTORY_MS + dice.range(4 * 60, 6 * 60) * MINUTE_MS + dice.range(0, 59_999),
                _ => arrived + dice.range(0, 59_999),
            };
            Patient { stay, bed: beds[i], turn: profile.turn, level, opened_at, profile: i }
        })
        .collect();
    patients.sort_by_key(|p| p.bed);
    patients
}

fn one_to_one() -> Level {
    Level::Continuous(Continuous {
        ratio: (1, 1),
        distance: Distance::WithinArmsLength,
        bathroom: Some("door ajar, staff at the door, talk all the time".to_owned()),
        sleep: Some("chair beside the bed, hands and face in sight".to_owned()),
    })
}

/// An order from which a patient is looked at in another way.
#[derive(Clone, Copy, Debug)]
pub struct LevelChange {
    pub at: Ms,
    /// Index into the patients.
    pub patient: usize,
    /// None for a continuous level.
    pub limit_ms: Option<i64>,
    pub order: RecordId,
    /// Not a lowered one: it asks for a check at once.
    pub closer: bool,
}

/// Writes stays, beds, precautions and the orders in force at the beginning, and answers with those orders.
pub fn write_standing(
    diary: &mut Diary,
    seed: u64,
    now: Ms,
    people: &People,
    patients: &[Patient],
) -> Vec<LevelChange> {
    let mut dice = Dice::new(seed, "standing");
    let charge = people.first_with(Role::ChargeNurse);
    let begin = now - HISTORY_MS;
    // The nurse types the orders in, one after another; the closest levels last, just before the first round.
    let mut entered = begin - 4 * MINUTE_MS;
    let mut by_level: Vec<usize> = (0..patients.len()).collect();
    by_level.sort_by_key(|i| patients[*i].level.strictness());
    let mut changes = Vec::new();
    for i in by_level {
        let patient = &patients[i];
        write_admission(diary, &mut dice, people, patient, charge);
        let arrives = patient.turn == Turn::Arrives;
        entered = entered + dice.range(7, 13) * SECOND_MS;
        let at = if arrives { patient.opened_at + dice.range(60, 120) * SECOND_MS } else { entered };
        let why = PROFILES[patient.profile].why;
        let order = Order {
            level: patient.level.clone(),
            ordered_by: (*dice.pick(&PRESCRIBERS)).to_owned(),
            reason: if arrives { why.to_owned() } else { format!("{why}; carried over from paper") },
            until: patient.is_one_to_one().then(|| clock::next(now + HOUR_MS, 10, 0)),
            replaces: Vec::new(),
        };
        let limit_ms = order.level.limit_ms();
        let order = diary.write(at, Writer::Server, Some(charge), Some(patient.stay), Event::Order(order));
        changes.push(LevelChange { at, patient: i, limit_ms, order, closer: true });
    }
    changes
}

fn write_admission(diary: &mut Diary, dice: &mut Dice, people: &People, patient: &Patient, by: StaffId) {
    let profile = &PROFILES[patient.profile];
    let (year, month, day) = profile.born;
    let opened = StayOpened {
        patient: PatientId(dice.uuid()),
        // Invented: the bed's index keeps two patients from sharing a number.
        mrn: format!("00{:03}{:02}", dice.range(100, 999), patient.bed + 11),
        family: profile.family.to_owned(),
        given: profile.given.to_owned(),
        born: NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default(),
    };
    let bed = people.roster.wards[0].beds[patient.bed].label.clone();
    let codes = profile.precautions.iter().map(|c| (*c).into()).collect();
    let mut at = patient.opened_at;
    for event in [Event::StayOpened(opened), Event::StayPlaced { bed, from: None }, Event::Precautions { codes }] {
        diary.write(at, Writer::Server, Some(by), Some(patient.stay), event);
        at = at + dice.range(9, 25) * SECOND_MS;
    }
}
