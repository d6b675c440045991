//! The thin shell over [`crate::facility`]: HTTPS in, HTTPS out, limits, and who is asking.

mod answers;
mod auth;
pub(crate) mod bodies;
mod connections;
mod headers;
pub(crate) mod hosts;
mod running;
mod tablets;

pub use answers::{Refused, refused};
pub use running::{Options, Running, serve};

use crate::facility::FacilityServer;
use axum::Router;

/// Everything that the server answers.
pub fn router(facility: &FacilityServer, public_url: Option<String>) -> Router {
    let tablets = tablets::router(facility.clone());
    let station = crate::station::router(facility.clone(), public_url);
    headers::around(tablets.merge(station))
}
