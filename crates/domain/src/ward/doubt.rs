//! Times that cannot be taken as they are: a clock that was off when the record was made, or two bodies with one id.

use super::Scene;
use super::records::{Key, WardRecords};
use crate::record::Record;
use crate::time::{MINUTE_MS, SECOND_MS};

/// A tablet's clock is suspect when it was this far off the server's at the nearest measurement.
const SUSPECT_MS: i64 = MINUTE_MS;
/// Clocks of machines that are in order differ by less.
const USUAL_MS: i64 = 5 * SECOND_MS;

/// "clock not certain", or empty. Derived again each time, so that a later measurement also counts looking back.
pub(super) fn of(records: &WardRecords, scene: &Scene<'_>, _key: &Key, record: &Record) -> String {
    let envelope = &record.body.envelope;
    let measured = envelope.tablet.and_then(|t| records.clocks.get(&t));
    let at = envelope.recorded_at;
    let nearest = measured.and_then(|m| {
        let before = m.range(..=at).next_back();
        let after = m.range(at..).next();
        before.into_iter().chain(after).min_by_key(|(when, _)| (**when - at).abs()).map(|(_, error)| *error)
    });
    let off = nearest.is_some_and(|error| error.abs() > SUSPECT_MS);
    let after_receipt = record.received_at.is_some_and(|received| envelope.observed_at - received > USUAL_MS);
    let after_now = envelope.observed_at - scene.now.best() > USUAL_MS;
    let after_writing = envelope.observed_at > envelope.recorded_at;
    if off || after_receipt || after_now || after_writing { "clock not certain".to_owned() } else { String::new() }
}
