//! The protocol spoken by hand, from `docs/sync.md`: a third side that shares no line with the tablet's client, so that
//! it can say what a tablet never would.

use lamplight_domain::chain::{Credential, Head, PublicKey, Receipt, SigningKey, link_hash, request_digest};
use lamplight_domain::ids::{FacilityId, RecordId, WardId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Auth, Body, Envelope};
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{
    AUTH_HEADER, BatchHeader, Blob, CONTENT_TYPE, Cursor, FeedAsk, FeedFrom, FeedHeader, FeedNext, Invite, JoinAsk,
    Joined, NONCE_HEADER, PAGE_MAX_ROWS, PushAnswer, decode, encode, path, server_name,
};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use std::net::SocketAddr;
use uuid::Uuid;

pub struct Raw {
    http: reqwest::Client,
    base: String,
    pub key: SigningKey,
    pub facility: FacilityId,
    pub facility_key: PublicKey,
    pub ward: WardId,
    pub credential: Option<Credential>,
    nonce: String,
    pub counter: u64,
    /// Where its own chain stands, as it counts itself.
    pub head: Head,
}

impl Raw {
    /// Joins with a fresh key.
    pub async fn join(invite: &str, server: SocketAddr) -> Raw {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let invite: Invite = invite.parse().unwrap();
        let name = server_name(invite.facility);
        let http = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_der(&invite.ca_der).unwrap()])
            .resolve(&name, server)
            .no_proxy()
            .build()
            .unwrap();
        let base = format!("https://{name}:{}", server.port());
        let key = SigningKey::from_seed(&rand::random());
        let proof = key.sign(&JoinAsk::message(&invite.code));
        let ask = JoinAsk { code: invite.code, key: key.public(), proof, name: String::new() };
        let answer = http.post(format!("{base}{}", path::JOIN)).json(&ask).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{}", answer.text().await.unwrap());
        let nonce = answer.headers()[NONCE_HEADER].to_str().unwrap().to_owned();
        let joined: Joined = answer.json().await.unwrap();
        assert!(joined.credential.holds(&joined.facility_key), "the facility vouches for this key");
        let head = Head::empty(key.author());
        Raw {
            http,
            base,
            key,
            facility: invite.facility,
            facility_key: joined.facility_key,
            ward: joined.ward,
            credential: Some(joined.credential),
            nonce,
            counter: 0,
            head,
        }
    }

    /// The value of the authorisation header for the next request, and the counter that it used.
    pub fn sign(&mut self, path: &str, content: &[u8]) -> String {
        self.counter += 1;
        let digest = request_digest("POST", path, &self.nonce, self.counter, content);
        let signature = self.key.sign(&digest.0);
        format!("v1 {} {} {} {signature}", self.key.author(), self.nonce, self.counter)
    }

    /// Posts exactly these bytes with exactly these headers.
    ///
    /// # Panics
    /// Where the connection breaks before there is an answer.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], content: Vec<u8>) -> Response {
        let mut request = self.http.post(format!("{}{path}", self.base)).body(content);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("the server answers")
    }

    /// A well signed post; takes a new nonce once where the server asks for that.
    pub async fn signed(&mut self, path: &str, content_type: &str, content: &[u8]) -> Response {
        for _ in 0..2 {
            let auth = self.sign(path, content);
            let headers = [(AUTH_HEADER, auth.as_str()), ("content-type", content_type)];
            let answer = self.post(path, &headers, content.to_vec()).await;
            if let Some(nonce) = answer.headers().get(NONCE_HEADER) {
                let nonce = nonce.to_str().unwrap().to_owned();
                if nonce != self.nonce {
                    self.nonce = nonce;
                    self.counter = 0;
                }
            }
            if answer.status() != StatusCode::UNAUTHORIZED {
                return answer;
            }
        }
        panic!("the server does not know this tablet: {path}");
    }

    /// The frame that adds these bodies to the own chain, and the head after it.
    pub fn batch(&self, bodies: &[Vec<u8>]) -> (Vec<u8>, Head) {
        self.batch_with(bodies, |_| {})
    }

    /// The same with its header changed after it was signed.
    pub fn batch_with(&self, bodies: &[Vec<u8>], change: impl FnOnce(&mut BatchHeader)) -> (Vec<u8>, Head) {
        let mut head = self.head;
        for body in bodies {
            head.seq += 1;
            head.hash = link_hash(head.author, head.seq, &head.hash, &lamplight_domain::chain::body_hash(body));
        }
        let mut header = BatchHeader {
            facility: self.facility,
            author: head.author,
            first_seq: self.head.seq + 1,
            prev: self.head.hash,
            signature: self.key.sign(&head.message(self.facility)),
            request: Uuid::new_v4(),
            credential: self.credential.clone(),
            receipt: None,
        };
        change(&mut header);
        let blobs: Vec<Blob> = bodies.iter().cloned().map(Blob::Bytes).collect();
        (encode(&header, &blobs), head)
    }

    /// Pushes bodies that must be taken: the verified receipt.
    pub async fn push(&mut self, bodies: &[Vec<u8>]) -> Receipt {
        let (frame, head) = self.batch(bodies);
        let answer: PushAnswer = self.signed(path::PUSH, CONTENT_TYPE, &frame).await.json().await.unwrap();
        assert_eq!(answer.refused, None);
        let receipt = answer.receipt.expect("a receipt");
        assert!(receipt.holds(&self.facility_key, self.facility), "signed by the facility");
        assert_eq!(receipt.head, head, "the server recomputed the same head");
        self.head = head;
        receipt
    }

    /// Every row of the ward's feed from the opening on: (flags, body).
    pub async fn feed(&mut self) -> Vec<(Vec<String>, Vec<u8>)> {
        let mut rows = Vec::new();
        let mut from = FeedFrom::Opening;
        loop {
            let ask = FeedAsk {
                author: self.head.author,
                ward: self.ward,
                from,
                limit: PAGE_MAX_ROWS as u32,
                wait_ms: 0,
                roster_version: u64::MAX,
                name: String::new(),
                own_by_hash: false,
                trust: None,
                request: uuid::Uuid::nil(),
            };
            let ask = serde_json::to_vec(&ask).unwrap();
            let answer = self.signed(path::FEED, "application/json", &ask).await;
            assert_eq!(answer.status(), StatusCode::OK);
            let packed = answer.headers().get("content-encoding").is_some_and(|e| e == "zstd");
            let mut bytes = answer.bytes().await.unwrap().to_vec();
            if packed {
                bytes = zstd::decode_all(bytes.as_slice()).unwrap();
            }
            let (header, blobs): (FeedHeader, _) = decode(&bytes, PAGE_MAX_ROWS).unwrap();
            assert_eq!(header.rows.len(), blobs.len());
            for (row, blob) in header.rows.iter().zip(blobs) {
                if let Blob::Bytes(bytes) = blob {
                    rows.push((row.flags.clone(), bytes));
                }
            }
            match header.next {
                FeedNext::Cursor(Cursor { .. }) if !header.more => return rows,
                FeedNext::Cursor(cursor) => from = FeedFrom::Cursor(cursor),
                FeedNext::Opening(mark) => from = FeedFrom::OpeningNext(mark),
            }
        }
    }

    /// A good note of nobody in particular.
    pub fn note(&self, words: &str) -> Vec<u8> {
        let now = Ms(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64);
        let envelope = Envelope {
            v: 1,
            id: RecordId(Uuid::now_v7()),
            kind: String::new(),
            kind_v: 0,
            facility: self.facility,
            ward: self.ward,
            stay: None,
            by: None,
            auth: Auth::None,
            tablet: self.credential.as_ref().and_then(|c| c.tablet),
            observed_at: now,
            recorded_at: now,
            boot_id: None,
            boot_ms: None,
            order: None,
            list_v: Some(1),
        };
        Body::new(envelope, Event::Note { words: words.to_owned() }).to_bytes().unwrap()
    }
}

/// What a push said, where it is an answer of the protocol; else the status and the refusal's JSON.
pub async fn answer(response: Response) -> Result<PushAnswer, (StatusCode, Value)> {
    let status = response.status();
    let value: Value = response.json().await.unwrap_or_default();
    match status {
        StatusCode::OK => Ok(serde_json::from_value(value).expect("an answer of the protocol")),
        _ => Err((status, value)),
    }
}
