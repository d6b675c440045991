//! Since when this file holds all that its ward's feed told: what was observed before is not kept here, or was never
//! here, and nobody may read its absence as "nothing was done".

use super::meta;
use lamplight_domain::ids::WardId;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::{FeedFrom, FeedNext, OPENING_MS};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

const KEPT: &str = "kept";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    ward: WardId,
    since: Ms,
    /// The feed was read up to its end at this server time.
    read_until: Ms,
}

/// None where nothing was ever noted; never, where only another ward's feed was read so far.
pub fn since(from: &Connection, ward: WardId) -> rusqlite::Result<Option<Ms>> {
    let kept: Option<Kept> = meta::get(from, KEPT)?;
    Ok(kept.map(|kept| if kept.ward == ward { kept.since } else { Ms(i64::MAX) }))
}

/// A page of the feed, in the transaction that stores it. An opening brings only what stands and its last hours: where
/// the feed had not been read up to there before, what lies between is not kept.
pub fn read(
    to: &Connection,
    ward: WardId,
    from: &FeedFrom,
    next: &FeedNext,
    more: bool,
    now: Ms,
) -> rusqlite::Result<()> {
    let before: Option<Kept> = meta::get::<Kept>(to, KEPT)?.filter(|kept| kept.ward == ward);
    let opening_since = match (from, next) {
        (FeedFrom::Cursor(before), FeedNext::Cursor(after)) if before.generation == after.generation => None,
        (FeedFrom::OpeningNext(mark), _) | (_, FeedNext::Opening(mark)) => Some(mark.since),
        _ => Some(now - OPENING_MS),
    };
    let since = match (before, opening_since) {
        (Some(kept), Some(since)) if kept.read_until < since => since,
        (Some(kept), _) => kept.since,
        (None, Some(since)) => since,
        // Read before this was noted: nothing is known of the time before.
        (None, None) => now - OPENING_MS,
    };
    let at_end = !more && matches!(next, FeedNext::Cursor(_));
    let read_until = if at_end { now } else { before.map_or(Ms(i64::MIN), |kept| kept.read_until) };
    let kept = Kept { ward, since, read_until };
    if before == Some(kept) { Ok(()) } else { meta::set(to, KEPT, &kept) }
}

/// Something that was observed before `since` was pruned.
pub fn pruned(to: &Connection, since: Ms) -> rusqlite::Result<()> {
    match meta::get::<Kept>(to, KEPT)? {
        Some(kept) if kept.since < since => meta::set(to, KEPT, &Kept { since, ..kept }),
        _ => Ok(()),
    }
}
