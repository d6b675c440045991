//! What TLS, HTTP and signed requests add to a week's backlog: the same tablet and the same server in this process, once
//! over HTTPS and once by calls. The calls compress nothing either, so what is said to be added is more than TLS and
//! signatures are.

use crate::forty;
use crate::table::{Measure, middle};
use anyhow::{Context, Result};
use lamplight_domain::time::Ms;
use lamplight_server::{Options, serve};
use lamplight_tests::facility::WARD;
use lamplight_tests::sim::tablet::{Road, open, record_over, sync_by};
use std::net::{Ipv4Addr, SocketAddr};

/// Turns of both; the middle one counts.
const TURNS: usize = 3;
const HOURS: u32 = 168;
/// Less than 30 % more.
const GOAL_TIMES: f64 = 1.3;

pub async fn measure(entries: usize) -> Result<Vec<Measure>> {
    let (mut encrypted, mut called) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        encrypted.push(confirmed(entries, true).await?);
        called.push(confirmed(entries, false).await?);
    }
    Ok(vec![
        Measure::new("TLS and signatures on a week, sent and confirmed", middle(&mut encrypted), "ms")
            .beside(
                middle(&mut called),
                "the same tablet and server by calls in one process: no TLS, HTTP, signatures, zstd",
            )
            .within(GOAL_TIMES)
            .note(format!("{entries} entries, middle of {TURNS} turns each, in turns")),
    ])
}

/// Milliseconds until a week that one tablet wrote was confirmed.
async fn confirmed(entries: usize, over_https: bool) -> Result<f64> {
    let folder = tempfile::Builder::new().prefix("lamplight-transport-").tempdir()?;
    let (data, dir) = (folder.path().join("data"), folder.path().join("tablet"));
    let now = Ms(std::time::UNIX_EPOCH.elapsed()?.as_millis() as i64);
    forty::make(&data, forty::A_DAY, now)?;
    let running = serve(&data, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Options::default()).await?;
    let invite = lamplight_server::invite(&data, WARD, &format!("https://{}", running.address), 1)?.to_string();
    let tablet = open(&dir)?;
    tablet.join(&invite, "").await?;
    drop(tablet);
    record_over(&dir, entries, HOURS, 0).await?;
    let tablet = open(&dir)?;
    let road = if over_https { Road::Https } else { Road::Calls(running.facility()) };
    let synced = sync_by(&tablet, road).await?;
    drop(tablet);
    running.stop().await;
    synced["confirmed_ms"].as_f64().with_context(|| format!("not confirmed: {synced}"))
}
