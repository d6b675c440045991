//! The nursing station's pages and what they ask for.

pub mod passwords;

use crate::facility::FacilityServer;
use axum::Router;

pub fn router(_facility: FacilityServer, _public_url: String) -> Router {
    Router::new()
}
