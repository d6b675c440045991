//! What the tablet says of itself: hello, status, the locked screen, the signal.

use crate::file::{lock, meta};
use crate::pen::Standing;
use crate::record::{Entry, join_first, no_roster};
use crate::session::SignedIn;
use crate::tablet::{Inner, Tablet};
use crate::{trouble, words};
use lamplight_domain::commands::{Hello, Nothing, Session, Status, Theme};
use lamplight_domain::ids::{AuthorId, StayId, WardId};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::Auth;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::roster::Roster;
use lamplight_domain::time::{Clocks, MINUTE_MS};
use lamplight_domain::views::{Board, Locked, Signal, SignalLevel};
use lamplight_domain::ward::{self, Viewpoint};
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(crate) const THEME: &str = "theme";
/// A signal is silenced for two minutes, never longer.
const SILENCE_MS: i64 = 2 * MINUTE_MS;
/// A guest is warned so long before their access ends.
const ACCESS_WARN_MS: i64 = 30 * MINUTE_MS;
/// Warned below this: a month of a ward's records is a few tens of megabytes.
const NEARLY_FULL_BYTES: u64 = 200 * 1024 * 1024;

/// Where this tablet's own chain stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct SyncState {
    /// None before joining.
    pub author: Option<AuthorId>,
    /// Own links of this author, and how many of them the server confirmed.
    pub head: u64,
    pub confirmed: u64,
    pub waiting: u64,
    /// Wall clock less server time at the last contact, ms.
    pub clock_error_ms: Option<i64>,
}

impl Tablet {
    pub fn status(&self) -> Status {
        self.0.status()
    }
    /// Errors: "join.first", "roster.missing".
    pub fn board(&self) -> Result<Board, Refusal> {
        self.0.board()
    }
    /// The ward's one signal, also while locked; quiet before joining.
    pub fn signal(&self) -> Signal {
        if self.0.identity().is_none() {
            return Signal::of(SignalLevel::Quiet, "");
        }
        // A ward that cannot be shown is not known, and that alarms like overdue.
        let not_known = || Signal::of(SignalLevel::Overdue, "This tablet cannot show its ward: look at every patient");
        self.0.board_showing_help().map_or_else(|_| not_known(), |board| board.signal)
    }
    /// While true the machine must not sleep.
    pub fn anyone_on_ward(&self) -> bool {
        self.ward().is_some_and(|ward| self.0.known().records.anyone_on_ward(ward))
    }
    pub fn sync_state(&self) -> SyncState {
        self.0.sync_state()
    }
    /// None before joining.
    pub fn roster(&self) -> Option<Arc<Roster>> {
        self.0.roster()
    }
    /// "W-1"
    pub fn name(&self) -> Option<String> {
        self.0.identity().map(|i| i.name.clone())
    }
    pub fn ward(&self) -> Option<WardId> {
        self.0.identity().map(|i| i.ward)
    }
    /// The open stays in walking order.
    pub fn open_stays(&self) -> Vec<StayId> {
        let (known, ward) = (self.0.known(), self.ward());
        known.roster.as_ref().zip(ward).map_or_else(Vec::new, |(roster, ward)| known.records.open_stays(roster, ward))
    }

    /// The shell says whether a burst would be heard.
    pub fn report_sound(&self, can_be_heard: bool) {
        if lock(&self.0.sound).replace(can_be_heard) != Some(can_be_heard) {
            self.0.set_trouble(!can_be_heard, trouble::no_sound());
            self.0.changed();
        }
    }
    /// The shell says whether it keeps the machine awake.
    pub fn report_awake(&self, is_kept_awake: bool) {
        self.0.set_trouble(!is_kept_awake, trouble::may_sleep());
    }
}

impl Inner {
    pub(super) fn hello(&self) -> Result<Hello, Refusal> {
        let (identity, roster) = (self.identity(), self.roster());
        let ward = identity.as_ref().zip(roster.as_ref()).and_then(|(i, r)| r.ward(i.ward)).map(|w| w.name.clone());
        let facility = roster.as_ref().map(|r| &r.facility);
        Ok(Hello {
            joined: identity.is_some(),
            facility_name: facility.map(|f| f.name.clone()).unwrap_or_default(),
            ward_name: ward.unwrap_or_default(),
            tablet_name: identity.map(|i| i.name.clone()).unwrap_or_default(),
            demo: facility.is_some_and(|f| f.demo),
            theme: self.records.read(|from| meta::get(from, THEME))?.unwrap_or_default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            signed_in: self.session().map(|s| self.session_view(s)).transpose()?,
            troubles: self.troubles(),
        })
    }

    pub(super) fn set_theme(&self, theme: Theme) -> Result<Nothing, Refusal> {
        self.records.write(|to| meta::set(to, THEME, &theme))?;
        Ok(Nothing {})
    }

    pub(super) fn session_view(&self, session: SignedIn) -> Result<Session, Refusal> {
        let roster = self.roster().ok_or_else(no_roster)?;
        let name = roster.person(session.staff).map(|p| p.short()).unwrap_or_default();
        let holds = self.board()?.holder.is_some_and(|h| h.staff == session.staff);
        Ok(Session { staff: session.staff, name, role: session.role, holds })
    }

    pub(super) fn locked(&self) -> Result<Locked, Refusal> {
        let identity = self.identity().ok_or_else(join_first)?;
        let (view, now, waiting) = (self.viewpoint()?, self.now(), self.sync_state().waiting);
        let known = self.known();
        let roster = known.roster.as_deref().ok_or_else(no_roster)?;
        Ok(ward::locked(&known.records, roster, identity.ward, &known.contacts, view, now, waiting))
    }

    pub(super) fn silence(&self) -> Result<Nothing, Refusal> {
        let session = self.session();
        let auth = if session.is_some() { Auth::Pin } else { Auth::None };
        let by = session.map(|s| s.staff);
        self.record(Entry {
            by,
            auth,
            stay: None,
            id: None,
            event: Event::Silenced { level: None },
            observed_at: None,
        })?;
        let now = self.clock.read();
        *lock(&self.silenced) = Some(Clocks { boot_ms: now.boot_ms + SILENCE_MS, ..now });
        self.changed();
        Ok(Nothing {})
    }

    pub(crate) fn viewpoint(&self) -> Result<Viewpoint, Refusal> {
        let tablet = self.identity().ok_or_else(join_first)?.tablet;
        let (now, sync) = (self.now(), self.sync_state());
        let silenced_until = self.silenced_until(now);
        let signed_in = self.session().map(|s| s.staff);
        let contact = lock(&self.contact);
        Ok(Viewpoint::Tablet {
            tablet,
            online: contact.online && !self.hears_nothing(),
            last_contact: contact.last,
            author: sync.author,
            confirmed: sync.confirmed,
            silenced_until,
            signed_in,
        })
    }

    /// The server may answer, and this tablet is given nothing of its ward's feed.
    pub(crate) fn hears_nothing(&self) -> bool {
        self.is_frozen() || lock(&self.troubles).has(trouble::REVOKED)
    }

    pub(crate) fn sync_state(&self) -> SyncState {
        let clock_error_ms = lock(&self.contact).clock_error_ms;
        // Not the pen itself: whoever looks must not wait for a disk.
        match *lock(&self.standing) {
            None => SyncState { clock_error_ms, ..SyncState::default() },
            Some(Standing { author, head, confirmed }) => SyncState {
                author: Some(author),
                head,
                confirmed,
                waiting: head.saturating_sub(confirmed),
                clock_error_ms,
            },
        }
    }

    pub(super) fn status(&self) -> Status {
        let sync = self.sync_state();
        let (joined, now) = (sync.author.is_some(), self.now().best());
        let zone = words::zone(self.roster().as_deref());
        let contact = lock(&self.contact).clone();
        let clock = contact.last.map(|at| words::clock_and_day(at, now, zone));
        let hears_nothing = self.hears_nothing();
        let words = match &clock {
            _ if hears_nothing => {
                "Hears nothing from the station. Levels and other tablets' checks are not kept up.".to_owned()
            }
            _ if contact.online || !joined => String::new(),
            None => "Not in touch with the station yet.".to_owned(),
            Some(at) => format!("Offline since {at}. Levels and other tablets' checks as of {at}."),
        };
        let waiting_words = match sync.waiting {
            0 => String::new(),
            n => format!("{n} saved on this tablet, waiting for the station"),
        };
        Status {
            online: contact.online && !hears_nothing,
            words,
            waiting_words,
            waiting: sync.waiting,
            head: sync.head,
            confirmed: sync.confirmed,
            last_contact: contact.last,
            last_contact_clock: clock.unwrap_or_default(),
            clock_error_ms: sync.clock_error_ms,
            troubles: self.troubles(),
            sound: lock(&self.sound).unwrap_or(false),
            protection: self.protection_words(),
        }
    }

    fn protection_words(&self) -> String {
        let facility = match self.recoverable.load(Ordering::SeqCst) {
            true => "the facility can open them too",
            false => "the facility cannot open them",
        };
        format!("{}; {facility}.", self.protection.words())
    }

    fn troubles(&self) -> Vec<Refusal> {
        self.tell_of_being_offline();
        self.tell_of_access_that_ends();
        crate::reserve::keep(&self.dir);
        let free = crate::file::broken::free_bytes(&self.dir.join("."));
        let nearly_full = free.filter(|bytes| *bytes < NEARLY_FULL_BYTES);
        self.set_trouble(nearly_full.is_some(), trouble::disk_nearly_full(nearly_full.unwrap_or(0) / 1024 / 1024));
        lock(&self.troubles).all()
    }

    /// To a guest who is signed in.
    fn tell_of_access_that_ends(&self) {
        let (roster, now) = (self.roster(), self.now().best());
        let until = self.session().zip(roster.as_ref()).and_then(|(s, roster)| roster.person(s.staff)?.until);
        let at = until.map(|until| words::clock_and_day(until, now, words::zone(roster.as_deref())));
        let left = until.map_or(i64::MAX, |until| until - now);
        let at = at.unwrap_or_default();
        self.set_trouble((1..=ACCESS_WARN_MS).contains(&left), trouble::access_ends(&at));
        self.set_trouble(left <= 0, trouble::access_ended(&at));
    }

    /// Adds or takes away a trouble by its code.
    pub(crate) fn set_trouble(&self, is_there: bool, trouble: Refusal) {
        let mut troubles = lock(&self.troubles);
        if is_there {
            troubles.add(trouble);
        } else {
            troubles.over(&trouble.code);
        }
    }
}
