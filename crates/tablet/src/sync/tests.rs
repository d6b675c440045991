//! Push, confirmation, fork and feed against a facility in memory, through losses and lies.

use super::fake::{FakeFacility, State};
use super::*;
use crate::file::{bodies, feeds};
use crate::testing::*;
use lamplight_domain::chain::{Hash, SigningKey, Succession, body_hash};
use lamplight_domain::ids::AuthorId;
use lamplight_domain::time::{HOUR_MS, Ms};
use lamplight_domain::wire::{
    Batch, FeedAsk, FeedFrom, FeedPage, HelloAnswer, JoinAsk, Joined, OfferAnswer, OfferAsk, PushAnswer,
};
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

fn server() -> FakeFacility {
    let server = FakeFacility::default();
    *lock(&server.0) = State { time: START.0, generation: 1, ..State::default() };
    server
}

async fn sync(tablet: &Tablet, server: &FakeFacility) -> Result<SyncReport, Trouble> {
    let mut report = SyncReport::default();
    tablet.0.sync_once(server, &mut report, true).await.map(|()| report)
}

fn record(tablet: &Tablet, count: usize) -> Vec<Hash> {
    let one = |_| {
        let saved = tablet.record(technician(), Auth::Pin, Some(stay()), None, check(), None).unwrap();
        let body = tablet.0.records.read(|from| bodies::own_by_id(from, saved.record)).unwrap().unwrap();
        body_hash(&body)
    };
    (0..count).map(one).collect()
}

fn holds_once(server: &FakeFacility, hashes: &[Hash]) {
    let state = lock(&server.0);
    for hash in hashes {
        assert_eq!(state.feed.iter().filter(|row| row.1 == *hash).count(), 1, "exactly once");
    }
}

#[tokio::test]
async fn what_waits_is_sent_and_confirmed_and_not_sent_again() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    let saved = record(&tablet, 5);
    assert_eq!(tablet.sync_state().confirmed, 0);
    sync(&tablet, &server).await.unwrap();
    let state = tablet.sync_state();
    // Five checks and one clock measurement.
    assert_eq!((state.head, state.confirmed, state.waiting), (6, 6, 0));
    holds_once(&server, &saved);
    lock(&server.0).batches.clear();
    sync(&tablet, &server).await.unwrap();
    assert_eq!(lock(&server.0).batches, [(7, 0, false)], "only asks where the chain stands");
}

#[tokio::test]
async fn a_lost_answer_is_met_by_asking_again_and_doubles_nothing() {
    for cut_after in 0..8 {
        let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
        let tablet = with_patient(dir.path(), &clock, 1);
        let saved = record(&tablet, 3);
        lock(&server.0).cut_after = Some(cut_after);
        let _ = sync(&tablet, &server).await;
        lock(&server.0).cut_after = None;
        sync(&tablet, &server).await.unwrap();
        assert_eq!(tablet.sync_state().waiting, 0, "cut after {cut_after}");
        holds_once(&server, &saved);
    }
}

#[tokio::test]
async fn nothing_is_confirmed_by_a_receipt_that_does_not_hold() {
    let lies: [fn(&mut State); 2] = [|s| s.is_forger = true, |s| s.answers_old_requests = true];
    for lie in lies {
        let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
        let tablet = with_patient(dir.path(), &clock, 1);
        lie(&mut lock(&server.0));
        assert!(matches!(sync(&tablet, &server).await, Err(Trouble::NotTheServer(_))));
        assert_eq!(tablet.sync_state().confirmed, 0);
    }
}

#[tokio::test]
async fn an_answer_to_another_question_is_not_taken() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    record(&tablet, 2);
    sync(&tablet, &server).await.unwrap();
    lock(&server.0).answers_old_requests = true;
    let ward = ward();
    let stands = || tablet.0.records.read(|from| feeds::next(from, ward)).unwrap();
    let before = stands();
    assert!(matches!(tablet.listen_over(&server).await, Err(Trouble::NotTheServer(_))));
    assert_eq!(stands(), before, "a page that was kept by a proxy moves no cursor");
    let hash = lamplight_domain::chain::body_hash(b"held here");
    let offered = tablet.0.offer(&server, &[hash]).await;
    assert!(matches!(offered, Err(Trouble::NotTheServer(_))), "nor does an old answer say what the server holds");
}

#[tokio::test]
async fn a_server_that_went_back_gets_again_what_it_lost() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    let mut saved = record(&tablet, 3);
    sync(&tablet, &server).await.unwrap();
    let backup = lock(&server.0).clone();
    saved.extend(record(&tablet, 4));
    sync(&tablet, &server).await.unwrap();
    *lock(&server.0) = backup;
    sync(&tablet, &server).await.unwrap();
    assert_eq!(tablet.sync_state().waiting, 0);
    holds_once(&server, &saved);
}

#[tokio::test]
async fn a_backlog_of_long_ago_does_not_stay_in_memory_once_it_was_sent() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    let saved = record(&tablet, 60);
    let in_memory = || tablet.0.known().records.len();
    assert!(in_memory() >= 60);
    clock.pass(3 * 24 * HOUR_MS);
    lock(&server.0).time += 3 * 24 * HOUR_MS;
    sync(&tablet, &server).await.unwrap();
    holds_once(&server, &saved);
    assert!(in_memory() < 30, "{} records", in_memory());
    assert!(tablet.export(&mut std::io::sink()).unwrap() >= 60, "the file keeps all");
}

#[tokio::test]
async fn what_was_lost_goes_in_batches_that_end_where_a_receipt_can_show_its_time() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    let mut heads = Vec::new();
    for count in [5, 6] {
        record(&tablet, count);
        sync(&tablet, &server).await.unwrap();
        heads.push(tablet.sync_state().confirmed);
    }
    record(&tablet, 1);
    let [first, second] = heads[..] else { unreachable!() };
    // As after a server that went back to nothing said so.
    tablet.0.confirm(tablet.sync_state().author.unwrap(), 0);
    let batch = |most: u64| {
        let batch = tablet.0.next_batch(most as usize, false).unwrap().batch;
        (batch.bodies.len() as u64, batch.header.receipt.map(|r| r.head.seq))
    };
    assert_eq!(batch(second - 1), (first, Some(first)), "the second receipt is about what comes after");
    assert_eq!(batch(second), (second, Some(second)));
    assert_eq!(batch(1_000), (second + 1, Some(second)), "what was never received goes along");
    assert_eq!(batch(first - 1), (first - 1, Some(second)), "it shows at least that they were lost");
}

#[tokio::test]
async fn a_server_that_forgot_the_tablet_is_told_who_it_is() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    let saved = record(&tablet, 3);
    sync(&tablet, &server).await.unwrap();
    *lock(&server.0) = State { time: START.0, generation: 7, ..State::default() };
    sync(&tablet, &server).await.unwrap();
    assert_eq!(tablet.sync_state().waiting, 0);
    holds_once(&server, &saved);
}

#[tokio::test]
async fn two_clones_lose_nothing_and_double_nothing() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (clock, server) = (HandClock::new(), server());
    let first = with_patient(one.path(), &clock, 1);
    let mut saved = record(&first, 2);
    sync(&first, &server).await.unwrap();
    drop(first);
    copy(one.path(), two.path());
    let (first, second) = (open(one.path(), &clock), open(two.path(), &clock));
    saved.extend(record(&first, 2));
    saved.extend(record(&second, 3));
    for _ in 0..2 {
        sync(&first, &server).await.unwrap();
        sync(&second, &server).await.unwrap();
    }
    assert_ne!(first.sync_state().author, second.sync_state().author, "a fork gets a new author");
    assert_eq!((first.sync_state().waiting, second.sync_state().waiting), (0, 0));
    holds_once(&server, &saved);
    assert!(second.status().troubles.iter().any(|t| t.code == "sync.fork"), "and a person is told");
}

/// A tablet that was copied while the first went on: its folder, itself, and the three entries that it made since. The
/// server holds another entry under its next number.
async fn forked(clock: &Arc<HandClock>, server: &FakeFacility) -> (TempDir, Tablet, Vec<Hash>) {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = with_patient(one.path(), clock, 1);
    sync(&first, server).await.unwrap();
    drop(first);
    copy(one.path(), two.path());
    let (first, second) = (open(one.path(), clock), open(two.path(), clock));
    record(&first, 1);
    let saved = record(&second, 3);
    sync(&first, server).await.unwrap();
    (two, second, saved)
}

#[tokio::test]
async fn a_healing_that_was_cut_goes_on_after_a_restart() {
    for cut_after in 1..9 {
        let (clock, server) = (HandClock::new(), server());
        let (dir, second, saved) = forked(&clock, &server).await;
        lock(&server.0).cut_after = Some(cut_after);
        let _ = sync(&second, &server).await;
        drop(second);
        lock(&server.0).cut_after = None;
        let second = open(dir.path(), &clock);
        sync(&second, &server).await.unwrap();
        assert_eq!(second.sync_state().waiting, 0, "cut after {cut_after}");
        holds_once(&server, &saved);
    }
}

/// The server is restored from a backup that it had made.
fn restore(server: &FakeFacility, backup: &State) {
    let generation = lock(&server.0).generation + 1;
    *lock(&server.0) = State { generation, ..backup.clone() };
}

#[tokio::test]
async fn a_restored_server_gets_back_what_a_tablet_that_is_gone_had_sent() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (clock, server) = (HandClock::new(), server());
    let (gone, tablet) = (with_patient(one.path(), &clock, 1), with_patient(two.path(), &clock, 2));
    let mut saved = record(&gone, 2);
    sync(&gone, &server).await.unwrap();
    let backup = lock(&server.0).clone();
    saved.extend(record(&gone, 3));
    sync(&gone, &server).await.unwrap();
    drop(gone);
    sync(&tablet, &server).await.unwrap();
    saved.extend(record(&tablet, 1));
    sync(&tablet, &server).await.unwrap();
    restore(&server, &backup);
    // Cut anywhere, it goes on.
    for cut_after in 0..6 {
        lock(&server.0).cut_after = Some(cut_after);
        let _ = sync(&tablet, &server).await;
    }
    lock(&server.0).cut_after = None;
    drop(tablet);
    let tablet = open(two.path(), &clock);
    sync(&tablet, &server).await.unwrap();
    sync(&tablet, &server).await.unwrap();
    assert_eq!(tablet.sync_state().waiting, 0);
    holds_once(&server, &saved);
    lock(&server.0).batches.clear();
    sync(&tablet, &server).await.unwrap();
    assert!(lock(&server.0).batches.iter().all(|(_, links, _)| *links == 0), "asked once, and then it is done");
}

#[tokio::test]
async fn a_restored_server_is_offered_at_once_what_a_tablet_holds_that_reads_from_the_opening() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    let author = AuthorId(Uuid::from_u128(0xC0));
    let backup = lock(&server.0).clone();
    let of_another = foreign(0xC1, check(), START - 60_000);
    lock(&server.0).add(author, 1, &of_another);
    sync(&tablet, &server).await.unwrap();
    restore(&server, &backup);
    // As where the file was begun anew.
    tablet.0.records.write(|to| crate::file::feeds::set(to, ward(), &FeedFrom::Opening, None)).unwrap();
    sync(&tablet, &server).await.unwrap();
    holds_once(&server, &[body_hash(&of_another)]);
}

#[tokio::test]
async fn what_is_backed_up_is_not_offered_and_an_older_backup_is_believed() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    let list = |mark| tablet.0.records.read(|from| bodies::not_received_before(from, mark)).unwrap();
    let first = record(&tablet, 1);
    sync(&tablet, &server).await.unwrap();
    lock(&server.0).time += 60_000;
    let second = record(&tablet, 1);
    sync(&tablet, &server).await.unwrap();
    let mark = Some(START + 30_000);
    assert!(!list(mark).contains(&first[0]) && list(mark).contains(&second[0]));
    assert!(list(None).contains(&first[0]));
    let third = record(&tablet, 1);
    assert!(list(Some(START + 90_000)).contains(&third[0]), "what was never received is never backed up");
}

fn damage(tablet: &Tablet) {
    let mut hand = lock(&tablet.0.pen);
    tablet.0.rebuild(&mut hand).unwrap();
}

#[tokio::test]
async fn two_damages_without_a_network_are_vouched_for_one_after_the_other() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    let mut saved = record(&tablet, 2);
    damage(&tablet);
    saved.extend(record(&tablet, 2));
    damage(&tablet);
    saved.extend(record(&tablet, 2));
    assert_eq!(tablet.sync_state().waiting, 6, "what waits is said also while it is mended");
    sync(&tablet, &server).await.unwrap();
    assert_eq!((tablet.sync_state().waiting, tablet.0.is_healing().unwrap()), (0, false));
    holds_once(&server, &saved);
}

#[tokio::test]
async fn a_server_that_forgot_the_authors_before_is_told_who_vouches() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    let mut saved = record(&tablet, 2);
    sync(&tablet, &server).await.unwrap();
    damage(&tablet);
    saved.extend(record(&tablet, 1));
    sync(&tablet, &server).await.unwrap();
    *lock(&server.0) = State { time: START.0, generation: 7, ..State::default() };
    saved.extend(record(&tablet, 1));
    sync(&tablet, &server).await.unwrap();
    assert_eq!(tablet.sync_state().waiting, 0);
    holds_once(&server, &saved[2..]);
}

#[tokio::test]
async fn a_healing_that_was_cut_before_it_had_a_fresh_author_goes_on() {
    let (clock, server) = (HandClock::new(), server());
    let (dir, second, saved) = forked(&clock, &server).await;
    // As a crash leaves it between the two steps of `take_fresh_author`.
    second.0.records.write(|to| crate::file::meta::set(to, crate::agree::HEALING, &true)).unwrap();
    drop(second);
    let second = open(dir.path(), &clock);
    sync(&second, &server).await.unwrap();
    assert_eq!((second.sync_state().waiting, second.0.is_healing().unwrap()), (0, false));
    holds_once(&server, &saved);
}

/// A server beside whose answer to a question about the feed something else happens.
struct Meanwhile<'a, F: Fn() + Sync>(&'a FakeFacility, F);

impl<F: Fn() + Sync> Facility for Meanwhile<'_, F> {
    async fn hello(&self) -> Result<HelloAnswer, Trouble> {
        self.0.hello().await
    }
    async fn join(&self, ask: JoinAsk) -> Result<Joined, Trouble> {
        self.0.join(ask).await
    }
    async fn push(&self, batch: Batch) -> Result<PushAnswer, Trouble> {
        self.0.push(batch).await
    }
    async fn feed(&self, ask: FeedAsk) -> Result<FeedPage, Trouble> {
        let page = self.0.feed(ask).await;
        (self.1)();
        page
    }
    async fn offer(&self, ask: OfferAsk) -> Result<OfferAnswer, Trouble> {
        self.0.offer(ask).await
    }
}

#[tokio::test]
async fn a_page_that_was_asked_for_before_the_file_was_begun_anew_is_not_its_next() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = joined(dir.path(), &clock, 1);
    let author = AuthorId(Uuid::from_u128(0xC0));
    for (n, event) in (1..).zip(census()) {
        lock(&server.0).add(author, n, &foreign(u128::from(n), event, START - 60_000));
    }
    sync(&tablet, &server).await.unwrap();
    lock(&server.0).add(author, 4, &foreign(4, check(), START));
    let pulled = tablet.0.pull_page(&Meanwhile(&server, || damage(&tablet)), 0, &mut None).await.unwrap();
    assert!(pulled.more && pulled.rows == 0);
    let next = tablet.0.records.read(|from| crate::file::feeds::next(from, ward())).unwrap();
    assert_eq!(next, FeedFrom::Opening, "the fresh file reads the feed from its opening");
    sync(&tablet, &server).await.unwrap();
    drop(tablet);
    assert_eq!(open(dir.path(), &clock).open_stays(), [stay()]);
}

#[tokio::test]
async fn what_a_restored_server_lost_stands_in_the_second_copy_again() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    sync(&tablet, &server).await.unwrap();
    let backup = lock(&server.0).clone();
    let lost = record(&tablet, 4);
    sync(&tablet, &server).await.unwrap();
    let in_copy = || {
        let found = crate::second_copy::read(dir.path(), &tablet.0.key).unwrap();
        found.links.into_iter().map(|(link, _)| link.body_hash).collect::<Vec<_>>()
    };
    {
        let mut hand = lock(&tablet.0.pen);
        let mut pen = hand.take().unwrap();
        pen.copy = tablet.0.begin_copy(&pen.head, pen.confirmed).unwrap();
        tablet.0.lay_down(&mut hand, pen);
    }
    assert_eq!(in_copy(), []);
    *lock(&server.0) = backup;
    // The answer tells that the server went back; nothing was sent again yet.
    lock(&server.0).cut_after = Some(2);
    let _ = sync(&tablet, &server).await;
    assert_eq!(tablet.sync_state().waiting, 4);
    assert_eq!(in_copy(), lost);
}

#[tokio::test]
async fn others_records_arrive_once_and_survive_a_restart() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = joined(dir.path(), &clock, 1);
    let author = AuthorId(Uuid::from_u128(0xC0));
    for (n, event) in (1..).zip(census()) {
        lock(&server.0).add(author, n, &foreign(u128::from(n), event, START - 60_000));
    }
    let pulled = sync(&tablet, &server).await.unwrap().pulled;
    assert_eq!(pulled, 4, "the census and its own clock measurement");
    assert_eq!(tablet.open_stays(), [stay()]);
    assert_eq!(sync(&tablet, &server).await.unwrap().pulled, 0);
    drop(tablet);
    assert_eq!(open(dir.path(), &clock).open_stays(), [stay()]);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_kept_counted_and_stops_nothing() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = joined(dir.path(), &clock, 1);
    let author = AuthorId(Uuid::from_u128(0xC0));
    lock(&server.0).add(author, 1, b"not a record at all");
    for (n, event) in (2..).zip(census()) {
        lock(&server.0).add(author, n, &foreign(u128::from(n), event, START - 60_000));
    }
    sync(&tablet, &server).await.unwrap();
    assert_eq!(tablet.open_stays(), [stay()]);
    assert!(tablet.status().troubles.iter().any(|t| t.code == "records.unreadable"));
    let kept = tablet.0.records.read(|from| bodies::bytes(from, &body_hash(b"not a record at all")));
    assert_eq!(kept.unwrap().as_deref(), Some(&b"not a record at all"[..]));
}

#[tokio::test]
async fn a_feed_that_does_not_follow_its_cursor_is_read_from_the_opening() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = joined(dir.path(), &clock, 1);
    let author = AuthorId(Uuid::from_u128(0xC0));
    lock(&server.0).add(author, 1, &foreign(1, census().remove(0), START));
    sync(&tablet, &server).await.unwrap();
    sync(&tablet, &server).await.unwrap();
    // The next row's hash is bent: page and cursor do not fit.
    lock(&server.0).add(author, 2, &foreign(2, census().remove(1), START));
    lock(&server.0).feed.last_mut().unwrap().2 = Hash([1; 32]);
    let pulled = tablet.0.pull_page(&server, 0, &mut None).await.unwrap();
    assert!(pulled.more && pulled.ask_heads && pulled.rows == 0);
    let next = tablet.0.records.read(|from| crate::file::feeds::next(from, ward())).unwrap();
    assert_eq!(next, FeedFrom::Opening);
}

#[tokio::test]
async fn offline_is_said_with_its_age_and_contact_ends_it() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    assert_eq!(tablet.status().words, "Not in touch with the station yet.");
    sync(&tablet, &server).await.unwrap();
    assert_eq!((tablet.status().words.as_str(), tablet.status().online), ("", true));
    tablet.0.failed(&Trouble::Unreachable(String::new()));
    record(&tablet, 2);
    let status = tablet.status();
    assert_eq!(status.words, "Offline since 02:47. Levels and other tablets' checks as of 02:47.");
    assert_eq!((status.waiting, status.waiting_words.as_str()), (2, "2 saved on this tablet, waiting for the station"));
    drop(tablet);
    let again = open(dir.path(), &clock);
    assert_eq!(again.status().words, status.words, "the age is known after a restart");
}

#[tokio::test]
async fn a_wrong_clock_is_marked_and_refused_nothing() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = with_patient(dir.path(), &clock, 1);
    sync(&tablet, &server).await.unwrap();
    clock.set_wall(Ms(0));
    record(&tablet, 1);
    sync(&tablet, &server).await.unwrap();
    let state = tablet.sync_state();
    assert_eq!((state.waiting, state.clock_error_ms), (0, Some(-START.0)));
    assert!(tablet.status().troubles.iter().any(|t| t.code == "clock.wrong"));
    let measured = tablet.0.records.read(|from| {
        from.query_row("SELECT count(*) FROM bodies WHERE kind = 'clock.measured'", (), |row| row.get::<_, i64>(0))
    });
    assert_eq!(measured.unwrap(), 2, "one at the first contact, one when it moved");
}

#[tokio::test]
async fn once_a_facilitys_next_key_is_known_the_former_one_confirms_nothing_and_what_it_signed_still_stands() {
    let (dir, clock, server) = (tempfile::tempdir().unwrap(), HandClock::new(), server());
    let tablet = joined(dir.path(), &clock, 1);
    let note = || {
        let event = lamplight_domain::kinds::Event::Note { words: "all quiet".to_owned() };
        tablet.record(technician(), Auth::Pin, None, None, event, None).unwrap();
    };
    note();
    sync(&tablet, &server).await.unwrap();
    let key = |n: u8| SigningKey::from_seed(&[n; 32]);
    let hello = |present: &SigningKey, successions: Vec<Succession>| HelloAnswer {
        protocol_min: 1,
        protocol_max: 1,
        facility: facility(),
        facility_key: present.public(),
        server_time: Ms(0),
        nonce: String::new(),
        successions,
    };
    let later = tablet.0.now().best() + 1_000_000;
    let first = Succession::sign(&facility_key(), facility(), &key(71), later);
    let second = Succession::sign(&key(71), facility(), &key(72), later + 1);
    let learn = |present: &SigningKey, all: Vec<Succession>| tablet.0.take_facility_key(&hello(present, all));
    assert!(learn(&key(72), vec![second.clone()]).is_err(), "nothing leads there from the key that is known");
    // Away across both.
    learn(&key(72), vec![first.clone(), second.clone()]).unwrap();
    assert!(learn(&facility_key(), vec![]).is_err() && learn(&key(71), vec![first]).is_err(), "never back");
    let before = tablet.sync_state().confirmed;
    note();
    assert!(matches!(sync(&tablet, &server).await, Err(Trouble::NotTheServer(_))), "it answers with the former key");
    assert_eq!(tablet.sync_state().confirmed, before);
    drop(tablet);
    assert_eq!(crate::verify(dir.path()).unwrap().broken, 0, "the receipts of the former key are good ones");
    let again = open(dir.path(), &clock);
    assert_eq!(again.0.identity().unwrap().facility_key, key(72).public(), "also after a restart");
}
