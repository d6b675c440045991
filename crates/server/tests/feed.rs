//! Openings, cursors, long polls, joining: over the facility in this process.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::*;
use lamplight_domain::chain::{Hash, SigningKey};
use lamplight_domain::ids::StayId;
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Body, Envelope};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::{Cursor, Facility, FeedAsk, FeedFrom, FeedNext, Trouble};
use std::time::Duration;

fn refused<T: std::fmt::Debug>(answer: Result<T, Trouble>) -> Refusal {
    match answer {
        Err(Trouble::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn kinds(bodies: &[Vec<u8>]) -> Vec<String> {
    bodies.iter().map(|b| Body::parse(b).unwrap().envelope.kind).collect()
}

#[tokio::test]
async fn a_reader_gets_every_row_once_in_order_with_a_hash_that_it_works_out_itself() {
    let house = House::new();
    let server = house.open();
    let (mut pad, reader) = (house.tablet(&server, 1).await, house.tablet(&server, 2).await);
    let (_, cursor) = reader.opening(&server, 1_000).await;
    let notes: Vec<_> = (0..25).map(|n| pad.note(START, &n.to_string())).collect();
    for chunk in notes.chunks(7) {
        pad.push(&server, chunk.to_vec()).await;
    }
    let mut at = cursor;
    let mut read = Vec::new();
    loop {
        let page = server.feed(FeedAsk { limit: 4, ..reader.ask(FeedFrom::Cursor(at)) }).await.unwrap();
        assert_eq!(page.header.more, read.len() + page.bodies.len() < notes.len());
        let (bodies, next) = follow(&page, at);
        at = next;
        read.extend(bodies);
        if !page.header.more {
            break;
        }
    }
    assert_eq!(read, notes);
    let (nothing, same) = reader.read_from(&server, at).await;
    assert_eq!((nothing.len(), same), (0, at));
}

#[tokio::test]
async fn an_opening_holds_what_stands_whatever_its_age_then_the_last_day_newest_first() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let days = 24 * HOUR;
    let gone = StayId(id(31));
    let mut old = admission(&pad, STAY, START - 10 * days);
    old.extend(admission(&pad, gone, START - 10 * days));
    old.push(pad.body(START - 9 * days, Some(gone), Event::StayClosed { reason: "home".into() }));
    house.wait(-9 * days);
    pad.push(&server, old).await;
    let checks: Vec<_> = (0..10).map(|n| pad.check(START - 8 * days + n * MINUTE)).collect();
    pad.push(&server, checks.clone()).await;
    house.wait(9 * days);
    let today: Vec<_> = (0..5).map(|n| pad.note(START - 5 * MINUTE + n, &n.to_string())).collect();
    pad.push(&server, today.clone()).await;
    for limit in [1, 2, 3, 1_000] {
        let (pages, cursor) = pad.opening(&server, limit).await;
        let bodies = bytes_of(&pages);
        let expected = ["stay.opened", "stay.placed", "order", "check", "check", "check"];
        assert_eq!(kinds(&bodies)[..6], expected, "{limit}: the stay that is over is not sent");
        assert_eq!(bodies[3..6], checks[7..], "the newest three checks of ten");
        let newest_first: Vec<_> = today.iter().rev().cloned().collect();
        assert_eq!(bodies[6..11], newest_first);
        // Joined nine days ago, by the clock of then.
        assert_eq!(bodies.len(), 11 + usize::from(bodies.len() > 11), "{limit}: nothing twice");
        assert!(cursor.n > 20);
        assert_eq!(pad.read_from(&server, cursor).await.0.len(), 0);
    }
}

#[tokio::test]
async fn what_arrives_during_an_opening_comes_by_the_cursor_at_its_end() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let notes: Vec<_> = (0..6).map(|n| pad.note(START, &n.to_string())).collect();
    pad.push(&server, notes.clone()).await;
    let ask = |from| FeedAsk { limit: 2, ..pad.ask(from) };
    let first = server.feed(ask(FeedFrom::Opening)).await.unwrap();
    let mut writer = pad.clone();
    let late = writer.note(START, "late");
    writer.push(&server, vec![late.clone()]).await;
    let (mut seen, mut next) = (bytes_of(std::slice::from_ref(&first)), first.header.next);
    let cursor = loop {
        match next {
            FeedNext::Cursor(cursor) => break cursor,
            FeedNext::Opening(mark) => {
                let page = server.feed(ask(FeedFrom::OpeningNext(mark))).await.unwrap();
                seen.extend(bytes_of(std::slice::from_ref(&page)));
                next = page.header.next;
            }
        }
    };
    assert!(!seen.contains(&late));
    assert!(notes.iter().all(|n| seen.iter().filter(|s| *s == n).count() == 1));
    assert_eq!(pad.read_from(&server, cursor).await.0, [late]);
}

#[tokio::test]
async fn a_discharge_that_is_taken_back_stands_again() {
    use lamplight_domain::kinds::{Amendment, AmendmentAction, AmendmentReason};
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let stays = admission(&pad, STAY, START);
    pad.push(&server, stays).await;
    let closed = pad.body(START, Some(STAY), Event::StayClosed { reason: "home".into() });
    let of = Body::parse(&closed).unwrap().envelope.id;
    pad.push(&server, vec![closed]).await;
    let standing = |kinds: Vec<String>| kinds.iter().filter(|k| *k == "stay.opened").count();
    house.wait(50 * HOUR);
    assert_eq!(standing(kinds(&bytes_of(&pad.opening(&server, 100).await.0))), 0);
    let back =
        Amendment { of, action: AmendmentAction::Retract, reason: AmendmentReason::WrongPatient, words: String::new() };
    let back = pad.body(house.now(), Some(STAY), Event::Amendment(back));
    pad.push(&server, vec![back]).await;
    assert_eq!(standing(kinds(&bytes_of(&pad.opening(&server, 100).await.0))), 1);
}

#[tokio::test]
async fn a_concern_stands_until_a_nurse_takes_notice_in_whatever_order_the_two_arrive() {
    for (answered_first, by, stands) in
        [(false, NURSE, false), (true, NURSE, false), (false, TECHNICIAN, true), (true, TECHNICIAN, true)]
    {
        let house = House::new();
        let server = house.open();
        let mut pad = house.tablet(&server, 1).await;
        let concern = pad.body(START, None, Event::Concern { words: "quiet".into() });
        let of = Body::parse(&concern).unwrap().envelope.id;
        let envelope = Envelope { by: Some(by), ..pad.envelope(START, None) };
        let answer = Body::new(envelope, Event::Acknowledged { of, came: None }).to_bytes().unwrap();
        let open = pad.body(START, None, Event::Concern { words: "still open".into() });
        let order = if answered_first {
            vec![answer, concern.clone(), open.clone()]
        } else {
            vec![concern.clone(), answer, open.clone()]
        };
        pad.push(&server, order).await;
        house.wait(50 * HOUR);
        let bodies = bytes_of(&pad.opening(&server, 100).await.0);
        assert!(bodies.contains(&open), "{answered_first} {by:?}");
        assert_eq!(bodies.contains(&concern), stands, "{answered_first} {by:?}");
        assert_eq!(bodies.len(), if stands { 3 } else { 1 }, "{answered_first} {by:?}");
    }
}

#[tokio::test]
async fn a_long_poll_wakes_for_a_row_and_ends_with_the_server() {
    let house = House::new();
    let server = house.open();
    let (mut pad, reader) = (house.tablet(&server, 1).await, house.tablet(&server, 2).await);
    let (_, cursor) = reader.opening(&server, 1_000).await;
    let polling = |cursor| {
        let (server, ask) = (
            server.clone(),
            FeedAsk {
                wait_ms: 25_000,
                roster_version: server.roster().version,
                ..reader.ask(FeedFrom::Cursor(cursor))
            },
        );
        tokio::spawn(async move { server.feed(ask).await.unwrap() })
    };
    let waiting = polling(cursor);
    tokio::task::yield_now().await;
    let note = pad.note(START, "news");
    pad.push(&server, vec![note.clone()]).await;
    let page =
        tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("woken long before the poll ends").unwrap();
    let (bodies, cursor) = follow(&page, cursor);
    assert_eq!(bodies, [note]);
    let waiting = polling(cursor);
    tokio::task::yield_now().await;
    server.begin_stop();
    let page = tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("ended with the server").unwrap();
    assert!(page.header.rows.is_empty());
}

#[tokio::test]
async fn a_cursor_that_the_server_cannot_know_means_a_new_generation_and_an_opening() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let note = pad.note(START, "one");
    pad.push(&server, vec![note.clone()]).await;
    let (_, cursor) = pad.opening(&server, 100).await;
    for bad in [Cursor { n: cursor.n + 5, ..cursor }, Cursor { hash: Hash([9; 32]), ..cursor }] {
        let now = pad.opening(&server, 100).await.1;
        let page = server.feed(pad.ask(FeedFrom::Cursor(Cursor { generation: now.generation, ..bad }))).await.unwrap();
        let FeedNext::Cursor(fresh) = page.header.next else { panic!("all of it fits a page") };
        assert_ne!(fresh.generation, now.generation);
        assert!(bytes_of(std::slice::from_ref(&page)).contains(&note), "the opening");
        assert_eq!((fresh.n, fresh.hash), (cursor.n, cursor.hash));
        let old = server.feed(pad.ask(FeedFrom::Cursor(now))).await.unwrap();
        assert_eq!(old.header.next, FeedNext::Cursor(fresh), "the old generation's cursor gets the opening too");
    }
}

#[tokio::test]
async fn every_page_says_when_the_ward_s_tablets_were_in_touch_and_brings_a_newer_roster() {
    let house = House::new();
    let server = house.open();
    let (mut pad, reader) = (house.tablet(&server, 1).await, house.tablet(&server, 2).await);
    let note = pad.note(START, "one");
    pad.push(&server, vec![note]).await;
    house.wait(5 * MINUTE);
    let ask = FeedAsk { roster_version: 1, ..reader.ask(FeedFrom::Opening) };
    let page = server.feed(ask.clone()).await.unwrap();
    let mark = |of: &Pad| *page.header.contacts.iter().find(|c| c.tablet == of.tablet).unwrap();
    assert_eq!((mark(&pad).last, mark(&pad).confirmed), (Some(START), 1));
    assert_eq!(mark(&reader).last, Some(START + 5 * MINUTE));
    let roster = page.header.roster.unwrap();
    assert_eq!((roster.version, roster.tablets.len()), (3, 2));
    let same = server.feed(FeedAsk { roster_version: 3, ..ask }).await.unwrap();
    assert_eq!(same.header.roster, None);
    // And it survives a restart.
    server.close().await;
    let marks = house.open().contact_marks(WARD);
    assert_eq!(marks.iter().find(|c| c.tablet == pad.tablet).unwrap().last, Some(START));
}

#[tokio::test]
async fn joining_needs_an_invite_that_is_good_and_the_key_that_is_shown() {
    let house = House::new();
    let server = house.open();
    let code = house.code(2);
    let keys: Vec<_> = (1..5).map(|n| SigningKey::from_seed(&[n; 32])).collect();
    let mut unproved = join_ask(&code, &keys[0], "");
    unproved.proof = keys[1].sign(b"");
    assert_eq!(refused(server.join(unproved).await).code, "join.proof");
    assert_eq!(refused(server.join(join_ask("guessed", &keys[0], "")).await).code, "invite.unknown");
    let first = server.join(join_ask(&code, &keys[0], "")).await.unwrap();
    assert_eq!(server.join(join_ask(&code, &keys[0], "")).await.unwrap().credential, first.credential, "asked again");
    let second = server.join(join_ask(&code, &keys[1], &first.name)).await.unwrap();
    assert_eq!((first.name.as_str(), second.name.as_str()), ("W-1", "W-2"), "a taken name is not given twice");
    assert!(first.credential.holds(&server.identity().key.public()));
    assert!(first.ca_pem[0].starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(refused(server.join(join_ask(&code, &keys[2], "")).await).code, "invite.used");
    let late = house.code(1);
    house.wait(2 * HOUR);
    assert_eq!(refused(server.join(join_ask(&late, &keys[3], "")).await).code, "invite.expired");
}

#[tokio::test]
async fn a_feed_is_for_the_ward_s_own_tablets_that_are_in_use() {
    let house = House::new();
    let server = house.open();
    let pad = house.tablet(&server, 1).await;
    let other = FeedAsk { ward: OTHER_WARD, ..pad.ask(FeedFrom::Opening) };
    assert_eq!(refused(server.feed(other).await).code, "ward.not_yours");
    let stranger = FeedAsk { author: SigningKey::from_seed(&[9; 32]).author(), ..pad.ask(FeedFrom::Opening) };
    assert_eq!(refused(server.feed(stranger).await).code, "auth.author");
    server.close().await;
    let db = house.db();
    let mut roster = lamplight_server::store::roster::newest(&db).unwrap();
    roster.tablets[0].revoked = true;
    roster.version += 1;
    lamplight_server::store::roster::put(&db, &roster, START, None).unwrap();
    drop(db);
    let server = house.open();
    assert_eq!(refused(server.feed(pad.ask(FeedFrom::Opening)).await).code, "tablet.revoked");
    let mut pad = pad;
    let note = pad.note(START, "what it still holds is taken");
    pad.push(&server, vec![note]).await;
}

#[tokio::test]
async fn a_tablet_that_joined_after_the_backup_is_known_again_by_its_credential() {
    let house = House::new();
    let copy = house.folder().join("copy");
    let server = house.open();
    lamplight_server::backup(&house.path, &copy).unwrap();
    let mut pad = house.tablet(&server, 1).await;
    let note = pad.note(START, "one");
    let batch = pad.batch(vec![note.clone()]);
    server.push(batch.clone()).await.unwrap();
    server.close().await;
    let server = lamplight_server::FacilityServer::open(&copy, house.around()).unwrap();
    assert_eq!(refused(server.feed(pad.ask(FeedFrom::Opening)).await).code, "auth.author");
    assert_eq!(server.push(batch).await.unwrap().refused, None);
    let (pages, _) = pad.opening(&server, 100).await;
    assert_eq!(bytes_of(&pages), [note]);
    assert_eq!(server.roster().tablets[0].id, pad.tablet);
}
