//! Networks that break, lie, repeat and dawdle. After each: it drains by itself, once each; nothing was shown as
//! confirmed that the server does not hold; recording never waited for any of it.

use crate::front::{Front, Trick};
use crate::house::{self, House, Notes, close, confirmed_notes, new_id, note, notes_at, notes_of, open};
use lamplight_domain::wire::path;
use lamplight_tablet::Tablet;
use lamplight_tests::cable::{Cable, Weather};
use lamplight_tests::faults::{is_long, sample, seed};
use lamplight_tests::until::until;
use std::time::Duration;

async fn joined_by(house: &House, name: &str, url: &str) -> Tablet {
    let tablet = open(&house.dir(name)).await.unwrap();
    let invite = house.invite(url, 1).await;
    tablet.join(&invite, "").await.unwrap();
    tablet.sync_now().await.unwrap();
    tablet
}

async fn record(tablet: &Tablet, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let id = new_id();
        note(tablet, id).await.unwrap();
        ids.push(id.to_string());
    }
    ids
}

fn assert_once(server: &Notes, ids: &[String], why: &str) {
    for id in ids {
        assert_eq!(server.get(id).map(Vec::len), Some(1), "{why}: {id}");
    }
    assert_eq!(server.len(), ids.len(), "{why}: nothing else");
}

/// The bytes of one whole exchange over this cable: up, down.
async fn measured(cable: &Cable, work: impl AsyncFnOnce()) -> (usize, usize) {
    let before = (cable.bytes_up(), cable.bytes_down());
    work().await;
    ((cable.bytes_up() - before.0) as usize, (cable.bytes_down() - before.1) as usize)
}

fn cut(cable: &Cable, up: bool, at: usize) {
    if up { cable.cut_after(at as u32) } else { cable.cut_answers_after(at as u32) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_and_a_feed_that_are_cut_at_any_byte_either_way_are_made_good() {
    let seed = seed();
    let mut house = House::open().await;
    let cable = Cable::to(house.address).unwrap();
    let tablet = joined_by(&house, "tablet", &cable.url()).await;
    // The connection is opened anew after each cut: its handshake is part of it.
    cable.cut();
    cable.restore();
    let mut saved = record(&tablet, 3).await;
    let (up, down) = measured(&cable, async || assert_eq!(tablet.sync_now().await.unwrap().pushed, 3)).await;
    assert!(up > 500 && down > 500, "{up} up, {down} down");
    for (is_up, all) in [(true, up), (false, down)] {
        for at in sample(all, 40) {
            cable.cut();
            cable.restore();
            saved.extend(record(&tablet, 3).await);
            cut(&cable, is_up, at);
            let _ = tablet.sync_now().await;
            cable.restore();
            let why = format!("seed {seed}, cut after byte {at} {}", if is_up { "up" } else { "down" });
            tablet.sync_now().await.unwrap_or_else(|trouble| panic!("{why}: {trouble}"));
            assert_eq!(tablet.sync_state().waiting, 0, "{why}");
        }
    }
    let held = notes_of(&tablet).await;
    close(tablet).await;
    house.stop().await;
    let server = notes_at(&house.data()).await;
    assert_once(&server, &saved, "after all cuts");
    assert_eq!(held, server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_joining_whose_questions_are_cut_at_any_byte_is_asked_again_and_uses_one_invite() {
    joining_cut_at_any_byte(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_joining_whose_answers_are_cut_at_any_byte_is_asked_again_and_uses_one_invite() {
    joining_cut_at_any_byte(false).await;
}

/// Tablets of one facility in the long form: with thousands of them a joining is another one, and takes long.
const TABLETS: usize = 50;

async fn joining_cut_at_any_byte(is_up: bool) {
    let mut places: Option<Vec<usize>> = None;
    while places.as_ref().is_none_or(|left| !left.is_empty()) {
        let house = House::open().await;
        let cable = Cable::to(house.address).unwrap();
        let invite = house.invite(&cable.url(), 1).await;
        let first = open(&house.dir("first")).await.unwrap();
        let (up, down) = measured(&cable, async || first.join(&invite, "").await.unwrap()).await;
        close(first).await;
        let left = places.get_or_insert_with(|| sample(if is_up { up } else { down }, 20));
        let here: Vec<usize> = left.drain(..left.len().min(TABLETS)).collect();
        let mut joined = 1;
        for at in here {
            let folder = house::folder();
            let tablet = open(&folder.path().join("tablet")).await.unwrap();
            let invite = house.invite(&cable.url(), 1).await;
            cut(&cable, is_up, at);
            let cut_off = tablet.join(&invite, "").await;
            cable.restore();
            let why = format!("cut after byte {at}");
            if cut_off.is_err() {
                assert!(tablet.sync_state().author.is_none(), "{why}: it says that it has not joined");
                tablet.join(&invite, "").await.unwrap_or_else(|refusal| panic!("{why}: {refusal}"));
            }
            tablet.sync_now().await.unwrap_or_else(|trouble| panic!("{why}: {trouble}"));
            record(&tablet, 1).await;
            joined += 1;
            close(tablet).await;
        }
        assert_eq!(house.tablets(), joined, "every tablet is one, however often it asked");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_to_a_restored_server_that_is_cut_at_any_byte_is_made_again() {
    let mut house = House::open().await;
    let cable = Cable::to(house.address).unwrap();
    let tablet = joined_by(&house, "tablet", &cable.url()).await;
    let other = joined_by(&house, "other", &cable.url()).await;
    let backup = house.dir("backup");
    house.back_up(&backup).await;
    let mut saved = record(&other, 2).await;
    saved.extend(record(&tablet, 2).await);
    other.sync_now().await.unwrap();
    tablet.sync_now().await.unwrap();
    close(other).await;
    // What only the other one wrote is lost with the server, and comes back from this one.
    house.put_back(&backup).await;
    let (up, down) = measured(&cable, async || {
        tablet.sync_now().await.unwrap();
        tablet.sync_now().await.unwrap();
    })
    .await;
    let most = if is_long() { 300 } else { 8 };
    for (is_up, all) in [(true, up), (false, down)] {
        for at in (0..all).step_by((all / most).max(1)) {
            house.put_back(&backup).await;
            cut(&cable, is_up, at);
            let _ = tablet.sync_now().await;
            cable.restore();
            let why = format!("cut after byte {at} {}", if is_up { "up" } else { "down" });
            for _ in 0..2 {
                tablet.sync_now().await.unwrap_or_else(|trouble| panic!("{why}: {trouble}"));
            }
            assert_eq!(tablet.sync_state().waiting, 0, "{why}");
            house.stop().await;
            assert_once(&notes_at(&house.data()).await, &saved, &why);
            house.serve(&house.data()).await;
        }
    }
    close(tablet).await;
}

/// Tricks that are played before one facility in the long form: after each of them all that it holds is looked through.
const TRICKS: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_middle_box_that_lies_repeats_bends_or_forgets_gets_nothing_confirmed_and_nothing_doubled() {
    let mut tricks =
        vec![Trick::Html, Trick::Redirect, Trick::Busy, Trick::LoseAnswer, Trick::Twice, Trick::Stale, Trick::Reorder];
    let places: Vec<usize> = sample(if is_long() { 400 } else { 120 }, 8);
    tricks.extend(places.iter().flat_map(|n| [Trick::Truncate(*n), Trick::BendAnswer(*n), Trick::BendRequest(*n)]));
    let all: Vec<(&'static str, Trick)> =
        [path::PUSH, path::FEED].into_iter().flat_map(|of| tricks.iter().map(move |trick| (of, *trick))).collect();
    for some in all.chunks(TRICKS) {
        play_tricks(some).await;
    }
}

async fn play_tricks(tricks: &[(&'static str, Trick)]) {
    let seed = seed();
    let mut house = House::open().await;
    let front = Front::before(&house).await;
    let tablet = joined_by(&house, "tablet", &front.url()).await;
    let mut saved = record(&tablet, 1).await;
    tablet.sync_now().await.unwrap();
    for (of, trick) in tricks {
        let why = format!("seed {seed}: {trick:?} of {of}");
        saved.extend(record(&tablet, 2).await);
        front.play(of, *trick);
        let tricked = tablet.sync_now().await;
        if *trick == Trick::Reorder {
            let _ = tablet.sync_now().await;
        }
        assert!(front.play(of, Trick::Fair) > 0, "{why}: it was played");
        if matches!(trick, Trick::Html | Trick::Redirect | Trick::Busy | Trick::LoseAnswer) {
            assert!(tricked.is_err(), "{why}: {tricked:?}");
        }
        // Shown as confirmed only what is held, at that very moment.
        let confirmed = confirmed_notes(&tablet).await;
        let server = notes_at(&house.data()).await;
        assert!(confirmed.iter().all(|id| server.contains_key(id)), "{why}: confirmed and not held");
        record(&tablet, 1).await.into_iter().for_each(|id| saved.push(id));
        for _ in 0..2 {
            tablet.sync_now().await.unwrap_or_else(|trouble| panic!("{why}: {trouble}"));
        }
        assert_eq!(tablet.sync_state().waiting, 0, "{why}");
    }
    let held = notes_of(&tablet).await;
    close(tablet).await;
    house.stop().await;
    let server = notes_at(&house.data()).await;
    assert_once(&server, &saved, "after all tricks");
    assert_eq!(held, server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recording_answers_while_a_request_hangs_in_a_black_hole_or_dawdles() {
    let mut house = House::open().await;
    let cable = Cable::to(house.address).unwrap();
    let tablet = joined_by(&house, "tablet", &cable.url()).await;
    let mut saved = Vec::new();
    for weather in
        [Weather::BlackHole, Weather::Trickle(Duration::from_millis(2)), Weather::Slow(Duration::from_millis(50))]
    {
        saved.extend(record(&tablet, 1).await);
        let begun = cable.bytes_up();
        cable.set(weather.clone());
        let mut asking = tokio::spawn({
            let tablet = tablet.clone();
            async move { tablet.sync_now().await }
        });
        if weather == Weather::BlackHole {
            // Twenty entries are saved, one after the other, and the request hangs all the while.
            saved.extend(record(&tablet, 20).await);
            assert!(!asking.is_finished() && cable.bytes_up() == begun, "{weather:?}");
            assert!(tablet.sync_state().waiting >= 21, "the number waiting is true");
            cable.restore();
        } else {
            until("the first byte", async || (cable.bytes_up() > begun).then_some(())).await;
            saved.extend(record(&tablet, 5).await);
            cable.restore();
        }
        let _ = (&mut asking).await.unwrap();
        cable.restore();
        tablet.sync_now().await.unwrap();
        assert_eq!(tablet.sync_state().waiting, 0, "{weather:?}");
    }
    close(tablet).await;
    house.stop().await;
    assert_once(&notes_at(&house.data()).await, &saved, "after all weathers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_drains_by_itself_when_a_network_that_flaps_stays() {
    let mut house = House::open().await;
    let cable = Cable::to(house.address).unwrap();
    let tablet = joined_by(&house, "tablet", &cable.url()).await;
    let running = tokio::spawn({
        let tablet = tablet.clone();
        async move { tablet.run().await }
    });
    let mut saved = Vec::new();
    for n in 0..12_u32 {
        match n % 4 {
            0 => cable.cut(),
            1 => cable.set(Weather::LoginPage),
            2 => cable.set(Weather::BlackHole),
            _ => cable.cut_after(n * 97),
        }
        saved.extend(record(&tablet, 2).await);
        cable.restore();
    }
    until("all to be confirmed", async || (tablet.sync_state().waiting == 0).then_some(())).await;
    tablet.stop();
    running.await.unwrap();
    close(tablet).await;
    house.stop().await;
    assert_once(&notes_at(&house.data()).await, &saved, "after it flapped");
}
