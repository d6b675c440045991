//! A technician's hands on the tablet's screen: the gestures that the stories, the walk and the measures share.
//! Test ids are those of `ui/src/tablet/testids.ts`.

use crate::facility::Facility;
use crate::page::{Page, id};
use crate::until::{PATIENCE, within};
use anyhow::{Context, Result};
use lamplight_tablet::Tablet;
use serde_json::{Value, json};
use std::time::Duration;

pub struct Hands<'a> {
    pub page: &'a Page,
}

/// Somebody as the locked screen shows them, with the PIN that only they know.
#[derive(Clone, Debug)]
pub struct Person {
    pub staff: String,
    pub given: String,
    /// Shown only where two share a given name; else empty.
    pub number: String,
    /// "M. Okafor"
    pub name: String,
    /// "technician"
    pub role: String,
    pub pin: String,
    /// For the station's login; empty for whoever has none.
    pub login: String,
    pub password: String,
}

/// Everybody who can sign in on a tablet of the ward, with their PINs from the demo's output.
pub async fn people(tablet: &Tablet, facility: &Facility) -> Result<Vec<Person>> {
    let locked = tablet.call("locked", json!({})).await?;
    let shown = locked["people"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let known = facility.people();
    let people: Vec<Person> = shown
        .iter()
        .filter_map(|one| {
            // The demo prints "M. Okafor", the locked screen "Miriam": in the demo an initial and a role are one person.
            let login = known.iter().find(|k| {
                let role = text(&k["role"]).replace('_', " ");
                role == text(&one["role"]) && text(&k["name"]).chars().next() == text(&one["given"]).chars().next()
            })?;
            Some(Person {
                staff: text(&one["staff"]),
                given: text(&one["given"]),
                number: text(&one["number"]),
                name: text(&login["name"]),
                role: text(&one["role"]),
                pin: text(&login["pin"]),
                login: text(&login["login"]),
                password: text(&login["password"]),
            })
        })
        .collect();
    anyhow::ensure!(!people.is_empty(), "nobody can sign in on this ward");
    Ok(people)
}

impl Hands<'_> {
    /// Waits until this screen is open: "board", "pad", "mood", …
    pub async fn at(&self, screen: &str) -> Result<()> {
        self.page.see(&format!("body[data-screen=\"{screen}\"]")).await.map(|_| ())
    }

    /// A tap, once taps are alive again after the last save.
    pub async fn tap(&self, test_id: &str) -> Result<()> {
        self.page.see_gone("body[data-dead]").await?;
        self.page.tap(&id(test_id)).await
    }

    /// Taps until this screen is open. A tap just after a save is swallowed, and a person taps again.
    pub async fn tap_to(&self, test_id: &str, screen: &str) -> Result<()> {
        let open = format!("body[data-screen=\"{screen}\"]");
        let tapped = within(PATIENCE, async || {
            self.tap(test_id).await.ok()?;
            within(Duration::from_secs(3), async || self.page.shows(&open).await.then_some(())).await
        });
        tapped.await.with_context(|| format!("{test_id} does not lead to {screen}"))
    }

    pub async fn join(&self, invite: &str, name: &str) -> Result<()> {
        self.at("join").await?;
        self.page.type_in(&id("join-invite"), invite).await?;
        self.page.type_in(&id("join-name"), name).await?;
        self.tap("join-submit").await?;
        self.at("locked").await
    }

    /// Chooses a name on the locked screen.
    pub async fn choose(&self, person: &Person) -> Result<()> {
        self.at("locked").await?;
        let tile = match person.number.as_str() {
            "" => format!("person-{}", person.given),
            number => format!("person-{}-{number}", person.given),
        };
        let known = within(PATIENCE, async || {
            let there = self.page.shows(&id(&tile)).await || self.page.shows(&id("person-other")).await;
            there.then_some(())
        });
        known.await.context("nobody can sign in on the locked screen")?;
        if !self.page.shows(&id(&tile)).await {
            self.tap("person-other").await?;
        }
        self.tap(&tile).await
    }

    pub async fn type_pin(&self, pin: &str) -> Result<()> {
        for digit in pin.chars() {
            self.tap(&format!("pin-{digit}")).await?;
        }
        Ok(())
    }

    pub async fn sign_in(&self, person: &Person) -> Result<()> {
        self.choose(person).await?;
        self.type_pin(&person.pin).await?;
        self.at("board").await?;
        self.page.see(&id("board")).await.map(|_| ())
    }

    pub async fn lock(&self) -> Result<()> {
        self.tap_to("lock", "locked").await
    }

    /// Beds in the order of the cards.
    pub async fn beds(&self) -> Result<Vec<String>> {
        let script = "return [...document.querySelectorAll('[data-testid^=\"card-\"]')].map((c) => c.dataset.testid)";
        let cards = self.page.run(script, vec![]).await?;
        let bed = |card: &Value| card.as_str().and_then(|c| c.strip_prefix("card-")).map(str::to_owned);
        Ok(cards.as_array().into_iter().flatten().filter_map(bed).collect())
    }

    /// "ok", "overdue", …
    pub async fn state(&self, bed: &str) -> Result<String> {
        let card = self.page.see(&id(&format!("card-{bed}"))).await?;
        Ok(card.attr("data-state").await?.unwrap_or_default())
    }

    pub async fn open(&self, bed: &str) -> Result<()> {
        self.at("board").await?;
        self.tap_to(&format!("card-{bed}"), "pad").await
    }

    /// Two taps. Returns the record's id once the screen says that it is saved.
    pub async fn check(&self, bed: &str, place: &str, activity: &str) -> Result<String> {
        self.open(bed).await?;
        self.tap(&format!("place-{place}")).await?;
        self.tap(&format!("activity-{activity}")).await?;
        self.at("board").await?;
        self.saved().await
    }

    /// The record that the toast speaks of.
    pub async fn saved(&self) -> Result<String> {
        self.said("Saved on this tablet").await
    }

    /// The record of which the toast says this.
    async fn said(&self, what: &str) -> Result<String> {
        let said = self.page.text_that(&id("toast"), what, |t| t.contains(what)).await?;
        let toast = self.page.see(&id("toast")).await?;
        toast.attr("data-record").await?.with_context(|| format!("a toast of no record: {said}"))
    }

    pub async fn undo(&self) -> Result<()> {
        self.tap("undo").await?;
        self.said("Taken back").await.context("the undo was not saved").map(|_| ())
    }

    /// The strip at the top: (online, waiting).
    pub async fn strip(&self) -> Option<(bool, u64)> {
        let script = "const s = document.querySelector('[data-testid=\"status-strip\"]'); \
                      return s ? [s.dataset.online, s.dataset.waiting] : null";
        let strip = self.page.run(script, vec![]).await.ok()?;
        Some((strip[0].as_str()? == "true", strip[1].as_str()?.parse().ok()?))
    }

    /// Waits for a state of the strip.
    pub async fn strip_that(&self, what: &str, is: impl Fn(bool, u64) -> bool) -> Result<(bool, u64)> {
        let mut last = None;
        let reached = within(PATIENCE, async || {
            last = self.strip().await;
            last.filter(|(online, waiting)| is(*online, *waiting))
        })
        .await;
        reached.with_context(|| format!("the strip never said {what}; it says {last:?}"))
    }

    /// "night" or "day", by the sheet behind the strip; from the board.
    pub async fn theme(&self, theme: &str) -> Result<()> {
        self.tap("status-strip").await?;
        self.tap(&format!("theme-{theme}")).await?;
        self.tap("close").await?;
        self.page.see_gone("dialog[open]").await
    }
}
