//! Clocks that jump, stand at 1970 or 2038, or belong to another boot, and both nights in which the facility's clocks
//! change: nothing is refused, no time is rewritten, and everything drains.

use crate::house::{House, close, exported, new_id, note, notes_at};
use lamplight_domain::time::{Clocks, Ms};
use lamplight_tablet::{Clock, Options, Tablet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

const HOUR: i64 = 3_600_000;

/// Set by hand.
struct Hand(Mutex<Clocks>);

impl Clock for Hand {
    fn read(&self) -> Clocks {
        *self.0.lock().unwrap()
    }
}

fn true_now() -> i64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64
}

async fn open(dir: &Path, clock: &Arc<Hand>) -> Tablet {
    let (dir, clock) = (dir.to_owned(), clock.clone());
    let opened = move || {
        let mut options = Options::default();
        options.clock = clock;
        Tablet::open(&dir, options).unwrap()
    };
    tokio::task::spawn_blocking(opened).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_wrong_in_any_way_stops_nothing_and_no_time_is_rewritten() {
    let mut house = House::open().await;
    let now = true_now();
    let walls = [
        ("right", now),
        ("a day ahead", now + 24 * HOUR),
        ("a day behind", now - 24 * HOUR),
        ("1970", 5_000),
        ("before 1970", -86_400_000),
        ("2038", i64::from(i32::MAX) * 1_000 - 500),
        ("after 2038", i64::from(i32::MAX) * 1_000 + 500),
        // New York: 02:00 becomes 03:00 on 8 March 2026, 02:00 becomes 01:00 on 1 November 2026.
        ("before the 23-hour day", 1_772_953_199_000),
        ("after it", 1_772_953_201_000),
        ("01:30 for the first time", 1_793_511_000_000),
        ("01:30 for the second time", 1_793_514_600_000),
        ("right again", now + 60_000),
    ];
    let clock = Arc::new(Hand(Mutex::new(Clocks { wall: Ms(now), boot_id: Uuid::from_u128(1), boot_ms: 1_000 })));
    let dir = house.dir("tablet");
    let mut tablet = open(&dir, &clock).await;
    let invite = house.invite(&house.url(), 1).await;
    tablet.join(&invite, "").await.unwrap();
    let mut saved = Vec::new();
    for (n, (name, wall)) in walls.iter().enumerate() {
        {
            let mut clocks = clock.0.lock().unwrap();
            clocks.wall = Ms(*wall);
            clocks.boot_ms += 10_000;
        }
        if n % 3 == 2 {
            // Started again, after a boot of its own: the boot clock begins anew.
            close(tablet).await;
            *clock.0.lock().unwrap() =
                Clocks { wall: Ms(*wall), boot_id: Uuid::from_u128(2 + n as u128), boot_ms: 500 };
            tablet = open(&dir, &clock).await;
        }
        let id = new_id();
        note(&tablet, id).await.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        saved.push((id.to_string(), *wall));
        tablet.board().unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        tablet.sync_now().await.unwrap_or_else(|trouble| panic!("{name}: {trouble}"));
        assert_eq!(tablet.sync_state().waiting, 0, "{name}");
    }
    let lines = exported(&tablet).await;
    for (id, wall) in &saved {
        let line = lines.iter().find(|line| line["id"] == **id).unwrap();
        assert_eq!((line["recorded_at"].as_i64(), line["observed_at"].as_i64()), (Some(*wall), Some(*wall)), "{id}");
    }
    close(tablet).await;
    house.stop().await;
    let server = notes_at(&house.data()).await;
    assert!(saved.iter().all(|(id, _)| server.get(id).map(Vec::len) == Some(1)), "{server:?}");
    assert_eq!(server.len(), saved.len());
}
