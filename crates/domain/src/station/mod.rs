//! What the station's pages and the facility server say to each other, as JSON under [`path`]. Errors are a
//! [`crate::refusal::Refusal`] with a 4xx status. The live board is server-sent events: event `board`, data
//! [`crate::views::Board`], at once, after every change, and at least every five seconds.

mod facility;
mod patients;

pub use facility::*;
pub use patients::*;

use crate::ids::{RecordId, StaffId, StayId, WardId};
use crate::roster::Role;
use crate::time::Ms;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub mod path {
    /// The pages themselves.
    pub const PAGES: &str = "/station/";
    /// POST [`super::LogIn`] gives a [`super::StationSession`] and a cookie.
    pub const LOG_IN: &str = "/station/api/login";
    /// GET [`super::Door`], to anybody.
    pub const DOOR: &str = "/station/api/door";
    /// POST [`super::SetUp`] gives a [`super::StationSession`] and a cookie, once in the life of a facility.
    pub const SET_UP: &str = "/station/api/set-up";
    /// POST [`super::ChangePassword`]: the own one.
    pub const PASSWORD: &str = "/station/api/password";
    /// POST, no body, gives a [`super::FactorBegun`].
    pub const FACTOR_BEGIN: &str = "/station/api/factor/begin";
    /// POST [`super::FactorCode`]: it holds from now on.
    pub const FACTOR_CONFIRM: &str = "/station/api/factor/confirm";
    /// GET [`super::Facility`].
    pub const FACILITY: &str = "/station/api/facility";
    /// POST [`super::SaveWard`] gives a [`super::Facility`].
    pub const WARD_SAVE: &str = "/station/api/facility/ward";
    /// POST [`super::SaveStaff`] gives a [`super::Facility`].
    pub const STAFF_SAVE: &str = "/station/api/facility/staff";
    /// POST [`super::OfStaff`] gives a [`super::SecretMade`]: a new PIN for tablets, and every lock-out lifted.
    pub const PIN: &str = "/station/api/facility/pin";
    /// POST [`super::SetLogin`] gives a [`super::SecretMade`].
    pub const LOGIN: &str = "/station/api/facility/login";
    /// POST [`super::OfStaff`] gives a [`super::Facility`]: the person's second factor is taken away.
    pub const FACTOR_DROP: &str = "/station/api/facility/factor";
    /// POST [`super::SaveLists`] gives a [`super::Facility`].
    pub const LISTS: &str = "/station/api/facility/lists";
    /// POST [`super::SettingsSetUp`] gives a [`super::Facility`].
    pub const SETTINGS: &str = "/station/api/facility/settings";
    /// POST [`super::MoveTablet`] gives a [`super::Facility`].
    pub const TABLET_MOVE: &str = "/station/api/facility/tablet/move";
    /// POST [`super::RevokeTablet`] gives a [`super::Facility`].
    pub const TABLET_REVOKE: &str = "/station/api/facility/tablet/revoke";
    /// GET [`super::AuditAsk`] as the query gives an [`super::AuditPage`].
    pub const AUDIT: &str = "/station/api/audit";
    /// GET `?ward=ID` gives [`super::PatientChoices`].
    pub const CHOICES: &str = "/station/api/choices";
    /// POST [`super::StationAdmit`] gives a [`super::StationDone`].
    pub const ADMIT: &str = "/station/api/admit";
    /// POST [`super::StationOrder`] gives a [`super::StationDone`].
    pub const ORDER: &str = "/station/api/order";
    /// POST [`super::StationPrecautions`] gives a [`super::StationDone`].
    pub const PRECAUTIONS: &str = "/station/api/precautions";
    /// POST [`super::StationPause`] gives a [`super::StationDone`].
    pub const PAUSE: &str = "/station/api/pause";
    /// POST [`super::StationBack`] gives a [`super::StationDone`].
    pub const BACK: &str = "/station/api/back";
    /// POST [`super::StationDischarge`] gives a [`super::StationDone`].
    pub const DISCHARGE: &str = "/station/api/discharge";
    /// POST, no body.
    pub const LOG_OUT: &str = "/station/api/logout";
    /// GET [`super::StationSession`].
    pub const SESSION: &str = "/station/api/session";
    /// GET `?ward=ID`, server-sent events.
    pub const LIVE: &str = "/station/api/live";
    /// POST [`super::StationAcknowledge`].
    pub const ACKNOWLEDGE: &str = "/station/api/acknowledge";
    /// POST [`super::OfWard`]: a nurse stands for the ward's observations.
    pub const VERIFY: &str = "/station/api/verify";
    /// POST [`super::OfWard`]: the ward's stations stay quiet for two minutes.
    pub const SILENCE: &str = "/station/api/silence";
    /// POST [`super::MakeInvite`] gives an [`super::InviteMade`].
    pub const INVITE: &str = "/station/api/invite";
    /// GET gives every ward of the facility with its beds, as [`super::WardBeds`].
    pub const WARDS: &str = "/station/api/wards";
    /// POST [`super::StationPlace`] gives a [`super::StationDone`]: another bed, or a transfer to another ward.
    pub const PLACE: &str = "/station/api/place";
    /// POST [`super::StationJoin`] gives a [`super::StationDone`]: two stays are one.
    pub const JOIN: &str = "/station/api/join";
    /// POST [`super::StationJoin`] gives a [`super::StationDone`]: the patients of two stays are one person.
    pub const MERGE: &str = "/station/api/merge";
    /// POST [`super::StationPart`] gives a [`super::StationDone`]: takes a join or a merge back.
    pub const PART: &str = "/station/api/part";
    /// GET `?ward=ID&stay=ID[&date=2026-11-22]` gives a [`crate::views::PatientDay`].
    pub const DAY: &str = "/station/api/day";
}

/// Every POST carries it with the value "1": a foreign page cannot set it without asking first.
pub const CSRF_HEADER: &str = "lamplight-station";

/// The password prints as `***`.
#[derive(Clone, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct LogIn {
    /// "s.lindqvist"
    pub name: String,
    pub password: String,
    /// Six digits of the second factor, where the person has one.
    #[serde(default)]
    pub code: String,
}

impl std::fmt::Debug for LogIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogIn(***)")
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct StationSession {
    pub staff: StaffId,
    /// "S. Lindqvist"
    pub name: String,
    pub role: Role,
    pub facility_name: String,
    /// IANA: "Europe/London". Every time that is typed at the station is one of its clocks.
    pub zone: String,
    pub demo: bool,
    pub wards: Vec<WardRef>,
    pub version: String,
    /// What has to be done before anything else.
    pub first: Option<First>,
}

/// Until this is done a session may do nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export_to = "station.ts")]
pub enum First {
    /// Somebody else gave the person their password.
    Password,
    /// An administrator without a second factor.
    Factor,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct WardRef {
    pub id: WardId,
    pub name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct StationAcknowledge {
    pub ward: WardId,
    pub of: RecordId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct WardBeds {
    pub id: WardId,
    pub name: String,
    /// Labels in walking order.
    pub beds: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct StationPlace {
    /// The ward whose board the nurse looks at.
    pub ward: WardId,
    pub stay: StayId,
    /// Where the patient goes.
    pub to: WardId,
    pub bed: String,
}

/// `stay` is, or its patient is, the one of `into`. Both stand on the ward's board.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct StationJoin {
    pub ward: WardId,
    pub stay: StayId,
    pub into: StayId,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct StationPart {
    pub ward: WardId,
    /// A stay that the join is about.
    pub stay: StayId,
    pub of: RecordId,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct StationDone {
    pub record: RecordId,
    /// Something to show with it, such as "Somebody else is in 104A too"; else empty.
    pub notice: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct OfWard {
    pub ward: WardId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export_to = "station.ts")]
pub struct InviteMade {
    /// "lamplight:…"
    pub invite: String,
    /// The same as a QR code, SVG.
    pub qr_svg: String,
    pub expires_at: Ms,
    pub expires_clock: String,
}
