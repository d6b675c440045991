//! Help: recorded as fast as it can be, and shown whether or not it could be written down.

use crate::file::lock;
use crate::record::{Entry, join_first, no_roster};
use crate::tablet::Inner;
use lamplight_domain::commands::{EndEmergency, Raise, Raised};
use lamplight_domain::kinds::Event;
use lamplight_domain::record::{Auth, Body};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::SECOND_MS;
use lamplight_domain::views::{Board, Locked, LockedEmergency, OpenEmergency, Signal, SignalLevel};
use lamplight_domain::ward;

/// How often writing down is tried again, ms of the boot clock.
const TRY_AGAIN_MS: i64 = 3 * SECOND_MS;

/// A call for help that this tablet could not write down. It stays until it is: with its own time and person, whoever
/// is signed in by then.
#[derive(Clone)]
pub(crate) struct Unrecorded {
    entry: Entry,
    body: Body,
    tried_boot_ms: i64,
}

impl Inner {
    /// Help is recorded whoever asks: unsigned while locked. Where it cannot be recorded it is shown all the same, says
    /// so, and is tried again. Errors: only where nothing can be shown.
    pub(super) fn raise(&self, raise: Raise) -> Result<Raised, Refusal> {
        let session = self.session();
        let auth = if session.is_some() { Auth::Pin } else { Auth::None };
        let clocks = self.clock.read();
        let id = self.new_id(clocks.wall)?;
        let event = Event::Emergency { what: raise.what, place: raise.place };
        let by = session.map(|s| s.staff);
        let raised_at = |of| Some(self.held(of).ok()?.envelope.observed_at);
        let observed_at = raise.instead_of.and_then(raised_at);
        let entry = Entry { by, auth, stay: raise.stay, id: Some(id), event, observed_at };
        if let Err(refusal) = self.record(entry.clone()) {
            tracing::error!(code = %refusal.code, "a call for help could not be recorded");
            let identity = self.identity().ok_or_else(join_first)?;
            let (body, _) = self.body(&identity, &entry, clocks)?;
            let entry = Entry { observed_at: observed_at.or(Some(clocks.wall)), ..entry };
            lock(&self.unrecorded).push(Unrecorded { entry, body, tried_boot_ms: clocks.boot_ms });
        } else if let (Some(of), true) = (raise.instead_of, session.is_some()) {
            // Where this fails both stand, and a person ends the one that is too many.
            let _ = self.end_emergency(EndEmergency { of, words: "Raised again with the patient".to_owned() });
        }
        let found = self.board_with_help()?.emergencies.into_iter().find(|e| e.record == id);
        let emergency = found.ok_or_else(|| {
            Refusal::new("emergency.not_shown", "The call for help cannot be shown.", "Use your alarm or shout.")
        })?;
        let emergency = if session.is_some() { emergency } else { without_names(emergency) };
        Ok(Raised { record: id, emergency })
    }

    /// The board, with the help that could not be written down: newest first, on top. Tries again to write it down.
    pub(super) fn board_with_help(&self) -> Result<Board, Refusal> {
        self.record_help();
        self.board_showing_help()
    }

    /// The same for whoever must not wait for a disk: the alarm.
    pub(super) fn board_showing_help(&self) -> Result<Board, Refusal> {
        let mut board = self.board()?;
        let mut unrecorded = self.unrecorded()?;
        unrecorded.retain(|help| board.emergencies.iter().all(|known| known.record != help.record));
        if !unrecorded.is_empty() {
            board.signal = loudest(board.signal);
            board.emergencies.splice(0..0, unrecorded);
        }
        Ok(board)
    }

    pub(super) fn locked_with_help(&self) -> Result<Locked, Refusal> {
        self.record_help();
        let mut locked = self.locked()?;
        let mut unrecorded = self.unrecorded()?;
        unrecorded.retain(|help| locked.emergencies.iter().all(|known| known.record != help.record));
        if !unrecorded.is_empty() {
            locked.signal = loudest(locked.signal);
            locked.emergencies.splice(0..0, unrecorded.into_iter().map(while_locked));
        }
        Ok(locked)
    }

    fn record_help(&self) {
        let now = self.clock.read().boot_ms;
        let due: Vec<Entry> = lock(&self.unrecorded)
            .iter_mut()
            .filter(|help| now - help.tried_boot_ms >= TRY_AGAIN_MS)
            .map(|help| {
                help.tried_boot_ms = now;
                help.entry.clone()
            })
            .collect();
        // Not held over the tries: a disk that hangs must not keep the alarm waiting. Whoever looks meanwhile may find it
        // in both places, and shows it once.
        for entry in due {
            let id = entry.id;
            if self.record(entry).is_ok() {
                lock(&self.unrecorded).retain(|help| help.entry.id != id);
            }
        }
    }

    fn unrecorded(&self) -> Result<Vec<OpenEmergency>, Refusal> {
        let waiting = lock(&self.unrecorded).clone();
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        let identity = self.identity().ok_or_else(join_first)?;
        let (view, now) = (self.viewpoint()?, self.now());
        let known = self.known();
        let roster = known.roster.as_deref().ok_or_else(no_roster)?;
        let (records, contacts) = (&known.records, &known.contacts);
        let shown = |help: Unrecorded| {
            ward::emergency_not_recorded(records, roster, identity.ward, contacts, view, now, help.body)
        };
        Ok(waiting.into_iter().rev().filter_map(shown).collect())
    }
}

/// Help that nobody has sounds like any other, and cannot be silenced either.
fn loudest(signal: Signal) -> Signal {
    let words = match signal.words.as_str() {
        "" => "help that could not be recorded".to_owned(),
        words => format!("help that could not be recorded, {words}"),
    };
    Signal { level: SignalLevel::Emergency, words, silenced_until: None, ..signal }
}

fn while_locked(emergency: OpenEmergency) -> LockedEmergency {
    let OpenEmergency { record, what, title, at, told, steps, .. } = emergency;
    LockedEmergency { record, what, title, at, acknowledged: false, told, steps }
}

/// As a locked screen may show it: place and state, no names, no times of others.
fn without_names(emergency: OpenEmergency) -> OpenEmergency {
    OpenEmergency {
        name: String::new(),
        last_seen: String::new(),
        by: String::new(),
        acknowledged_by: emergency.acknowledged_by.map(|_| "somebody".to_owned()),
        others_due: Vec::new(),
        ..emergency
    }
}
