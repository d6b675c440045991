//! Links: who wrote a record down as their n-th, chained by hash to their last. And the signatures over them.

mod evidence;
#[cfg(test)]
mod fixture;
mod hash;
mod seal;
mod sign;
mod succession;
mod trust;

pub use evidence::{SignedHead, is_vouched_for};
pub use hash::{Hash, body_hash, feed_hash, link_hash, request_digest};
pub use seal::{DecryptionKey, EncryptionKey};
pub use sign::{Credential, Endorser, Head, PublicKey, Receipt, Signature, SigningKey, author_of, verify};
pub use succession::{FacilityKeys, Succession, successions_after, successions_to};
pub use trust::{Renewal, Trust, pem};

use crate::ids::AuthorId;
use serde::{Deserialize, Serialize};

/// A link of an author's chain. `seq` counts 1, 2, 3 … without holes; `prev` is the link hash of `seq - 1`, and
/// [`Hash::ZERO`] for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub author: AuthorId,
    pub seq: u64,
    pub prev: Hash,
    pub body_hash: Hash,
}

impl Link {
    pub fn hash(&self) -> Hash {
        link_hash(self.author, self.seq, &self.prev, &self.body_hash)
    }
}
