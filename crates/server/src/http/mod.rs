//! The thin shell over [`crate::facility`]: HTTPS in, HTTPS out, limits, and who is asking.

mod answers;
mod auth;
pub(crate) mod bodies;
mod connections;
mod headers;
pub(crate) mod hosts;
mod running;
mod tablets;
pub(crate) mod throttle;

pub use answers::{Refused, refused, wrong_method};
pub use running::{Options, Running, serve};

use crate::facility::FacilityServer;
use crate::station::OncePerMinute;
use axum::Router;
use std::sync::Arc;
use throttle::Throttle;

/// Everything that the server answers.
pub fn router(facility: &FacilityServer, public_url: Option<String>) -> Router {
    let (throttle, written) = (Arc::new(Throttle::default()), Arc::new(OncePerMinute::default()));
    let tablets = tablets::router(facility.clone(), throttle.clone(), written.clone());
    let station = crate::station::router(facility.clone(), throttle, written, public_url);
    headers::around(tablets.merge(station))
}
