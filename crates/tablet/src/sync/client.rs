//! The facility server over HTTPS: TLS 1.3 to the facility's own certificate authority, checked against the
//! facility's name and not its address; no redirects, no proxies, a limit on every wait and every size.

use super::tls;
use crate::clock::Clock;
use crate::file::lock;
use crate::identity::Identity;
use lamplight_domain::chain::{SigningKey, request_digest};
use lamplight_domain::ids::FacilityId;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::{HOUR_MS, Ms};
use lamplight_domain::wire::{
    AUTH_HEADER, Batch, CONTENT_TYPE, Facility, FeedAsk, FeedPage, HelloAnswer, Invite, JoinAsk, Joined, NONCE_HEADER,
    OfferAnswer, OfferAsk, PAGE_MAX_ROWS, PROTOCOL, PushAnswer, Trouble, WAIT_MAX_MS, decode, encode, path,
    server_name,
};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE as TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode, Url};
use serde::{Serialize, de::DeserializeOwned};
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const JSON: &str = "application/json";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// Of a long poll, over the time that the server may wait.
const POLL_GRACE: Duration = Duration::from_secs(10);
/// A dead connection under a long poll is noticed within about ten seconds.
const KEEPALIVE: Duration = Duration::from_secs(5);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
const KEEPALIVE_TRIES: u32 = 2;
/// Of an answer, before and after decompression: a full page of the longest bodies, and its header.
const ANSWER_MAX_BYTES: usize = 72 * 1024 * 1024;
/// Fast enough not to be felt; a check shrinks to a tenth in a batch of its like.
const ZSTD_LEVEL: i32 = 6;
/// Shorter bodies grow by compression.
const COMPRESS_FROM_BYTES: usize = 256;
/// No invite is good for longer than this.
const INVITE_LONGEST_MS: i64 = 7 * 24 * HOUR_MS;
const RETRY_AFTER_DEFAULT_MS: u64 = 2_000;

/// What went over the wire since the client was made; bytes of bodies, as sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub requests: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
}

/// Who signs; asked anew for each request, since a tablet may take a fresh author.
type Signer = Arc<dyn Fn() -> Option<SigningKey> + Send + Sync>;

pub struct Client {
    http: reqwest::Client,
    base: Url,
    facility: FacilityId,
    facility_key: lamplight_domain::chain::PublicKey,
    signer: Signer,
    nonce: Mutex<Nonce>,
    compress: bool,
    requests: AtomicU64,
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
}

/// The server's newest nonce, and how many signed requests there were.
#[derive(Default)]
struct Nonce {
    text: Option<String>,
    signed: u64,
}

/// How a request is sent and what kind of answer is expected.
struct Ask<'a> {
    path: &'a str,
    body: Vec<u8>,
    content_type: &'static str,
    answer_type: &'static str,
    timeout: Duration,
}

impl Client {
    /// For joining: knows the server by the invite alone, and signs nothing.
    pub fn of_invite(invite: &Invite, clock: Arc<dyn Clock>) -> Result<Client, Trouble> {
        let cas = vec![invite.ca_der.clone().into()];
        // A clock far behind (a flat battery: 1970) must not make the certificate "not valid yet". The invite's end
        // is near now, and past the certificate's beginning; a clock that is about right is used as it is.
        let is_far_behind = clock.read().wall < invite.expires_at - INVITE_LONGEST_MS;
        let invite_floor = if is_far_behind { invite.expires_at } else { Ms(0) };
        let http = http(&invite.url, invite.facility, cas, tls::Time::new(clock, invite_floor, Arc::new(|| None)))?;
        Client::new(http, &invite.url, invite.facility, invite.facility_key, Arc::new(|| None), false)
    }

    pub fn of_identity(
        identity: &Identity,
        time: tls::Time,
        signer: Signer,
        compress: bool,
    ) -> Result<Client, Trouble> {
        let cas = tls::certificates(&identity.ca_pem)?;
        let http = http(&identity.url, identity.facility, cas, time)?;
        Client::new(http, &identity.url, identity.facility, identity.facility_key, signer, compress)
    }

    fn new(
        http: reqwest::Client,
        url: &str,
        facility: FacilityId,
        facility_key: lamplight_domain::chain::PublicKey,
        signer: Signer,
        compress: bool,
    ) -> Result<Client, Trouble> {
        let mut base = Url::parse(url).map_err(|_| bad_address())?;
        base.set_host(Some(&server_name(facility))).map_err(|_| bad_address())?;
        Ok(Client {
            http,
            base,
            facility,
            facility_key,
            signer,
            nonce: Mutex::default(),
            compress,
            requests: AtomicU64::new(0),
            bytes_sent: AtomicU64::new(0),
            bytes_received: AtomicU64::new(0),
        })
    }

    /// Nothing was asked yet: who answers there is not known.
    pub fn is_fresh(&self) -> bool {
        lock(&self.nonce).text.is_none()
    }

    pub fn traffic(&self) -> Traffic {
        Traffic {
            requests: self.requests.load(Ordering::Relaxed),
            bytes_sent: self.bytes_sent.load(Ordering::Relaxed),
            bytes_received: self.bytes_received.load(Ordering::Relaxed),
        }
    }

    /// Signs and sends; once more where the server asks for its newer nonce.
    async fn signed(&self, mut ask: Ask<'_>) -> Result<Vec<u8>, Trouble> {
        let encoding = self.squeeze(&mut ask);
        for last_try in [false, false, true] {
            let (nonce, counter) = match self.next_nonce() {
                Some(found) => found,
                None => {
                    self.hello().await?;
                    self.next_nonce().ok_or_else(|| not_the_server("its hello carries no nonce"))?
                }
            };
            let key = (self.signer)().ok_or_else(|| Trouble::Refused(crate::record::join_first()))?;
            let digest = request_digest("POST", ask.path, &nonce, counter, &ask.body);
            let auth = format!("v1 {} {nonce} {counter} {}", key.author(), key.sign(&digest.0));
            match self.send(&ask, encoding, Some(auth)).await {
                Err(Trouble::Refused(refusal)) if refusal.code == "auth.nonce" && !last_try => {}
                other => return other,
            }
        }
        Err(not_the_server("it accepts none of its own nonces"))
    }

    async fn unsigned<A: Serialize>(&self, path: &str, ask: Option<&A>) -> Result<Vec<u8>, Trouble> {
        let body = ask.map(|a| serde_json::to_vec(a).unwrap_or_default()).unwrap_or_default();
        let ask = Ask { path, body, content_type: JSON, answer_type: JSON, timeout: REQUEST_TIMEOUT };
        self.send(&ask, None, None).await
    }

    async fn send(
        &self,
        ask: &Ask<'_>,
        encoding: Option<&'static str>,
        auth: Option<String>,
    ) -> Result<Vec<u8>, Trouble> {
        let url = self.base.join(ask.path).map_err(|_| bad_address())?;
        let mut request = self
            .http
            .post(url)
            .timeout(ask.timeout)
            .header(TYPE, ask.content_type)
            .header("accept", ask.answer_type)
            .header("accept-encoding", "zstd")
            .body(ask.body.clone());
        if let Some(encoding) = encoding {
            request = request.header(CONTENT_ENCODING, encoding);
        }
        if let Some(auth) = auth {
            request = request.header(AUTH_HEADER, auth);
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.bytes_sent.fetch_add(ask.body.len() as u64, Ordering::Relaxed);
        let response = request.send().await.map_err(|e| tls::trouble(&e))?;
        self.take_nonce(response.headers());
        self.answer(response, ask.answer_type).await
    }

    async fn answer(&self, response: Response, expected: &'static str) -> Result<Vec<u8>, Trouble> {
        let (status, headers) = (response.status(), response.headers().clone());
        let is = |wanted: &str| {
            headers.get(TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| v.split(';').next() == Some(wanted))
        };
        match status {
            StatusCode::OK if is(expected) => self.whole(response, &headers).await,
            StatusCode::OK => Err(not_the_server("it answers with something else, such as a login page")),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                let seconds = headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
                let retry_after_ms = seconds.map_or(RETRY_AFTER_DEFAULT_MS, |s: u64| s.saturating_mul(1_000));
                Err(Trouble::Busy { retry_after_ms })
            }
            status if status.is_client_error() && is(JSON) => {
                let body = self.whole(response, &headers).await?;
                let refusal = serde_json::from_slice::<Refusal>(&body);
                Err(refusal.map_or_else(|_| not_the_server("its refusal cannot be read"), Trouble::Refused))
            }
            status if status.is_server_error() => {
                Err(Trouble::Unreachable(format!("it failed with status {}", status.as_u16())))
            }
            status => Err(not_the_server(&format!("it answers with status {}", status.as_u16()))),
        }
    }

    /// The answer's body, decompressed, within the limit.
    async fn whole(&self, mut response: Response, headers: &HeaderMap) -> Result<Vec<u8>, Trouble> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| tls::trouble(&e))? {
            self.bytes_received.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            if body.len() + chunk.len() > ANSWER_MAX_BYTES {
                return Err(not_the_server("its answer has no end"));
            }
            body.extend_from_slice(&chunk);
        }
        match headers.get(CONTENT_ENCODING).map(|v| v.as_bytes()) {
            None | Some(b"identity") => Ok(body),
            Some(b"zstd") => unsqueeze(&body),
            Some(_) => Err(not_the_server("its answer is in an unknown encoding")),
        }
    }

    fn squeeze(&self, ask: &mut Ask<'_>) -> Option<&'static str> {
        if !self.compress || ask.body.len() < COMPRESS_FROM_BYTES {
            return None;
        }
        let smaller = zstd::bulk::compress(&ask.body, ZSTD_LEVEL).ok()?;
        ask.body = smaller;
        Some("zstd")
    }

    fn next_nonce(&self) -> Option<(String, u64)> {
        let mut nonce = lock(&self.nonce);
        nonce.signed += 1;
        Some((nonce.text.clone()?, nonce.signed))
    }

    /// The counter never starts anew, so it grows with each use of any nonce, also where requests overlap.
    fn take_nonce(&self, headers: &HeaderMap) {
        let Some(text) = headers.get(NONCE_HEADER).and_then(|v| v.to_str().ok()) else { return };
        lock(&self.nonce).text = Some(text.to_owned());
    }
}

impl Facility for Client {
    /// Errors where the answer is not this facility's, or speaks another protocol.
    async fn hello(&self) -> Result<HelloAnswer, Trouble> {
        let hello: HelloAnswer = json(&self.unsigned::<()>(path::HELLO, None).await?)?;
        if hello.facility != self.facility || hello.facility_key != self.facility_key {
            return Err(not_the_server("it belongs to another facility"));
        }
        if !(hello.protocol_min..=hello.protocol_max).contains(&PROTOCOL) {
            return Err(Trouble::Refused(Refusal::new(
                "protocol.unknown",
                "This tablet's Lamplight is too old or too new for the facility server.",
                "Go on recording; ask whoever looks after the tablets for the matching version.",
            )));
        }
        lock(&self.nonce).text.get_or_insert(hello.nonce.clone());
        Ok(hello)
    }

    async fn join(&self, ask: JoinAsk) -> Result<Joined, Trouble> {
        json(&self.unsigned(path::JOIN, Some(&ask)).await?)
    }

    async fn push(&self, batch: Batch) -> Result<PushAnswer, Trouble> {
        let body = encode(&batch.header, &batch.bodies);
        json(&self.signed(Ask::of(path::PUSH, body, CONTENT_TYPE, JSON, REQUEST_TIMEOUT)).await?)
    }

    async fn feed(&self, ask: FeedAsk) -> Result<FeedPage, Trouble> {
        let wait = Duration::from_millis(u64::from(ask.wait_ms.min(WAIT_MAX_MS)));
        let timeout = if wait.is_zero() { REQUEST_TIMEOUT } else { wait + POLL_GRACE };
        let body = serde_json::to_vec(&ask).unwrap_or_default();
        let answer = self.signed(Ask::of(path::FEED, body, JSON, CONTENT_TYPE, timeout)).await?;
        let (header, bodies) =
            decode(&answer, PAGE_MAX_ROWS).map_err(|e| not_the_server(&format!("its page is broken: {e}")))?;
        Ok(FeedPage { header, bodies })
    }

    async fn offer(&self, ask: OfferAsk) -> Result<OfferAnswer, Trouble> {
        let body = serde_json::to_vec(&ask).unwrap_or_default();
        json(&self.signed(Ask::of(path::OFFER, body, JSON, JSON, REQUEST_TIMEOUT)).await?)
    }
}

impl<'a> Ask<'a> {
    fn of(
        path: &'a str,
        body: Vec<u8>,
        content_type: &'static str,
        answer_type: &'static str,
        timeout: Duration,
    ) -> Ask<'a> {
        Ask { path, body, content_type, answer_type, timeout }
    }
}

fn http(
    url: &str,
    facility: FacilityId,
    cas: Vec<rustls::pki_types::CertificateDer<'static>>,
    time: tls::Time,
) -> Result<reqwest::Client, Trouble> {
    let address = Url::parse(url).map_err(|_| bad_address())?;
    let host = address.host_str().ok_or_else(bad_address)?.trim_matches(['[', ']']).to_owned();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls::config(cas, time)?)
        .dns_resolver(tls::Address { name: server_name(facility), host })
        .https_only(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .tcp_keepalive(KEEPALIVE)
        .tcp_keepalive_interval(KEEPALIVE_INTERVAL)
        .tcp_keepalive_retries(KEEPALIVE_TRIES)
        .tcp_user_timeout(KEEPALIVE + KEEPALIVE_INTERVAL * KEEPALIVE_TRIES)
        .build()
        .map_err(|_| Trouble::Unreachable("the HTTPS client cannot be made".to_owned()))
}

fn unsqueeze(body: &[u8]) -> Result<Vec<u8>, Trouble> {
    let broken = |_| not_the_server("its answer cannot be decompressed");
    let mut out = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(body).map_err(broken)?;
    decoder.take(ANSWER_MAX_BYTES as u64 + 1).read_to_end(&mut out).map_err(broken)?;
    if out.len() > ANSWER_MAX_BYTES { Err(not_the_server("its answer has no end")) } else { Ok(out) }
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(body)
        .map_err(|e| not_the_server(&format!("its answer cannot be read (line {}, column {})", e.line(), e.column())))
}

pub fn not_the_server(why: &str) -> Trouble {
    Trouble::NotTheServer(why.to_owned())
}

fn bad_address() -> Trouble {
    Trouble::Refused(Refusal::new(
        "server.address",
        "The facility server's address in the invite cannot be used.",
        "Make a new invite at the station with the server's address on this network.",
    ))
}
