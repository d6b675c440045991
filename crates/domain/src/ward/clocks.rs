//! How far a tablet's clock can be believed, derived from its measurements against the server and from what its records
//! say of its two clocks, also looking back.

use super::records::WardRecords;
use crate::chain::Hash;
use crate::ids::RecordId;
use crate::kinds::ClockMeasured;
use crate::record::Record;
use crate::time::{MINUTE_MS, Ms, SECOND_MS};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// A clock that is further off than this at the nearest measurement is suspect (docs/what-counts.md).
const SUSPECT_OFF_MS: i64 = MINUTE_MS;
/// A wall clock that moved further than this against the boot clock has jumped (docs/what-counts.md). Within it, two
/// clocks agree.
pub(super) const JUMP_MS: i64 = 5 * SECOND_MS;

/// One tablet's measurements, and where its wall clock stood against the boot clock.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    by_wall: BTreeMap<(Ms, RecordId, Hash), Measure>,
    by_boot: BTreeMap<(Uuid, i64, RecordId, Hash), Measure>,
    /// Wall clock less boot clock, ms, of every record that a boot wrote, and how many say so.
    stood: HashMap<Uuid, BTreeMap<i64, u32>>,
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

    /// Any record of the tablet.
    pub fn note(&mut self, record: &Record) {
        if let Some((boot, stood)) = stood(record) {
            *self.stood.entry(boot).or_default().entry(stood).or_default() += 1;
        }
    }

    pub fn forget(&mut self, record: &Record) {
        let Some((boot, stood)) = stood(record) else { return };
        let Some(of_boot) = self.stood.get_mut(&boot) else { return };
        if let Some(count) = of_boot.get_mut(&stood) {
            *count -= 1;
            if *count == 0 {
                of_boot.remove(&stood);
            }
        }
        if of_boot.is_empty() {
            self.stood.remove(&boot);
        }
    }

    /// The wall clock jumped in this boot. Where the boot was never measured, nobody can say on which side of the jump
    /// it was right.
    fn jumped_in(&self, boot: Uuid) -> bool {
        let Some(of_boot) = self.stood.get(&boot) else { return false };
        let ends = of_boot.keys().next().zip(of_boot.keys().next_back());
        ends.is_some_and(|(first, last)| last.abs_diff(*first) > JUMP_MS.unsigned_abs())
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

/// The boot that wrote the record, and its wall clock less its boot clock then, ms.
fn stood(record: &Record) -> Option<(Uuid, i64)> {
    let envelope = &record.body.envelope;
    Some((envelope.boot_id?, envelope.recorded_at.0.saturating_sub(envelope.boot_ms?)))
}

impl WardRecords {
    /// The clock that this record's times come from is not certain.
    pub(super) fn is_suspect(&self, record: &Record) -> bool {
        let envelope = &record.body.envelope;
        if record.received_at.is_some_and(|received| envelope.observed_at - received > JUMP_MS) {
            return true;
        }
        let Some(measured) = envelope.tablet.and_then(|t| self.clocks.get(&t)) else { return false };
        let nearest = measured.nearest(record);
        let was_measured = nearest.is_some_and(|(_, same_boot)| same_boot);
        if !was_measured && envelope.boot_id.is_some_and(|boot| measured.jumped_in(boot)) {
            return true;
        }
        let Some((nearest, same_boot)) = nearest else { return false };
        let jumped = same_boot
            && nearest.wall_less_boot.zip(envelope.boot_ms).is_some_and(|(then, boot)| {
                envelope.recorded_at.0.saturating_sub(boot).abs_diff(then) > JUMP_MS.unsigned_abs()
            });
        nearest.off_ms.saturating_abs() > SUSPECT_OFF_MS || jumped
    }
}
