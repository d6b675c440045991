//! How records travel: the only definition of the protocol's types, and the trait that the tablet's HTTP client and
//! the facility server both implement. `docs/sync.md` is the specification in words.

mod evidence;
mod frame;
mod given_pin;
mod invite;
mod lenient;
mod recovery;

pub use evidence::{Evidence, FeedRead, OwnChain, RowRead};
pub use frame::{Blob, FrameError, decode, encode};
pub use given_pin::GivenPin;
pub use invite::{Invite, server_name};
pub(crate) use lenient::known;
pub use recovery::{CHECK_FILE, KEY_FILE, NEXT_FILE, NextKey, RECOVERY_FILE, Recovery, key_check};

use crate::chain::{Credential, Hash, PublicKey, Receipt, Signature, SignedHead, Succession, Trust, successions_to};
use crate::ids::{AuthorId, FacilityId, TabletId, WardId};
use crate::refusal::Refusal;
use crate::roster::Roster;
use crate::time::Ms;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The newest version of the protocol that this program speaks, and the oldest: one release apart either way.
pub const PROTOCOL: u16 = 1;
pub const PROTOCOL_MIN: u16 = 1;
/// Of a batch: what one transaction of the server commits quickly even on a slow disk.
pub const BATCH_MAX_LINKS: usize = 1_000;
pub const BATCH_MAX_BYTES: usize = 1024 * 1024;
/// Rows of one page of a feed.
pub const PAGE_MAX_ROWS: usize = 1_000;
/// Longest long poll; short enough that proxies do not cut it.
pub const WAIT_MAX_MS: u32 = 25_000;
/// In a [`FeedAsk`]: whatever ward the reader belongs to now. A tablet asks so after "ward.not_yours"; the roster of the
/// page says which ward that is.
pub const OWN_WARD: WardId = WardId(Uuid::nil());
/// How far an opening looks back.
pub const OPENING_MS: i64 = 24 * crate::time::HOUR_MS;
/// A tablet keeps what is older than this only where it still stands, or the server is not known to have it backed up.
pub const KEEP_MS: i64 = 30 * 24 * crate::time::HOUR_MS;
/// A tablet that has not been heard for this long is silent: the board then says *not known*, not *overdue*.
pub const SILENT_AFTER_MS: i64 = 60_000;
/// Frames, compressed by zstd (`content-encoding: zstd`).
pub const CONTENT_TYPE: &str = "application/x-lamplight";
/// Of a signed request: `v1 AUTHOR NONCE COUNTER SIGNATURE`, over [`crate::chain::request_digest`].
pub const AUTH_HEADER: &str = "lamplight-auth";
/// On every answer: the nonce for the next requests. Device time plays no part in it.
pub const NONCE_HEADER: &str = "lamplight-nonce";

pub mod path {
    pub const HELLO: &str = "/v1/hello";
    pub const JOIN: &str = "/v1/join";
    pub const PUSH: &str = "/v1/push";
    pub const FEED: &str = "/v1/feed";
    pub const OFFER: &str = "/v1/offer";
}

/// The facility server as a tablet sees it. Every method is idempotent: a lost answer is met by asking again.
pub trait Facility {
    fn hello(&self) -> impl Future<Output = Result<HelloAnswer, Trouble>> + Send;
    fn join(&self, ask: JoinAsk) -> impl Future<Output = Result<Joined, Trouble>> + Send;
    /// A whole batch is committed or none of it. With no links it asks where the chain stands.
    fn push(&self, batch: Batch) -> impl Future<Output = Result<PushAnswer, Trouble>> + Send;
    fn feed(&self, ask: FeedAsk) -> impl Future<Output = Result<FeedPage, Trouble>> + Send;
    /// Which of these bodies the server lacks.
    fn offer(&self, ask: OfferAsk) -> impl Future<Output = Result<OfferAnswer, Trouble>> + Send;
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// No connection, or it broke: try again later.
    #[error("the facility server cannot be reached: {0}")]
    Unreachable(String),
    /// Something answered that is not this facility's server.
    #[error("network, but not the facility server: {0}")]
    NotTheServer(String),
    /// The server is busy; wait this long.
    #[error("the facility server is busy")]
    Busy { retry_after_ms: u64 },
    #[error(transparent)]
    Refused(#[from] Refusal),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HelloAnswer {
    pub protocol_min: u16,
    pub protocol_max: u16,
    pub facility: FacilityId,
    pub facility_key: PublicKey,
    pub server_time: Ms,
    pub nonce: String,
    /// How the facility came to that key, oldest first: for whoever knows a former one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successions: Vec<Succession>,
}

impl HelloAnswer {
    /// How the facility came to the key that it shows, as far as each accepted the one before it.
    pub fn known_successions(&self) -> Vec<Succession> {
        successions_to(&self.facility_key, self.facility, &self.successions)
    }

    /// The newest version that both sides speak; None where there is none.
    pub fn common_protocol(&self) -> Option<u16> {
        let newest = self.protocol_max.min(PROTOCOL);
        (newest >= self.protocol_min.max(PROTOCOL_MIN)).then_some(newest)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JoinAsk {
    /// The code of the invite.
    pub code: String,
    pub key: PublicKey,
    /// By `key`, over "lamplight.join.v1\0" ‖ code: the tablet holds the private half.
    pub proof: Signature,
    /// Wanted name; empty lets the server choose the next free one.
    pub name: String,
}

impl JoinAsk {
    pub fn message(code: &str) -> Vec<u8> {
        [b"lamplight.join.v1\0", code.as_bytes()].concat()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Joined {
    pub credential: Credential,
    pub tablet: TabletId,
    pub name: String,
    pub ward: WardId,
    pub facility_key: PublicKey,
    /// All certificate authorities to trust from now on (PEM).
    pub ca_pem: Vec<String>,
    /// The same as the facility signed it, and what to seal this tablet's key to. None from an older server.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::or_none")]
    pub trust: Option<Trust>,
    #[serde(deserialize_with = "lenient::roster")]
    pub roster: Roster,
}

/// Links `first_seq ..` of one author, in order, with their bodies.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub header: BatchHeader,
    /// One a link. [`Blob::Held`] names a body that the server already has (re-filing).
    pub bodies: Vec<Blob>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchHeader {
    pub facility: FacilityId,
    pub author: AuthorId,
    pub first_seq: u64,
    /// Link hash of `first_seq - 1`.
    pub prev: Hash,
    /// By the author, over the head after the last link ([`crate::chain::Head::message`]); for an empty batch over
    /// the head (first_seq - 1, prev).
    pub signature: Signature,
    /// Comes back in the receipt.
    pub request: Uuid,
    /// Sent at first contact and when asked for with [`PushRefused::UnknownAuthor`]. One that cannot be read counts as
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::or_none")]
    pub credential: Option<Credential>,
    /// The newest receipt that the tablet holds for this author, where the server's head went down: so that the time
    /// of receipt survives a restore. One that cannot be read counts as none.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::or_none")]
    pub receipt: Option<Receipt>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PushAnswer {
    /// Where this author's chain stands on the server now, whatever happened to the batch. None for an author that
    /// the server does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// Why the batch was not taken; None where all its links are held now.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::refused")]
    pub refused: Option<PushRefused>,
    pub server_time: Ms,
}

/// Circumstances in which a batch is not taken. Nothing that a body says is among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushRefused {
    /// Send the credential along.
    UnknownAuthor,
    /// The credential does not hold.
    BadCredential,
    /// `first_seq` or `prev` does not fit the head in the receipt: send from there, or it is a fork.
    DoesNotAttach,
    BadSignature,
    /// A [`Blob::Held`] that is not held: send the bytes.
    BodyMissing,
    TooBig,
    WrongFacility,
    /// A newer server's reason, which this program does not know. Never sent.
    #[serde(skip_serializing)]
    Unknown,
}

/// Where a reader stands in a ward's feed. Two are equal where generation, number and hash are.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Cursor {
    /// A new one after every restore of the server.
    pub generation: Uuid,
    /// Number of the last row read; 0 before the first.
    pub n: u64,
    /// [`crate::chain::feed_hash`] up to that row; [`Hash::ZERO`] before the first.
    pub hash: Hash,
    /// The server's own mark: it gave this very cursor out. A reader hands it back as it is, and reads nothing in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Hash>,
}

impl PartialEq for Cursor {
    fn eq(&self, other: &Cursor) -> bool {
        (self.generation, self.n, self.hash) == (other.generation, other.n, other.hash)
    }
}
impl Eq for Cursor {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedAsk {
    pub author: AuthorId,
    pub ward: WardId,
    pub from: FeedFrom,
    pub limit: u32,
    /// Long poll: how long to wait when there is nothing new; at most [`WAIT_MAX_MS`].
    pub wait_ms: u32,
    /// The roster that the reader has; 0 for none.
    pub roster_version: u64,
    /// The tablet's name, for a server that was restored to a time before its joining.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Bodies that this tablet itself sent may come as their hashes; for a reader by cursor that still has them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_by_hash: bool,
    /// Of the newest [`Trust`] that the reader has: its `since`, 0 for none. Nothing from an older tablet, which is told
    /// nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Ms>,
    /// Comes back in the page, so that an answer to another question is not taken for this one's. Nil from a reader of
    /// the first release.
    #[serde(default, skip_serializing_if = "Uuid::is_nil")]
    pub request: Uuid,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedFrom {
    /// A fresh reader: all standing records and the last 24 hours, the latest state of every patient first.
    Opening,
    /// The next page of the opening, as the last page said.
    OpeningNext(OpeningMark),
    Cursor(Cursor),
}

/// Where a reader stands in an opening. The server makes it; a tablet hands it back as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningMark {
    /// The feed's end when the opening began: the cursor once the opening is through.
    pub end: Cursor,
    /// 0 standing records, 1 the last 24 hours newest first.
    pub part: u8,
    /// Last row number sent of that part.
    pub n: u64,
    /// Rows observed at or after this are recent, ms UTC.
    pub since: Ms,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FeedPage {
    pub header: FeedHeader,
    /// One a row of `header.rows`. Always [`Blob::Bytes`], or [`Blob::Held`] where the body was pruned.
    pub bodies: Vec<Blob>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedHeader {
    pub rows: Vec<FeedRow>,
    pub next: FeedNext,
    /// There is more right now: ask again at once.
    pub more: bool,
    /// Only where newer than the reader's.
    #[serde(default, deserialize_with = "lenient::maybe_roster")]
    pub roster: Option<Roster>,
    /// All tablets of the ward, as of `server_time`.
    pub contacts: Vec<ContactMark>,
    pub server_time: Ms,
    /// What the server has backed up: bodies received before this may be pruned by tablets after 30 days.
    pub backed_up: Option<Ms>,
    /// Everything received before this was in what the server's generation began with. Nothing is said by a server that
    /// was put back by hand, or by one of the first release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_with: Option<Ms>,
    /// How far the chains go that this page's rows come from, and the server's own: kept by the reader as evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<HeadShown>,
    /// Where it is another than the reader's.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::or_none")]
    pub trust: Option<Trust>,
    /// [`FeedPage::digest`] of this page's rows: what was bent on the way is not taken for what the server holds. None
    /// where there are no rows, and from a server of the first release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Hash>,
    /// Of the question. Nil from a server of the first release.
    #[serde(default, skip_serializing_if = "Uuid::is_nil")]
    pub request: Uuid,
}

impl FeedPage {
    /// Over every row's number, link and body: `lamplight.page.v1\0`, then for each row `u64 n ‖ author ‖ u64 seq ‖ body
    /// hash`, integers big-endian, hashed like a body. None where there is no row.
    /// Whoever asks has the bodies' hashes at hand.
    pub fn digest<'a>(rows: impl IntoIterator<Item = (&'a FeedRow, Hash)>) -> Option<Hash> {
        let tag = b"lamplight.page.v1\0";
        let mut all = tag.to_vec();
        for (row, body) in rows {
            all.extend(row.n.to_be_bytes());
            all.extend(row.author.0.as_bytes());
            all.extend(row.seq.to_be_bytes());
            all.extend(body.0);
        }
        (all.len() > tag.len()).then(|| crate::chain::body_hash(&all))
    }
}

/// A head as its author signed it, with whoever vouches for that author.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadShown {
    #[serde(flatten)]
    pub signed: SignedHead,
    /// The author's credential, then its endorser's, up to one by the facility.
    pub credentials: Vec<Credential>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedNext {
    Opening(OpeningMark),
    /// Commit it together with the page's rows. For pages read by cursor the reader recomputes its hash.
    Cursor(Cursor),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedRow {
    pub n: u64,
    /// The link that brought the body here first.
    pub author: AuthorId,
    pub seq: u64,
    pub received_at: Ms,
    /// Codes of what is odd about it: "unknown_kind", "revoked_tablet"; shown to a person, never a reason to drop it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
}

/// When a tablet was last in touch, and how far its chain is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactMark {
    pub tablet: TabletId,
    pub last: Option<Ms>,
    pub confirmed: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfferAsk {
    pub author: AuthorId,
    /// Body hashes; at most [`BATCH_MAX_LINKS`] * 4.
    pub bodies: Vec<Hash>,
    /// Comes back in the answer.
    #[serde(default, skip_serializing_if = "Uuid::is_nil")]
    pub request: Uuid,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfferAnswer {
    pub lacks: Vec<Hash>,
    /// Of the question. Nil from a server of the first release.
    #[serde(default, skip_serializing_if = "Uuid::is_nil")]
    pub request: Uuid,
}

#[cfg(test)]
mod tests;
