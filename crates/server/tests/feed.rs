//! Openings, cursors, long polls, joining: over the facility in this process.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::*;
use lamplight_domain::chain::{Hash, Head, Receipt, SigningKey, body_hash};
use lamplight_domain::ids::StayId;
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Body, Envelope};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::{Blob, Cursor, Facility, FeedAsk, FeedFrom, FeedNext, Trouble};
use lamplight_server::FacilityServer;
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
async fn no_retraction_makes_a_stay_that_is_over_stand_again() {
    use lamplight_domain::kinds::{Amendment, AmendmentAction, AmendmentReason};
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let mut bodies = admission(&pad, STAY, START);
    let check = pad.check(START);
    let closed = pad.body(START, Some(STAY), Event::StayClosed { reason: "home".into() });
    bodies.extend([check.clone(), closed.clone()]);
    pad.push(&server, bodies).await;
    house.wait(50 * HOUR);
    for of in [check, closed] {
        let of = Body::parse(&of).unwrap().envelope.id;
        let (action, reason) = (AmendmentAction::Retract, AmendmentReason::WrongPatient);
        let back = Event::Amendment(Amendment { of, action, reason, words: String::new() });
        let back = pad.body(house.now(), Some(STAY), back);
        pad.push(&server, vec![back.clone()]).await;
        let sent = bytes_of(&pad.opening(&server, 100).await.0);
        assert_eq!(sent.iter().filter(|b| **b == back).count(), 1);
        assert!(!kinds(&sent).iter().any(|k| ["stay.opened", "order", "check"].contains(&k.as_str())), "{sent:?}");
    }
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
async fn a_long_poll_that_own_rows_woke_tells_all_of_them_with_the_first_that_is_news() {
    let house = House::new();
    let server = house.open();
    let (mut own, mut other) = (house.tablet(&server, 1).await, house.tablet(&server, 2).await);
    let (_, cursor) = own.opening(&server, 1_000).await;
    let ask = FeedAsk { wait_ms: 25_000, own_by_hash: true, ..own.ask(FeedFrom::Cursor(cursor)) };
    let ask = FeedAsk { roster_version: server.roster().version, ..ask };
    let waiting = tokio::spawn({
        let server = server.clone();
        async move { server.feed(ask).await.unwrap() }
    });
    // Each wakes the poll, which reads it or some of them together.
    let mut all = Vec::new();
    for n in 0..20 {
        let note = own.note(START, &n.to_string());
        own.push(&server, vec![note.clone()]).await;
        all.push(Blob::Held(body_hash(&note)));
    }
    assert!(!waiting.is_finished(), "what it sent itself is no news");
    let news = other.note(START, "news");
    other.push(&server, vec![news.clone()]).await;
    all.push(Blob::Bytes(news));
    let page = tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("woken by the news").unwrap();
    assert_eq!(page.bodies, all);
    let numbers: Vec<u64> = page.header.rows.iter().map(|row| row.n).collect();
    assert_eq!(numbers, (cursor.n + 1..=cursor.n + 21).collect::<Vec<_>>());
    let FeedNext::Cursor(next) = page.header.next else { panic!("no page by cursor begins an opening") };
    assert_eq!(next.n, cursor.n + 21);
}

/// What a page that is the whole opening ends with.
async fn opened(server: &FacilityServer, pad: &Pad, from: Cursor) -> (Vec<Vec<u8>>, Cursor) {
    let page = server.feed(pad.ask(FeedFrom::Cursor(from))).await.unwrap();
    let FeedNext::Cursor(cursor) = page.header.next else { panic!("all of it fits a page") };
    (bytes_of(std::slice::from_ref(&page)), cursor)
}

#[tokio::test]
async fn a_server_that_was_put_back_by_hand_learns_it_from_its_own_cursors_and_begins_one_generation() {
    let house = House::new();
    let server = house.open();
    let (mut pad, mut other) = (house.tablet(&server, 1).await, house.tablet(&server, 2).await);
    let note = pad.note(START, "one");
    pad.push(&server, vec![note.clone()]).await;
    server.close().await;
    let aside = house.set_aside();
    let server = house.open();
    house.wait(MINUTE);
    let lost = [pad.note(house.now(), "two"), other.note(house.now(), "three")];
    let before = pad.head;
    let receipt = pad.push(&server, vec![lost[0].clone()]).await.receipt.unwrap();
    let other_before = other.head;
    let other_receipt = other.push(&server, vec![lost[1].clone()]).await.receipt.unwrap();
    let (_, cursor) = pad.opening(&server, 100).await;
    let (_, other_cursor) = other.opening(&server, 100).await;
    server.close().await;
    house.put_back(&aside);
    house.wait(MINUTE);
    let server = house.open();
    let (bodies, fresh) = opened(&server, &pad, cursor).await;
    assert_ne!(fresh.generation, cursor.generation);
    assert!(bodies.contains(&note) && !bodies.contains(&lost[0]), "the opening of what is left");
    let (bodies, again) = opened(&server, &other, other_cursor).await;
    assert_eq!(again.generation, fresh.generation, "once");
    assert!(bodies.contains(&note));
    // What comes back with receipts of then is no reason for another.
    for (pad, before, body, receipt) in
        [(&mut pad, before, &lost[0], receipt), (&mut other, other_before, &lost[1], other_receipt)]
    {
        let mut batch = batch(&pad.key, &before, vec![Blob::Bytes(body.clone())], None);
        batch.header.receipt = Some(receipt);
        assert_eq!(server.push(batch).await.unwrap().refused, None);
    }
    let (_, end) = opened(&server, &pad, fresh).await;
    assert_eq!(end.generation, fresh.generation);
}

/// The same backup may be put back twice, and backed up itself before anybody reads: neither its generation nor a mark of
/// backups says then what it lacks.
#[tokio::test]
async fn a_backup_says_what_it_began_with_and_begins_a_generation_each_time_it_is_put_back() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let note = pad.note(house.now(), "in the backup");
    let received = pad.push(&server, vec![note]).await.receipt.unwrap().received_at;
    server.close().await;
    let backup = house.folder().join("backup");
    lamplight_server::commands::backup_at(&house.path, &backup, &house.around()).unwrap();
    let mut generations = Vec::new();
    for n in 0..2 {
        let dir = house.folder().join(format!("put-back-{n}"));
        std::fs::create_dir(&dir).unwrap();
        for name in ["server.db", "server.key", "ca.pem"] {
            std::fs::copy(backup.join(name), dir.join(name)).unwrap();
        }
        house.wait(HOUR);
        let server = FacilityServer::open(&dir, house.around()).unwrap();
        lamplight_server::commands::backup_at(&dir, &house.folder().join(format!("again-{n}")), &house.around())
            .unwrap();
        let page = server.feed(pad.ask(FeedFrom::Opening)).await.unwrap();
        assert_eq!(page.header.began_with, Some(received - 24 * HOUR), "a clock may have been set back since");
        assert_eq!(page.header.backed_up, Some(house.now()), "which is no measure of what it lacks");
        let (_, cursor) = pad.opening(&server, 100).await;
        generations.push(cursor.generation);
        server.close().await;
    }
    assert_ne!(generations[0], generations[1]);
}

/// A server that was put back by hand, closed, to before it took two entries of `pad`.
struct Lost {
    house: House,
    pad: Pad,
    reader: Pad,
    /// Of `pad`, as the server has it now.
    before: Head,
    first: Vec<u8>,
    second: Vec<u8>,
    /// For both.
    receipt: Receipt,
}

async fn lost() -> Lost {
    let house = House::new();
    let server = house.open();
    let (mut pad, reader) = (house.tablet(&server, 1).await, house.tablet(&server, 2).await);
    server.close().await;
    let aside = house.set_aside();
    let server = house.open();
    house.wait(MINUTE);
    let (before, first, second) = (pad.head, pad.note(START, "one"), pad.note(START, "two"));
    let receipt = pad.push(&server, vec![first.clone(), second.clone()]).await.receipt.unwrap();
    server.close().await;
    house.put_back(&aside);
    Lost { house, pad, reader, before, first, second, receipt }
}

#[tokio::test]
async fn a_server_that_was_put_back_by_hand_learns_it_from_its_own_receipts_too() {
    let Lost { house, pad, reader, before, first, receipt, .. } = lost().await;
    house.wait(MINUTE);
    let server = house.open();
    let generation = reader.opening(&server, 100).await.1.generation;
    let push = async |receipt| {
        let mut batch = batch(&pad.key, &before, vec![Blob::Bytes(first.clone())], None);
        batch.header.receipt = Some(receipt);
        assert_eq!(server.push(batch).await.unwrap().refused, None);
        reader.opening(&server, 100).await.1.generation
    };
    let mut forged = receipt;
    forged.received_at = house.now();
    assert_eq!(push(forged).await, generation, "not this facility's word");
    let fresh = push(receipt).await;
    assert_ne!(fresh, generation);
    house.wait(MINUTE);
    assert_eq!(push(receipt).await, fresh, "once, though the batch was still short of it");
    // A copy that `backup` made is a generation of its own: what came after it is known to be missing.
    server.close().await;
    let copy = house.folder().join("copy");
    lamplight_server::backup(&house.path, &copy).unwrap();
    let server = FacilityServer::open(&copy, house.around()).unwrap();
    let generation = reader.opening(&server, 100).await.1.generation;
    let mut ask = batch(&pad.key, &before, vec![], None);
    ask.header.receipt = Some(receipt);
    server.push(ask).await.unwrap();
    assert_eq!(reader.opening(&server, 100).await.1.generation, generation);
}

#[tokio::test]
async fn what_comes_once_more_after_a_loss_is_in_no_backup_that_was_made_between() {
    let Lost { house, pad, reader, before, first, second, receipt } = lost().await;
    let server = house.open();
    let back_up = |n: u32| {
        house.wait(MINUTE);
        let to = house.folder().join(format!("backup-{n}"));
        lamplight_server::commands::backup_at(&house.path, &to, &house.around()).unwrap().backed_up
    };
    let marked = async || server.feed(reader.ask(FeedFrom::Opening)).await.unwrap().header.backed_up;
    let without_it = back_up(1);
    assert_eq!(marked().await, Some(without_it));
    house.wait(MINUTE);
    let both = vec![Blob::Bytes(first), Blob::Bytes(second)];
    let mut again = batch(&pad.key, &before, both, None);
    again.header.receipt = Some(receipt);
    assert_eq!(server.push(again).await.unwrap().receipt.unwrap().received_at, receipt.received_at);
    assert_eq!(marked().await, Some(receipt.received_at), "it has that time, and the backup has not got it");
    let with_it = back_up(2);
    assert_eq!(marked().await, Some(with_it));
}

#[tokio::test]
async fn a_cursor_that_was_not_given_out_here_is_its_reader_s_own_trouble() {
    let house = House::new();
    let server = house.open();
    let (mut pad, neighbour) = (house.tablet(&server, 1).await, house.tablet(&server, 2).await);
    let note = pad.note(START, "one");
    pad.push(&server, vec![note.clone()]).await;
    let (_, cursor) = pad.opening(&server, 100).await;
    let elsewhere = Pad::join(&server, &house.code_for(OTHER_WARD, 1), 3, "").await;
    let (_, of_elsewhere) = elsewhere.opening(&server, 100).await;
    let bad = [
        Cursor { n: cursor.n + 5, ..cursor },
        Cursor { hash: Hash([9; 32]), ..cursor },
        Cursor { hash: Hash([9; 32]), mac: None, ..cursor },
        Cursor { n: cursor.n + 5, mac: of_elsewhere.mac, ..cursor },
    ];
    for bad in bad {
        let (bodies, fresh) = opened(&server, &pad, bad).await;
        assert!(bodies.contains(&note), "the opening");
        assert_eq!(fresh, cursor, "of the same generation");
    }
    assert_eq!(neighbour.opening(&server, 100).await.1, cursor, "nobody else hears of it");
    // One without a mark that fits is as good as any: a tablet of an older program goes on.
    let (nothing, same) = pad.read_from(&server, Cursor { mac: None, ..cursor }).await;
    assert_eq!((nothing.len(), same, same.mac), (0, cursor, cursor.mac));
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
    // With another invite it is no repetition: that one is used up, and the tablet stays the same.
    assert_eq!(refused(server.join(join_ask("guessed", &keys[0], "")).await).code, "invite.unknown");
    let other = house.code_for(OTHER_WARD, 1);
    let moved = server.join(join_ask(&other, &keys[0], "")).await.unwrap();
    assert_eq!((moved.tablet, moved.name.as_str(), moved.ward), (first.tablet, "W-1", OTHER_WARD));
    assert_eq!(server.join(join_ask(&other, &keys[0], "")).await.unwrap(), moved);
    assert_eq!(refused(server.join(join_ask(&code, &keys[0], "")).await).code, "invite.used");
    assert_eq!(server.roster().tablets.len(), 2);
    let late = house.code(1);
    house.wait(2 * HOUR);
    assert_eq!(refused(server.join(join_ask(&late, &keys[3], "")).await).code, "invite.expired");
}

#[tokio::test]
async fn a_feed_is_for_the_ward_s_own_tablets_that_are_in_use() {
    let house = House::new();
    let server = house.open();
    let code = house.code(1);
    let pad = Pad::join(&server, &code, 1, "").await;
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
    for code in [code, house.code(1)] {
        let again = server.join(join_ask(&code, &pad.key, "")).await;
        assert_eq!(refused(again).code, "tablet.revoked", "nobody's PIN is given to it");
    }
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
    house.tablet(&server, 1).await;
    let mut pad = Pad::join(&server, &house.code_for(OTHER_WARD, 1), 2, "").await;
    assert_eq!(pad.name, "W-2");
    let note = pad.note(START, "one");
    let batch = pad.batch(vec![b"unreadable".to_vec(), note.clone()]);
    server.push(batch.clone()).await.unwrap();
    server.close().await;
    let server = FacilityServer::open(&copy, house.around()).unwrap();
    assert_eq!(refused(server.feed(pad.ask(FeedFrom::Opening)).await).code, "auth.author");
    assert_eq!(server.push(batch).await.unwrap().refused, None);
    // The ward is that of its own records, whatever it asks for.
    let greedy = FeedAsk { ward: WARD, ..pad.ask(FeedFrom::Opening) };
    assert_eq!(refused(server.feed(greedy).await).code, "ward.not_yours");
    let (pages, _) = pad.opening(&server, 100).await;
    assert_eq!(bytes_of(&pages), [note]);
    let known = &server.roster().tablets[0];
    assert_eq!((known.id, known.name.as_str(), known.ward), (pad.tablet, "W-2", OTHER_WARD));
}

#[tokio::test]
async fn what_no_board_shows_is_not_kept_in_memory_though_nobody_looks() {
    let house = House::new();
    let server = house.open();
    let mut pad = house.tablet(&server, 1).await;
    let old = START - 10 * 24 * HOUR;
    let admitted = admission(&pad, STAY, old);
    pad.push(&server, admitted).await;
    let backlog: Vec<_> = (0..200).map(|n| pad.note(old + n * MINUTE, "from a tablet that was away")).collect();
    pad.push(&server, backlog).await;
    let held = || server.live().ward(WARD).with(lamplight_domain::ward::WardRecords::len);
    assert_eq!(held(), 4, "the joining and the admission");
    let check = pad.check(old);
    pad.push(&server, vec![check]).await;
    assert_eq!(held(), 5, "the last check counts, however old it is");
    let today: Vec<_> = (0..200).map(|n| pad.note(START + n, "today")).collect();
    pad.push(&server, today).await;
    assert_eq!(held(), 205);
    house.wait(48 * HOUR);
    server.live().forget(&roster(), house.now());
    assert_eq!(held(), 5);
}
