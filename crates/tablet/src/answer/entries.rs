//! Writing down what was seen of one patient: entries, drafts, amendments.

use crate::file::{bodies, drafts};
use crate::record::{Entry as Written, TRY_AGAIN_MS};
use crate::tablet::Inner;
use crate::words;
use lamplight_domain::commands::{Amend, Draft, Entry, KeptDraft, Nothing, Save, Saved};
use lamplight_domain::ids::{RecordId, StayId};
use lamplight_domain::kinds::{Amendment, Check, Event};
use lamplight_domain::record::{Auth, Body};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::MINUTE_MS;

/// A half-made entry that was begun longer ago than this does not say by itself when it was seen.
const ASK_WHEN_SEEN_MS: i64 = 3 * MINUTE_MS;
/// Of a draft's state.
const DRAFT_MAX_BYTES: usize = 16 * 1024;

impl Inner {
    pub(super) fn save(&self, save: Save) -> Result<Saved, Refusal> {
        let by = Some(self.signed_in()?.staff);
        let event = match save.entry {
            Entry::Check { place, activity, evidence } => Event::Check(Check { place, activity, evidence }),
            Entry::Heard { place } => Event::Heard { place },
            Entry::CantTell { place } => Event::CantTell { place },
            Entry::NotDone { reason, words } => Event::NotDone { reason, words },
            Entry::Mood { mood } => Event::Mood(mood),
            Entry::Behaviour { behaviour } => Event::Behaviour(behaviour),
            Entry::Note { words } => Event::Note { words },
            Entry::Concern { words } => Event::Concern { words },
        };
        let (stay, id) = (Some(save.stay), Some(save.id));
        let late = save.tapped_at.filter(|at| save.observed_at.is_none() && self.moment() - *at > TRY_AGAIN_MS);
        let observed_at = save.observed_at.or(late);
        let mut saved = self.record(Written { by, auth: Auth::Pin, stay, id, event, observed_at })?;
        if let Some(at) = late {
            let zone = words::zone(self.roster().as_deref());
            let said = format!("Kept as a late entry, seen {}.", words::clock_and_day(at, at, zone));
            saved.notice = [said, saved.notice].join(" ").trim().to_owned();
        }
        Ok(saved)
    }

    /// Errors: "draft.too_big", "draft.other_owner".
    pub(super) fn keep_draft(&self, draft: &Draft) -> Result<Nothing, Refusal> {
        let staff = self.signed_in()?.staff;
        if draft.state.len() > DRAFT_MAX_BYTES {
            return Err(Refusal::new(
                "draft.too_big",
                "This half-made entry is too long to be kept.",
                "Shorten the text, or save it as two entries.",
            ));
        }
        let kept = self.records.write(|to| {
            // Saved meanwhile: nothing half-made is left.
            if bodies::own_by_id(to, draft.id)?.is_some() {
                return Ok(true);
            }
            drafts::keep(to, staff, draft)
        });
        if kept.map_err(|b| b.not_saved())? {
            return Ok(Nothing {});
        }
        Err(Refusal::new(
            "draft.other_owner",
            "This half-made entry belongs to somebody else.",
            "Go back to the board and begin a new one.",
        ))
    }

    pub(super) fn drop_draft(&self, id: RecordId) -> Result<Nothing, Refusal> {
        let staff = self.signed_in()?.staff;
        self.records.write(|to| drafts::drop_own(to, staff, id))?;
        Ok(Nothing {})
    }

    pub(super) fn drafts(&self) -> Result<Vec<KeptDraft>, Refusal> {
        let staff = self.signed_in()?.staff;
        let (now, zone) = (self.moment(), words::zone(self.roster().as_deref()));
        let kept = |draft: Draft| KeptDraft {
            begun_clock: words::clock_and_day(draft.begun_at, now, zone),
            ask_when_seen: now - draft.begun_at > ASK_WHEN_SEEN_MS,
            draft,
        };
        Ok(self.records.read(|from| drafts::of(from, staff))?.into_iter().map(kept).collect())
    }

    pub(super) fn amend(&self, amend: Amend) -> Result<Saved, Refusal> {
        let by = Some(self.signed_in()?.staff);
        let stay = self.stay_of(amend.of)?;
        let event = Event::Amendment(Amendment {
            of: amend.of,
            action: amend.action,
            reason: amend.reason,
            words: amend.words,
        });
        self.record(Written { by, auth: Auth::Pin, stay, id: None, event, observed_at: None })
    }

    /// The stay of a record that this tablet holds. Errors: "record.unknown".
    pub(super) fn stay_of(&self, record: RecordId) -> Result<Option<StayId>, Refusal> {
        Ok(self.held(record)?.envelope.stay)
    }

    pub(super) fn held(&self, record: RecordId) -> Result<Body, Refusal> {
        self.records.read(|from| bodies::by_id(from, record))?.ok_or_else(|| {
            Refusal::new(
                "record.unknown",
                "This tablet does not hold that entry.",
                "Go back to the board; it has what is known now.",
            )
        })
    }
}
