//! Recording while the network is a black hole: whatever the network does, a tap is answered.

use crate::commit::row;
use crate::table::Measure;
use anyhow::Result;
use lamplight_tests::cable::{Cable, Weather};
use lamplight_tests::facility::Facility;
use lamplight_tests::sim::tablet::{Walk, join, open};
use std::time::Instant;

const CHECKS: usize = 500;
const GOAL_MS: f64 = 50.0;

pub async fn measure(facility: &Facility) -> Result<Vec<Measure>> {
    let cable = Cable::to(facility.address)?;
    let tablet = open(&facility.folder().join("offline"))?;
    join(&tablet, &facility.invite(&cable.url(), 1)?, "").await?;
    let walk = Walk::of(&tablet).await?;
    let running = tokio::spawn({
        let tablet = tablet.clone();
        async move { tablet.run().await }
    });
    cable.set(Weather::BlackHole);
    let mut times = Vec::new();
    for n in 0..CHECKS {
        let begun = Instant::now();
        walk.check(&tablet, n)?;
        times.push(begun.elapsed());
        // Lets the sync that is under way have its turn between two taps.
        tokio::task::yield_now().await;
    }
    cable.restore();
    tablet.stop();
    running.await?;
    Ok(vec![row("recording in a black hole, p99", &mut times, GOAL_MS)])
}
