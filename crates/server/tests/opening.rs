//! What an opening costs the server: counted in steps of SQLite's machine, not timed. It must not grow with what lies
//! behind.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::{HOUR, House, MINUTE, Pad, STAY, WARD, admission};
use lamplight_server::store::feed;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const RECENT: i64 = 40;

/// A ward with so many checks of long ago behind it, and the same day in all cases.
async fn ward_with(old: i64) -> House {
    let house = House::new();
    let server = house.open();
    let mut pad: Pad = house.tablet(&server, 1).await;
    let (now, day) = (house.now(), 24 * HOUR);
    pad.push(&server, admission(&pad, STAY, now + -40 * day)).await;
    let long_ago: Vec<Vec<u8>> = (0..old).map(|n| pad.check(now + (-30 * day + n * MINUTE))).collect();
    for bodies in long_ago.chunks(900) {
        pad.push(&server, bodies.to_vec()).await;
    }
    let today = (0..RECENT).map(|n| pad.check(now + -n * MINUTE)).collect();
    pad.push(&server, today).await;
    server.close().await;
    house
}

/// Rows, and steps, of a whole opening.
fn opening(house: &House) -> (usize, u64) {
    let db = house.db();
    let no = feed::ward(&db, WARD).unwrap().unwrap();
    let steps = Arc::new(AtomicU64::new(0));
    let counted = steps.clone();
    let count = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        false
    };
    db.progress_handler(1, Some(count)).unwrap();
    let (end, now) = (feed::end(&db, no).unwrap(), house.now());
    let standing = feed::standing(&db, no, 0, end.n, now, 1_000).unwrap();
    let recent = feed::recent(&db, no, end.n + 1, now + -24 * HOUR, now, 1_000).unwrap();
    assert_eq!(feed::hash_at(&db, no, end.n).unwrap(), Some(end.hash));
    assert!(!standing.more && !recent.more);
    (standing.rows.len() + recent.rows.len(), steps.load(Ordering::SeqCst))
}

#[tokio::test]
async fn an_opening_costs_the_same_whatever_the_server_holds() {
    let (few, many) = (opening(&ward_with(50).await), opening(&ward_with(5_000).await));
    assert_eq!(few.0, many.0, "the same rows");
    assert!(few.0 as i64 >= RECENT && few.1 > RECENT as u64, "{few:?}");
    // The same work to the step, but for the depth of the trees.
    assert!(many.1 <= few.1 + few.1 / 10, "{few:?} steps of an opening became {many:?}");
}
