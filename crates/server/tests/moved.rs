//! A tablet is moved to another ward, or taken out of use, by a command beside the process that serves.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::*;
use lamplight_domain::kinds::Event;
use lamplight_domain::record::Body;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::{Facility, FeedAsk, FeedFrom, OWN_WARD, Trouble};
use lamplight_server::commands::{move_tablet, revoke_tablet};

fn refused<T: std::fmt::Debug>(answer: Result<T, Trouble>) -> Refusal {
    match answer {
        Err(Trouble::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn kinds(pages: &[lamplight_domain::wire::FeedPage]) -> Vec<String> {
    bytes_of(pages).iter().map(|bytes| Body::parse(bytes).unwrap().envelope.kind).collect()
}

#[tokio::test]
async fn a_moved_tablet_is_told_its_ward_and_waited_for_on_the_old_one_until_it_comes() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let other = house.tablet(&server, 2).await;
    move_tablet(&house.path, &pad.name.to_lowercase(), "oak ward").unwrap();
    assert!(server.notice_changes().await.unwrap());
    assert!(!server.notice_changes().await.unwrap());
    assert_eq!(refused(server.feed(pad.ask(FeedFrom::Opening)).await).code, "ward.not_yours");
    let marks = |ward| server.contact_marks(ward).iter().map(|m| m.tablet).collect::<Vec<_>>();
    assert!(marks(WARD).contains(&pad.tablet), "it may know of a check there");
    assert!(server.board(WARD).contacts.iter().any(|c| c.tablet == pad.tablet));
    // Seen on the old ward, sent now.
    let note = pad.note(house.now(), "seen before");
    pad.push(&server, vec![note]).await;
    let ask = FeedAsk { ward: OWN_WARD, limit: 1, roster_version: 0, ..pad.ask(FeedFrom::Opening) };
    let roster = server.feed(ask).await.unwrap().header.roster.unwrap();
    let placed = roster.tablets.iter().find(|t| t.id == pad.tablet).unwrap().ward;
    assert_eq!(placed, OTHER_WARD);
    assert!(marks(WARD).contains(&pad.tablet), "asking is not coming");
    let here = Pad { ward: placed, ..pad.clone() };
    let (pages, _) = here.opening(&server, 100).await;
    assert!(kinds(&pages).contains(&"tablet.moved".to_owned()), "{:?}", kinds(&pages));
    assert!(!marks(WARD).contains(&pad.tablet) && marks(OTHER_WARD).contains(&pad.tablet));
    let (pages, _) = other.opening(&server, 100).await;
    let all = kinds(&pages);
    assert!(all.contains(&"tablet.moved".to_owned()) && all.contains(&"note".to_owned()), "{all:?}");
    server.close().await;
    lamplight_server::commands::verify(&house.path).unwrap();
}

#[tokio::test]
async fn a_tablet_that_is_moved_back_before_it_heard_of_it_never_left() {
    let house = House::new();
    let server = house.open();
    let pad = house.tablet(&server, 1).await;
    move_tablet(&house.path, &pad.name, "Oak Ward").unwrap();
    move_tablet(&house.path, &pad.name, "Willow Ward").unwrap();
    server.notice_changes().await.unwrap();
    server.feed(pad.ask(FeedFrom::Opening)).await.unwrap();
    assert!(server.contact_marks(OTHER_WARD).is_empty());
    drop(server);
    // And who waits for whom survives a restart.
    move_tablet(&house.path, &pad.name, "Oak Ward").unwrap();
    let server = house.open();
    assert!(server.contact_marks(WARD).iter().any(|m| m.tablet == pad.tablet));
}

#[tokio::test]
async fn a_long_poll_ends_at_once_where_its_tablet_was_moved_or_revoked() {
    let house = House::new();
    let server = house.open();
    let pad = house.tablet(&server, 1).await;
    let (_, cursor) = pad.opening(&server, 100).await;
    let ask = FeedAsk { wait_ms: 25_000, roster_version: server.roster().version, ..pad.ask(FeedFrom::Cursor(cursor)) };
    let polling = tokio::spawn({
        let server = server.clone();
        async move { server.feed(ask).await }
    });
    tokio::task::yield_now().await;
    revoke_tablet(&house.path, &pad.name, "lost").unwrap();
    server.notice_changes().await.unwrap();
    let answer = tokio::time::timeout(std::time::Duration::from_secs(20), polling).await.unwrap().unwrap();
    assert_eq!(refused(answer).code, "tablet.revoked");
}

#[tokio::test]
async fn what_a_revoked_tablet_holds_is_taken_and_flagged_and_why_is_on_record() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let other = house.tablet(&server, 2).await;
    revoke_tablet(&house.path, &pad.name, " found in the garden ").unwrap();
    server.notice_changes().await.unwrap();
    for ward in [WARD, OWN_WARD] {
        let ask = FeedAsk { ward, ..pad.ask(FeedFrom::Opening) };
        assert_eq!(refused(server.feed(ask).await).code, "tablet.revoked");
    }
    let note = pad.note(house.now(), "still here");
    pad.push(&server, vec![note.clone()]).await;
    let (pages, _) = other.opening(&server, 100).await;
    let rows = pages.iter().flat_map(|p| p.header.rows.iter().cloned().zip(bytes_of(std::slice::from_ref(p))));
    let rows: Vec<_> = rows.collect();
    let flagged = rows.iter().find(|(_, bytes)| *bytes == note).unwrap();
    assert!(flagged.0.flags.contains(&"revoked_tablet".to_owned()));
    let events = rows.iter().filter_map(|(_, bytes)| Body::parse(bytes).ok()?.event);
    let reasons: Vec<_> =
        events.filter_map(|e| if let Event::TabletRevoked { reason, .. } = e { Some(reason) } else { None }).collect();
    assert_eq!(reasons, ["found in the garden"]);
}

#[tokio::test]
async fn what_cannot_be_moved_or_revoked_is_refused_by_name_and_changes_nothing() {
    let house = House::new();
    let server = house.open();
    let pad = house.tablet(&server, 1).await;
    let before = server.roster().version;
    let code = |done: Result<lamplight_domain::roster::Tablet, Refusal>| done.unwrap_err().code;
    assert_eq!(code(move_tablet(&house.path, "W-99", "Oak Ward")), "tablet.unknown");
    assert_eq!(code(move_tablet(&house.path, &pad.name, "Elm Ward")), "ward.unknown");
    assert_eq!(code(move_tablet(&house.path, &pad.name, "Willow Ward")), "ward.same");
    assert_eq!(code(revoke_tablet(&house.path, &pad.name, "  ")), "reason.missing");
    assert!(!server.notice_changes().await.unwrap());
    assert_eq!(server.roster().version, before);
    revoke_tablet(&house.path, &pad.name, "broken").unwrap();
    assert_eq!(code(revoke_tablet(&house.path, &pad.name, "broken")), "tablet.revoked");
    assert_eq!(code(move_tablet(&house.path, &pad.name, "Oak Ward")), "tablet.revoked");
}

/// It may be the only one who read what was lost.
#[tokio::test]
async fn a_moved_tablet_s_old_cursor_shows_all_the_same_that_the_server_was_put_back() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    server.close().await;
    let aside = house.set_aside();
    let server = house.open();
    let note = pad.note(house.now(), "lost with the disk");
    pad.push(&server, vec![note]).await;
    let (_, cursor) = pad.opening(&server, 100).await;
    server.close().await;
    house.put_back(&aside);
    let server = house.open();
    move_tablet(&house.path, &pad.name, "Oak Ward").unwrap();
    server.notice_changes().await.unwrap();
    assert_eq!(refused(server.feed(pad.ask(FeedFrom::Cursor(cursor))).await).code, "ward.not_yours");
    let here = Pad { ward: OTHER_WARD, ..pad.clone() };
    let (_, there) = here.opening(&server, 100).await;
    assert_ne!(there.generation, cursor.generation);
}
