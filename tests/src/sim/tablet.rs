//! What one tablet without a window can be told to do. Every verb gives one JSON object.

use anyhow::{Context, Result, ensure};
use lamplight_domain::ids::{StaffId, StayId};
use lamplight_domain::kinds::{Check, Event};
use lamplight_domain::record::Auth;
use lamplight_domain::views::CardState;
use lamplight_tablet::{Options, Tablet};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

pub fn open(dir: &Path) -> Result<Tablet> {
    Ok(Tablet::open(dir, Options::default())?)
}

/// Joins, and takes the ward's opening, so that the tablet is of use at once.
pub async fn join(tablet: &Tablet, invite: &str, name: &str) -> Result<Value> {
    tablet.join(invite, name).await?;
    sync(tablet).await?;
    let hello = tablet.call("hello", json!({})).await?;
    Ok(json!({
        "tablet": hello["tablet_name"],
        "facility": hello["facility_name"],
        "ward": hello["ward_name"],
        "author": tablet.sync_state().author,
    }))
}

/// Sends what waits and takes what is new, until there is neither.
pub async fn sync(tablet: &Tablet) -> Result<Value> {
    let done = tablet.sync_now().await?;
    let mut answer = serde_json::to_value(done)?;
    merge(&mut answer, serde_json::to_value(tablet.sync_state())?);
    Ok(answer)
}

pub fn status(tablet: &Tablet) -> Result<Value> {
    Ok(serde_json::to_value(tablet.sync_state())?)
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

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}
