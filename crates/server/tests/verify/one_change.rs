//! One row of one table at a time: changed, taken away, put in, swapped, repeated. The finding names that record.

use crate::common::*;
use crate::house::{Furnished, says_nothing_of_patients};
use lamplight_domain::chain::{Credential, Endorser, SigningKey};
use lamplight_domain::ids::FacilityId;
use lamplight_server::{store, verify};

/// The rows of a table that are swapped: all columns but the key.
fn swap(table: &str, columns: &str, one: &str, other: &str) -> String {
    let set: Vec<String> = columns.split(' ').map(|c| format!("{c} = (SELECT {c} FROM s WHERE {{}})")).collect();
    let set = |from: &str| set.join(", ").replace("{}", from);
    format!(
        "CREATE TEMP TABLE s AS SELECT * FROM {table};
         UPDATE {table} SET {} WHERE {one}; UPDATE {table} SET {} WHERE {other};",
        set(other),
        set(one)
    )
}

/// (what somebody does, what is found). Authors: 1 tablet a, 2 the server, 3 tablet b. Links 1 to 4 of b are
/// a batch each, and link 2 is row 9 of the feed.
fn cases() -> Vec<(String, &'static [&'static str])> {
    let b = |seq: u32| format!("author = 3 AND seq = {seq}");
    let of_b = |seq: u32| format!("no = (SELECT body FROM links WHERE {})", b(seq));
    let add = |table: &str, columns: &str| format!("INSERT INTO {table} SELECT {columns} FROM {table} WHERE {}", b(4));
    vec![
        // Bodies.
        (format!("UPDATE bodies SET bytes = CAST(bytes || ' ' AS BLOB) WHERE {}", of_b(2)), &["body.changed b2"]),
        (format!("UPDATE bodies SET hash = zeroblob(32) WHERE {}", of_b(2)), &["body.changed b2", "feed.changed 9", "link.changed b2"]),
        (format!("UPDATE bodies SET id = zeroblob(16) WHERE {}", of_b(2)), &["body.misfiled b2", "feed.changed 9"]),
        (format!("UPDATE bodies SET kind = 'note' WHERE {}", of_b(2)), &["body.misfiled b2"]),
        (format!("UPDATE bodies SET stay = zeroblob(16) WHERE {}", of_b(2)), &["body.misfiled b2"]),
        (format!("UPDATE bodies SET observed_at = observed_at - 1 WHERE {}", of_b(2)), &["body.misfiled b2", "feed.changed 9"]),
        (format!("UPDATE bodies SET recorded_at = recorded_at - 1 WHERE {}", of_b(2)), &["body.misfiled b2"]),
        (format!("UPDATE bodies SET seq = 1 WHERE {}", of_b(2)), &["body.stray b1"]),
        (format!("UPDATE bodies SET author = 1 WHERE {}", of_b(2)), &["body.stray a2"]),
        (format!("DELETE FROM bodies WHERE {}", of_b(2)), &["body.missing b2", "feed.body_missing 9"]),
        (
            "INSERT INTO bodies (hash, id, author, seq, kind, stay, observed_at, recorded_at, bytes)
             VALUES (zeroblob(32), zeroblob(16), 3, 99, '', NULL, 0, 0, x'00')".into(),
            &["body.changed b99", "body.in_no_feed b99", "body.stray b99"],
        ),
        (
            swap("bodies", "bytes", &of_b(2).replace("links", "main.links"), &of_b(3).replace("links", "main.links")),
            &["body.changed b2", "body.changed b3"],
        ),
        // Links.
        (format!("UPDATE links SET hash = zeroblob(32) WHERE {}", b(2)), &["link.changed b2"]),
        (format!("UPDATE links SET hash = zeroblob(31) WHERE {}", b(2)), &["link.changed b2"]),
        (format!("UPDATE links SET body = 1 WHERE {}", b(2)), &["body.stray b2", "link.changed b2"]),
        (format!("UPDATE links SET received_at = received_at + 1 WHERE {}", b(2)), &["link.received_at b2"]),
        (format!("DELETE FROM links WHERE {}", b(2)), &["body.stray b2", "link.missing b2"]),
        (format!("DELETE FROM links WHERE {}", b(1)), &["body.stray b1", "link.missing b1"]),
        (format!("DELETE FROM links WHERE {}", b(4)), &["body.stray b4", "chain.cut_off b4"]),
        (format!("DELETE FROM links WHERE {} OR {}", b(3), b(4)), &["body.stray b3", "body.stray b4", "chain.cut_off b3"]),
        ("INSERT INTO links (author, seq, body, hash, received_at) VALUES (3, 5, 1, zeroblob(32), 0)".into(), &["link.changed b5", "link.unsigned b5"]),
        (add("links", "author, 5, body, hash, received_at"), &["link.changed b5", "link.unsigned b5"]),
        (
            swap("links", "body hash received_at", &b(2), &b(3)),
            &["body.stray b2", "body.stray b3", "head.receipt b2", "head.receipt b3", "head.signature b2", "head.signature b3", "link.changed b2", "link.changed b3", "link.received_at b2", "link.received_at b3"],
        ),
        // Heads: signatures and receipts.
        (format!("UPDATE heads SET signature = zeroblob(64) WHERE {}", b(2)), &["head.signature b2"]),
        (format!("UPDATE heads SET receipt = zeroblob(64) WHERE {}", b(2)), &["head.receipt b2"]),
        (format!("UPDATE heads SET request = zeroblob(16) WHERE {}", b(2)), &["head.receipt b2"]),
        (format!("UPDATE heads SET received_at = received_at - 1 WHERE {}", b(2)), &["head.receipt b2", "link.received_at b2"]),
        (
            format!("UPDATE links SET received_at = received_at - 1 WHERE {0}; UPDATE heads SET received_at = received_at - 1 WHERE {0}", b(2)),
            &["head.receipt b2"],
        ),
        (
            format!("UPDATE links SET received_at = received_at - 1 WHERE {0};
                     UPDATE heads SET proven_seq = 2, proven_at = received_at - 1 WHERE {0}", b(2)),
            &["head.older_receipt b2"],
        ),
        (
            // Beyond its own links, where nobody would look for it.
            format!("UPDATE links SET received_at = received_at - 1 WHERE {0};
                     UPDATE heads SET proven_seq = 3, proven_at = received_at - 1 WHERE {0}", b(2)),
            &["head.older_receipt b2", "link.received_at b2"],
        ),
        (format!("DELETE FROM heads WHERE {}", b(2)), &["link.received_at b2"]),
        (format!("DELETE FROM heads WHERE {}", b(4)), &["link.unsigned b4"]),
        ("INSERT INTO heads SELECT author, 2, signature, received_at, request, receipt, 0, 0, NULL, NULL FROM heads WHERE author = 1 AND seq = 3".into(), &["head.receipt a2", "head.signature a2"]),
        (add("heads", "author, 5, signature, received_at, request, receipt, 0, 0, NULL, NULL"), &["chain.cut_off b5"]),
        (
            swap("heads", "signature received_at request receipt", &b(2), &b(3)),
            &["head.receipt b2", "head.receipt b3", "head.signature b2", "head.signature b3", "link.received_at b2", "link.received_at b3"],
        ),
        // Authors.
        ("UPDATE authors SET key = zeroblob(32) WHERE no = 3".into(), &["author.not_vouched b", "head.signature b1", "head.signature b2", "head.signature b3", "head.signature b4"]),
        ("UPDATE authors SET tablet = zeroblob(16) WHERE no = 3".into(), &["author.not_vouched b"]),
        ("UPDATE authors SET signature = zeroblob(64) WHERE no = 3".into(), &["author.not_vouched b"]),
        ("UPDATE authors SET endorser = (SELECT id FROM authors WHERE no = 1) WHERE no = 3".into(), &["author.not_vouched b"]),
        ("DELETE FROM authors WHERE no = 3".into(), &["author.missing", "author.missing", "author.missing"]),
        (
            "DELETE FROM authors WHERE no = 3; DELETE FROM links WHERE author = 3; DELETE FROM heads WHERE author = 3".into(),
            &["author.missing", "body.stray nobody1", "body.stray nobody2", "body.stray nobody3", "body.stray nobody4"],
        ),
        // Feed.
        ("UPDATE feed SET hash = zeroblob(32) WHERE n = 9".into(), &["feed.changed 9"]),
        ("UPDATE feed SET observed_at = 0 WHERE n = 9".into(), &["feed.changed 9"]),
        ("UPDATE feed SET body = (SELECT body FROM feed WHERE n = 1) WHERE n = 9".into(), &["body.in_no_feed b2", "feed.changed 9", "feed.repeated 9"]),
        ("DELETE FROM feed WHERE n = 9".into(), &["body.in_no_feed b2", "feed.missing 9"]),
        ("DELETE FROM feed WHERE n = (SELECT max(n) FROM feed)".into(), &["body.in_no_feed b4"]),
        ("INSERT INTO feed SELECT ward, 14, body, observed_at, hash FROM feed WHERE n = 13".into(), &["feed.changed 14", "feed.repeated 14"]),
        (swap("feed", "body observed_at hash", "n = 9", "n = 10"), &["feed.changed 10", "feed.changed 9"]),
        ("DELETE FROM wards".into(), &["feed.ward_missing"]),
    ]
}

#[tokio::test]
async fn whatever_is_changed_taken_away_put_in_swapped_or_repeated_is_named() {
    let furnished = Furnished::new().await;
    let sound = verify(&furnished.house.path).unwrap();
    assert_eq!((sound.authors, sound.links, sound.bodies, sound.feed_rows), (3, 13, 13, 13));
    let mut wrong = Vec::new();
    for (change, expected) in cases() {
        let db = furnished.unguarded();
        db.execute_batch(&change).unwrap_or_else(|e| panic!("{change}: {e}"));
        assert!(db.total_changes() > 0, "{change}");
        drop(db);
        let found = furnished.found(&[]);
        if found != expected {
            wrong.push(format!("{change}\n    found    {found:?}\n    expected {expected:?}"));
        }
        assert_eq!(verify(&furnished.house.path).unwrap_err().code, "verify.broken");
        says_nothing_of_patients(&furnished);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn all_breaks_are_said_and_not_only_the_first() {
    let furnished = Furnished::new().await;
    let db = furnished.unguarded();
    db.execute_batch(
        "UPDATE links SET received_at = 0 WHERE author = 1 AND seq = 1; DELETE FROM heads WHERE author = 3 AND seq = 4;
         UPDATE feed SET hash = zeroblob(32) WHERE n = 9",
    )
    .unwrap();
    drop(db);
    assert_eq!(furnished.found(&[]), ["feed.changed 9", "link.received_at a1", "link.unsigned b4"]);
    let refusal = verify(&furnished.house.path).unwrap_err();
    assert!(refusal.what.contains("3 findings in all"), "{}", refusal.what);
}

#[tokio::test]
async fn verify_believes_nobody_who_vouches_for_themselves() {
    let furnished = Furnished::new().await;
    let key = SigningKey::from_seed(&[66; 32]);
    let own = Credential::sign(&key, Endorser::Author(key.author()), FacilityId(id(1)), key.public(), None);
    store::authors::insert(&furnished.unguarded(), &own, START).unwrap();
    assert_eq!(furnished.found(&[]), ["author.not_vouched server"]);
}
