//! Walks a demo round through the real window by itself and leaves a picture of every screen: for `make run` on a
//! machine without a display, and for `make pictures`.

use anyhow::{Context, Result};
use clap::Parser;
use lamplight_tablet::{Options, Tablet};
use lamplight_tests::cable::Cable;
use lamplight_tests::display::Display;
use lamplight_tests::facility::Facility;
use lamplight_tests::hands::{Hands, Person, people};
use lamplight_tests::page::{Page, id};
use lamplight_tests::programs;
use lamplight_tests::station::{self, Station};
use lamplight_tests::until::until;
use lamplight_tests::window::Window;
use serde_json::json;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "lamplight-walk", version, about = "Walks a demo round through the real window and takes pictures.")]
struct Walk {
    /// The tablet app [default: lamplight beside this program]
    #[arg(long)]
    app: Option<PathBuf>,
    /// The facility server [default: lamplight-server beside this program]
    #[arg(long)]
    server: Option<PathBuf>,
    /// Where the pictures go
    #[arg(long, default_value = "target/pictures")]
    pictures: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let walk = Walk::parse();
    // Whatever ends this ends what it started: everything is owned by the future that is dropped here.
    let done = tokio::select! {
        done = round(&walk) => done,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("stopped")),
        () = told_to_end() => Err(anyhow::anyhow!("stopped")),
    };
    match done {
        Ok(pictures) => {
            println!("{}", json!({ "pictures": pictures, "folder": walk.pictures }));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("lamplight-walk: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

const LANDSCAPE: (u32, u32) = (1280, 800);
const PORTRAIT: (u32, u32) = (800, 1280);

/// Takes pictures of one page, in both orientations or as it is.
struct Camera<'a> {
    page: &'a Page,
    dir: &'a Path,
    taken: &'a RefCell<Vec<String>>,
}

impl Camera<'_> {
    async fn both(&self, name: &str) -> Result<()> {
        for ((width, height), orientation) in [(PORTRAIT, "portrait"), (LANDSCAPE, "landscape")] {
            self.page.resize(width, height).await?;
            self.one(&format!("{name}-{orientation}")).await?;
        }
        Ok(())
    }

    async fn one(&self, name: &str) -> Result<()> {
        // The ring of the keyboard's focus is no part of a picture.
        self.page.run("document.activeElement?.blur(); return null", vec![]).await?;
        self.page.settled().await?;
        let file = format!("{name}.png");
        self.page.picture(&self.dir.join(&file)).await?;
        eprintln!("picture {file}");
        self.taken.borrow_mut().push(file);
        Ok(())
    }
}

async fn round(walk: &Walk) -> Result<Vec<String>> {
    let app = walk.app.clone().unwrap_or_else(|| programs::path("lamplight"));
    let server = walk.server.clone().unwrap_or_else(|| programs::path("lamplight-server"));
    let facility = Facility::demo_by(&server, &[])?;
    let cable = Cable::to(facility.address)?;
    let display = Display::start(&facility.logs())?;
    let invite = facility.invite(&cable.url(), 2)?;
    let second = Tablet::open(&facility.folder().join("second"), Options::default())?;
    second.join(&facility.invite(&facility.url(), 1)?, "W-8").await?;
    second.sync_now().await?;
    // A second tablet that stays in touch: the ward's board would be right to call a silent one not known.
    let running = InTouch::keep(&second);
    let people = people(&second, &facility).await?;
    let technician = people.iter().find(|p| p.role == "technician").context("the demo has no technician")?;
    let nurse = people.iter().find(|p| p.role != "technician" && !p.password.is_empty()).context("no nurse")?;

    let taken = RefCell::default();
    let window = Window::open(&app, &display, &facility.folder().join("window"), "walk").await?;
    let camera = Camera { page: &window.page, dir: &walk.pictures, taken: &taken };
    let hands = Hands { page: &window.page };

    hands.at("join").await?;
    camera.both("join").await?;
    hands.join(&invite, "W-7").await?;
    camera.both("night-locked").await?;
    hands.choose(technician).await?;
    hands.type_pin(if technician.pin == "904417" { "904418" } else { "904417" }).await?;
    window.page.text_that(&id("pin-message"), "that the PIN is wrong", |t| t.contains('▲')).await?;
    camera.both("night-pin-wrong").await?;
    let patients = second.board()?.cards.len();
    sign_in_after_a_wrong_pin(&hands, technician).await?;
    take_over(&hands, &camera, patients).await?;
    for theme in ["night", "day"] {
        hands.theme(theme).await?;
        screens(&hands, &camera, theme, &second).await?;
    }
    hands.theme("night").await?;
    offline_round(&hands, &camera, &cable, &second).await?;
    the_station(&facility, nurse, &walk.pictures, &taken).await?;
    hands.sign_in(technician).await?;
    hands.strip_that("that nothing waits", |online, waiting| online && waiting == 0).await?;
    hands.tap_to("emergency-0", "emergency").await?;
    camera.both("night-emergency-sent").await?;
    window.close().await?;
    running.stop().await?;
    facility.verify()?;
    Ok(taken.into_inner())
}

/// A tablet that syncs in the background until it is told to stop.
struct InTouch {
    tablet: Tablet,
    running: tokio::task::JoinHandle<()>,
}

impl InTouch {
    fn keep(tablet: &Tablet) -> InTouch {
        let tablet = tablet.clone();
        let running = tokio::spawn({
            let tablet = tablet.clone();
            async move { tablet.run().await }
        });
        InTouch { tablet, running }
    }

    async fn stop(self) -> Result<()> {
        self.tablet.stop();
        Ok(self.running.await?)
    }
}

/// A wrong PIN makes the next try wait a little: tries until the board opens.
async fn sign_in_after_a_wrong_pin(hands: &Hands<'_>, technician: &Person) -> Result<()> {
    for _ in 0..20 {
        hands.type_pin(&technician.pin).await?;
        let opened = lamplight_tests::until::within(std::time::Duration::from_secs(3), async || {
            hands.page.shows("body[data-screen=\"board\"]").await.then_some(())
        });
        if opened.await.is_some() {
            return Ok(());
        }
    }
    anyhow::bail!("the right PIN does not open the board: {}", hands.page.text(&id("pin-message")).await)
}

async fn take_over(hands: &Hands<'_>, camera: &Camera<'_>, patients: usize) -> Result<()> {
    hands.tap("take-over").await?;
    camera.both("night-take-over").await?;
    hands.page.type_in(&id("census-count"), &patients.to_string()).await?;
    hands.tap("take-over-confirm").await?;
    hands.page.see_gone("dialog[open]").await
}

/// Every screen of a signed-in technician with the network up.
async fn screens(hands: &Hands<'_>, camera: &Camera<'_>, theme: &str, second: &Tablet) -> Result<()> {
    let name = |screen: &str| format!("{theme}-{screen}");
    camera.both(&name("board")).await?;
    for order in ["place", "urgent"] {
        hands.tap(&format!("order-{order}")).await?;
        camera.both(&name(&format!("board-{order}"))).await?;
    }
    hands.tap("order-walking").await?;
    hands.tap("status-strip").await?;
    hands.page.see(&id("theme-day")).await?;
    camera.both(&name("status")).await?;
    hands.tap("close").await?;

    let board = second.board()?;
    let bed = board.next.and_then(|next| board.cards.iter().find(|c| c.stay == next)).or(board.cards.first());
    let bed = bed.context("nobody is on the ward")?.bed.clone();
    hands.open(&bed).await?;
    hands.tap("place-hallway").await?;
    camera.both(&name("pad")).await?;
    for (button, screen, taps, words) in [
        ("add-mood", "mood", &["source-patient", "mood-3", "affect-anxious"][..], "I can't sleep. The light."),
        ("add-behaviour", "behaviour", &["before-noise", "behaviour-shouting", "did-talked"][..], "Shouted at the TV."),
        ("add-concern", "concern", &[][..], "Gave away his shoes, says he will not need them."),
        ("add-note", "note", &[][..], "Asked for the chaplain."),
        ("not-done", "not_done", &["reason-alone"][..], ""),
    ] {
        hands.tap(button).await?;
        hands.at(screen).await?;
        for tap in taps {
            hands.tap(tap).await?;
        }
        if !words.is_empty() {
            hands.page.type_in(&id("words"), words).await?;
        }
        camera.both(&name(screen)).await?;
        // Said once, not once a theme;
        let saves = theme == "night" && matches!(screen, "mood" | "concern");
        hands.tap_to(if saves { "save" } else { "close" }, "pad").await?;
    }
    hands.tap("open-day").await?;
    hands.at("day").await?;
    camera.both(&name("day")).await?;
    hands.tap("close").await?;
    hands.tap("close").await?;
    hands.check(&bed, "hallway", "walking").await?;
    camera.both(&name("saved")).await
}

/// The network goes, the round goes on, help is honest, and the network comes back.
async fn offline_round(hands: &Hands<'_>, camera: &Camera<'_>, cable: &Cable, second: &Tablet) -> Result<()> {
    cable.cut();
    hands.strip_that("offline", |online, _| !online).await?;
    let board = second.board()?;
    let seen = [("bedroom", "eyes_closed"), ("day_room", "tv"), ("bedroom", "resting"), ("hallway", "walking")];
    let running = board.cards.iter().filter(|c| c.due_at.is_some());
    for (card, (place, activity)) in running.skip(1).take(8).zip(seen.iter().cycle()) {
        hands.check(&card.bed, place, activity).await?;
    }
    hands.undo().await?;
    camera.both("night-board-offline").await?;
    hands.tap_to("need-help", "emergency").await?;
    camera.both("night-emergency-offline").await?;
    hands.tap_to("end-emergency", "board").await?;
    hands.lock().await?;
    camera.both("night-locked-offline").await?;
    hands.tap_to("not-found", "emergency").await?;
    camera.both("night-emergency-locked").await?;
    hands.tap("close").await?;
    cable.restore();
    Ok(())
}

async fn the_station(facility: &Facility, nurse: &Person, dir: &Path, taken: &RefCell<Vec<String>>) -> Result<()> {
    let cable = Cable::to(facility.address)?;
    let station = Station::open(facility.folder()).await?;
    let camera = Camera { page: &station.page, dir, taken };
    station.page.resize(1440, 900).await?;
    station::visit(&station.page, &cable.url()).await?;
    camera.one("station-login").await?;
    station::log_in(&station.page, nurse).await?;
    for theme in ["day", "night"] {
        station::theme(&station.page, theme).await?;
        camera.one(&format!("{theme}-station-board")).await?;
        station.page.tap("[data-testid^=\"open-\"]").await?;
        station.page.see(&id("day")).await?;
        camera.one(&format!("{theme}-station-day")).await?;
        station.page.tap(&id("nav-tablets")).await?;
        station.page.see("[data-testid^=\"contact-\"]").await?;
        camera.one(&format!("{theme}-station-tablets")).await?;
        station.page.tap(&id("nav-join")).await?;
        station.page.tap(&id("make-invite")).await?;
        station.page.see(&id("invite-qr")).await?;
        camera.one(&format!("{theme}-station-invite")).await?;
        station.page.tap(&id("nav-board")).await?;
        station.page.see("[data-testid^=\"row-\"]").await?;
    }
    cable.cut();
    until("the page to say that it is stale", async || station.page.shows(&id("stale-banner")).await.then_some(()))
        .await;
    camera.one("night-station-stale").await
}
