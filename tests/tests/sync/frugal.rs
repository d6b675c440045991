//! What contact with the server may cost: counted, not timed.

use crate::fixture::Ward;
use lamplight_tablet::Tablet;
use lamplight_tests::sim::tablet::Walk;
use lamplight_tests::until::until;
use std::time::Duration;

/// Of one entry and its receipt, both ways, HTTP's heads and TLS's records among them.
const ENTRY_MOST_BYTES: u64 = 1_536;

async fn confirmed(tablet: &Tablet) {
    until("the receipt", async || (tablet.sync_state().waiting == 0).then_some(())).await;
}

/// Traffic so far: round trips, bytes both ways.
fn traffic(ward: &Ward) -> (u64, u64) {
    (ward.cable.round_trips(), ward.cable.bytes_up() + ward.cable.bytes_down())
}

/// Until nothing crosses the wire any more: both halves of the contact listen.
async fn at_rest(ward: &Ward) -> (u64, u64) {
    let mut before = traffic(ward);
    loop {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let now = traffic(ward);
        if now == before {
            return now;
        }
        before = now;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saved_entry_costs_one_round_trip_and_less_than_a_page_of_bytes() {
    let ward = Ward::open();
    let tablet = ward.tablet("frugal").await;
    let walk = Walk::of(&tablet).await.unwrap();
    let running = tokio::spawn({
        let tablet = tablet.clone();
        async move { tablet.run().await }
    });
    walk.check(&tablet, 0).unwrap();
    confirmed(&tablet).await;
    // A slow machine may lie between two entries for so long that a long poll ends there: then all of it once more.
    until("ten entries without a long poll's end among them", async || {
        let before = at_rest(&ward).await;
        for n in 0..10 {
            walk.check(&tablet, n).unwrap();
            confirmed(&tablet).await;
        }
        let after = at_rest(&ward).await;
        let (trips, bytes) = (after.0 - before.0, (after.1 - before.1) / 10);
        assert!(trips >= 10, "each entry is sent by itself: {trips}");
        eprintln!("{trips} round trips of ten entries, {bytes} bytes each");
        (trips == 10).then(|| assert!(bytes < ENTRY_MOST_BYTES, "{bytes} bytes an entry"))
    })
    .await;
    tablet.stop();
    running.await.unwrap();
    ward.facility.verify().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_tablet_wrote_itself_comes_back_with_what_others_wrote() {
    let ward = Ward::open();
    let (tablet, other) = (ward.tablet("one").await, ward.tablet("two").await);
    let walk = Walk::of(&tablet).await.unwrap();
    let running = tokio::spawn({
        let tablet = tablet.clone();
        async move { tablet.run().await }
    });
    let own = walk.check(&tablet, 0).unwrap();
    confirmed(&tablet).await;
    let others = walk.check(&other, 1).unwrap();
    other.sync_now().await.unwrap();
    until("both in the feed", async || {
        let lines = crate::fixture::exported(&tablet);
        let received = |id: &str| lines.iter().any(|l| l["id"] == id && !l["received_at"].is_null());
        (received(&own) && received(&others)).then_some(())
    })
    .await;
    tablet.stop();
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_goes_in_full_batches_and_few_bytes() {
    let ward = Ward::open();
    let tablet = ward.tablet("backlog").await;
    let walk = Walk::of(&tablet).await.unwrap();
    for n in 0..1_100 {
        walk.check(&tablet, n).unwrap();
    }
    let waiting = tablet.sync_state().waiting;
    let report = tablet.sync_now().await.unwrap();
    assert_eq!((report.pushed, tablet.sync_state().waiting), (waiting, 0));
    // Two batches, as many pages of the feed, and what a contact begins and ends with.
    assert!(report.requests <= 8, "{report:?}");
    assert!(report.bytes_sent / waiting <= 60, "{report:?}");
    ward.facility.verify().unwrap();
}
