//! `--against`: what only a tablet can show, since the server's file was made to fit itself.

use crate::common::*;
use crate::forgers::{chain_again, cut_tail, number_feed_again, rewrite};
use crate::house::Furnished;
use lamplight_domain::chain::{Credential, Receipt, SignedHead, SigningKey, body_hash};
use lamplight_domain::ids::FacilityId;
use lamplight_domain::record::Body;
use lamplight_domain::wire::{Evidence, Facility, FeedFrom, FeedNext, FeedRead, OwnChain, RowRead};
use lamplight_server::{FacilityServer, examine, store};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What one tablet has seen, as its export says it.
struct Witness {
    lines: Vec<Value>,
    evidence: Evidence,
}

impl Witness {
    /// Reads the whole opening and everything after it.
    async fn of(pad: &Pad, server: &FacilityServer) -> Witness {
        let (mut rows, mut heads, mut credentials, mut lines) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut from = FeedFrom::Opening;
        let cursor = loop {
            let page = server.feed(pad.ask(from)).await.unwrap();
            for (row, blob) in page.header.rows.iter().zip(&page.bodies) {
                let lamplight_domain::wire::Blob::Bytes(bytes) = blob else { panic!("a feed sends bytes") };
                let (hash, id) = (body_hash(bytes), Body::parse(bytes).ok().map(|b| b.envelope.id));
                lines.push(json!({ "author": row.author, "seq": row.seq, "id": id, "hash": hash }));
                let (author, seq, received_at, n) = (row.author, row.seq, row.received_at, row.n);
                rows.push(RowRead { author, seq, body_hash: hash, received_at, n, feed: Some(1) });
            }
            for shown in page.header.heads {
                credentials.extend(shown.credentials);
                heads.push(shown.signed);
            }
            match page.header.next {
                FeedNext::Opening(mark) => from = FeedFrom::OpeningNext(mark),
                FeedNext::Cursor(cursor) if !page.header.more => break cursor,
                FeedNext::Cursor(cursor) => from = FeedFrom::Cursor(cursor),
            }
        };
        let evidence = Evidence {
            v: 1,
            facility: FacilityId(id(1)),
            tablet: pad.tablet,
            name: pad.name.clone(),
            credentials,
            chains: vec![],
            receipts: vec![],
            heads,
            rows,
            feeds: vec![FeedRead { no: 1, ward: pad.ward, generation: cursor.generation, cursor: Some(cursor) }],
        };
        Witness { lines, evidence }
    }

    fn written(&self, furnished: &Furnished) -> Vec<PathBuf> {
        let path = furnished.house.folder().join("export");
        let mut lines = self.lines.clone();
        lines.last_mut().unwrap()["evidence"] = serde_json::to_value(&self.evidence).unwrap();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, text).unwrap();
        vec![path]
    }
}

/// The ward, and what tablet a saw of it. The server wrote something down after the tablets joined.
async fn seen() -> (Furnished, Witness) {
    let mut furnished = Furnished::new().await;
    let server = furnished.house.open();
    let witness = Witness::of(&furnished.a, &server).await;
    furnished.remember(server).await;
    (furnished, witness)
}

#[tokio::test]
async fn what_a_tablet_saw_of_a_sound_server_is_no_finding() {
    let (furnished, witness) = seen().await;
    let authors: Vec<_> = witness.evidence.heads.iter().map(|h| h.head.author).collect();
    assert!(authors.contains(&furnished.b.key.author()) && !authors.contains(&furnished.a.key.author()));
    assert_eq!(authors.len(), 2, "b's and the server's; its own it has receipts for");
    assert_eq!(furnished.found(&witness.written(&furnished)), [""; 0]);
    let verified = examine(&furnished.house.path, &witness.written(&furnished)).unwrap();
    assert!(verified.restored.is_empty());
}

#[tokio::test]
async fn a_tail_that_was_cut_off_cleanly_is_found_by_what_a_tablet_saw() {
    let (furnished, witness) = seen().await;
    let cut = |author, keep, expected: &[&str]| {
        let db = furnished.unguarded();
        cut_tail(&db, author, keep);
        drop(db);
        assert_eq!(furnished.found(&[]), [""; 0], "nothing in the file itself shows it");
        let found = furnished.found(&witness.written(&furnished));
        for name in expected {
            assert!(found.contains(&(*name).to_owned()), "{name} in {found:?}");
        }
        found
    };
    // The last row of the feed was b's fourth: nothing else moves.
    assert_eq!(cut(3, 3, &[]), ["chain.cut_off b4", "feed.cut_off 13", "feed.cut_off b4"]);
    // Of the server itself, whose key nobody has any more.
    cut(2, 1, &["chain.cut_off server2"]);
    cut(1, 6, &["chain.cut_off a7"]);
}

#[tokio::test]
async fn a_head_shows_a_cut_tail_that_no_row_can_name() {
    let (furnished, mut witness) = seen().await;
    witness.evidence.rows.clear();
    witness.evidence.feeds.clear();
    let db = furnished.unguarded();
    cut_tail(&db, 3, 2);
    drop(db);
    assert_eq!(furnished.found(&witness.written(&furnished)), ["chain.cut_off b3"]);
}

#[tokio::test]
async fn a_forger_with_the_facility_key_is_found_by_what_a_tablet_saw() {
    let (furnished, witness) = seen().await;
    let db = furnished.unguarded();
    // A new author of the server's takes the place of the old one, with everything worked out again.
    let identity = lamplight_server::facility::Identity::read(&db).unwrap();
    let key = SigningKey::from_seed(&[77; 32]);
    let new = Credential::sign(
        &identity.key,
        lamplight_domain::chain::Endorser::Facility,
        identity.facility,
        key.public(),
        None,
    );
    db.execute(
        "UPDATE authors SET id = ?1, key = ?2, signature = ?3 WHERE no = 2",
        rusqlite::params![new.author.0.as_bytes(), new.key.0, new.signature.0],
    )
    .unwrap();
    rewrite(&db, 2, 1, |bytes| [bytes, b" "].concat());
    let heads: Vec<(i64, [u8; 32])> = db
        .prepare("SELECT h.seq, l.hash FROM heads h JOIN links l ON l.author = h.author AND l.seq = h.seq WHERE h.author = 2")
        .unwrap()
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for (seq, hash) in heads {
        let head = lamplight_domain::chain::Head {
            author: new.author,
            seq: seq as u64,
            hash: lamplight_domain::chain::Hash(hash),
        };
        let signature = key.sign(&head.message(identity.facility));
        db.execute(
            "UPDATE heads SET signature = ?2 WHERE author = 2 AND seq = ?1",
            rusqlite::params![seq, signature.0],
        )
        .unwrap();
    }
    drop(db);
    assert_eq!(furnished.found(&[]), [""; 0], "nothing in the file itself shows it");
    let found = furnished.found(&witness.written(&furnished));
    for name in ["chain.cut_off server1", "chain.cut_off server2", "feed.rewritten 13"] {
        assert!(found.contains(&name.to_owned()), "{name} in {found:?}");
    }
}

#[tokio::test]
async fn a_rewritten_history_is_found_and_its_first_record_named() {
    let (furnished, witness) = seen().await;
    let db = furnished.unguarded();
    rewrite(&db, 3, 2, crate::forgers::elsewhere);
    // Even with the tablet's own key in the forger's hand.
    for seq in 2..=4_i64 {
        let hash: [u8; 32] =
            db.query_row("SELECT hash FROM links WHERE author = 3 AND seq = ?1", [seq], |r| r.get(0)).unwrap();
        let author = furnished.b.key.author();
        let head = lamplight_domain::chain::Head { author, seq: seq as u64, hash: lamplight_domain::chain::Hash(hash) };
        let signature = furnished.b.key.sign(&head.message(FacilityId(id(1))));
        db.execute(
            "UPDATE heads SET signature = ?2 WHERE author = 3 AND seq = ?1",
            rusqlite::params![seq, signature.0],
        )
        .unwrap();
    }
    drop(db);
    assert_eq!(furnished.found(&[]), [""; 0]);
    let found = furnished.found(&witness.written(&furnished));
    assert_eq!(found, ["feed.changed b2", "feed.rewritten 13", "history.rewritten b2"]);
    // By the heads alone.
    let mut heads_only = witness;
    heads_only.evidence.rows.clear();
    heads_only.evidence.feeds.clear();
    assert_eq!(furnished.found(&heads_only.written(&furnished)), ["history.rewritten b4"]);
}

#[tokio::test]
async fn a_feed_in_another_order_is_found() {
    let (furnished, witness) = seen().await;
    let db = furnished.unguarded();
    db.execute_batch(
        "UPDATE feed SET n = 100 WHERE n = 8; UPDATE feed SET n = 8 WHERE n = 9; UPDATE feed SET n = 9 WHERE n = 100",
    )
    .unwrap();
    number_feed_again(&db);
    drop(db);
    assert_eq!(furnished.found(&[]), [""; 0]);
    let found = furnished.found(&witness.written(&furnished));
    assert_eq!(found, ["feed.changed a5", "feed.changed b2", "feed.rewritten 13"]);
}

#[tokio::test]
async fn another_time_of_receipt_is_found_by_rows_and_by_receipts() {
    let (furnished, mut witness) = seen().await;
    let db = furnished.unguarded();
    let identity = lamplight_server::facility::Identity::read(&db).unwrap();
    let of_a = furnished.a.head;
    let (at, request): (i64, [u8; 16]) = db
        .query_row("SELECT received_at, request FROM heads WHERE author = 1 AND seq = 7", [], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
        .unwrap();
    let receipt = Receipt::sign(
        &identity.key,
        identity.facility,
        of_a,
        lamplight_domain::time::Ms(at),
        uuid::Uuid::from_bytes(request),
    );
    db.execute_batch(
        "UPDATE links SET received_at = received_at - 60000 WHERE author = 1 AND seq = 7;
         UPDATE heads SET received_at = received_at - 60000 WHERE author = 1 AND seq = 7",
    )
    .unwrap();
    chain_again(&db, 1);
    drop(db);
    assert_eq!(furnished.found(&[]), [""; 0]);
    assert_eq!(furnished.found(&witness.written(&furnished)), ["link.received_at a7"]);
    witness.evidence.rows.clear();
    witness.evidence.receipts.push(receipt);
    assert_eq!(furnished.found(&witness.written(&furnished)), ["link.received_at a7"]);
}

#[tokio::test]
async fn a_receipt_for_links_that_are_gone_names_the_records_that_the_tablet_wrote() {
    let (furnished, mut witness) = seen().await;
    let db = furnished.unguarded();
    let identity = lamplight_server::facility::Identity::read(&db).unwrap();
    let bodies = db
        .prepare("SELECT b.hash FROM links l JOIN bodies b ON b.no = l.body WHERE l.author = 1 ORDER BY l.seq")
        .unwrap()
        .query_map([], |r| Ok(lamplight_domain::chain::Hash(r.get(0)?)))
        .unwrap()
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let receipt =
        Receipt::sign(&identity.key, identity.facility, furnished.a.head, furnished.house.now(), uuid::Uuid::nil());
    cut_tail(&db, 1, 5);
    drop(db);
    witness.evidence.rows.clear();
    witness.evidence.feeds.clear();
    witness.evidence.receipts = vec![receipt];
    witness.evidence.chains = vec![OwnChain { author: furnished.a.key.author(), bodies }];
    assert_eq!(furnished.found(&witness.written(&furnished)), ["chain.cut_off a6", "chain.cut_off a7"]);
    // Without the chain the receipt says at least how far it went.
    witness.evidence.chains.clear();
    assert_eq!(furnished.found(&witness.written(&furnished)), ["chain.cut_off a6"]);
}

#[tokio::test]
async fn a_server_restored_from_a_backup_is_called_that_and_only_what_is_lost_is_named() {
    let mut furnished = Furnished::new().await;
    let backup = furnished.house.set_aside();
    let server = furnished.house.open();
    let (kept, lost) =
        (furnished.b.note(furnished.house.now(), "kept"), furnished.b.note(furnished.house.now(), "lost"));
    let (mut a, mut b) = (furnished.a.clone(), furnished.b.clone());
    b.push(&server, vec![kept.clone(), lost]).await;
    let witness = Witness::of(&a, &server).await;
    server.close().await;
    furnished.house.put_back(&backup);
    store::meta::begin_generation(&furnished.house.db(), id(99), furnished.house.now()).unwrap();
    let server = furnished.house.open();
    // Whoever still had one of them files it again.
    a.push(&server, vec![kept]).await;
    furnished.remember(server).await;
    assert_eq!(furnished.found(&witness.written(&furnished)), ["record.lost b6"]);
    let verified = examine(&furnished.house.path, &witness.written(&furnished)).unwrap();
    assert_eq!(verified.restored.len(), 1);
    assert_eq!((&*verified.restored[0].seen_by, verified.restored[0].is), (&*a.name, id(99)));
    let lost = &verified.findings[0];
    assert!(lost.record.is_some() && lost.what.contains("restored"), "{lost:?}");
}

#[tokio::test]
async fn an_export_that_does_not_hold_is_said_to_be_at_fault() {
    let (furnished, witness) = seen().await;
    let mut forged = Witness { lines: witness.lines.clone(), evidence: witness.evidence.clone() };
    let SignedHead { head, .. } = forged.evidence.heads[0];
    let other = SigningKey::from_seed(&[50; 32]);
    let mut further = head;
    further.seq += 5;
    forged.evidence.heads =
        vec![SignedHead { head: further, signature: other.sign(&further.message(FacilityId(id(1)))) }];
    let receipt = Receipt::sign(&other, FacilityId(id(1)), furnished.a.head, START, id(3));
    forged.evidence.receipts = vec![receipt];
    let found = furnished.found(&forged.written(&furnished));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|f| f.starts_with("export.does_not_hold")), "{found:?}");
}

#[tokio::test]
async fn what_is_no_export_is_refused_by_name() {
    let (furnished, mut witness) = seen().await;
    let refused = |exports: &[PathBuf]| examine(&furnished.house.path, exports).unwrap_err().code;
    assert_eq!(refused(&[furnished.house.folder().join("nowhere")]), "against.unreadable");
    let path = furnished.house.folder().join("other");
    std::fs::write(&path, "<html>").unwrap();
    assert_eq!(refused(std::slice::from_ref(&path)), "against.unreadable");
    std::fs::write(&path, format!("{}\n", witness.lines[0])).unwrap();
    assert_eq!(refused(&[path]), "against.no_evidence");
    witness.evidence.facility = FacilityId(id(2));
    assert_eq!(refused(&witness.written(&furnished)), "against.other_facility");
}
