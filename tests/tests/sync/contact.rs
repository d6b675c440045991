//! The main road: recorded offline, waiting, confirmed, seen by others.

use crate::fixture::{Ward, exported, holds, note};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::Auth;
use lamplight_tests::sim::tablet::Walk;
use lamplight_tests::until::until;
use serde_json::json;

#[tokio::test]
async fn what_was_recorded_offline_waits_and_is_confirmed_when_the_network_is_back() {
    let ward = Ward::open();
    let tablet = ward.tablet("a").await;
    let walk = Walk::of(&tablet).await.unwrap();
    let before = tablet.sync_state();
    assert_eq!(before.waiting, 0, "{before:?}");

    ward.cable.cut();
    assert!(tablet.sync_now().await.is_err(), "nobody answers");
    for n in 0..7 {
        walk.check(&tablet, n).unwrap();
    }
    let offline = tablet.sync_state();
    assert!(offline.waiting >= 7 && offline.confirmed == before.confirmed, "{offline:?}");
    assert_eq!(offline.waiting, offline.head - offline.confirmed);
    let status = tablet.status();
    assert!(!status.online);
    assert!(status.waiting_words.contains(&offline.waiting.to_string()), "{}", status.waiting_words);
    assert!(!holds(&tablet).missing_from(&ward.server_holds()).is_empty(), "the server cannot have them yet");

    ward.cable.restore();
    let report = tablet.sync_now().await.unwrap();
    assert!(report.pushed >= offline.waiting, "{report:?}");
    assert_eq!(tablet.sync_state().waiting, 0);
    assert_eq!(tablet.status().waiting_words, "");

    let server = ward.server_holds();
    assert_eq!(holds(&tablet).missing_from(&server), Vec::<String>::new());
    let author = tablet.sync_state().author.unwrap().to_string();
    assert_eq!(holds(&tablet).chain(&author), server.chain(&author), "link by link, hash by hash");
    assert_eq!(server.doubled(), Vec::<String>::new(), "nothing twice");
    ward.facility.verify().unwrap();
}

#[tokio::test]
async fn the_other_tablet_sees_a_check_by_itself() {
    let ward = Ward::open();
    let (a, b) = (ward.tablet("a").await, ward.tablet("b").await);
    let runs: Vec<_> = [&a, &b]
        .map(|t| {
            tokio::spawn({
                let t = t.clone();
                async move { t.run().await }
            })
        })
        .into();
    let walk = Walk::of(&a).await.unwrap();
    let stay = walk.stays[0];
    let check = walk.check(&a, 0).unwrap();
    until("the check on the other tablet's board", async || {
        let card = b.board().ok()?.cards.into_iter().find(|c| c.stay == stay)?;
        (card.last_seen?.record.to_string() == check).then_some(())
    })
    .await;
    until("the first tablet's confirmation", async || (a.sync_state().waiting == 0).then_some(())).await;
    for tablet in [&a, &b] {
        tablet.stop();
    }
    for run in runs {
        run.await.unwrap();
    }
}

#[tokio::test]
async fn a_running_tablet_drains_by_itself_after_the_cable_was_cut() {
    let ward = Ward::open();
    let tablet = ward.tablet("a").await;
    let running = tokio::spawn({
        let t = tablet.clone();
        async move { t.run().await }
    });
    let walk = Walk::of(&tablet).await.unwrap();
    ward.cable.cut();
    for n in 0..5 {
        walk.check(&tablet, n).unwrap();
    }
    until("the tablet to notice", async || (!tablet.status().online).then_some(())).await;
    assert!(tablet.sync_state().waiting >= 5);
    ward.cable.restore();
    until("the queue to drain by itself", async || (tablet.sync_state().waiting == 0).then_some(())).await;
    assert!(tablet.status().online);
    tablet.stop();
    running.await.unwrap();
}

#[tokio::test]
async fn a_change_of_the_census_arrives() {
    let ward = Ward::open();
    let (a, b) = (ward.tablet("a").await, ward.tablet("b").await);
    let walk = Walk::of(&a).await.unwrap();
    let (stay, free) = {
        let board = a.board().unwrap();
        let taken: Vec<&str> = board.cards.iter().map(|c| c.bed.as_str()).collect();
        let free = ["112B", "112A", "111B", "111A", "110B", "110A"].into_iter().find(|bed| !taken.contains(bed));
        (walk.stays[0], free.unwrap_or("101A").to_owned())
    };
    let moved = Event::StayPlaced { bed: free.clone(), from: None };
    a.record(Some(walk.technician), Auth::Station, Some(stay), None, moved, None).unwrap();
    a.sync_now().await.unwrap();
    b.sync_now().await.unwrap();
    let card = b.board().unwrap().cards.into_iter().find(|c| c.stay == stay).unwrap();
    assert_eq!(card.bed, free);
}

#[tokio::test]
async fn a_repeated_push_after_a_lost_answer_leaves_one_copy() {
    let ward = Ward::open();
    let tablet = ward.tablet("a").await;
    let walk = Walk::of(&tablet).await.unwrap();
    // Cut in the middle of requests of every length: some were committed, and only their answer was lost.
    for bytes in [1, 300, 700, 900, 1_100, 1_300, 1_600, 2_000, 3_000, 5_000] {
        note(&tablet, &walk, bytes as usize, "the answer to this one may be lost");
        ward.cable.cut_after(bytes);
        let _ = tablet.sync_now().await;
        ward.cable.restore();
    }
    tablet.sync_now().await.unwrap();
    assert_eq!(tablet.sync_state().waiting, 0);
    let server = ward.server_holds();
    assert_eq!(holds(&tablet).missing_from(&server), Vec::<String>::new());
    assert_eq!(server.doubled(), Vec::<String>::new(), "nothing twice");
    ward.facility.verify().unwrap();
}

#[tokio::test]
async fn an_export_line_says_when_it_was_seen_written_and_received() {
    let ward = Ward::open();
    let tablet = ward.tablet("a").await;
    let walk = Walk::of(&tablet).await.unwrap();
    let id = walk.check(&tablet, 0).unwrap();
    let waiting = exported(&tablet).into_iter().find(|l| l["id"] == json!(id)).unwrap();
    assert!(waiting["received_at"].is_null(), "not received before it was sent: {waiting}");
    tablet.sync_now().await.unwrap();
    let line = ward.facility.export().unwrap().into_iter().find(|l| l["id"] == json!(id)).unwrap();
    for field in ["author", "seq", "id", "kind", "stay", "patient", "observed_at", "recorded_at", "received_at", "hash"]
    {
        assert!(!line[field].is_null(), "{field} is missing: {line}");
    }
    assert_eq!(line["kind"], "check");
    assert_eq!((&line["hash"], &line["observed_at"]), (&waiting["hash"], &waiting["observed_at"]));
}
