//! The protocol over real HTTPS on a port of its own: who is asking, what is too much, and what every answer carries.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::*;
use lamplight_domain::chain::{SigningKey, request_digest};
use lamplight_domain::wire::{
    AUTH_HEADER, Batch, Blob, CONTENT_TYPE, FeedFrom, FeedHeader, HelloAnswer, NONCE_HEADER, OfferAnswer, OfferAsk,
    PAGE_MAX_ROWS, PushAnswer, PushRefused, decode, encode, path,
};
use lamplight_server::{Options, Running, serve};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

/// A browser or a tablet, outside.
struct Caller {
    http: reqwest::Client,
    url: String,
}

async fn served(house: &House) -> (Running, Caller) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let running = serve(&house.path, ([127, 0, 0, 1], 0).into(), Options::default()).await.unwrap();
    let ca = reqwest::Certificate::from_pem(&std::fs::read(house.path.join("ca.pem")).unwrap()).unwrap();
    let http = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
    let url = running.url.clone();
    (running, Caller { http, url })
}

impl Caller {
    async fn nonce(&self) -> String {
        let answer = self.http.post(format!("{}{}", self.url, path::HELLO)).send().await.unwrap();
        answer.json::<HelloAnswer>().await.unwrap().nonce
    }
    async fn send(&self, path: &str, auth: Option<String>, body: Vec<u8>, headers: &[(&str, &str)]) -> Response {
        let mut request = self.http.post(format!("{}{path}", self.url)).body(body);
        if let Some(auth) = auth {
            request = request.header(AUTH_HEADER, auth);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }
    async fn signed(&self, key: &SigningKey, path: &str, body: Vec<u8>, headers: &[(&str, &str)]) -> Response {
        let auth = auth(key, path, &self.nonce().await, 1, &body);
        self.send(path, Some(auth), body, headers).await
    }
    async fn push(&self, key: &SigningKey, batch: &Batch) -> PushAnswer {
        let response = self.signed(key, path::PUSH, encode(&batch.header, &batch.bodies), FRAME).await;
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }
}

const FRAME: &[(&str, &str)] = &[("content-type", CONTENT_TYPE)];
const ZSTD: &[(&str, &str)] = &[("content-type", CONTENT_TYPE), ("content-encoding", "zstd")];

fn auth(key: &SigningKey, path: &str, nonce: &str, counter: u64, body: &[u8]) -> String {
    let digest = request_digest("POST", path, nonce, counter, body);
    format!("v1 {} {nonce} {counter} {}", key.author(), key.sign(&digest.0))
}

async fn code(response: Response) -> (StatusCode, String) {
    assert!(response.headers().contains_key(NONCE_HEADER), "refusals too bring the next nonce");
    let status = response.status();
    let refusal: Value = response.json().await.unwrap();
    assert!(!refusal["what"].as_str().unwrap().is_empty() && !refusal["next"].as_str().unwrap().is_empty());
    (status, refusal["code"].as_str().unwrap().to_owned())
}

/// Joins over HTTPS.
async fn joined(house: &House, caller: &Caller, seed: u8) -> Pad {
    let key = SigningKey::from_seed(&[seed; 32]);
    // The server's clock is the machine's: the invite must be good by it.
    let text = lamplight_server::invite(&house.path, "Willow Ward", &caller.url, 1).unwrap();
    let ask = serde_json::to_vec(&join_ask(&text.code, &key, "")).unwrap();
    let response = caller.send(path::JOIN, None, ask, &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    Pad::of(key, response.json().await.unwrap())
}

#[tokio::test]
async fn records_go_in_and_come_out_compressed_over_real_https() {
    let house = House::new();
    let (running, caller) = served(&house).await;
    let (mut pad, reader) = (joined(&house, &caller, 1).await, joined(&house, &caller, 2).await);
    let notes: Vec<_> = (0..50).map(|n| pad.note(running.facility().around().now(), &n.to_string())).collect();
    let batch = pad.batch(notes.clone());
    let squeezed = zstd::bulk::compress(&encode(&batch.header, &batch.bodies), 3).unwrap();
    let response = caller.signed(&pad.key, path::PUSH, squeezed, ZSTD).await;
    let answer: PushAnswer = response.json().await.unwrap();
    assert_eq!((answer.refused, answer.receipt.unwrap().head), (None, pad.head));
    let ask = serde_json::to_vec(&reader.ask(FeedFrom::Opening)).unwrap();
    let response = caller.signed(&reader.key, path::FEED, ask, &[("accept-encoding", "zstd")]).await;
    assert_eq!(response.headers()["content-type"], CONTENT_TYPE);
    assert_eq!(response.headers()["content-encoding"], "zstd");
    let frame = zstd::stream::decode_all(&*response.bytes().await.unwrap()).unwrap();
    let (header, blobs) = decode::<FeedHeader>(&frame, PAGE_MAX_ROWS).unwrap();
    assert_eq!(header.rows.len(), blobs.len());
    assert!(notes.iter().all(|n| blobs.contains(&Blob::Bytes(n.clone()))));
    let offer = OfferAsk {
        author: pad.key.author(),
        bodies: vec![lamplight_domain::chain::body_hash(&notes[0])],
        request: uuid::Uuid::nil(),
    };
    let response = caller.signed(&pad.key, path::OFFER, serde_json::to_vec(&offer).unwrap(), &[]).await;
    assert_eq!(response.json::<OfferAnswer>().await.unwrap().lacks, []);
    running.stop().await;
    lamplight_server::verify(&house.path).unwrap();
}

#[tokio::test]
async fn a_request_counts_once_and_only_as_its_author_signed_it() {
    let house = House::new();
    let (running, caller) = served(&house).await;
    let pad = joined(&house, &caller, 1).await;
    let ask = serde_json::to_vec(&pad.ask(FeedFrom::Opening)).unwrap();
    let nonce = caller.nonce().await;
    let good = auth(&pad.key, path::FEED, &nonce, 1, &ask);
    let send = |auth: String, body: &[u8]| caller.send(path::FEED, Some(auth), body.to_vec(), &[]);
    assert_eq!(send(good.clone(), &ask).await.status(), StatusCode::OK);
    let unauthorized = |code: &str| (StatusCode::UNAUTHORIZED, code.to_owned());
    assert_eq!(code(send(good.clone(), &ask).await).await, unauthorized("auth.nonce"), "sent twice");
    let next = auth(&pad.key, path::FEED, &nonce, 2, &ask);
    assert_eq!(send(next, &ask).await.status(), StatusCode::OK, "the nonce is good for more");
    let stale = auth(&pad.key, path::FEED, "bm90IGEgbm9uY2Ugb2YgdGhpcyBz", 1, &ask);
    assert_eq!(code(send(stale, &ask).await).await, unauthorized("auth.nonce"));
    let mut bent = ask.clone();
    bent.push(b' ');
    let bad = [
        (auth(&pad.key, path::FEED, &nonce, 3, &ask), bent),
        (auth(&pad.key, path::OFFER, &nonce, 3, &ask), ask.clone()),
        (auth(&pad.key, path::FEED, &nonce, 3, &ask).replace(" 3 ", " 4 "), ask.clone()),
        (
            auth(&SigningKey::from_seed(&[9; 32]), path::FEED, &nonce, 3, &ask)
                .replace(&SigningKey::from_seed(&[9; 32]).author().to_string(), &pad.key.author().to_string()),
            ask.clone(),
        ),
        ("v1 rubbish".into(), ask.clone()),
    ];
    for (auth, body) in bad {
        assert_eq!(code(send(auth, &body).await).await, unauthorized("auth.signature"));
    }
    assert_eq!(code(caller.send(path::FEED, None, ask.clone(), &[]).await).await, unauthorized("auth.signature"));
    let stranger = SigningKey::from_seed(&[9; 32]);
    assert_eq!(code(caller.signed(&stranger, path::FEED, ask.clone(), &[]).await).await, unauthorized("auth.author"));
    let other = joined(&house, &caller, 2).await;
    assert_eq!(
        code(caller.signed(&other.key, path::FEED, ask, &[]).await).await,
        unauthorized("auth.author"),
        "in another's name"
    );
    running.stop().await;
}

#[tokio::test]
async fn a_stranger_is_asked_for_a_credential_and_let_in_by_it() {
    let house = House::new();
    let (running, caller) = served(&house).await;
    let mut pad = joined(&house, &caller, 1).await;
    let stranger = SigningKey::from_seed(&[9; 32]);
    let head = lamplight_domain::chain::Head::empty(stranger.author());
    let note = Blob::Bytes(pad.note(START, "x"));
    let answer = caller.push(&stranger, &batch(&stranger, &head, vec![note.clone()], None)).await;
    assert_eq!((answer.refused, answer.receipt), (Some(PushRefused::UnknownAuthor), None));
    let borrowed = batch(&stranger, &head, vec![note.clone()], Some(pad.credential.clone()));
    assert_eq!(caller.push(&stranger, &borrowed).await.refused, Some(PushRefused::UnknownAuthor));
    let fork = lamplight_domain::chain::Credential::sign(
        &pad.key,
        lamplight_domain::chain::Endorser::Author(pad.key.author()),
        pad.credential.facility,
        stranger.public(),
        Some(pad.tablet),
    );
    let with = batch(&stranger, &head, vec![note], Some(fork));
    assert_eq!(caller.push(&stranger, &with).await.refused, None);
    let own = pad.batch(vec![]);
    assert_eq!(caller.push(&pad.key, &own).await.receipt.unwrap().head, pad.head);
    running.stop().await;
}

#[tokio::test]
async fn what_is_too_much_cut_short_or_foreign_is_refused_and_nothing_held_is_touched() {
    let house = House::new();
    let (running, caller) = served(&house).await;
    let mut pad = joined(&house, &caller, 1).await;
    let note = pad.note(START, "one");
    let batch = pad.batch(vec![note]);
    let whole = encode(&batch.header, &batch.bodies);
    let bomb = zstd::bulk::compress(&vec![0; 512 * 1024 * 1024], 3).unwrap();
    let too_big = (StatusCode::PAYLOAD_TOO_LARGE, "request.too_big".to_owned());
    let bad = |code: &str| (StatusCode::BAD_REQUEST, code.to_owned());
    let no_json: &[(&str, &str)] = &[];
    for (path, body, headers, expected) in [
        (path::PUSH, bomb, ZSTD, too_big.clone()),
        (path::PUSH, vec![0; 3 * 1024 * 1024], FRAME, too_big),
        (path::PUSH, whole[..whole.len() - 3].to_vec(), FRAME, bad("request.cut_short")),
        (path::PUSH, whole[..10].to_vec(), FRAME, bad("request.cut_short")),
        (path::PUSH, vec![], FRAME, bad("request.cut_short")),
        (path::PUSH, b"not zstd".to_vec(), ZSTD, bad("request.encoding")),
        (path::PUSH, whole.clone(), no_json, bad("request.content_type")),
        (path::FEED, b"{\"deep\":".repeat(100_000), no_json, bad("request.not_json")),
        (path::OFFER, b"<html>".to_vec(), no_json, bad("request.not_json")),
    ] {
        assert_eq!(code(caller.signed(&pad.key, path, body, headers).await).await, expected);
    }
    assert_eq!(code(caller.send(path::JOIN, None, b"{}".to_vec(), &[]).await).await, bad("request.not_json"));
    assert_eq!(caller.push(&pad.key, &batch).await.receipt.unwrap().head, pad.head, "it goes on");
    running.stop().await;
    lamplight_server::verify(&house.path).unwrap();
}

/// A connection that is cut in the middle of a request leaves nothing behind.
#[tokio::test]
async fn a_request_that_breaks_off_is_as_if_it_never_was() {
    let house = House::new();
    let (running, caller) = served(&house).await;
    let mut pad = joined(&house, &caller, 1).await;
    let note = pad.note(START, "one");
    let before = pad.head;
    let batch = pad.batch(vec![note]);
    let whole = encode(&batch.header, &batch.bodies);
    let auth = auth(&pad.key, path::PUSH, &caller.nonce().await, 1, &whole);
    let half: Vec<Result<Vec<u8>, std::io::Error>> =
        vec![Ok(whole[..whole.len() / 2].to_vec()), Err(std::io::Error::other("cut"))];
    let request = caller
        .http
        .post(format!("{}{}", caller.url, path::PUSH))
        .header(AUTH_HEADER, auth)
        .header("content-type", CONTENT_TYPE)
        .body(reqwest::Body::wrap_stream(tokio_stream::iter(half)));
    assert!(request.send().await.is_err());
    let ask = common::batch(&pad.key, &before, vec![], None);
    assert_eq!(caller.push(&pad.key, &ask).await.receipt.unwrap().head, before);
    assert_eq!(caller.push(&pad.key, &batch).await.refused, None);
    running.stop().await;
}

/// Nothing is cached, framed, sniffed or sent elsewhere, whatever was asked and however it was answered. What a tablet
/// asked for and got is no page, and says only that nobody may keep it.
#[tokio::test]
async fn every_answer_of_every_route_carries_its_guards() {
    let house = House::new();
    let (running, caller) = served(&house).await;
    let mut asked: Vec<(Method, String)> = lamplight_server::station::access::RULES
        .iter()
        .map(|r| (r.method.clone(), r.path.replace('*', "x.js")))
        .collect();
    for path in [path::HELLO, path::JOIN, path::PUSH, path::FEED, path::OFFER] {
        asked.push((Method::POST, path.to_owned()));
        asked.push((Method::GET, path.to_owned()));
    }
    asked.push((Method::GET, "/nowhere".into()));
    asked.push((Method::DELETE, "/station/api/day".into()));
    asked.push((Method::GET, "/assets/../station/index.html".into()));
    for (method, path) in asked {
        let response = caller.http.request(method.clone(), format!("{}{path}", caller.url)).send().await.unwrap();
        let is_for_a_tablet = path.starts_with("/v1/") && response.status().is_success();
        for (name, value) in GUARDS {
            let wanted = !is_for_a_tablet || name == "cache-control";
            let got = response.headers().get(name).map(|v| v.to_str().unwrap());
            assert_eq!(got, wanted.then_some(value), "{name} of {method} {path}");
        }
        assert!(!response.headers().contains_key("server"), "{method} {path}");
        assert!(!response.headers().contains_key("access-control-allow-origin"), "{method} {path}");
        let protocol = path.starts_with("/v1/") && method == Method::POST;
        assert_eq!(response.headers().contains_key(NONCE_HEADER), protocol, "{method} {path}");
    }
    let nowhere = caller.http.get(format!("{}/nowhere", caller.url)).send().await.unwrap();
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
    assert_eq!(nowhere.json::<Value>().await.unwrap()["code"], json!("request.unknown"));
    running.stop().await;
}

#[tokio::test]
async fn only_tls_1_3_and_only_this_facility_s_authority() {
    let house = House::new();
    let (running, caller) = served(&house).await;
    let ca = || reqwest::Certificate::from_pem(&std::fs::read(house.path.join("ca.pem")).unwrap()).unwrap();
    let old = reqwest::Client::builder().tls_certs_only([ca()]).tls_version_max(reqwest::tls::Version::TLS_1_2).build();
    assert!(old.unwrap().get(&caller.url).send().await.is_err());
    let other = House::new();
    let foreign = reqwest::Certificate::from_pem(&std::fs::read(other.path.join("ca.pem")).unwrap()).unwrap();
    let mistaken = reqwest::Client::builder().tls_certs_only([foreign]).build().unwrap();
    assert!(mistaken.get(&caller.url).send().await.is_err());
    let name = lamplight_domain::wire::server_name(running.facility().identity().facility);
    let by_name = reqwest::Client::builder().tls_certs_only([ca()]).no_proxy().resolve(&name, running.address);
    let url = format!("https://{name}:{}/", running.address.port());
    assert!(
        by_name.build().unwrap().get(url).send().await.is_ok(),
        "whatever the address is, the name is the facility's"
    );
    assert!(caller.http.get(caller.url.replace("https", "http")).send().await.is_err(), "never without TLS");
    running.stop().await;
}
