//! What must not grow with what lies behind: one entry of a tablet that holds 200,000, and the opening that a fresh
//! tablet takes from a server that holds a million.

use crate::bare::Bare;
use crate::footprint::Peaks;
use crate::table::{Measure, middle};
use crate::{forty, rows, sim, template};
use anyhow::{Context, Result};
use lamplight_domain::time::{HOUR_MS, Ms};
use lamplight_tablet::{Options, Tablet};
use lamplight_tests::cable::Cable;
use lamplight_tests::facility::Facility;
use lamplight_tests::sim::load::percentile;
use lamplight_tests::sim::tablet::Walk;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const DAY_MS: i64 = 24 * HOUR_MS;
/// Of the tablet's history: to two days before the template was made.
const TABLET_DAYS: i64 = 52;
const GOAL_TIMES: f64 = 2.0;
const ENTRY_GOAL_BYTES: f64 = 1_536.0;
const ROUNDS: usize = 8;
const A_ROUND: usize = 50;
/// Entries over whose traffic the bytes are counted.
const COUNTED: u64 = 20;
const OPENINGS: usize = 5;

fn now() -> Ms {
    Ms(std::time::UNIX_EPOCH.elapsed().map_or(0, |d| d.as_millis() as i64))
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A facility with `total` records, `own` of them by a tablet that is in `tablet` beside it.
async fn template(total: usize, own: usize) -> Result<PathBuf> {
    template::of(&format!("{total}-{own}"), async |folder| {
        let made = now();
        let ends = made - 2 * DAY_MS - if own > 0 { TABLET_DAYS * DAY_MS } else { 0 };
        forty::make(&folder.join("data"), total - own - forty::A_DAY, ends)?;
        std::fs::write(folder.join("made"), ends.0.to_string())?;
        if own == 0 {
            return Ok(());
        }
        let serving = tempfile::Builder::new().prefix("lamplight-making-").tempdir_in(&folder)?;
        std::fs::rename(folder.join("data"), serving.path().join("data"))?;
        let mut facility = Facility::at(serving, at(0))?;
        let tablet = folder.join("tablet");
        sim::tablet(&tablet, &["join", "--invite", &facility.invite(&facility.url(), 1)?])?;
        // In pieces: a process that records for weeks without an hour's rest is nobody's tablet.
        let (pieces, hours) = (8, (TABLET_DAYS * 24) as usize);
        for piece in 0..pieces {
            let count = (own / pieces).to_string();
            let from = (48 + hours - piece * hours / pieces).to_string();
            let to = (48 + hours - (piece + 1) * hours / pieces).to_string();
            let over = ["--from-hours-ago", &from, "--to-hours-ago", &to];
            sim::tablet(&tablet, &[&["record", "--count", &count], &over[..]].concat())?;
            sim::tablet(&tablet, &["sync"])?;
        }
        facility.stop()?;
        std::fs::write(folder.join("port"), facility.address.port().to_string())?;
        std::fs::rename(facility.data(), folder.join("data"))?;
        Ok(())
    })
    .await
}

/// A copy of a template with the last day's records in it, served on this port.
fn served(template: &Path, port: u16) -> Result<Facility> {
    let folder = tempfile::Builder::new().prefix("lamplight-facility-").tempdir()?;
    template::copy(template, folder.path())?;
    let now = now();
    forty::go_on(&folder.path().join("data"), template::made(template)?, now - DAY_MS, now)?;
    Facility::at(folder, at(port))
}

pub async fn measure(small: usize, big: usize, own: usize, peaks: &mut Peaks) -> Result<Vec<Measure>> {
    let mut rows = Vec::new();
    let big_template = template(big, own).await?;
    let small_template = template(small, 0).await?;
    let port: u16 = std::fs::read_to_string(big_template.join("port"))?.trim().parse()?;
    let mut facility = served(&big_template, port)?;
    rows.push(entry(&facility, own, peaks).await?);
    let opening_of_big = opening(&facility, peaks).await?;
    peaks.server("a million records", &facility);
    // The same once more over a cable, which counts.
    facility.stop()?;
    facility.address = at(0);
    facility.start()?;
    rows.extend(traffic(&facility, port).await?);
    drop(facility);
    let facility = served(&small_template, 0)?;
    let opening_of_small = opening(&facility, peaks).await?;
    let Opening { ours, bare, count } = opening_of_big;
    rows.push(
        Measure::new(&format!("opening of a 40-patient ward, of {big} records"), ours, "ms")
            .beside(bare, "reading and sending the same rows over TLS, one transaction, same tables")
            .within(GOAL_TIMES)
            .note(format!("{count} rows, the joining in it; middle of {OPENINGS}")),
    );
    rows.push(
        Measure::new(&format!("opening of a 40-patient ward, of {small} records"), opening_of_small.ours, "ms")
            .beside(opening_of_small.bare, "the same")
            .within(GOAL_TIMES)
            .note(format!(
                "{} rows; the bigger server takes {:.2} times as long",
                opening_of_small.count,
                ours / opening_of_small.ours
            )),
    );
    Ok(rows)
}

/// In rounds, ours and the bare one by turns: the disk is not the same from one second to the next.
async fn entry(facility: &Facility, own: usize, peaks: &mut Peaks) -> Result<Measure> {
    let tablet = facility.folder().join("tablet");
    let author = sim::tablet(&tablet, &["status"])?["author"].as_str().context("no author")?.to_owned();
    // What happened on the ward since is read before: here it is one entry's turn.
    sim::tablet(&tablet, &["sync"])?;
    let mut rows = rows::of_author(&forty::open(&facility.data())?, &author)?;
    rows.retain(|row| row.kind == "check");
    let rows = rows.split_off(rows.len() - ROUNDS * (A_ROUND + 1));
    let bare = Bare::serve(&facility.folder().join("bare-entry.db"), rows, 1)?;
    let client = bare.client()?;
    let (mut ours, mut bares) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let steady = sim::tablet(&tablet, &["steady", "--count", &A_ROUND.to_string()])?;
        peaks.tablet("one entry of 200,000", &steady);
        let each: Vec<f64> = serde_json::from_value(steady["each_ms"].clone()).context("no each_ms")?;
        ours.extend(each.into_iter().map(|ms| Duration::from_secs_f64(ms / 1000.0)));
        let first = round * (A_ROUND + 1);
        for n in first..=first + A_ROUND {
            let blobs = bare.rows(n..n + 1);
            let begun = Instant::now();
            client.send(&blobs, n, 1, true).await?;
            // As with ours: the first meets a connection that is not warm.
            if n > first {
                bares.push(begun.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let count = ours.len();
    Ok(Measure::new(&format!("one entry of a tablet with {own}, p50"), percentile(&mut ours, 50), "ms")
        .beside(percentile(&mut bares, 50), "one small POST with one commit, warm connection, same tables")
        .within(GOAL_TIMES)
        .note(format!(
            "saved to confirmed, warm; p99 {:.2}, bare {:.2}; {count} each, in {ROUNDS} rounds by turns",
            percentile(&mut ours, 99),
            percentile(&mut bares, 99)
        )))
}

/// What crosses the wire for one entry, TLS and all.
async fn traffic(facility: &Facility, port: u16) -> Result<Vec<Measure>> {
    let cable = Cable::at(at(port), facility.address)?;
    let tablet = Tablet::open(&facility.folder().join("tablet"), Options::default())?;
    let running = tokio::spawn({
        let tablet = tablet.clone();
        async move { tablet.run().await }
    });
    let walk = Walk::of(&tablet).await?;
    let confirmed = async || -> Result<()> {
        let mut changes = tablet.changes();
        while tablet.sync_state().waiting > 0 {
            tokio::time::timeout(Duration::from_secs(30), changes.changed()).await.context("not confirmed")??;
        }
        Ok(())
    };
    let seen = || (cable.round_trips(), cable.bytes_up(), cable.bytes_down());
    walk.check(&tablet, 0)?;
    confirmed().await?;
    // Until the contact has come to rest.
    let mut before = seen();
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        if seen() == before {
            break;
        }
        before = seen();
    }
    for n in 0..COUNTED {
        walk.check(&tablet, n as usize)?;
        confirmed().await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let after = seen();
    tablet.stop();
    running.await?;
    let each = |a: u64, b: u64| (a - b) as f64 / COUNTED as f64;
    let (trips, up, down) = (each(after.0, before.0), each(after.1, before.1), each(after.2, before.2));
    Ok(vec![
        Measure::new("one entry, round trips", trips, "").goal(1.0).note(format!("mean of {COUNTED}")),
        Measure::new("one entry, bytes both ways", up + down, "bytes")
            .goal(ENTRY_GOAL_BYTES)
            .note(format!("{up:.0} up, {down:.0} down: TCP payload, so HTTP heads and TLS records are in it")),
    ])
}

struct Opening {
    ours: f64,
    bare: f64,
    count: usize,
}

async fn opening(facility: &Facility, peaks: &mut Peaks) -> Result<Opening> {
    let invite = facility.invite(&facility.url(), OPENINGS as u32)?;
    let (mut ours, mut bares, mut count) = (Vec::new(), Vec::new(), 0);
    for turn in 0..OPENINGS {
        let dir = facility.folder().join(format!("fresh-{turn}"));
        let joined = sim::tablet(&dir, &["join", "--invite", &invite])?;
        peaks.tablet("the opening", &joined);
        ours.push(joined["took_ms"].as_f64().context("no took_ms")?);
        let source = forty::open(&facility.data())?;
        let rows = rows::of_hashes(&source, &held(&dir)?)?;
        let numbers: Vec<i64> = rows.iter().map(|row| row.n).collect();
        count = numbers.len();
        let bare = Bare::give(&facility.folder().join(format!("bare-give-{turn}.db")), source, numbers)?;
        let mut file = rows::tablet_file(&facility.folder().join(format!("bare-fresh-{turn}.db")))?;
        let begun = Instant::now();
        let blobs = bare.client()?.fetch().await?;
        let tx = file.transaction()?;
        for row in rows.iter().take(blobs.len()) {
            rows::feed_into_tablet_file(&tx, row)?;
        }
        tx.commit()?;
        bares.push(begun.elapsed().as_secs_f64() * 1000.0);
        anyhow::ensure!(blobs.len() == count, "the bare server gave {} of {count}", blobs.len());
    }
    Ok(Opening { ours: middle(&mut ours), bare: middle(&mut bares), count })
}

/// Hashes of all that a fresh tablet holds, as its export says, in the order in which it came.
fn held(dir: &Path) -> Result<Vec<String>> {
    let tablet = Tablet::open(dir, Options::default())?;
    let mut out = Vec::new();
    tablet.export(&mut out)?;
    let lines = lamplight_tests::facility::lines(&String::from_utf8(out)?)?;
    Ok(lines.iter().filter_map(|line| Some(line["hash"].as_str()?.to_owned())).collect())
}
