//! Who may ask for what: one table. What is not in it is refused.

use super::{Person, Station, sessions};
use crate::http::Refused;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::Role;
use lamplight_domain::station::{CSRF_HEADER, path};

pub enum Who {
    /// Also somebody whom nobody knows yet.
    Anyone,
    /// Somebody who logged in and has one of these roles.
    Roles(&'static [Role]),
}

pub struct Rule {
    pub method: Method,
    /// A path that ends with `/*` stands for everything below it.
    pub path: &'static str,
    pub who: Who,
}

/// Everybody of the ward may look.
const READ: &[Role] = &[Role::Technician, Role::Nurse, Role::ChargeNurse, Role::Manager, Role::Administrator];
/// Only those who answer for the ward's patients may act.
const NURSES: &[Role] = &[Role::Nurse, Role::ChargeNurse];
/// Tablets are set up by nurses and administrators.
const SET_UP: &[Role] = &[Role::Nurse, Role::ChargeNurse, Role::Administrator];

pub static RULES: &[Rule] = &[
    Rule { method: Method::GET, path: "/", who: Who::Anyone },
    Rule { method: Method::GET, path: "/station", who: Who::Anyone },
    Rule { method: Method::GET, path: path::PAGES, who: Who::Anyone },
    Rule { method: Method::GET, path: "/assets/*", who: Who::Anyone },
    Rule { method: Method::POST, path: path::LOG_IN, who: Who::Anyone },
    Rule { method: Method::POST, path: path::LOG_OUT, who: Who::Roles(READ) },
    Rule { method: Method::GET, path: path::SESSION, who: Who::Roles(READ) },
    Rule { method: Method::GET, path: path::LIVE, who: Who::Roles(READ) },
    Rule { method: Method::GET, path: path::DAY, who: Who::Roles(READ) },
    Rule { method: Method::POST, path: path::ACKNOWLEDGE, who: Who::Roles(NURSES) },
    Rule { method: Method::POST, path: path::VERIFY, who: Who::Roles(NURSES) },
    Rule { method: Method::POST, path: path::SILENCE, who: Who::Roles(NURSES) },
    Rule { method: Method::GET, path: path::WARDS, who: Who::Roles(NURSES) },
    Rule { method: Method::POST, path: path::PLACE, who: Who::Roles(NURSES) },
    Rule { method: Method::POST, path: path::JOIN, who: Who::Roles(NURSES) },
    Rule { method: Method::POST, path: path::MERGE, who: Who::Roles(NURSES) },
    Rule { method: Method::POST, path: path::PART, who: Who::Roles(NURSES) },
    Rule { method: Method::POST, path: path::INVITE, who: Who::Roles(SET_UP) },
];

fn rule(method: &Method, path: &str) -> Option<&'static Rule> {
    // A HEAD is a GET without its answer.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    RULES.iter().find(|r| {
        r.method == *method && r.path.strip_suffix('*').map_or(r.path == path, |below| path.starts_with(below))
    })
}

/// Lets a request through, with its [`Person`] where the rule asks for one.
pub async fn guard(State(station): State<Station>, mut request: Request<Body>, next: Next) -> Response {
    let Some(rule) = rule(request.method(), request.uri().path()) else {
        return no_rule().into_response();
    };
    if request.method() == Method::POST
        && let Err(refused) = from_our_page(request.headers())
    {
        return refused.into_response();
    }
    if let Who::Roles(roles) = rule.who {
        match person(&station, request.headers()) {
            Ok(person) if roles.contains(&person.staff.role) => {
                request.extensions_mut().insert(person);
            }
            Ok(person) => return not_your_role(person.staff.role).into_response(),
            Err(refused) => return refused.into_response(),
        }
    }
    next.run(request).await
}

/// The person of the request's session. Errors: "auth.session".
fn person(station: &Station, headers: &HeaderMap) -> Result<Person, Refused> {
    let unknown = || {
        Refused::from(Refusal::new("auth.session", "You are not logged in, or it was too long ago.", "Log in again."))
    };
    let session = sessions::key_of(headers).ok_or_else(unknown)?;
    let staff = station.inner.sessions.of(&session).ok_or_else(unknown)?;
    let roster = station.inner.facility.roster();
    let staff = roster.person(staff).filter(|s| s.active).ok_or_else(unknown)?;
    Ok(Person { staff: staff.clone(), session })
}

/// A foreign page can neither set the header nor claim our origin.
fn from_our_page(headers: &HeaderMap) -> Result<(), Refused> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let host = text("host").unwrap_or_default();
    let ours = match text("origin") {
        // Browsers always send it with a POST.
        None => true,
        Some(origin) => origin.strip_prefix("https://") == Some(host),
    };
    let marked = headers.get(CSRF_HEADER).map(HeaderValue::as_bytes) == Some(b"1");
    if ours && marked {
        return Ok(());
    }
    Err(Refusal::new("access.foreign_page", "This did not come from the station's own page.", "Open the station page.")
        .into())
}

fn not_your_role(role: Role) -> Refused {
    Refusal::new(
        "access.role",
        format!("A {} cannot do this at the station.", role.words()),
        "Ask a nurse of the ward.",
    )
    .into()
}

fn no_rule() -> Refused {
    Refused {
        status: StatusCode::NOT_FOUND,
        refusal: Refusal::new("request.unknown", "There is nothing at this address.", "The station is at /station/."),
        retry_after_seconds: None,
    }
}

/// The host by which this page was asked for.
pub fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST).and_then(|v| v.to_str().ok())
}
