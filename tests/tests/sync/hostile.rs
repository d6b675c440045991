//! Somebody who means harm, over the real server: each try is refused by name and logged without patient data, and
//! what was held is byte for byte as it was.

use crate::fixture::Ward;
use crate::raw::{Raw, answer};
use lamplight_domain::chain::{Credential, Endorser, Hash, Receipt, SigningKey};
use lamplight_domain::ids::{FacilityId, WardId};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{
    AUTH_HEADER, CONTENT_TYPE, FeedAsk, FeedFrom, Invite, JoinAsk, OfferAsk, PushRefused, path, server_name,
};
use lamplight_tests::facility::Facility;
use reqwest::StatusCode;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A patient's name, in bodies only.
const CANARY: &str = "CASIMIRA-QUILL";

/// A ward in which a tablet has written something, and everything that the server held then.
struct Held {
    ward: Ward,
    raw: Raw,
    before: String,
}

impl Held {
    async fn new() -> Held {
        let ward = Ward::open();
        let mut raw = Raw::join(&ward.invite, ward.facility.address).await;
        raw.push(&[raw.note(&format!("{CANARY} sleeps"))]).await;
        let before = everything(&ward.facility);
        Held { ward, raw, before }
    }

    fn note(&self) -> Vec<u8> {
        self.raw.note(&format!("{CANARY} is at the window"))
    }

    /// Sends a batch and is told why it was not taken.
    async fn refused_push(&mut self, frame: &[u8], why: PushRefused) {
        let refused = answer(self.raw.signed(path::PUSH, CONTENT_TYPE, frame).await).await.unwrap();
        assert_eq!(refused.refused, Some(why));
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.ward.facility.logs().join("server-1.err")).unwrap()
    }

    /// Nothing was touched, the log names what happened and no patient, and the tablet goes on.
    async fn goes_on_untouched(mut self, logged: &[&str]) {
        assert!(everything(&self.ward.facility) == self.before, "what was held has changed");
        self.ward.facility.verify().unwrap();
        let log = self.log();
        for name in logged {
            assert!(log.contains(name), "{name} is not in the log: {log}");
        }
        for word in [CANARY, "sleeps", "at the window"] {
            assert!(!log.contains(word), "{word} is in the log");
        }
        let note = self.note();
        self.raw.push(&[note]).await;
        assert_eq!(self.raw.head.seq, 2);
    }
}

/// What the server exports: every record with its hash, links and times. But for the audit: that it was exported, and what
/// was refused, is written down there.
fn everything(facility: &Facility) -> String {
    let (status, out, err) = facility.run("export", &[]).unwrap();
    assert!(status.success(), "{err}");
    out.lines().filter(|line| !line.contains("\"kind\":\"audit\"")).collect::<Vec<_>>().join("\n")
}

async fn code(response: reqwest::Response) -> (StatusCode, String) {
    let status = response.status();
    let refusal: Refusal = response.json().await.expect("a refusal in JSON");
    assert!(!refusal.what.is_empty() && !refusal.next.is_empty(), "{refusal:?}");
    (status, refusal.code)
}

#[tokio::test]
async fn a_ward_that_is_not_the_tablet_s_is_not_read() {
    let mut held = Held::new().await;
    for ward in [WardId(Uuid::from_u128(5)), WardId(Uuid::max())] {
        let ask = FeedAsk {
            author: held.raw.head.author,
            ward,
            from: FeedFrom::Opening,
            limit: 10,
            wait_ms: 0,
            roster_version: 0,
            name: String::new(),
            own_by_hash: false,
            trust: None,
            request: uuid::Uuid::nil(),
        };
        let ask = serde_json::to_vec(&ask).unwrap();
        let refused = code(held.raw.signed(path::FEED, "application/json", &ask).await).await;
        assert_eq!(refused, (StatusCode::FORBIDDEN, "ward.not_yours".into()));
    }
    let note = held.note();
    let (frame, _) = held.raw.batch_with(&[note], |header| header.facility = FacilityId(Uuid::from_u128(6)));
    held.refused_push(&frame, PushRefused::WrongFacility).await;
    held.goes_on_untouched(&["ward.not_yours", "WrongFacility"]).await;
}

#[tokio::test]
async fn an_invite_of_another_facility_or_of_somebody_else_lets_nobody_in() {
    let held = Held::new().await;
    let other = Facility::demo_with(&["--seed", "8"]).unwrap();
    let of_other: Invite = other.invite(&other.url(), 1).unwrap().parse().unwrap();
    let ours = held.ward.facility.invite(&held.ward.cable.url(), 1).unwrap();
    let join = async |invite: &Invite, proof_by: &SigningKey, key: &SigningKey| {
        let proof = proof_by.sign(&JoinAsk::message(&invite.code));
        let ask = JoinAsk { code: invite.code.clone(), key: key.public(), proof, name: String::new() };
        let ask = serde_json::to_vec(&ask).unwrap();
        code(held.raw.post(path::JOIN, &[("content-type", "application/json")], ask).await).await
    };
    let (first, second) = (SigningKey::from_seed(&[61; 32]), SigningKey::from_seed(&[62; 32]));
    assert_eq!(join(&of_other, &second, &second).await, (StatusCode::FORBIDDEN, "invite.unknown".into()));
    let invite: Invite = ours.parse().unwrap();
    assert_eq!(join(&invite, &first, &second).await, (StatusCode::FORBIDDEN, "join.proof".into()));
    let before = everything(&held.ward.facility);
    assert!(before == held.before);
    // Its owner joins; whoever copied the code comes too late.
    Raw::join(&ours, held.ward.facility.address).await;
    let before = everything(&held.ward.facility);
    assert_eq!(join(&invite, &second, &second).await, (StatusCode::FORBIDDEN, "invite.used".into()));
    Held { before, ..held }.goes_on_untouched(&["invite.unknown", "join.proof", "invite.used"]).await;
}

#[tokio::test]
async fn a_forged_signature_is_refused_wherever_it_stands() {
    let mut held = Held::new().await;
    let stranger = SigningKey::from_seed(&[66; 32]);
    let note = held.note();
    // Over the batch.
    let forged = stranger.sign(b"anything");
    let (frame, _) = held.raw.batch_with(std::slice::from_ref(&note), |header| header.signature = forged);
    held.refused_push(&frame, PushRefused::BadSignature).await;
    // Over the request, in the name of a tablet that is known: nothing of it is looked at.
    let (frame, _) = held.raw.batch(std::slice::from_ref(&note));
    let own = std::mem::replace(&mut held.raw.key, stranger.clone());
    let mut auth = held.raw.sign(path::PUSH, &frame);
    held.raw.key = own;
    auth = auth.replace(&stranger.author().to_string(), &held.raw.head.author.to_string());
    let headers = [(AUTH_HEADER, auth.as_str()), ("content-type", CONTENT_TYPE)];
    let refused = code(held.raw.post(path::PUSH, &headers, frame.clone()).await).await;
    assert_eq!(refused, (StatusCode::UNAUTHORIZED, "auth.signature".into()));
    // Another's offer, signed by oneself.
    let ask = OfferAsk { author: stranger.author(), bodies: vec![Hash::ZERO], request: uuid::Uuid::nil() };
    let ask = serde_json::to_vec(&ask).unwrap();
    let auth = held.raw.sign(path::OFFER, &ask);
    let headers = [(AUTH_HEADER, auth.as_str()), ("content-type", "application/json")];
    let refused = code(held.raw.post(path::OFFER, &headers, ask).await).await;
    assert_eq!(refused, (StatusCode::UNAUTHORIZED, "auth.author".into()));
    held.goes_on_untouched(&["BadSignature", "auth.signature", "auth.author"]).await;
}

#[tokio::test]
async fn a_forged_credential_brings_in_no_author() {
    let mut held = Held::new().await;
    let good = held.raw.credential.clone().unwrap();
    let stranger = SigningKey::from_seed(&[67; 32]);
    let note = held.note();
    let by =
        |by: &SigningKey, endorser, tablet| Credential::sign(by, endorser, good.facility, stranger.public(), tablet);
    let own = held.raw.key.clone();
    let forged = [
        // Signed by oneself in the facility's name.
        by(&stranger, Endorser::Facility, good.tablet),
        // By oneself, for oneself.
        by(&stranger, Endorser::Author(stranger.author()), good.tablet),
        // By a tablet in the facility's name.
        by(&own, Endorser::Facility, good.tablet),
        // By a tablet, for another tablet.
        by(&own, Endorser::Author(own.author()), None),
        // Somebody else's, with the own key put in.
        Credential { key: stranger.public(), author: stranger.author(), ..good.clone() },
    ];
    let at = held.raw.head;
    for credential in forged {
        held.raw.key = stranger.clone();
        held.raw.head = lamplight_domain::chain::Head::empty(stranger.author());
        held.raw.credential = Some(credential);
        let (frame, _) = held.raw.batch(std::slice::from_ref(&note));
        held.refused_push(&frame, PushRefused::BadCredential).await;
    }
    (held.raw.key, held.raw.head, held.raw.credential) = (own, at, Some(good));
    held.goes_on_untouched(&["BadCredential"]).await;
}

#[tokio::test]
async fn a_forged_receipt_moves_no_time_and_begins_no_generation() {
    let mut held = Held::new().await;
    let stranger = SigningKey::from_seed(&[68; 32]);
    let note = held.note();
    let (frame, head) = held.raw.batch(std::slice::from_ref(&note));
    drop(frame);
    let long_ago = Ms(1_000);
    let receipt = Receipt::sign(&stranger, held.raw.facility, head, long_ago, Uuid::nil());
    let (frame, _) = held.raw.batch_with(&[note], |header| header.receipt = Some(receipt));
    let taken = answer(held.raw.signed(path::PUSH, CONTENT_TYPE, &frame).await).await.unwrap();
    // The links are good, and are taken; what was forged proves nothing.
    assert_eq!((taken.refused, taken.receipt.unwrap().head), (None, head));
    assert!(taken.receipt.unwrap().received_at > long_ago);
    let log = held.log();
    assert!(log.contains("did not sign") && !log.contains("was restored") && !log.contains(CANARY), "{log}");
    assert!(everything(&held.ward.facility).starts_with(&held.before), "nothing that was held is touched");
    held.ward.facility.verify().unwrap();
}

#[tokio::test]
async fn a_chain_that_breaks_is_refused() {
    let mut held = Held::new().await;
    let at = held.raw.head;
    let note = held.note();
    // Skips a number, goes on from another link, begins again at 1 with something else.
    let changes: [fn(&mut lamplight_domain::chain::Head); 3] = [
        |head| head.seq += 3,
        |head| head.hash = Hash([7; 32]),
        |head| *head = lamplight_domain::chain::Head::empty(head.author),
    ];
    for change in changes {
        change(&mut held.raw.head);
        let (frame, _) = held.raw.batch(std::slice::from_ref(&note));
        held.refused_push(&frame, PushRefused::DoesNotAttach).await;
        held.raw.head = at;
    }
    held.goes_on_untouched(&["DoesNotAttach"]).await;
}

#[tokio::test]
async fn a_request_that_was_recorded_is_worth_nothing() {
    let mut held = Held::new().await;
    // An empty batch asks where the chain stands, and changes nothing.
    let (frame, _) = held.raw.batch(&[]);
    let auth = held.raw.sign(path::PUSH, &frame);
    let headers = [(AUTH_HEADER, auth.as_str()), ("content-type", CONTENT_TYPE)];
    assert_eq!(held.raw.post(path::PUSH, &headers, frame.clone()).await.status(), StatusCode::OK);
    for _ in 0..2 {
        let refused = code(held.raw.post(path::PUSH, &headers, frame.clone()).await).await;
        assert_eq!(refused, (StatusCode::UNAUTHORIZED, "auth.nonce".into()));
    }
    // Nor with its counter set further: that is signed too.
    let other = auth.replace(&format!(" {} ", held.raw.counter), &format!(" {} ", held.raw.counter + 1));
    let headers = [(AUTH_HEADER, other.as_str()), ("content-type", CONTENT_TYPE)];
    let refused = code(held.raw.post(path::PUSH, &headers, frame).await).await;
    assert_eq!(refused, (StatusCode::UNAUTHORIZED, "auth.signature".into()));
    held.goes_on_untouched(&["a request was sent twice", "auth.signature"]).await;
}

/// Sends a request by hand, its body piece by piece until the server has had enough: what it answered, and how many
/// bytes of the body it let through.
fn pour(invite: &Invite, to: std::net::SocketAddr, head: String, piece: &[u8], most: u64) -> (String, u64) {
    let mut roots = RootCertStore::empty();
    roots.add(invite.ca_der.clone().into()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(server_name(invite.facility)).unwrap();
    let socket = TcpStream::connect(to).unwrap();
    // The test must end, whatever the server does.
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    socket.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut tls = StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), socket);
    tls.write_all(head.as_bytes()).unwrap();
    let mut sent = 0;
    while sent < most && tls.write_all(piece).is_ok() {
        sent += piece.len() as u64;
    }
    let _ = tls.flush();
    let mut said = Vec::new();
    let mut some = [0; 4096];
    while let Ok(n) = tls.read(&mut some) {
        said.extend_from_slice(&some[..n]);
        if n == 0 || String::from_utf8_lossy(&said).ends_with('}') {
            break;
        }
    }
    (String::from_utf8_lossy(&said).into_owned(), sent)
}

/// The most memory that a process ever had, KiB.
fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What is allowed to be read of one body that is too big, with room for what the sockets hold.
const READ_AT_MOST: u64 = 64 * 1024 * 1024;
const GIB: u64 = 1 << 30;

#[tokio::test]
async fn a_body_of_a_gigabyte_is_cut_off_early_whether_it_is_announced_or_not() {
    let mut held = Held::new().await;
    let pid = held.ward.facility.pid().unwrap();
    let before = peak_kib(pid);
    let piece = format!("{CANARY} ").repeat(4096).into_bytes();
    let piece_head = format!("{:x}\r\n", piece.len()).into_bytes();
    let chunk = [&piece_head[..], &piece, b"\r\n"].concat();
    for (how, piece) in [(format!("content-length: {GIB}"), piece), ("transfer-encoding: chunked".to_owned(), chunk)] {
        let auth = held.raw.sign(path::PUSH, b"");
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: x\r\n{AUTH_HEADER}: {auth}\r\ncontent-type: {CONTENT_TYPE}\r\n{how}\r\n\r\n",
            path::PUSH
        );
        let (invite, to) = (held.ward.invite.parse::<Invite>().unwrap(), held.ward.facility.address);
        let (said, sent) = tokio::task::spawn_blocking(move || pour(&invite, to, head, &piece, GIB)).await.unwrap();
        assert!(sent < READ_AT_MOST, "{how}: {sent} bytes went through");
        // Whoever goes on pouring may find the line closed before it reads the answer; who reads it is told the name.
        assert!(said.is_empty() || (said.contains(" 413 ") && said.contains("request.too_big")), "{how}: {said}");
    }
    let grown = peak_kib(pid).saturating_sub(before);
    assert!(grown < 64 * 1024, "the server took {grown} KiB more");
    held.goes_on_untouched(&["request.too_big"]).await;
}

#[tokio::test]
async fn a_bomb_does_not_go_off_and_other_packings_are_refused() {
    // Packed first: a connection that is silent for so long is closed.
    // 4 GiB of one letter, as many small frames in a row, and 1 GiB in a single one.
    let frame = zstd::encode_all(std::io::repeat(b'x').take(64 << 20), 3).unwrap();
    let long = zstd::encode_all(std::io::repeat(b'x').take(GIB), 1).unwrap();
    let bombs = [frame.repeat(64), long];
    let mut held = Held::new().await;
    let pid = held.ward.facility.pid().unwrap();
    let before = peak_kib(pid);
    for bomb in bombs {
        assert!(bomb.len() < 1024 * 1024, "{}", bomb.len());
        let auth = held.raw.sign(path::PUSH, &bomb);
        let headers = [(AUTH_HEADER, auth.as_str()), ("content-type", CONTENT_TYPE), ("content-encoding", "zstd")];
        let refused = code(held.raw.post(path::PUSH, &headers, bomb).await).await;
        assert_eq!(refused, (StatusCode::PAYLOAD_TOO_LARGE, "request.too_big".into()));
    }
    for encoding in ["gzip", "deflate", "br", "zstd, zstd"] {
        let note = held.note();
        let (frame, _) = held.raw.batch(&[note]);
        let auth = held.raw.sign(path::PUSH, &frame);
        let headers = [(AUTH_HEADER, auth.as_str()), ("content-type", CONTENT_TYPE), ("content-encoding", encoding)];
        let refused = code(held.raw.post(path::PUSH, &headers, frame).await).await;
        assert_eq!(refused, (StatusCode::BAD_REQUEST, "request.encoding".into()), "{encoding}");
    }
    let grown = peak_kib(pid).saturating_sub(before);
    assert!(grown < 64 * 1024, "the server took {grown} KiB more");
    held.goes_on_untouched(&["request.too_big", "request.encoding"]).await;
}
