//! A tablet's life: invited, joined, moved, taken out of use, replaced, joined again; and two that were away for a month
//! meanwhile, with a clock that is years behind or ahead, while the facility's authority changed twice.

use crate::fixture::{OAK, OAK_ID, Ward, ask, exported, holds, note, seen};
use crate::story_clock::{StoryClock, opened};
use lamplight_domain::chain::{Credential, Endorser};
use lamplight_domain::ids::{AuthorId, StayId};
use lamplight_domain::kinds::{EmergencyKind, Event};
use lamplight_domain::record::Auth;
use lamplight_domain::station::path;
use lamplight_domain::time::{HOUR_MS, MINUTE_MS, Ms};
use lamplight_domain::views::{DayRow, PatientDay};
use lamplight_domain::wire::Invite;
use lamplight_server::store::authors;
use lamplight_tablet::{Clock, Tablet};
use lamplight_tests::desk::Desk;
use lamplight_tests::qr;
use lamplight_tests::sim::tablet::Walk;
use lamplight_tests::until::until;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

const DAY_MS: i64 = 24 * HOUR_MS;
const YEAR_MS: i64 = 365 * DAY_MS;

/// One tablet's folder and clock, and its program while it runs.
struct Device {
    dir: PathBuf,
    clock: Arc<StoryClock>,
    tablet: Tablet,
}

impl Device {
    fn restarted(self, wrong_by_ms: i64) -> Device {
        self.tablet.stop();
        let Device { dir, clock, tablet } = self;
        drop(tablet);
        clock.starts_again(wrong_by_ms);
        let tablet = opened(&dir, &clock);
        Device { dir, clock, tablet }
    }

    fn author(&self) -> AuthorId {
        self.tablet.sync_state().author.unwrap()
    }

    async fn refused(&self, invite: &str) -> String {
        let refusal = self.tablet.join(invite, "").await.unwrap_err();
        assert!(self.tablet.sync_state().author.is_none(), "it is nobody's tablet: {refusal}");
        refusal.code
    }
}

struct Story {
    ward: Ward,
    home: String,
    desk: Desk,
    ahead_ms: Arc<AtomicI64>,
}

impl Story {
    async fn begins() -> Story {
        let ward = Ward::with_oak(|roster| roster.staff.iter_mut().for_each(|person| person.wards.push(OAK_ID)));
        let desk = Desk::log_in(&ward.facility, &ward.cable.url(), "charge_nurse").await.unwrap();
        let facility = desk.get(path::FACILITY).await.unwrap();
        let home = facility["wards"][0]["id"].as_str().unwrap().to_owned();
        Story { ward, home, desk, ahead_ms: Arc::default() }
    }

    /// The server was stopped for so long, or was started again when so much time had passed.
    async fn goes_on(&mut self, ms: i64) {
        self.ward.facility.stop().unwrap();
        let ahead = self.ahead_ms.fetch_add(ms, SeqCst) + ms;
        self.ward.facility.set_ahead(ahead);
        self.ward.facility.start().unwrap();
        self.desk = Desk::log_in(&self.ward.facility, &self.ward.cable.url(), "charge_nurse").await.unwrap();
    }

    async fn rotates_the_authority(&mut self) {
        for arguments in [&["authority"][..], &["authority", "--finish"]] {
            self.ward.facility.stop().unwrap();
            self.ward.facility.command_with("rotate", arguments).unwrap();
            self.ward.facility.start().unwrap();
        }
        self.goes_on(0).await;
    }

    fn device(&self, name: &str) -> Device {
        let (dir, clock) = (self.ward.dir(name), StoryClock::of(&self.ahead_ms));
        let tablet = opened(&dir, &clock);
        Device { dir, clock, tablet }
    }

    /// What the station shows of a fresh invite.
    async fn invite(&mut self) -> Value {
        self.desk.done(path::INVITE, &json!({ "ward": self.home })).await.unwrap()
    }

    async fn joined(&mut self, name: &str, label: &str) -> Device {
        let (device, made) = (self.device(name), self.invite().await);
        device.tablet.join(made["invite"].as_str().unwrap(), label).await.unwrap();
        device.tablet.sync_now().await.unwrap();
        device
    }

    /// A tablet as the station lists it.
    async fn listed(&self, label: &str) -> Value {
        let facility = self.desk.get(path::FACILITY).await.unwrap();
        let tablets = facility["tablets"].as_array().unwrap();
        tablets.iter().find(|t| t["name"] == label).unwrap_or_else(|| panic!("no {label}: {tablets:?}")).clone()
    }

    fn credential(&self, of: &Device, invite: &Invite) -> Credential {
        authors::find(&self.ward.database(), of.author()).unwrap().unwrap().credential(invite.facility)
    }

    fn on_record(&self, act: &str) -> usize {
        self.ward.facility.command_with("audit", &["--act", act]).unwrap().len()
    }
}

/// Invites: one use, ten minutes, wrong ones wait. Gives back a tablet that joined.
async fn invites(story: &mut Story) -> Device {
    let made = story.invite().await;
    let text = made["invite"].as_str().unwrap().to_owned();
    assert_eq!(qr::read(made["qr_svg"].as_str().unwrap()).unwrap(), text);
    story.goes_on(11 * MINUTE_MS).await;
    let (first, second) = (story.device("first"), story.device("second"));
    assert_eq!(first.refused(&text).await, "invite.expired");
    let made = story.invite().await;
    let text = made["invite"].as_str().unwrap().to_owned();
    first.tablet.join(&qr::read(made["qr_svg"].as_str().unwrap()).unwrap(), "W-7").await.unwrap();
    assert_eq!(second.refused(&text).await, "invite.used");
    // A guess costs a wait, and whoever has a good one waits with the others of that address.
    let mut guess: Invite = text.parse().unwrap();
    guess.code = "a guess".to_owned();
    let mut told = Vec::new();
    for _ in 0..8 {
        told.push(second.refused(&guess.to_string()).await);
    }
    assert_eq!((told[0].as_str(), told[7].as_str()), ("invite.unknown", "server.busy"), "{told:?}");
    let good = story.invite().await;
    assert_eq!(second.refused(good["invite"].as_str().unwrap()).await, "server.busy");
    assert_eq!(story.on_record("invite_refused"), 1, "one a minute and address");
    first
}

/// It has a key of its own, for which the facility's key stands.
fn is_endorsed(story: &Story, device: &Device, invite: &Invite) -> Credential {
    let credential = story.credential(device, invite);
    assert_eq!(credential.endorser, Endorser::Facility);
    assert!(credential.holds(&invite.facility_key));
    assert_ne!(credential.key, invite.facility_key);
    credential
}

/// Seen by the person who is signed in, through the tablet's own commands.
async fn checked(device: &Device, stay: StayId) -> String {
    crate::fixture::save(&device.tablet, stay, seen()).await.unwrap().record.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tablets_life_from_its_first_invite_to_its_second() {
    let mut story = Story::begins().await;
    let device = invites(&mut story).await;
    // A start of the server forgets who guessed.
    story.goes_on(MINUTE_MS).await;
    let near = story.joined("near", "").await;
    let invite: Invite = story.invite().await["invite"].as_str().unwrap().parse().unwrap();
    let (own, other) = (is_endorsed(&story, &device, &invite), is_endorsed(&story, &near, &invite));
    assert!(own.key != other.key && own.tablet != other.tablet);

    device.tablet.sync_now().await.unwrap();
    let walk = Walk::of(&device.tablet).await.unwrap();
    story.ward.sign_in(&device.tablet, "technician").await;
    let on_willow = checked(&device, walk.stays[0]).await;
    device.tablet.sync_now().await.unwrap();
    assert!(story.ward.server_holds().kinds.contains_key(&on_willow));

    // Another ward: it sees that one alone, and what it wrote stays where it was written.
    let tablet = story.listed("W-7").await["id"].clone();
    story.desk.done(path::TABLET_MOVE, &json!({ "tablet": tablet, "to": OAK_ID })).await.unwrap();
    until("it is on the other ward", async || {
        let _ = device.tablet.sync_now().await;
        (device.tablet.call("hello", json!({})).await.ok()?["ward_name"] == OAK).then_some(())
    })
    .await;
    device.tablet.sync_now().await.unwrap();
    assert_eq!(device.tablet.board().unwrap().cards.len(), 0, "nobody is on Oak Ward");
    let on_oak = note(&device.tablet, &walk, 0, "on Oak Ward").to_string();
    device.tablet.sync_now().await.unwrap();
    let held = story.ward.server_holds().kinds;
    assert!(held.contains_key(&on_willow) && held.contains_key(&on_oak));
    assert!(holds(&device.tablet).kinds.contains_key(&on_willow), "its old records stay");

    // Out of use: it hands over what it holds and lets its key go.
    let unsent = note(&device.tablet, &walk, 1, "not sent yet").to_string();
    story.desk.done(path::TABLET_REVOKE, &json!({ "tablet": tablet, "reason": "left in a taxi" })).await.unwrap();
    device.tablet.lock();
    until("it has handed over", async || {
        let _ = device.tablet.sync_now().await;
        device.tablet.is_handed_over().then_some(())
    })
    .await;
    assert!(story.ward.server_holds().kinds.contains_key(&unsent));
    assert_eq!(story.listed("W-7").await["contact"], "taken out of use: left in a taxi");
    let device = device.restarted(0);
    assert_eq!(device.tablet.call("board", json!({})).await.unwrap_err().code, "join.first");

    // Another one takes its label.
    let instead = story.joined("instead", "W-7").await;
    assert_eq!(instead.tablet.name().unwrap(), "W-7");
    assert_eq!(story.listed("W-7").await["revoked"], false);
    let old = story.listed("W-7 (old 1)").await;
    assert_eq!((&old["id"], &old["revoked"]), (&tablet, &json!(true)));

    // It joins again, as another tablet with another key.
    let made = story.invite().await;
    device.tablet.join(made["invite"].as_str().unwrap(), "W-7").await.unwrap();
    let again = is_endorsed(&story, &device, &invite);
    assert!(again.key != own.key && again.tablet != own.tablet);
    assert_ne!(device.tablet.name().unwrap(), "W-7", "that is another one's by now");
    device.tablet.sync_now().await.unwrap();
    story.ward.sign_in(&device.tablet, "technician").await;
    let afresh = checked(&device, walk.stays[0]).await;
    device.tablet.sync_now().await.unwrap();
    let held = story.ward.server_holds();
    for id in [&on_willow, &on_oak, &unsent, &afresh] {
        assert!(held.kinds.contains_key(id), "{id}");
    }
    assert_eq!(held.doubled(), Vec::<String>::new());
    // A move is on record on either ward.
    assert_eq!((story.on_record("tablet_moved"), story.on_record("tablet_revoked")), (2, 1));
    story.ward.facility.verify().unwrap();
}

/// A tablet of which nobody hears for a month, and what it wrote meanwhile.
struct Away {
    name: &'static str,
    wrong_by_ms: i64,
    device: Device,
    stay: StayId,
    /// By the right clock, in the days before it was switched off.
    before: String,
    /// By the wrong one: as seen now, as seen an hour before, and a call for help that nobody signed.
    check: String,
    late: String,
    help: String,
}

impl Away {
    fn check(device: &Device, walk: &Walk, stay: StayId, observed_at: Option<Ms>) -> String {
        let check =
            lamplight_domain::kinds::Check { place: "hallway".into(), activity: "walking".into(), evidence: vec![] };
        let (by, event) = (Some(walk.technician), Event::Check(check));
        device.tablet.record(by, Auth::Pin, Some(stay), None, event, observed_at).unwrap().record.to_string()
    }

    /// Everything is on the server once, with the very times that were written.
    fn lost_nothing(&self, lines: &[Value]) {
        assert_eq!(self.device.tablet.sync_state().waiting, 0, "{}", self.name);
        let own = exported(&self.device.tablet);
        for id in [&self.before, &self.check, &self.late, &self.help] {
            let on = |lines: &[Value]| lines.iter().filter(|l| l["id"] == **id).cloned().collect::<Vec<_>>();
            let (here, there) = (on(&own), on(lines));
            assert_eq!((here.len(), there.len()), (1, 1), "{}: {id}", self.name);
            for field in ["hash", "observed_at", "recorded_at"] {
                assert_eq!(here[0][field], there[0][field], "{}: {field} of {id}", self.name);
            }
        }
    }
}

/// A patient's day as this tablet shows it to whoever is signed in.
async fn day_of(tablet: &Tablet, stay: StayId, at: Ms) -> PatientDay {
    let date = at.date(chrono_tz::America::New_York).to_string();
    ask(tablet, "day", json!({ "stay": stay, "date": date })).await.unwrap()
}

fn row<'a>(day: &'a PatientDay, id: &str) -> &'a DayRow {
    day.rows.iter().find(|row| row.record.to_string() == id).unwrap_or_else(|| panic!("{id} is not in {}", day.date))
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_month_away_with_a_wrong_clock_and_two_new_authorities_a_tablet_comes_back_with_all_that_it_wrote() {
    let mut story = Story::begins().await;
    let near = story.joined("near", "").await;
    let mut away = Vec::new();
    for (n, (name, wrong_by_ms)) in
        [("years behind", -9 * YEAR_MS), ("years ahead", 9 * YEAR_MS)].into_iter().enumerate()
    {
        let device = story.joined(name, "").await;
        let walk = Walk::of(&device.tablet).await.unwrap();
        away.push((name, wrong_by_ms, device, walk.stays[n], walk.technician));
    }
    let mut back: Vec<Away> = Vec::new();
    story.goes_on(3 * DAY_MS).await;
    let walk_of = |technician, stay| Walk { technician, stays: vec![stay] };
    let before: Vec<String> = away
        .iter()
        .map(|(_, _, device, stay, technician)| Away::check(device, &walk_of(*technician, *stay), *stay, None))
        .collect();
    story.goes_on(7 * DAY_MS).await;
    story.rotates_the_authority().await;
    story.goes_on(10 * DAY_MS).await;
    story.rotates_the_authority().await;
    story.goes_on(10 * DAY_MS).await;

    for ((name, wrong_by_ms, device, stay, technician), before) in away.into_iter().zip(before) {
        // Its machine was off, and comes up with another time.
        let device = device.restarted(wrong_by_ms);
        let walk = walk_of(technician, stay);
        let check = Away::check(&device, &walk, stay, None);
        let an_hour_ago = device.clock.read().wall - HOUR_MS;
        let late = Away::check(&device, &walk, stay, Some(an_hour_ago));
        let raise = json!({ "what": EmergencyKind::NeedHelp, "stay": null, "place": "hallway" });
        let raised = device.tablet.call("raise", raise).await.unwrap();
        let help = raised["record"].as_str().unwrap().to_owned();
        back.push(Away { name, wrong_by_ms, device, stay, before, check, late, help });
    }
    let mut goes_on = Vec::new();
    for one in &back {
        let Away { name, device, .. } = one;
        device.tablet.sync_now().await.unwrap_or_else(|trouble| panic!("{name}: locked out: {trouble}"));
        let troubles = device.tablet.status().troubles;
        assert!(troubles.iter().any(|t| t.code == "clock.wrong"), "{name}: {troubles:?}");
        // Whoever belongs here signs in and goes on.
        story.ward.sign_in(&device.tablet, "technician").await;
        goes_on.push(checked(device, one.stay).await);
        device.tablet.sync_now().await.unwrap();
    }
    near.tablet.sync_now().await.unwrap();
    story.ward.sign_in(&near.tablet, "technician").await;
    let lines = story.ward.facility.export().unwrap();
    for (one, newest) in back.into_iter().zip(goes_on) {
        one.lost_nothing(&lines);
        let Away { name, wrong_by_ms, device, stay, before, check, late, .. } = one;
        let own = &device.tablet;
        assert_eq!(last_seen(own, stay), newest, "{name}: its own boot clock times what it writes");
        // A wrong time is never rewritten, and never believed: it says so wherever it is shown.
        let truth = near.clock.read().wall;
        let shown_at = if wrong_by_ms < 0 { truth + wrong_by_ms } else { truth };
        let day = day_of(&near.tablet, stay, shown_at).await;
        for id in [&check, &late] {
            assert!(row(&day, id).doubt.contains("clock not certain"), "{name}: {:?}", row(&day, id));
        }
        assert_eq!(row(&day, &check).late_entry, "", "{name}");
        assert!(row(&day, &late).late_entry.starts_with("written at"), "{name}: {:?}", row(&day, &late));
        // Nor does it make a month in which nobody was seen one in which somebody was.
        let today = day_of(&near.tablet, stay, truth).await;
        let month = today.totals.longest_gap_minutes;
        assert!(
            i64::from(month) * MINUTE_MS > 26 * DAY_MS && today.totals.gaps_late == 1,
            "{name}: {:?}",
            today.totals
        );
        match wrong_by_ms < 0 {
            true => assert_eq!(last_seen(&near.tablet, stay), before, "{name}: closes no gap of others"),
            false => assert_eq!((today.totals.not_provable, row(&today, &check).late), (1, true), "{name}"),
        }
        // The program starts again in the same boot.
        own.stop();
        let Device { dir, clock, tablet } = device;
        drop(tablet);
        assert_eq!(last_seen(&opened(&dir, &clock), stay), newest, "{name}: after a start of the program");
    }
    assert_eq!(story.ward.server_holds().doubled(), Vec::<String>::new());
    story.ward.facility.verify().unwrap();
}

fn last_seen(tablet: &Tablet, stay: StayId) -> String {
    let card = tablet.board().unwrap().cards.into_iter().find(|c| c.stay == stay).unwrap();
    card.last_seen.unwrap().record.to_string()
}
