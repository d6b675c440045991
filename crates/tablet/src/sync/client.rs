//! The facility server as [`Facility`], over HTTPS: who it is, what is asked, and each request signed.

use super::http::{Answer, Ask, Http, JSON, Traffic, squeeze};
use super::tls;
use crate::clock::Clock;
use crate::file::lock;
use crate::identity::Identity;
use lamplight_domain::chain::{PublicKey, SigningKey, request_digest, successions_after};
use lamplight_domain::ids::{AuthorId, FacilityId};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::{HOUR_MS, Ms};
use lamplight_domain::wire::{
    Batch, CONTENT_TYPE, Facility, FeedAsk, FeedPage, FrameError, HelloAnswer, Invite, JoinAsk, Joined, OfferAnswer,
    OfferAsk, PAGE_MAX_ROWS, PushAnswer, Trouble, WAIT_MAX_MS, decode, encode, path,
};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// Of a long poll, over the time that the server may wait.
const POLL_GRACE: Duration = Duration::from_secs(10);
/// No invite is good for longer than this.
const INVITE_LONGEST_MS: i64 = 7 * 24 * HOUR_MS;

/// The key of an author that this tablet is or was; asked for each request, since a tablet may take a fresh author.
type Signer = Arc<dyn Fn(AuthorId) -> Option<SigningKey> + Send + Sync>;

/// Is it the facility that is expected, by a key that is known or that a known one leads to? Errors: where it is not.
pub type KnownBy = Arc<dyn Fn(&HelloAnswer) -> Result<(), Trouble> + Send + Sync>;

pub struct Client {
    http: Http,
    facility: FacilityId,
    known_by: KnownBy,
    signer: Signer,
    nonce: Mutex<Nonce>,
    compress: bool,
    packed: Arc<PackedBatch>,
}

/// The next batch, made ready off the async threads while the one before was under way.
pub type PackedBatch = Mutex<Option<Packed>>;

/// A batch as it is sent.
pub struct Packed {
    /// Of its header.
    pub request: Uuid,
    message: Vec<u8>,
    encoding: Option<&'static str>,
}

impl Packed {
    pub fn of(batch: &Batch, compress: bool) -> Packed {
        let mut message = encode(&batch.header, &batch.bodies);
        let encoding = if compress { squeeze(&mut message) } else { None };
        Packed { request: batch.header.request, message, encoding }
    }
}

/// The server's newest nonce, and how many signed requests there were.
#[derive(Default)]
struct Nonce {
    text: Option<String>,
    signed: u64,
}

impl Client {
    /// For joining: knows the server by the invite alone, and signs nothing.
    pub fn of_invite(invite: &Invite, clock: Arc<dyn Clock>) -> Result<Client, Trouble> {
        let cas = vec![invite.ca_der.clone().into()];
        // A clock far behind (a flat battery: 1970) must not make the certificate "not valid yet", nor one far ahead
        // make it expired. The invite's end is near now, and past the certificate's beginning; a clock that is about
        // right is used as it is.
        let wall = clock.read().wall;
        let is_about_right = invite.expires_at - INVITE_LONGEST_MS <= wall && wall <= invite.expires_at;
        let floor = if is_about_right { Ms(0) } else { invite.expires_at };
        let http = Http::new(&invite.url, invite.facility, cas, tls::Time::new(clock, floor, Arc::new(|| None)))?;
        let (facility, key) = (invite.facility, invite.facility_key);
        let known_by = Arc::new(move |hello: &HelloAnswer| leads_to(&key, hello).map(|_| ()));
        Ok(Client::new(http, facility, known_by, Arc::new(|_| None), false, Arc::default()))
    }

    pub fn of_identity(
        identity: &Identity,
        time: tls::Time,
        known_by: KnownBy,
        signer: Signer,
        compress: bool,
        packed: Arc<PackedBatch>,
    ) -> Result<Client, Trouble> {
        let http = Http::new(&identity.url, identity.facility, tls::certificates(&identity.ca_pem)?, time)?;
        Ok(Client::new(http, identity.facility, known_by, signer, compress, packed))
    }

    fn new(
        http: Http,
        facility: FacilityId,
        known_by: KnownBy,
        signer: Signer,
        compress: bool,
        packed: Arc<PackedBatch>,
    ) -> Client {
        Client { http, facility, known_by, signer, nonce: Mutex::default(), compress, packed }
    }

    /// Nothing was asked yet: who answers there is not known.
    pub fn is_fresh(&self) -> bool {
        lock(&self.nonce).text.is_none()
    }

    pub fn traffic(&self) -> Traffic {
        self.http.traffic()
    }

    /// Signs as the author that the message names, and sends; again where the server asks for its newer nonce.
    async fn signed(&self, author: AuthorId, mut ask: Ask<'_>) -> Result<Vec<u8>, Trouble> {
        if self.compress && ask.encoding.is_none() {
            ask.encoding = squeeze(&mut ask.body);
        }
        for last_try in [false, false, true] {
            let (nonce, counter) = match self.next_nonce() {
                Some(found) => found,
                None => {
                    self.hello().await?;
                    self.next_nonce().ok_or_else(|| not_the_server("its hello carries no nonce"))?
                }
            };
            let key = (self.signer)(author).ok_or_else(|| Trouble::Refused(crate::record::join_first()))?;
            let digest = request_digest("POST", ask.path, &nonce, counter, &ask.body);
            let auth = format!("v1 {author} {nonce} {counter} {}", key.sign(&digest.0));
            match self.take(self.http.send(&ask, Some(auth)).await?) {
                // Whoever serves may be another process, with another key of the facility.
                Err(Trouble::Refused(refusal)) if refusal.code == "auth.nonce" && !last_try => {
                    lock(&self.nonce).text = None;
                }
                other => return other,
            }
        }
        Err(not_the_server("it accepts none of its own nonces"))
    }

    async fn unsigned<A: Serialize>(&self, path: &str, asked: Option<&A>) -> Result<Vec<u8>, Trouble> {
        let body = asked.map(|a| serde_json::to_vec(a).unwrap_or_default()).unwrap_or_default();
        self.take(self.http.send(&ask(path, body, JSON, JSON), None).await?)
    }

    fn next_nonce(&self) -> Option<(String, u64)> {
        let mut nonce = lock(&self.nonce);
        nonce.signed += 1;
        Some((nonce.text.clone()?, nonce.signed))
    }

    /// Keeps the newest nonce. The counter never starts anew, so it grows with each use of any nonce, also where
    /// requests overlap.
    fn take(&self, answer: Answer) -> Result<Vec<u8>, Trouble> {
        if answer.nonce.is_some() {
            lock(&self.nonce).text = answer.nonce;
        }
        answer.body
    }
}

impl Facility for Client {
    /// Errors where the answer is not this facility's, or speaks another protocol.
    async fn hello(&self) -> Result<HelloAnswer, Trouble> {
        let hello: HelloAnswer = json(&self.unsigned::<()>(path::HELLO, None).await?)?;
        if hello.facility != self.facility {
            return Err(another_facility());
        }
        (self.known_by)(&hello)?;
        if hello.common_protocol().is_none() {
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
        let packed = lock(&self.packed).take().filter(|packed| packed.request == batch.header.request);
        let packed = packed.unwrap_or_else(|| Packed::of(&batch, self.compress));
        let author = batch.header.author;
        drop(batch);
        let ask = Ask { encoding: packed.encoding, ..ask(path::PUSH, packed.message, CONTENT_TYPE, JSON) };
        json(&self.signed(author, ask).await?)
    }

    async fn feed(&self, asked: FeedAsk) -> Result<FeedPage, Trouble> {
        let wait = Duration::from_millis(u64::from(asked.wait_ms.min(WAIT_MAX_MS)));
        let body = serde_json::to_vec(&asked).unwrap_or_default();
        let mut ask = ask(path::FEED, body, JSON, CONTENT_TYPE);
        if !wait.is_zero() {
            ask.timeout = wait + POLL_GRACE;
        }
        let answer = self.signed(asked.author, ask).await?;
        let (header, bodies) = decode(&answer, PAGE_MAX_ROWS).map_err(|e| match e {
            // Sound as a frame and as JSON: it says something that this program does not know.
            FrameError::Header { .. } if decode::<serde_json::Value>(&answer, PAGE_MAX_ROWS).is_ok() => {
                not_understood()
            }
            e => not_the_server(&format!("its page is broken: {e}")),
        })?;
        Ok(FeedPage { header, bodies })
    }

    async fn offer(&self, offered: OfferAsk) -> Result<OfferAnswer, Trouble> {
        let body = serde_json::to_vec(&offered).unwrap_or_default();
        json(&self.signed(offered.author, ask(path::OFFER, body, JSON, JSON)).await?)
    }
}

fn ask<'a>(path: &'a str, body: Vec<u8>, content_type: &'static str, answer_type: &'static str) -> Ask<'a> {
    Ask { path, body, encoding: None, content_type, answer_type, timeout: REQUEST_TIMEOUT }
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(body)
        .map_err(|e| not_the_server(&format!("its answer cannot be read (line {}, column {})", e.line(), e.column())))
}

/// Errors of another release on the other side that cannot be passed over.
fn not_understood() -> Trouble {
    Trouble::Refused(Refusal::new(
        "protocol.newer",
        "The facility server says something that this tablet's Lamplight is too old to understand.",
        "Go on recording; ask whoever looks after the tablets for the newer version.",
    ))
}

/// Is the key that the facility shows another one than the known one, which leads to it? Errors: where it does not.
pub fn leads_to(known: &PublicKey, hello: &HelloAnswer) -> Result<bool, Trouble> {
    let led = successions_after(known, &hello.facility_key, hello.facility, &hello.successions);
    led.map(|led| !led.is_empty()).ok_or_else(another_facility)
}

fn another_facility() -> Trouble {
    not_the_server("it belongs to another facility")
}

pub fn not_the_server(why: &str) -> Trouble {
    Trouble::NotTheServer(why.to_owned())
}
