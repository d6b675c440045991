//! Who may ask for what: one table. What is not in it is refused. The session, the role, the ward and what has to be done
//! first are judged here, before anything else reads a question.

use super::{Person, Station, sessions};
use crate::http::{Refused, bodies, wrong_method};
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use lamplight_domain::ids::{StaffId, TabletId, WardId};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::{Role, Roster, Staff};
use lamplight_domain::station::{CSRF_HEADER, First, path};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::net::SocketAddr;

#[derive(Debug)]
pub enum Who {
    /// Also somebody whom nobody knows yet.
    Anyone,
    /// Somebody who logged in and has one of these roles.
    Roles(&'static [Role]),
}

/// What has to be of the person's own wards. An administrator, who has no clinical data, sets up every ward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ward {
    /// It is about no ward, or gives each person what is of their own wards.
    None,
    /// `ward` of the query.
    InQuery,
    /// `ward` of the question.
    InBody,
    /// A ward of the person `staff` of the question, who is no manager and no administrator.
    OfStaff,
    /// The ward of the tablet `tablet` of the question, and the one `to` which it goes.
    OfTablet,
}

#[derive(Debug)]
pub struct Rule {
    pub method: Method,
    /// A path that ends with `/*` stands for everything below it.
    pub path: &'static str,
    pub who: Who,
    pub ward: Ward,
}

const fn get(path: &'static str, who: Who, ward: Ward) -> Rule {
    Rule { method: Method::GET, path, who, ward }
}
const fn post(path: &'static str, who: Who, ward: Ward) -> Rule {
    Rule { method: Method::POST, path, who, ward }
}

const ALL: Who = Who::Roles(&[Role::Technician, Role::Nurse, Role::ChargeNurse, Role::Manager, Role::Administrator]);
/// Who looks after the ward's patients.
const CARE: Who = Who::Roles(&[Role::Technician, Role::Nurse, Role::ChargeNurse]);
/// A manager reads what was, not what is.
const REPORTS: Who = Who::Roles(&[Role::Technician, Role::Nurse, Role::ChargeNurse, Role::Manager]);
/// Only those who answer for the ward's patients may act.
const NURSES: Who = Who::Roles(&[Role::Nurse, Role::ChargeNurse]);
/// Whoever runs a shift: its people's PINs and its tablets.
const SHIFT: Who = Who::Roles(&[Role::ChargeNurse, Role::Administrator]);
/// A tablet that breaks in the night is replaced in the night.
const INVITES: Who = Who::Roles(&[Role::Nurse, Role::ChargeNurse, Role::Administrator]);
const FACILITY: Who = Who::Roles(&[Role::Administrator]);
const AUDIT: Who = Who::Roles(&[Role::Manager, Role::Administrator]);

pub static RULES: &[Rule] = &[
    get("/", Who::Anyone, Ward::None),
    get("/station", Who::Anyone, Ward::None),
    get(path::PAGES, Who::Anyone, Ward::None),
    get("/assets/*", Who::Anyone, Ward::None),
    get(path::DOOR, Who::Anyone, Ward::None),
    post(path::SET_UP, Who::Anyone, Ward::None),
    post(path::LOG_IN, Who::Anyone, Ward::None),
    post(path::LOG_OUT, ALL, Ward::None),
    get(path::SESSION, ALL, Ward::None),
    post(path::PASSWORD, ALL, Ward::None),
    post(path::FACTOR_BEGIN, ALL, Ward::None),
    post(path::FACTOR_CONFIRM, ALL, Ward::None),
    get(path::LIVE, CARE, Ward::InQuery),
    get(path::DAY, REPORTS, Ward::InQuery),
    post(path::ACKNOWLEDGE, NURSES, Ward::InBody),
    post(path::VERIFY, NURSES, Ward::InBody),
    post(path::SILENCE, NURSES, Ward::InBody),
    get(path::WARDS, NURSES, Ward::None),
    get(path::CHOICES, NURSES, Ward::InQuery),
    post(path::ADMIT, NURSES, Ward::InBody),
    post(path::ORDER, NURSES, Ward::InBody),
    post(path::PRECAUTIONS, NURSES, Ward::InBody),
    post(path::PAUSE, NURSES, Ward::InBody),
    post(path::BACK, NURSES, Ward::InBody),
    post(path::DISCHARGE, NURSES, Ward::InBody),
    post(path::PLACE, NURSES, Ward::InBody),
    post(path::JOIN, NURSES, Ward::InBody),
    post(path::MERGE, NURSES, Ward::InBody),
    post(path::PART, NURSES, Ward::InBody),
    get(path::FACILITY, SHIFT, Ward::None),
    post(path::WARD_SAVE, FACILITY, Ward::None),
    post(path::STAFF_SAVE, FACILITY, Ward::None),
    post(path::PIN, SHIFT, Ward::OfStaff),
    post(path::LOGIN, FACILITY, Ward::None),
    post(path::FACTOR_DROP, FACILITY, Ward::None),
    post(path::LISTS, FACILITY, Ward::None),
    post(path::SETTINGS, FACILITY, Ward::None),
    post(path::TABLET_MOVE, SHIFT, Ward::OfTablet),
    post(path::TABLET_REVOKE, SHIFT, Ward::OfTablet),
    post(path::INVITE, INVITES, Ward::InBody),
    get(path::AUDIT, AUDIT, Ward::None),
];

/// What a session may do before it did this.
fn is_open_before(first: First, path: &str) -> bool {
    let own: &[&str] = match first {
        First::Password => &[path::PASSWORD],
        First::Factor => &[path::FACTOR_BEGIN, path::FACTOR_CONFIRM],
    };
    [path::SESSION, path::LOG_OUT].contains(&path) || own.contains(&path)
}

fn rule(method: &Method, path: &str) -> Option<&'static Rule> {
    // A HEAD is a GET without its answer.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    of_path(path).find(|rule| rule.method == *method)
}

fn of_path(path: &str) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(move |r| r.path.strip_suffix('*').map_or(r.path == path, |below| path.starts_with(below)))
}

/// Lets a request through, with its [`Person`] where the rule asks for one.
pub async fn guard(State(station): State<Station>, request: Request<Body>, next: Next) -> Response {
    let Some(rule) = rule(request.method(), request.uri().path()) else {
        return no_rule(request.uri().path());
    };
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|from| from.0.ip());
    let (mut parts, body) = request.into_parts();
    let mut body = Some(body);
    match judged(&station, rule, &mut parts, &mut body).await {
        Ok(()) => next.run(Request::from_parts(parts, body.unwrap_or_default())).await,
        Err((refused, person)) => {
            if let Some(body) = body {
                bodies::throw_away(body).await;
            }
            // A page that was left open asks on when its session is over: reading is not worth a line then.
            let is_worth_a_line = rule.method == Method::POST || refused.refusal.code != "auth.session";
            if is_worth_a_line && refused.refusal.code != "session.first" {
                station.refused(person, from, &format!("{}: {}", rule.path, refused.refusal.code)).await;
            }
            refused.into_response()
        }
    }
}

type Judged = Result<(), (Refused, Option<StaffId>)>;

/// `body` is taken where it is read, and given back whole.
async fn judged(station: &Station, rule: &Rule, asked: &mut Parts, body: &mut Option<Body>) -> Judged {
    if asked.method == Method::POST {
        from_our_page(&asked.headers).map_err(|refused| (refused, None))?;
    }
    let Who::Roles(roles) = rule.who else { return Ok(()) };
    let person = person(station, &asked.headers).map_err(|refused| (refused, None))?;
    let by = Some(person.staff.id);
    if !roles.contains(&person.staff.role) {
        return Err((not_your_role(person.staff.role), by));
    }
    if let Some(first) = person.first.filter(|first| !is_open_before(*first, rule.path)) {
        return Err((do_that_first(first), by));
    }
    let roster = station.inner.facility.roster();
    if rule.ward == Ward::InQuery {
        of_ward(&person.staff, in_query(&asked.uri, "ward")).map_err(|refused| (refused, by))?;
    }
    if rule.method == Method::POST {
        let read = super::login::read(body.take().unwrap_or_default(), max_bytes(rule.path));
        let bytes = read.await.map_err(|refused| (refused, by))?;
        // Reading what was not sent as a question is the handler's to refuse.
        let question: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        of_own_wards(rule.ward, &person.staff, &roster, &question).map_err(|refused| (refused, by))?;
        *body = Some(Body::from(bytes));
    }
    asked.extensions.insert(person);
    Ok(())
}

/// The facility's lists are longer than any other question.
fn max_bytes(path: &str) -> usize {
    if [path::LISTS, path::WARD_SAVE].contains(&path) { 256 * 1024 } else { 8 * 1024 }
}

fn in_query(uri: &Uri, name: &str) -> Option<WardId> {
    let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    // Given twice, the handler might read the other one.
    let (first, second) = (values.next(), values.next());
    first.filter(|_| second.is_none())?.parse().ok().map(WardId)
}

fn field<T: DeserializeOwned>(asked: &Value, name: &str) -> Option<T> {
    serde_json::from_value(asked.get(name)?.clone()).ok()
}

/// Errors: "ward.not_yours"; the same for what does not exist.
fn of_own_wards(which: Ward, person: &Staff, roster: &Roster, asked: &Value) -> Result<(), Refused> {
    if person.role == Role::Administrator {
        return Ok(());
    }
    match which {
        Ward::None | Ward::InQuery => Ok(()),
        Ward::InBody => of_ward(person, field(asked, "ward")),
        Ward::OfStaff => {
            let staff = field::<StaffId>(asked, "staff").and_then(|id| roster.person(id));
            let staff = staff.filter(|s| !matches!(s.role, Role::Manager | Role::Administrator));
            of_ward(person, staff.and_then(|s| s.wards.iter().copied().find(|w| person.wards.contains(w))))
        }
        Ward::OfTablet => {
            let tablet = field::<TabletId>(asked, "tablet").and_then(|id| roster.tablets.iter().find(|t| t.id == id));
            of_ward(person, tablet.map(|t| t.ward))?;
            match asked.get("to") {
                Some(_) => of_ward(person, field(asked, "to")),
                None => Ok(()),
            }
        }
    }
}

fn of_ward(person: &Staff, ward: Option<WardId>) -> Result<(), Refused> {
    if ward.is_some_and(|ward| person.wards.contains(&ward)) {
        return Ok(());
    }
    Err(Refusal::new(
        "ward.not_yours",
        "You are not on the list of that ward.",
        "Choose one of your wards, or ask the administrator to add you.",
    )
    .into())
}

/// The person of the request's session. Errors: "auth.session".
fn person(station: &Station, headers: &HeaderMap) -> Result<Person, Refused> {
    let unknown = || {
        Refused::from(Refusal::new("auth.session", "You are not logged in, or it was too long ago.", "Log in again."))
    };
    let session = sessions::key_of(headers).ok_or_else(unknown)?;
    let (staff, first) = station.inner.sessions.of(&session).ok_or_else(unknown)?;
    let facility = &station.inner.facility;
    let staff = facility.roster().working(staff, facility.around().now()).cloned().ok_or_else(unknown)?;
    Ok(Person { staff, session, first })
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
    let article = if role == Role::Administrator { "An" } else { "A" };
    Refusal::new(
        "access.role",
        format!("{article} {} cannot do this at the station.", role.words()),
        "Ask somebody whose task it is: a nurse of the ward, or an administrator.",
    )
    .into()
}

fn do_that_first(first: First) -> Refused {
    let (what, next) = match first {
        First::Password => ("Your password was made by somebody else.", "Set one of your own first."),
        First::Factor => ("An administrator logs in with a second factor.", "Set yours up first."),
    };
    Refusal::new("session.first", what, next).into()
}

/// Errors: "request.method" with what is allowed, "request.unknown".
fn no_rule(path: &str) -> Response {
    if let Some(rule) = of_path(path).next() {
        let mut response = wrong_method().into_response();
        let allowed = if rule.method == Method::GET { "GET, HEAD" } else { "POST" };
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
        return response;
    }
    Refused {
        status: StatusCode::NOT_FOUND,
        refusal: Refusal::new("request.unknown", "There is nothing at this address.", "The station is at /station/."),
        retry_after_seconds: None,
        written_as: None,
    }
    .into_response()
}

/// What a question asks for in its address. Errors: "request.query".
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asked<T>, Refused> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(asked)| Asked(asked))
            .map_err(|_| Refusal::new("request.query", "The question cannot be read.", "Load the page again.").into())
    }
}

/// The host by which this page was asked for.
pub fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST).and_then(|v| v.to_str().ok())
}
