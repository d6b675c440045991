//! Recording while the network is a black hole: whatever the network does, a tap is answered.

use crate::commit::Bare;
use crate::table::{Measure, ms};
use anyhow::Result;
use lamplight_tests::cable::{Cable, Weather};
use lamplight_tests::facility::Facility;
use lamplight_tests::sim::load::percentile;
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
    let mut bare = Bare::create(&facility.folder().join("bare-offline.db"))?;
    let (mut times, mut bares) = (Vec::new(), Vec::new());
    for n in 0..CHECKS {
        let begun = Instant::now();
        walk.check(&tablet, n)?;
        times.push(begun.elapsed());
        let begun = Instant::now();
        bare.commit(n)?;
        bares.push(begun.elapsed());
        // Lets the sync that is under way have its turn between two taps.
        tokio::task::yield_now().await;
    }
    cable.restore();
    tablet.stop();
    running.await?;
    let p99 = percentile(&mut times, 99);
    let p50 = percentile(&mut times, 50);
    let slowest = times.last().map_or(0.0, |t| ms(*t));
    Ok(vec![
        Measure::new("recording in a black hole, p99", p99, "ms")
            .beside(percentile(&mut bares, 99), "one bare commit of body and link, in turns")
            .goal(GOAL_MS)
            .note(format!("p50 {p50:.2}, slowest {slowest:.1}, of {CHECKS}")),
    ])
}
