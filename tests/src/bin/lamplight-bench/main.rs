//! The measures, each beside its limit in the same run: a table on stderr, one JSON object on stdout. They are read,
//! never asserted: a busy machine is no failure.

mod bare;
mod board;
mod commit;
mod copies;
mod footprint;
mod forty;
mod many;
mod offline;
mod people;
mod rows;
mod screen;
mod sim;
mod storm;
mod table;
mod template;
mod transport;
mod week;

use anyhow::Result;
use clap::Parser;
use footprint::Peaks;
use lamplight_domain::time::Ms;
use lamplight_tests::facility::Facility;
use std::path::PathBuf;
use std::process::ExitCode;
use table::{Measure, Table};

#[derive(Parser)]
#[command(
    name = "lamplight-bench",
    version,
    about = "Measures Lamplight, each figure beside its limit of the same run."
)]
struct Bench {
    /// Only the measures whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Entries of a week offline: 40 patients, 96 checks a day
    #[arg(long, default_value_t = 26_880)]
    week: usize,
    /// Tablets of the storm
    #[arg(long, default_value_t = 100)]
    storm: usize,
    /// Entries of each of them
    #[arg(long, default_value_t = 270)]
    entries: usize,
    /// Records of the big server
    #[arg(long, default_value_t = 1_000_000)]
    many: usize,
    /// Of them, entries of the tablet that has many
    #[arg(long, default_value_t = 200_000)]
    own: usize,
    /// Keep the figures here, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write the table into this document, between its two marks
    #[arg(long)]
    write: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let bench = Bench::parse();
    // reqwest asks for one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match measure(&bench).await.and_then(|table| keep(&bench, table)) {
        Ok(table) => {
            eprintln!("{table}");
            println!("{}", table.json());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("lamplight-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(bench: &Bench) -> Result<Table> {
    let mut table = Table::default();
    let facility = Facility::demo()?;
    let wanted = |name: &str| name.contains(&bench.only);
    if wanted("tap to durable twice") {
        note(&mut table, "tap to durable twice", commit::measure(&facility).await);
    }
    if wanted("second copy") {
        note(&mut table, "second copy", copies::measure(&facility));
    }
    if wanted("recording in a black hole") {
        note(&mut table, "recording in a black hole", offline::measure(&facility).await);
    }
    let mut peaks = Peaks::default();
    if wanted("a week offline") {
        note(&mut table, "a week offline", week::measure(bench.week, &mut peaks).await);
    }
    if wanted("TLS and signatures") {
        note(&mut table, "TLS and signatures", transport::measure(bench.week).await);
    }
    if wanted("storm") {
        note(&mut table, "storm", storm::measure(bench.storm, bench.entries, &mut peaks).await);
    }
    if wanted("many records") {
        note(&mut table, "many records", many::measure(bench.many / 10, bench.many, bench.own, &mut peaks).await);
    }
    if wanted("memory") {
        note(&mut table, "memory", Ok(peaks.rows()));
    }
    if wanted("board of 60 patients") {
        note(&mut table, "board of 60 patients", Ok(board::measure()));
    }
    if wanted("window") {
        // A ward of its own: tens of thousands of checks within minutes, as above, are no ward's evening.
        let facility = Facility::demo()?;
        note(&mut table, "window", people::measure(&facility).await);
        note(&mut table, "window", screen::measure(&facility).await);
    }
    if wanted("release size") {
        note(&mut table, "release size", Ok(footprint::sizes()));
    }
    Ok(table)
}

/// A ward of 40 with so many records behind it, served.
async fn forty_patients(records: usize) -> Result<Facility> {
    let folder = tempfile::Builder::new().prefix("lamplight-facility-").tempdir()?;
    let now = Ms(std::time::UNIX_EPOCH.elapsed()?.as_millis() as i64);
    forty::make(&folder.path().join("data"), records, now)?;
    Facility::of(folder)
}

/// The figures where they were asked for.
fn keep(bench: &Bench, table: Table) -> Result<Table> {
    if let Some(path) = &bench.json {
        std::fs::write(path, serde_json::to_vec_pretty(&table.json())?)?;
    }
    if let Some(path) = &bench.write {
        let text = std::fs::read_to_string(path)?;
        std::fs::write(path, table.in_document(&text)?)?;
    }
    Ok(table)
}

/// A measure that cannot be taken here is a line that says why.
fn note(table: &mut Table, name: &str, measured: Result<Vec<Measure>>) {
    match measured {
        Ok(rows) => rows.into_iter().for_each(|row| {
            eprintln!("{row}");
            table.rows.push(row);
        }),
        Err(error) => table.rows.push(Measure::not_taken(name, &format!("{error:#}"))),
    }
}
