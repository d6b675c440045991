//! The nursing station: its pages, who may ask for what, the live board, and what a nurse does there.

pub mod access;
mod account;
mod actions;
mod audit;
mod boards;
mod census;
mod login;
mod manage;
mod pages;
pub mod passwords;
mod patients;
mod sessions;
mod setup;
mod totp;

pub use audit::OncePerMinute;

use crate::facility::FacilityServer;
use crate::http::throttle::Throttle;
use account::{factor_begin, factor_confirm};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, Request};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use boards::Boards;
use lamplight_domain::roster::Staff;
use lamplight_domain::station::{First, path};
use manage::{lists, staff, tablets, wards};
use sessions::Sessions;
use std::sync::Arc;

/// Says "1" on every answer of a facility whose people are invented, so that the page says so before anybody is known.
const DEMO_HEADER: HeaderName = HeaderName::from_static("lamplight-demo");

#[derive(Clone)]
pub struct Station {
    inner: Arc<Inner>,
}

struct Inner {
    facility: FacilityServer,
    sessions: Sessions,
    throttle: Arc<Throttle>,
    /// Which refusals were written down lately.
    written: Arc<OncePerMinute>,
    boards: Boards,
    /// What tablets are told to call; None where it is the address by which the page was asked for.
    public_url: Option<String>,
}

pub fn router(
    facility: FacilityServer,
    throttle: Arc<Throttle>,
    written: Arc<OncePerMinute>,
    public_url: Option<String>,
) -> Router {
    let inner = Inner {
        sessions: Sessions::default(),
        throttle,
        written,
        boards: Boards::new(facility.clone()),
        facility,
        public_url,
    };
    let station = Station { inner: Arc::new(inner) };
    // Every route has its row in `access::RULES`; one without is refused.
    Router::new()
        .route(path::DOOR, get(setup::door))
        .route(path::SET_UP, post(setup::set_up))
        .route(path::LOG_IN, post(login::log_in))
        .route(path::LOG_OUT, post(login::log_out))
        .route(path::SESSION, get(login::session))
        .route(path::PASSWORD, post(account::password))
        .route(path::FACTOR_BEGIN, post(factor_begin))
        .route(path::FACTOR_CONFIRM, post(factor_confirm))
        .route(path::LIVE, get(actions::live))
        .route(path::DAY, get(actions::day))
        .route(path::ACKNOWLEDGE, post(actions::acknowledge))
        .route(path::VERIFY, post(actions::verify))
        .route(path::SILENCE, post(actions::silence))
        .route(path::CHOICES, get(patients::choices))
        .route(path::ADMIT, post(patients::admit))
        .route(path::ORDER, post(patients::order))
        .route(path::PRECAUTIONS, post(patients::precautions))
        .route(path::PAUSE, post(patients::pause))
        .route(path::BACK, post(patients::back))
        .route(path::DISCHARGE, post(patients::discharge))
        .route(path::WARDS, get(census::wards))
        .route(path::PLACE, post(census::place))
        .route(path::JOIN, post(census::join))
        .route(path::MERGE, post(census::merge))
        .route(path::PART, post(census::part))
        .route(path::FACILITY, get(manage::facility))
        .route(path::WARD_SAVE, post(wards::save))
        .route(path::STAFF_SAVE, post(staff::save))
        .route(path::PIN, post(staff::pin))
        .route(path::LOGIN, post(staff::login))
        .route(path::FACTOR_DROP, post(staff::factor_drop))
        .route(path::LISTS, post(lists::save))
        .route(path::SETTINGS, post(lists::save_settings))
        .route(path::TABLET_MOVE, post(tablets::move_one))
        .route(path::TABLET_REVOKE, post(tablets::revoke))
        .route(path::INVITE, post(tablets::invite))
        .route(path::AUDIT, get(audit::audit))
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
    /// What has to be done before anything else.
    first: Option<First>,
}
