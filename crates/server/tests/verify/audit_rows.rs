//! The audit stands in the chains like everything else: one line of it changed, taken away, put in, or swapped with
//! another is named.

use crate::common::*;
use crate::house::Furnished;
use lamplight_domain::ids::WardId;
use lamplight_domain::kinds::{Act, Audit, Event};
use lamplight_domain::record::{Body, Envelope};
use lamplight_server::verify;

/// Three audit records of tablet b behind its four checks (links 5 to 7), rows 1 to 3 of the facility's feed; and two of
/// a server.
async fn audited() -> Furnished {
    let mut furnished = Furnished::new().await;
    let server = furnished.house.open();
    for what in ["one", "two", "three"] {
        furnished.house.wait(MINUTE);
        let audit = Audit { staff: Some(TECHNICIAN), what: what.into(), ..Audit::of(Act::SignInFailed) };
        let envelope = Envelope { ward: WardId::FACILITY, ..furnished.b.envelope(furnished.house.now(), None) };
        let body = Body::new(envelope, Event::Audit(audit)).to_bytes().unwrap();
        furnished.b.push(&server, vec![body]).await;
    }
    server.audit(Some(NURSE), Audit::of(Act::Exported)).await;
    server.audit(None, Audit::of(Act::BackedUp)).await;
    furnished.remember(server).await;
    furnished
}

#[tokio::test]
async fn whatever_happens_to_a_line_of_the_audit_is_named() {
    let furnished = audited().await;
    verify(&furnished.house.path).unwrap();
    let of_b = |seq: u32| format!("no = (SELECT body FROM main.links WHERE author = 3 AND seq = {seq})");
    let facility = "ward = (SELECT no FROM wards WHERE id = zeroblob(16))";
    let cases: Vec<(String, &[&str])> = vec![
        (
            format!(
                "UPDATE bodies SET bytes = CAST(replace(CAST(bytes AS TEXT), 'two', 'off') AS BLOB) WHERE {}",
                of_b(6)
            ),
            &["body.changed b6"],
        ),
        (format!("UPDATE bodies SET kind = 'note' WHERE {}", of_b(6)), &["body.misfiled b6"]),
        (
            format!(
                "DELETE FROM feed WHERE body = (SELECT body FROM links WHERE author = 3 AND seq = 6); DELETE FROM bodies WHERE {}",
                of_b(6)
            ),
            &["body.missing b6", "feed.missing 2"],
        ),
        ("DELETE FROM links WHERE author = 3 AND seq = 6".into(), &["body.stray b6", "link.missing b6"]),
        // The last line of all, with all that shows that it was there but the tablet's own signature.
        (
            "DELETE FROM feed WHERE body = (SELECT body FROM links WHERE author = 3 AND seq = 7);
             DELETE FROM bodies WHERE no = (SELECT body FROM links WHERE author = 3 AND seq = 7);
             DELETE FROM links WHERE author = 3 AND seq = 7"
                .into(),
            &["chain.cut_off b7", "feed.missing 3"],
        ),
        (
            format!(
                "CREATE TEMP TABLE s AS SELECT * FROM bodies;
                 UPDATE bodies SET bytes = (SELECT bytes FROM s WHERE {1}) WHERE {0};
                 UPDATE bodies SET bytes = (SELECT bytes FROM s WHERE {0}) WHERE {1};",
                of_b(5),
                of_b(6)
            ),
            &["body.changed b5", "body.changed b6"],
        ),
        (
            "INSERT INTO bodies (hash, id, author, seq, kind, stay, observed_at, recorded_at, bytes)
             VALUES (zeroblob(32), zeroblob(16), 3, 99, 'audit', NULL, 0, 0, x'00')"
                .into(),
            &["body.changed b99", "body.in_no_feed b99", "body.stray b99"],
        ),
        (format!("UPDATE feed SET hash = zeroblob(32) WHERE n = 2 AND {facility}"), &["feed.changed 2"]),
        (format!("DELETE FROM feed WHERE n = 2 AND {facility}"), &["body.in_no_feed b6", "feed.missing 2"]),
    ];
    let mut wrong = Vec::new();
    for (change, expected) in cases {
        let db = furnished.unguarded();
        db.execute_batch(&change).unwrap_or_else(|e| panic!("{change}: {e}"));
        assert!(db.total_changes() > 0, "{change}");
        drop(db);
        let found = furnished.found(&[]);
        if found != expected {
            wrong.push(format!("{change}\n    found    {found:?}\n    expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
