//! What the station's pages and the facility server say to each other, as JSON under [`path`]. Errors are a
//! [`crate::refusal::Refusal`] with a 4xx status. The live board is server-sent events: event `board`, data
//! [`crate::views::Board`], at once, after every change, and at least every five seconds.

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
    /// POST [`super::OfWard`] gives an [`super::InviteMade`].
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
    pub demo: bool,
    pub wards: Vec<WardRef>,
    pub version: String,
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
