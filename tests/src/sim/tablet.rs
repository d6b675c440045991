//! What one tablet without a window can be told to do. Every verb gives one JSON object.

use super::load::percentile;
use anyhow::{Context, Result, ensure};
use lamplight_domain::ids::{StaffId, StayId};
use lamplight_domain::kinds::{Check, Event};
use lamplight_domain::record::Auth;
use lamplight_domain::time::{Clocks, HOUR_MS, Ms};
use lamplight_domain::views::CardState;
use lamplight_domain::wire::{
    Batch, Facility, FeedAsk, FeedPage, HelloAnswer, JoinAsk, Joined, OfferAnswer, OfferAsk, PushAnswer, Trouble,
};
use lamplight_server::FacilityServer;
use lamplight_tablet::{Clock, KeyStore, Options, SystemClock, Tablet};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

pub fn open(dir: &Path) -> Result<Tablet> {
    open_with(dir, None)
}

pub fn open_with(dir: &Path, key_store: Option<Arc<dyn KeyStore>>) -> Result<Tablet> {
    let mut options = Options::default();
    options.key_store = key_store;
    Ok(Tablet::open(dir, options)?)
}

/// Joins, and takes the ward's opening, so that the tablet is of use at once. `took_ms`: until it had both.
pub async fn join(tablet: &Tablet, invite: &str, name: &str) -> Result<Value> {
    let begun = Instant::now();
    tablet.join(invite, name).await?;
    let took_ms = millis(begun);
    sync(tablet).await?;
    let hello = tablet.call("hello", json!({})).await?;
    Ok(json!({
        "tablet": hello["tablet_name"],
        "facility": hello["facility_name"],
        "ward": hello["ward_name"],
        "author": tablet.sync_state().author,
        "took_ms": took_ms,
    }))
}

/// Sends what waits and takes what is new, until there is neither. `confirmed_ms`: until what waited was confirmed;
/// `took_ms`: until all was done.
pub async fn sync(tablet: &Tablet) -> Result<Value> {
    sync_by(tablet, Road::Https).await
}

/// By which way a tablet reaches its facility.
pub enum Road<'a> {
    Https,
    /// A server in this process, called.
    Calls(&'a FacilityServer),
}

/// Answers as tasks of its own, as a connection's are, so that both sides work at once.
struct Beside(FacilityServer);

impl Beside {
    async fn answer<T: Send + 'static, F: Future<Output = Result<T, Trouble>> + Send + 'static>(
        &self,
        ask: impl FnOnce(FacilityServer) -> F,
    ) -> Result<T, Trouble> {
        let answered = tokio::spawn(ask(self.0.clone())).await;
        answered.map_err(|e| Trouble::Unreachable(e.to_string()))?
    }
}

impl Facility for Beside {
    async fn hello(&self) -> Result<HelloAnswer, Trouble> {
        self.answer(|server| async move { server.hello().await }).await
    }
    async fn join(&self, ask: JoinAsk) -> Result<Joined, Trouble> {
        self.answer(|server| async move { server.join(ask).await }).await
    }
    async fn push(&self, batch: Batch) -> Result<PushAnswer, Trouble> {
        self.answer(|server| async move { server.push(batch).await }).await
    }
    async fn feed(&self, ask: FeedAsk) -> Result<FeedPage, Trouble> {
        self.answer(|server| async move { server.feed(ask).await }).await
    }
    async fn offer(&self, ask: OfferAsk) -> Result<OfferAnswer, Trouble> {
        self.answer(|server| async move { server.offer(ask).await }).await
    }
}

/// As [`sync`], by another way where that is wanted.
pub async fn sync_by(tablet: &Tablet, road: Road<'_>) -> Result<Value> {
    let begun = Instant::now();
    let contact = async {
        match road {
            Road::Https => tablet.sync_now().await,
            Road::Calls(server) => tablet.sync_over(&Beside(server.clone())).await,
        }
    };
    // Where the contact fails nobody waits for receipts any more.
    let (done, confirmed) = tokio::try_join!(contact, async { Ok(nothing_waits(tablet, begun).await) })?;
    let mut answer = serde_json::to_value(done)?;
    merge(&mut answer, json!({ "confirmed_ms": confirmed, "took_ms": millis(begun) }));
    merge(&mut answer, serde_json::to_value(tablet.sync_state())?);
    Ok(answer)
}

/// When nothing waited any more, in milliseconds since `begun`; None where something does after a minute without news.
async fn nothing_waits(tablet: &Tablet, begun: Instant) -> Option<f64> {
    let mut changes = tablet.changes();
    while tablet.sync_state().waiting > 0 {
        // Every receipt is news.
        tokio::time::timeout(Duration::from_secs(60), changes.changed()).await.ok()?.ok()?;
    }
    Some(millis(begun))
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Keeps the tablet in sync in the background, as the app does, and records one check after another: how long each
/// took from "saved on this tablet" to "confirmed", ms, in their order.
pub async fn steady(tablet: &Tablet, count: usize) -> Result<Value> {
    let walk = Walk::of(tablet).await?;
    let running = tokio::spawn({
        let tablet = tablet.clone();
        async move { tablet.run().await }
    });
    // The first is not counted: it meets a connection that is not warm yet.
    let mut times = Vec::new();
    for n in 0..=count {
        walk.check(tablet, n)?;
        let begun = Instant::now();
        ensure!(nothing_waits(tablet, begun).await.is_some(), "entry {n} was not confirmed");
        times.push(begun.elapsed());
        // The rest of what an answer brings about, as between two taps of a person.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    times.remove(0);
    tablet.stop();
    running.await?;
    let each: Vec<f64> = times.iter().map(|t| t.as_secs_f64() * 1000.0).collect();
    let (p50, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
    Ok(json!({ "entries": count, "p50_ms": p50, "p99_ms": p99, "each_ms": each }))
}

pub fn status(tablet: &Tablet) -> Result<Value> {
    let mut value = serde_json::to_value(tablet.sync_state())?;
    value["protection"] = tablet.status().protection.into();
    Ok(value)
}

pub fn board(tablet: &Tablet) -> Result<Value> {
    Ok(serde_json::to_value(tablet.board()?)?)
}

/// Checks the folder without opening the tablet, and changes nothing in it.
pub fn verify(dir: &Path) -> Result<lamplight_tablet::Verified> {
    Ok(lamplight_tablet::verify(dir)?)
}

pub fn export(tablet: &Tablet, out: &mut dyn Write) -> Result<u64> {
    Ok(tablet.export(out)?)
}

/// Where people of an invented ward are, and what they do: pairs of the facility's codes.
const SEEN: [(&str, &str); 6] = [
    ("bedroom", "eyes_closed"),
    ("bedroom", "resting"),
    ("day_room", "tv"),
    ("hallway", "walking"),
    ("day_room", "with_peers"),
    ("bedroom", "calm"),
];

/// A technician of the ward and the patients on it in walking order.
pub struct Walk {
    pub technician: StaffId,
    pub stays: Vec<StayId>,
}

impl Walk {
    /// Errors where the tablet has not joined, or knows no technician or no patient yet.
    pub async fn of(tablet: &Tablet) -> Result<Walk> {
        let locked = tablet.call("locked", json!({})).await?;
        let people = locked["people"].as_array().context("the locked screen names nobody")?;
        let technician = people.iter().find(|p| p["role"] == "technician").context("no technician signs in here")?;
        let technician = technician["staff"].as_str().context("a person without an id")?.parse()?;
        let here = |state: CardState| !matches!(state, CardState::Paused | CardState::DueBack);
        let stays: Vec<StayId> = tablet.board()?.cards.iter().filter(|c| here(c.state)).map(|c| c.stay).collect();
        ensure!(!stays.is_empty(), "this tablet knows no patient on the ward: run sync first");
        Ok(Walk { technician, stays })
    }

    /// Records the `n`-th check of the walk, now. Only for demonstrations and tests: nobody looked.
    /// Returns the record's id once it is durable.
    pub fn check(&self, tablet: &Tablet, n: usize) -> Result<String> {
        let (place, activity) = SEEN[n % SEEN.len()];
        let check = Check { place: place.into(), activity: activity.into(), evidence: vec![] };
        let stay = self.stays[n % self.stays.len()];
        let saved = tablet.record(Some(self.technician), Auth::Pin, Some(stay), None, Event::Check(check), None)?;
        Ok(saved.record.to_string())
    }
}

/// Records `count` checks in walking order. `each` is told of every record that is durable.
pub async fn record(tablet: &Tablet, count: usize, mut each: impl FnMut(&str)) -> Result<Value> {
    let hello = tablet.call("hello", json!({})).await?;
    ensure!(hello["demo"] == true, "checks that nobody made are recorded only in a demo facility");
    let walk = Walk::of(tablet).await?;
    for n in 0..count {
        each(&walk.check(tablet, n)?);
    }
    let mut answer = json!({ "recorded": count });
    merge(&mut answer, serde_json::to_value(tablet.sync_state())?);
    Ok(answer)
}

/// A clock that stands where it was put, in a boot of its own.
struct Stopped {
    wall: AtomicI64,
    boot_id: Uuid,
}

impl Clock for Stopped {
    fn read(&self) -> Clocks {
        let wall = self.wall.load(Ordering::SeqCst);
        Clocks { wall: Ms(wall), boot_id: self.boot_id, boot_ms: wall.rem_euclid(30 * 24 * HOUR_MS) }
    }
}

/// Records checks in walking order as if they had been made evenly from so many hours ago to so many hours ago: what a
/// tablet holds that was long without a network. A demo facility only.
pub async fn record_over(dir: &Path, count: usize, from: u32, to: u32) -> Result<Value> {
    ensure!(from > to, "the time begins before it ends");
    let now = SystemClock::new().read().wall;
    let (begins, ends) = (now - i64::from(from) * HOUR_MS, now - i64::from(to) * HOUR_MS);
    let clock = Arc::new(Stopped { wall: AtomicI64::new(begins.0), boot_id: Uuid::new_v4() });
    let mut options = Options::default();
    options.clock = clock.clone();
    let tablet = Tablet::open(dir, options)?;
    let hello = tablet.call("hello", json!({})).await?;
    ensure!(hello["demo"] == true, "checks that nobody made are recorded only in a demo facility");
    let walk = Walk::of(&tablet).await?;
    for n in 0..count {
        clock.wall.store(begins.0 + (ends - begins) * n as i64 / count as i64, Ordering::SeqCst);
        walk.check(&tablet, n)?;
    }
    let mut answer = json!({ "recorded": count });
    merge(&mut answer, serde_json::to_value(tablet.sync_state())?);
    Ok(answer)
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
