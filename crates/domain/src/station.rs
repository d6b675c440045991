//! What the station's pages and the facility server say to each other, as JSON under [`path`]. Errors are a
//! [`crate::refusal::Refusal`] with a 4xx status. The live board is server-sent events: event `board`, data
//! [`crate::views::Board`], at once, after every change, and at least every five seconds.

use crate::ids::{RecordId, StaffId, WardId};
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
