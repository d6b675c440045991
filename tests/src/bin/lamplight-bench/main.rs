//! The measures, each beside its limit in the same run: a table on stderr, one JSON object on stdout. They are read,
//! never asserted: a busy machine is no failure.

mod backlog;
mod board;
mod commit;
mod copies;
mod footprint;
mod offline;
mod screen;
mod table;

use anyhow::Result;
use clap::Parser;
use lamplight_tests::facility::Facility;
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
    /// Entries of the backlog: a week of one ward
    #[arg(long, default_value_t = 26_880)]
    backlog: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    match measure(&Bench::parse()).await {
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
    if wanted("a week's backlog") {
        note(&mut table, "a week's backlog", backlog::measure(&facility, bench.backlog).await);
    }
    if wanted("board of 60 patients") {
        note(&mut table, "board of 60 patients", Ok(board::measure()));
    }
    if wanted("window") {
        // A ward of its own: tens of thousands of checks within minutes, as above, are no ward's evening.
        note(&mut table, "window", screen::measure(&Facility::demo()?).await);
    }
    if wanted("release size") {
        note(&mut table, "release size", Ok(footprint::sizes()));
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
