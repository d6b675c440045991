//! Tablets without a window. Each call prints one JSON object on stdout; a refusal goes to stderr, with exit code 1.

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use lamplight_tablet::{KeyStore, SecretService};
use lamplight_tests::memory;
use lamplight_tests::sim::key_store::FolderStore;
use lamplight_tests::sim::{load, tablet};
use serde_json::{Value, json};
use std::io::{BufWriter, Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Parser)]
#[command(name = "lamplight-sim", version, about = "Lamplight tablets without a window, for tests and demonstrations.")]
struct Sim {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// One tablet, whose file stays in a folder
    Tablet(OneTablet),
    /// Many tablets that join and send entries all at once
    Load {
        /// "lamplight:…", good for as many joinings as there are tablets
        #[arg(long)]
        invite: String,
        #[arg(long)]
        tablets: usize,
        /// How many checks each of them records and sends
        #[arg(long)]
        entries: usize,
    },
}

#[derive(Args)]
struct OneTablet {
    /// The tablet's folder; made when it is not there
    #[arg(long)]
    dir: PathBuf,
    /// A folder that stands for the machine's key store, which locks the tablet's key
    #[arg(long, global = true)]
    key_store: Option<PathBuf>,
    /// The machine's real key store locks the tablet's key
    #[arg(long, global = true, conflicts_with = "key_store")]
    secret_service: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Join a facility, and take in its ward
    Join {
        /// "lamplight:…"
        #[arg(long)]
        invite: String,
        /// "W-2"; the server chooses the next free one when it is left out
        #[arg(long, default_value = "")]
        name: String,
    },
    /// Record checks in walking order as a demo technician, with no network; a demo facility only
    Record {
        #[arg(long)]
        count: usize,
        /// Also print a line {"saved":ID} for each, as soon as it is durable
        #[arg(long)]
        each: bool,
        /// Spread over the time from so many hours ago, instead of all now; by a clock of its own
        #[arg(long)]
        from_hours_ago: Option<u32>,
        /// ... to so many hours ago
        #[arg(long, default_value_t = 0)]
        to_hours_ago: u32,
    },
    /// Record one check after another in contact with the server, each once the one before is confirmed
    Steady {
        #[arg(long)]
        count: usize,
    },
    /// Sign in with a PIN, as on the locked screen; the program's end locks again
    SignIn {
        #[arg(long)]
        staff: String,
        #[arg(long)]
        pin: String,
    },
    /// Send what waits and take what is new
    Sync,
    /// Let go of what is old, backed up at the server, and says nothing about how things stand
    Prune,
    /// Where its chain stands: author, head, confirmed, waiting, clock_error_ms
    Status,
    /// The ward as this tablet knows it
    Board,
    /// Every record that it holds, a line each; the last one also says what it can prove of the server
    Export,
    /// Check its chains, bodies, receipts and second copy, changing nothing; ends with 1 and what is broken
    Verify,
}

#[tokio::main]
async fn main() -> ExitCode {
    #[cfg(debug_assertions)]
    lamplight_tablet::failpoint::set_up();
    if let Err(refusal) = lamplight_tablet::core_dumps::off() {
        eprintln!("lamplight-sim: {refusal:#}");
        return ExitCode::FAILURE;
    }
    match answer(Sim::parse()).await {
        Ok((Some(value), code)) => say(&value).map_or(ExitCode::FAILURE, |()| code),
        Ok((None, code)) => code,
        Err(refusal) => {
            eprintln!("lamplight-sim: {refusal:#}");
            ExitCode::FAILURE
        }
    }
}

async fn answer(sim: Sim) -> Result<(Option<Value>, ExitCode)> {
    let OneTablet { dir, key_store, secret_service, verb } = match sim.what {
        What::Tablet(one) => one,
        What::Load { invite, tablets, entries } => {
            let dir = tempfile::Builder::new().prefix("lamplight-load-").tempdir()?;
            let load = load::load(dir.path(), &invite, tablets, entries).await?;
            let code = if load.errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            return Ok((Some(serde_json::to_value(load)?), code));
        }
    };
    if let Verb::Record { count, from_hours_ago: Some(from), to_hours_ago: to, .. } = verb {
        let mut value = tablet::record_over(&dir, count, from, to).await?;
        value["peak_kib"] = memory::peak_kib().into();
        return Ok((Some(value), ExitCode::SUCCESS));
    }
    let it = || {
        let folder = |folder| Arc::new(FolderStore(folder)) as Arc<dyn KeyStore>;
        let machine = || Arc::new(SecretService::default()) as Arc<dyn KeyStore>;
        tablet::open_with(&dir, key_store.clone().map(folder).or_else(|| secret_service.then(machine)))
    };
    let mut value = match verb {
        Verb::Join { invite, name } => tablet::join(&it()?, &invite, &name).await?,
        Verb::Steady { count } => tablet::steady(&it()?, count).await?,
        Verb::Record { count, each, .. } => {
            let (it, mut failed) = (it()?, None);
            let recorded = tablet::record(&it, count, |id| {
                if each && let Err(error) = say(&json!({ "saved": id })) {
                    failed.get_or_insert(error);
                }
            });
            let recorded = recorded.await?;
            if let Some(error) = failed {
                return Err(error.into());
            }
            recorded
        }
        Verb::SignIn { staff, pin } => it()?.call("sign_in", json!({ "staff": staff, "pin": pin })).await?,
        Verb::Sync => tablet::sync(&it()?).await?,
        Verb::Prune => json!({ "pruned": it()?.prune()? }),
        Verb::Status => tablet::status(&it()?)?,
        Verb::Board => tablet::board(&it()?)?,
        Verb::Verify => {
            let verified = tablet::verify(&dir)?;
            let code = if verified.broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
            return Ok((Some(serde_json::to_value(verified)?), code));
        }
        Verb::Export => {
            let mut out = BufWriter::new(stdout().lock());
            tablet::export(&it()?, &mut out)?;
            out.flush()?;
            return Ok((None, ExitCode::SUCCESS));
        }
    };
    value["peak_kib"] = memory::peak_kib().into();
    Ok((Some(value), ExitCode::SUCCESS))
}

fn say(value: &Value) -> std::io::Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{value}")?;
    out.flush()
}
