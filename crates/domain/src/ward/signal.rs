//! The ward's one signal: one for all patients, because many alarms teach people not to hear them.

use super::{Scene, Viewpoint};
use crate::views::{Card, CardState, OpenEmergency, Signal, SignalLevel};

/// Quiet, overdue, urgent (past the limit by half of it or more; nobody with a patient on a continuous level), or
/// emergency (raised, and no named person has answered). Silencing stops the sound on one device, never the level;
/// an emergency that nobody has answered is not silenced.
pub(super) fn signal(cards: &[Card], emergencies: &[OpenEmergency], held: bool, scene: &Scene<'_>) -> Signal {
    let mut alarming: Vec<&Card> = cards.iter().filter(|c| c.state.alarms()).collect();
    alarming.sort_by_key(|c| c.urgency);
    let unanswered = emergencies.iter().any(|e| e.acknowledged_by.is_none());
    let urgent = |c: &&Card| matches!(c.state, CardState::Unwatched) || (c.due_at.is_some() && c.urgency < -50);
    let level = if unanswered {
        SignalLevel::Emergency
    } else if alarming.iter().any(urgent) {
        SignalLevel::Urgent
    } else if !alarming.is_empty() || (!held && !cards.is_empty()) {
        SignalLevel::Overdue
    } else {
        SignalLevel::Quiet
    };
    let count = |what: &str, is: &dyn Fn(&Card) -> bool| {
        let n = cards.iter().filter(|c| is(c)).count();
        (n > 0).then(|| format!("{n} {what}"))
    };
    let open = emergencies.iter().filter(|e| e.acknowledged_by.is_none()).count();
    let said = [
        (open > 0).then(|| format!("{open} {}", if open == 1 { "emergency" } else { "emergencies" })),
        count("overdue", &|c| c.state == CardState::Overdue),
        count("not known", &|c| c.state == CardState::NotKnown),
        count("with nobody on 1:1", &|c| c.state == CardState::Unwatched),
        count("not back", &|c| c.state == CardState::DueBack),
        count("without a level", &|c| c.state == CardState::NoLevel),
        count("not done twice", &|c| c.not_done_twice),
        (!held && !cards.is_empty()).then(|| "nobody holds the observations".to_owned()),
    ];
    let silenced_until = match scene.view {
        Viewpoint::Tablet { silenced_until, .. } if !unanswered => silenced_until.filter(|t| *t > scene.now.best()),
        _ => None,
    };
    Signal {
        level,
        rooms: alarming.iter().map(|c| c.bed.clone()).collect(),
        words: said.into_iter().flatten().collect::<Vec<_>>().join(", "),
        silenced_until,
    }
}
