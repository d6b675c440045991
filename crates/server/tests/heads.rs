//! The signed heads that come with a page: what tablets keep as evidence.

#![allow(clippy::unwrap_used)] // A test may fail.

mod common;

use common::*;
use lamplight_domain::chain::{Credential, Endorser, Head, SigningKey, is_vouched_for};
use lamplight_domain::ids::{AuthorId, FacilityId};
use lamplight_domain::wire::{Facility, FeedFrom, FeedPage};

/// (author, number) of the heads that came with a page, each signed and vouched for.
fn heads_of(house: &House, page: &FeedPage) -> Vec<(AuthorId, u64)> {
    let identity = lamplight_server::facility::Identity::read(&house.db()).unwrap();
    let shown = page.header.heads.iter().map(|shown| {
        let own = shown.credentials.first().unwrap();
        let former = |id| shown.credentials.iter().find(|c| c.author == id).cloned();
        assert!(is_vouched_for(own, identity.facility, &identity.keys(), former));
        assert!(own.author == shown.signed.head.author && shown.signed.holds(&own.key, identity.facility));
        (own.author, shown.signed.head.seq)
    });
    shown.collect()
}

#[tokio::test]
async fn a_page_brings_the_heads_of_its_authors_and_of_the_server() {
    let house = House::new();
    let server = house.open();
    let (mut a, mut b) = (house.tablet(&server, 1).await, house.tablet(&server, 2).await);
    let first = admission(&b, STAY, house.now());
    b.push(&server, first).await;
    let (pages, cursor) = a.opening(&server, 100).await;
    let opening = heads_of(&house, &pages[0]);
    let of_b = b.key.author();
    let of_server = opening.iter().map(|(author, _)| *author).find(|author| *author != of_b).unwrap();
    assert_eq!(opening.len(), 2);
    assert!(opening.contains(&(of_b, 3)) && opening.contains(&(of_server, 2)), "{opening:?}");
    // Nothing new: nothing comes.
    let page = server.feed(a.ask(FeedFrom::Cursor(cursor))).await.unwrap();
    assert!(page.header.rows.is_empty() && page.header.heads.is_empty());
    // Its own row comes back without a head: it has a receipt. Then the other's, and no more of the server's.
    let (note, check) = (a.note(house.now(), "own"), b.check(house.now()));
    a.push(&server, vec![note]).await;
    let page = server.feed(a.ask(FeedFrom::Cursor(cursor))).await.unwrap();
    assert_eq!((page.header.rows.len(), heads_of(&house, &page)), (1, vec![]));
    b.push(&server, vec![check]).await;
    let page = server.feed(a.ask(FeedFrom::Cursor(cursor))).await.unwrap();
    assert_eq!(heads_of(&house, &page), [(of_b, 4)]);
    // What the server wrote for another ward is shown with the next row of this one.
    let before = follow(&page, cursor).1;
    let code = house.code_for(OTHER_WARD, 1);
    Pad::join(&server, &code, 3, "").await;
    let page = server.feed(a.ask(FeedFrom::Cursor(before))).await.unwrap();
    assert!(page.header.heads.is_empty());
    let check = b.check(house.now());
    b.push(&server, vec![check]).await;
    let page = server.feed(a.ask(FeedFrom::Cursor(before))).await.unwrap();
    assert_eq!(heads_of(&house, &page), [(of_b, 5), (of_server, 3)]);
}

#[tokio::test]
async fn a_head_of_a_forked_author_comes_with_all_who_vouch_for_it() {
    let house = House::new();
    let server = house.open();
    let (a, mut b) = (house.tablet(&server, 1).await, house.tablet(&server, 2).await);
    let (_, cursor) = a.opening(&server, 100).await;
    // A fresh author of the same tablet, endorsed by the one before.
    let (former, key) = (b.key.clone(), SigningKey::from_seed(&[55; 32]));
    let tablet = Some(b.tablet);
    b.credential =
        Credential::sign(&former, Endorser::Author(former.author()), FacilityId(id(1)), key.public(), tablet);
    (b.head, b.key) = (Head::empty(key.author()), key);
    let note = b.note(house.now(), "again");
    b.push(&server, vec![note]).await;
    let page = server.feed(a.ask(FeedFrom::Cursor(cursor))).await.unwrap();
    assert_eq!(heads_of(&house, &page), [(b.key.author(), 1)]);
    assert_eq!(page.header.heads[0].credentials.len(), 2);
}

/// Commands beside the server are authors of their own, and there may be many in a day: who serves stays in sight, also
/// where nothing but its audit is new.
#[tokio::test]
async fn the_audit_of_who_serves_is_shown_however_many_commands_came_after_it() {
    let house = House::new();
    let server = house.open();
    let (a, mut b) = (house.tablet(&server, 1).await, house.tablet(&server, 2).await);
    let first = b.note(house.now(), "first");
    b.push(&server, vec![first]).await;
    let (pages, cursor) = a.opening(&server, 100).await;
    let of_b = b.key.author();
    let serving = heads_of(&house, &pages[0]).into_iter().find(|(author, _)| *author != of_b).unwrap();
    for n in 0..6 {
        lamplight_server::backup(&house.path, &house.folder().join(format!("copy{n}"))).unwrap();
    }
    server.audit(None, lamplight_domain::kinds::Audit::of(lamplight_domain::kinds::Act::Printed)).await;
    let note = b.note(house.now(), "a row to come with");
    b.push(&server, vec![note]).await;
    let page = server.feed(a.ask(FeedFrom::Cursor(cursor))).await.unwrap();
    let heads = heads_of(&house, &page);
    assert!(heads.contains(&(serving.0, serving.1 + 1)), "{heads:?}");
}
