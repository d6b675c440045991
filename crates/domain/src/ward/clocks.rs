//! How far a tablet's clock can be believed, derived from its measurements against the server, also looking back.

use super::records::WardRecords;
use crate::chain::Hash;
use crate::ids::RecordId;
use crate::kinds::ClockMeasured;
use crate::record::Record;
use crate::time::{MINUTE_MS, Ms, SECOND_MS};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A clock that is further off than this at the nearest measurement is suspect (docs/what-counts.md).
const SUSPECT_OFF_MS: i64 = MINUTE_MS;
/// A wall clock that moved further than this against the boot clock has jumped (docs/what-counts.md). Within it, two
/// clocks agree.
pub(super) const JUMP_MS: i64 = 5 * SECOND_MS;

/// One tablet's measurements.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    by_wall: BTreeMap<(Ms, RecordId, Hash), Measure>,
    by_boot: BTreeMap<(Uuid, i64, RecordId, Hash), Measure>,
}

#[derive(Clone, Copy, Debug)]
struct Measure {
    /// Wall clock less server, ms.
    off_ms: i64,
    /// Wall clock less boot clock, ms; None where the record names no boot.
    wall_less_boot: Option<i64>,
}

impl Measured {
    pub fn insert(&mut self, record: &Record, measured: &ClockMeasured) {
        let envelope = &record.body.envelope;
        let measure = Measure {
            off_ms: measured.wall - measured.server,
            wall_less_boot: envelope.boot_ms.map(|boot| envelope.recorded_at.0.saturating_sub(boot)),
        };
        self.by_wall.insert((envelope.recorded_at, record.id(), record.hash), measure);
        if let (Some(boot), Some(boot_ms)) = (envelope.boot_id, envelope.boot_ms) {
            self.by_boot.insert((boot, boot_ms, record.id(), record.hash), measure);
        }
    }

    pub fn remove(&mut self, record: &Record) {
        let envelope = &record.body.envelope;
        self.by_wall.remove(&(envelope.recorded_at, record.id(), record.hash));
        if let (Some(boot), Some(boot_ms)) = (envelope.boot_id, envelope.boot_ms) {
            self.by_boot.remove(&(boot, boot_ms, record.id(), record.hash));
        }
    }

    /// The nearest measurement: of the same boot by its boot clock, else by the wall clock.
    fn nearest(&self, record: &Record) -> Option<(Measure, bool)> {
        let envelope = &record.body.envelope;
        let (id, hash) = (RecordId(Uuid::nil()), Hash::ZERO);
        if let (Some(boot), Some(at)) = (envelope.boot_id, envelope.boot_ms) {
            let before = self.by_boot.range((boot, i64::MIN, id, hash)..(boot, at, id, hash)).next_back();
            let after = self.by_boot.range((boot, at, id, hash)..).next().filter(|((b, ..), _)| *b == boot);
            let found = [before, after].into_iter().flatten().min_by_key(|((_, t, ..), _)| t.abs_diff(at));
            if let Some((_, measure)) = found {
                return Some((*measure, true));
            }
        }
        let at = envelope.recorded_at;
        let before = self.by_wall.range(..(at, id, hash)).next_back();
        let after = self.by_wall.range((at, id, hash)..).next();
        let found = [before, after].into_iter().flatten().min_by_key(|((t, ..), _)| t.0.abs_diff(at.0));
        found.map(|(_, measure)| (*measure, false))
    }
}

impl WardRecords {
    /// The clock that this record's times come from is not certain.
    pub(super) fn is_suspect(&self, record: &Record) -> bool {
        let envelope = &record.body.envelope;
        if record.received_at.is_some_and(|received| envelope.observed_at - received > JUMP_MS) {
            return true;
        }
        let Some((nearest, same_boot)) =
            envelope.tablet.and_then(|t| self.clocks.get(&t)).and_then(|m| m.nearest(record))
        else {
            return false;
        };
        let jumped = same_boot
            && nearest.wall_less_boot.zip(envelope.boot_ms).is_some_and(|(then, boot)| {
                envelope.recorded_at.0.saturating_sub(boot).abs_diff(then) > JUMP_MS.unsigned_abs()
            });
        nearest.off_ms.saturating_abs() > SUSPECT_OFF_MS || jumped
    }
}
