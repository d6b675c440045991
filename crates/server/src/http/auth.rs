//! Who is asking: a request signed by a known author over a nonce of this server, once.

use super::Refused;
use super::refused;
use crate::facility::{FacilityServer, NonceRefused};
use axum::http::{HeaderMap, Method, Uri};
use lamplight_domain::chain::{PublicKey, Signature, request_digest, verify};
use lamplight_domain::ids::AuthorId;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::AUTH_HEADER;

/// What the header says; nothing of it is believed yet.
#[derive(Debug, PartialEq)]
pub struct Claim {
    pub author: AuthorId,
    nonce: String,
    counter: u64,
    signature: Signature,
}

fn bad_signature() -> Refusal {
    Refusal::new(
        "auth.signature",
        "The message is not signed by the tablet that it names.",
        "Send it again; where that fails, join again with a new invite.",
    )
}

fn bad_nonce() -> Refusal {
    Refusal::new("auth.nonce", "The message was taken before, or is too old.", "Sign it again with the new nonce.")
}

/// By which name a request that came twice is written down. To who sends it, it is a nonce like any other: only the
/// tablet itself can sign anew.
pub const REPLAYED: &str = "auth.replayed";

impl Claim {
    /// `v1 AUTHOR NONCE COUNTER SIGNATURE`. Errors: "auth.signature".
    pub fn read(headers: &HeaderMap) -> Result<Claim, Refusal> {
        let text = headers.get(AUTH_HEADER).and_then(|v| v.to_str().ok()).ok_or_else(bad_signature)?;
        let parts: Vec<&str> = text.split(' ').collect();
        let ["v1", author, nonce, counter, signature] = parts[..] else { return Err(bad_signature()) };
        match (author.parse(), counter.parse(), signature.parse()) {
            (Ok(author), Ok(counter), Ok(signature)) => {
                Ok(Claim { author, nonce: nonce.to_owned(), counter, signature })
            }
            _ => Err(bad_signature()),
        }
    }

    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Is the claim true? Uses up the nonce's counter where it is. Errors: "auth.nonce", "auth.signature".
    pub fn check(&self, facility: &FacilityServer, key: &PublicKey, request: &Asked<'_>) -> Result<(), Refused> {
        self.check_signature(facility, key, request)?;
        facility.nonces().take(self.author, &self.nonce, self.counter).map_err(|why| match why {
            NonceRefused::Stale => refused(bad_nonce()),
            NonceRefused::Replayed => {
                tracing::warn!(author = %self.author, "a request was sent twice");
                Refused { written_as: Some(REPLAYED), ..refused(bad_nonce()) }
            }
        })
    }

    /// The same for somebody who is not known yet: nothing is remembered, so that strangers cannot fill the memory.
    /// For what may come twice.
    pub fn check_signature(
        &self,
        facility: &FacilityServer,
        key: &PublicKey,
        request: &Asked<'_>,
    ) -> Result<(), Refusal> {
        if !facility.nonces().holds(&self.nonce) {
            return Err(bad_nonce());
        }
        let path = request.uri.path_and_query().map_or("", |p| p.as_str());
        let digest = request_digest(request.method.as_str(), path, &self.nonce, self.counter, request.body);
        if verify(key, &digest.0, &self.signature) { Ok(()) } else { Err(bad_signature()) }
    }
}

/// A request as it was sent.
pub struct Asked<'a> {
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub body: &'a [u8],
}
