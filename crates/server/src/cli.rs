//! The command line: one JSON object a line on stdout, refusals on stderr.

use crate::commands;
use crate::facility::found_if_empty;
use crate::http::{Options, serve};
use crate::surroundings::Surroundings;
use chrono::DateTime;
use clap::{Parser, Subcommand};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Ms;
use serde::Serialize;
use serde_json::json;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The facility server of Lamplight.
#[derive(Parser)]
#[command(name = "lamplight-server", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a facility with the demo ward in a new folder; prints the logins and PINs.
    Demo {
        #[arg(long)]
        data: PathBuf,
        /// The same people and history for the same number.
        #[arg(long, default_value_t = 7)]
        seed: u64,
        /// When the history ends, like 2026-11-22T02:47:00Z; now where it is not given.
        #[arg(long, value_parser = moment)]
        now: Option<Ms>,
    },
    /// Serve a facility's folder until asked to stop; the first line says where. In an empty folder a facility is founded,
    /// and the line has the code by which its first administrator is made in the browser.
    Serve {
        #[arg(long)]
        data: PathBuf,
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// What tablets are told to call in invites from the station, where it is not the address of the page; the
        /// certificate names its host, for browsers.
        #[arg(long)]
        public_url: Option<String>,
        /// Serve a demo also where other machines reach it.
        #[arg(long)]
        demo_on_network: bool,
    },
    /// Make an invite for tablets of a ward.
    Invite {
        #[arg(long)]
        data: PathBuf,
        #[arg(long)]
        ward: String,
        /// The server's address as tablets reach it, like https://10.0.4.7:7443.
        #[arg(long)]
        url: String,
        /// How many tablets may join with it.
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// For how many minutes it is good.
        #[arg(long, default_value_t = commands::GOOD_FOR_MINUTES)]
        minutes: u32,
    },
    /// Move a tablet to another ward, or take it out of use, also while the facility is served.
    Tablet {
        #[arg(long)]
        data: PathBuf,
        #[command(subcommand)]
        what: OneTablet,
    },
    /// Open a copy of a tablet's folder whose own key is gone, with the facility's. Prints no key.
    Recover {
        #[arg(long)]
        data: PathBuf,
        /// The folder into which the tablet's folder was copied.
        #[arg(long)]
        tablet: PathBuf,
    },
    /// Put a key of the facility in another's place, while nobody serves the folder.
    Rotate {
        #[arg(long)]
        data: PathBuf,
        #[command(subcommand)]
        what: Rotate,
    },
    /// Walk every chain and compare it with what tablets saw; ends with 1 and every break by name.
    Verify {
        #[arg(long)]
        data: PathBuf,
        /// A tablet's export; may be given more than once.
        #[arg(long)]
        against: Vec<PathBuf>,
        /// Print what was found on stdout, as JSON, also where it is broken.
        #[arg(long)]
        json: bool,
    },
    /// Print every record, a line each.
    Export {
        #[arg(long)]
        data: PathBuf,
    },
    /// Print who did what that is no observation, a line of JSON each, oldest first.
    Audit {
        #[arg(long)]
        data: PathBuf,
        /// From then on, like 2026-11-22T02:47:00Z.
        #[arg(long, value_parser = moment)]
        from: Option<Ms>,
        /// Before then.
        #[arg(long, value_parser = moment)]
        to: Option<Ms>,
        /// Only this, like signed_in.
        #[arg(long)]
        act: Option<String>,
        /// Only what this person did, or what was done to them: a staff number, or an id.
        #[arg(long)]
        staff: Option<String>,
    },
    /// Copy a facility while it is served; the copy serves as it is.
    Backup {
        #[arg(long)]
        data: PathBuf,
        /// A new or an empty folder.
        #[arg(long)]
        to: PathBuf,
    },
}

#[derive(Subcommand)]
enum OneTablet {
    /// At its next contact it sends what it has and takes the new ward's board; nobody touches it.
    Move {
        /// "W-3"
        name: String,
        ward: String,
    },
    /// It may not read any more; what it still holds is taken and flagged.
    Revoke {
        /// "W-3"
        name: String,
        #[arg(long)]
        reason: String,
    },
}

#[derive(Subcommand)]
enum Rotate {
    /// The certificate authority: first tablets are told of the next one, then, with --finish, it issues.
    Authority {
        #[arg(long)]
        finish: bool,
    },
    /// What tablets seal their own keys to; the former ones stay for what was sealed to them.
    EncryptionKey,
    /// What the facility's own file is encrypted with. Each backup made before opens with the server.key that lies in it,
    /// and with no other: make one afterwards, and destroy those that nobody is to open any more.
    DatabaseKey,
    /// What receipts and tablets' credentials are signed with. Tablets are led to the fresh one, also after months; what
    /// the former one signed still stands. Put back no backup from before it.
    FacilityKey {
        /// A new or an empty folder: a backup with the fresh key is made there at once.
        #[arg(long)]
        backup: PathBuf,
    },
    /// What each tablet's files are encrypted with: at its first start after its next contact it takes a fresh key, which
    /// recover opens as the one before.
    TabletKeys,
}

fn moment(text: &str) -> Result<Ms, String> {
    match text.parse::<i64>() {
        Ok(ms) => Ok(Ms(ms)),
        Err(_) => DateTime::parse_from_rfc3339(text)
            .map(|t| Ms(t.timestamp_millis()))
            .map_err(|_| format!("{text} is not a moment like 2026-11-22T02:47:00Z")),
    }
}

fn print(line: &impl Serialize) -> Result<(), Refusal> {
    let mut out = std::io::stdout().lock();
    let text = serde_json::to_string(line).unwrap_or_default();
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(|e| {
        Refusal::new("output.closed", format!("Nothing can be written to stdout ({e})."), "Give the output a place.")
    })
}

impl Cli {
    pub fn run(self) -> Result<(), Refusal> {
        match self.command {
            Command::Demo { data, seed, now } => {
                let made = commands::make_demo(&data, seed, now)?;
                for p in &made.people {
                    print(&json!({
                        "name": p.name, "login": p.login, "role": p.role, "pin": p.pin, "password": p.password,
                    }))?;
                }
                print(&json!({
                    "demo": { "facility": made.facility, "ward": made.ward_name, "ward_id": made.ward,
                              "records": made.records },
                }))
            }
            Command::Serve { data, listen, public_url, demo_on_network } => {
                let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| {
                    Refusal::new("server.thread", format!("No threads could be started ({e})."), "Free some memory.")
                })?;
                let options = Options { public_url, demo_on_network, ..Options::default() };
                runtime.block_on(until_asked(data, listen, options))
            }
            Command::Invite { data, ward, url, uses, minutes } => {
                let invite = commands::invite_for(&data, &ward, &url, uses, minutes)?;
                print(&json!({ "invite": invite.to_string(), "expires_at": invite.expires_at }))
            }
            Command::Tablet { data, what } => {
                let tablet = match what {
                    OneTablet::Move { name, ward } => commands::move_tablet(&data, &name, &ward)?,
                    OneTablet::Revoke { name, reason } => commands::revoke_tablet(&data, &name, &reason)?,
                };
                print(
                    &json!({ "tablet": tablet.name, "id": tablet.id, "ward": tablet.ward, "revoked": tablet.revoked }),
                )
            }
            Command::Recover { data, tablet } => print(&commands::recover(&data, &tablet)?),
            Command::Rotate { data, what } => {
                let around = Surroundings::real();
                print(&match what {
                    Rotate::Authority { finish: false } => commands::begin_next_authority(&data, &around)?,
                    Rotate::Authority { finish: true } => commands::finish_next_authority(&data, &around)?,
                    Rotate::EncryptionKey => commands::rotate_encryption_key(&data, &around)?,
                    Rotate::DatabaseKey => commands::rotate_database_key(&data, &around)?,
                    Rotate::FacilityKey { backup } => commands::rotate_facility_key(&data, &backup, &around)?,
                    Rotate::TabletKeys => commands::renew_tablets(&data, &around)?,
                })
            }
            Command::Verify { data, against, json } => verify(&data, &against, json),
            Command::Export { data } => {
                let mut out = std::io::BufWriter::new(std::io::stdout().lock());
                commands::export(&data, &mut out).map(|_| ())
            }
            Command::Audit { data, from, to, act, staff } => {
                let mut out = std::io::BufWriter::new(std::io::stdout().lock());
                commands::audit(&data, &commands::Wanted { from, to, act, staff }, &mut out).map(|_| ())
            }
            Command::Backup { data, to } => print(&commands::backup(&data, &to)?),
        }
    }
}

fn verify(data: &Path, against: &[PathBuf], json: bool) -> Result<(), Refusal> {
    let verified = commands::examine(data, against)?;
    if json || verified.broken == 0 {
        print(&verified)?;
    } else {
        for finding in &verified.findings {
            eprintln!("[{}] {}", finding.code, finding.what);
        }
    }
    verified.or_refuse().map(|_| ())
}

/// Serves until SIGTERM or SIGINT.
async fn until_asked(data: PathBuf, listen: SocketAddr, options: Options) -> Result<(), Refusal> {
    use tokio::signal::unix::{SignalKind, signal};
    let no_signals = |e: std::io::Error| {
        Refusal::new("server.signals", format!("Signals cannot be heard ({e})."), "Start it in another environment.")
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    found_if_empty(&data, &Surroundings::real())?;
    let mut running = serve(&data, listen, options).await?;
    match running.set_up.take() {
        Some(code) => print(&json!({ "listening": running.url, "set_up": *code }))?,
        None => print(&json!({ "listening": running.url }))?,
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}
