//! The real window: start to the locked screen, tap to painted row, memory.

use crate::footprint::memory;
use crate::table::{Measure, ms};
use anyhow::{Context, Result};
use lamplight_tablet::{Options, Tablet};
use lamplight_tests::display::Display;
use lamplight_tests::facility::Facility;
use lamplight_tests::hands::{Hands, people};
use lamplight_tests::programs;
use lamplight_tests::sim::load::percentile;
use lamplight_tests::window::{self, Window};
use std::time::{Duration, UNIX_EPOCH};

const STARTS: usize = 5;
/// Six rounds of the ward; the first taps after a start are slower, and are among them.
const TAPS: usize = 120;

pub async fn measure(facility: &Facility) -> Result<Vec<Measure>> {
    window::possible().map_err(anyhow::Error::msg)?;
    let app = programs::path("lamplight");
    let display = Display::start(&facility.logs())?;
    let folder = facility.folder().join("bench-window");
    let mut rows = Vec::new();

    let window = Window::open(&app, &display, &folder, "join").await?;
    Hands { page: &window.page }.join(&facility.invite(&facility.url(), 1)?, "W-9").await?;
    window.close().await?;
    let mut starts = Vec::new();
    for n in 0..STARTS {
        let window = Window::open(&app, &display, &folder, &format!("start-{n}")).await?;
        Hands { page: &window.page }.at("locked").await?;
        starts.push(painted_after_start(&window).await?);
        window.close().await?;
    }
    rows.push(
        Measure::new("window: start to the locked screen, p50", percentile(&mut starts, 50), "ms").goal(1_000.0).note(
            format!(
                "slowest {:.0}, of {STARTS}, warm; process start to the painted screen, seen through the driver",
                starts.last().map_or(0.0, |t| ms(*t))
            ),
        ),
    );

    let window = Window::open(&app, &display, &folder, "taps").await?;
    let hands = Hands { page: &window.page };
    let eyes = Tablet::open(&facility.folder().join("bench-eyes"), Options::default())?;
    eyes.join(&facility.invite(&facility.url(), 1)?, "").await?;
    eyes.sync_now().await?;
    let people = people(&eyes, facility).await?;
    hands.sign_in(people.iter().find(|p| p.role == "technician").context("no technician")?).await?;
    let beds: Vec<String> = eyes.board()?.cards.iter().filter(|c| c.due_at.is_some()).map(|c| c.bed.clone()).collect();
    let (mut taps, mut stood) = (Vec::new(), Vec::new());
    for bed in beds.iter().cycle().take(TAPS) {
        hands.open(bed).await?;
        hands.tap("place-bedroom").await?;
        hands.page.see_gone("body[data-dead]").await?;
        let took = window.page.run_async(TAP_TO_ROW, vec![]).await?;
        for (n, times) in [&mut stood, &mut taps].into_iter().enumerate() {
            times.push(Duration::from_secs_f64(took[n].as_f64().context("no time")? / 1000.0));
        }
    }
    let p95 = percentile(&mut taps, 95);
    let p50 = percentile(&mut taps, 50);
    let (stood, slowest) = (percentile(&mut stood, 50), percentile(&mut taps, 100));
    rows.push(Measure::new("window: tap to painted row, p95", p95, "ms").goal(100.0).note(format!(
        "p50 {p50:.0}, the board standing in the page after {stood:.0}; slowest {slowest:.0}; second tap of a check to the saved words, of {TAPS}"
    )));
    rows.push(
        Measure::new("window: memory of the app", memory(window.app_pid()), "MiB").note("PSS with WebKit's processes"),
    );
    if let Some(pid) = facility.pid() {
        rows.push(Measure::new("window: memory of the server", memory(pid), "MiB").note("PSS"));
    }
    window.close().await?;
    Ok(rows)
}

/// From the start of the process (to 10 ms) to the locked screen as painted, where WebKit tells when that was; else to
/// when the driver could first see it after two frames, which is later.
async fn painted_after_start(window: &Window) -> Result<Duration> {
    window.page.settled().await?;
    let painted = "const p = performance.getEntriesByName('first-contentful-paint')[0]; \
                   return p ? performance.timeOrigin + p.startTime : Date.now()";
    let painted = window.page.run(painted, vec![]).await?.as_f64().context("the page has no clock")?;
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", window.app_pid()))?;
    let (_, fields) = stat.rsplit_once(") ").context("no such process")?;
    let started_ticks: f64 = fields.split(' ').nth(19).context("no start time")?.parse()?;
    let uptime: f64 = std::fs::read_to_string("/proc/uptime")?.split(' ').next().context("no uptime")?.parse()?;
    let booted = UNIX_EPOCH.elapsed()?.as_secs_f64() - uptime;
    // 100 ticks a second on every Linux that this runs on.
    Ok(Duration::from_secs_f64((painted / 1000.0 - (booted + started_ticks / 100.0)).max(0.0)))
}

/// Taps the first activity and waits until the board with the saved words has been painted: ms until it stood in the
/// page, and until it was painted.
const TAP_TO_ROW: &str = "
    const done = arguments[arguments.length - 1];
    const begun = performance.now();
    const since = () => performance.now() - begun;
    const painted = () => {
      const stood = since();
      requestAnimationFrame(() => setTimeout(() => done([stood, since()])));
    };
    const said = () => document.querySelector('[data-testid=\"toast\"]')?.dataset.record;
    const before = said();
    const ready = () => document.body.dataset.screen === 'board' && said() !== undefined && said() !== before;
    const watch = new MutationObserver(() => { if (ready()) { watch.disconnect(); painted(); } });
    watch.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    document.querySelector('[data-testid=\"activity-resting\"]').click();";
