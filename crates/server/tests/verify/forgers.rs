//! Somebody who works everything out again that needs no key of an author: hashes, feed, even the facility's receipts.

use crate::house::Furnished;
use lamplight_domain::chain::{Hash, Head, Receipt, body_hash, feed_hash, link_hash};
use lamplight_domain::ids::{FacilityId, RecordId};
use lamplight_domain::time::Ms;
use lamplight_server::facility::Identity;
use rusqlite::{Connection, params};
use uuid::Uuid;

/// Takes away the last links of an author with everything that hangs on them, so that nothing in the file shows it.
pub fn cut_tail(db: &Connection, author: i64, keep: u64) {
    db.execute_batch(&format!(
        "CREATE TEMP TABLE cut AS SELECT body FROM links WHERE author = {author} AND seq > {keep};
         DELETE FROM links WHERE author = {author} AND seq > {keep};
         DELETE FROM heads WHERE author = {author} AND seq > {keep};
         DELETE FROM feed WHERE body IN (SELECT body FROM cut);
         DELETE FROM bodies WHERE no IN (SELECT body FROM cut);
         DROP TABLE cut;"
    ))
    .unwrap();
    number_feed_again(db);
}

/// Numbers and hashes of the feed follow from each other again.
pub fn number_feed_again(db: &Connection) {
    /// Ward, body, when observed, and what the feed's hash names.
    type FeedRow = (i64, i64, i64, [u8; 16], [u8; 32]);
    let rows: Vec<FeedRow> = db
        .prepare("SELECT f.ward, f.body, f.observed_at, b.id, b.hash FROM feed f JOIN bodies b ON b.no = f.body ORDER BY f.n")
        .unwrap()
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    db.execute("DELETE FROM feed", []).unwrap();
    let mut hash = Hash::ZERO;
    for (n, (ward, body, observed_at, id, body_hash)) in (1..).zip(rows) {
        hash = feed_hash(&hash, n, RecordId(Uuid::from_bytes(id)), &Hash(body_hash));
        db.execute(
            "INSERT INTO feed (ward, n, body, observed_at, hash) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![ward, n as i64, body, observed_at, hash.0],
        )
        .unwrap();
    }
}

/// Changes the words of one link's body and works out every hash after it, with receipts by the facility key.
pub fn rewrite(db: &Connection, author: i64, seq: u64, change: impl Fn(&[u8]) -> Vec<u8>) {
    let no: i64 = db
        .query_row("SELECT body FROM links WHERE author = ?1 AND seq = ?2", params![author, seq as i64], |r| r.get(0))
        .unwrap();
    let old: Vec<u8> = db.query_row("SELECT bytes FROM bodies WHERE no = ?1", [no], |r| r.get(0)).unwrap();
    let new = change(&old);
    assert_ne!(old, new);
    db.execute("UPDATE bodies SET bytes = ?2, hash = ?3 WHERE no = ?1", params![no, new, body_hash(&new).0]).unwrap();
    chain_again(db, author);
    number_feed_again(db);
}

pub fn chain_again(db: &Connection, author: i64) {
    let identity = Identity::read(db).unwrap();
    let id: [u8; 16] = db.query_row("SELECT id FROM authors WHERE no = ?1", [author], |r| r.get(0)).unwrap();
    let mut at = Head::empty(lamplight_domain::ids::AuthorId(Uuid::from_bytes(id)));
    let links: Vec<(i64, [u8; 32])> = db
        .prepare("SELECT l.seq, b.hash FROM links l JOIN bodies b ON b.no = l.body WHERE l.author = ?1 ORDER BY l.seq")
        .unwrap()
        .query_map([author], |r| Ok((r.get(0)?, r.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for (seq, body) in links {
        at.seq = seq as u64;
        at.hash = link_hash(at.author, at.seq, &at.hash, &Hash(body));
        db.execute("UPDATE links SET hash = ?3 WHERE author = ?1 AND seq = ?2", params![author, seq, at.hash.0])
            .unwrap();
        let found = db.query_row(
            "SELECT received_at, request FROM heads WHERE author = ?1 AND seq = ?2",
            params![author, seq],
            |r| Ok((Ms(r.get(0)?), Uuid::from_bytes(r.get(1)?))),
        );
        if let Ok((received_at, request)) = found {
            let receipt = Receipt::sign(&identity.key, identity.facility, at, received_at, request);
            db.execute(
                "UPDATE heads SET receipt = ?3 WHERE author = ?1 AND seq = ?2",
                params![author, seq, receipt.signature.0],
            )
            .unwrap();
        }
    }
    assert_eq!(identity.facility, FacilityId(crate::common::id(1)));
}

/// Another place for the patient, as many letters long.
pub fn elsewhere(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8(bytes.to_vec()).unwrap().replace("bedroom", "hallway").into_bytes()
}

#[tokio::test]
async fn a_history_that_is_rewritten_lacks_its_author_s_signature() {
    let furnished = Furnished::new().await;
    let db = furnished.unguarded();
    rewrite(&db, 3, 2, elsewhere);
    drop(db);
    // From the changed link on: what comes before it is as it was.
    assert_eq!(furnished.found(&[]), ["head.signature b2", "head.signature b3", "head.signature b4"]);
}

#[tokio::test]
async fn links_that_are_swapped_and_chained_again_lack_it_too() {
    let furnished = Furnished::new().await;
    let db = furnished.unguarded();
    db.execute_batch(
        "CREATE TEMP TABLE s AS SELECT * FROM links;
         UPDATE links SET body = (SELECT body FROM s WHERE author = 3 AND seq = 3) WHERE author = 3 AND seq = 2;
         UPDATE links SET body = (SELECT body FROM s WHERE author = 3 AND seq = 2) WHERE author = 3 AND seq = 3;
         UPDATE bodies SET seq = 5 - seq WHERE author = 3 AND seq IN (2, 3);",
    )
    .unwrap();
    chain_again(&db, 3);
    drop(db);
    assert_eq!(furnished.found(&[]), ["head.signature b2", "head.signature b3", "head.signature b4"]);
}
