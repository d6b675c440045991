//! The demo ward: an invented hospital ward with twelve hours of history that ends now, made by simulating people who
//! walk. Pure: the same for the same seed and now.
//!
//! Read in this order: [`people`] (staff), [`census`] (patients), [`floor`] (where things are), [`days`] (what patients
//! do), [`plan`] (what will happen), [`walk`] (who walks where), [`story`] (what else is written), [`diary`] (records).

mod census;
mod clock;
mod days;
mod diary;
mod dice;
mod duty;
mod ending;
mod errands;
mod floor;
mod look;
mod machines;
mod names;
mod people;
mod plan;
mod story;
mod walk;
mod words;

#[cfg(test)]
mod tests;

use diary::Diary;
use dice::Dice;
use lamplight_domain::ids::{StaffId, TabletId, WardId};
use lamplight_domain::roster::{Role, Roster};
use lamplight_domain::time::{HOUR_MS, Ms};
use walk::{Ground, Walk};

pub const FACILITY_NAME: &str = "Demo Hospital";
pub const WARD_NAME: &str = "Willow Ward";
/// Where the demo hospital stands.
pub const ZONE: chrono_tz::Tz = chrono_tz::America::New_York;
/// Length of the history.
pub const HISTORY_MS: i64 = 12 * HOUR_MS;

/// Everything that a facility server needs to begin with the demo ward.
pub struct DemoWard {
    /// With everybody's PIN verifier.
    pub roster: Roster,
    pub ward: WardId,
    /// Everybody of the roster's staff, in its order.
    pub people: Vec<DemoLogin>,
    pub tablets: Vec<DemoTablet>,
    /// In the order in which the server received them; each writer's own in the order in which it wrote them.
    pub records: Vec<DemoRecord>,
}

/// How somebody of the demo signs in. Printed by the `demo` command; the people are invented, so it has no secrets.
pub struct DemoLogin {
    pub staff: StaffId,
    /// "S. Lindqvist"
    pub name: String,
    /// "s.lindqvist"
    pub login: String,
    pub role: Role,
    /// Six digits, for tablets.
    pub pin: String,
    /// For the station; None for technicians.
    pub password: Option<String>,
}

/// Whose chain a record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Writer {
    Server,
    Tablet(TabletId),
}

pub struct DemoTablet {
    pub id: TabletId,
    /// "W-1"
    pub name: String,
    /// Of its signing key.
    pub seed: [u8; 32],
}

pub struct DemoRecord {
    pub writer: Writer,
    /// Server time; never after now, and never going back within a writer.
    pub received_at: Ms,
    /// The body, as it is to be hashed, linked and stored.
    pub bytes: Vec<u8>,
}

/// The demo ward at that moment. Takes about a second without optimisation, nearly all of it for the PIN verifiers.
pub fn ward(seed: u64, now: Ms) -> DemoWard {
    let mut people = people::people(seed);
    let records = history(seed, now, &people);
    people::add_pin_verifiers(seed, &mut people.roster, &people.logins);
    DemoWard { roster: people.roster, ward: people.ward, people: people.logins, tablets: people.tablets, records }
}

fn history(seed: u64, now: Ms, people: &people::People) -> Vec<DemoRecord> {
    let mut diary = Diary::new(Dice::new(seed, &format!("records {}", now.0)));
    let patients = census::patients(seed, now);
    let standing = census::write_standing(&mut diary, seed, now, people, &patients);
    let plan = plan::plan(seed, now, people, &patients, standing, &mut diary);
    let ground = Ground { people, patients: &patients, plan: &plan };
    let tablets = [Writer::Tablet(people.tablets[0].id), Writer::Tablet(people.tablets[1].id)];
    let mut walk = Walk::begin(ground, diary, Dice::new(seed, &format!("walk {}", now.0)), tablets);
    walk.on(ground, now - ending::ENDING_MS);
    let mut walk = ending::walk_to_the_end(walk, ground, seed, now);
    let net = story::tell(&mut walk, ground, seed);
    walk.diary.into_records(people, &net)
}
