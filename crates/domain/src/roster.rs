//! What a facility sets up: wards, beds, staff, lists, settings, tablets. Mutable data with a version, not records;
//! changes to it leave audit records.

use crate::ids::{FacilityId, StaffId, TabletId, WardId};
use crate::kinds::{Code, EmergencyKind};
use crate::time::Ms;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Everything that a tablet must know to work alone, as of `version`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roster {
    /// Grows with every change of anything below.
    pub version: u64,
    pub facility: Facility,
    pub wards: Vec<Ward>,
    pub staff: Vec<Staff>,
    pub tablets: Vec<Tablet>,
    pub lists: Lists,
    pub settings: Settings,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facility {
    pub id: FacilityId,
    pub name: String,
    /// IANA zone; everything shows in it.
    pub zone: chrono_tz::Tz,
    /// Invented people: every screen and report says so.
    pub demo: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ward {
    pub id: WardId,
    pub name: String,
    /// In walking order.
    pub beds: Vec<Bed>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "roster.ts")]
pub struct Bed {
    /// "104A"; unique in the ward.
    pub label: String,
    /// "104".
    pub room: String,
    /// Where it is, for the order by place: "East hallway".
    pub area: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "roster.ts")]
pub enum Role {
    Technician,
    Nurse,
    ChargeNurse,
    Manager,
    Administrator,
}

impl Role {
    pub fn words(self) -> &'static str {
        match self {
            Role::Technician => "technician",
            Role::Nurse => "nurse",
            Role::ChargeNurse => "charge nurse",
            Role::Manager => "manager",
            Role::Administrator => "administrator",
        }
    }
    /// Who looks after patients; the others use the station's pages.
    pub fn signs_in_on_tablets(self) -> bool {
        matches!(self, Role::Technician | Role::Nurse | Role::ChargeNurse)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Staff {
    pub id: StaffId,
    pub family: String,
    pub given: String,
    /// On paper behind the initials: "MHT 2304".
    pub number: String,
    pub role: Role,
    pub wards: Vec<WardId>,
    pub active: bool,
    /// Temporary access ends then: what the person writes later is kept and flagged. None for staff of the facility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Ms>,
    /// Given to tablets of the person's wards only, and never stored by them as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<PinVerifier>,
}

impl Staff {
    /// "M. Okafor"
    pub fn short(&self) -> String {
        match self.given.chars().next() {
            Some(first) => format!("{first}. {}", self.family),
            None => self.family.clone(),
        }
    }
    /// "MO"
    pub fn initials(&self) -> String {
        [&self.given, &self.family].iter().filter_map(|n| n.chars().next()).collect()
    }
}

/// Argon2id(PIN, salt) with the parameters of [`PinVerifier::MEMORY_KIB`] and on; prints as `***`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinVerifier {
    #[serde(with = "hex::serde")]
    pub salt: [u8; 16],
    #[serde(with = "hex::serde")]
    pub argon2id: [u8; 32],
}

impl PinVerifier {
    /// OWASP's second recommended setting for Argon2id (19 MiB, 2 passes, 1 lane): a sign-in stays under 100 ms.
    pub const MEMORY_KIB: u32 = 19 * 1024;
    pub const PASSES: u32 = 2;
    pub const LANES: u32 = 1;
}

impl std::fmt::Debug for PinVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PinVerifier(***)")
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tablet {
    pub id: TabletId,
    /// "W-3"
    pub name: String,
    pub ward: WardId,
    pub revoked: bool,
}

/// The facility's lists; every record that uses one names its version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(default)]
#[ts(export_to = "roster.ts")]
pub struct Lists {
    pub version: u32,
    pub places: Vec<ListItem>,
    pub activities: Vec<ListItem>,
    pub precautions: Vec<ListItem>,
    pub not_done: Vec<ListItem>,
    pub affect: Vec<ListItem>,
    pub before: Vec<ListItem>,
    pub behaviours: Vec<ListItem>,
    pub staff_did: Vec<ListItem>,
    pub then: Vec<ListItem>,
    pub affected: Vec<ListItem>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "roster.ts")]
pub struct ListItem {
    pub code: Code,
    pub label: String,
    /// Small print under the label: "breathing seen".
    pub hint: String,
    pub tone: Tone,
    pub makes: Makes,
    /// Shown first; the rest stand behind "More…".
    pub common: bool,
    /// For a day sheet's narrow columns: "BR".
    pub short: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "roster.ts")]
pub enum Tone {
    Plain,
    /// A nurse would want to know.
    Notice,
    /// Asks for a behaviour entry.
    Alert,
}

/// What the tile of a place or an activity leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "roster.ts")]
pub enum Makes {
    Check,
    /// A place where the patient was only heard: saves `heard`, no check.
    Heard,
    /// An activity tile that is none: saves `cant_tell`, no check.
    CantTell,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Added to every limit before a gap is late; 0 by default, and printed on every report where it is not.
    pub tolerance_minutes: u16,
    /// Levels older than this are shown loudly.
    pub level_stale_minutes: u16,
    pub idle_lock_seconds: u32,
    /// Limits of intermittent levels that this facility orders, in minutes, strictest first. Any other within
    /// [`crate::level::Level::LIMIT_MINUTES`] can be ordered too.
    pub limits_minutes: Vec<u16>,
    /// Longest time that one person may hold the observations.
    pub holder_max_minutes: u16,
    pub verification_minutes: u16,
    /// A tablet that has not heard the server for so long lets nobody sign in any more; it warns long before.
    pub offline_sign_in_hours: u16,
    /// The facility's own text for each emergency, step by step.
    pub emergency_steps: Vec<(EmergencyKind, Vec<String>)>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            tolerance_minutes: 0,
            level_stale_minutes: 60,
            limits_minutes: vec![5, 15, 30, 60],
            idle_lock_seconds: 240,
            holder_max_minutes: 120,
            verification_minutes: 120,
            offline_sign_in_hours: 72,
            emergency_steps: Vec::new(),
        }
    }
}

impl Lists {
    /// The item of a list by its code; a code that the list does not know is shown as it is.
    pub fn label(items: &[ListItem], code: &Code) -> String {
        items.iter().find(|i| &i.code == code).map_or_else(|| code.0.clone(), |i| i.label.clone())
    }
}

impl Roster {
    pub fn ward(&self, id: WardId) -> Option<&Ward> {
        self.wards.iter().find(|w| w.id == id)
    }
    pub fn person(&self, id: StaffId) -> Option<&Staff> {
        self.staff.iter().find(|s| s.id == id)
    }
    /// Somebody of the roster whose access, where it is temporary, has not ended.
    pub fn working(&self, id: StaffId, now: Ms) -> Option<&Staff> {
        self.person(id).filter(|p| p.active && p.until.is_none_or(|until| now < until))
    }
    /// A nurse or charge nurse of the roster. Nobody, and somebody unknown, is none.
    pub fn is_nurse(&self, staff: Option<StaffId>) -> bool {
        staff.and_then(|id| self.person(id)).is_some_and(|p| matches!(p.role, Role::Nurse | Role::ChargeNurse))
    }
}
