//! Pruning: what goes, what stays, and what a server that went back makes of it.

use crate::file::{bodies, feeds, links, lock, pruning};
use crate::sync::fake::{FakeFacility, State};
use crate::tablet::Tablet;
use crate::testing::*;
use lamplight_domain::chain::{Hash, body_hash};
use lamplight_domain::ids::{AuthorId, StayId, WardId};
use lamplight_domain::kinds::{Event, RecordsMissing};
use lamplight_domain::record::Auth;
use lamplight_domain::time::{HOUR_MS, Ms};
use lamplight_domain::wire::FeedFrom;
use std::sync::Arc;
use uuid::Uuid;

const DAY_MS: i64 = 24 * HOUR_MS;

fn server() -> FakeFacility {
    let server = FakeFacility::default();
    *lock(&server.0) = State { time: START.0, generation: 1, ..State::default() };
    server
}

/// A ward with one patient on Q15, as the server's feed tells it.
fn told(dir: &std::path::Path, clock: &Arc<HandClock>, server: &FakeFacility) -> Tablet {
    for (n, event) in (0xCE00..).zip(census()) {
        lock(&server.0).add(AuthorId(Uuid::nil()), (n - 0xCDFF) as u64, &foreign(n, event, START - 60_000));
    }
    joined(dir, clock, 1)
}

async fn sync(tablet: &Tablet, server: &FakeFacility) {
    let mut report = Default::default();
    tablet.0.sync_once(server, &mut report, true).await.unwrap();
}

fn record(tablet: &Tablet, count: usize) -> Vec<Hash> {
    let one = |_| {
        let saved = tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap();
        let body = tablet.0.records.read(|from| bodies::own_by_id(from, saved.record)).unwrap().unwrap();
        body_hash(&body)
    };
    (0..count).map(one).collect()
}

fn pass(clock: &HandClock, server: &FakeFacility, ms: i64) {
    clock.pass(ms);
    lock(&server.0).time += ms;
}

/// The server says that it was backed up so long ago.
fn back_up(server: &FakeFacility, ago_ms: i64) {
    let mut state = lock(&server.0);
    state.backed_up = Some(Ms(state.time) - ago_ms);
}

fn held(tablet: &Tablet, hashes: &[Hash]) -> usize {
    let is_held = |hash: &&Hash| tablet.0.records.read(|from| bodies::is_held(from, hash)).unwrap();
    hashes.iter().filter(is_held).count()
}

/// Twenty checks on the first day, two a month later, all confirmed; the server says that it is backed up.
async fn month(clock: &Arc<HandClock>, server: &FakeFacility, dir: &std::path::Path) -> (Tablet, Vec<Hash>, Vec<Hash>) {
    let tablet = told(dir, clock, server);
    sync(&tablet, server).await;
    let old = record(&tablet, 20);
    sync(&tablet, server).await;
    let new = a_month_later(&tablet, clock, server).await;
    (tablet, old, new)
}

/// Two checks, confirmed; the server says that it is backed up.
async fn a_month_later(tablet: &Tablet, clock: &Arc<HandClock>, server: &FakeFacility) -> Vec<Hash> {
    pass(clock, server, 31 * DAY_MS);
    let new = record(tablet, 2);
    back_up(server, HOUR_MS);
    sync(tablet, server).await;
    new
}

#[tokio::test]
async fn only_what_is_old_and_backed_up_goes_and_every_link_stays() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let (tablet, old, new) = month(&clock, &server, dir.path()).await;
    let links = |tablet: &Tablet| {
        let author = tablet.sync_state().author.unwrap();
        tablet.0.records.read(|from| links::head(from, author)).unwrap()
    };
    let before = links(&tablet);
    assert!(tablet.prune().unwrap() > 0);
    // The newest two stand beside six of the old ones: the stay's last eight checks.
    assert_eq!((held(&tablet, &old), held(&tablet, &new)), (6, 2));
    assert_eq!(links(&tablet), before);
    assert_eq!(tablet.prune().unwrap(), 0, "and that was all of it");
    drop(tablet);
    let tablet = open(dir.path(), &clock);
    assert_eq!((links(&tablet), tablet.sync_state().waiting), (before, 0));
    let board = tablet.board().unwrap();
    assert_eq!(board.cards.len(), 1, "the patient, the bed and the level are a month old and stand");
    assert_eq!(board.cards[0].level, "Q15");
}

#[tokio::test]
async fn nothing_goes_that_the_server_has_not_backed_up_or_not_received() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = told(dir.path(), &clock, &server);
    sync(&tablet, &server).await;
    let sent = record(&tablet, 20);
    sync(&tablet, &server).await;
    pass(&clock, &server, 31 * DAY_MS);
    sync(&tablet, &server).await;
    assert_eq!(tablet.prune().unwrap(), 0, "no backup is known");
    lock(&server.0).backed_up = Some(START - 1);
    // The mark is stored with the next page, or within a minute.
    pass(&clock, &server, 2 * 60_000);
    sync(&tablet, &server).await;
    let mark = tablet.0.records.read(|from| feeds::backed_up(from, ward())).unwrap();
    assert_eq!(mark, Some(START - 1));
    assert_eq!(tablet.prune().unwrap(), 0, "it was received after the backup");
    assert_eq!(held(&tablet, &sent), 20);
    let waiting = record(&tablet, 1);
    clock.pass(40 * DAY_MS);
    back_up(&server, 0);
    let mut report = Default::default();
    lock(&server.0).cut_after = Some(0);
    assert!(tablet.0.sync_once(&server, &mut report, true).await.is_err());
    assert_eq!(tablet.prune().unwrap(), 0, "a clock that ran ahead makes nothing old, nor does a mark not heard");
    assert_eq!(held(&tablet, &waiting), 1);
}

#[tokio::test]
async fn a_stay_that_is_over_goes_whole_or_not_at_all() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = told(dir.path(), &clock, &server);
    let closed = foreign(0xCE10, Event::StayClosed { reason: String::new() }, START);
    lock(&server.0).add(AuthorId(Uuid::nil()), 10, &closed);
    sync(&tablet, &server).await;
    pass(&clock, &server, 20 * DAY_MS);
    let late = foreign(0xCE11, Event::Concern { words: "told late".into() }, START + 20 * DAY_MS);
    lock(&server.0).add(AuthorId(Uuid::nil()), 11, &late);
    sync(&tablet, &server).await;
    pass(&clock, &server, 20 * DAY_MS);
    back_up(&server, 0);
    sync(&tablet, &server).await;
    tablet.prune().unwrap();
    assert_eq!(held(&tablet, &[body_hash(&closed), body_hash(&late)]), 2, "one of its records is 20 days old");
    pass(&clock, &server, 11 * DAY_MS);
    back_up(&server, 0);
    sync(&tablet, &server).await;
    tablet.prune().unwrap();
    assert_eq!(held(&tablet, &[body_hash(&closed), body_hash(&late)]), 0);
    drop(tablet);
    assert!(open(dir.path(), &clock).board().unwrap().cards.is_empty());
}

#[tokio::test]
async fn a_batch_names_a_pruned_body_by_its_hash_and_a_server_that_has_it_takes_it() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let (tablet, _, _) = month(&clock, &server, dir.path()).await;
    let author = tablet.sync_state().author.unwrap();
    tablet.prune().unwrap();
    // It kept the bodies and lost the chain.
    lock(&server.0).chains.insert(author, vec![]);
    sync(&tablet, &server).await;
    assert_eq!((tablet.sync_state().waiting, tablet.sync_state().author), (0, Some(author)));
}

#[tokio::test]
async fn a_server_below_what_remains_gets_the_rest_and_the_missing_range_is_listed() {
    for cut_after in 0..12 {
        let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
        let tablet = told(dir.path(), &clock, &server);
        sync(&tablet, &server).await;
        let backup = lock(&server.0).clone();
        let old = record(&tablet, 20);
        sync(&tablet, &server).await;
        let new = a_month_later(&tablet, &clock, &server).await;
        let author = tablet.sync_state().author.unwrap();
        tablet.prune().unwrap();
        assert_eq!(held(&tablet, &old), 6);
        let time = lock(&server.0).time;
        *lock(&server.0) = State { generation: 2, time, ..backup };
        lock(&server.0).cut_after = Some(cut_after);
        let _ = tablet.0.sync_once(&server, &mut Default::default(), true).await;
        lock(&server.0).cut_after = None;
        drop(tablet);
        let tablet = open(dir.path(), &clock);
        sync(&tablet, &server).await;
        sync(&tablet, &server).await;
        assert_eq!(tablet.sync_state().waiting, 0, "cut after {cut_after}");
        assert_ne!(tablet.sync_state().author, Some(author));
        let state = lock(&server.0).clone();
        for hash in old.iter().skip(14).chain(&new) {
            assert_eq!(state.feed.iter().filter(|row| row.1 == *hash).count(), 1, "cut after {cut_after}");
        }
        let trouble = tablet.status().troubles.into_iter().find(|t| t.code == "sync.missing").unwrap();
        assert!(trouble.what.contains("14 entries") && trouble.what.contains(&author.to_string()), "{}", trouble.what);
        let missing = missing_on_record(&state);
        assert_eq!(missing.len(), 1, "on record once, cut after {cut_after}");
        let numbers = missing[0].ranges.iter().map(|(first, last)| last - first + 1).sum::<u64>();
        assert_eq!((missing[0].author, missing[0].count, numbers), (author, 14, 14));
    }
}

/// Nobody sends a former author's links, so no server ever asks for their bodies.
#[tokio::test]
async fn what_a_former_author_wrote_and_nobody_holds_any_more_is_listed_too() {
    for cut_after in 0..12 {
        let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
        let tablet = told(dir.path(), &clock, &server);
        sync(&tablet, &server).await;
        let backup = lock(&server.0).clone();
        let author = tablet.sync_state().author.unwrap();
        let old = record(&tablet, 20);
        sync(&tablet, &server).await;
        tablet.0.take_fresh_author(&tablet.0.identity().unwrap()).unwrap();
        drop(tablet);
        let tablet = open(dir.path(), &clock);
        sync(&tablet, &server).await;
        assert_ne!(tablet.sync_state().author, Some(author));
        let new = a_month_later(&tablet, &clock, &server).await;
        tablet.prune().unwrap();
        assert_eq!(held(&tablet, &old), 6);
        // The same old backup, twice.
        for generation in 2..4 {
            let time = lock(&server.0).time;
            *lock(&server.0) = State { generation, time, ..backup.clone() };
            lock(&server.0).cut_after = Some(cut_after);
            let _ = tablet.0.sync_once(&server, &mut Default::default(), true).await;
            lock(&server.0).cut_after = None;
            sync(&tablet, &server).await;
            sync(&tablet, &server).await;
            assert_eq!(tablet.sync_state().waiting, 0, "cut after {cut_after}");
            let state = lock(&server.0).clone();
            for hash in old.iter().skip(14).chain(&new) {
                assert_eq!(state.feed.iter().filter(|row| row.1 == *hash).count(), 1, "cut after {cut_after}");
            }
            let missing = missing_on_record(&state);
            assert_eq!(missing.len(), 1, "on record once, cut after {cut_after}");
            assert_eq!((missing[0].author, missing[0].count), (author, 14));
        }
        assert!(tablet.status().troubles.iter().any(|t| t.code == "sync.missing" && t.what.contains("14 entries")));
    }
}

fn missing_on_record(state: &State) -> Vec<RecordsMissing> {
    let events = state.bodies.values().filter_map(|b| lamplight_domain::record::Body::parse(b).ok()?.event);
    events.filter_map(|e| if let Event::RecordsMissing(missing) = e { Some(missing) } else { None }).collect()
}

#[tokio::test]
async fn after_a_restore_nothing_goes_until_the_server_was_backed_up_once_more() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let (tablet, old, _) = month(&clock, &server, dir.path()).await;
    lock(&server.0).generation = 2;
    sync(&tablet, &server).await;
    sync(&tablet, &server).await;
    assert_eq!(tablet.prune().unwrap(), 0, "that backup may be of the server that is no more");
    assert_eq!(held(&tablet, &old), 20);
    pass(&clock, &server, HOUR_MS);
    back_up(&server, 0);
    sync(&tablet, &server).await;
    assert!(tablet.prune().unwrap() > 0);
}

#[tokio::test]
async fn a_pruning_that_is_under_way_ends_with_the_page_that_tells_of_a_restore() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let (tablet, old, _) = month(&clock, &server, dir.path()).await;
    let mark = |ward| tablet.0.records.read(move |from| feeds::backed_up(from, ward)).unwrap();
    let state = tablet.sync_state();
    let bounds = pruning::Bounds {
        before: START + DAY_MS,
        backed_up: mark(ward()).unwrap(),
        author: state.author.unwrap(),
        confirmed: state.confirmed,
    };
    let none = Default::default();
    let passing = |from: &rusqlite::Connection| pruning::passing(from, &bounds, &none, pruning::START, 7);
    let (first, next) = tablet.0.records.read(passing).unwrap();
    assert!(!first.is_empty() && next.is_some());
    assert_eq!(tablet.0.let_go(&first, ward()).unwrap(), first.len() as u64);
    // A ward that it was on before said how far the same server was backed up.
    let other = WardId(Uuid::from_u128(0x77));
    let said = |to: &rusqlite::Transaction<'_>| feeds::set(to, other, &FeedFrom::Opening, Some(bounds.backed_up));
    tablet.0.records.write(said).unwrap();
    lock(&server.0).generation = 2;
    tablet.0.pull_page(&server, 0, &mut None).await.unwrap();
    let (second, _) = tablet.0.records.read(passing).unwrap();
    assert!(!second.is_empty());
    assert_eq!(tablet.0.let_go(&second, ward()).unwrap(), 0, "the restored server may lack these");
    assert_eq!(held(&tablet, &old), 20, "those that had gone came with its opening");
    assert_eq!(mark(other), None, "nor is that ward's word of this server");
}

#[tokio::test]
async fn a_backup_between_the_restore_and_the_offer_lets_nothing_go() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let (tablet, old, _) = month(&clock, &server, dir.path()).await;
    lock(&server.0).generation = 2;
    // It reads of the restore, and is away before it could offer anything; the backup is made meanwhile.
    tablet.0.pull_page(&server, 0, &mut None).await.unwrap();
    pass(&clock, &server, HOUR_MS);
    back_up(&server, 0);
    pass(&clock, &server, HOUR_MS);
    tablet.0.push_all(&server, &mut Default::default(), true).await.unwrap();
    tablet.0.pull_page(&server, 0, &mut None).await.unwrap();
    assert_eq!(tablet.prune().unwrap(), 0, "what was offered is in no backup yet");
    assert_eq!(held(&tablet, &old), 20);
    assert_eq!(tablet.prune().unwrap(), 0);
    pass(&clock, &server, HOUR_MS);
    back_up(&server, 0);
    sync(&tablet, &server).await;
    assert!(tablet.prune().unwrap() > 0);
}

#[tokio::test]
async fn the_file_does_not_grow_with_what_comes_after_a_pruning() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = told(dir.path(), &clock, &server);
    sync(&tablet, &server).await;
    let pages = |tablet: &Tablet, pragma: &str| -> i64 {
        tablet.0.records.look(|db| db.query_row(&format!("PRAGMA {pragma}"), (), |row| row.get(0))).unwrap()
    };
    let mut sizes = Vec::new();
    for _ in 0..4 {
        record(&tablet, 150);
        sync(&tablet, &server).await;
        pass(&clock, &server, 31 * DAY_MS);
        back_up(&server, 0);
        sync(&tablet, &server).await;
        assert!(tablet.prune().unwrap() > 100);
        sizes.push(pages(&tablet, "page_count") - pages(&tablet, "freelist_count"));
    }
    // Links and what the feed told stay; bodies are four fifths of what is written.
    let total = pages(&tablet, "page_count");
    assert!(total < 2 * sizes[0].max(60), "{total} pages after {sizes:?}");
}

#[tokio::test]
async fn a_day_that_is_not_kept_is_not_shown_as_one_on_which_nothing_was_done() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let (tablet, _, _) = month(&clock, &server, dir.path()).await;
    sign_in(&tablet, technician()).await;
    let first = START.date(chrono_tz::America::New_York).to_string();
    let whole = call_day(&tablet, &first).await;
    assert!(whole["totals"]["checks"].as_u64().unwrap() >= 20);
    assert!(!whole["remarks"].to_string().contains("not kept"));
    tablet.prune().unwrap();
    let pruned = call_day(&tablet, &first).await;
    assert!(pruned["remarks"].to_string().contains("not kept on this tablet"), "{}", pruned["remarks"]);
    assert_eq!(pruned["totals"]["gaps_late"], 0, "what is not kept is not late: it is not known");
}

async fn call_day(tablet: &Tablet, date: &str) -> serde_json::Value {
    call(tablet, "day", serde_json::json!({ "stay": stay(), "date": date })).await.unwrap()
}

#[tokio::test]
async fn what_was_before_the_opening_is_not_kept_either() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = told(dir.path(), &clock, &server);
    sync(&tablet, &server).await;
    sign_in(&tablet, technician()).await;
    // The patient came a minute before: all of that stay is here.
    let today = START.date(chrono_tz::America::New_York).to_string();
    assert!(!call_day(&tablet, &today).await["remarks"].to_string().contains("not kept"));
    // Out of touch for a week, then another generation: the opening leaves a hole.
    record(&tablet, 1);
    sync(&tablet, &server).await;
    pass(&clock, &server, 7 * DAY_MS);
    lock(&server.0).generation = 2;
    sync(&tablet, &server).await;
    sign_in(&tablet, technician()).await;
    let later = (START + 3 * DAY_MS).date(chrono_tz::America::New_York).to_string();
    let day = call_day(&tablet, &later).await;
    assert!(day["remarks"].to_string().contains("not kept on this tablet"), "{}", day["remarks"]);
    assert_eq!((&day["totals"]["gaps"], &day["totals"]["longest_gap_minutes"]), (&0.into(), &0.into()));
}

#[tokio::test]
async fn the_export_names_what_was_pruned() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let (tablet, old, _) = month(&clock, &server, dir.path()).await;
    let export = |tablet: &Tablet| {
        let mut out = Vec::new();
        let count = tablet.export(&mut out).unwrap();
        (count, String::from_utf8(out).unwrap())
    };
    let (before, _) = export(&tablet);
    tablet.prune().unwrap();
    let (after, text) = export(&tablet);
    assert_eq!(before, after, "a line each, kept or not");
    let pruned: Vec<&str> = text.lines().filter(|line| line.contains("\"pruned\":true")).collect();
    assert!(pruned.iter().any(|line| line.contains(&old[0].to_string())));
    let gone =
        tablet.0.records.read(|from| pruning::gone(from, tablet.sync_state().author.unwrap(), u64::MAX)).unwrap();
    assert!(gone.len() <= pruned.len() && !gone.is_empty());
}

/// An order of a stay that nobody has opened here.
#[tokio::test]
async fn what_cannot_be_placed_stays() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = told(dir.path(), &clock, &server);
    let mut bytes = foreign(0xCE20, census().pop().unwrap(), START);
    let other = StayId(Uuid::from_u128(0x52)).to_string();
    bytes = String::from_utf8(bytes).unwrap().replace(&stay().to_string(), &other).into_bytes();
    lock(&server.0).add(AuthorId(Uuid::nil()), 12, &bytes);
    sync(&tablet, &server).await;
    pass(&clock, &server, 40 * DAY_MS);
    back_up(&server, 0);
    sync(&tablet, &server).await;
    tablet.prune().unwrap();
    assert_eq!(held(&tablet, &[body_hash(&bytes)]), 1);
}
