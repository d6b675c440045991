//! The routes of the protocol (`docs/sync.md`, Transport). Each reads, asks who it is, and hands on.

use super::answers::Named;
use super::auth::{Asked, Claim, REPLAYED};
use super::bodies::{self, cut_short, decompress, too_big};
use super::throttle::{Throttle, Whose};
use super::{Refused, refused};
use crate::facility::{FacilityServer, unknown_author};
use crate::station::OncePerMinute;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use lamplight_domain::ids::AuthorId;
use lamplight_domain::kinds::{Act, Audit};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::{
    BATCH_MAX_LINKS, Batch, BatchHeader, CONTENT_TYPE, Facility, FeedAsk, FrameError, JoinAsk, NONCE_HEADER, OfferAsk,
    PushAnswer, PushRefused, Trouble, decode, encode, path,
};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

pub fn router(facility: FacilityServer, throttle: Arc<Throttle>, written: Arc<OncePerMinute>) -> Router {
    let door = Door { facility: facility.clone(), throttle, written };
    let joins = Router::new().route(path::JOIN, post(join)).with_state(door.clone());
    Router::new()
        .route(path::HELLO, post(hello))
        .route(path::PUSH, post(push))
        .route(path::FEED, post(feed))
        .route(path::OFFER, post(offer))
        .with_state(facility.clone())
        .layer(from_fn_with_state(door, on_record))
        .merge(joins)
        .layer(from_fn_with_state(facility, with_nonce))
}

/// Not a nonce that is too old, nor that a tablet was taken out of use: that happens to every tablet, and is on record.
const WRITTEN_DOWN: [&str; 7] = [
    "auth.signature",
    "auth.author",
    REPLAYED,
    "ward.not_yours",
    "push.bad_signature",
    "push.bad_credential",
    "push.wrong_facility",
];

/// Where tablets come in that nobody knows yet.
#[derive(Clone)]
struct Door {
    facility: FacilityServer,
    throttle: Arc<Throttle>,
    written: Arc<OncePerMinute>,
}

/// What a tablet does not do by itself is written down: once a minute of each address, so that a flood fills no disk.
async fn on_record(State(door): State<Door>, request: Request<Body>, next: Next) -> Response {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|from| from.0.ip());
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    if let (Some(from), Some(Named(code))) = (from, response.extensions().get::<Named>())
        && WRITTEN_DOWN.contains(&code.as_str())
        && door.written.of_address(from, Act::Refused)
    {
        let what = format!("{path}: {code} from {from}");
        door.facility.audit(None, Audit { what, ..Audit::of(Act::Refused) }).await;
    }
    response
}

/// An answer, a refusal too, brings the nonce for the next request, unless the tablet has one that is good for long.
async fn with_nonce(State(facility): State<FacilityServer>, request: Request<Body>, next: Next) -> Response {
    let has_one = Claim::read(request.headers()).is_ok_and(|claim| facility.nonces().is_good_for_long(claim.nonce()));
    let mut response = next.run(request).await;
    if has_one && response.status().is_success() {
        return response;
    }
    if let Ok(nonce) = HeaderValue::from_str(&facility.nonces().issue()) {
        response.headers_mut().insert(NONCE_HEADER, nonce);
    }
    response
}

fn json<T: DeserializeOwned>(headers: &HeaderMap, bytes: Vec<u8>) -> Result<T, Refused> {
    let bytes = decompress(headers, bytes)?;
    serde_json::from_slice(&bytes).map_err(|e| {
        // Says where, never what: it may hold patient data.
        let what = format!("The message is not what was expected (line {}, column {}).", e.line(), e.column());
        refused(Refusal::new("request.not_json", what, "Send it again; where it stays so, update the tablet."))
    })
}

async fn hello(State(facility): State<FacilityServer>) -> Result<Response, Refused> {
    Ok(Json(facility.hello().await?).into_response())
}

/// Errors: "invite.wait" after too many wrong ones from the same address, and those of joining.
async fn join(
    State(door): State<Door>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let ask: JoinAsk = json(&headers, bodies::read(body).await?)?;
    let whose = [Whose::Invites(from.ip())];
    if let Some(wait) = door.throttle.wait(&whose, Instant::now()) {
        let seconds = wait.as_secs().max(1);
        return Err(Refused {
            status: StatusCode::TOO_MANY_REQUESTS,
            refusal: Refusal::new(
                "invite.wait",
                "Too many invites that are not good came from there.",
                format!("Wait {seconds} s, then try again with a new invite."),
            ),
            retry_after_seconds: Some(seconds),
            written_as: None,
        });
    }
    door.throttle.tried(&whose, Instant::now());
    match door.facility.join(ask).await {
        Ok(joined) => {
            door.throttle.right(&whose);
            Ok(Json(joined).into_response())
        }
        Err(Trouble::Refused(refusal)) => {
            if door.written.of_address(from.ip(), Act::InviteRefused) {
                let what = format!("{} from {}", refusal.code, from.ip());
                door.facility.audit(None, Audit { what, ..Audit::of(Act::InviteRefused) }).await;
            }
            Err(refused(refusal))
        }
        Err(trouble) => {
            // The server's trouble is nobody's wrong try.
            door.throttle.right(&whose);
            Err(trouble.into())
        }
    }
}

async fn push(
    State(facility): State<FacilityServer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let claim = Claim::read(&headers)?;
    let sent = bodies::read(body).await?;
    let author = facility.author(claim.author).await?;
    if let Some(author) = &author {
        claim.check(&facility, &author.key, &Asked { method: &method, uri: &uri, body: &sent })?;
        facility.touch(author);
    }
    let content = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if content != Some(CONTENT_TYPE.as_bytes()) {
        return Err(refused(Refusal::new(
            "request.content_type",
            "The message is not a batch of records.",
            format!("Send it as {CONTENT_TYPE}."),
        )));
    }
    let _turn = facility.pushes().turn(sent.len()).await;
    // Signed as sent, so the very bytes are needed when the author is not known yet.
    let message = decompress(&headers, sent.clone())?;
    let (header, blobs) = decode::<BatchHeader>(&message, BATCH_MAX_LINKS + 1).map_err(|e| {
        tracing::info!(author = %claim.author, error = %e, "a batch could not be read");
        refused(if let FrameError::TooMany(_) = e { too_big() } else { cut_short() })
    })?;
    if header.author != claim.author {
        return Err(refused(other_author()));
    }
    if author.is_none() {
        match &header.credential {
            // The credential itself is checked with the batch.
            Some(credential) if credential.author == claim.author => {
                let asked = Asked { method: &method, uri: &uri, body: &sent };
                claim.check_signature(&facility, &credential.key, &asked)?;
            }
            _ => {
                let server_time = facility.around().now();
                let refused = Some(PushRefused::UnknownAuthor);
                return Ok(Json(PushAnswer { receipt: None, refused, server_time }).into_response());
            }
        }
    }
    let answer = facility.push(Batch { header, bodies: blobs }).await?;
    let named = match answer.refused {
        Some(PushRefused::BadSignature) => Some("push.bad_signature"),
        Some(PushRefused::BadCredential) => Some("push.bad_credential"),
        Some(PushRefused::WrongFacility) => Some("push.wrong_facility"),
        _ => None,
    };
    let mut response = Json(answer).into_response();
    if let Some(name) = named {
        response.extensions_mut().insert(Named(name.to_owned()));
    }
    Ok(response)
}

fn other_author() -> Refusal {
    Refusal::new("auth.author", "The message names another tablet than the one that signed it.", "Send it again.")
}

/// A question that says who asks it.
trait Asks: DeserializeOwned {
    fn author(&self) -> AuthorId;
}
impl Asks for FeedAsk {
    fn author(&self) -> AuthorId {
        self.author
    }
}
impl Asks for OfferAsk {
    fn author(&self) -> AuthorId {
        self.author
    }
}

/// A question in JSON, signed by the known author that it names.
async fn asked<T: Asks>(
    facility: &FacilityServer,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Refused> {
    let claim = Claim::read(headers)?;
    let sent = bodies::read(body).await?;
    let Some(author) = facility.author(claim.author).await? else { return Err(refused(unknown_author())) };
    claim.check(facility, &author.key, &Asked { method, uri, body: &sent })?;
    let ask: T = json(headers, sent)?;
    if ask.author() != claim.author {
        return Err(refused(other_author()));
    }
    Ok(ask)
}

async fn feed(
    State(facility): State<FacilityServer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let ask: FeedAsk = asked(&facility, &method, &uri, &headers, body).await?;
    let page = facility.feed(ask).await?;
    let framed = tokio::task::spawn_blocking(move || bodies::frame(&headers, encode(&page.header, &page.bodies)));
    framed.await.map_err(|_| refused(super::answers::fault()))
}

async fn offer(
    State(facility): State<FacilityServer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let ask: OfferAsk = asked(&facility, &method, &uri, &headers, body).await?;
    Ok(Json(facility.offer(ask).await?).into_response())
}
