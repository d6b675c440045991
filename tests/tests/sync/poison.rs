//! What no tablet of ours would send. Nothing that a body says stops a batch; a broken envelope changes nothing; the
//! server goes on.

use crate::fixture::Ward;
use crate::raw::{Raw, answer};
use lamplight_domain::record::BODY_MAX_BYTES;
use lamplight_domain::wire::{AUTH_HEADER, BATCH_MAX_BYTES, CONTENT_TYPE, PushRefused, path};
use lamplight_tests::sim::tablet::Walk;
use reqwest::StatusCode;
use std::io::Read;

fn helpful(status: StatusCode, refusal: &serde_json::Value) {
    assert!(status.is_client_error(), "{status} {refusal}");
    for field in ["code", "what", "next"] {
        assert!(refusal[field].as_str().is_some_and(|t| !t.is_empty()), "{status} {refusal}");
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_understood_are_taken_confirmed_and_flagged() {
    let ward = Ward::open();
    let mut raw = Raw::join(&ward.invite, ward.facility.address).await;
    let good = raw.note("before and after the odd ones");
    let unknown_kind = String::from_utf8(raw.note("x")).unwrap().replace("\"note\"", "\"from.tomorrow\"").into_bytes();
    let cut = good[..good.len() / 2].to_vec();
    let odd = [unknown_kind, cut, b"not JSON at all".to_vec(), b"{}".to_vec(), vec![0xff, 0x00, 0xfe]];
    let mut bodies = vec![good.clone()];
    bodies.extend(odd.iter().cloned());
    bodies.push(raw.note("the queue goes on"));
    let receipt = raw.push(&bodies).await;
    assert_eq!(receipt.head.seq, bodies.len() as u64);
    raw.push(&[raw.note("and on")]).await;

    ward.facility.verify().unwrap();
    let feed = raw.feed().await;
    let unknown = feed.iter().find(|(_, body)| *body == odd[0]).expect("an unknown kind is passed on byte for byte");
    assert!(!unknown.0.is_empty(), "and flagged");
    let exported = ward.facility.export().unwrap();
    for body in &bodies {
        let hash = lamplight_domain::chain::body_hash(body).to_string();
        assert!(
            exported.iter().any(|l| l["hash"] == hash.as_str()),
            "the server lacks {}",
            String::from_utf8_lossy(body)
        );
    }
    // Other tablets read on past them.
    let tablet = ward.tablet("a").await;
    let walk = Walk::of(&tablet).await.unwrap();
    walk.check(&tablet, 0).unwrap();
    tablet.sync_now().await.unwrap();
    assert_eq!(tablet.sync_state().waiting, 0);
    tablet.board().unwrap();
}

#[tokio::test]
async fn a_broken_envelope_is_refused_and_changes_nothing() {
    let ward = Ward::open();
    let mut raw = Raw::join(&ward.invite, ward.facility.address).await;
    raw.push(&[raw.note("first")]).await;
    let note = raw.note("second");
    let (whole, _) = raw.batch(std::slice::from_ref(&note));
    let header_not_json = [&5_u32.to_be_bytes()[..], b"hello"].concat();
    let frames = [
        whole[..whole.len() - 3].to_vec(),
        whole[..40].to_vec(),
        header_not_json,
        b"<html>not a frame</html>".to_vec(),
        vec![],
        [&whole[..], b"more"].concat(),
    ];
    for frame in frames {
        let refused = answer(raw.signed(path::PUSH, CONTENT_TYPE, &frame).await).await;
        let (status, refusal) = refused.expect_err("a frame that is not one");
        helpful(status, &refusal);
    }
    raw.push(&[note]).await;
    assert_eq!(raw.head.seq, 2);
}

#[tokio::test]
async fn too_big_is_refused_by_name() {
    let ward = Ward::open();
    let mut raw = Raw::join(&ward.invite, ward.facility.address).await;
    let refused = |result| match result {
        Ok(lamplight_domain::wire::PushAnswer { refused: Some(PushRefused::TooBig), .. }) => {}
        Err((StatusCode::PAYLOAD_TOO_LARGE, _)) => {}
        other => panic!("not refused as too big: {other:?}"),
    };
    let (frame, _) = raw.batch(&[vec![b'x'; BODY_MAX_BYTES + 1]]);
    refused(answer(raw.signed(path::PUSH, CONTENT_TYPE, &frame).await).await);
    let many = vec![vec![b'x'; BODY_MAX_BYTES]; BATCH_MAX_BYTES / BODY_MAX_BYTES + 4];
    let (frame, _) = raw.batch(&many);
    let auth = raw.sign(path::PUSH, &frame);
    let headers = [(AUTH_HEADER, auth.as_str()), ("content-type", CONTENT_TYPE)];
    refused(answer(raw.post(path::PUSH, &headers, frame).await).await);
    raw.push(&[raw.note("room for this")]).await;
    assert_eq!(raw.head.seq, 1, "nothing of what was too big is held");
}

#[tokio::test]
async fn a_small_message_that_unpacks_to_a_huge_one_is_refused() {
    let ward = Ward::open();
    let mut raw = Raw::join(&ward.invite, ward.facility.address).await;
    let bomb = zstd::encode_all(std::io::repeat(b'x').take(256 << 20), 3).unwrap();
    assert!(bomb.len() < 64 * 1024, "{}", bomb.len());
    let auth = raw.sign(path::PUSH, &bomb);
    let headers = [(AUTH_HEADER, auth.as_str()), ("content-type", CONTENT_TYPE), ("content-encoding", "zstd")];
    let answer = raw.post(path::PUSH, &headers, bomb).await;
    assert!(answer.status().is_client_error(), "{}", answer.status());
    raw.push(&[raw.note("it goes on")]).await;
}

#[tokio::test]
async fn a_chain_that_does_not_fit_or_is_not_signed_is_refused() {
    let ward = Ward::open();
    let mut raw = Raw::join(&ward.invite, ward.facility.address).await;
    raw.push(&[raw.note("one"), raw.note("two")]).await;
    let (good, head) = raw.batch(&[raw.note("three")]);

    // Skips a number.
    let at = raw.head;
    raw.head.seq += 5;
    let (skips, _) = raw.batch(&[raw.note("eight")]);
    raw.head = at;
    let refused = answer(raw.signed(path::PUSH, CONTENT_TYPE, &skips).await).await.unwrap();
    assert_eq!(refused.refused, Some(PushRefused::DoesNotAttach));
    assert_eq!(refused.receipt.unwrap().head, at, "and says where it stands");

    // One byte of a body bent on the way: the head that was signed is another.
    let mut bent = good.clone();
    let last = bent.len() - 2;
    bent[last] ^= 1;
    let refused = answer(raw.signed(path::PUSH, CONTENT_TYPE, &bent).await).await.unwrap();
    assert_eq!(refused.refused, Some(PushRefused::BadSignature));

    let taken = answer(raw.signed(path::PUSH, CONTENT_TYPE, &good).await).await.unwrap();
    assert_eq!((taken.refused, taken.receipt.unwrap().head), (None, head));
    // The same once more, as after a lost answer: held once.
    let again = answer(raw.signed(path::PUSH, CONTENT_TYPE, &good).await).await.unwrap();
    assert_eq!((again.refused, again.receipt.unwrap().head), (None, head));
    assert!(ward.server_holds().bodies.values().all(|n| *n == 1), "each body once, also two of one id");
}

#[tokio::test]
async fn requests_that_are_unsigned_foreign_or_repeated_are_refused() {
    let ward = Ward::open();
    let mut raw = Raw::join(&ward.invite, ward.facility.address).await;
    raw.push(&[raw.note("one")]).await;
    let (frame, head) = raw.batch(&[raw.note("two")]);
    let unsigned = raw.post(path::PUSH, &[("content-type", CONTENT_TYPE)], frame.clone()).await;
    assert_eq!(unsigned.status(), StatusCode::UNAUTHORIZED);

    let auth = raw.sign(path::PUSH, &frame);
    let headers = [(AUTH_HEADER, auth.as_str()), ("content-type", CONTENT_TYPE)];
    let other_content = raw.post(path::PUSH, &headers, raw.batch(&[raw.note("bent")]).0).await;
    assert_eq!(other_content.status(), StatusCode::UNAUTHORIZED, "signed for another content");

    let auth = raw.sign(path::PUSH, &frame);
    let headers = [(AUTH_HEADER, auth.as_str()), ("content-type", CONTENT_TYPE)];
    let first = raw.post(path::PUSH, &headers, frame.clone()).await;
    assert_eq!(first.status(), StatusCode::OK);
    raw.head = head;
    let replayed = raw.post(path::PUSH, &headers, frame).await;
    assert_eq!(replayed.status(), StatusCode::UNAUTHORIZED, "a recorded request is worth nothing");
}
