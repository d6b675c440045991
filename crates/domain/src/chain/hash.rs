//! SHA-256 everywhere, each use under a tag of its own, so that one kind of hash can never stand in for another.

use crate::ids::{AuthorId, RecordId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// 32 bytes; lowercase hexadecimal in JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(#[serde(with = "hex::serde")] pub [u8; 32]);

impl Hash {
    pub const ZERO: Hash = Hash([0; 32]);
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(&self.0[..6]))
    }
}
impl std::str::FromStr for Hash {
    type Err = hex::FromHexError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Hash(bytes))
    }
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}

/// SHA-256 of a body's very bytes.
pub fn body_hash(bytes: &[u8]) -> Hash {
    sha256(&[bytes])
}

/// SHA-256("lamplight.link.v1\0" ‖ author (16 bytes) ‖ seq (u64, big-endian) ‖ prev ‖ body_hash).
pub fn link_hash(author: AuthorId, seq: u64, prev: &Hash, body: &Hash) -> Hash {
    sha256(&[b"lamplight.link.v1\0", author.0.as_bytes(), &seq.to_be_bytes(), &prev.0, &body.0])
}

/// The rolling hash of a ward's feed after one more row:
/// SHA-256("lamplight.feed.v1\0" ‖ before ‖ n (u64, big-endian) ‖ record id (16 bytes) ‖ body_hash).
pub fn feed_hash(before: &Hash, n: u64, id: RecordId, body: &Hash) -> Hash {
    sha256(&[b"lamplight.feed.v1\0", &before.0, &n.to_be_bytes(), id.0.as_bytes(), &body.0])
}

/// What a tablet signs of a request: SHA-256("lamplight.request.v1\0" ‖ method ‖ 0 ‖ path and query ‖ 0 ‖ nonce ‖ 0 ‖
/// counter (u64, big-endian) ‖ SHA-256(the body as sent)).
pub fn request_digest(method: &str, path: &str, nonce: &str, counter: u64, body: &[u8]) -> Hash {
    let content = sha256(&[body]);
    sha256(&[
        b"lamplight.request.v1\0",
        method.as_bytes(),
        &[0],
        path.as_bytes(),
        &[0],
        nonce.as_bytes(),
        &[0],
        &counter.to_be_bytes(),
        &content.0,
    ])
}
