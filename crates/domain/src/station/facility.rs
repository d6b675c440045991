//! Setting up and changing a facility: wards, staff, lists, settings, tablets; and the audit. A change answers with the
//! [`Facility`] as it is then, or with what the person has to be told once.

use crate::ids::{StaffId, StayId, TabletId, WardId};
use crate::kinds::Act;
use crate::roster::{Bed, Lists, Role};
use crate::time::Ms;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a page may know before anybody is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct Door {
    /// Nobody has set this facility up: the page asks for the set-up code.
    pub set_up: bool,
    pub demo: bool,
    /// Empty before it is set up.
    pub facility_name: String,
}

/// The first administrator, with the code that the server printed at its start. Answers like a log-in.
#[derive(Clone, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct SetUp {
    /// "K7QM-2XWD-9FHT"; dashes, spaces and capitals do not matter.
    pub code: String,
    pub facility_name: String,
    /// IANA: "Europe/London".
    pub zone: String,
    pub family: String,
    pub given: String,
    pub number: String,
    /// By which the administrator logs in: "j.reyes".
    pub login: String,
    pub password: String,
}

impl std::fmt::Debug for SetUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SetUp(***)")
    }
}

/// The facility as it is set up. A charge nurse is given the staff and the tablets of their own wards only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct Facility {
    pub name: String,
    pub zone: String,
    pub demo: bool,
    pub version: u64,
    pub wards: Vec<WardSetUp>,
    pub staff: Vec<StaffSetUp>,
    pub tablets: Vec<TabletSetUp>,
    pub lists: Lists,
    pub settings: SettingsSetUp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct WardSetUp {
    pub id: WardId,
    pub name: String,
    /// In walking order.
    pub beds: Vec<Bed>,
    /// Patients on the ward now; beds with somebody in them cannot be taken away.
    pub patients: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct StaffSetUp {
    pub id: StaffId,
    pub family: String,
    pub given: String,
    pub number: String,
    pub role: Role,
    pub wards: Vec<WardId>,
    pub active: bool,
    /// Temporary access ends then: "until 07:30", "ended 07:30"; else empty.
    pub until_words: String,
    pub has_pin: bool,
    /// The name by which the person logs in at the station; empty where they cannot.
    pub login: String,
    /// Logs in with a second factor.
    pub has_factor: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct TabletSetUp {
    pub id: TabletId,
    /// "W-3"
    pub name: String,
    pub ward: WardId,
    pub revoked: bool,
    /// "in touch", "silent since 01:52", "never heard", "taken out of use: lost".
    pub contact: String,
    /// Out of touch for so long that its ward's board says *not known*.
    pub silent: bool,
    /// "last number known: 1,204"; empty before the first.
    pub last_known: String,
}

/// Numbers of [`crate::roster::Settings`] that are set at the station.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct SettingsSetUp {
    pub tolerance_minutes: u16,
    pub level_stale_minutes: u16,
    /// What the form of an order offers, strictest first.
    pub limits_minutes: Vec<u16>,
    pub idle_lock_seconds: u32,
    pub holder_max_minutes: u16,
    pub verification_minutes: u16,
    pub offline_sign_in_hours: u16,
}

/// A new ward, or another name, other beds or another walking order of one. Gives the [`Facility`].
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct SaveWard {
    /// None for a new one.
    pub id: Option<WardId>,
    pub name: String,
    pub beds: Vec<Bed>,
}

/// A new member of staff, or a change of one. Gives the [`Facility`].
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct SaveStaff {
    /// None for somebody new.
    pub id: Option<StaffId>,
    pub family: String,
    pub given: String,
    pub number: String,
    pub role: Role,
    pub wards: Vec<WardId>,
    /// False takes them off the list: no tablet and no station lets them in after its next contact.
    pub active: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct OfStaff {
    pub staff: StaffId,
}

/// Gives the person a name for the station and a first password, which they must change.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct SetLogin {
    pub staff: StaffId,
    /// "s.lindqvist"; empty takes the log-in away.
    pub login: String,
}

/// Shown once, to be handed over in person. Prints as `***`.
#[derive(Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct SecretMade {
    /// Six digits, or a password.
    pub secret: String,
    /// "PIN of A. Diaz for tablets"
    pub words: String,
    pub facility: Facility,
}

impl std::fmt::Debug for SecretMade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretMade(***)")
    }
}

/// The logged-in person's own password. Prints as `***`.
#[derive(Clone, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct ChangePassword {
    pub old: String,
    pub new: String,
}

impl std::fmt::Debug for ChangePassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChangePassword(***)")
    }
}

/// The logged-in person's new second factor (TOTP, RFC 6238: SHA-1, six digits, 30 s), in force once a code of it was
/// shown. Prints as `***`.
#[derive(Clone, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct FactorBegun {
    /// Base32, in groups of four.
    pub secret: String,
    /// An otpauth: address as a QR code, SVG.
    pub qr_svg: String,
}

impl std::fmt::Debug for FactorBegun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FactorBegun(***)")
    }
}

/// Prints as `***`.
#[derive(Clone, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct FactorCode {
    pub code: String,
}

impl std::fmt::Debug for FactorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FactorCode(***)")
    }
}

/// Gives the [`Facility`]. The version of the lists is the server's to count.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct SaveLists {
    pub lists: Lists,
}

/// Gives the [`Facility`].
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct MoveTablet {
    pub tablet: TabletId,
    pub to: WardId,
}

/// Gives the [`Facility`].
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct RevokeTablet {
    pub tablet: TabletId,
    pub reason: String,
}

/// An invite for one tablet of a ward.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct MakeInvite {
    pub ward: WardId,
    /// The new tablet takes this one's name, and this one is taken out of use as it joins.
    #[serde(default)]
    pub replaces: Option<TabletId>,
}

/// Which lines of the audit; every field narrows it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct AuditAsk {
    #[serde(default)]
    pub from: Option<Ms>,
    #[serde(default)]
    pub to: Option<Ms>,
    #[serde(default)]
    pub act: Option<Act>,
    /// Who did it, or to whom it was done.
    #[serde(default)]
    pub staff: Option<StaffId>,
}

/// Newest first, at most [`AuditPage::MAX`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct AuditPage {
    pub rows: Vec<AuditRow>,
    /// There are more than these: narrow the stretch.
    pub more: bool,
}

impl AuditPage {
    pub const MAX: usize = 500;
}

/// One line of the audit. Names no patient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct AuditRow {
    pub at: Ms,
    /// "26 Nov 02:47"
    pub clock: String,
    pub act: Act,
    /// "M. Okafor, MHT 2304"; "nobody signed in"; "the facility server".
    pub by: String,
    /// "let A. Diaz in again on W-3"
    pub words: String,
    /// Whose data, where it was about a patient.
    pub stay: Option<StayId>,
    /// What is odd about it, such as a person who was off the list by then; else empty.
    pub flags: String,
}
