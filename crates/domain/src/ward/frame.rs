//! When was something seen, for one who looks now: the boot clock for this machine's own records, the earlier of
//! "seen" and "received" for everybody else's.

use super::clocks::JUMP_MS;
use super::log::{Log, Shelf, is_now, nominal};
use crate::record::Record;
use crate::time::{Ms, Now};
use std::sync::Arc;
use uuid::Uuid;

/// Now, as moments are worked out from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub now: Ms,
    /// None on a machine whose wall clock is the authority.
    boot: Option<(Uuid, i64)>,
}

impl Frame {
    /// `latest_receipt` is the newest time at which the server had anything. A tablet that has not met the server in
    /// this boot got it before: since then at least this boot has passed, whatever its wall clock says.
    pub fn of(now: Now, latest_receipt: Option<Ms>) -> Frame {
        let boot_id = now.clocks.boot_id;
        let boot = (!boot_id.is_nil()).then_some((boot_id, now.clocks.boot_ms));
        let has_met_server = now.server.is_some_and(|s| s.boot_id == boot_id);
        let floor = latest_receipt.filter(|_| boot.is_some() && !has_met_server);
        let earliest = floor.map(|received| received + now.clocks.boot_ms.max(0));
        Frame { now: earliest.map_or(now.best(), |earliest| now.best().max(earliest)), boot }
    }

    /// After everything that was recorded.
    pub fn of_all() -> Frame {
        Frame { now: Ms(i64::MAX), boot: None }
    }

    /// When the record counts. Never in the future of now. An own record of this boot counts by the boot clock
    /// where the two clocks disagree; where they agree, the recorded time stands, so that a tablet and the station
    /// reckon alike.
    pub fn seen(&self, record: &Record) -> Ms {
        self.reckoned(record).unwrap_or_else(|| nominal(record)).min(self.now)
    }

    /// From when a record that stops or loosens a clock does so: where a past time was given, not before it was
    /// written down. Until then nobody knew of it, and what was late in the meantime was late.
    pub fn holds_from(&self, record: &Record) -> Ms {
        let seen = self.seen(record);
        if is_now(record) {
            return seen;
        }
        let recorded = record.body.envelope.recorded_at;
        let written = self.of_this_boot(record, recorded);
        let written = written.unwrap_or_else(|| record.received_at.map_or(recorded, |at| at.min(recorded)));
        seen.max(written.min(self.now))
    }

    /// By the boot clock; None for what another boot or machine wrote, and for a past time that a person gave.
    fn reckoned(&self, record: &Record) -> Option<Ms> {
        is_now(record).then(|| self.of_this_boot(record, record.body.envelope.observed_at)).flatten()
    }

    /// When this boot wrote the record, which names `wall` for it; None for what another boot or machine wrote.
    fn of_this_boot(&self, record: &Record, wall: Ms) -> Option<Ms> {
        let (boot_id, boot_now) = self.boot?;
        let envelope = &record.body.envelope;
        if envelope.boot_id != Some(boot_id) {
            return None;
        }
        let reckoned = self.now - boot_now.saturating_sub(envelope.boot_ms?);
        Some(if (reckoned - wall).saturating_abs() <= JUMP_MS { wall } else { reckoned })
    }

    /// Nobody can say when it was: it claims a time that has not come, another boot of this machine wrote it, and the
    /// server has not had it yet.
    pub fn is_untimed(&self, record: &Record) -> bool {
        record.received_at.is_none() && self.is_ahead(record) && self.reckoned(record).is_none()
    }

    /// The time to show beside a record: as written, except where that is plainly not when it was.
    pub fn shown(&self, record: &Record) -> Ms {
        let (seen, observed) = (self.seen(record), record.body.envelope.observed_at);
        if (seen - observed).saturating_abs() <= JUMP_MS { observed } else { seen }
    }

    /// Claims a time that has not come yet.
    pub fn is_ahead(&self, record: &Record) -> bool {
        record.body.envelope.observed_at - self.now > JUMP_MS
    }

    /// Records of a shelf that were seen in `from..to`, oldest first; up to and with now where `to` is now or later.
    pub fn within<'a>(&self, log: &'a Log, shelf: Shelf, from: Ms, to: Ms) -> Vec<(Ms, &'a Arc<Record>)> {
        let open_end = to >= self.now;
        let (first, last) = (from - JUMP_MS, if open_end { Ms(i64::MAX) } else { to + JUMP_MS });
        let wanted = |r: &Arc<Record>| {
            let seen = self.seen(r);
            (seen >= from && (open_end || seen < to)).then_some(seen)
        };
        let mut found: Vec<_> = log.shelf(shelf, first, last).filter_map(|r| Some((wanted(r)?, r))).collect();
        // Own records whose wall clock stood elsewhere.
        if let Some((boot, boot_now)) = self.boot {
            let boot_of = |at: Ms| boot_now.saturating_sub(self.now - at);
            let own = log.of_boot(boot, boot_of(from).saturating_sub(JUMP_MS), boot_of(to).saturating_add(JUMP_MS));
            let elsewhere = own.filter(|r| Shelf::of(r) == shelf && (nominal(r) < first || nominal(r) > last));
            found.extend(elsewhere.filter_map(|r| Some((wanted(r)?, r))));
        }
        found.sort_by_key(|(seen, r)| (*seen, r.body.envelope.observed_at, r.id(), r.hash));
        found
    }

    /// The newest record of a shelf that was seen at or before `upto` and is wanted.
    pub fn newest<'a>(
        &self,
        log: &'a Log,
        shelf: Shelf,
        upto: Ms,
        wanted: impl Fn(&Record) -> bool,
    ) -> Option<(Ms, &'a Arc<Record>)> {
        let mut best: Option<(Ms, &Arc<Record>)> = None;
        if let Some((boot, boot_now)) = self.boot {
            let last = boot_now.saturating_sub(self.now - upto).saturating_add(JUMP_MS);
            let own = log.of_boot(boot, i64::MIN, last).rev().filter(|r| Shelf::of(r) == shelf);
            best = own.map(|r| (self.seen(r), r)).find(|(seen, r)| *seen <= upto && wanted(r));
        }
        let last = if upto >= self.now { Ms(i64::MAX) } else { upto + JUMP_MS };
        for record in log.shelf(shelf, Ms(i64::MIN), last).rev() {
            if best.is_some_and(|(seen, _)| nominal(record) < seen) {
                break;
            }
            let seen = self.seen(record);
            if seen > upto || !wanted(record) || best.is_some_and(|(s, r)| (seen, record.id()) <= (s, r.id())) {
                continue;
            }
            best = Some((seen, record));
            // Everything further back was seen earlier, but for own records whose clock stood elsewhere.
            if seen == nominal(record) {
                break;
            }
        }
        best
    }
}
