//! The nursing station: its pages, who may ask for what, the live board, and what a nurse does there.

pub mod access;
mod actions;
mod boards;
mod census;
mod login;
mod pages;
pub mod passwords;
mod sessions;
mod throttle;

use crate::facility::FacilityServer;
use crate::http::Refused;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, Request};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use boards::Boards;
use lamplight_domain::ids::WardId;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::Staff;
use lamplight_domain::station::path;
use sessions::Sessions;
use std::sync::Arc;
use throttle::Throttle;

/// Says "1" on every answer of a facility whose people are invented, so that the page says so before anybody is known.
const DEMO_HEADER: HeaderName = HeaderName::from_static("lamplight-demo");

#[derive(Clone)]
pub struct Station {
    inner: Arc<Inner>,
}

struct Inner {
    facility: FacilityServer,
    sessions: Sessions,
    throttle: Throttle,
    boards: Boards,
    /// What tablets are told to call; None where it is the address by which the page was asked for.
    public_url: Option<String>,
}

pub fn router(facility: FacilityServer, public_url: Option<String>) -> Router {
    let inner = Inner {
        sessions: Sessions::default(),
        throttle: Throttle::default(),
        boards: Boards::new(facility.clone()),
        facility,
        public_url,
    };
    let station = Station { inner: Arc::new(inner) };
    // Every route has its row in `access::RULES`; one without is refused.
    Router::new()
        .route(path::LOG_IN, post(login::log_in))
        .route(path::LOG_OUT, post(login::log_out))
        .route(path::SESSION, get(login::session))
        .route(path::LIVE, get(actions::live))
        .route(path::DAY, get(actions::day))
        .route(path::ACKNOWLEDGE, post(actions::acknowledge))
        .route(path::VERIFY, post(actions::verify))
        .route(path::SILENCE, post(actions::silence))
        .route(path::WARDS, get(census::wards))
        .route(path::PLACE, post(census::place))
        .route(path::JOIN, post(census::join))
        .route(path::MERGE, post(census::merge))
        .route(path::PART, post(census::part))
        .route(path::INVITE, post(actions::invite))
        .route(path::PAGES, get(pages::station))
        .route("/", get(pages::home))
        .route("/station", get(pages::home))
        .route("/assets/{*file}", get(pages::asset))
        .layer(from_fn_with_state(station.clone(), access::guard))
        .layer(from_fn_with_state(station.clone(), say_demo))
        .with_state(station)
}

async fn say_demo(State(station): State<Station>, request: Request<axum::body::Body>, next: Next) -> Response {
    let mut response = next.run(request).await;
    if station.inner.facility.roster().facility.demo {
        response.headers_mut().insert(DEMO_HEADER, HeaderValue::from_static("1"));
    }
    response
}

/// The person behind a request, as the roster has them now.
#[derive(Clone)]
pub struct Person {
    pub staff: Staff,
    session: sessions::Key,
}

impl Person {
    /// Errors: "ward.not_yours".
    fn of_ward(&self, ward: WardId) -> Result<(), Refused> {
        if self.staff.wards.contains(&ward) {
            return Ok(());
        }
        Err(Refusal::new(
            "ward.not_yours",
            "You are not on the list of that ward.",
            "Choose one of your wards, or ask the administrator to add you.",
        )
        .into())
    }
}
