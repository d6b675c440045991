//! The power goes after any call that changes the disk: of a tablet that is set up, joins, saves five entries, has them
//! confirmed and saves one more; of its server; of both.

use crate::house::{self, House, Notes, close, new_id, note, notes_at, notes_of, open};
use lamplight_tests::faults::disk::{Call, Watch};
use lamplight_tests::faults::plug::{Cut, Plug};
use lamplight_tests::faults::{dice, is_long, sample, seed};
use std::path::Path;

#[derive(Clone, Debug)]
enum Mark {
    Joined,
    /// Save was tapped.
    Tapped(String),
    /// "Saved" was shown.
    Saved(String),
    /// The server confirmed this entry, and the tablet showed it.
    Confirmed(String),
}

/// What happened on both disks, and what was shown meanwhile.
struct Story {
    _watch: Watch,
    house: House,
    invite: String,
    before: Plug,
    calls: Vec<Call>,
    /// After how many calls.
    marks: Vec<(usize, Mark)>,
    /// The very bytes of each entry, as a hash.
    bytes: Notes,
}

async fn story() -> Story {
    let watch = Watch::begin();
    let mut house = House::open().await;
    let invite = house.invite(&house.url(), 1).await;
    house.stop().await;
    let before = Plug::of(house.root.path()).unwrap();
    watch.write_down(house.root.path());
    house.serve(&house.data()).await;
    let mut marks = Vec::new();
    let tablet = open(&house.dir("tablet")).await.unwrap();
    tablet.join(&invite, "").await.unwrap();
    marks.push((watch.now(), Mark::Joined));
    let mut saved = Vec::new();
    for n in 0..6 {
        let id = new_id();
        marks.push((watch.now(), Mark::Tapped(id.to_string())));
        note(&tablet, id).await.unwrap();
        marks.push((watch.now(), Mark::Saved(id.to_string())));
        saved.push(id.to_string());
        if n == 4 {
            tablet.sync_now().await.unwrap();
            assert_eq!(tablet.sync_state().waiting, 0);
            marks.extend(saved.iter().map(|id| (watch.now(), Mark::Confirmed(id.clone()))));
        }
    }
    let bytes = notes_of(&tablet).await;
    let calls = watch.calls();
    close(tablet).await;
    house.stop().await;
    assert!(calls.len() > 60, "the story is on the disk: {} calls", calls.len());
    Story { _watch: watch, house, invite, before, calls, marks, bytes }
}

impl Story {
    /// Whose mark was shown before the power went.
    fn shown(&self, at: usize, pick: impl Fn(&Mark) -> Option<&String>) -> Vec<&String> {
        self.marks.iter().filter(|(after, _)| *after <= at).filter_map(|(_, mark)| pick(mark)).collect()
    }
    fn saved(&self, at: usize) -> Vec<&String> {
        self.shown(at, |mark| if let Mark::Saved(id) = mark { Some(id) } else { None })
    }
    fn tapped(&self, at: usize) -> Vec<&String> {
        self.shown(at, |mark| if let Mark::Tapped(id) = mark { Some(id) } else { None })
    }
    fn confirmed(&self, at: usize) -> Vec<&String> {
        self.shown(at, |mark| if let Mark::Confirmed(id) = mark { Some(id) } else { None })
    }
    fn is_joined(&self, at: usize) -> bool {
        self.marks.iter().any(|(after, mark)| *after <= at && matches!(mark, Mark::Joined))
    }

    /// The folder of one machine after the power went.
    fn pull(&self, plug: &Plug, cut: Cut, seed: u64, at: usize, machine: &str, to: &Path) {
        plug.pull(cut, &mut dice(seed, at as u64), &self.house.dir(machine), to).unwrap();
    }

    /// Everything shown as saved is there, byte for byte, once; nothing else is that nobody tapped.
    fn assert_holds(&self, notes: &Notes, at: usize, why: &str) {
        for id in self.saved(at) {
            assert_eq!(notes.get(id), self.bytes.get(id), "{why}: {id} was shown as saved");
        }
        let tapped = self.tapped(at);
        for id in notes.keys().filter(|id| self.bytes.contains_key(*id)) {
            assert!(tapped.contains(&id), "{why}: nobody has saved {id} yet");
            assert_eq!(notes.get(id), self.bytes.get(id), "{why}: {id}");
        }
    }
}

/// Which cuts are tried after a call.
fn cuts(at: usize) -> Vec<Cut> {
    if is_long() || at.is_multiple_of(3) { vec![Cut::AllLost, Cut::Torn] } else { vec![Cut::AllLost] }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_after_any_call_of_a_tablet_costs_nothing_that_was_shown_as_saved() {
    let seed = seed();
    let story = story().await;
    let tablet_dir = story.house.dir("tablet");
    let mut plug = story.before.clone();
    let mut tried = 0;
    for at in 0..=story.calls.len() {
        if at > 0 {
            plug.take(&story.calls[at - 1]);
        }
        // A call of the server changes nothing on the tablet's disk, but what was shown since does.
        let is_last = at == story.calls.len() || story.marks.iter().any(|(after, _)| *after == at);
        let is_own = at.checked_sub(1).is_none_or(|n| story.calls[n].path().starts_with(&tablet_dir));
        if !is_own && !is_last {
            continue;
        }
        for cut in cuts(at) {
            let why = format!(
                "seed {seed}, cut after call {at} ({cut:?}): {:?}",
                at.checked_sub(1).map(|n| brief(&story.calls[n]))
            );
            let image = house::folder();
            let dir = image.path().join("tablet");
            story.pull(&plug, cut, seed, at, "tablet", &dir);
            let tablet = open(&dir).await.unwrap_or_else(|refusal| panic!("{why}: {refusal}"));
            let is_joined = tablet.sync_state().author.is_some();
            assert!(is_joined || !story.is_joined(at), "{why}: it forgot that it had joined");
            if is_joined {
                story.assert_holds(&notes_of(&tablet).await, at, &why);
                let next = new_id();
                match note(&tablet, next).await {
                    // The power went before it had read its ward.
                    Err(refusal) if refusal.code == "stay.unknown" && !story.is_joined(at) => {}
                    Err(refusal) => panic!("{why}: {refusal}"),
                    Ok(()) => assert!(notes_of(&tablet).await.contains_key(&next.to_string()), "{why}"),
                }
                let confirmed = story.confirmed(at).len() as u64;
                assert!(tablet.sync_state().waiting <= tablet.sync_state().head - confirmed, "{why}");
            }
            tried += 1;
            close(tablet).await;
        }
    }
    println!("{tried} power cuts");
    assert!(tried > 60, "{tried}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_power_cut_either_of_the_two_copies_holds_what_was_shown_as_saved_without_the_other() {
    let seed = seed();
    let story = story().await;
    let saved_at: Vec<usize> =
        story.marks.iter().filter(|(_, mark)| matches!(mark, Mark::Saved(_))).map(|(at, _)| *at).collect();
    let mut plug = story.before.clone();
    for at in 1..=story.calls.len() {
        plug.take(&story.calls[at - 1]);
        if !saved_at.contains(&at) {
            continue;
        }
        for lost in ["second-copy", "records.db-wal", "records.db"] {
            let why = format!("seed {seed}, cut after call {at}, and {lost} is gone too");
            let image = house::folder();
            let dir = image.path().join("tablet");
            story.pull(&plug, Cut::AllLost, seed, at, "tablet", &dir);
            std::fs::remove_file(dir.join(lost)).unwrap_or_else(|e| panic!("{why}: {e}"));
            let tablet = open(&dir).await.unwrap_or_else(|refusal| panic!("{why}: {refusal}"));
            let notes = notes_of(&tablet).await;
            // What was confirmed comes back from the server where the records file is lost.
            let confirmed = if lost == "second-copy" { vec![] } else { story.confirmed(at) };
            for id in story.saved(at).into_iter().filter(|id| !confirmed.contains(id)) {
                assert_eq!(notes.get(id), story.bytes.get(id), "{why}: {id}");
            }
            close(tablet).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_copy_that_is_begun_anew_holds_what_waits_without_the_records_file() {
    let watch = Watch::begin();
    let house = House::open().await;
    let tablet = house.tablet("tablet").await;
    let ids: Vec<String> = (0..3).map(|_| new_id()).map(|id| id.to_string()).collect();
    for id in &ids {
        note(&tablet, id.parse().unwrap()).await.unwrap();
    }
    close(tablet).await;
    let dir = house.dir("tablet");
    // The power went in the middle of an append: what is there cannot be gone on with.
    let path = dir.join("second-copy");
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[end + 100] = 1;
    std::fs::write(&path, bytes).unwrap();
    let mut plug = Plug::of(house.root.path()).unwrap();
    watch.write_down(&dir);
    let tablet = open(&dir).await.unwrap();
    let calls = watch.calls();
    close(tablet).await;
    let renamed = calls.iter().any(|call| matches!(call, Call::Rename { to, .. } if *to == path));
    assert!(renamed, "it was begun anew");
    calls.iter().for_each(|call| plug.take(call));
    let image = house::folder();
    let dir = image.path().join("tablet");
    plug.pull(Cut::AllLost, &mut dice(0, 0), &house.dir("tablet"), &dir).unwrap();
    std::fs::remove_file(dir.join("records.db")).unwrap();
    let tablet = open(&dir).await.unwrap();
    let notes = notes_of(&tablet).await;
    assert!(ids.iter().all(|id| notes.contains_key(id)), "{notes:?}");
    close(tablet).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_after_any_call_of_the_server_loses_nothing_that_it_gave_a_receipt_for() {
    let seed = seed();
    let story = story().await;
    let data = story.house.data();
    let mut plug = story.before.clone();
    for at in 0..=story.calls.len() {
        if at > 0 {
            plug.take(&story.calls[at - 1]);
        }
        let is_last = at == story.calls.len() || story.marks.iter().any(|(after, _)| *after == at);
        if at > 0 && !story.calls[at - 1].path().starts_with(&data) && !is_last {
            continue;
        }
        for cut in cuts(at) {
            let why = format!("seed {seed}, cut after call {at} ({cut:?})");
            let image = house::folder();
            let dir = image.path().join("server");
            story.pull(&plug, cut, seed, at, "server", &dir);
            let notes = notes_at(&dir).await;
            for id in story.confirmed(at) {
                assert_eq!(notes.get(id), story.bytes.get(id), "{why}: {id} was confirmed");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_power_cut_of_both_machines_everything_drains_by_itself_and_once() {
    let seed = seed();
    let mut story = story().await;
    let places = sample(story.calls.len() + 1, 24);
    let mut plug = story.before.clone();
    for at in 0..=story.calls.len() {
        if at > 0 {
            plug.take(&story.calls[at - 1]);
        }
        if !places.contains(&at) {
            continue;
        }
        let cut = if at.is_multiple_of(2) { Cut::AllLost } else { Cut::Torn };
        let why = format!("seed {seed}, cut after call {at} ({cut:?})");
        let image = house::folder();
        let (tablet_dir, data) = (image.path().join("tablet"), image.path().join("server"));
        story.pull(&plug, cut, seed, at, "tablet", &tablet_dir);
        story.pull(&plug, cut, seed.wrapping_add(1), at, "server", &data);
        story.house.serve(&data).await;
        let tablet = open(&tablet_dir).await.unwrap_or_else(|refusal| panic!("{why}: {refusal}"));
        if tablet.sync_state().author.is_none() {
            // Its key is durable before the server hears of it: the one invite that there is still lets it in.
            tablet.join(&story.invite, "").await.unwrap_or_else(|refusal| panic!("{why}: {refusal}"));
        }
        if !story.is_joined(at) {
            tablet.sync_now().await.unwrap_or_else(|trouble| panic!("{why}: {trouble}"));
        }
        let next = new_id();
        note(&tablet, next).await.unwrap_or_else(|refusal| panic!("{why}: {refusal}"));
        // The second turn sends what the first one brought about.
        for _ in 0..2 {
            tablet.sync_now().await.unwrap_or_else(|trouble| panic!("{why}: {trouble}"));
        }
        assert_eq!(tablet.sync_state().waiting, 0, "{why}");
        let held = notes_of(&tablet).await;
        close(tablet).await;
        story.house.stop().await;
        let server = notes_at(&data).await;
        assert_eq!(held, server, "{why}: both hold the same");
        story.assert_holds(&server, at, &why);
        assert_eq!(server.get(&next.to_string()).map(Vec::len), Some(1), "{why}");
    }
}

fn brief(call: &Call) -> String {
    match call {
        Call::Write { path, at, bytes } => format!("write of {} bytes at {at} to {}", bytes.len(), path.display()),
        other => format!("{other:?}"),
    }
}
