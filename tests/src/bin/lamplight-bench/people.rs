//! People and tablets in the real window: enrolment, and one person after another.

use crate::table::Measure;
use anyhow::{Context, Result};
use lamplight_tablet::{Options, Tablet};
use lamplight_tests::display::Display;
use lamplight_tests::facility::Facility;
use lamplight_tests::hands::{Hands, Person, people};
use lamplight_tests::page::id;
use lamplight_tests::programs;
use lamplight_tests::sim::load::percentile;
use lamplight_tests::window::{self, Window};
use serde_json::json;
use std::time::Duration;

const TABLETS: usize = 5;
/// Changes of user.
const CHANGES: usize = 40;

pub async fn measure(facility: &Facility) -> Result<Vec<Measure>> {
    window::possible().map_err(anyhow::Error::msg)?;
    let app = programs::path("lamplight");
    let display = Display::start(&facility.logs())?;
    let mut joins = Vec::new();
    for n in 0..TABLETS {
        let folder = facility.folder().join(format!("people-{n}"));
        let window = Window::open(&app, &display, &folder, "join").await?;
        let hands = Hands { page: &window.page };
        hands.at("join").await?;
        window.page.type_in(&id("join-invite"), &facility.invite(&facility.url(), 1)?).await?;
        window.page.type_in(&id("join-name"), &format!("P-{n}")).await?;
        joins.push(millis(&window.page.run_async(JOIN, vec![]).await?, 0)?);
        window.close().await?;
    }
    let slowest = percentile(&mut joins, 100);
    let enrolled = Measure::new("window: enrolment, slowest", slowest, "ms").goal(3_000.0).note(format!(
        "p50 {:.0}, of {TABLETS}; from the tap on Join to the painted locked screen of the ward",
        percentile(&mut joins, 50)
    ));

    let window = Window::open(&app, &display, &facility.folder().join("people-0"), "changes").await?;
    let hands = Hands { page: &window.page };
    let eyes = Tablet::open(&facility.folder().join("people-eyes"), Options::default())?;
    eyes.join(&facility.invite(&facility.url(), 1)?, "").await?;
    let people = people(&eyes, facility).await?;
    let two: Vec<&Person> = people.iter().filter(|p| p.role == "technician").take(2).collect();
    let [one, other] = two[..] else { anyhow::bail!("the demo has one technician only") };
    hands.sign_in(one).await?;
    let (mut sign_ins, mut changes) = (Vec::new(), Vec::new());
    for n in 0..CHANGES {
        let next = if n % 2 == 0 { other } else { one };
        let tile = if next.number.is_empty() { next.given.clone() } else { format!("{}-{}", next.given, next.number) };
        hands.page.see_gone("body[data-dead]").await?;
        let took = window.page.run_async(CHANGE, vec![json!(format!("person-{tile}")), json!(next.pin)]).await?;
        sign_ins.push(millis(&took, 0)?);
        changes.push(millis(&took, 1)?);
    }
    let p95 = percentile(&mut sign_ins, 95);
    let signed = Measure::new("window: sign-in to board, p95", p95, "ms").goal(700.0).note(format!(
        "p50 {:.0}, slowest {:.0}, of {CHANGES}; from the tap on the PIN's last digit to the painted board",
        percentile(&mut sign_ins, 50),
        percentile(&mut sign_ins, 100)
    ));
    let p95 = percentile(&mut changes, 95);
    let changed = Measure::new("window: change of user, p95", p95, "ms").goal(2_000.0).note(format!(
        "p50 {:.0}, of {CHANGES}; the program's part: lock, choose the other's name, six digits, board painted",
        percentile(&mut changes, 50)
    ));
    window.close().await?;
    Ok(vec![enrolled, signed, changed])
}

fn millis(took: &serde_json::Value, n: usize) -> Result<Duration> {
    let figure = took[n].as_f64().with_context(|| format!("the page gave no time: {took}"))?;
    Ok(Duration::from_secs_f64(figure / 1000.0))
}

/// Taps Join and waits until the locked screen with its people has been painted.
const JOIN: &str = "
    const done = arguments[arguments.length - 1];
    const begun = performance.now();
    const ready = () =>
      document.body.dataset.screen === 'locked' && document.querySelector('[data-testid^=\"person-\"]') !== null;
    const watch = new MutationObserver(() => {
      if (!ready()) return;
      watch.disconnect();
      requestAnimationFrame(() => setTimeout(() => done([performance.now() - begun])));
    });
    watch.observe(document.body, { subtree: true, childList: true, attributes: true });
    document.querySelector('[data-testid=\"join-submit\"]').click();";

/// Locks, chooses a name and types a PIN, each as soon as it can be tapped: ms from the last digit to the painted board,
/// and from the lock to it.
const CHANGE: &str = "
    const [tile, pin, done] = arguments;
    const find = (name) => document.querySelector(`[data-testid=\"${name}\"]`);
    const change = (ready) => new Promise((go) => {
      if (ready()) { go(); return; }
      const watch = new MutationObserver(() => { if (ready()) { watch.disconnect(); go(); } });
      watch.observe(document.body, { subtree: true, childList: true, attributes: true });
    });
    const tappable = (name) => () => find(name) !== null && !find(name).disabled;
    (async () => {
      const begun = performance.now();
      find('lock').click();
      await change(() => document.body.dataset.screen === 'locked' && (find(tile) ?? find('person-other')) !== null);
      if (find(tile) === null) { find('person-other').click(); await change(tappable(tile)); }
      find(tile).click();
      let last = begun;
      for (const digit of pin) {
        await change(tappable(`pin-${digit}`));
        last = performance.now();
        find(`pin-${digit}`).click();
      }
      await change(() => document.body.dataset.screen === 'board' && find('board') !== null);
      requestAnimationFrame(() => setTimeout(() => {
        const now = performance.now();
        done([now - last, now - begun]);
      }));
    })();";
