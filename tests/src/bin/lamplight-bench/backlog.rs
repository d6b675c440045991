//! A week's backlog, sent when the network is back, against a bare compressed POST of the same records into one SQLite
//! transaction.

use crate::table::Measure;
use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use lamplight_domain::ids::{FacilityId, RecordId, StaffId, StayId, WardId};
use lamplight_domain::kinds::{Check, Event};
use lamplight_domain::record::{Auth, Body, Envelope};
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{Blob, decode, encode};
use lamplight_tests::facility::Facility;
use lamplight_tests::sim::tablet::{Walk, join, open};
use rusqlite::Connection;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use uuid::Uuid;

pub async fn measure(facility: &Facility, entries: usize) -> Result<Vec<Measure>> {
    let tablet = open(&facility.folder().join("backlog"))?;
    join(&tablet, &facility.invite(&facility.url(), 1)?, "").await?;
    let walk = Walk::of(&tablet).await?;
    for n in 0..entries {
        walk.check(&tablet, n)?;
    }
    let begun = Instant::now();
    let mut changes = tablet.changes();
    let syncing = tokio::spawn({
        let tablet = tablet.clone();
        async move { tablet.sync_now().await }
    });
    while tablet.sync_state().waiting > 0 && !syncing.is_finished() {
        // Every receipt is news.
        changes.changed().await?;
    }
    let ours = begun.elapsed().as_secs_f64();
    let report = syncing.await??;
    anyhow::ensure!(tablet.sync_state().waiting == 0, "the backlog was not confirmed");
    let (sent, requests, whole) = (report.bytes_sent, report.requests, begun.elapsed().as_secs_f64());
    let bodies = bodies(entries)?;
    let bytes: usize = bodies.iter().map(Vec::len).sum();
    let (bare, bare_sent) = bare_post(facility, bodies).await?;
    Ok(vec![
        Measure::new("a week's backlog, sent and confirmed", ours, "s")
            .beside(bare, "bare zstd POST into one SQLite transaction")
            .note(format!(
                "{entries} entries; also TLS, verified, chained, numbered in the feed; with the ward's feed read \
                 after it {whole:.2} s and {requests} requests"
            )),
        Measure::new("a week's backlog, bytes sent an entry", sent as f64 / entries as f64, "bytes")
            .beside(bare_sent as f64 / entries as f64, "one zstd frame of the same records")
            .note(format!("{} bytes an entry before compression", bytes / entries.max(1))),
    ])
}

/// Bodies of as many checks as the backlog has, with the same fields.
fn bodies(entries: usize) -> Result<Vec<Vec<u8>>> {
    let id = |n: u128| Uuid::from_u128(n);
    (0..entries)
        .map(|n| {
            let at = Ms(1_790_000_000_000 + n as i64 * 22_500);
            let envelope = Envelope {
                v: 1,
                id: RecordId(Uuid::now_v7()),
                kind: String::new(),
                kind_v: 0,
                facility: FacilityId(id(1 << 96)),
                ward: WardId(id(2 << 96)),
                stay: Some(StayId(id((3 << 96) + (n % 22) as u128))),
                by: Some(StaffId(id(4 << 96))),
                auth: Auth::Pin,
                tablet: None,
                observed_at: at,
                recorded_at: at,
                boot_id: Some(id(5 << 96)),
                boot_ms: Some(n as i64 * 22_500),
                order: Some(RecordId(id((6 << 96) + (n % 22) as u128))),
                list_v: Some(1),
            };
            let check = Check { place: "bedroom".into(), activity: "resting".into(), evidence: vec![] };
            Ok(Body::new(envelope, Event::Check(check)).to_bytes()?)
        })
        .collect()
}

type Sink = Arc<Mutex<Connection>>;

/// Seconds and bytes of one POST that is durable when it is answered, and nothing else: plain HTTP, no signature.
async fn bare_post(facility: &Facility, bodies: Vec<Vec<u8>>) -> Result<(f64, usize)> {
    let db = Connection::open(facility.folder().join("bare-backlog.db"))?;
    db.execute_batch(
        "PRAGMA key = \"x'00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'\";
         PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE row (n INTEGER NOT NULL PRIMARY KEY, body BLOB NOT NULL) STRICT;",
    )?;
    let sink: Sink = Arc::new(Mutex::new(db));
    let app = Router::new().route("/", post(take)).layer(DefaultBodyLimit::disable()).with_state(sink);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    // reqwest asks for one even where no TLS is spoken.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build()?;
    let count = bodies.len();
    let blobs: Vec<Blob> = bodies.into_iter().map(Blob::Bytes).collect();
    let begun = Instant::now();
    let frame = zstd::encode_all(encode(&"bare", &blobs).as_slice(), 3)?;
    let sent = frame.len();
    let answer = http.post(url).body(frame).send().await?.error_for_status()?.text().await?;
    let seconds = begun.elapsed().as_secs_f64();
    serving.abort();
    let held: usize = answer.parse().context("the bare server answers with a number")?;
    anyhow::ensure!(held == count, "the bare server holds {held} of {count}");
    Ok((seconds, sent))
}

async fn take(State(sink): State<Sink>, frame: Bytes) -> Result<String, String> {
    let stored = move || -> Result<usize> {
        let frame = zstd::decode_all(frame.as_ref())?;
        let (_, blobs): (String, _) = decode(&frame, usize::MAX)?;
        let mut db = sink.lock().expect("no thread panics with it");
        let transaction = db.transaction()?;
        for (n, blob) in blobs.iter().enumerate() {
            if let Blob::Bytes(body) = blob {
                transaction.prepare_cached("INSERT INTO row (n, body) VALUES (?1, ?2)")?.execute((n as i64, body))?;
            }
        }
        transaction.commit()?;
        Ok(blobs.len())
    };
    let stored = tokio::task::spawn_blocking(stored).await.map_err(|e| e.to_string())?;
    stored.map(|n| n.to_string()).map_err(|e| e.to_string())
}
