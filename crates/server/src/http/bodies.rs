//! Request bodies, within limits: of size as sent, of size after decompression, of time.

use super::Refused;
use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::{BATCH_MAX_BYTES, CONTENT_TYPE};
use std::io::Read;
use std::time::Duration;
use tokio::time::timeout;
use tokio_stream::StreamExt;

/// A batch, its header with credential and receipt, and the length of every blob.
pub const MESSAGE_MAX_BYTES: usize = BATCH_MAX_BYTES + 64 * 1024;
/// A request must have arrived by then; a tablet on a bad line sends smaller batches.
const ARRIVAL: Duration = Duration::from_secs(60);
/// Of what is too big, so much more is read and thrown away, and for so long. Many a client reads the answer only when
/// it has sent everything: an answer before that, and an end of the connection, it takes for a broken line.
const THROWN_AWAY_BYTES: usize = 8 * 1024 * 1024;
const THROWN_AWAY: Duration = Duration::from_secs(5);
/// 8 MiB: what a message of this size can have been compressed with. More memory is given to nobody.
const WINDOW_LOG_MAX: u32 = 23;
/// Answers below this are not worth compressing.
const COMPRESS_FROM_BYTES: usize = 512;
/// Time matters more than the last percent.
const LEVEL: i32 = 3;

pub fn too_big() -> Refusal {
    Refusal::new("request.too_big", "The message is too big.", "Send fewer records at once.")
}

/// The body as it was sent. Errors: "request.too_big", "request.slow", "request.cut_short".
pub async fn read(body: Body) -> Result<Vec<u8>, Refused> {
    read_within(body, MESSAGE_MAX_BYTES, ARRIVAL).await
}

/// The body as it was sent, where it is no bigger than this and has arrived by then. Errors: those of [`read`].
pub async fn read_within(body: Body, max_bytes: usize, arrival: Duration) -> Result<Vec<u8>, Refused> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    let whole = timeout(arrival, async {
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| cut_short())?;
            if bytes.len() + chunk.len() > max_bytes {
                return Ok(false);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok::<bool, Refusal>(true)
    });
    match whole.await {
        Ok(Ok(true)) => Ok(bytes),
        Ok(Ok(false)) => {
            drop(bytes);
            thrown_away(chunks).await;
            Err(too_big().into())
        }
        Ok(Err(refusal)) => Err(refusal.into()),
        Err(_) => Err(Refused {
            status: StatusCode::REQUEST_TIMEOUT,
            refusal: Refusal::new(
                "request.slow",
                "The message took too long to arrive.",
                "Send fewer records at once.",
            ),
            retry_after_seconds: None,
            written_as: None,
        }),
    }
}

/// Reads what nobody will look at, so that a client which reads only when it has sent everything hears why.
pub async fn throw_away(body: Body) {
    thrown_away(body.into_data_stream()).await;
}

async fn thrown_away(mut chunks: BodyDataStream) {
    let mut left = THROWN_AWAY_BYTES;
    let _ = timeout(THROWN_AWAY, async {
        while let Some(Ok(chunk)) = chunks.next().await
            && left > chunk.len()
        {
            left -= chunk.len();
        }
    })
    .await;
}

pub fn cut_short() -> Refusal {
    Refusal::new("request.cut_short", "The message did not arrive whole.", "Send it again.")
}

/// What was sent, decompressed where it says that it is compressed. Never more than [`MESSAGE_MAX_BYTES`] of memory,
/// whatever it would become. Errors: "request.too_big", "request.encoding".
pub fn decompress(headers: &HeaderMap, bytes: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
    match encoding {
        None | Some(b"identity") => Ok(bytes),
        Some(b"zstd") => {
            let broken = || Refusal::new("request.encoding", "The message cannot be decompressed.", "Send it again.");
            let mut decoder = zstd::stream::read::Decoder::new(bytes.as_slice()).map_err(|_| broken())?;
            decoder.window_log_max(WINDOW_LOG_MAX).map_err(|_| broken())?;
            let mut out = Vec::new();
            decoder.take(MESSAGE_MAX_BYTES as u64 + 1).read_to_end(&mut out).map_err(|_| broken())?;
            if out.len() > MESSAGE_MAX_BYTES { Err(too_big()) } else { Ok(out) }
        }
        Some(_) => Err(Refusal::new(
            "request.encoding",
            "The message is compressed in a way that this server does not know.",
            "Send it with zstd, or as it is.",
        )),
    }
}

/// A frame, compressed where the reader says that it can read that.
pub fn frame(accepts: &HeaderMap, bytes: Vec<u8>) -> Response {
    let zstd = accepts
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .any(|v| v.split(',').any(|e| e.trim().split(';').next() == Some("zstd")));
    let compressed = (zstd && bytes.len() >= COMPRESS_FROM_BYTES)
        .then(|| zstd::bulk::compress(&bytes, LEVEL).ok())
        .flatten()
        .filter(|c| c.len() < bytes.len());
    let content = (header::CONTENT_TYPE, CONTENT_TYPE);
    match compressed {
        Some(compressed) => ([content, (header::CONTENT_ENCODING, "zstd")], compressed).into_response(),
        None => ([content], bytes).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(encoding: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_ENCODING, HeaderValue::from_static(encoding))])
    }

    /// So many chunks of 1 KiB, and then nothing more, or never an end.
    fn sent(chunks: usize, ends: bool) -> Body {
        let all = tokio_stream::iter((0..chunks).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1024])));
        if ends { Body::from_stream(all) } else { Body::from_stream(all.chain(tokio_stream::pending())) }
    }

    #[tokio::test]
    async fn a_body_is_read_within_its_limits_of_size_and_time() {
        let (soon, late) = (Duration::from_millis(50), Duration::from_secs(3600));
        let code = |r: Result<Vec<u8>, Refused>| r.map(|bytes| bytes.len()).map_err(|r| (r.status, r.refusal.code));
        assert_eq!(code(read_within(sent(4, true), 4096, late).await), Ok(4096));
        let too_big = Err((StatusCode::PAYLOAD_TOO_LARGE, "request.too_big".into()));
        assert_eq!(code(read_within(sent(5, true), 4096, late).await), too_big);
        // Without an end it is refused all the same: so much is thrown away, and no more.
        assert_eq!(code(read_within(sent(9 * 1024, false), 4096, late).await), too_big);
        let slow = Err((StatusCode::REQUEST_TIMEOUT, "request.slow".into()));
        assert_eq!(code(read_within(sent(2, false), 4096, soon).await), slow);
        let cut = sent(1, true).into_data_stream().map(|_| Err::<Vec<u8>, _>(std::io::Error::other("cut")));
        let cut_short = Err((StatusCode::BAD_REQUEST, "request.cut_short".into()));
        assert_eq!(code(read_within(Body::from_stream(cut), 4096, late).await), cut_short);
    }

    #[test]
    fn a_bomb_is_refused_before_it_goes_off() {
        let bomb = zstd::bulk::compress(&vec![0; 256 * 1024 * 1024], 19).unwrap();
        assert!(bomb.len() < 64 * 1024);
        assert_eq!(decompress(&headers("zstd"), bomb).unwrap_err().code, "request.too_big");
    }

    #[test]
    fn what_is_cut_or_foreign_is_refused_by_name() {
        let whole = zstd::bulk::compress(&[7; 5000], 3).unwrap();
        assert_eq!(decompress(&headers("zstd"), whole.clone()).unwrap(), [7; 5000]);
        let cut = whole[..whole.len() - 2].to_vec();
        assert_eq!(decompress(&headers("zstd"), cut).unwrap_err().code, "request.encoding");
        assert_eq!(decompress(&headers("br"), whole).unwrap_err().code, "request.encoding");
    }
}
