//! What a tablet's export says beside its records: enough to show, against a server's file, what that server once had.
//! It stands in the field `evidence` of the export's last line. No patient data.

use super::Cursor;
use crate::chain::{Credential, Hash, Receipt, SignedHead};
use crate::ids::{AuthorId, FacilityId, TabletId, WardId};
use crate::time::Ms;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// 1
    pub v: u16,
    pub facility: FacilityId,
    pub tablet: TabletId,
    /// "W-1"
    pub name: String,
    /// Of the tablet's own authors, oldest first, and of all whose heads it has seen.
    pub credentials: Vec<Credential>,
    pub chains: Vec<OwnChain>,
    /// The server's signed word for own heads, in order of arrival.
    pub receipts: Vec<Receipt>,
    /// Of others, in order of arrival.
    pub heads: Vec<SignedHead>,
    /// What the feed told, of own records too.
    pub rows: Vec<RowRead>,
    pub feeds: Vec<FeedRead>,
}

/// The links of one own author: their body hashes from number 1 on. The rest follows from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnChain {
    pub author: AuthorId,
    pub bodies: Vec<Hash>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowRead {
    pub author: AuthorId,
    pub seq: u64,
    pub body_hash: Hash,
    pub received_at: Ms,
    /// Number in that feed.
    pub n: u64,
    /// [`FeedRead::no`]; None where an older program read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<u64>,
}

/// A feed that was read, in one generation of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedRead {
    pub no: u64,
    pub ward: WardId,
    pub generation: Uuid,
    /// Where the tablet stands in it now, with the server's mark; None for one that it reads no more.
    pub cursor: Option<Cursor>,
}
