//! A header of JSON and a row of byte strings, in one message. Bodies travel as the very bytes that were hashed, so
//! they are not put into JSON strings again.
//!
//! `u32 header length ‖ header (JSON) ‖ blob*`, where a blob is `u32 length ‖ bytes`, or `u32 0xFFFFFFFF ‖ 32 bytes`
//! for a body that is named by its hash. All integers big-endian. Nothing may follow the last blob.

use crate::chain::Hash;
use serde::{Serialize, de::DeserializeOwned};

const HELD: u32 = u32::MAX;

#[derive(Clone, PartialEq, Eq)]
pub enum Blob {
    Bytes(Vec<u8>),
    /// The receiver has it under this hash.
    Held(Hash),
}

impl Blob {
    pub fn hash(&self) -> Hash {
        match self {
            Blob::Bytes(bytes) => crate::chain::body_hash(bytes),
            Blob::Held(hash) => *hash,
        }
    }
}

/// Bodies are patient data: only their size prints.
impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Blob::Bytes(bytes) => write!(f, "Blob({} bytes)", bytes.len()),
            Blob::Held(hash) => write!(f, "Held({hash:?})"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("the message ends after {0} bytes, in the middle of a part")]
    CutShort(usize),
    #[error("the header is not what was expected (line {line}, column {column})")]
    Header { line: usize, column: usize },
    #[error("more than {0} blobs")]
    TooMany(usize),
}

pub fn encode<H: Serialize>(header: &H, blobs: &[Blob]) -> Vec<u8> {
    let header = serde_json::to_vec(header).unwrap_or_default();
    let mut out = Vec::with_capacity(
        4 + header.len() + blobs.iter().map(|b| if let Blob::Bytes(b) = b { b.len() + 4 } else { 36 }).sum::<usize>(),
    );
    out.extend_from_slice(&(header.len() as u32).to_be_bytes());
    out.extend_from_slice(&header);
    for blob in blobs {
        match blob {
            Blob::Bytes(bytes) => {
                out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
                out.extend_from_slice(bytes);
            }
            Blob::Held(hash) => {
                out.extend_from_slice(&HELD.to_be_bytes());
                out.extend_from_slice(&hash.0);
            }
        }
    }
    out
}

/// Reads a message of at most `max_blobs` blobs. Never allocates more than the message itself is long.
pub fn decode<H: DeserializeOwned>(message: &[u8], max_blobs: usize) -> Result<(H, Vec<Blob>), FrameError> {
    let mut rest = message;
    let mut take = |n: usize| {
        let (head, tail) = rest.split_at_checked(n)?;
        rest = tail;
        Some((head, tail.is_empty()))
    };
    let cut = || FrameError::CutShort(message.len());
    let length = |bytes: &[u8]| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);

    let (size, _) = take(4).ok_or_else(cut)?;
    let (header, mut at_end) = take(length(size) as usize).ok_or_else(cut)?;
    let header =
        serde_json::from_slice(header).map_err(|e| FrameError::Header { line: e.line(), column: e.column() })?;
    let mut blobs = Vec::new();
    while !at_end {
        if blobs.len() == max_blobs {
            return Err(FrameError::TooMany(max_blobs));
        }
        let (size, _) = take(4).ok_or_else(cut)?;
        let (bytes, end) = match length(size) {
            HELD => take(32),
            n => take(n as usize),
        }
        .ok_or_else(cut)?;
        blobs.push(if length(size) == HELD {
            Blob::Held(Hash(bytes.try_into().unwrap_or_default()))
        } else {
            Blob::Bytes(bytes.to_vec())
        });
        at_end = end;
    }
    Ok((header, blobs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_message_comes_back_as_it_was(header in ".*", blobs in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..8)) {
            let blobs: Vec<Blob> = blobs.into_iter().map(Blob::Bytes).chain([Blob::Held(Hash([7; 32]))]).collect();
            let (h, b): (String, _) = decode(&encode(&header, &blobs), 100).unwrap();
            prop_assert_eq!((h, b), (header, blobs));
        }

        #[test]
        fn any_cut_is_noticed_or_gives_fewer_blobs(cut in 0usize..70) {
            let whole = encode(&"h", &[Blob::Bytes(vec![1; 20]), Blob::Bytes(vec![2; 20]), Blob::Held(Hash::ZERO)]);
            if let Ok((_, blobs)) = decode::<String>(&whole[..cut.min(whole.len() - 1)], 100) {
                prop_assert!(blobs.len() < 3);
            }
        }

        #[test]
        fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode::<serde_json::Value>(&noise, 10);
        }
    }
}
