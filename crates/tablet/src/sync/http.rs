//! One request and its answer over HTTPS: no redirects, no proxies, a limit on every wait and every size, and a name
//! for everything else that may answer.

use super::client::not_the_server;
use super::tls;
use lamplight_domain::ids::FacilityId;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::{AUTH_HEADER, NONCE_HEADER, Trouble, server_name};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode, Url};
use rustls::pki_types::CertificateDer;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub const JSON: &str = "application/json";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
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
const RETRY_AFTER_DEFAULT_MS: u64 = 2_000;

/// What went over the wire since the client was made; bytes of bodies, as sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    pub requests: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
}

/// How a request is sent and what kind of answer is expected.
pub struct Ask<'a> {
    pub path: &'a str,
    pub body: Vec<u8>,
    /// How the body is compressed: the value of `content-encoding`.
    pub encoding: Option<&'static str>,
    pub content_type: &'static str,
    pub answer_type: &'static str,
    pub timeout: Duration,
}

/// The answer's body, decompressed, and the nonce that came with it, also where it is a refusal.
pub struct Answer {
    pub body: Result<Vec<u8>, Trouble>,
    pub nonce: Option<String>,
}

pub struct Http {
    client: reqwest::Client,
    /// With the facility's name as its host, whatever the address.
    base: Url,
    requests: AtomicU64,
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
}

impl Http {
    /// `url` says where to connect; whom to trust say `cas` and the facility's name. Errors: "server.address".
    pub fn new(
        url: &str,
        facility: FacilityId,
        cas: Vec<CertificateDer<'static>>,
        time: tls::Time,
    ) -> Result<Http, Trouble> {
        let mut base = Url::parse(url).map_err(|_| bad_address())?;
        let host = base.host_str().ok_or_else(bad_address)?.trim_matches(['[', ']']).to_owned();
        let name = server_name(facility);
        base.set_host(Some(&name)).map_err(|_| bad_address())?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(cas, time)?)
            .dns_resolver(tls::Address { name, host })
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
            .map_err(|_| Trouble::Unreachable("the HTTPS client cannot be made".to_owned()))?;
        Ok(Http {
            client,
            base,
            requests: AtomicU64::new(0),
            bytes_sent: AtomicU64::new(0),
            bytes_received: AtomicU64::new(0),
        })
    }

    pub fn traffic(&self) -> Traffic {
        Traffic {
            requests: self.requests.load(Ordering::Relaxed),
            bytes_sent: self.bytes_sent.load(Ordering::Relaxed),
            bytes_received: self.bytes_received.load(Ordering::Relaxed),
        }
    }

    pub async fn send(&self, ask: &Ask<'_>, auth: Option<String>) -> Result<Answer, Trouble> {
        let url = self.base.join(ask.path).map_err(|_| bad_address())?;
        let mut request =
            self.client.post(url).timeout(ask.timeout).header(CONTENT_TYPE, ask.content_type).body(ask.body.clone());
        // Only frames come compressed; of one entry's exchange every header is a part that is felt.
        if ask.answer_type != JSON {
            request = request.header(ACCEPT_ENCODING, "zstd");
        }
        if let Some(encoding) = ask.encoding {
            request = request.header(CONTENT_ENCODING, encoding);
        }
        if let Some(auth) = auth {
            request = request.header(AUTH_HEADER, auth);
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.bytes_sent.fetch_add(ask.body.len() as u64, Ordering::Relaxed);
        let response = request.send().await.map_err(|e| tls::trouble(&e))?;
        let nonce = response.headers().get(NONCE_HEADER).and_then(|v| v.to_str().ok()).map(str::to_owned);
        Ok(Answer { body: self.judge(response, ask.answer_type).await, nonce })
    }

    async fn judge(&self, response: Response, expected: &'static str) -> Result<Vec<u8>, Trouble> {
        let (status, headers) = (response.status(), response.headers().clone());
        let is = |wanted: &str| {
            headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| v.split(';').next() == Some(wanted))
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

    /// The whole body, decompressed, within the limit.
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
}

/// Compresses a body where that is worth it; the value of `content-encoding` where it did.
pub fn squeeze(body: &mut Vec<u8>) -> Option<&'static str> {
    if body.len() < COMPRESS_FROM_BYTES {
        return None;
    }
    *body = zstd::bulk::compress(body, ZSTD_LEVEL).ok()?;
    Some("zstd")
}

fn unsqueeze(body: &[u8]) -> Result<Vec<u8>, Trouble> {
    let broken = |_| not_the_server("its answer cannot be decompressed");
    let mut out = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(body).map_err(broken)?;
    decoder.take(ANSWER_MAX_BYTES as u64 + 1).read_to_end(&mut out).map_err(broken)?;
    if out.len() > ANSWER_MAX_BYTES { Err(not_the_server("its answer has no end")) } else { Ok(out) }
}

fn bad_address() -> Trouble {
    Trouble::Refused(Refusal::new(
        "server.address",
        "The facility server's address in the invite cannot be used.",
        "Make a new invite at the station with the server's address on this network.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_squeezed_comes_back_and_a_bomb_does_not() {
        let mut body = vec![b'x'; 100_000];
        assert_eq!(squeeze(&mut body), Some("zstd"));
        assert!(body.len() < 1_000);
        assert_eq!(unsqueeze(&body).unwrap(), vec![b'x'; 100_000]);
        let bomb = zstd::bulk::compress(&vec![0; ANSWER_MAX_BYTES + 1], 1).unwrap();
        assert!(matches!(unsqueeze(&bomb), Err(Trouble::NotTheServer(_))));
        assert!(matches!(unsqueeze(b"no zstd"), Err(Trouble::NotTheServer(_))));
        assert_eq!(squeeze(&mut b"short".to_vec()), None);
    }
}
