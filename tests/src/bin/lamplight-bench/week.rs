//! A week offline: what one tablet wrote on a ward of 40, sent when the network is back, until all is confirmed.
//! Beside it the same bodies, in the same batches, compressed, over TLS, into one transaction of a file with the same
//! tables.

use crate::bare::Bare;
use crate::footprint::Peaks;
use crate::table::{Measure, middle};
use crate::{forty, rows, sim};
use anyhow::{Context, Result};
use lamplight_domain::wire::BATCH_MAX_LINKS;
use lamplight_tests::facility::Facility;
use std::time::Instant;

/// Turns of both; the middle one counts.
const TURNS: usize = 3;
const HOURS: &str = "168";
const GOAL_TIMES: f64 = 2.0;
const GOAL_BYTES: f64 = 60.0;

pub async fn measure(entries: usize, peaks: &mut Peaks) -> Result<Vec<Measure>> {
    let (mut ours, mut whole, mut bares) = (Vec::new(), Vec::new(), Vec::new());
    let (mut sent, mut requests, mut bare_sent) = (0.0, 0.0, 0);
    for _ in 0..TURNS {
        // A ward of its own each time: nobody else has written a week's checks of the same patients.
        let facility = crate::forty_patients(forty::A_DAY).await?;
        let invite = facility.invite(&facility.url(), 1)?;
        let dir = facility.folder().join("week");
        let joined = sim::tablet(&dir, &["join", "--invite", &invite])?;
        let count = entries.to_string();
        let recorded = sim::tablet(&dir, &["record", "--count", &count, "--from-hours-ago", HOURS])?;
        let synced = sim::tablet(&dir, &["sync"])?;
        peaks.tablet("recording a week", &recorded);
        peaks.tablet("a week offline", &synced);
        let figure = |name: &str| synced[name].as_f64().with_context(|| format!("no {name} in {synced}"));
        ours.push(figure("confirmed_ms")?);
        whole.push(figure("took_ms")?);
        (sent, requests) = (figure("bytes_sent")?, figure("requests")?);
        let author = joined["author"].as_str().context("no author")?;
        let took = bare(&facility, author, entries).await?;
        bares.push(took.0);
        bare_sent = took.1;
        peaks.server("a week offline", &facility);
    }
    let (ours, whole, bare) = (middle(&mut ours), middle(&mut whole), middle(&mut bares));
    Ok(vec![
        Measure::new("a week offline, sent and confirmed", ours, "ms")
            .beside(bare, "compressed POSTs of the same batches over TLS into one transaction, same tables")
            .within(GOAL_TIMES)
            .note(format!(
                "{entries} entries, middle of {TURNS} turns; with the ward's feed read after it {whole:.0} ms and \
                 {requests} requests"
            )),
        Measure::new("a week offline, bytes sent an entry", sent / entries as f64, "bytes")
            .beside(bare_sent as f64 / entries as f64, "the bare POSTs' bodies")
            .goal(GOAL_BYTES)
            .note("bodies of all requests as sent, compressed"),
    ])
}

/// Milliseconds, and bytes of all bodies.
async fn bare(facility: &Facility, author: &str, entries: usize) -> Result<(f64, usize)> {
    let mut rows = rows::of_author(&forty::open(&facility.data())?, author)?;
    rows.truncate(entries);
    anyhow::ensure!(rows.len() == entries, "the server holds {} of {entries}", rows.len());
    let bare = Bare::serve(&facility.folder().join("bare-week.db"), rows, 1)?;
    let batches: Vec<_> = (0..entries)
        .step_by(BATCH_MAX_LINKS)
        .map(|first| (first, bare.rows(first..(first + BATCH_MAX_LINKS).min(entries))))
        .collect();
    let (begun, mut sent) = (Instant::now(), 0);
    let client = bare.client()?;
    for (first, blobs) in &batches {
        sent += client.send(blobs, *first, 1, first + blobs.len() == entries).await?;
    }
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    anyhow::ensure!(bare.held()? == entries, "the bare server does not hold all");
    Ok((took, sent))
}
